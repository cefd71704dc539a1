package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Seq;

/** RFC 9293 section 3.10.7.3: a segment arrives in SYN-SENT. */
final class SynSentArrives {
    private SynSentArrives() {
    }

    /** First ACK, second RST, third security (none), fourth SYN, then what an open connection does. */
    @GuardedBy("tp.inp.lock")
    static Verdict segment(Tcpcb tp, Seg seg) {
        final boolean ack = seg.has(TcpHeader.TH_ACK);
        if (ack && (Seq.leq(seg.ack, tp.iss) || Seq.gt(seg.ack, tp.sndMax))) {
            return seg.has(TcpHeader.TH_RST) ? seg.drop(DropReason.TCP_BAD_ACK)
                : seg.dropWithReset(DropReason.TCP_BAD_ACK);
        }
        if (seg.has(TcpHeader.TH_RST)) {
            if (ack) {
                TcpSubr.drop(tp, Errno.ECONNREFUSED);
            }
            return seg.drop(DropReason.TCP_RST);
        }
        if (!seg.has(TcpHeader.TH_SYN)) {
            return seg.drop(DropReason.TCP_BAD_SYN);
        }
        tp.rcvtimeNs = seg.nowNs;
        tp.irs = seg.seq;
        TcpSubr.rcvSeqInit(tp);
        TcpSubr.negotiate(tp, seg);
        TcpMss.mss(tp, seg.hasOpt(Seg.TOF_MSS) ? seg.mss : 0);
        if (ack) {
            TcpEcnShake.synAck(tp, seg);
            tp.tcp.fastopen.synAck(tp, seg);
            return established(tp, seg);
        }
        TcpEcnShake.parallelSyn(tp, seg);
        tp.flags &= ~Tcpcb.TF_FASTOPEN; // both are clients: text waits
        return simultaneous(tp, seg);
    }

    /** Our SYN is acknowledged: the connection is open. */
    @GuardedBy("tp.inp.lock")
    private static Verdict established(Tcpcb tp, Seg seg) {
        tp.tcp.stat.connects.increment();
        tp.sndUna++; // the SYN
        if (Seq.lt(tp.sndNxt, tp.sndUna)) {
            tp.sndNxt = tp.sndUna;
        }
        if (tp.sndUna != tp.sndMax) {
            tp.sndNxt = seg.ack; // text that went with the SYN and was not taken goes again
        }
        tp.flags |= Tcpcb.TF_ACKNOW;
        AckArrives.enterEstablished(tp);
        tp.rcvWnd = SendDecision.receiveWindow(tp, tp.inp.so.rcv());
        trimSyn(tp, seg);
        Verdict v = AckArrives.advance(tp, seg);
        if (v == Verdict.NEXT) {
            AckArrives.updateWindow(tp, seg);
            v = SegmentArrives.checkUrg(tp, seg);
        }
        if (v == Verdict.NEXT) {
            v = SegmentText.process(tp, seg);
        }
        return v == Verdict.NEXT ? SegmentArrives.checkFin(tp, seg) : v;
    }

    /**
     * Both ends opened at once: SYN-RECEIVED, and our SYN goes out again with an acknowledgment. Text and FIN of the
     * peer's SYN wait in the reassembly queue until ours is acknowledged.
     */
    @GuardedBy("tp.inp.lock")
    private static Verdict simultaneous(Tcpcb tp, Seg seg) {
        TcpSubr.stateChange(tp, TcpState.SYN_RECEIVED);
        TcpTimers.stop(tp, TcpTimers.TT_REXMT);
        tp.sndNxt = tp.iss;
        tp.rcvWnd = SendDecision.receiveWindow(tp, tp.inp.so.rcv());
        trimSyn(tp, seg);
        tp.flags |= Tcpcb.TF_ACKNOW;
        SegmentText.process(tp, seg);
        return Verdict.DONE;
    }

    /** Steps over the SYN and cuts the text to the window. */
    @GuardedBy("tp.inp.lock")
    private static void trimSyn(Tcpcb tp, Seg seg) {
        seg.seq++;
        seg.flags &= ~TcpHeader.TH_SYN;
        if (seg.len > tp.rcvWnd) {
            final int beyond = seg.len - tp.rcvWnd;
            seg.m.adjTail(beyond);
            seg.len = tp.rcvWnd;
            seg.flags &= ~TcpHeader.TH_FIN;
            tp.tcp.stat.rcvpackafterwin.increment();
            tp.tcp.stat.rcvbyteafterwin.add(beyond);
        }
        tp.sndWl1 = seg.seq - 1;
        tp.rcvUp = seg.seq;
    }
}
