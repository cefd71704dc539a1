package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;

/**
 * Life and death of connections. {@code tcp_usr_*} calls it from above, segments and timers from below; all with the
 * pcb's lock held unless a method says otherwise.
 */
public final class TcpSubr {
    private TcpSubr() {
    }

    /** A new block in CLOSED for a fresh pcb, which then has it as its ppcb. @bsd tcp_newtcpcb */
    @SuppressWarnings("GuardedBy") // nobody else knows it yet
    public static Tcpcb newTcpcb(Tcp tcp, Inpcb inp) {
        final Tcpcb tp = new Tcpcb(tcp, inp);
        init(tp);
        inp.ppcb = tp;
        tcp.functions.attach(tp);
        return tp;
    }

    @GuardedBy("tp.inp.lock")
    private static void init(Tcpcb tp) {
        final Tcp tcp = tp.tcp;
        final TcpSysctl s = tcp.sysctl;
        tp.maxseg = s.mssdflt.getInt();
        tp.segData = tp.maxseg;
        tp.tsoMax = TcpHeader.TCP_MAXWIN;
        tp.flags = switch (s.rfc1323.getInt()) {
            case 1 -> Tcpcb.TF_REQ_SCALE | Tcpcb.TF_REQ_TSTMP;
            case 2 -> Tcpcb.TF_REQ_SCALE;
            case 3 -> Tcpcb.TF_REQ_TSTMP;
            default -> 0;
        };
        if (s.sackEnable.getBool()) {
            tp.flags |= Tcpcb.TF_SACK_PERMIT;
        }
        tp.rxtcurNs = s.rexmitInitial.get() * Tcp.NS_PER_MS;
        tp.rttvarNs = tp.rxtcurNs / 4; // so that SRTT + 4 RTTVAR is that too
        tp.sndCwnd = TcpHeader.TCP_MAXWIN << TcpHeader.TCP_MAX_WINSHIFT;
        tp.sndSsthresh = TcpHeader.TCP_MAXWIN << TcpHeader.TCP_MAX_WINSHIFT;
        TcpCc.attach(tp, tcp.cc.byDefault(s.ccAlgorithm.getString()));
        tcp.states.inc(TcpState.CLOSED);
    }

    /** @bsd tcp_state_change */
    @GuardedBy("tp.inp.lock")
    public static void stateChange(Tcpcb tp, TcpState to) {
        tp.tcp.states.change(tp.state, to);
        tp.state = to;
    }

    /**
     * Begins a connection whose endpoints are set: RFC 9293 section 3.10.1, active OPEN. Sends the SYN.
     *
     * @return what sending said; the connection exists whatever it says
     * @bsd tcp_connect
     */
    @GuardedBy("tp.inp.lock")
    public static Errno activeOpen(Tcpcb tp) {
        synSent(tp);
        return TcpOutput.output(tp);
    }

    /** As {@link #activeOpen}, the SYN left for the caller to send. */
    @GuardedBy("tp.inp.lock")
    static void synSent(Tcpcb tp) {
        requestScale(tp);
        if (tp.has(Tcpcb.TF_FASTOPEN)) {
            TcpMss.update(tp, -1); // the SYN may have text
        } else {
            TcpMss.resize(tp);
        }
        tp.maxseg = Math.max(tp.maxseg, TcpMss.mssdflt(tp));
        tp.inp.so.isConnecting();
        tp.tcp.stat.connattempt.increment();
        stateChange(tp, TcpState.SYN_SENT);
        final TcpIsn isn = tp.tcp.isn;
        tp.rcvtimeNs = tp.now();
        final long hash = isn.hash(tp);
        tp.iss = TcpIsn.newIsn(hash, tp.now());
        tp.tsOffset = isn.newTsOffset(tp, hash, tp.tcp.sysctl.tsOffsetPerConn.getBool());
        sendSeqInit(tp);
        TcpTimers.activate(tp, TcpTimers.TT_KEEP, TcpTimers.keepinit(tp));
    }

    /** The window scale to ask for: enough for the largest receive buffer there can be. */
    @GuardedBy("tp.inp.lock")
    static void requestScale(Tcpcb tp) {
        tp.requestRScale = (byte) windowScale(tp.tcp);
    }

    /** The least shift with which the largest buffer there can be, {@code kern.ipc.maxsockbuf}, can be offered. */
    static int windowScale(Tcp tcp) {
        final long largest = tcp.sysctl.maxsockbuf.get();
        int shift = 0;
        while (shift < TcpHeader.TCP_MAX_WINSHIFT && (long) TcpHeader.TCP_MAXWIN << shift < largest) {
            shift++;
        }
        return shift;
    }

