package io.gatun.netinet.icmp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What has been learnt of other hosts and is worth more than one connection: path MTU, round-trip time, thresholds.
 * Bounded and hashed with a secret; reading takes no lock. An entry is forgotten {@code net.inet.tcp.hostcache.expire}
 * seconds after it was last written.
 *
 * <p>IPv6 addresses use both words, an IPv4 address the low 32 bits of {@code lo} and {@code hi} 0.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}; (w) written under it, read without it.
 *
 * @bsd tcp_hostcache
 */
public final class HostCache {
    private static final long SEC = 1_000_000_000L;
    private static final long PRUNE_NS = 300 * SEC;
    private static final int BUCKETS = 512;
    private static final int LIMIT = 15_360;
    private static final int BUCKET_LIMIT = 30;
    private static final int EXPIRE_SEC = 3600;
    /** Nothing smaller is believed: an attacker would have us send dust. */
    private static final int MIN_MTU = 296;
    private static final long IN4 = 0xffff_ffffL;

    /** What is known of one host. Values of 0 are not known. */
    public static final class Entry {
        final long hi;              // (c)
        final long lo;              // (c)
        volatile Entry next;        // (w)
        volatile int mtu;           // (w)
        volatile int ssthresh;      // (w) octets
        volatile int cwnd;          // (w) octets
        volatile long rttNs;        // (w)
        volatile long rttvarNs;     // (w)
        long writtenNs;             // (l)

        Entry(long hi, long lo) {
            this.hi = hi;
            this.lo = lo;
        }

        /** Path MTU, octets. */
        public int mtu() {
            return mtu;
        }

        /** Octets. */
        public int ssthresh() {
            return ssthresh;
        }

        /** Octets. */
        public int cwnd() {
            return cwnd;
        }

        public long rttNs() {
            return rttNs;
        }

        public long rttvarNs() {
            return rttvarNs;
        }
    }

    private final Mtx lock = new Mtx(LockClass.NET_LEAF, "tcp_hc_entry");
    private final VnetSide vnet;
    private final long key0;
    private final Sysctl expire;
    private final Sysctl limit;
    private final Sysctl purgeNow;
    private final Callout prune;
    private final AtomicReferenceArray<Entry> buckets = new AtomicReferenceArray<>(BUCKETS); // (w)
    @GuardedBy("lock")
    private int count;              // (l)
    @GuardedBy("lock")
    private boolean destroyed;      // (l)

    public HostCache(VnetSide vnet) {
        this.vnet = vnet;
        long k = 0;
        for (byte b : vnet.secret()) {
            k = mix(k ^ b & 0xff);
        }
        key0 = k;
        SysctlTree tree = vnet.sysctl();
        expire = tree.addInt("net.inet.tcp.hostcache.expire", EXPIRE_SEC, 1, Integer.MAX_VALUE,
            "seconds until an unused entry is forgotten");
        limit = tree.addInt("net.inet.tcp.hostcache.cachelimit", LIMIT, 0, Integer.MAX_VALUE, "entries at most");
        purgeNow = tree.addBool("net.inet.tcp.hostcache.purgenow", false, "forget all entries at the next look");
        tree.addReading("net.inet.tcp.hostcache.count", this::count, "entries now");
        prune = vnet.callout("tcp_hc_purge", null, this::purge);
    }

