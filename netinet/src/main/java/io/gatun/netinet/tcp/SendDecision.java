package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Seq;

/**
 * Whether to send, how much, and why. Sends nothing itself; changes the connection only where a shut window is found.
 *
 * @bsd tcp_output
 */
final class SendDecision {
    private SendDecision() {
    }

    /** Works out the next segment into {@code p}; {@code p.reason} is NONE when nothing is due. */
    @GuardedBy("tp.inp.lock")
    static void plan(Tcpcb tp, SendPlan p) {
        final SocketSide so = tp.inp.so;
        final SockBuf snd = so.snd();
        final int avail = snd.avail();
        p.sendalot = false;
        p.tso = false;
        p.probe = false;
        p.reason = SendReason.NONE;
        if (TcpFastopen.silent(tp)) {
            return;
        }
        p.off = tp.sndNxt - tp.sndUna;
        p.sendwin = Math.min(tp.sndWnd, tp.sndCwnd);
        p.flags = tp.state.outflags();
        if (tp.has(Tcpcb.TF_NEEDFIN) && tp.state != TcpState.SYN_SENT) {
            p.flags |= TcpHeader.TH_FIN; // never before the peer has answered
        }
        if (tp.has(Tcpcb.TF_FORCEDATA)) {
            forced(tp, p, avail);
        }
        p.rexmit = false;
        p.seq = tp.sndNxt;
        if (tp.map == null || tp.has(Tcpcb.TF_FORCEDATA) || !TcpRack.choose(tp, p)) {
            length(tp, p, avail);
        }
        p.len = Math.min(p.len, Math.max(avail - p.off, 0)); // the rest of it is a FIN
        if (tp.pacer != null && p.len > 0) {
            TcpPacer.hold(tp, p);
        }
        p.optlen = TcpOptions.choose(tp, p.flags, p.to);
        if ((p.flags & TcpHeader.TH_SYN) != 0) {
            syn(tp, p);
        }
        cut(tp, p, avail);
        if (tp.plpmtud != null && p.len > 0) {
            tp.tcp.plpmtud.plan(tp, p, avail);
        }
        p.recwin = receiveWindow(tp, so.rcv());
        if ((p.flags & TcpHeader.TH_SYN) != 0) {
            p.recwin = Math.min(p.recwin, TcpHeader.TCP_MAXWIN); // never scaled in a SYN
        }
        p.reason = reason(tp, p, avail, so.rcv());
    }

    /** A probe: one octet goes into a shut window; into an open one the data goes as ever. */
    @GuardedBy("tp.inp.lock")
    private static void forced(Tcpcb tp, SendPlan p, int avail) {
        if (p.sendwin == 0) {
            if (p.off < avail) {
                p.flags &= ~TcpHeader.TH_FIN;
            }
            p.sendwin = 1;
        } else {
            TcpTimers.stop(tp, TcpTimers.TT_PERSIST);
            tp.rxtshift = 0;
        }
    }

    /** How much of the buffer the windows let out. A window found shut starts the persist timer. */
    @GuardedBy("tp.inp.lock")
    private static void length(Tcpcb tp, SendPlan p, int avail) {
        int len = Math.min(avail, p.sendwin) - p.off;
        if (tp.map != null && tp.sndWnd > 0) {
            len = Math.min(Math.min(avail, tp.sndWnd) - p.off, TcpRack.room(tp));
        }
        if ((p.flags & TcpHeader.TH_SYN) != 0 && tp.sndNxt != tp.sndUna) {
            // The SYN is out already: this is an acknowledgment only, its number behind the SYN.
            p.flags &= ~TcpHeader.TH_SYN;
            p.off--;
        }
        if (!tp.state.haveEstablished()) {
            // Data waits for the end of the handshake, unless it may go with the SYN.
            p.len = tp.has(Tcpcb.TF_FASTOPEN) && (p.flags & TcpHeader.TH_SYN) != 0 ? Math.max(len, 0) : 0;
            return;
        }
        if (len <= 0) {
            // The window is shut or shrank behind what was sent; or a FIN is in flight.
            len = 0;
            if (tp.sndWnd == 0 && p.sendwin == 0 && p.off < avail) {
                // Shut: back to its edge, and probe from there.
                TcpTimers.stop(tp, TcpTimers.TT_REXMT);
                tp.rxtshift = 0;
                TcpRack.forget(tp);
                tp.sndNxt = tp.sndUna;
                p.seq = tp.sndUna;
                p.off = 0;
                if (!TcpTimers.active(tp, TcpTimers.TT_PERSIST)) {
                    tp.sndZerowin++;
                    TcpTimers.setPersist(tp);
                }
            }
        }
        p.len = len;
    }

