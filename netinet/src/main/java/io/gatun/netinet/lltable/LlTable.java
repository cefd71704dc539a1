package io.gatun.netinet.lltable;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.IpId;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;

/**
 * The neighbours on one Ethernet. A sender finds one without a lock; everything else is done under the table's lock, by
 * which packets that waited go out before any that come later. The number of entries is bounded: the longest unused one
 * makes room, and one in use gets a second chance. Entries set by hand stay.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}; (w) written under it, read without it.
 *
 * @param <E> its entries
 * @bsd struct lltable
 */
public abstract class LlTable<E extends LlEntry<E>> {
    private static final int MIN_BUCKETS = 32;
    private static final int MAX_BUCKETS = 1 << 14;

    /** Guards all but what senders read. */
    protected final Mtx lock;     // (c)
    /** The Ethernet. */
    protected final Ifnet ifp;    // (c)
    private final long key;       // (c)
    private final long key4;      // (c) the hash of the first eight octets of an IPv4 address
    /** The interface has gone, and so have all entries. */
    @GuardedBy("lock")
    protected boolean detached;   // (l)
    private volatile AtomicReferenceArray<E> table = new AtomicReferenceArray<>(MIN_BUCKETS); // (w)
    @GuardedBy("lock")
    private E oldest;             // (l)
    @GuardedBy("lock")
    private E newest;             // (l)
    @GuardedBy("lock")
    private int count;            // (l)

    /** @param secret so that nobody can choose addresses of one bucket */
    protected LlTable(final Ifnet ifp, final String name, final byte[] secret) {
        this.ifp = ifp;
        key = IpId.key(secret);
        key4 = IpId.mix(key);
        lock = new Mtx(LockClass.NET_LEAF, name);
    }

    // What a protocol adds.

    /** A new entry, of which nothing is known. Under the lock. @bsd llt_alloc_entry */
    protected abstract E newEntry(long hi, long lo);

    /** Whether an entry was set by hand. Under the lock. @bsd LLE_STATIC */
    protected abstract boolean isStatic(E e);

    /** How many entries there may be. */
    protected abstract int maxEntries();

    /** An entry has just left the table; packets may still wait in it. Under the lock. */
    protected void removed(final E e) {
        // nothing more to forget
    }

    /** An entry has made room for another: the packets that wait are dropped. Under the lock. */
    protected abstract void evicted(E e);

    /** An entry was forgotten: so are the packets that wait. Under the lock. */
    protected abstract void dropped(E e);

    /** Sends a packet that has waited. Consumes m. Under the lock. */
    protected abstract void send(Mbuf m, LlHeader h);

    // Senders.

    private int bucket(final long hi, final long lo, final int buckets) {
        final long h = hi == 0 ? key4 : IpId.mix(key ^ hi);
        return (int) (IpId.mix(h ^ lo) >>> Integer.SIZE) & buckets - 1;
    }

    /** Entries in the fullest bucket. */
    public final int depth() {
        int most = 0;
        lock.lock();
        try {
            for (int b = 0; b < table.length(); b++) {
                int n = 0;
                for (E e = table.get(b); e != null; e = e.next) {
                    n++;
                }
                most = Math.max(most, n);
            }
        } finally {
            lock.unlock();
        }
        return most;
    }

    /**
     * The entry of a neighbour, or null. Takes no lock, allocates nothing. Without the lock it may miss one while the
     * table grows.
     *
     * @bsd lla_lookup
     */
    protected final E find(final long hi, final long lo) {
        final AtomicReferenceArray<E> t = table;
        E e = t.getAcquire(bucket(hi, lo, t.length()));
        while (e != null && (e.lo != lo || e.hi != hi)) {
            e = e.next;
        }
        return e;
    }

    // Entries come and go.

    /** The entry, made when it is not there; null when there is no room, or the interface has gone. */
    @GuardedBy("lock")
    protected final E findOrAdd(final long hi, final long lo) {
        E e = detached ? null : find(hi, lo);
        if (detached || e != null) {
            return e;
        }
        while (count >= maxEntries()) { // more than once when the limit has come down
            if (!evict()) {
                return null;
            }
        }
        if (count >= table.length() && table.length() < MAX_BUCKETS) {
            grow();
        }
        e = newEntry(hi, lo);
        link(table, e);
        addNewest(e);
        count++;
        return e;
    }

