package io.gatun.netinet.ip;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.Inet;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufStats;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;

/**
 * Reassembly of IPv4 datagrams (RFC 791 section 3.2, RFC 1122 section 3.3.2). Fragments are kept sorted by datagram,
 * found by a hash with a secret. A fragment that is there already is dropped; one that overlaps others drops the whole
 * datagram, as RFC 5722 asks of IPv6. All memory is bounded: datagrams, fragments of one, fragments of all, datagrams
 * of
 * one bucket. One callout drops what is not whole in time and tells the sender, if the first fragment has come.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}. Packets are answered and dropped after it is released.
 *
 * @bsd ip_reass
 */
public final class IpReass {
    private static final int NHASH = 256;
    private static final long SEC = 1_000_000_000L;
    private static final int FRAGTTL_SEC = 30;
    private static final int UNIT = 8;
    private static final int MAX_FRAGS_PER_PACKET = 128;
    private static final int SHARE = 8;
    private static final int LEAST = 64;

    private final Mtx lock = new Mtx(LockClass.NET_LEAF, "ipq");
    private final Inet inet;       // (c)
    private final VnetSide vnet;   // (c)
    private final IpStat stat;     // (c)
    private final long key;        // (c)
    private final Callout timer;   // (c)
    private final Sysctl maxPackets;
    private final Sysctl maxFrags;
    private final Sysctl maxPerPacket;
    private final Sysctl maxBucket;
    private final Sysctl fragTtl;
    private final Ipq[] buckets = new Ipq[NHASH]; // (l)
    @GuardedBy("lock")
    private Ipq free;              // (l) by next
    @GuardedBy("lock")
    private Ipq oldest;            // (l)
    @GuardedBy("lock")
    private Ipq newest;            // (l)
    @GuardedBy("lock")
    private int packets;           // (l)
    @GuardedBy("lock")
    private int frags;             // (l)
    @GuardedBy("lock")
    private boolean destroyed;     // (l)

    public IpReass(Inet inet) {
        this.inet = inet;
        vnet = inet.vnet;
        stat = inet.ipstat;
        key = IpId.key(vnet.secret());
        timer = vnet.callout("ipreass", null, this::timeout);
        MbufStats limits = vnet.pool().snapshot();
        int most = Math.max(LEAST, limits.clusters().limit() / SHARE);
        SysctlTree tree = vnet.sysctl();
        maxPackets = tree.addInt("net.inet.ip.maxfragpackets", most / 4, 0, Integer.MAX_VALUE,
            "datagrams in reassembly at most; 0 accepts no fragment");
        maxFrags = tree.addInt("net.inet.ip.maxfrags", most, 0, Integer.MAX_VALUE, "fragments held at most");
        maxPerPacket = tree.addInt("net.inet.ip.maxfragsperpacket", MAX_FRAGS_PER_PACKET, 0, Integer.MAX_VALUE,
            "fragments of one datagram at most");
        maxBucket = tree.addInt("net.inet.ip.maxfragbucketsize", 16, 1, Integer.MAX_VALUE,
            "datagrams in one hash bucket at most");
        fragTtl = tree.addInt("net.inet.ip.fragttl", FRAGTTL_SEC, 1, 255, "seconds a datagram may take to be whole");
        tree.addReading("net.inet.ip.fragpackets", this::packets, "datagrams in reassembly now");
        tree.addReading("net.inet.ip.curfrags", this::frags, "fragments held now");
    }

    /** Datagrams in reassembly now. */
    public int packets() {
        lock.lock();
        try {
            return packets;
        } finally {
            lock.unlock();
        }
    }

