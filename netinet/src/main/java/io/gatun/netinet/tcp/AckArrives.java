package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Seq;

/**
 * The fifth check: what an acknowledgment does. RFC 9293 section 3.10.7.4; RFC 5681 and RFC 6582 for loss recovery
 * where nothing is acknowledged selectively, otherwise {@link TcpRack}.
 */
final class AckArrives {
    /** Duplicates that mean a loss. @bsd tcprexmtthresh */
    private static final int DUPTHRESH = 3;
    private static final int TS_SANE_MS = 1 << 24;

    private AckArrives() {
    }

    @GuardedBy("tp.inp.lock")
    static Verdict checkAck(Tcpcb tp, Seg seg) {
        if (!seg.has(TcpHeader.TH_ACK)) {
            if (tp.state == TcpState.SYN_RECEIVED && tp.has(Tcpcb.TF_FASTOPEN)) {
                TcpFastopen.synTaken(tp, seg); // the SYN itself: no other comes so far
                return Verdict.NEXT;
            }
            return tp.has(Tcpcb.TF_ACKNOW) ? seg.dropAfterAck(DropReason.TCP_NO_ACK) : seg.drop(DropReason.TCP_NO_ACK);
        }
        if (tp.state == TcpState.SYN_RECEIVED) {
            if (Seq.leq(seg.ack, tp.sndUna) || Seq.gt(seg.ack, tp.sndMax)) {
                return seg.dropWithReset(DropReason.TCP_BAD_ACK);
            }
            handshakeDone(tp, seg);
            if (seg.ack == tp.sndUna) {
                updateWindow(tp, seg); // nothing but the SYN was acknowledged
                return Verdict.NEXT;
            }
        }
        if (Seq.gt(seg.ack, tp.sndMax)) {
            tp.tcp.stat.rcvacktoomuch.increment();
            // Limited: two ends that a forger has set apart would otherwise answer each other for ever.
            return seg.challenge(DropReason.TCP_BAD_ACK);
        }
        if (Seq.lt(seg.ack, tp.sndUna - tp.maxSndwnd) && !tp.tcp.sysctl.insecureAck.getBool()) {
            return seg.challenge(DropReason.TCP_OLD_ACK); // RFC 5961 section 5.2
        }
        if (tp.map == null && tp.has2(Tcpcb.TF2_UNDO) && seg.hasOpt(Seg.TOF_SACK)) {
            TcpSack.late(tp, seg);
        }
        final Verdict v = tp.map != null && Seq.geq(seg.ack, tp.sndUna) ? TcpRack.ack(tp, seg)
            : Seq.leq(seg.ack, tp.sndUna) ? duplicate(tp, seg) : newAck(tp, seg);
        if (v == Verdict.NEXT) {
            updateWindow(tp, seg);
        }
        return v;
    }

    /** SYN-RECEIVED: our SYN is acknowledged. */
    @GuardedBy("tp.inp.lock")
    private static void handshakeDone(Tcpcb tp, Seg seg) {
        tp.tcp.stat.connects.increment();
        tp.sndUna++; // the SYN
        if (Seq.lt(tp.sndNxt, tp.sndUna)) {
            tp.sndNxt = tp.sndUna;
        }
        if (!seg.has(TcpHeader.TH_SYN)) {
            seg.win = seg.rawWin << tp.sndScale;
        }
        tp.sndWnd = seg.win;
        tp.sndWl1 = seg.seq - 1;
        enterEstablished(tp);
        if (seg.ack == tp.sndUna) {
            sample(tp, seg);
            rearm(tp, seg);
        }
    }

