package io.gatun.netinet.ip;

import com.google.errorprone.annotations.concurrent.GuardedBy;
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
import java.util.function.LongSupplier;

/**
 * The datagrams of one family whose fragments have not all come, found by a hash with a secret. A fragment that is
 * there already is dropped; one that overlaps others drops the whole datagram (RFC 5722, which IPv4 follows here too).
 * All memory is bounded: datagrams, fragments of one, fragments of all, datagrams of one bucket. One callout gives up
 * what is not whole in time. How a packet is taken apart and made whole is the family's.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}.
 */
public final class ReassTable {
    private static final int NHASH = 256;
    private static final int MAX_FRAGS_PER_PACKET = 128;
    private static final int MAX_IN_BUCKET = 16;
    private static final int SHARE = 8;
    private static final int LEAST = 64;

    /** What differs by family. Called with the table's lock held, but for {@link #late}. */
    public interface Family {
        /** Counts a fragment and drops it. Consumes m. */
        void refuse(Mbuf m, DropReason reason);

        /** Counts a datagram that is given up before it was whole. */
        void timedOut();

        /** Drops a fragment that waited too long, and tells its sender if it is the first. Consumes m. */
        void late(Mbuf m);
    }

    private final Mtx lock = new Mtx(LockClass.NET_LEAF, "ipq");
    private final VnetSide vnet;          // (c)
    private final Family family;          // (c)
    private final LongSupplier lifetimeNs; // (c)
    private final long key;               // (c)
    private final Callout timer;          // (c)
    private final Sysctl maxPackets;
    private final Sysctl maxFrags;
    private final Sysctl maxPerPacket;
    private final Sysctl maxBucket;
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

