package io.gatun.netinet.arp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.lltable.LlHeader;
import io.gatun.netinet.lltable.LlTable;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Callout;
import java.util.List;

/**
 * The IPv4 neighbours on one Ethernet, {@code net.link.ether.inet.maxentries} at most. One callout serves the whole
 * table.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}; (w) written under it, read without it.
 *
 * @bsd struct lltable
 */
public final class ArpTable extends LlTable<ArpLle> {
    private static final long SEC = 1_000_000_000L;
    private static final long IN4 = 0xffff_ffffL;

    private final Arp arp;        // (c)
    private final Callout timer;  // (c)
    private volatile long lladdr; // (w) the interface's own address
    private volatile byte[] octets; // (w) what lladdr was made of
    @GuardedBy("lock")
    private boolean up;           // (l) the interface when its state was last told
    @GuardedBy("lock")
    private long armedNs;         // (l) deadline of the timer, 0 while it is not armed

    ArpTable(Arp arp, Ifnet ifp) {
        super(ifp, "lltable", arp.vnet().secret());
        this.arp = arp;
        octets = ifp.lladdr();
        lladdr = EtherHeader.addr(octets);
        up = (ifp.flags() & Ifnet.IFF_UP) != 0;
        timer = arp.vnet().callout("arptimer " + ifp.xname(), null, this::timeout);
    }

    /** The interface's own link address, in the low 48 bits. */
    public long lladdr() {
        if (ifp.lladdr() != octets) {
            lladdrChanged();
        }
        return lladdr;
    }

    /** The interface. */
    Ifnet ifp() {
        return ifp;
    }

    // Senders.

    /** The header to a resolved neighbour, or null. Takes no lock, allocates nothing. @bsd arpresolve */
    public LlHeader lookup(int addr) {
        ArpLle e = find(0, addr & IN4);
        if (e == null) {
            return null;
        }
        LlHeader h = e.hdr;
        if (h != null && !e.used) {
            e.used = true;
        }
        return h;
    }

    /**
     * Sends a packet to a neighbour that may have to be asked for first. Consumes m.
     *
     * @return OK also when the packet waits; EHOSTDOWN while the neighbour does not answer, ENOBUFS
     * @bsd arpresolve_full
     */
    public Errno resolve(Mbuf m, int addr) {
        Errno e;
        boolean ask = false;
        lock.lock();
        try {
            ArpLle entry = findOrAdd(0, addr & IN4);
            if (entry == null) {
                e = Errno.ENOBUFS;
            } else if (entry.hdr != null) {
                return arp.send(ifp, m, entry.hdr);
            } else {
                long now = arp.now();
                ask = entry.asked == 0 || now - entry.askedNs >= SEC;
                if (ask) {
                    asked(entry, now);
                }
                e = entry.state == ArpState.FAILED ? Errno.EHOSTDOWN : hold(entry, m);
            }
        } finally {
            lock.unlock();
        }
        if (ask) {
            arp.request(ifp, addr, EtherHeader.BROADCAST);
        }
        if (e != Errno.OK) {
            arp.undeliverable(m, e == Errno.EHOSTDOWN ? DropReason.ARP_TIMEOUT : DropReason.ARP_QFULL);
        }
        return e;
    }

    @GuardedBy("lock")
    private void asked(ArpLle e, long now) {
        e.asked++;
        e.askedNs = now;
        if (e.state == ArpState.INCOMPLETE) {
            e.deadlineNs = now + SEC;
            arm(e.deadlineNs, now);
        }
    }

    @GuardedBy("lock")
    private Errno hold(ArpLle e, Mbuf m) {
        Mbuf first = e.hold(m, arp.maxhold());
        if (first == m) {
            return Errno.ENOBUFS;
        }
        if (first != null) {
            arp.stat().dropped.increment();
            arp.vnet().drop(first, DropReason.ARP_QFULL);
        }
        return Errno.OK;
    }

    // Answers.