    /** ESTABLISHED, or FIN-WAIT-1 when the user has closed meanwhile; the socket is connected. */
    @GuardedBy("tp.inp.lock")
    static void enterEstablished(Tcpcb tp) {
        if (tp.rxtshift > 0) {
            tp.flags2 |= Tcpcb.TF2_SYNLOST;
        }
        final boolean passiveFastopen = tp.state == TcpState.SYN_RECEIVED && tp.has(Tcpcb.TF_FASTOPEN);
        if (tp.has(Tcpcb.TF_NEEDFIN)) {
            TcpSubr.stateChange(tp, TcpState.FIN_WAIT_1);
            tp.flags &= ~Tcpcb.TF_NEEDFIN;
        } else {
            TcpSubr.stateChange(tp, TcpState.ESTABLISHED);
        }
        TcpTimers.activate(tp, TcpTimers.TT_KEEP, TcpTimers.keepidle(tp));
        if (passiveFastopen) {
            TcpFastopen.release(tp);
            return; // the rest was done with its SYN
        }
        TcpCc.connInit(tp);
        tp.inp.so.isConnected();
    }

    /** Nothing new. A bare repetition while data is in flight counts as a duplicate (RFC 5681 section 2). */
    @GuardedBy("tp.inp.lock")
    private static Verdict duplicate(Tcpcb tp, Seg seg) {
        if (seg.len != 0 || seg.win != tp.sndWnd || seg.has(TcpHeader.TH_FIN) || seg.rcvdLen != 0) {
            return Verdict.NEXT;
        }
        tp.tcp.stat.rcvdupack.increment();
        if (!TcpTimers.active(tp, TcpTimers.TT_REXMT) || seg.ack != tp.sndUna) {
            tp.act().dupacks = 0;
            return Verdict.NEXT;
        }
        tp.act().dupacks++;
        if (tp.act().dupacks > DUPTHRESH || tp.inFastRecovery()) {
            // RFC 6582 3.2 step 2: a segment has left the network, another may enter.
            TcpCc.ackReceived(tp, seg, CcAlgo.Ack.DUPACK);
            tp.sndCwnd += tp.segData;
            TcpOutput.output(tp);
            return Verdict.DONE;
        }
        if (tp.act().dupacks == DUPTHRESH) {
            return fastRetransmit(tp, seg);
        }
        if (tp.tcp.sysctl.rfc3042.getBool()) {
            limitedTransmit(tp, seg);
            return Verdict.DONE;
        }
        return Verdict.NEXT;
    }

    /** RFC 6582 section 3.2 step 2: send the oldest again at once. */
    @GuardedBy("tp.inp.lock")
    private static Verdict fastRetransmit(Tcpcb tp, Seg seg) {
        if (Seq.leq(seg.ack, tp.sndRecover) && !tp.inCongRecovery()) {
            tp.act().dupacks = 0; // duplicates of what an earlier recovery sent again
            return Verdict.NEXT;
        }
        tp.tcp.stat.rack.fastrexmit.increment();
        TcpCc.congSignal(tp, CcAlgo.Signal.NDUPACK);
        TcpCc.ackReceived(tp, seg, CcAlgo.Ack.DUPACK);
        TcpTimers.stop(tp, TcpTimers.TT_REXMT);
        tp.act().rtttimeNs = 0;
        final int onxt = tp.sndNxt;
        tp.sndNxt = seg.ack;
        tp.sndCwnd = tp.segData;
        TcpOutput.output(tp);
        tp.sndCwnd = tp.sndSsthresh + tp.segData * (tp.act().dupacks - tp.act().sndLimited);
        goBack(tp, onxt);
        return Verdict.DONE;
    }

    /** After a hole was sent again: on from where we were, unless the window was found shut. */
    @GuardedBy("tp.inp.lock")
    private static void goBack(Tcpcb tp, int onxt) {
        if (!TcpTimers.active(tp, TcpTimers.TT_PERSIST)) {
            tp.sndNxt = Seq.max(onxt, tp.sndNxt);
        }
    }

    /** RFC 3042: the first two duplicates let one new segment out each, cwnd unchanged. */
    @GuardedBy("tp.inp.lock")
    private static void limitedTransmit(Tcpcb tp, Seg seg) {
        TcpCc.ackReceived(tp, seg, CcAlgo.Ack.DUPACK);
        if (tp.act().dupacks == 1) {
            tp.act().sndLimited = 0;
        }
        final int oldCwnd = tp.sndCwnd;
        final int oldMax = tp.sndMax;
        tp.sndCwnd = tp.sndNxt - tp.sndUna + (tp.act().dupacks - tp.act().sndLimited) * tp.segData;
        if (tp.inp.so.snd().avail() > tp.sndNxt - tp.sndUna) {
            TcpOutput.output(tp);
        }
        final int sent = tp.sndMax - oldMax;
        if (sent > 0) {
            tp.tcp.stat.limitedtransmit.increment();
            tp.act().sndLimited += sent > tp.segData ? 2 : 1;
        }
        tp.sndCwnd = oldCwnd;
    }

