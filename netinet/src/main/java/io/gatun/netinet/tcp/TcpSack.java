package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Seq;

/**
 * Selective acknowledgments. The receiver's side (RFC 2018, with the duplicates of RFC 2883): each run of the
 * reassembly queue is a block, and the stamps of the runs are their order, so that what is reported is what is held.
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
        if (tp.dsackStart != tp.dsackEnd) {
            to.sacks[0] = tp.dsackStart;
            to.sacks[1] = tp.dsackEnd;
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
        }
    }

    /** The run with the latest stamp before {@code below}; one that is only a FIN is none. */
    @GuardedBy("tp.inp.lock")
    private static Mbuf latest(Tcpcb tp, long below) {
        Mbuf best = null;
        for (Mbuf m = tp.segq; m != null; m = m.nextPkt()) {
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
            tp.dsackStart = from;
            tp.dsackEnd = to;
        }
    }
}