    /** Fragments held now. */
    public int frags() {
        lock.lock();
        try {
            return frags;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes a fragment for this host. Consumes m, whose header is checked and contiguous.
     *
     * @return the whole datagram when this made it whole, else null
     * @bsd ip_reass
     */
    Mbuf input(Mbuf m) {
        stat.fragments.increment();
        int hlen = IpHeader.hlen(m, 0);
        int word = IpHeader.off(m, 0);
        int off = (word & IpHeader.IP_OFFMASK) * UNIT;
        int len = IpHeader.len(m, 0) - hlen;
        boolean more = (word & IpHeader.IP_MF) != 0;
        if (len == 0 || more && len % UNIT != 0) {
            stat.toosmall.increment();
            return refuse(m, DropReason.IP_REASS_BADFRAG);
        }
        if (hlen + off + len > IpHeader.IP_MAXPACKET) {
            stat.toolong.increment();
            return refuse(m, DropReason.IP_REASS_TOOLONG);
        }
        m.phPer64(Ipq.place(off, len));
        lock.lock();
        try {
            return destroyed ? refuse(m, DropReason.IP_REASS_LIMIT) : inputLocked(m, more);
        } finally {
            lock.unlock();
        }
    }

    private Mbuf refuse(Mbuf m, DropReason reason) {
        stat.fragdropped.increment();
        vnet.drop(m, reason);
        return null;
    }

    @GuardedBy("lock")
    private Mbuf inputLocked(Mbuf m, boolean more) {
        int src = IpHeader.src(m, 0);
        int dst = IpHeader.dst(m, 0);
        int proto = IpHeader.p(m, 0);
        int id = IpHeader.id(m, 0);
        int b = hash(src, dst, proto, id);
        Ipq q = buckets[b];
        while (q != null && !q.is(src, dst, proto, id)) {
            q = q.next;
        }
        if (q == null) {
            q = open(b);
            if (q == null) {
                return refuse(m, DropReason.IP_REASS_LIMIT);
            }
            q.open(src, dst, proto, id);
            q.ecn = IpHeader.tos(m, 0) & IpHeader.IPTOS_ECN_MASK;
        }
        DropReason bad = add(q, m, more);
        if (bad != null) {
            return refuse(m, bad);
        }
        if (q.whole()) {
            return join(b, q);
        }
        if (q.nfrags >= maxPerPacket.getInt()) {
            discard(b, q, DropReason.IP_REASS_TOOMANY);
        }
        return null;
    }

    private int hash(int src, int dst, int proto, int id) {
        long a = (long) src << Integer.SIZE | dst & 0xffff_ffffL;
        return (int) (IpId.mix(IpId.mix(key ^ a) ^ (long) proto << Short.SIZE ^ id) >>> Integer.SIZE) & NHASH - 1;
    }

    /** A queue for a new datagram; when there are too many the oldest of the bucket, or of all, goes. */
    @GuardedBy("lock")
    private Ipq open(int b) {
        if (maxPackets.getInt() == 0 || maxPerPacket.getInt() == 0 || maxFrags.getInt() == 0) {
            return null;
        }
        int inBucket = 0;
        Ipq last = null;
        for (Ipq q = buckets[b]; q != null; q = q.next) {
            inBucket++;
            last = q;
        }
        if (inBucket >= maxBucket.getInt()) {
            stat.fragtimeout.increment();
            discard(b, last, DropReason.IP_REASS_LIMIT);
        }
        while (packets >= maxPackets.getInt() || frags >= maxFrags.getInt()) {
            stat.fragtimeout.increment();
            discard(bucketOf(oldest), oldest, DropReason.IP_REASS_LIMIT);
        }
        Ipq q = free == null ? new Ipq() : free;
        free = q.next;
        q.next = buckets[b];
        buckets[b] = q;
        packets++;
        q.deadlineNs = vnet.clock().nanoTime() + fragTtl.get() * SEC;
        q.older = newest;
        q.newer = null;
        if (newest == null) {
            oldest = q;
            timer.reset(fragTtl.get() * SEC);
        } else {
            newest.newer = q;
        }
        newest = q;
        return q;
    }

    @GuardedBy("lock")
    private int bucketOf(Ipq q) {
        return hash(q.src, q.dst, q.proto, q.id);
    }

    /** Puts a fragment in its place. Consumes m if null is returned; else it is the reason to drop m alone. */
    @GuardedBy("lock")
    private DropReason add(Ipq q, Mbuf m, boolean more) {
        int off = Ipq.off(m);
        int end = off + Ipq.len(m);
        Mbuf before = null;
        Mbuf after = q.frags;
        while (after != null && Ipq.off(after) < off) {
            before = after;
            after = after.nextPkt();
        }
        boolean same = after != null && Ipq.off(after) == off && Ipq.len(after) == Ipq.len(m);
        if (same && (more ? end != q.total : end == q.total)) {
            return DropReason.IP_REASS_DUP;
        }
        boolean overlaps = before != null && Ipq.off(before) + Ipq.len(before) > off
            || after != null && Ipq.off(after) < end;
        boolean contradicts = more ? q.total >= 0 && end >= q.total
            : q.total >= 0 && q.total != end || beyond(q, end);
        if (overlaps || contradicts) {
            discard(bucketOf(q), q, DropReason.IP_REASS_OVERLAP);
            return DropReason.IP_REASS_OVERLAP;
        }
        if (frags >= maxFrags.getInt()) {
            return DropReason.IP_REASS_LIMIT;
        }
        if (!mergeEcn(q, IpHeader.tos(m, 0) & IpHeader.IPTOS_ECN_MASK)) {
            return DropReason.IP_REASS_BADFRAG;
        }
        q.total = more ? q.total : end;
        insert(q, before, m);
        return null;
    }

    /** Whether a fragment reaches beyond an end. */
    private static boolean beyond(Ipq q, int end) {
        for (Mbuf f = q.frags; f != null; f = f.nextPkt()) {
            if (Ipq.off(f) + Ipq.len(f) > end) {
                return true;
            }
        }
        return false;
    }

    /** RFC 3168 section 5.3: congestion marked on any counts for all, unless some could not have been marked. */
    private static boolean mergeEcn(Ipq q, int ecn) {
        if (ecn == IpHeader.IPTOS_ECN_CE && q.ecn == IpHeader.IPTOS_ECN_NOTECT
                || ecn == IpHeader.IPTOS_ECN_NOTECT && q.ecn != IpHeader.IPTOS_ECN_NOTECT) {
            return false;
        }
        if (ecn == IpHeader.IPTOS_ECN_CE) {
            q.ecn = ecn;
        }
        return true;
    }

    @GuardedBy("lock")
    private void insert(Ipq q, Mbuf before, Mbuf m) {
        q.nfrags++;
        q.octets += Ipq.len(m);
        frags++;
        if (before == null) {
            m.nextPkt(q.frags);
            q.frags = m;
        } else {
            m.nextPkt(before.nextPkt());
            before.nextPkt(m);
        }
    }

    /** Makes one packet of all fragments and gives the queue back. */
    @GuardedBy("lock")
    private Mbuf join(int b, Ipq q) {
        Mbuf first = q.frags;
        int ecn = q.ecn;
        int total = q.total;
        close(b, q);
        int hlen = IpHeader.hlen(first, 0);
        if (hlen + total > IpHeader.IP_MAXPACKET) {
            stat.toolong.increment();
            return refuseAll(first, DropReason.IP_REASS_TOOLONG);
        }
        Mbuf rest = first.nextPkt();
        first.nextPkt(null);
        Mbuf head = IpHeader.writable(first, hlen);
        if (head == null) {
            return refuseAll(rest, DropReason.MBUF_NOMEM);
        }
        int csum = head.csumFlags();
        Mbuf tail = head.last();
        while (rest != null) {
            Mbuf next = rest.nextPkt();
            rest.nextPkt(null);
            csum &= rest.csumFlags();
            rest.adjHead(IpHeader.hlen(rest, 0));
            rest.demote(true, 0);
            tail.next(rest);
            tail = rest.last();
            rest = next;
        }
        head.csumFlags(csum & Csum.CSUM_FLAGS_RX);
        head.phPer64(0);
        head.pktLen(hlen + total);
        IpHeader.len(head, 0, hlen + total);
        IpHeader.off(head, 0, 0);
        IpHeader.tos(head, 0, IpHeader.tos(head, 0) & ~IpHeader.IPTOS_ECN_MASK | ecn);
        IpHeader.sum(head, 0, 0);
        IpHeader.sum(head, 0, InCksum.hdr(head, hlen));
        stat.reassembled.increment();
        return head;
    }

    private Mbuf refuseAll(Mbuf first, DropReason reason) {
        Mbuf m = first;
        while (m != null) {
            Mbuf next = m.nextPkt();
            m.nextPkt(null);
            refuse(m, reason);
            m = next;
        }
        return null;
    }

    @GuardedBy("lock")
    private void discard(int b, Ipq q, DropReason reason) {
        Mbuf all = q.frags;
        close(b, q);
        refuseAll(all, reason);
    }

    /** Takes a queue out of all lists, its fragments being somebody else's now. */
    @GuardedBy("lock")
    private void close(int b, Ipq q) {
        if (buckets[b] == q) {
            buckets[b] = q.next;
        } else {
            Ipq at = buckets[b];
            while (at.next != q) {
                at = at.next;
            }
            at.next = q.next;
        }
        if (q.older == null) {
            oldest = q.newer;
        } else {
            q.older.newer = q.newer;
        }
        if (q.newer == null) {
            newest = q.older;
        } else {
            q.newer.older = q.older;
        }
        packets--;
        frags -= q.nfrags;
        q.frags = null;
        q.older = null;
        q.newer = null;
        q.next = free;
        free = q;
        if (oldest == null) {
            timer.stop();
        }
    }

    /** Drops what has taken too long. @bsd ipreass_slowtimo */
    private void timeout() {
        Mbuf late = null;
        lock.lock();
        try {
            long now = vnet.clock().nanoTime();
            while (oldest != null && now - oldest.deadlineNs >= 0) {
                Ipq q = oldest;
                stat.fragtimeout.increment();
                late = append(late, q.frags);
                close(bucketOf(q), q);
            }
            if (oldest != null) {
                timer.reset(oldest.deadlineNs - now);
            }
        } finally {
            lock.unlock();
        }
        while (late != null) {
            Mbuf next = late.nextPkt();
            late.nextPkt(null);
            boolean first = (IpHeader.off(late, 0) & IpHeader.IP_OFFMASK) == 0;
            stat.fragdropped.increment();
            if (first) {
                inet.icmp.error(late, Icmp.ICMP_TIMXCEED, Icmp.ICMP_TIMXCEED_REASS, 0);
            } else {
                vnet.drop(late, DropReason.IP_REASS_TIMEOUT);
            }
            late = next;
        }
        vnet.netisr().swi();
    }

    private static Mbuf append(Mbuf list, Mbuf more) {
        if (list == null) {
            return more;
        }
        Mbuf last = list;
        while (last.nextPkt() != null) {
            last = last.nextPkt();
        }
        last.nextPkt(more);
        return list;
    }

    /** Drops all and takes nothing more. @bsd ipreass_vnet_destroy */
    public void destroy() {
        lock.lock();
        try {
            destroyed = true;
            while (oldest != null) {
                discard(bucketOf(oldest), oldest, DropReason.IP_REASS_LIMIT);
            }
        } finally {
            lock.unlock();
        }
        timer.drain();
    }
}
