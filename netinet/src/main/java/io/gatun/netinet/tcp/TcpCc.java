package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.sys.Seq;

/** What happens around a congestion control hook whatever the algorithm. */
final class TcpCc {
    private TcpCc() {
    }

    /** The handshake is over: the initial window. @bsd cc_conn_init */
    @GuardedBy("tp.inp.lock")
    static void connInit(Tcpcb tp) {
        tp.tcp.hostcache.connInit(tp);
        // RFC 5681 3.1: after a lost SYN no more than one segment.
        tp.sndCwnd = tp.has2(Tcpcb.TF2_SYNLOST) ? tp.segData : TcpMss.initialWindow(tp);
        TcpEcnShake.connInit(tp);
        tp.roundEnd = tp.sndMax;
        tp.cc.connInit(tp);
    }

    /** @bsd cc_ack_received */
    @GuardedBy("tp.inp.lock")
    static void ackReceived(Tcpcb tp, Seg seg, CcAlgo.Ack kind) {
        final int acked = seg.ack - tp.sndUna;
        tp.setAcked(acked, seg.nsegs);
        final boolean limited = tp.sndCwnd <= tp.sndWnd
            && (tp.sndCwnd < 2 * (tp.sndMax - tp.sndUna) || tp.sndMax - tp.sndUna + tp.segData > tp.sndCwnd);
        if (limited) {
            tp.flags2 |= Tcpcb.TF2_CWND_LIMITED;
        } else {
            tp.flags2 &= ~Tcpcb.TF2_CWND_LIMITED;
        }
        if (kind == CcAlgo.Ack.ACK) {
            countWindow(tp, acked, limited);
            round(tp, seg);
        }
        tp.cc.ackReceived(tp, kind);
    }

    /** Samples by timestamps where there are some, for those are many in a round trip; and tells of the next one. */
    @GuardedBy("tp.inp.lock")
    private static void round(Tcpcb tp, Seg seg) {
        if (tp.timestamps() && seg.hasOpt(Seg.TOF_TS) && seg.tsecr != 0) {
            final int ms = tp.tsNow() - seg.tsecr;
            if (ms >= 0 && ms * Tcp.NS_PER_MS <= tp.rxtcurNs) {
                tp.cc.rttsample(tp, Math.max(ms, 1) * Tcp.NS_PER_MS);
            }
        }
        if (Seq.geq(seg.ack, tp.roundEnd)) {
            tp.roundEnd = tp.sndMax;
            tp.cc.newround(tp, ++tp.roundCount);
        }
    }

    /** RFC 3465: one window's worth of octets in congestion avoidance grows cwnd once. */
    @GuardedBy("tp.inp.lock")
    private static void countWindow(Tcpcb tp, int acked, boolean limited) {
        if (tp.sndCwnd <= tp.sndSsthresh) {
            tp.bytesAcked = 0;
            return;
        }
        if (limited) {
            tp.bytesAcked += acked;
            if (tp.bytesAcked >= tp.sndCwnd) {
                tp.bytesAcked -= tp.sndCwnd;
                tp.flags2 |= Tcpcb.TF2_ABC_SENTAWND;
            }
        }
    }

    /** @bsd cc_cong_signal */
    @GuardedBy("tp.inp.lock")
    static void congSignal(Tcpcb tp, CcAlgo.Signal kind) {
        switch (kind) {
            case NDUPACK -> {
                if (!tp.inFastRecovery()) {
                    tp.sndRecover = tp.sndMax;
                    TcpEcn.reduced(tp);
                }
            }
            case ECN -> TcpUndo.forget(tp); // TcpEcn has seen to the rest
            case RTO -> {
                TcpUndo.forget(tp);
                TcpEcn.reduced(tp);
                tp.act().dupacks = 0;
                tp.bytesAcked = 0;
                tp.exitRecovery();
            }
            case RTO_ERR -> undo(tp);
        }
        tp.cc.congSignal(tp, kind);
    }

    /** The timeout was spurious: back to where we were. */
    @GuardedBy("tp.inp.lock")
    private static void undo(Tcpcb tp) {
        tp.tcp.stat.sndrexmitbad.increment();
        tp.sndCwnd = tp.act().sndCwndPrev;
        tp.sndSsthresh = tp.act().sndSsthreshPrev;
        tp.sndRecover = tp.act().sndRecoverPrev;
        if (tp.has(Tcpcb.TF_WASFRECOVERY)) {
            tp.flags |= Tcpcb.TF_FASTRECOVERY;
        }
        if (tp.has(Tcpcb.TF_WASCRECOVERY)) {
            tp.flags |= Tcpcb.TF_CONGRECOVERY;
        }
        if (tp.map == null) {
            tp.sndNxt = tp.sndMax;
        } else {
            TcpRack.undo(tp);
        }
        tp.flags &= ~Tcpcb.TF_PREVVALID;
        tp.act().badrxtwinNs = 0;
    }

    /** @bsd cc_post_recovery */
    @GuardedBy("tp.inp.lock")
    static void postRecovery(Tcpcb tp) {
        tp.cc.postRecovery(tp);
        tp.bytesAcked = 0;
    }

    /** @bsd cc_after_idle */
    @GuardedBy("tp.inp.lock")
    static void afterIdle(Tcpcb tp) {
        TcpUndo.forget(tp);
        tp.cc.afterIdle(tp);
    }

    /** Chooses the algorithm of a connection, at any time. */
    @GuardedBy("tp.inp.lock")
    static void attach(Tcpcb tp, CcAlgo algo) {
        if (tp.cc != null) {
            tp.cc.cbDestroy(tp);
        }
        tp.flags2 &= ~Tcpcb.TF2_ECN_USE_ECT1;
        tp.cc = algo;
        tp.ccData = algo.cbInit(tp);
    }
}
