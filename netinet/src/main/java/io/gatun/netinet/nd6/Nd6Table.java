package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.arp.LlHeader;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip.IpId;
import io.gatun.netinet.ip6.In6;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The neighbours on one Ethernet (RFC 4861). A sender finds a confirmed one without a lock; everything else is done
 * under the table's lock, by which packets that waited go out before any that come later. One callout serves the whole
 * table.
 *
 * <p>The number of entries is bounded, and that of those asked for more tightly (RFC 6583), so that neither neighbours
 * that are invented nor addresses that are tried one after the other cost more than that. To make room the longest
 * unused entry goes; one in use gets a second chance.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}; (w) written under it, read without it.
 *
 * @bsd struct lltable
 */
final class Nd6Table {
    /** Solicitations before a neighbour is taken to be gone. @bsd V_nd6_mmaxtries */
    static final int MAX_SOLICIT = 3;
    /** @bsd V_nd6_delay */
    static final long DELAY_NS = 5 * Nd6.SEC;

    private static final int BUCKETS = 2048;

    private final Mtx lock = new Mtx(LockClass.NET_LEAF, "lltable6");
    private final Nd6 nd6;       // (c)
    private final Ifnet ifp;     // (c)
    private final Callout timer; // (c)
    private final long key;      // (c) so that nobody can choose addresses of one bucket
    private Nd6Ifinfo info;      // (c) set before anybody sees the table
    private final AtomicReferenceArray<Nd6Entry> buckets = new AtomicReferenceArray<>(BUCKETS); // (w)
    @GuardedBy("lock")
    private final LinkedHashSet<Nd6Entry> all = new LinkedHashSet<>(); // (l) the longest unused first
    @GuardedBy("lock")
    private final LinkedHashSet<Nd6Entry> incomplete = new LinkedHashSet<>(); // (l) oldest first
    @GuardedBy("lock")
    private final TreeSet<Nd6Entry> timed = new TreeSet<>(Nd6Entry.BY_DEADLINE); // (l)
    @GuardedBy("lock")
    private long made;           // (l) entries so far
    @GuardedBy("lock")
    private boolean detached;    // (l)

    Nd6Table(final Nd6 nd6, final Ifnet ifp) {
        this.nd6 = nd6;
        this.ifp = ifp;
        timer = nd6.vnet().callout("nd6 " + ifp.xname(), null, this::timeout);
        key = IpId.key(nd6.vnet().secret());
    }

    void setInfo(final Nd6Ifinfo ifinfo) {
        info = ifinfo;
    }

    /** Between half and one and a half of the base (RFC 4861 section 6.3.2). @bsd ND_COMPUTE_RTIME */
    private long reachableNs() {
        final int ms = info.baseReachableMs() == 0 ? nd6.sysctl.reachableMs() : info.baseReachableMs();
        return (ms / 2 + nd6.vnet().random().nextInt(ms + 1)) * Nd6.MS;
    }

    private long mac() {
        return EtherHeader.addr(ifp.lladdr());
    }

    // Senders.

    /** Sends a packet to a neighbour. Consumes m. @bsd nd6_resolve */
    Errno output(final Mbuf m, final long hi, final long lo) {
        final Nd6Entry e = find(hi, lo);
        if (e != null && e.state != Nd6State.STALE) {
            final LlHeader h = e.hdr;
            if (h != null) {
                if (!e.used) {
                    e.used = true;
                }
                return nd6.frame(ifp, m, h);
            }
        }
        return resolve(m, hi, lo, true);
    }

    /**
     * Sends what a neighbour has asked for: a packet like any other, but not one for whose sake the neighbour is to be
     * remembered, for anybody can ask. Consumes m.
     */
    Errno reply(final Mbuf m, final long hi, final long lo) {
        return resolve(m, hi, lo, false);
    }