    /** A SYN carries text beside a cookie of Fast Open only, and then no FIN. */
    @GuardedBy("tp.inp.lock")
    private static void syn(Tcpcb tp, SendPlan p) {
        if (!TcpFastopen.textAllowed(p.to)) {
            p.len = 0;
        }
        if (tp.has(Tcpcb.TF_FASTOPEN)) {
            p.flags &= ~TcpHeader.TH_FIN;
        }
    }

    /** Cuts to one segment, or to a super-segment; drops FIN while data is left. */
    @GuardedBy("tp.inp.lock")
    private static void cut(Tcpcb tp, SendPlan p, int avail) {
        final int mss = tp.maxseg - p.optlen;
        if (tp.pacer != null && p.len > tp.pacer.burst(mss)) {
            p.len = tp.pacer.burst(mss);
            p.sendalot = true;
        }
        if (p.len > mss) {
            if ((p.flags & TcpHeader.TH_SYN) != 0) {
                p.len = mss; // the rest has to wait for the answer
            } else if (tp.has(Tcpcb.TF_TSO) && TcpEcn.mayCut(tp) && !tp.has(Tcpcb.TF_FORCEDATA)
                && Seq.leq(tp.sndUp, p.seq) // who cuts it repeats the urgent pointer, which counts from each segment
                && tp.tsoMax - TcpPath.minProtoHdr(tp) > 2 * mss) {
                superSegment(tp, p, mss, avail);
            } else {
                p.len = mss;
                p.sendalot = true;
            }
        }
        if (p.off + p.len < avail || p.rexmit && Seq.geq(p.seq + p.len, tp.sndNxt)) {
            p.flags &= ~TcpHeader.TH_FIN; // what is sent again takes no FIN along that has not been sent before
        }
        if (p.len == 0 && !p.rexmit && tp.has(Tcpcb.TF_SENTFIN) && tp.sndNxt == tp.sndMax
            && tp.rcvNxt == tp.lastAckSent) {
            // DIFFERS: an answer that acknowledges nothing new does not repeat the FIN. Two ends that have lost
            // something before each other's would answer each other at once and for ever.
            p.flags &= ~TcpHeader.TH_FIN;
        }
        p.sendalot |= p.rexmit || tp.act().forceSegs > 1;
    }

    @GuardedBy("tp.inp.lock")
    private static void superSegment(Tcpcb tp, SendPlan p, int mss, int avail) {
        final int most = tp.tsoMax - TcpPath.minProtoHdr(tp) - p.optlen;
        if (p.len > most) {
            p.len = most / mss * mss;
            p.sendalot = true;
        } else if (p.off + p.len < avail || tp.has(Tcpcb.TF_NOPUSH)) {
            // More waits than the window lets out: leave the odd rest for later, when it may be full.
            final int rest = p.len % mss;
            if (rest != 0) {
                p.len -= rest;
                p.sendalot = true;
            }
        }
        p.tso = p.len > mss;
    }