    /**
     * @param prefix of the sysctl nodes, such as {@code net.inet.ip}
     * @param lifetimeNs how long a datagram may take to be whole
     */
    public ReassTable(
        final VnetSide vnet, final String prefix, final LongSupplier lifetimeNs, final Family family) {
        this.vnet = vnet;
        this.family = family;
        this.lifetimeNs = lifetimeNs;
        key = IpId.key(vnet.secret());
        timer = vnet.callout(prefix + ".reass", null, this::timeout);
        final MbufStats limits = vnet.pool().snapshot();
        final int most = Math.max(LEAST, limits.clusters().limit() / SHARE);
        final SysctlTree tree = vnet.sysctl();
        maxPackets = tree.addInt(prefix + ".maxfragpackets", most / 4, 0, Integer.MAX_VALUE,
            "datagrams in reassembly at most; 0 accepts no fragment");
        maxFrags = tree.addInt(prefix + ".maxfrags", most, 0, Integer.MAX_VALUE, "fragments held at most");
        maxPerPacket = tree.addInt(prefix + ".maxfragsperpacket", MAX_FRAGS_PER_PACKET, 0, Integer.MAX_VALUE,
            "fragments of one datagram at most");
        maxBucket = tree.addInt(prefix + ".maxfragbucketsize", MAX_IN_BUCKET, 1, Integer.MAX_VALUE,
            "datagrams in one hash bucket at most");
        vnet.onLowmem(this::drain);
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
     * Takes a fragment, whose {@link Frag} is filled in. Consumes m. An IPv4 address has 0 as its high word.
     *
     * @return all fragments of the datagram in order, linked by nextPkt, when this made it whole, the first with the
     *     congestion mark of all; else null
     */
    public Mbuf input(
        final Mbuf m, final long srcHi, final long srcLo, final long dstHi, final long dstLo, final long id) {
        final int b = hash(srcHi, srcLo, dstHi, dstLo, id);
        lock.lock();
        try {
            if (destroyed) {
                family.refuse(m, DropReason.IP_REASS_LIMIT);
                return null;
            }
            Ipq q = buckets[b];
            while (q != null && !q.is(srcHi, srcLo, dstHi, dstLo, id)) {
                q = q.next;
            }
            if (q == null) {
                q = open(b, Frag.ecn(m));
                if (q == null) {
                    family.refuse(m, DropReason.IP_REASS_LIMIT);
                    return null;
                }
                q.srcHi = srcHi;
                q.srcLo = srcLo;
                q.dstHi = dstHi;
                q.dstLo = dstLo;
                q.id = id;
            }
            return add(q, m);
        } finally {
            lock.unlock();
        }
    }

    private int hash(final long a, final long b, final long c, final long d, final long e) {
        final long h = IpId.mix(IpId.mix(IpId.mix(key ^ a ^ Long.rotateLeft(c, 1)) ^ b) ^ d ^ Long.rotateLeft(e, 1));
        return (int) (h >>> Integer.SIZE) & NHASH - 1;
    }

    /** A queue for a new datagram; when there are too many the oldest of the bucket, or of all, goes. */
    @GuardedBy("lock")
    private Ipq open(final int b, final int ecn) {
        final int mostPackets = maxPackets.getInt(); // read once: it may become 0 meanwhile
        final int mostFrags = maxFrags.getInt();
        if (mostPackets == 0 || maxPerPacket.getInt() == 0 || mostFrags == 0) {
            return null;
        }
        int inBucket = 0;
        Ipq last = null;
        for (Ipq q = buckets[b]; q != null; q = q.next) {
            inBucket++;
            last = q;
        }
        if (inBucket >= maxBucket.getInt()) {
            family.timedOut();
            discard(last, DropReason.IP_REASS_LIMIT);
        }
        while (packets >= mostPackets || frags >= mostFrags) {
            family.timedOut();
            discard(oldest, DropReason.IP_REASS_LIMIT);
        }
        final Ipq q = free == null ? new Ipq() : free;
        free = q.next;
        q.bucket = b;
        q.next = buckets[b];
        buckets[b] = q;
        packets++;
        q.ecn = ecn;
        q.octets = 0;
        q.total = -1;
        q.nfrags = 0;
        q.deadlineNs = vnet.clock().nanoTime() + lifetimeNs.getAsLong();
        q.older = newest;
        q.newer = null;
        if (newest == null) {
            oldest = q;
            timer.reset(lifetimeNs.getAsLong());
        } else {
            newest.newer = q;
        }
        newest = q;
        return q;
    }

    /** Puts a fragment in its place. Consumes m; answers all fragments when the datagram is whole. */
    @GuardedBy("lock")
    private Mbuf add(final Ipq q, final Mbuf m) {
        final DropReason bad = place(q, m);
        if (bad != null) {
            family.refuse(m, bad);
            return null;
        }
        frags++;
        if (q.whole()) {
            final Mbuf all = q.frags;
            Frag.ecn(all, q.ecn);
            close(q);
            return all;
        }
        if (q.nfrags >= maxPerPacket.getInt()) {
            discard(q, DropReason.IP_REASS_TOOMANY);
        }
        return null;
    }

    /** Borrows m if it answers a reason to drop m, else m is in the queue. */
    @GuardedBy("lock")
    private DropReason place(final Ipq q, final Mbuf m) {
        final int off = Frag.off(m);
        final int end = off + Frag.len(m);
        final boolean more = Frag.more(m);
        Mbuf before = null;
        Mbuf after = q.frags;
        while (after != null && Frag.off(after) < off) {
            before = after;
            after = after.nextPkt();
        }
        final boolean same = after != null && Frag.off(after) == off && Frag.len(after) == Frag.len(m);
        if (same && (more ? end != q.total : end == q.total)) {
            return DropReason.IP_REASS_DUP;
        }
        final boolean overlaps = before != null && Frag.off(before) + Frag.len(before) > off
            || after != null && Frag.off(after) < end;
        final boolean contradicts = more ? q.total >= 0 && end >= q.total
            : q.total >= 0 && q.total != end || q.beyond(end);
        if (overlaps || contradicts) {
            discard(q, DropReason.IP_REASS_OVERLAP);
            return DropReason.IP_REASS_OVERLAP;
        }
        if (frags >= maxFrags.getInt()) {
            return DropReason.IP_REASS_LIMIT;
        }
        if (!q.mergeEcn(Frag.ecn(m))) {
            return DropReason.IP_REASS_BADFRAG;
        }
        q.total = more ? q.total : end;
        q.insert(before, m);
        return null;
    }

    @GuardedBy("lock")
    private void discard(final Ipq q, final DropReason reason) {
        final Mbuf all = q.frags;
        close(q);
        refuseAll(all, reason);
    }

    /** Drops fragments linked by nextPkt. Consumes all. */
    void refuseAll(final Mbuf first, final DropReason reason) {
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            family.refuse(m, reason);
            m = next;
        }
    }

