package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Seq;

/**
 * Sends what is due: {@link SendDecision} says what, {@link SegmentBuilder} makes it, this hands it down, moves the
 * sequence numbers and arms the timers, until nothing more may go.
 */
public final class TcpOutput {
    private static final long SND_AUTO_NUM = 5;

    private TcpOutput() {
    }

    /**
     * Sends whatever is due: data, acknowledgments, window updates, control. In CLOSED it sends a reset.
     *
     * @return OK, also when nothing was due or what went wrong is only temporary; otherwise what IP says
     * @bsd tcp_output
     */
    @GuardedBy("tp.inp.lock")
    public static Errno output(Tcpcb tp) {
        final TcpFunctionBlock fb = tp.fb;
        return fb == null ? defaultOutput(tp) : fb.output(tp);
    }

    /** As the base stack does it. @bsd tcp_default_output */
    @GuardedBy("tp.inp.lock")
    static Errno defaultOutput(Tcpcb tp) {
        if (tp.inp.so == null) {
            return Errno.OK;
        }
        TcpFusion.settle(tp);
        final boolean mine = (tp.flags2 & Tcpcb.TF2_INEVENT) == 0;
        if (mine) {
            tp.act().nowNs = tp.tcp.clock.nanoTime();
            tp.flags2 |= Tcpcb.TF2_INEVENT;
        }
        final SendPlan p = tp.tcp.segs.claimPlan();
        final Errno e = loop(tp, p);
        tp.tcp.segs.release(p);
        if (mine) {
            tp.flags2 &= ~Tcpcb.TF2_INEVENT;
        }
        return e;
    }

    /**
     * False where an acknowledgment can have set nothing free: the buffer is empty and no FIN is owed. Reading, not an
     * acknowledgment, opens the window that we offer.
     */
    @GuardedBy("tp.inp.lock")
    static boolean mayBeDue(Tcpcb tp) {
        return tp.fb != null || tp.state != TcpState.ESTABLISHED || tp.inp.so.snd().avail() > 0;
    }

    /** The user has read: sends what that makes due, which is a window update or nothing. */
    @GuardedBy("tp.inp.lock")
    static Errno windowOpened(Tcpcb tp) {
        if (tp.fb != null) {
            return tp.fb.output(tp);
        }
        TcpFusion.settle(tp);
        final SockBuf rcv = tp.inp.so.rcv();
        return SendDecision.windowUpdate(tp, SendDecision.receiveWindow(tp, rcv), rcv) ? defaultOutput(tp) : Errno.OK;
    }

    @GuardedBy("tp.inp.lock")
    private static Errno loop(Tcpcb tp, SendPlan p) {
        p.idle = idle(tp);
        int tooBig = 0;
        Errno e;
        do {
            SendDecision.plan(tp, p);
            if (p.reason == SendReason.NONE) {
                nothing(tp);
                return Errno.OK;
            }
            autoSize(tp, p);
            e = send(tp, p);
            if (e == Errno.EMSGSIZE && tooBig++ == 0) {
                // The link's MTU is less than we knew: IP has told; take smaller segments, once.
                TcpMss.update(tp, -1);
                e = Errno.OK;
                p.sendalot = true;
            }
        } while (e == Errno.OK && p.sendalot);
        return error(tp, p, e);
    }

    /** Nothing in flight. After a long silence congestion control starts afresh. */
    @GuardedBy("tp.inp.lock")
    private static boolean idle(Tcpcb tp) {
        boolean idle = tp.has(Tcpcb.TF_LASTIDLE) || tp.sndMax == tp.sndUna;
        if (idle && tp.sndtimeNs != 0 && tp.act().nowNs - tp.sndtimeNs >= tp.rxtcurNs
            && tp.act().nowNs - tp.rcvtimeNs >= tp.rxtcurNs && tp.state.haveEstablished()) {
            TcpCc.afterIdle(tp);
        }
        tp.flags &= ~Tcpcb.TF_LASTIDLE;
        if (idle && tp.has(Tcpcb.TF_MORETOCOME)) {
            tp.flags |= Tcpcb.TF_LASTIDLE;
            idle = false;
        }
        return idle;
    }

    /**
     * Nothing may go and no timer would ever change that. With data in flight it is the retransmit timer that is
     * missing; otherwise the window has to be probed.
     */
    @GuardedBy("tp.inp.lock")
    private static void nothing(Tcpcb tp) {
        if (!tp.state.haveEstablished() || TcpTimers.active(tp, TcpTimers.TT_REXMT)
            || TcpTimers.active(tp, TcpTimers.TT_PERSIST) || TcpPacer.wakeNs(tp) != TcpTimers.OFF) {
            return;
        }
        if (tp.sndNxt != tp.sndUna) {
            TcpTimers.activate(tp, TcpTimers.TT_REXMT, tp.rxtcurNs);
        } else if (tp.inp.so.snd().avail() > 0) {
            tp.rxtshift = 0;
            TcpTimers.setPersist(tp);
        }
    }