    /**
     * Takes in what a neighbour said of itself.
     *
     * @param create whether to remember one that nobody here has asked for
     * @bsd arp_check_update_lle
     */
    void learn(int addr, long mac, boolean create) {
        lock.lock();
        try {
            ArpLle e = create ? findOrAdd(0, addr & IN4) : find(0, addr & IN4);
            if (e == null || e.state == ArpState.STATIC) {
                return;
            }
            long now = arp.now();
            e.state = ArpState.REACHABLE;
            e.asked = 0;
            e.used = e.held() > 0;
            e.expireNs = now + arp.maxAgeNs();
            e.deadlineNs = e.expireNs - arp.preemptNs();
            toNewest(e);
            arm(e.deadlineNs, now);
            publish(e, mac);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void publish(ArpLle e, long mac) {
        LlHeader h = e.hdr;
        publish(e, h == null || h.lladdr != mac ? new LlHeader(mac, lladdr) : h);
    }

    @Override
    protected void send(Mbuf m, LlHeader h) {
        arp.send(ifp, m, h);
    }

    // Hands.

    /** Sets an entry that is never forgotten; replaces what was there. ENOBUFS when the table is full of such. */
    Errno setStatic(int addr, long mac, boolean published) {
        lock.lock();
        try {
            ArpLle e = findOrAdd(0, addr & IN4);
            if (e == null) {
                return Errno.ENOBUFS;
            }
            e.state = ArpState.STATIC;
            e.published = published;
            publish(e, mac);
        } finally {
            lock.unlock();
        }
        return Errno.OK;
    }

    /** The link address that this host gives for a neighbour; 0 when it does not answer for it. */
    long published(int addr) {
        lock.lock();
        try {
            ArpLle e = find(0, addr & IN4);
            return e == null || !e.published ? 0 : e.hdr.lladdr;
        } finally {
            lock.unlock();
        }
    }

    /** Forgets a neighbour. ENOENT when it is not there. */
    Errno delete(int addr) {
        return delete(0, addr & IN4);
    }

    @Override
    protected ArpLle newEntry(long hi, long lo) {
        ArpLle e = new ArpLle(lo);
        e.deadlineNs = arp.now() + SEC;
        return e;
    }

    @Override
    protected boolean isStatic(ArpLle e) {
        return e.state == ArpState.STATIC;
    }

    @Override
    protected int maxEntries() {
        return arp.maxEntries();
    }

    @Override
    protected void evicted(ArpLle e) {
        dropAll(e.unholdAll(), DropReason.ARP_QFULL);
    }

    @Override
    protected void dropped(ArpLle e) {
        dropAll(e.unholdAll(), DropReason.ARP_TIMEOUT);
    }

    private void dropAll(Mbuf first, DropReason reason) {
        Mbuf m = first;
        while (m != null) {
            Mbuf next = m.nextPkt();
            m.nextPkt(null);
            arp.stat().dropped.increment();
            arp.vnet().drop(m, reason);
            m = next;
        }
    }

    /** The interface goes. @bsd lltable_free */
    public void detach() {
        flushAll();
        timer.drain();
        arp.gone(this);
    }

    /** The interface's own address may have changed: headers are made anew. Whether it had. */
    private boolean lladdrChanged() {
        lock.lock();
        try {
            byte[] now = ifp.lladdr();
            long addr = EtherHeader.addr(now);
            boolean changed = addr != lladdr;
            lladdr = addr;
            octets = now;
            if (changed) {
                relinkLocked(addr);
            }
            return changed;
        } finally {
            lock.unlock();
        }
    }

    /** The interface's state may have changed; whether neighbours should hear of its addresses again. */
    boolean stateChanged() {
        boolean moved = lladdrChanged();
        lock.lock();
        try {
            boolean was = up;
            up = (ifp.flags() & Ifnet.IFF_UP) != 0;
            return up && (moved || !was);
        } finally {
            lock.unlock();
        }
    }

    /** All entries, the longest unused first: a snapshot. */
    List<ArpEntry> entries() {
        return snapshot(e -> {
            LlHeader h = e.hdr;
            return new ArpEntry(ifp.xname(), e.addr(), h == null ? 0 : h.lladdr, e.state, e.expireNs,
                e.published);
        });
    }

    // The timer.

    /** Asks again, gives up, refreshes and forgets. @bsd arptimer */
    private void timeout() {
        Packets dead = new Packets();
        Packets requests = new Packets();
        lock.lock();
        try {
            long now = arp.now();
            long next = Long.MAX_VALUE;
            armedNs = 0;
            ArpLle newer;
            for (ArpLle e = oldest(); e != null; e = newer) {
                newer = e.newer();
                if (e.state != ArpState.STATIC && now - e.deadlineNs >= 0) {
                    if (e.state == ArpState.INCOMPLETE && e.asked >= arp.maxtries()) {
                        dead.append(giveUp(e, now));
                    } else if (step(e, now)) {
                        requests.append(arp.newRequest(ifp, e.addr(), unicastTo(e)));
                    }
                }
                if (e.state != ArpState.STATIC && e.state != null) {
                    next = Math.min(next, e.deadlineNs);
                }
            }
            if (next != Long.MAX_VALUE) {
                arm(next, now);
            }
        } finally {
            lock.unlock();
        }
        arp.sendAll(ifp, requests.first);
        arp.undeliverableAll(dead.first, DropReason.ARP_TIMEOUT);
        arp.vnet().netisr().swi();
    }

    private static long unicastTo(ArpLle e) {
        return e.hdr == null ? EtherHeader.BROADCAST : e.hdr.lladdr;
    }

    @GuardedBy("lock")
    private Mbuf giveUp(ArpLle e, long now) {
        e.state = ArpState.FAILED;
        e.deadlineNs = now + arp.waitNs();
        e.expireNs = e.deadlineNs;
        arp.stat().timeouts.increment();
        arp.stat().dropped.add(e.held());
        return e.unholdAll();
    }

    /** Moves a due entry on; whether to ask for it now. The entry may be gone afterwards, its state null. */
    @GuardedBy("lock")
    private boolean step(ArpLle e, long now) {
        boolean over = e.state == ArpState.FAILED || e.state != ArpState.INCOMPLETE && now - e.expireNs >= 0;
        if (over) {
            if (e.state != ArpState.FAILED) {
                arp.stat().timeouts.increment();
            }
            remove(e);
            e.state = null;
            return false;
        }
        if (e.state == ArpState.REACHABLE && !e.used) {
            e.deadlineNs = e.expireNs; // nobody needs it: let it go
            return false;
        }
        if (e.state == ArpState.REACHABLE) {
            e.state = ArpState.STALE;
            e.asked = 0;
        }
        e.used = false;
        e.asked++;
        e.askedNs = now;
        e.deadlineNs = e.state == ArpState.STALE ? Math.min(now + SEC, e.expireNs) : now + SEC;
        return true;
    }

    /** Packets linked by nextPkt, of which there may be thousands. */
    private static final class Packets {
        private Mbuf first; // (l)
        private Mbuf last;  // (l)

        void append(Mbuf more) {
            if (more == null) {
                return;
            }
            if (first == null) {
                first = more;
            } else {
                last.nextPkt(more);
            }
            last = more;
            while (last.nextPkt() != null) {
                last = last.nextPkt();
            }
        }
    }

    @GuardedBy("lock")
    private void arm(long deadline, long now) {
        if (!detached && (armedNs == 0 || deadline - armedNs < 0)) {
            armedNs = deadline;
            timer.reset(Math.max(0, deadline - now));
        }
    }
}
