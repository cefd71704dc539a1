package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Seq;

/**
 * Selective acknowledgments. The receiver's side (RFC 2018, with the duplicates of RFC 2883): each run of the
 * reassembly queue is a block, and the stamps of the runs are their order, so that what is reported is what is held.
 * The sender's side keeps what it is told in a {@link TcpSendMap}.
 */
final class TcpSack {
    private TcpSack() {
    }

    // ---- receiver ------------------------------------------------------------

    /**
     * The blocks of a segment that is to be sent: first what came twice (RFC 2883 section 4), then what it lies in,
     * then the others, the most recent first.
     *
     * @bsd tcp_update_sack_list
     */
    @GuardedBy("tp.inp.lock")
    static void blocks(Tcpcb tp, int flags, TcpOpt to) {
        if (!tp.has(Tcpcb.TF_SACK_PERMIT) || !tp.state.haveEstablished()
            || (flags & (TcpHeader.TH_SYN | TcpHeader.TH_RST)) != 0) {
            return;
        }
        int n = 0;
        if (tp.act().dsackStart != tp.act().dsackEnd) {
            to.sacks[0] = tp.act().dsackStart;
            to.sacks[1] = tp.act().dsackEnd;
            n = 1;
        }
        long below = Long.MAX_VALUE;
        while (n < TcpOpt.MAX_SACKS) {
            final Mbuf m = latest(tp, below);
            if (m == null) {
                break;
            }
            below = m.rcvTstmp();
            to.sacks[2 * n] = TcpReass.seq(m);
            to.sacks[2 * n + 1] = TcpReass.end(m);
            n++;
        }
        to.nsacks = n;
        if (n > 0) {
            to.flags |= Seg.TOF_SACK;
            tp.tcp.stat.rack.sackSendBlocks.increment();
        }
    }

    /** The run with the latest stamp before {@code below}; one that is only a FIN is none. */
    @GuardedBy("tp.inp.lock")
    private static Mbuf latest(Tcpcb tp, long below) {
        Mbuf best = null;
        for (Mbuf m = tp.act().segq; m != null; m = m.nextPkt()) {
            if (m.rcvTstmp() < below && (best == null || m.rcvTstmp() > best.rcvTstmp()) && TcpReass.len(m) > 0) {
                best = m;
            }
        }
        return best;
    }

    /**
     * A part of a segment was here already. Of one segment the lowest such part is reported, in the next
     * acknowledgment and only there.
     *
     * @bsd tcp_update_dsack_list
     */
    @GuardedBy("tp.inp.lock")
    static void duplicate(Tcpcb tp, Seg seg, int from, int to) {
        if (!seg.duplicate && tp.has(Tcpcb.TF_SACK_PERMIT) && Seq.lt(from, to)) {
            seg.duplicate = true;
            tp.act().dsackStart = from;
            tp.act().dsackEnd = to;
        }
    }

    // ---- sender ------------------------------------------------------------

    /**
     * Notes the blocks of an acknowledgment in the send map. One that lies outside of what is in flight is passed over.
     *
     * @return whether it reports a duplicate (RFC 2883)
     * @bsd tcp_sack_doack
     */
    @GuardedBy("tp.inp.lock")
    static boolean doAck(Tcpcb tp, Seg seg) {
        final TcpSendMap map = tp.map;
        tp.tcp.stat.rack.sackRcvBlocks.increment();
        final boolean dsack = isDuplicate(tp, seg);
        if (dsack) {
            tp.tcp.stat.rack.dsackCount.increment();
            tp.tcp.stat.rack.dsackBytes.add(right(seg, 0) - left(seg, 0));
        }
        for (int i = dsack ? 1 : 0; i < seg.nsacks; i++) {
            final int left = left(seg, i);
            final int right = right(seg, i);
            if (Seq.lt(left, right) && Seq.gt(left, seg.ack) && Seq.leq(right, map.end())
                && Seq.geq(left, map.start()) && !map.sack(left, right, tp.tcp.sendMaps.mayCut(map))) {
                tp.tcp.stat.rack.sackSboverflow.increment();
            }
        }
        return dsack;
    }

    /** A duplicate may be reported after all was acknowledged. */
    @GuardedBy("tp.inp.lock")
    static void late(Tcpcb tp, Seg seg) {
        if (isDuplicate(tp, seg)) {
            tp.tcp.stat.rack.dsackCount.increment();
            tp.tcp.stat.rack.dsackBytes.add(right(seg, 0) - left(seg, 0));
            TcpUndo.duplicate(tp, seg);
        }
    }

    /** RFC 2883 section 4: the first block lies below the acknowledgment, or within the second. */
    @GuardedBy("tp.inp.lock")
    private static boolean isDuplicate(Tcpcb tp, Seg seg) {
        final int left = left(seg, 0);
        final int right = right(seg, 0);
        if (Seq.geq(left, right) || Seq.lt(left, tp.sndUna - tp.maxSndwnd)) {
            return false;
        }
        return Seq.leq(right, seg.ack)
            || seg.nsacks > 1 && Seq.geq(left, left(seg, 1)) && Seq.leq(right, right(seg, 1));
    }

    /** Where a block begins. */
    static int left(Seg seg, int i) {
        return seg.m.getInt(seg.sackOff + 2 * Integer.BYTES * i);
    }

    /** Where it ends. */
    static int right(Seg seg, int i) {
        return seg.m.getInt(seg.sackOff + 2 * Integer.BYTES * i + Integer.BYTES);
    }
}