    /**
     * Grows the send buffer when it is what holds back a sender whose windows would let more out.
     *
     * @bsd tcp_sndbuf_autoscale
     */
    @GuardedBy("tp.inp.lock")
    private static void autoSize(Tcpcb tp, SendPlan p) {
        final SockBuf snd = tp.inp.so.snd();
        final int hiwat = snd.hiwat();
        final int used = snd.used();
        if (used < hiwat / 8 * 7 || (snd.flags() & SocketDefs.SB_AUTOSIZE) == 0) {
            return;
        }
        final TcpSysctl s = tp.tcp.sysctl;
        final int max = s.sendbufMax.getInt();
        if (!s.sendbufAuto.getBool() || hiwat >= max || (long) tp.sndWnd / 4 * SND_AUTO_NUM < hiwat
            || p.sendwin < used - (tp.sndNxt - tp.sndUna)) {
            return;
        }
        // At least a super-segment at a time, so that large segments flow soon.
        final int step = Math.max(s.sendbufInc.getInt(), Math.min(hiwat, tp.tsoMax));
        snd.lock().lock();
        try {
            if (!snd.reserveLocked(Math.min(hiwat + step, max))) {
                snd.setFlagBits(0, SocketDefs.SB_AUTOSIZE);
            }
        } finally {
            snd.lock().unlock();
        }
    }

    /** One segment, or one super-segment. */
    @GuardedBy("tp.inp.lock")
    private static Errno send(Tcpcb tp, SendPlan p) {
        finish(tp, p);
        final Mbuf m = SegmentBuilder.build(tp, p);
        if (m == null) {
            return Errno.ENOBUFS;
        }
        if (p.to.has(Seg.TOF_SIGNATURE) && p.optlen > 0 && !tp.tcp.md5.sign(m, TcpPath.carrierLen(tp), p.to)) {
            m.freeChain();
            return Errno.EACCES; // no key for that peer
        }
        count(tp, p);
        final Errno e = TcpPath.output(tp, m);
        if (e != Errno.OK && e != Errno.ENOBUFS) {
            if (p.probe && e == Errno.EMSGSIZE) {
                tp.tcp.plpmtud.refused(tp);
            }
            return e;
        }
        // What the device had no room for counts as sent and lost: its timer runs.
        TcpEcn.sent(tp, p);
        if (tp.pacer != null && p.len > 0) {
            TcpPacer.sent(tp, p);
        }
        advance(tp, p);
        if (p.probe) {
            tp.tcp.plpmtud.sent(tp, p);
        }
        if (e == Errno.OK) {
            told(tp, p);
        }
        return e;
    }

    /** PSH, URG and a FIN that was sent before. */
    @GuardedBy("tp.inp.lock")
    private static void finish(Tcpcb tp, SendPlan p) {
        if (p.len > 0 && p.off + p.len == tp.inp.so.snd().used() && (p.flags & TcpHeader.TH_SYN) == 0) {
            p.flags |= TcpHeader.TH_PUSH;
        }
        if (Seq.gt(tp.sndUp, p.seq)) {
            p.flags |= TcpHeader.TH_URG;
        } else {
            tp.sndUp = tp.sndUna; // drags along, so that it does not fall behind by half the space
        }
        if ((p.flags & TcpHeader.TH_FIN) != 0 && tp.has(Tcpcb.TF_SENTFIN) && tp.sndNxt == tp.sndMax
            && !p.rexmit) {
            p.seq--; // snd_nxt itself stays: nothing may come of this segment
        }
        TcpEcn.output(tp, p);
    }

    @GuardedBy("tp.inp.lock")
    private static void count(Tcpcb tp, SendPlan p) {
        final TcpStat s = tp.tcp.stat;
        s.sndtotal.increment();
        if (p.len > 0) {
            if (tp.has(Tcpcb.TF_FORCEDATA) && p.len == 1) {
                s.sndprobe.increment();
            } else if (Seq.lt(p.seq, tp.sndMax)) {
                tp.sndRexmitpack++;
                tp.sndRetransOctets += p.len;
                s.sndrexmitpack.increment();
                s.sndrexmitbyte.add(p.len);
            } else {
                s.sndpack.increment();
                s.sndbyte.add(p.len);
            }
            if (p.tso) {
                s.sndtso.increment();
            }
        } else if (p.reason == SendReason.ACK_NOW) {
            s.sndacks.increment();
        } else if ((p.flags & (TcpHeader.TH_SYN | TcpHeader.TH_FIN | TcpHeader.TH_RST)) != 0) {
            s.sndctrl.increment();
        } else if (p.reason == SendReason.URGENT) {
            s.sndurg.increment();
        } else {
            s.sndwinup.increment();
        }
    }

