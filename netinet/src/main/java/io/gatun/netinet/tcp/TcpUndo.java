package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.sys.Seq;

/**
 * Fast recovery that proves to have been needless: each octet that it sent again is reported as a duplicate (D-SACK,
 * RFC 2883), so nothing was lost, and the network has only put segments out of order. Then the windows are what they
 * were before, as after a spurious timeout. RFC 3708 section 3, as FreeBSD's RACK stack does it. The reordering window,
 * which would have prevented it, grows by itself (RFC 8985 section 6.2).
 */
final class TcpUndo {
    private TcpUndo() {
    }

    /** Fast recovery is about to begin. After a probe that repeated something, duplicates might be of that. */
    @GuardedBy("tp.inp.lock")
    static void begins(Tcpcb tp) {
        forget(tp);
        if (!tp.tcp.sysctl.dsackUndo.getBool() || tp.has2(Tcpcb.TF2_TLP_REXMIT)) {
            return;
        }
        tp.flags &= ~Tcpcb.TF_PREVVALID; // the same fields serve
        tp.flags2 |= Tcpcb.TF2_UNDO;
        tp.act().sndCwndPrev = tp.sndCwnd;
        tp.act().sndSsthreshPrev = tp.sndSsthresh;
        tp.act().undoStart = tp.sndUna;
        tp.act().undoOctets = 0;
    }

    /** So many octets went again. */
    @GuardedBy("tp.inp.lock")
    static void sentAgain(Tcpcb tp, int octets) {
        if (tp.has2(Tcpcb.TF2_UNDO)) {
            tp.act().undoOctets += octets;
        }
    }

    /** The window changes for another reason: there is no way back. */
    @GuardedBy("tp.inp.lock")
    static void forget(Tcpcb tp) {
        tp.flags2 &= ~Tcpcb.TF2_UNDO;
    }

    /** The first SACK block of a segment reports a duplicate. */
    @GuardedBy("tp.inp.lock")
    static void duplicate(Tcpcb tp, Seg seg) {
        final int left = TcpSack.left(seg, 0);
        final int right = TcpSack.right(seg, 0);
        if (!tp.has2(Tcpcb.TF2_UNDO) || Seq.lt(left, tp.act().undoStart) || Seq.gt(right, tp.sndRecover)) {
            return;
        }
        tp.act().undoOctets -= right - left;
        if (tp.act().undoOctets < 0) {
            forget(tp); // the network makes duplicates too: they prove nothing
        } else if (tp.act().undoOctets == 0) {
            undo(tp);
        }
    }

    @GuardedBy("tp.inp.lock")
    private static void undo(Tcpcb tp) {
        forget(tp);
        tp.tcp.stat.rack.dsackUndo.increment();
        if (tp.inFastRecovery()) {
            tp.exitRecovery();
            if (tp.map != null) {
                tp.map.loseNone();
            }
        }
        tp.sndCwnd = Math.max(tp.sndCwnd, tp.act().sndCwndPrev);
        tp.sndSsthresh = Math.max(tp.sndSsthresh, tp.act().sndSsthreshPrev);
        tp.cc.congSignal(tp, CcAlgo.Signal.RTO_ERR);
    }
}