    private Errno resolve(final Mbuf m, final long hi, final long lo, final boolean use) {
        Mbuf dead = null;
        boolean ask = false;
        Errno result = Errno.OK;
        lock.lock();
        try {
            final Nd6Entry e = detached ? null : findOrAdd(hi, lo);
            if (e == null) {
                dead = m;
                result = Errno.ENOBUFS;
            } else if (e.hdr != null) {
                e.used |= use;
                if (e.state == Nd6State.STALE && info.has(Nd6Ifinfo.ND6_IFF_PERFORMNUD)) {
                    e.state = Nd6State.DELAY;
                    arm(e, DELAY_NS);
                }
                return nd6.frame(ifp, m, e.hdr);
            } else {
                ask = e.asked == 0;
                if (ask) {
                    e.asked = 1;
                    arm(e, info.retransNs());
                }
                dead = e.hold(m, nd6.sysctl.maxqueuelen());
            }
        } finally {
            lock.unlock();
        }
        if (dead != null) {
            nd6.vnet().drop(dead, DropReason.ND6_QFULL);
        }
        if (ask) {
            nd6.nbr.solicit(ifp, hi, lo, null);
        }
        return result;
    }

    // Answers.

    /** A message names its sender's link address (RFC 4861 sections 6.3.4, 7.2.3, 8.3). */
    void solicited(final long hi, final long lo, final long mac) {
        boolean found = false;
        lock.lock();
        try {
            final Nd6Entry e = detached ? null : findOrAdd(hi, lo);
            if (e != null && e.state != Nd6State.STATIC && (e.hdr == null || e.hdr.lladdr != mac)) {
                found = e.hdr == null;
                e.state = Nd6State.STALE;
                disarm(e);
                publish(e, mac);
            }
        } finally {
            lock.unlock();
        }
        changed(found, hi, lo, false);
    }

    /** Which routers are reachable decides which one is used; they have addresses of link scope. */
    private void changed(final boolean yes, final long hi, final long lo, final boolean gone) {
        if (yes && (gone || In6.isLinkLocal(hi))) {
            nd6.neighborChanged(info, hi, lo, gone);
        }
    }

    /**
     * An advertisement (RFC 4861 section 7.2.5); one about a neighbour nobody asked for is ignored.
     *
     * @param mac 0 when it names none
     */
    void advertised(final long hi, final long lo, final long mac, final boolean solicited, final boolean override) {
        boolean found = false;
        lock.lock();
        try {
            final Nd6Entry e = find(hi, lo);
            if (e == null || e.state == Nd6State.STATIC || e.hdr == null && mac == 0) {
                return;
            }
            final boolean differs = e.hdr == null || mac != 0 && mac != e.hdr.lladdr;
            if (differs && e.hdr != null && !override) {
                if (e.state == Nd6State.REACHABLE) {
                    e.state = Nd6State.STALE;
                    disarm(e);
                }
                return;
            }
            found = e.hdr == null;
            if (solicited) {
                e.state = Nd6State.REACHABLE;
                e.asked = 0;
                arm(e, reachableNs());
            } else if (differs) {
                e.state = Nd6State.STALE;
                disarm(e);
            }
            if (differs) {
                publish(e, mac);
            }
        } finally {
            lock.unlock();
        }
        changed(found, hi, lo, false);
    }

    /** Sends what waits, then lets senders see the header. Using a stale one starts its delay. */
    @GuardedBy("lock")
    private void publish(final Nd6Entry e, final long mac) {
        final LlHeader h = new LlHeader(mac, mac());
        incomplete.remove(e);
        if (e.holds() && e.state == Nd6State.STALE && info.has(Nd6Ifinfo.ND6_IFF_PERFORMNUD)) {
            e.state = Nd6State.DELAY;
            arm(e, DELAY_NS);
        }
        for (Mbuf m = e.unhold(); m != null; m = e.unhold()) {
            e.used = true;
            nd6.frame(ifp, m, h);
        }
        e.hdr = h;
    }

    /** The interface has another link address: so have the headers. */
    void relink() {
        lock.lock();
        try {
            for (final Nd6Entry e : all) {
                final LlHeader h = e.hdr;
                e.hdr = h == null ? null : new LlHeader(h.lladdr, mac());
            }
        } finally {
            lock.unlock();
        }
    }