    @GuardedBy("tp.inp.lock")
    private static Verdict newAck(Tcpcb tp, Seg seg) {
        if (tp.inFastRecovery()) {
            if (Seq.lt(seg.ack, tp.sndRecover)) {
                partialAck(tp, seg);
            } else {
                postRecovery(tp, seg);
            }
        }
        tp.act().dupacks = 0;
        return advance(tp, seg);
    }

    /** RFC 6582 section 3.2 step 3, partial acknowledgment: the next hole. @bsd tcp_newreno_partial_ack */
    @GuardedBy("tp.inp.lock")
    private static void partialAck(Tcpcb tp, Seg seg) {
        final int acked = seg.ack - tp.sndUna;
        final int onxt = tp.sndNxt;
        final int ocwnd = tp.sndCwnd;
        TcpTimers.stop(tp, TcpTimers.TT_REXMT);
        tp.act().rtttimeNs = 0;
        tp.sndNxt = seg.ack;
        tp.sndCwnd = tp.segData + acked; // sndUna has not moved yet
        tp.flags |= Tcpcb.TF_ACKNOW;
        TcpOutput.output(tp);
        goBack(tp, onxt);
        tp.sndCwnd = Math.max(ocwnd - acked, 0) + tp.segData; // partial deflation
    }

    /** The window as congestion control sees it must be that after this ACK. */
    @GuardedBy("tp.inp.lock")
    static void postRecovery(Tcpcb tp, Seg seg) {
        final int una = tp.sndUna;
        tp.sndUna = seg.ack;
        TcpCc.postRecovery(tp);
        tp.sndUna = una;
    }

    /** New data is acknowledged: times it, frees it, moves on. @bsd process_ACK */
    @GuardedBy("tp.inp.lock")
    static Verdict advance(Tcpcb tp, Seg seg) {
        final int acked = seg.ack - tp.sndUna;
        tp.tcp.stat.rcvackpack.increment();
        tp.tcp.stat.rcvackbyte.add(acked);
        if (tp.rxtshift == 1 && tp.has(Tcpcb.TF_PREVVALID) && spurious(tp, seg)) {
            TcpCc.congSignal(tp, CcAlgo.Signal.RTO_ERR);
        }
        sample(tp, seg);
        rearm(tp, seg);
        if (acked == 0) {
            return Verdict.NEXT;
        }
        if (tp.rxtshift != 0) {
            tp.act().stalledNs = seg.nowNs; // progress, though nothing that could be timed
        }
        TcpCc.ackReceived(tp, seg, CcAlgo.Ack.ACK);
        release(tp, seg, acked);
        if (!tp.inRecovery() && Seq.gt(tp.sndUna, tp.sndRecover) && Seq.leq(seg.ack, tp.sndRecover)) {
            tp.sndRecover = seg.ack - 1; // it fell half the space behind
        }
        if (tp.inRecovery() && Seq.geq(seg.ack, tp.sndRecover)) {
            tp.exitRecovery();
        }
        tp.sndUna = seg.ack;
        if (Seq.lt(tp.sndNxt, tp.sndUna)) {
            tp.sndNxt = tp.sndUna;
        }
        if (tp.sndUna == tp.sndMax) {
            TcpRack.forget(tp);
        } else {
            TcpRack.armProbe(tp);
        }
        return seg.ourFinIsAcked ? finAcked(tp) : Verdict.NEXT;
    }

    /** The ACK came too soon to be for what the timeout sent: RFC 3522 with timestamps, else by time. */
    @GuardedBy("tp.inp.lock")
    private static boolean spurious(Tcpcb tp, Seg seg) {
        if (tp.timestamps() && seg.hasOpt(Seg.TOF_TS)) {
            return seg.tsecr != 0 && Seq.lt(seg.tsecr, tp.act().badrxtTs);
        }
        return tp.act().badrxtwinNs != 0 && seg.nowNs - tp.act().badrxtwinNs < 0;
    }