    /** @bsd tcp_sendseqinit */
    @GuardedBy("tp.inp.lock")
    static void sendSeqInit(Tcpcb tp) {
        tp.sndUna = tp.iss;
        tp.sndNxt = tp.iss;
        tp.sndMax = tp.iss;
        tp.sndUp = tp.iss;
        tp.sndRecover = tp.iss;
    }

    /** @bsd tcp_rcvseqinit */
    @GuardedBy("tp.inp.lock")
    static void rcvSeqInit(Tcpcb tp) {
        tp.rcvNxt = tp.irs + 1;
        tp.rcvAdv = tp.irs + 1;
        tp.rcvUp = tp.irs + 1;
        tp.lastAckSent = tp.irs + 1;
    }

    /** Both sides have said what options they use: RFC 7323 sections 2.2 and 3.2. */
    @GuardedBy("tp.inp.lock")
    static void negotiate(Tcpcb tp, Seg seg) {
        if (seg.hasOpt(Seg.TOF_SCALE) && tp.has(Tcpcb.TF_REQ_SCALE) && !tp.has(Tcpcb.TF_NOOPT)) {
            tp.flags |= Tcpcb.TF_RCVD_SCALE;
            tp.sndScale = (byte) seg.wscale;
            tp.rcvScale = tp.requestRScale;
        } else {
            tp.flags &= ~Tcpcb.TF_REQ_SCALE;
        }
        if (seg.hasOpt(Seg.TOF_TS) && tp.has(Tcpcb.TF_REQ_TSTMP) && !tp.has(Tcpcb.TF_NOOPT)) {
            tp.flags |= Tcpcb.TF_RCVD_TSTMP;
            tp.tsRecent = seg.tsval;
            tp.tsRecentAge = tp.now();
        } else {
            tp.flags &= ~Tcpcb.TF_REQ_TSTMP;
        }
        if (!seg.hasOpt(Seg.TOF_SACKPERM) || tp.has(Tcpcb.TF_NOOPT) || !tp.tcp.sysctl.sackEnable.getBool()) {
            tp.flags &= ~Tcpcb.TF_SACK_PERMIT;
        }
        // The window of a SYN is never scaled.
        tp.sndWnd = seg.rawWin;
        tp.maxSndwnd = Math.max(tp.maxSndwnd, tp.sndWnd);
    }

    /**
     * Ends a connection with an error for its user; the peer is told by a reset when it knows of us.
     *
     * @bsd tcp_drop
     */
    @GuardedBy("tp.inp.lock")
    public static void drop(Tcpcb tp, Errno errno) {
        if (tp.inp.has(Inpcb.INP_DROPPED)) {
            return;
        }
        TcpFusion.unfuse(tp);
        if (tp.state.haveRcvdSyn()) {
            final boolean told = TcpFusionOpen.reset(tp);
            stateChange(tp, TcpState.CLOSED);
            if (!told) {
                TcpOutput.output(tp);
            }
            tp.tcp.stat.drops.increment();
        } else {
            tp.tcp.stat.conndrops.increment();
        }
        final Errno why = errno == Errno.ETIMEDOUT && tp.softerror != Errno.OK ? tp.softerror : errno;
        if (tp.inp.so != null && why != Errno.OK) {
            tp.inp.so.setError(why);
        }
        close(tp);
    }

    /**
     * Ends a connection silently: no segment finds it from here on, its timers are off, its socket is disconnected.
     * The block lives until its socket detaches. Does nothing the second time.
     *
     * @bsd tcp_close
     */
    @GuardedBy("tp.inp.lock")
    public static void close(Tcpcb tp) {
        if (tp.inp.has(Inpcb.INP_DROPPED)) {
            return;
        }
        TcpFusion.unfuse(tp);
        TcpHostcache.save(tp);
        TcpRack.forget(tp);
        TcpTimers.stopAll(tp);
        TcpReass.flush(tp);
        TcpFastopen.release(tp);
        if (tp.twQueued) {
            tp.tcp.timeWait.remove(tp);
        }
        tp.inp.drop();
        tp.tcp.stat.closed.increment();
        if (tp.state != TcpState.CLOSED) {
            stateChange(tp, TcpState.CLOSED);
        }
        final SocketSide so = tp.inp.so;
        if (so == null) {
            return;
        }
        so.isDisconnected();
        if (tp.inp.has(Inpcb.INP_SOCKREF)) {
            tp.inp.setFlagBits(0, Inpcb.INP_SOCKREF);
            tp.tcp.rele.later(tp);
        }
    }

