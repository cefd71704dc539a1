package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.lltable.LlHeader;
import io.gatun.netinet.lltable.LlTable;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Callout;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.TreeSet;

/**
 * The IPv6 neighbours on one Ethernet (RFC 4861). A sender finds a confirmed one without a lock. One callout serves the
 * whole table.
 *
 * <p>The number of entries is bounded, and that of those asked for more tightly (RFC 6583), so that neither neighbours
 * that are invented nor addresses that are tried one after the other cost more than that.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}; (w) written under it, read without it.
 *
 * @bsd struct lltable
 */
final class Nd6Table extends LlTable<Nd6Entry> {
    /** Solicitations before a neighbour is taken to be gone. @bsd V_nd6_mmaxtries */
    static final int MAX_SOLICIT = 3;
    /** @bsd V_nd6_delay */
    static final long DELAY_NS = 5 * Nd6.SEC;

    private final Nd6 nd6;       // (c)
    private final Callout timer; // (c)
    private Nd6Ifinfo info;      // (c) set before anybody sees the table
    @GuardedBy("lock")
    private final LinkedHashSet<Nd6Entry> incomplete = new LinkedHashSet<>(); // (l) oldest first
    @GuardedBy("lock")
    private final TreeSet<Nd6Entry> timed = new TreeSet<>(Nd6Entry.BY_DEADLINE); // (l)
    @GuardedBy("lock")
    private long made;           // (l) entries so far

    Nd6Table(final Nd6 nd6, final Ifnet ifp) {
        super(ifp, "lltable6", nd6.vnet().secret());
        this.nd6 = nd6;
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
            final Nd6Entry e = entry(hi, lo);
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
            final Nd6Entry e = entry(hi, lo);
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

    /** Sends what waits, and lets senders see the header. Using a stale one starts its delay. */
    @GuardedBy("lock")
    private void publish(final Nd6Entry e, final long mac) {
        incomplete.remove(e);
        if (e.held() > 0 && e.state == Nd6State.STALE && info.has(Nd6Ifinfo.ND6_IFF_PERFORMNUD)) {
            e.state = Nd6State.DELAY;
            arm(e, DELAY_NS);
        }
        e.used |= e.held() > 0;
        publish(e, new LlHeader(mac, mac()));
    }

    @Override
    protected void send(final Mbuf m, final LlHeader h) {
        nd6.frame(ifp, m, h);
    }

    /** The interface has another link address: so have the headers. */
    void relink() {
        lock.lock();
        try {
            relinkLocked(mac());
        } finally {
            lock.unlock();
        }
    }

    // Hands.

    /** Sets a neighbour by hand. ENOBUFS when the table is full of such. @bsd RTM_ADD */
    Errno setStatic(final long hi, final long lo, final long mac, final boolean proxied) {
        lock.lock();
        try {
            final Nd6Entry e = entry(hi, lo);
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
        lock.lock();
        try {
            final Nd6Entry e = find(hi, lo);
            return e == null ? null : e.state;
        } finally {
            lock.unlock();
        }
    }

    /** All neighbours, the longest unused first: a snapshot. */
    List<Nd6Neighbor> list() {
        return snapshot(e -> {
            final LlHeader h = e.hdr;
            return new Nd6Neighbor(ifp.xname(), e.hi, e.lo, h == null ? 0 : h.lladdr, e.state, e.deadlineNs, e.asked,
                false, e.proxied);
        });
    }

    /** The interface goes. @bsd lltable_free */
    void detach() {
        flushAll();
        timer.drain();
    }

    // Who makes room.

    /** The entry, made when it is not there; null when there is no room. */
    @GuardedBy("lock")
    private Nd6Entry entry(final long hi, final long lo) {
        while (incomplete.size() >= nd6.sysctl.maxIncomplete() && find(hi, lo) == null) {
            final Nd6Entry first = incomplete.getFirst();
            remove(first);
            evicted(first);
        }
        return findOrAdd(hi, lo);
    }

    @Override
    @GuardedBy("lock")
    protected Nd6Entry newEntry(final long hi, final long lo) {
        final Nd6Entry e = new Nd6Entry(hi, lo, made++);
        incomplete.add(e);
        return e;
    }

    @Override
    protected boolean isStatic(final Nd6Entry e) {
        return e.state == Nd6State.STATIC;
    }

    @Override
    protected int maxEntries() {
        return nd6.sysctl.maxEntries();
    }

    @Override
    @GuardedBy("lock")
    protected void removed(final Nd6Entry e) {
        disarm(e);
        e.dead = true;
        incomplete.remove(e);
    }

    @Override
    protected void evicted(final Nd6Entry e) {
        nd6.stat.evicted.increment();
        dropHeld(e, DropReason.ND6_QFULL);
    }

    @Override
    protected void dropped(final Nd6Entry e) {
        dropHeld(e, DropReason.ND6_TIMEOUT);
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