    /** A round trip, by the segment being timed, else (after a retransmission) by timestamps. */
    @GuardedBy("tp.inp.lock")
    private static void sample(Tcpcb tp, Seg seg) {
        if (tp.act().rtttimeNs != 0) {
            if (Seq.gt(seg.ack, tp.act().rtseq)) {
                TcpRtt.xmitTimer(tp, seg.nowNs - tp.act().rtttimeNs);
            }
        } else if (tp.timestamps() && seg.hasOpt(Seg.TOF_TS) && seg.tsecr != 0) {
            final int ms = tp.tsNow() - seg.tsecr;
            if (ms >= 0 && ms < TS_SANE_MS) {
                TcpRtt.xmitTimer(tp, Math.max(ms, 1) * Tcp.NS_PER_MS);
            }
        }
    }

    /** RFC 6298 5.2, 5.3. */
    @GuardedBy("tp.inp.lock")
    private static void rearm(Tcpcb tp, Seg seg) {
        if (seg.ack == tp.sndMax) {
            TcpTimers.stop(tp, TcpTimers.TT_REXMT);
            seg.needOutput = true;
        } else if (!TcpTimers.active(tp, TcpTimers.TT_PERSIST)) {
            TcpTimers.activate(tp, TcpTimers.TT_REXMT, tp.rxtcurNs);
        }
    }

    /** Drops what is acknowledged from the send buffer. More than is in there is our FIN. */
    @GuardedBy("tp.inp.lock")
    private static void release(Tcpcb tp, Seg seg, int acked) {
        final SocketSide so = tp.inp.so;
        final SockBuf snd = so.snd();
        final Mbuf gone;
        snd.lock().lock();
        try {
            final int have = snd.avail();
            final int n = Math.min(acked, have);
            seg.ourFinIsAcked = acked > have && tp.has(Tcpcb.TF_SENTFIN);
            tp.sndWnd -= n;
            gone = n > 0 ? snd.cutLocked(n) : null;
            so.wWakeupLocked();
        } finally {
            snd.lock().unlock();
        }
        if (gone != null) {
            gone.freeChain();
        }
    }

    @GuardedBy("tp.inp.lock")
    private static Verdict finAcked(Tcpcb tp) {
        switch (tp.state) {
            case FIN_WAIT_1 -> {
                TcpSubr.finWait2(tp);
                TcpSubr.stateChange(tp, TcpState.FIN_WAIT_2);
            }
            case CLOSING -> {
                TcpSubr.twStart(tp);
                return Verdict.DONE;
            }
            case LAST_ACK -> {
                TcpSubr.close(tp);
                return Verdict.DONE;
            }
            default -> { }
        }
        return Verdict.NEXT;
    }

    /**
     * RFC 9293: SND.WND moves only by a segment that is not older than the one that moved it last. DIFFERS: of two
     * with the same numbers the larger window wins, as in FreeBSD, since they may have been reordered.
     */
    @GuardedBy("tp.inp.lock")
    static void updateWindow(Tcpcb tp, Seg seg) {
        if (!seg.has(TcpHeader.TH_ACK)) {
            return;
        }
        final boolean newer = Seq.lt(tp.sndWl1, seg.seq) || tp.sndWl1 == seg.seq
            && (Seq.lt(tp.sndWl2, seg.ack) || tp.sndWl2 == seg.ack && seg.win > tp.sndWnd);
        if (!newer) {
            return;
        }
        if (seg.len == 0 && tp.sndWl2 == seg.ack && seg.win > tp.sndWnd) {
            tp.tcp.stat.rcvwinupd.increment();
        }
        tp.sndWnd = seg.win;
        tp.sndWl1 = seg.seq;
        tp.sndWl2 = seg.ack;
        tp.maxSndwnd = Math.max(tp.maxSndwnd, tp.sndWnd);
        seg.needOutput = true;
    }
}