    /** Forgets the longest unused entry; used ones get a second chance. False when all are static. */
    @GuardedBy("lock")
    private boolean evict() {
        for (int i = 2 * count; i > 0; i--) {
            final E e = oldest;
            if (!isStatic(e) && !e.used) {
                remove(e);
                evicted(e);
                return true;
            }
            e.used = false;
            toNewest(e);
        }
        return false;
    }

    /** Readers of the old table may miss an entry that moves; they then ask under the lock. */
    @GuardedBy("lock")
    private void grow() {
        final AtomicReferenceArray<E> bigger = new AtomicReferenceArray<>(table.length() * 4);
        for (E e = oldest; e != null; e = e.newer) {
            link(bigger, e);
        }
        table = bigger;
    }

    private void link(final AtomicReferenceArray<E> t, final E e) {
        final int b = bucket(e.hi, e.lo, t.length());
        e.next = t.get(b);
        t.setRelease(b, e);
    }

    /** Takes an entry out; the packets that wait stay in it. @bsd lltable_unlink_entry */
    @GuardedBy("lock")
    protected final void remove(final E e) {
        final int b = bucket(e.hi, e.lo, table.length());
        E at = table.get(b);
        if (at == e) {
            table.setRelease(b, e.next);
        } else {
            while (at.next != e) {
                at = at.next;
            }
            at.next = e.next;
        }
        e.hdr = null;
        unlist(e);
        count--;
        removed(e);
    }

    /** Sends what waits, then lets senders see the header: so the order of packets is kept. */
    @GuardedBy("lock")
    protected final void publish(final E e, final LlHeader h) {
        for (Mbuf m = e.unhold(); m != null; m = e.unhold()) {
            send(m, h);
        }
        e.hdr = h;
    }

    // All entries.

    /** The longest unused entry, from which {@link LlEntry#newer} leads to the others; null for none. */
    @GuardedBy("lock")
    protected final E oldest() {
        return oldest;
    }

    /** The host's own link address is another one now: headers are made anew. */
    @GuardedBy("lock")
    protected final void relinkLocked(final long own) {
        for (E e = oldest; e != null; e = e.newer) {
            final LlHeader h = e.hdr;
            e.hdr = h == null ? null : new LlHeader(h.lladdr, own);
        }
    }

    /** A record of each, the longest unused first. @bsd lltable_foreach_lle */
    protected final <R> List<R> snapshot(final Function<? super E, R> record) {
        final List<R> out = new ArrayList<>();
        lock.lock();
        try {
            for (E e = oldest; e != null; e = e.newer) {
                out.add(record.apply(e));
            }
        } finally {
            lock.unlock();
        }
        return out;
    }

    /** Forgets a neighbour. ENOENT when it is not there. @bsd lltable_delete_addr */
    public final Errno delete(final long hi, final long lo) {
        lock.lock();
        try {
            final E e = find(hi, lo);
            if (e == null) {
                return Errno.ENOENT;
            }
            remove(e);
            dropped(e);
        } finally {
            lock.unlock();
        }
        return Errno.OK;
    }

    /** Forgets all but those set by hand. @bsd lltable_prefix_free */
    public final void flush() {
        lock.lock();
        try {
            flushLocked(false);
        } finally {
            lock.unlock();
        }
    }

    /** Forgets all for good: the interface goes. @bsd lltable_free */
    protected final void flushAll() {
        lock.lock();
        try {
            detached = true;
            flushLocked(true);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void flushLocked(final boolean all) {
        E newer;
        for (E e = oldest; e != null; e = newer) {
            newer = e.newer;
            if (all || !isStatic(e)) {
                remove(e);
                dropped(e);
            }
        }
    }

    // The list by age.

    /** An entry has just proved of use. */
    @GuardedBy("lock")
    protected final void toNewest(final E e) {
        if (e != newest) {
            unlist(e);
            addNewest(e);
        }
    }

    @GuardedBy("lock")
    private void addNewest(final E e) {
        e.older = newest;
        e.newer = null;
        if (newest == null) {
            oldest = e;
        } else {
            newest.newer = e;
        }
        newest = e;
    }

    @GuardedBy("lock")
    private void unlist(final E e) {
        if (e.older == null) {
            oldest = e.newer;
        } else {
            e.older.newer = e.newer;
        }
        if (e.newer == null) {
            newest = e.older;
        } else {
            e.newer.older = e.older;
        }
        e.older = null;
        e.newer = null;
    }
}