    /** Moves the sequence numbers over what went out and sees to its timer. */
    @GuardedBy("tp.inp.lock")
    private static void advance(Tcpcb tp, SendPlan p) {
        final int span = p.len + ((p.flags & TcpHeader.TH_SYN) != 0 ? 1 : 0)
            + ((p.flags & TcpHeader.TH_FIN) != 0 ? 1 : 0);
        if ((p.flags & TcpHeader.TH_FIN) != 0) {
            tp.flags |= Tcpcb.TF_SENTFIN;
        }
        if (p.len > 0) {
            tp.sndtimeNs = tp.act().nowNs;
        }
        if (tp.has(Tcpcb.TF_FORCEDATA) && TcpTimers.active(tp, TcpTimers.TT_PERSIST)) {
            // A probe does not count as sent, but must be acknowledgeable.
            tp.sndMax = Seq.max(tp.sndMax, p.seq + span);
            return;
        }
        final int start = p.seq;
        if (p.rexmit) {
            tp.act().rtttimeNs = 0; // Karn
        } else if (span > 0) {
            tp.sndNxt = p.seq + span;
        }
        if (Seq.gt(tp.sndNxt, tp.sndMax)) {
            tp.sndMax = tp.sndNxt;
            if (tp.act().rtttimeNs == 0) {
                tp.act().rtttimeNs = tp.act().nowNs == 0 ? 1 : tp.act().nowNs;
                tp.act().rtseq = start;
                tp.tcp.stat.segstimed.increment();
            }
        }
        if (!TcpTimers.active(tp, TcpTimers.TT_REXMT) && tp.sndNxt != tp.sndUna && span > 0) {
            if (TcpTimers.active(tp, TcpTimers.TT_PERSIST)) {
                TcpTimers.stop(tp, TcpTimers.TT_PERSIST);
                tp.rxtshift = 0;
            }
            TcpTimers.activate(tp, TcpTimers.TT_REXMT, tp.rxtcurNs);
        } else if (p.rexmit && start == tp.sndUna && tp.inFastRecovery()) {
            TcpTimers.activate(tp, TcpTimers.TT_REXMT, tp.rxtcurNs); // it has a round trip before it
        } else if (p.len == 0) {
            nothing(tp);
        }
        if (span > 0) {
            TcpRack.sent(tp, p, start, start + span);
        }
    }

    /** The peer has been told our window and what we have. */
    @GuardedBy("tp.inp.lock")
    private static void told(Tcpcb tp, SendPlan p) {
        if (Seq.gt(tp.rcvNxt + p.recwin, tp.rcvAdv)) {
            tp.rcvAdv = tp.rcvNxt + p.recwin;
        }
        if (p.recwin == 0) {
            tp.flags |= Tcpcb.TF_RXWIN0SENT;
        } else {
            tp.flags &= ~Tcpcb.TF_RXWIN0SENT;
        }
        tp.lastAckSent = tp.rcvNxt;
        tp.act().dsackStart = tp.act().dsackEnd; // reported once
        tp.flags &= ~(Tcpcb.TF_ACKNOW | Tcpcb.TF_DELACK);
        TcpTimers.stop(tp, TcpTimers.TT_DELACK);
    }

    /** What is only temporary is left to the retransmit timer. */
    @GuardedBy("tp.inp.lock")
    private static Errno error(Tcpcb tp, SendPlan p, Errno e) {
        return switch (e) {
            case ENOBUFS -> {
                again(tp);
                tp.sndCwnd = tp.segData;
                yield Errno.OK;
            }
            case EACCES, EPERM -> {
                if (tp.state.haveEstablished()) {
                    again(tp);
                }
                tp.softerror = e;
                yield e;
            }
            case EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH -> unreachable(tp, p, e);
            default -> {
                if (p.len > 0 || (p.flags & (TcpHeader.TH_SYN | TcpHeader.TH_FIN)) != 0) {
                    again(tp); // the address may have gone for a while only, or the link's MTU gone down twice
                }
                yield e;
            }
        };
    }

    /** Nothing went out: a timer tries again. */
    @GuardedBy("tp.inp.lock")
    private static void again(Tcpcb tp) {
        if (!TcpTimers.active(tp, TcpTimers.TT_REXMT) && !TcpTimers.active(tp, TcpTimers.TT_PERSIST)
            && tp.state != TcpState.CLOSED) {
            TcpTimers.activate(tp, TcpTimers.TT_REXMT, tp.rxtcurNs);
        }
    }

    /** As if it had been lost: tried again until the timer gives up, and then this is the reason. */
    @GuardedBy("tp.inp.lock")
    private static Errno unreachable(Tcpcb tp, SendPlan p, Errno e) {
        if (tp.state == TcpState.CLOSED) {
            return e;
        }
        advance(tp, p);
        if (!tp.state.haveRcvdSyn()) {
            return e;
        }
        tp.softerror = e;
        return Errno.OK;
    }
}
