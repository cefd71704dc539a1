package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.sys.Seq;

/**
 * Van Jacobson's shortcut for the commonest segments: an acknowledgment of new data, and the expected text, with
 * nothing else to say. Does what the eight checks would do, in fewer steps. DIFFERS: FreeBSD's text acknowledges
 * nothing; here it may, for every answer to a question does.
 */
final class HeaderPrediction {
    private static final int ODD = TcpHeader.TH_SYN | TcpHeader.TH_FIN | TcpHeader.TH_RST | TcpHeader.TH_URG
        | TcpHeader.TH_ACK;

    private HeaderPrediction() {
    }

    /** False when the segment is no such one: then nothing has been done. */
    @GuardedBy("tp.inp.lock")
    static boolean handled(Tcpcb tp, Seg seg) {
        if (tp.state != TcpState.ESTABLISHED || (seg.flags & ODD) != TcpHeader.TH_ACK || seg.seq != tp.rcvNxt
            || seg.win == 0 || seg.win != tp.sndWnd || tp.sndNxt != tp.sndMax || tp.act().segq != null
            || seg.hasOpt(Seg.TOF_SACK)) {
            return false;
        }
        if (tp.timestamps() && (!seg.hasOpt(Seg.TOF_TS) || Seq.lt(seg.tsval, tp.tsRecent))) {
            return false;
        }
        if (seg.len == 0) {
            return predictedAck(tp, seg);
        }
        return predictedText(tp, seg);
    }

    @GuardedBy("tp.inp.lock")
    private static boolean predictedAck(Tcpcb tp, Seg seg) {
        if (!acknowledges(tp, seg)) {
            return false;
        }
        tp.tcp.stat.predack.increment();
        timestamp(tp, seg);
        dragUrgent(tp);
        TcpEcn.arrives(tp, seg);
        advance(tp, seg);
        return true;
    }

    /** It acknowledges something new, and nothing was lost. */
    @GuardedBy("tp.inp.lock")
    private static boolean acknowledges(Tcpcb tp, Seg seg) {
        return Seq.gt(seg.ack, tp.sndUna) && Seq.leq(seg.ack, tp.sndMax) && !tp.inRecovery()
            && tp.act().dupacks == 0 && TcpRack.quiet(tp);
    }

    @GuardedBy("tp.inp.lock")
    private static void advance(Tcpcb tp, Seg seg) {
        TcpRack.predicted(tp, seg);
        AckArrives.advance(tp, seg);
        AckArrives.updateWindow(tp, seg);
    }

    @GuardedBy("tp.inp.lock")
    private static boolean predictedText(Tcpcb tp, Seg seg) {
        final boolean acks = seg.ack != tp.sndUna;
        if (tp.inp.so == null || acks && !acknowledges(tp, seg)) {
            return false;
        }
        final SockBuf rcv = tp.inp.so.rcv();
        final int win = Math.max(Math.max(rcv.space(), 0), tp.rcvAdv - tp.rcvNxt);
        if (seg.len > win) {
            return false;
        }
        tp.tcp.stat.preddat.increment();
        tp.rcvWnd = win;
        timestamp(tp, seg);
        dragUrgent(tp);
        TcpEcn.arrives(tp, seg);
        if (acks) {
            advance(tp, seg);
        } else if (Seq.lt(tp.sndWl1, seg.seq) || tp.sndWl1 == seg.seq && Seq.lt(tp.sndWl2, seg.ack)) {
            tp.sndWl1 = seg.seq;
            tp.sndWl2 = seg.ack;
        }
        SegmentText.inOrder(tp, seg);
        return true;
    }

    @GuardedBy("tp.inp.lock")
    private static void timestamp(Tcpcb tp, Seg seg) {
        if (seg.hasOpt(Seg.TOF_TS) && Seq.leq(seg.seq, tp.lastAckSent)) {
            tp.tsRecentAge = seg.nowNs;
            tp.tsRecent = seg.tsval;
        }
    }

    @GuardedBy("tp.inp.lock")
    private static void dragUrgent(Tcpcb tp) {
        if (Seq.gt(tp.rcvNxt, tp.rcvUp)) {
            tp.rcvUp = tp.rcvNxt;
        }
    }
}
