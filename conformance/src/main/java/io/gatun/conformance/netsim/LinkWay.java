package io.gatun.conformance.netsim;

import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * One way of a link: the interface that sends into it, the queue, the wire, and what is under way on it. A packet that
 * comes is dropped if the queue is full; otherwise it leaves when those before it have left and its own bits are sent,
 * and arrives a delay later.
 *
 * <p>No locks: a simulated network has one thread.
 */
public final class LinkWay {
    static final int ETHER_HDR_LEN = 14;

    private static final long NS_PER_S = 1_000_000_000L;
    private static final int RXCSUM_OK =
        Csum.CSUM_IP_CHECKED | Csum.CSUM_IP_VALID | Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;
    private static final int CAPS = Ifnet.IFCAP_HWCSUM | Ifnet.IFCAP_RXCSUM_IPV6 | Ifnet.IFCAP_TXCSUM_IPV6
        | Ifnet.IFCAP_JUMBO_MTU | Ifnet.IFCAP_LINKSTATE;
    private static final int CE = 0x3;
    private static final int CSUM_DATA_GOOD = 0xffff;

    private final Netsim sim;
    private final int source;
    private final SimHost from;
    private final Ifnet ifp;
    private final SplittableRandom random;
    private final Backlog backlog = new Backlog();
    private LinkSpec spec;
    private LinkWay back;
    private long freeNs;
    private long remainder; // of the division by the rate: bits * 10^9 that freeNs lacks
    private Mbuf head;      // in order, by nextPkt; phPer64 is when they arrive
    private Mbuf tail;
    private Mbuf late;      // held back, by when they arrive
    private long number;
    private long delivered;
    private long octets;
    private long overflowed;
    private long lost;
    private long reordered;
    private long duplicated;
    private long marked;
    private int longest;

    LinkWay(final Netsim sim, final SimHost from, final int unit, final char side, final LinkSpec spec) {
        this.sim = sim;
        this.from = from;
        this.spec = spec;
        source = sim.source(this::arrive);
        random = sim.random();
        ifp = Ifnet.allocNamed(from.vnet(), Ifnet.IFT_ETHER, "sim", unit, "sim" + unit + side, this);
        ifp.setFlagBits(Ifnet.IFF_BROADCAST | Ifnet.IFF_SIMPLEX | Ifnet.IFF_MULTICAST, 0);
        ifp.setMtu(spec.mtu);
        ifp.setLladdr(new byte[] {0x02, 's', 'm', (byte) (unit >>> Byte.SIZE), (byte) unit, (byte) side});
        ifp.setCapabilities(CAPS);
        ifp.setTransmitFn((i, m) -> transmit(m));
        ifp.setQflushFn(i -> flush());
        ifp.setIoctlFn((i, r) -> ioctl(r));
        ifp.setInitFn(i -> i.setDrvFlagBits(Ifnet.IFF_DRV_RUNNING, 0));
    }

    void back(final LinkWay other) {
        back = other;
    }

    /** The host that sends into it. */
    public SimHost from() {
        return from;
    }

    /** The host that receives from it. */
    public SimHost to() {
        return back.from;
    }

    /** The sending interface. */
    public Ifnet ifp() {
        return ifp;
    }

    /** Changes what it is like from now on; what is under way stays so. The MTU cannot change. */
    public void spec(final LinkSpec changed) {
        spec = changed;
    }

    /** What it is like. */
    public LinkSpec spec() {
        return spec;
    }

    /** What has happened so far. */
    public LinkStats stats() {
        return new LinkStats(number, delivered, octets, overflowed, lost, reordered, duplicated, marked, longest);
    }

