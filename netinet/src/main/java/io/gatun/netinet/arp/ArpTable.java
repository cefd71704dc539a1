package io.gatun.netinet.arp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip.IpId;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The neighbours on one Ethernet. A sender finds a resolved one without a lock; everything else is done under the
 * table's lock, by which packets that waited go out before any that come later. The number of entries is bounded
 * ({@code net.link.ether.inet.maxentries}): the longest unused one makes room. One callout serves the whole table.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}; (w) written under it, read without it.
 *
 * @bsd struct lltable
 */
public final class ArpTable {
    private static final long SEC = 1_000_000_000L;
    private static final int MIN_BUCKETS = 32;
    private static final int MAX_BUCKETS = 1 << 14;

    private final Mtx lock = new Mtx(LockClass.NET_LEAF, "lltable");
    private final Arp arp;        // (c)
    private final Ifnet ifp;      // (c)
    private final Callout timer;  // (c)
    private final long key;       // (c) so that nobody can choose addresses of one bucket
    private volatile AtomicReferenceArray<LlEntry> table = new AtomicReferenceArray<>(MIN_BUCKETS); // (w)
    private volatile long lladdr; // (w) the interface's own address
    private volatile byte[] octets; // (w) what lladdr was made of
    @GuardedBy("lock")
    private LlEntry oldest;       // (l)
    @GuardedBy("lock")
    private LlEntry newest;       // (l)
    @GuardedBy("lock")
    private int count;            // (l)
    @GuardedBy("lock")
    private boolean detached;     // (l)
    @GuardedBy("lock")
    private boolean up;           // (l) the interface when its state was last told
    @GuardedBy("lock")
    private long armedNs;         // (l) deadline of the timer, 0 while it is not armed

    ArpTable(Arp arp, Ifnet ifp) {
        this.arp = arp;
        this.ifp = ifp;
        octets = ifp.lladdr();
        lladdr = EtherHeader.addr(octets);
        up = (ifp.flags() & Ifnet.IFF_UP) != 0;
        key = IpId.key(arp.vnet().secret());
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
        AtomicReferenceArray<LlEntry> t = table;
        LlEntry e = t.getAcquire(bucket(addr, t.length()));
        while (e != null && e.addr != addr) {
            e = e.next;
        }
        if (e == null) {
            return null;
        }
        LlHeader h = e.hdr;
        if (h != null && !e.used) {
            e.used = true;
        }
        return h;
    }

    private int bucket(int addr, int buckets) {
        return (int) (IpId.mix(key ^ addr) >>> Integer.SIZE) & buckets - 1;
    }

    /** Entries in the fullest bucket. */
    int depth() {
        int most = 0;
        for (int b = 0; b < table.length(); b++) {
            int n = 0;
            for (LlEntry e = table.get(b); e != null; e = e.next) {
                n++;
            }
            most = Math.max(most, n);
        }
        return most;
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
            LlEntry entry = detached ? null : findOrAdd(addr);
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
    private void asked(LlEntry e, long now) {
        e.asked++;
        e.askedNs = now;
        if (e.state == ArpState.INCOMPLETE) {
            e.deadlineNs = now + SEC;
            arm(e.deadlineNs, now);
        }
    }

    @GuardedBy("lock")
    private Errno hold(LlEntry e, Mbuf m) {
        if (e.held >= arp.maxhold()) {
            Mbuf first = e.unhold();
            if (first == null) {
                return Errno.ENOBUFS;
            }
            arp.stat().dropped.increment();
            arp.vnet().drop(first, DropReason.ARP_QFULL);
        }
        e.hold(m);
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
            LlEntry e = find(addr);
            if (e == null && create && !detached) {
                e = findOrAdd(addr);
            }
            if (e == null || e.state == ArpState.STATIC) {
                return;
            }
            long now = arp.now();
            e.state = ArpState.REACHABLE;
            e.asked = 0;
            e.used = e.holdHead != null;
            e.expireNs = now + arp.maxAgeNs();
            e.deadlineNs = e.expireNs - arp.preemptNs();
            toNewest(e);
            arm(e.deadlineNs, now);
            publish(e, mac);
        } finally {
            lock.unlock();
        }
    }

    /** Sends what waits, then lets senders see the header: so the order of packets is kept. */
    @GuardedBy("lock")
    private void publish(LlEntry e, long mac) {
        LlHeader h = e.hdr;
        if (h == null || h.lladdr != mac) {
            h = new LlHeader(mac, lladdr);
        }
        for (Mbuf m = e.unhold(); m != null; m = e.unhold()) {
            arp.send(ifp, m, h);
        }
        e.hdr = h;
    }

    // Hands.

    /** Sets an entry that is never forgotten; replaces what was there. ENOBUFS when the table is full of such. */
    Errno setStatic(int addr, long mac) {
        lock.lock();
        try {
            LlEntry e = detached ? null : findOrAdd(addr);
            if (e == null) {
                return Errno.ENOBUFS;
            }
            e.state = ArpState.STATIC;
            publish(e, mac);
        } finally {
            lock.unlock();
        }
        return Errno.OK;
    }