    /** The window to offer: what the buffer holds, never less than was offered before (RFC 9293 SHLD-14). */
    @GuardedBy("tp.inp.lock")
    static int receiveWindow(Tcpcb tp, SockBuf rcv) {
        int win = Math.max(rcv.space(), 0);
        // The receiver's side of silly window avoidance (MUST-39): no small steps.
        if (win < rcv.hiwat() / 4 && win < tp.maxseg) {
            win = 0;
        }
        if (Seq.gt(tp.rcvAdv, tp.rcvNxt)) {
            win = Math.max(win, tp.rcvAdv - tp.rcvNxt);
        }
        return Math.min(win, TcpHeader.TCP_MAXWIN << tp.rcvScale);
    }

    @GuardedBy("tp.inp.lock")
    private static SendReason reason(Tcpcb tp, SendPlan p, int avail, SockBuf rcv) {
        if (p.rexmit) {
            return SendReason.RETRANSMIT;
        }
        if (p.len > 0) {
            final SendReason data = dataReason(tp, p, avail);
            if (data != SendReason.NONE) {
                return data;
            }
        }
        if (windowUpdate(tp, p.recwin, rcv)) {
            return SendReason.WINDOW_UPDATE;
        }
        if (tp.has(Tcpcb.TF_ACKNOW)) {
            return SendReason.ACK_NOW;
        }
        if ((p.flags & (TcpHeader.TH_SYN | TcpHeader.TH_RST)) != 0) {
            return SendReason.CONTROL;
        }
        if (tp.sndUp - tp.sndUna > 0) {
            return SendReason.URGENT;
        }
        if ((p.flags & TcpHeader.TH_FIN) != 0 && (!tp.has(Tcpcb.TF_SENTFIN) || tp.sndNxt == tp.sndUna)) {
            return SendReason.FIN;
        }
        return SendReason.NONE;
    }

    /** The sender's side of silly window avoidance, RFC 9293 section 3.8.6.2.1, and Nagle's rule. */
    @GuardedBy("tp.inp.lock")
    private static SendReason dataReason(Tcpcb tp, SendPlan p, int avail) {
        if (p.len >= tp.maxseg - p.optlen) {
            return SendReason.FULL_SEGMENT;
        }
        if (!tp.has(Tcpcb.TF_MORETOCOME | Tcpcb.TF_NOPUSH) && (p.idle || tp.has(Tcpcb.TF_NODELAY))
            && p.off + p.len >= avail) {
            return SendReason.ALL_THERE_IS;
        }
        if (tp.has(Tcpcb.TF_FORCEDATA) || tp.act().force == Tcpcb.FORCE_NEW) {
            return SendReason.PROBE;
        }
        if (p.len >= tp.maxSndwnd / 2 && tp.maxSndwnd > 0) {
            return SendReason.HALF_WINDOW;
        }
        return tp.sndNxt - tp.sndMax < 0 ? SendReason.RETRANSMIT : SendReason.NONE;
    }

    /**
     * Whether the window has opened by two segments and a good part of the buffer, or by half of it, since the peer
     * was last told. Not after the peer's FIN, nor while an ACK is about to go out anyhow; DIFFERS: but then too, where
     * the peer has no room left for the two segments that would bring that ACK, and may wait for it.
     */
    @GuardedBy("tp.inp.lock")
    static boolean windowUpdate(Tcpcb tp, int recwin, SockBuf rcv) {
        if (recwin == 0 || tp.state.haveRcvdFin() || !tp.state.haveEstablished()) {
            return false;
        }
        final int oldwin = Math.max(tp.rcvAdv - tp.rcvNxt, 0);
        if (tp.has(Tcpcb.TF_DELACK) && oldwin >= 2 * tp.maxseg) {
            return false;
        }
        final int adv = recwin - oldwin;
        if (adv <= 0 || recwin >> tp.rcvScale == oldwin >> tp.rcvScale) {
            return false; // nothing the peer would see
        }
        final int hiwat = rcv.hiwat();
        if (adv >= 2 * tp.maxseg && (adv >= hiwat / 4 || recwin <= hiwat / 8 || hiwat <= 8 * tp.maxseg
            || adv >= TcpHeader.TCP_MAXWIN << tp.rcvScale)) {
            return true;
        }
        return 2 * (long) adv >= hiwat;
    }
}