    // Hands.

    /** Sets a neighbour by hand. ENOBUFS when the table is full of such. @bsd RTM_ADD */
    Errno setStatic(final long hi, final long lo, final long mac, final boolean proxied) {
        lock.lock();
        try {
            final Nd6Entry e = detached ? null : findOrAdd(hi, lo);
            if (e == null) {
                return Errno.ENOBUFS;
            }
            e.state = Nd6State.STATIC;
            e.proxied = proxied;
            disarm(e);
            publish(e, mac);
        } finally {
            lock.unlock();
        }
        changed(true, hi, lo, false);
        return Errno.OK;
    }

    /** Forgets a neighbour. ENOENT when it is not there. @bsd RTM_DELETE */
    Errno delete(final long hi, final long lo) {
        lock.lock();
        try {
            final Nd6Entry e = find(hi, lo);
            if (e == null) {
                return Errno.ENOENT;
            }
            dropHeld(remove(e), DropReason.ND6_TIMEOUT);
        } finally {
            lock.unlock();
        }
        return Errno.OK;
    }

    /** The link address to give in the name of a neighbour that this host answers for; 0 for none. */
    long proxy(final long hi, final long lo) {
        lock.lock();
        try {
            final Nd6Entry e = find(hi, lo);
            return e == null || !e.proxied ? 0 : e.hdr.lladdr;
        } finally {
            lock.unlock();
        }
    }

    /** The header to a neighbour, or null. */
    LlHeader header(final long hi, final long lo) {
        final Nd6Entry e = find(hi, lo);
        return e == null ? null : e.hdr;
    }

    /** What is known of a neighbour, or null. */
    Nd6State state(final long hi, final long lo) {
        final Nd6Entry e = find(hi, lo);
        return e == null ? null : e.state;
    }

    /** All neighbours, the longest unused first: a snapshot. */
    List<Nd6Neighbor> list() {
        final List<Nd6Neighbor> out = new ArrayList<>();
        lock.lock();
        try {
            for (final Nd6Entry e : all) {
                out.add(new Nd6Neighbor(ifp.xname(), e.hi, e.lo, e.hdr == null ? 0 : e.hdr.lladdr, e.state,
                    e.deadlineNs, e.asked, false, e.proxied));
            }
        } finally {
            lock.unlock();
        }
        return out;
    }

    /** Forgets all neighbours but those set by hand. */
    void flush() {
        flush(false);
    }

