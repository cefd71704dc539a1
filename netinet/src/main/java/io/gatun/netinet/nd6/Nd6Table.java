package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.arp.LlHeader;
import io.gatun.netinet.ether.EtherHeader;
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
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The neighbours on one Ethernet (RFC 4861). A sender finds a confirmed one without a lock; everything else is done
 * under the table's lock, by which packets that waited go out before any that come later. The number of entries is
 * bounded: the one made first makes room. One callout serves the whole table.
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

    private static final int BUCKETS = 512;
    private static final long HASH = 0x9e3779b97f4a7c15L;

    private final Mtx lock = new Mtx(LockClass.NET_LEAF, "lltable6");
    private final Nd6 nd6;       // (c)
    private final Ifnet ifp;     // (c)
    private final Callout timer; // (c)
    private Nd6Ifinfo info;      // (c) set before anybody sees the table
    private final AtomicReferenceArray<Nd6Entry> buckets = new AtomicReferenceArray<>(BUCKETS); // (w)
    @GuardedBy("lock")
    private final LinkedHashSet<Nd6Entry> all = new LinkedHashSet<>(); // (l)
    @GuardedBy("lock")
    private boolean detached;    // (l)
    @GuardedBy("lock")
    private long armedNs;        // (l) deadline of the timer, 0 while it is not armed

    Nd6Table(final Nd6 nd6, final Ifnet ifp) {
        this.nd6 = nd6;
        this.ifp = ifp;
        timer = nd6.vnet().callout("nd6 " + ifp.xname(), null, this::timeout);
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

    private static int bucket(final long hi, final long lo) {
        return (int) ((hi * HASH ^ lo) * HASH >>> 32) & BUCKETS - 1;
    }

    private Nd6Entry find(final long hi, final long lo) {
        Nd6Entry e = buckets.getAcquire(bucket(hi, lo));
        while (e != null && (e.lo != lo || e.hi != hi)) {
            e = e.next;
        }
        return e;
    }

    /** Sends a packet to a neighbour. Consumes m. @bsd nd6_resolve */
    Errno output(final Mbuf m, final long hi, final long lo) {
        final Nd6Entry e = find(hi, lo);
        if (e != null && e.state != Nd6State.STALE) {
            final LlHeader h = e.hdr;
            if (h != null) {
                return nd6.frame(ifp, m, h);
            }
        }
        return resolve(m, hi, lo);
    }

    private Errno resolve(final Mbuf m, final long hi, final long lo) {
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
                if (e.state == Nd6State.STALE) {
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
                dead = e.held.size() >= nd6.sysctl.maxqueuelen() ? e.held.poll() : null;
                e.held.add(m);
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

    @GuardedBy("lock")
    private Nd6Entry findOrAdd(final long hi, final long lo) {
        Nd6Entry e = find(hi, lo);
        if (e == null) {
            if (all.size() >= nd6.sysctl.maxEntries()) {
                dropHeld(remove(all.getFirst()), DropReason.ND6_QFULL);
            }
            e = new Nd6Entry(hi, lo);
            final int b = bucket(hi, lo);
            e.next = buckets.get(b);
            buckets.setRelease(b, e);
            all.add(e);
        }
        return e;
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
        gone.hdr = null;
        all.remove(gone);
        return gone;
    }

    private void dropHeld(final Nd6Entry e, final DropReason reason) {
        for (Mbuf m = e.held.poll(); m != null; m = e.held.poll()) {
            nd6.vnet().drop(m, reason);
        }
    }

    /** A solicitation names its sender's link address (RFC 4861 section 7.2.3). */
    void solicited(final long hi, final long lo, final long mac) {
        boolean found = false;
        lock.lock();
        try {
            final Nd6Entry e = detached ? null : findOrAdd(hi, lo);
            if (e != null && (e.hdr == null || e.hdr.lladdr != mac)) {
                found = e.hdr == null;
                e.state = Nd6State.STALE;
                publish(e, mac);
            }
        } finally {
            lock.unlock();
        }
        changed(found, hi, lo, false);
    }

    /** Routers have addresses of link scope: which are reachable decides which one is used. */
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
            if (e == null || e.hdr == null && mac == 0) {
                return;
            }
            final boolean differs = e.hdr == null || mac != 0 && mac != e.hdr.lladdr;
            if (differs && e.hdr != null && !override) {
                if (e.state == Nd6State.REACHABLE) {
                    e.state = Nd6State.STALE;
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
        if (!e.held.isEmpty() && e.state == Nd6State.STALE) {
            e.state = Nd6State.DELAY;
            arm(e, DELAY_NS);
        }
        for (Mbuf m = e.held.poll(); m != null; m = e.held.poll()) {
            nd6.frame(ifp, m, h);
        }
        e.hdr = h;
    }

    @GuardedBy("lock")
    private void arm(final Nd6Entry e, final long ns) {
        final long now = nd6.now();
        e.deadlineNs = now + ns;
        if (!detached && (armedNs == 0 || e.deadlineNs - armedNs < 0)) {
            armedNs = e.deadlineNs;
            timer.reset(ns);
        }
    }

    /** Asks again, gives up, and lets what is reachable become stale. @bsd nd6_llinfo_timer */
    private void timeout() {
        final List<Nd6Entry> ask = new ArrayList<>();
        lock.lock();
        try {
            final long now = nd6.now();
            long next = Long.MAX_VALUE;
            armedNs = 0;
            for (final Nd6Entry e : List.copyOf(all)) {
                if (timed(e) && now - e.deadlineNs >= 0) {
                    step(e, ask, now);
                }
                if (e.state != null && timed(e) && find(e.hi, e.lo) == e) {
                    next = Math.min(next, e.deadlineNs - now);
                }
            }
            if (next != Long.MAX_VALUE && !detached) {
                armedNs = now + next;
                timer.reset(Math.max(0, next));
            }
        } finally {
            lock.unlock();
        }
        for (final Nd6Entry e : ask) {
            if (e.state == null) {
                changed(true, e.hi, e.lo, true);
            } else {
                nd6.nbr.solicit(ifp, e.hi, e.lo, e.hdr);
            }
        }
        nd6.vnet().netisr().swi();
    }

    private static boolean timed(final Nd6Entry e) {
        return e.state != Nd6State.STALE && (e.state != Nd6State.INCOMPLETE || e.asked > 0);
    }

    @GuardedBy("lock")
    private void step(final Nd6Entry e, final List<Nd6Entry> ask, final long now) {
        switch (e.state) {
            case REACHABLE -> e.state = Nd6State.STALE;
            case DELAY -> {
                e.state = Nd6State.PROBE;
                e.asked = 1;
                e.deadlineNs = now + info.retransNs();
                ask.add(e);
            }
            default -> {
                if (e.asked >= MAX_SOLICIT) {
                    nd6.stat.timeouts.increment();
                    dropHeld(remove(e), DropReason.ND6_TIMEOUT);
                    e.state = null; // does not answer
                    ask.add(e);
                } else {
                    e.asked++;
                    e.deadlineNs = now + info.retransNs();
                    ask.add(e);
                }
            }
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

    int count() {
        lock.lock();
        try {
            return all.size();
        } finally {
            lock.unlock();
        }
    }

    /** Forgets all neighbours. */
    void flush() {
        lock.lock();
        try {
            for (final Nd6Entry e : List.copyOf(all)) {
                dropHeld(remove(e), DropReason.ND6_TIMEOUT);
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
        flush();
        timer.drain();
    }
}