    /** Forgets a neighbour. ENOENT when it is not there. */
    Errno delete(int addr) {
        Mbuf dead;
        lock.lock();
        try {
            LlEntry e = find(addr);
            if (e == null) {
                return Errno.ENOENT;
            }
            dead = remove(e);
        } finally {
            lock.unlock();
        }
        arp.undeliverableAll(dead, DropReason.ARP_TIMEOUT);
        return Errno.OK;
    }

    /** Forgets all but static entries. */
    void flush() {
        lock.lock();
        try {
            flushLocked(false);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void flushLocked(boolean all) {
        LlEntry newer;
        for (LlEntry e = oldest; e != null; e = newer) {
            newer = e.newer;
            if (all || e.state != ArpState.STATIC) {
                dropAll(remove(e), DropReason.ARP_TIMEOUT);
            }
        }
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
        lock.lock();
        try {
            detached = true;
            flushLocked(true);
        } finally {
            lock.unlock();
        }
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
            for (LlEntry e = changed ? oldest : null; e != null; e = e.newer) {
                e.hdr = e.hdr == null ? null : new LlHeader(e.hdr.lladdr, addr);
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
        List<ArpEntry> out = new ArrayList<>();
        lock.lock();
        try {
            for (LlEntry e = oldest; e != null; e = e.newer) {
                long mac = e.hdr == null ? 0 : e.hdr.lladdr;
                out.add(new ArpEntry(ifp.xname(), e.addr, mac, e.state, e.expireNs));
            }
        } finally {
            lock.unlock();
        }
        return out;
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
            LlEntry newer;
            for (LlEntry e = oldest; e != null; e = newer) {
                newer = e.newer;
                if (e.state != ArpState.STATIC && now - e.deadlineNs >= 0) {
                    if (e.state == ArpState.INCOMPLETE && e.asked >= arp.maxtries()) {
                        dead.append(giveUp(e, now));
                    } else if (step(e, now)) {
                        requests.append(arp.newRequest(ifp, e.addr, unicastTo(e)));
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

    private static long unicastTo(LlEntry e) {
        return e.hdr == null ? EtherHeader.BROADCAST : e.hdr.lladdr;
    }

    @GuardedBy("lock")
    private Mbuf giveUp(LlEntry e, long now) {
        e.state = ArpState.FAILED;
        e.deadlineNs = now + arp.waitNs();
        e.expireNs = e.deadlineNs;
        arp.stat().timeouts.increment();
        arp.stat().dropped.add(e.held);
        Mbuf all = e.holdHead;
        e.holdHead = null;
        e.holdTail = null;
        e.held = 0;
        return all;
    }

    /** Moves a due entry on; whether to ask for it now. The entry may be gone afterwards, its state null. */
    @GuardedBy("lock")
    private boolean step(LlEntry e, long now) {
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

    // The hash and the list by age.

    @GuardedBy("lock")
    private LlEntry find(int addr) {
        LlEntry e = table.get(bucket(addr, table.length()));
        while (e != null && e.addr != addr) {
            e = e.next;
        }
        return e;
    }

    /** The entry, made when it is not there; null when there is no room. */
    @GuardedBy("lock")
    private LlEntry findOrAdd(int addr) {
        LlEntry e = find(addr);
        if (e != null) {
            return e;
        }
        if (count >= arp.maxEntries() && !evict()) {
            return null;
        }
        if (count >= table.length() && table.length() < MAX_BUCKETS) {
            grow();
        }
        e = new LlEntry(addr);
        e.state = ArpState.INCOMPLETE;
        e.deadlineNs = arp.now() + SEC;
        link(table, e);
        addNewest(e);
        count++;
        return e;
    }

    /** Forgets the longest unused entry; used ones get a second chance. False when all are static. */
    @GuardedBy("lock")
    private boolean evict() {
        LlEntry e = oldest;
        for (int i = 2 * count; i > 0 && e != null; i--) {
            LlEntry newer = e.newer;
            if (e.state != ArpState.STATIC && !e.used) {
                dropAll(remove(e), DropReason.ARP_QFULL);
                return true;
            }
            e.used = false;
            toNewest(e);
            e = newer == null ? oldest : newer;
        }
        return false;
    }

    /** Readers of the old table may miss an entry that moves; they then ask under the lock. */
    @GuardedBy("lock")
    private void grow() {
        AtomicReferenceArray<LlEntry> bigger = new AtomicReferenceArray<>(table.length() * 4);
        for (LlEntry e = oldest; e != null; e = e.newer) {
            link(bigger, e);
        }
        table = bigger;
    }

    private void link(AtomicReferenceArray<LlEntry> t, LlEntry e) {
        int b = bucket(e.addr, t.length());
        e.next = t.get(b);
        t.setRelease(b, e);
    }

    /** Takes an entry out; answers the packets that waited, linked by nextPkt. */
    @GuardedBy("lock")
    private Mbuf remove(LlEntry e) {
        int b = bucket(e.addr, table.length());
        LlEntry at = table.get(b);
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
        Mbuf all = e.holdHead;
        e.holdHead = null;
        e.holdTail = null;
        e.held = 0;
        return all;
    }

    @GuardedBy("lock")
    private void toNewest(LlEntry e) {
        if (e != newest) {
            unlist(e);
            addNewest(e);
        }
    }

    @GuardedBy("lock")
    private void addNewest(LlEntry e) {
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
    private void unlist(LlEntry e) {
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