    private Errno transmit(final Mbuf first) {
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            ifp.count(IfCounter.OPACKETS, 1);
            ifp.count(IfCounter.OBYTES, m.pktLen());
            enter(m, sim.nowNs());
            m = next;
        }
        sim.due(source, nextNs());
        return Errno.OK;
    }

    /** A packet comes to the queue. Consumes m. A full queue is the network's, so the sender is not told. */
    private void enter(final Mbuf m, final long nowNs) {
        final int size = m.pktLen() - ETHER_HDR_LEN + spec.overhead;
        final boolean lose = chosen(m);
        backlog.drain(nowNs);
        final boolean full = backlog.packets() >= spec.queuePackets
            || backlog.packets() > 0 && backlog.octets() + size > spec.queueOctets;
        if (m.pktLen() > spec.mtu + ETHER_HDR_LEN || full) {
            overflowed++;
            from.vnet().drop(m, full ? DropReason.IF_OQFULL : DropReason.IF_TOOBIG);
            return;
        }
        if (backlog.packets() >= spec.markPackets && mark(m)) {
            marked++;
        }
        final long leavesNs = leaves(size, nowNs);
        backlog.push(leavesNs, size);
        longest = Math.max(longest, backlog.packets());
        if (lose) {
            lost++;
            from.vnet().drop(m, DropReason.IF_FAULT_INJECTED);
            return;
        }
        onWire(m, leavesNs + spec.delayNs + jitter(leavesNs));
    }

    /** Never so little that it overtakes the one before. */
    private long jitter(final long leavesNs) {
        if (spec.jitterNs == 0) {
            return 0;
        }
        final long jitter = random.nextLong(spec.jitterNs + 1);
        return tail == null ? jitter : Math.max(jitter, tail.phPer64() - leavesNs - spec.delayNs);
    }

    /** Draws in a fixed order, so that a seed repeats. */
    private boolean chosen(final Mbuf m) {
        number++;
        final boolean byChance = spec.loss > 0 && random.nextDouble() < spec.loss;
        final boolean byRule = spec.rule != null && spec.rule.applies(number, m, ETHER_HDR_LEN);
        return byChance || byRule || Arrays.binarySearch(spec.lose, number) >= 0;
    }

    /** When the last bit leaves, exactly: the fractions of nanoseconds are kept. */
    private long leaves(final int size, final long nowNs) {
        if (freeNs < nowNs) {
            freeNs = nowNs;
            remainder = 0;
        }
        final long scaled = (long) size * Byte.SIZE * NS_PER_S + remainder;
        freeNs += scaled / spec.bitsPerSecond;
        remainder = scaled % spec.bitsPerSecond;
        return freeNs;
    }

    private void onWire(final Mbuf m, final long arrivesNs) {
        final boolean twice = spec.duplicate > 0 && random.nextDouble() < spec.duplicate;
        final Mbuf copy = twice ? m.dup() : null;
        if (spec.reorder > 0 && random.nextDouble() < spec.reorder) {
            reordered++;
            hold(m, arrivesNs + 1 + random.nextLong(Math.max(spec.reorderNs, 1)));
        } else {
            append(m, arrivesNs);
        }
        if (copy != null) {
            duplicated++;
            append(copy, arrivesNs);
        }
    }

    private void append(final Mbuf m, final long arrivesNs) {
        if (tail != null && tail.phPer64() > arrivesNs) {
            hold(m, arrivesNs); // the delay was shortened meanwhile
            return;
        }
        m.phPer64(arrivesNs);
        if (tail == null) {
            head = m;
        } else {
            tail.nextPkt(m);
        }
        tail = m;
    }

    private void hold(final Mbuf m, final long arrivesNs) {
        m.phPer64(arrivesNs);
        if (late == null || late.phPer64() > arrivesNs) {
            m.nextPkt(late);
            late = m;
            return;
        }
        Mbuf at = late;
        while (at.nextPkt() != null && at.nextPkt().phPer64() <= arrivesNs) {
            at = at.nextPkt();
        }
        m.nextPkt(at.nextPkt());
        at.nextPkt(m);
    }

    private long nextNs() {
        final long a = head == null ? EventHeap.NEVER : head.phPer64();
        return late == null ? a : Math.min(a, late.phPer64());
    }

    /** Delivers what arrives now. */
    private void arrive(final long nowNs) {
        while (nextNs() <= nowNs) {
            deliver(take());
        }
        sim.due(source, nextNs());
    }

    private Mbuf take() {
        final boolean fromLate = head == null || late != null && late.phPer64() < head.phPer64();
        final Mbuf m = fromLate ? late : head;
        if (fromLate) {
            late = m.nextPkt();
        } else {
            head = m.nextPkt();
            tail = head == null ? null : tail;
        }
        m.nextPkt(null);
        return m;
    }

    private void deliver(final Mbuf m) {
        final Ifnet in = back.ifp;
        delivered++;
        octets += m.pktLen() - ETHER_HDR_LEN + spec.overhead;
        m.rcvif(in);
        m.csumFlags(m.csumFlags() | RXCSUM_OK);
        m.csumData(CSUM_DATA_GOOD);
        in.count(IfCounter.IPACKETS, 1);
        in.count(IfCounter.IBYTES, m.pktLen());
        in.input(m);
        back.from.touch();
    }

    /** Marks an ECN-capable packet CE; its header checksum is left to offload. False when it is not capable. */
    private static boolean mark(final Mbuf m) {
        final int at = ETHER_HDR_LEN;
        if (m.len() < at + 2) {
            return false;
        }
        final int version = m.getU8(at) >> 4;
        if (version == 4) {
            final int tos = m.getU8(at + 1);
            m.put8(at + 1, tos | ((tos & CE) == 0 ? 0 : CE));
            return (tos & CE) != 0;
        }
        if (version == 6) {
            final int word = m.getU16(at);
            final int ecn = word >> 4 & CE;
            m.put16(at, word | (ecn == 0 ? 0 : CE << 4));
            return ecn != 0;
        }
        return false;
    }

    /** Forgets what the interfaces announced while they were set up. */
    void begin() {
        flush();
        backlog.drain(EventHeap.NEVER);
        freeNs = 0;
        number = 0;
        lost = 0;
        overflowed = 0;
        reordered = 0;
        duplicated = 0;
        longest = 0;
    }

    /** Drops what is under way. */
    void flush() {
        while (nextNs() != EventHeap.NEVER) {
            from.vnet().drop(take(), DropReason.IF_DETACHED);
        }
        sim.due(source, EventHeap.NEVER);
    }

    private static Errno ioctl(final IfReq request) {
        return switch (request) {
            case IfReq.SetFlags r -> Errno.OK;
            case IfReq.AddMulti r -> Errno.OK;
            case IfReq.DelMulti r -> Errno.OK;
            default -> Errno.EOPNOTSUPP;
        };
    }

    @Override
    public String toString() {
        return ifp.xname() + " " + stats();
    }
}