    /**
     * The socket detaches: gives up what the block holds. Afterwards, without the lock, {@link #drain} is due.
     *
     * @bsd tcp_discardcb
     */
    @GuardedBy("tp.inp.lock")
    public static void discard(Tcpcb tp) {
        TcpRack.forget(tp);
        if (!tp.inp.has(Inpcb.INP_DROPPED)) { // else they were stopped with its end
            TcpTimers.stopAll(tp);
        }
        TcpReass.flush(tp);
        tp.tcp.functions.discard(tp);
        tp.cc.cbDestroy(tp);
        tp.ccData = null;
        tp.tcp.states.dec(tp.state);
        tp.quiet();
        tp.inp.ppcb = null;
    }

    /** Waits until no timer of the block runs. Without its lock. */
    public static void drain(Tcpcb tp) {
        tp.callout.drain();
    }

    /** Enters TIME-WAIT: the last ACK goes out, then 2 MSL of quiet. @bsd tcp_twstart */
    @GuardedBy("tp.inp.lock")
    static void twStart(Tcpcb tp) {
        final Tcp tcp = tp.tcp;
        stateChange(tp, TcpState.TIME_WAIT);
        final boolean local = TcpPath.local(tp);
        if (tp.inp.so != null) {
            tp.inp.so.isDisconnected();
        }
        if (tp.has(Tcpcb.TF_ACKNOW)) {
            TcpOutput.output(tp);
            if (tp.inp.has(Inpcb.INP_DROPPED)) {
                return;
            }
        }
        TcpReass.flush(tp);
        if (local && tcp.sysctl.nolocaltimewait.getBool()) {
            close(tp);
            return;
        }
        TcpTimers.stopAll(tp);
        TcpTimers.activate(tp, TcpTimers.TT_2MSL, 2 * mslNs(tp, local));
        tcp.timeWait.add(tp);
    }

    @GuardedBy("tp.inp.lock")
    static long mslNs(Tcpcb tp, boolean local) {
        return (local ? tp.tcp.sysctl.mslLocal : tp.tcp.sysctl.msl).get() * Tcp.NS_PER_MS;
    }

    /** FIN-WAIT-2 and nobody reads any more: it must not last for ever. */
    @GuardedBy("tp.inp.lock")
    static void finWait2(Tcpcb tp) {
        final SocketSide so = tp.inp.so;
        if (so != null && (so.rcv().state() & SocketDefs.SBS_CANTRCVMORE) != 0) {
            so.isDisconnected();
            TcpTimers.activate(tp, TcpTimers.TT_2MSL, TcpTimers.finwait2(tp));
        }
    }

    /** By name. EINVAL when there is no such algorithm. @bsd TCP_CONGESTION */
    @GuardedBy("tp.inp.lock")
    public static Errno setCongestion(Tcpcb tp, String name) {
        final CcAlgo algo = tp.tcp.cc.find(name);
        if (algo == null) {
            return Errno.ENOENT;
        }
        TcpCc.attach(tp, algo);
        return Errno.OK;
    }

    /** @bsd TCP_CONGESTION */
    @GuardedBy("tp.inp.lock")
    public static String congestion(Tcpcb tp) {
        return tp.cc.name();
    }

    /** Ends every connection silently, without locks held: the vnet goes. */
    static void closeAll(Tcp tcp) {
        for (final Inpcb inp : tcp.tcbinfo.snapshot()) {
            if (inp.ppcb instanceof Tcpcb tp) {
                tp.inp.lock.lock();
                try {
                    close(tp);
                } finally {
                    tp.inp.lock.unlock();
                }
                drain(tp);
            }
        }
    }

    /** Frees all reassembly queues, without locks held: mbufs are short. @bsd tcp_drain */
    static void drainAll(Tcp tcp) {
        if (tcp.reassSegs.get() == 0) {
            return; // nothing to find in any of them
        }
        for (final Inpcb inp : tcp.tcbinfo.snapshot()) {
            if (inp.ppcb instanceof Tcpcb tp) {
                tp.inp.lock.lock();
                try {
                    TcpReass.drain(tp);
                } finally {
                    tp.inp.lock.unlock();
                }
            }
        }
    }
}