    /** Takes a queue out of all lists, its fragments being somebody else's now. */
    @GuardedBy("lock")
    private void close(final Ipq q) {
        if (buckets[q.bucket] == q) {
            buckets[q.bucket] = q.next;
        } else {
            Ipq at = buckets[q.bucket];
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

    /**
     * Makes one packet of the fragments that {@link #input} answered: the headers of the first, the data of all.
     * Consumes all.
     *
     * @return the packet, whose headers are still the first fragment's; null, all counted, when out of mbufs
     */
    public Mbuf join(final Mbuf first) {
        Mbuf rest = first.nextPkt();
        first.nextPkt(null);
        final int hdr = Frag.hdr(first);
        final Mbuf head = IpHeader.writable(first, hdr);
        if (head == null) {
            family.refuse(null, DropReason.MBUF_NOMEM);
            refuseAll(rest, DropReason.MBUF_NOMEM);
            return null;
        }
        int csum = head.csumFlags();
        int octets = head.pktLen();
        Mbuf tail = head.last();
        while (rest != null) {
            final Mbuf next = rest.nextPkt();
            rest.nextPkt(null);
            csum &= rest.csumFlags();
            octets += Frag.len(rest);
            rest.adjHead(Frag.hdr(rest));
            rest.demote(true, 0);
            tail.next(rest);
            tail = rest.last();
            rest = next;
        }
        head.csumFlags(csum & Csum.CSUM_FLAGS_RX);
        head.pktLen(octets);
        return head;
    }

    /** Drops what has taken too long. @bsd ipreass_slowtimo, frag6_slowtimo */
    private void timeout() {
        Mbuf late = null;
        Mbuf last = null;
        lock.lock();
        try {
            final long now = vnet.clock().nanoTime();
            while (oldest != null && now - oldest.deadlineNs >= 0) {
                final Mbuf all = oldest.frags;
                family.timedOut();
                close(oldest);
                if (late == null) {
                    late = all;
                } else {
                    last.nextPkt(all);
                }
                last = lastOf(all == null ? last : all);
            }
            if (oldest != null) {
                timer.reset(oldest.deadlineNs - now);
            }
        } finally {
            lock.unlock();
        }
        while (late != null) {
            final Mbuf next = late.nextPkt();
            late.nextPkt(null);
            family.late(late);
            late = next;
        }
        vnet.netisr().swi();
    }

    private static Mbuf lastOf(final Mbuf list) {
        Mbuf m = list;
        while (m != null && m.nextPkt() != null) {
            m = m.nextPkt();
        }
        return m;
    }

    /** Gives up every datagram that is not whole, mbufs having run out. @bsd ipreass_drain, frag6_drain */
    private void drain() {
        lock.lock();
        try {
            discardAll(DropReason.MBUF_LOWMEM);
        } finally {
            lock.unlock();
        }
    }

    /** Drops all and takes nothing more. @bsd ipreass_vnet_destroy, frag6_destroy */
    public void destroy() {
        lock.lock();
        try {
            destroyed = true;
            discardAll(DropReason.IP_REASS_LIMIT);
        } finally {
            lock.unlock();
        }
        timer.drain();
    }

    @GuardedBy("lock")
    private void discardAll(final DropReason reason) {
        while (oldest != null) {
            discard(oldest, reason);
        }
    }
}