    private static long mix(long v) {
        long z = (v ^ v >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    private int bucket(long hi, long lo) {
        return (int) (mix(mix(key0 ^ hi) ^ lo) >>> 32) & BUCKETS - 1;
    }

    /** What is known of a host, or null. Takes no lock. @bsd tcp_hc_lookup */
    public Entry lookup(long hi, long lo) {
        purgeIfAsked();
        Entry e = buckets.getAcquire(bucket(hi, lo));
        while (e != null && (e.lo != lo || e.hi != hi)) {
            e = e.next;
        }
        return e;
    }

    /** The path MTU to an IPv4 host, or 0 when none is known. @bsd tcp_hc_getmtu */
    public int mtu(int dst) {
        Entry e = lookup(0, dst & IN4);
        return e == null ? 0 : e.mtu;
    }

    /** Notes a path MTU, in octets; one below 296 is not believed. @bsd tcp_hc_updatemtu */
    public void updateMtu(int dst, int mtu) {
        updateMtu(0, dst & IN4, mtu);
    }

    /** Notes a path MTU, in octets; one below 296 is not believed. @bsd tcp_hc_updatemtu */
    public void updateMtu(long hi, long lo, int mtu) {
        if (mtu < MIN_MTU) {
            return;
        }
        lock.lock();
        try {
            Entry e = findOrAdd(hi, lo);
            if (e != null) {
                e.mtu = mtu;
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Notes what a connection has learnt; values of 0 change nothing, others are averaged with what is known.
     *
     * @bsd tcp_hc_update
     */
    public void update(long hi, long lo, long rttNs, long rttvarNs, int ssthresh, int cwnd) {
        lock.lock();
        try {
            Entry e = findOrAdd(hi, lo);
            if (e != null) {
                e.rttNs = average(e.rttNs, rttNs);
                e.rttvarNs = average(e.rttvarNs, rttvarNs);
                e.ssthresh = (int) average(e.ssthresh, ssthresh);
                e.cwnd = (int) average(e.cwnd, cwnd);
            }
        } finally {
            lock.unlock();
        }
    }

    /** @bsd sysctl_tcp_hc_purgenow */
    private void purgeIfAsked() {
        if (!purgeNow.getBool()) {
            return;
        }
        lock.lock();
        try {
            purgeNow.set(0);
            for (int b = 0; b < BUCKETS; b++) {
                buckets.set(b, null);
            }
            count = 0;
        } finally {
            lock.unlock();
        }
    }

    private static long average(long old, long now) {
        return now == 0 ? old : old == 0 ? now : (old + now) / 2;
    }

    /** The entry, made when it is not there; the longest unwritten one of a full bucket goes. Null when not allowed. */
    @GuardedBy("lock")
    private Entry findOrAdd(long hi, long lo) {
        if (destroyed || limit.getInt() == 0) {
            return null;
        }
        long now = vnet.clock().nanoTime();
        Entry e = lookup(hi, lo);
        if (e == null) {
            int b = bucket(hi, lo);
            makeRoom(b);
            e = new Entry(hi, lo);
            e.next = buckets.get(b);
            buckets.setRelease(b, e);
            count++;
            if (!prune.pending()) {
                prune.reset(PRUNE_NS);
            }
        }
        e.writtenNs = now;
        return e;
    }

    @GuardedBy("lock")
    private void makeRoom(int b) {
        Entry oldest = null;
        int n = 0;
        for (Entry e = buckets.get(b); e != null; e = e.next) {
            n++;
            if (oldest == null || e.writtenNs - oldest.writtenNs < 0) {
                oldest = e;
            }
        }
        if (oldest != null && (n >= BUCKET_LIMIT || count >= limit.getInt())) {
            unlink(b, oldest);
        } else if (count >= limit.getInt()) {
            for (int i = 0; i < BUCKETS; i++) {
                Entry e = buckets.get(i);
                if (e != null) {
                    unlink(i, e);
                    return;
                }
            }
        }
    }

    @GuardedBy("lock")
    private void unlink(int b, Entry gone) {
        Entry at = buckets.get(b);
        if (at == gone) {
            buckets.setRelease(b, gone.next);
        } else {
            while (at.next != gone) {
                at = at.next;
            }
            at.next = gone.next;
        }
        count--;
    }

    /** Forgets what is old. @bsd tcp_hc_purge */
    private void purge() {
        lock.lock();
        try {
            long old = vnet.clock().nanoTime() - expire.get() * SEC;
            for (int b = 0; b < BUCKETS; b++) {
                for (Entry e = buckets.get(b); e != null; e = e.next) {
                    if (e.writtenNs - old <= 0) {
                        unlink(b, e);
                    }
                }
            }
            if (count > 0 && !destroyed) {
                prune.reset(PRUNE_NS);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Entries now. */
    public int count() {
        purgeIfAsked();
        lock.lock();
        try {
            return count;
        } finally {
            lock.unlock();
        }
    }

    /** Forgets all and stops. */
    public void destroy() {
        lock.lock();
        try {
            destroyed = true;
            for (int b = 0; b < BUCKETS; b++) {
                buckets.set(b, null);
            }
            count = 0;
        } finally {
            lock.unlock();
        }
        prune.drain();
    }
}