    private void flush(final boolean those) {
        lock.lock();
        try {
            for (final Nd6Entry e : List.copyOf(all)) {
                if (those || e.state != Nd6State.STATIC) {
                    dropHeld(remove(e), DropReason.ND6_TIMEOUT);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** The interface goes. @bsd lltable_free */
    void detach() {
        lock.lock();
        try {
            detached = true;
        } finally {
            lock.unlock();
        }
        flush(true);
        timer.drain();
    }

    // The hash, and who makes room.

    private int bucket(final long hi, final long lo) {
        return (int) (IpId.mix(IpId.mix(key ^ hi) ^ lo) >>> 32) & BUCKETS - 1;
    }

    /** Entries in the fullest bucket. */
    int depth() {
        int most = 0;
        for (int b = 0; b < BUCKETS; b++) {
            int n = 0;
            for (Nd6Entry e = buckets.get(b); e != null; e = e.next) {
                n++;
            }
            most = Math.max(most, n);
        }
        return most;
    }

    private Nd6Entry find(final long hi, final long lo) {
        Nd6Entry e = buckets.getAcquire(bucket(hi, lo));
        while (e != null && (e.lo != lo || e.hi != hi)) {
            e = e.next;
        }
        return e;
    }

    /** The entry, made when it is not there; null when there is no room. */
    @GuardedBy("lock")
    private Nd6Entry findOrAdd(final long hi, final long lo) {
        Nd6Entry e = find(hi, lo);
        if (e != null) {
            return e;
        }
        if (incomplete.size() >= nd6.sysctl.maxIncomplete()) {
            nd6.stat.evicted.increment();
            dropHeld(remove(incomplete.getFirst()), DropReason.ND6_QFULL);
        }
        if (all.size() >= nd6.sysctl.maxEntries() && !evict()) {
            return null;
        }
        e = new Nd6Entry(hi, lo, made++);
        final int b = bucket(hi, lo);
        e.next = buckets.get(b);
        buckets.setRelease(b, e);
        all.add(e);
        incomplete.add(e);
        return e;
    }

    /** Forgets the longest unused entry; used ones get a second chance. False when all are set by hand. */
    @GuardedBy("lock")
    private boolean evict() {
        for (int i = 2 * all.size(); i > 0; i--) {
            final Nd6Entry e = all.getFirst();
            if (e.state != Nd6State.STATIC && !e.used) {
                nd6.stat.evicted.increment();
                dropHeld(remove(e), DropReason.ND6_QFULL);
                return true;
            }
            e.used = false;
            all.addLast(e);
        }
        return false;
    }

    @GuardedBy("lock")
    private Nd6Entry remove(final Nd6Entry gone) {
        final int b = bucket(gone.hi, gone.lo);
        Nd6Entry at = buckets.get(b);
        if (at == gone) {
            buckets.setRelease(b, gone.next);
        } else {
            while (at.next != gone) {
                at = at.next;
            }
            at.next = gone.next;
        }
        disarm(gone);
        gone.dead = true;
        gone.hdr = null;
        all.remove(gone);
        incomplete.remove(gone);
        return gone;
    }

    private void dropHeld(final Nd6Entry e, final DropReason reason) {
        for (Mbuf m = e.unhold(); m != null; m = e.unhold()) {
            nd6.vnet().drop(m, reason);
        }
    }

    // Time.

    @GuardedBy("lock")
    private void arm(final Nd6Entry e, final long ns) {
        timed.remove(e);
        e.deadlineNs = nd6.now() + ns;
        timed.add(e);
        rearm();
    }

    @GuardedBy("lock")
    private void disarm(final Nd6Entry e) {
        timed.remove(e);
        e.deadlineNs = Nd6.NEVER;
    }

    /** An entry that was disarmed may let the timer run once for nothing. */
    @GuardedBy("lock")
    private void rearm() {
        if (!detached && !timed.isEmpty()) {
            timer.resetAt(timed.getFirst().deadlineNs);
        }
    }

    /** Asks again, gives up, and lets what is reachable become stale. @bsd nd6_llinfo_timer */
    private void timeout() {
        final List<Nd6Entry> ask = new ArrayList<>();
        lock.lock();
        try {
            final long now = nd6.now();
            while (!timed.isEmpty() && timed.getFirst().deadlineNs <= now) {
                step(timed.getFirst(), ask);
            }
            rearm();
        } finally {
            lock.unlock();
        }
        for (final Nd6Entry e : ask) {
            if (e.dead) {
                for (Mbuf m = e.unhold(); m != null; m = e.unhold()) {
                    nd6.undeliverable(m);
                }
                changed(true, e.hi, e.lo, true);
            } else {
                nd6.nbr.solicit(ifp, e.hi, e.lo, e.hdr);
            }
        }
        nd6.vnet().netisr().swi();
    }

    @GuardedBy("lock")
    private void step(final Nd6Entry e, final List<Nd6Entry> ask) {
        switch (e.state) {
            case REACHABLE -> {
                e.state = Nd6State.STALE;
                disarm(e);
            }
            case DELAY -> {
                e.state = Nd6State.PROBE;
                e.asked = 1;
                arm(e, info.retransNs());
                ask.add(e);
            }
            default -> {
                if (e.asked >= MAX_SOLICIT) {
                    nd6.stat.timeouts.increment();
                    remove(e); // with the packets that wait
                } else {
                    e.asked++;
                    arm(e, info.retransNs());
                }
                ask.add(e);
            }
        }
    }
}
