package io.gatun.conformance;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetSlots;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A box on the way out of an interface that does to TCP segments what the RFCs let a peer or a network do: cuts them
 * anew, with overlaps; says old text again, from anywhere to anywhere; claims in SACK blocks what the receiver does not
 * have, so that to the sender the peer reneges. Never changes an octet of the stream. For one connection; one thread.
 */
final class Tamper {
    private static final int KEPT = 1 << 18;
    private static final int REACH = 20_000;
    private static final int HALF = 1 << 30;

    private final Ifnet ifp;
    private final IfnetSlots.TransmitFn below;
    private final SplittableRandom r;
    private final double overlap;
    private final double renege;
    private final byte[] kept = new byte[KEPT];
    private Tamper back;
    private boolean begun;
    private int lo;
    private int hi;
    private boolean high;
    private boolean low;
    private long overlaps;
    private long forged;

    private Tamper(final Ifnet ifp, final SplittableRandom r, final double overlap, final double renege) {
        this.ifp = ifp;
        this.r = r;
        this.overlap = overlap;
        this.renege = renege;
        below = ifp.transmitFn();
    }

    /**
     * Puts one around each end of a link.
     *
     * @param overlap probability that a segment is cut anew, or followed by old text
     * @param renege probability that a SACK block claims more than is so
     */
    static Tamper[] wrap(final Ifnet a, final Ifnet b, final long seed, final double overlap, final double renege) {
        final Tamper[] t = {new Tamper(a, new SplittableRandom(seed), overlap, renege),
            new Tamper(b, new SplittableRandom(~seed), overlap, renege)};
        t[0].back = t[1];
        t[1].back = t[0];
        for (final Tamper one : t) {
            one.ifp.setTransmitFn((i, m) -> one.transmit(m));
        }
        return t;
    }

    /** A new connection. */
    void forget() {
        begun = false;
        high = false;
        low = false;
    }

    /** The first sequence number it saw. */
    int lo() {
        return lo;
    }

    /** Sequence numbers went over the top. */
    boolean wrapped() {
        return high && low;
    }

    long overlaps() {
        return overlaps;
    }

    long forged() {
        return forged;
    }

    private Errno transmit(final Mbuf first) {
        Mbuf m = first;
        Errno e = Errno.OK;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            final byte[] f = new byte[m.pktLen()];
            m.copyData(0, f.length, f, 0);
            final TcpFrame t = TcpFrame.of(f);
            if (t == null) {
                e = below.transmit(ifp, m);
            } else {
                m.freeChain();
                segment(t);
            }
            m = next;
        }
        return e;
    }

    private void emit(final TcpFrame t) {
        final byte[] f = t.octets();
        final Mbuf m = ifp.vnet().pool().devget(MemorySegment.ofArray(f), 0, f.length, null);
        if (m != null) {
            final Errno full = below.transmit(ifp, m);
        }
    }

    private void segment(final TcpFrame t) {
        final int span = t.len() + (t.has(TcpFrame.SYN) ? 1 : 0);
        if (t.has(TcpFrame.SYN) || !begun) {
            begun = true;
            lo = t.seq();
            hi = lo + span;
        }
        keep(t);
        if (t.sacks() > 0 && r.nextDouble() < renege) {
            forge(t);
        }
        if (t.len() == 0 || r.nextDouble() >= overlap) {
            emit(t);
            return;
        }
        overlaps++;
        if (r.nextBoolean()) {
            emit(t);
            old(t);
        } else {
            cut(t);
        }
    }

    private void keep(final TcpFrame t) {
        final byte[] data = t.data();
        high |= t.seq() < 0 && t.seq() > -HALF;
        low |= t.seq() >= 0 && t.seq() < HALF;
        for (int i = 0; i < data.length; i++) {
            kept[t.seq() + i & KEPT - 1] = data[i];
        }
        if (t.len() > 0 && t.seq() + t.len() - hi > 0) {
            hi = t.seq() + t.len();
        }
    }

    private byte[] text(final int from, final int to) {
        final byte[] data = new byte[to - from];
        for (int i = 0; i < data.length; i++) {
            data[i] = kept[from + i & KEPT - 1];
        }
        return data;
    }

    /** Text that was sent before, from anywhere to anywhere. */
    private void old(final TcpFrame t) {
        final int reach = Math.min(hi - lo - 1, REACH);
        if (reach <= 1) {
            return;
        }
        final int from = hi - 1 - r.nextInt(reach);
        final int to = from + 1 + r.nextInt(Math.min(hi - from, 1400));
        emit(t.with(from, t.flags() & ~TcpFrame.FIN, text(from, to)));
    }

    /** In two pieces that overlap, either first, the first of which may begin before it. */
    private void cut(final TcpFrame t) {
        final int n = t.len();
        final int before = Math.min(Math.min(t.seq() - lo - 1, r.nextInt(100)), 1400 - Math.min(n, 1400));
        final int at = r.nextInt(n);
        final int end = at + r.nextInt(n - at) + 1;
        final byte[] data = t.data();
        final TcpFrame one = t.with(t.seq() - Math.max(before, 0), t.flags() & ~TcpFrame.FIN,
            text(t.seq() - Math.max(before, 0), t.seq() + end));
        final TcpFrame two = t.with(t.seq() + at, t.flags(), Arrays.copyOfRange(data, at, n));
        final boolean inOrder = r.nextBoolean();
        emit(inOrder ? one : two);
        emit(inOrder ? two : one);
    }

    /** One block grows, down to just above the acknowledgment or up to all that was ever sent. */
    private void forge(final TcpFrame t) {
        final int at = t.sackAt() + 8 * r.nextInt(t.sacks());
        final int left = t.get32(at);
        final int right = t.get32(at + 4);
        if (left - t.ack() <= 1) {
            return; // a duplicate, reported
        }
        if (r.nextBoolean()) {
            t.put32(at, t.ack() + 1 + r.nextInt(left - t.ack() - 1));
        } else if (back.hi - right > 0) {
            t.put32(at + 4, right + r.nextInt(back.hi - right + 1));
        }
        t.sum();
        forged++;
    }
}
