package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;
import java.util.Arrays;

/**
 * The timers of RFC 9293 section 3.10.8 and those beside it. A connection has deadlines and one callout, armed for
 * the earliest or before: a deadline that moves away leaves the callout alone, which then fires early, finds nothing
 * due and arms itself again.
 *
 * @bsd tcp_timer_enter
 */
public final class TcpTimers {
    /** Retransmission. */
    public static final int TT_REXMT = 0;
    /** Window probes. */
    public static final int TT_PERSIST = 1;
    /** Keepalive, and the limit of the handshake. */
    public static final int TT_KEEP = 2;
    /** TIME-WAIT, and FIN-WAIT-2 of a closed socket. */
    public static final int TT_2MSL = 3;
    /** Delayed acknowledgment. */
    public static final int TT_DELACK = 4;
    /** The window of reordering. */
    public static final int TT_RACK = 5;
    /** Tail loss probe. */
    public static final int TT_TLP = 6;
    /** One more than the last. */
    public static final int TT_N = 7;

    /** Most retransmissions of one segment. */
    public static final int TCP_MAXRXTSHIFT = 12;

    /** No deadline. Clocks count from an arbitrary origin but never come near it. */
    static final long OFF = Long.MAX_VALUE;

    private static final long[] NONE = new long[TT_N];

    /** Silence after which a connection counts as quiet: any time longer than round trips and delayed ACKs does. */
    private static final long QUIET_NS = Tcp.NS_PER_S;
    private static final int[] BACKOFF = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512, 512};
    private static final int TOTAL_BACKOFF = 2559;

    static {
        Arrays.fill(NONE, OFF);
    }

    private TcpTimers() {
    }

    /** Arms a timer {@code delayNs} from now, or moves it. @bsd tcp_timer_activate */
    @GuardedBy("tp.inp.lock")
    public static void activate(Tcpcb tp, int which, long delayNs) {
        assert !tp.inp.has(Inpcb.INP_DROPPED) : "timer of a closed connection";
        final long at = tp.now() + Math.max(delayNs, 0);
        tp.act().timers[which] = at;
        wakeAt(tp, at);
    }

    /** Has output run at an instant; {@link TcpPacer} knows of it. */
    @GuardedBy("tp.inp.lock")
    static void wakeAt(Tcpcb tp, long at) {
        if (at < tp.calloutAtNs) {
            tp.calloutAtNs = at;
            tp.callout.resetAt(at);
        }
    }

    /** No segment, and so no timer, may be to come for long: looks in time whether all is quiet. */
    @GuardedBy("tp.inp.lock")
    static void watchQuiet(Tcpcb tp) {
        if (!tp.isQuiet()) {
            wakeAt(tp, tp.tcp.clock.nanoTime() + QUIET_NS);
        }
    }

    /** Disarms a timer. @bsd tcp_timer_activate */
    @GuardedBy("tp.inp.lock")
    public static void stop(Tcpcb tp, int which) {
        tp.act().timers[which] = OFF;
    }

    /** Disarms all. @bsd tcp_timer_stop */
    @GuardedBy("tp.inp.lock")
    public static void stopAll(Tcpcb tp) {
        clear(tp.act().timers);
        TcpPacer.awake(tp);
        tp.calloutAtNs = OFF;
        tp.callout.stop();
    }

    /** Sets all to {@link #OFF}. So few are copied without a loop. */
    static void clear(long[] timers) {
        System.arraycopy(NONE, 0, timers, 0, TT_N);
    }

    /** @bsd tcp_timer_active */
    @GuardedBy("tp.inp.lock")
    public static boolean active(Tcpcb tp, int which) {
        return tp.act().timers[which] != OFF;
    }

    /** What the callout runs. It holds the lock already; taking it again costs little and lets the checker see it. */
    static void fire(Tcpcb tp) {
        tp.inp.lock.lock();
        try {
            expired(tp);
        } finally {
            tp.inp.lock.unlock();
        }
    }

    @GuardedBy("tp.inp.lock")
    private static void expired(Tcpcb tp) {
        assert tp.inp.ppcb == tp && !tp.inp.has(Inpcb.INP_DROPPED | Inpcb.INP_FREED) : "timer of a pcb that is gone";
        final long[] timers = tp.act().timers;
        tp.calloutAtNs = OFF;
        final long now = tp.tcp.clock.nanoTime();
        tp.act().nowNs = now;
        tp.flags2 |= Tcpcb.TF2_INEVENT;
        for (int i = 0; i < TT_N && !tp.inp.has(Inpcb.INP_DROPPED); i++) {
            if (timers[i] <= now) {
                timers[i] = OFF;
                run(tp, i);
            }
        }
        if (TcpPacer.wakeNs(tp) <= now && !tp.inp.has(Inpcb.INP_DROPPED)) {
            TcpPacer.awake(tp);
            TcpOutput.output(tp);
        }
        tp.flags2 &= ~Tcpcb.TF2_INEVENT;
        if (!tp.inp.has(Inpcb.INP_DROPPED)) {
            rearm(tp);
        }
        assert TcpCheck.check(tp);
    }

    @GuardedBy("tp.inp.lock")
    private static void run(Tcpcb tp, int which) {
        switch (which) {
            case TT_REXMT -> rexmt(tp);
            case TT_PERSIST -> persist(tp);
            case TT_KEEP -> keep(tp);
            case TT_2MSL -> msl2(tp);
            case TT_RACK -> TcpRack.reorderTimeout(tp);
            case TT_TLP -> TcpRack.probeTimeout(tp);
            default -> delack(tp);
        }
    }

    @GuardedBy("tp.inp.lock")
    private static void rearm(Tcpcb tp) {
        long first = TcpPacer.wakeNs(tp);
        final long[] timers = tp.act().timers;
        boolean busy = first != OFF;
        for (int i = 0; i < TT_N; i++) {
            first = Math.min(first, timers[i]);
            busy |= i != TT_KEEP && timers[i] != OFF;
        }
        if (!busy && tp.sndUna == tp.sndMax && tp.rxtshift == 0 && tp.act().segq == null) {
            first = Math.min(first, quietAt(tp));
        }
        wakeAt(tp, first);
    }

    /** Nothing is to be done: gives back what only activity needs, or says when to look again. */
    @GuardedBy("tp.inp.lock")
    private static long quietAt(Tcpcb tp) {
        if (!tp.state.haveEstablished()) {
            return OFF;
        }
        final long heard = tp.act().nowNs - tp.rcvtimeNs;
        final long quiet = tp.sndtimeNs == 0 ? heard : Math.min(heard, tp.act().nowNs - tp.sndtimeNs);
        if (quiet < QUIET_NS) {
            return tp.act().nowNs + QUIET_NS - quiet;
        }
        final long past = TcpFusion.octets(tp);
        if (past != tp.act().fusedOctets) {
            tp.act().fusedOctets = past; // text goes past the segments
            return tp.act().nowNs + QUIET_NS;
        }
        TcpFusion.unfuse(tp); // the next that is sent may join them again
        tp.quiet();
        return OFF;
    }

    /** The delayed acknowledgment is due. @bsd tcp_timer_delack */
    @GuardedBy("tp.inp.lock")
    private static void delack(Tcpcb tp) {
        tp.flags = tp.flags & ~Tcpcb.TF_DELACK | Tcpcb.TF_ACKNOW;
        tp.tcp.stat.delack.increment();
        TcpOutput.output(tp);
    }

    /** Nothing was acknowledged in time: back off, send the oldest again. RFC 6298 5.4 - 5.7. @bsd tcp_timer_rexmt */
    @GuardedBy("tp.inp.lock")
    private static void rexmt(Tcpcb tp) {
        final Tcp tcp = tp.tcp;
        if (tp.rxtshift == 0) {
            tp.act().stalledNs = tp.act().nowNs - tp.rxtcurNs; // the timer starts with each acknowledgment
        }
        final boolean hopeless = noProgress(tp);
        if (hopeless || ++tp.rxtshift > tcp.sysctl.retries.getInt()) {
            tp.rxtshift = TCP_MAXRXTSHIFT;
            (hopeless ? tcp.stat.progdrops : tcp.stat.timeoutdrop).increment();
            TcpSubr.drop(tp, Errno.ETIMEDOUT);
            return;
        }
        tcp.stat.rexmttimeo.increment();
        if (tp.fb != null) {
            tp.fb.rexmitTimer(tp);
        }
        if (tp.state != TcpState.SYN_SENT && tp.rxtshift == 1) {
            saveForUndo(tp);
        } else {
            tp.flags &= ~Tcpcb.TF_PREVVALID;
        }
        final boolean syn = tp.state == TcpState.SYN_SENT || tp.state == TcpState.SYN_RECEIVED;
        final long base = syn ? tcp.sysctl.rexmitInitial.get() * Tcp.NS_PER_MS : TcpRtt.rexmtVal(tp);
        tp.rxtcurNs = TcpRtt.clamp(tp, base * BACKOFF[tp.rxtshift], 0);
        tcp.blackhole.timeout(tp);
        if (tp.rxtshift == 3 && tp.state == TcpState.SYN_SENT && tcp.sysctl.rexmitDropOptions.getBool()) {
            tp.flags &= ~(Tcpcb.TF_REQ_SCALE | Tcpcb.TF_REQ_TSTMP | Tcpcb.TF_SACK_PERMIT);
        }
        if (tp.rxtshift > TCP_MAXRXTSHIFT / 4) {
            // The route may be bad, and what we know of the round trip no longer holds.
            tp.act().route.invalidate();
            tp.rttvarNs += tp.srttNs / 4;
            tp.srttNs = 0;
        }
        if (tp.map == null || tp.map.isEmpty()) {
            TcpRack.forget(tp);
            tp.sndNxt = tp.sndUna;
        } else {
            TcpRack.timeout(tp);
        }
        tp.sndRecover = tp.sndMax;
        tp.flags |= Tcpcb.TF_ACKNOW;
        tp.act().rtttimeNs = 0; // Karn: what is sent again is not timed
        TcpCc.congSignal(tp, CcAlgo.Signal.RTO);
        TcpOutput.output(tp);
    }

    @GuardedBy("tp.inp.lock")
    private static void saveForUndo(Tcpcb tp) {
        tp.act().sndCwndPrev = tp.sndCwnd;
        tp.act().sndSsthreshPrev = tp.sndSsthresh;
        tp.act().sndRecoverPrev = tp.sndRecover;
        tp.flags &= ~(Tcpcb.TF_WASFRECOVERY | Tcpcb.TF_WASCRECOVERY);
        tp.flags |= tp.inFastRecovery() ? Tcpcb.TF_WASFRECOVERY : 0;
        tp.flags |= tp.inCongRecovery() ? Tcpcb.TF_WASCRECOVERY : 0;
        tp.act().badrxtwinNs = tp.act().nowNs + tp.srttNs / 2;
        tp.act().badrxtTs = tp.tsNow();
        tp.flags |= Tcpcb.TF_PREVVALID;
    }

    /** The window is still shut: probe it (RFC 9293 section 3.8.6.1, MUST-36). @bsd tcp_timer_persist */
    @GuardedBy("tp.inp.lock")
    private static void persist(Tcpcb tp) {
        final Tcp tcp = tp.tcp;
        tcp.stat.persisttimeo.increment();
        final long silence = tp.act().nowNs - tp.rcvtimeNs;
        // A peer that answers keeps the connection alive for ever (MUST-37); one that is silent does not.
        final boolean dead = tp.rxtshift == TCP_MAXRXTSHIFT
            && (silence >= tcp.sysctl.keepidle.get() * Tcp.NS_PER_MS || silence >= TcpRtt.rexmtVal(tp) * TOTAL_BACKOFF);
        final boolean deserted = tp.state.after(TcpState.CLOSE_WAIT)
            && silence >= tcp.sysctl.persmax.get() * Tcp.NS_PER_MS;
        final boolean hopeless = noProgress(tp);
        if (dead || deserted || hopeless) {
            (hopeless ? tcp.stat.progdrops : tcp.stat.persistdrop).increment();
            TcpSubr.drop(tp, Errno.ETIMEDOUT);
            return;
        }
        setPersist(tp);
        tp.flags |= Tcpcb.TF_FORCEDATA;
        TcpOutput.output(tp);
        tp.flags &= ~Tcpcb.TF_FORCEDATA;
    }

    /** Starts the persist timer, later each time. @bsd tcp_setpersist */
    @GuardedBy("tp.inp.lock")
    static void setPersist(Tcpcb tp) {
        assert !active(tp, TT_REXMT) : "persist while retransmitting";
        tp.flags &= ~Tcpcb.TF_PREVVALID;
        final long t = (4 * tp.srttNs + 8 * tp.rttvarNs) * BACKOFF[tp.rxtshift];
        final TcpSysctl s = tp.tcp.sysctl;
        final long lo = s.persmin.get() * Tcp.NS_PER_MS;
        final long hi = s.persmax.get() * Tcp.NS_PER_MS;
        activate(tp, TT_PERSIST, Math.clamp(t, lo, Math.max(lo, hi)));
        if (tp.rxtshift == 0) {
            tp.act().stalledNs = tp.now();
        }
        if (tp.rxtshift < TCP_MAXRXTSHIFT) {
            tp.rxtshift++;
        }
    }

    /** Whether nothing was acknowledged for longer than the user, or the vnet, allows. @bsd tcp_maxunacktime_check */
    @GuardedBy("tp.inp.lock")
    private static boolean noProgress(Tcpcb tp) {
        final long most = maxunacktime(tp);
        return most != 0 && tp.act().nowNs - tp.act().stalledNs >= most;
    }

    /** 0 for any time. @bsd TP_MAXUNACKTIME */
    static long maxunacktime(Tcpcb tp) {
        return tp.user.maxunackS() != 0 ? tp.user.maxunackS() * Tcp.NS_PER_S
            : tp.tcp.sysctl.maxunacktime.get() * Tcp.NS_PER_MS;
    }

    /** How long to wait for the answer to a SYN that was sent again {@code shift} times, ns. */
    static long synTimeoutNs(Tcp tcp, int shift) {
        final TcpSysctl s = tcp.sysctl;
        final long first = s.rexmitInitial.get() * Tcp.NS_PER_MS;
        final long hi = Math.max(s.rexmitMin.get(), s.rexmitMax.get()) * Tcp.NS_PER_MS;
        return shift == 0 ? first : Math.min(first * BACKOFF[shift] + s.rexmitSlop.get() * Tcp.NS_PER_MS, hi);
    }

    /**
     * The handshake took too long, or the connection was idle: probe it, give it up. DIFFERS: time alone does not
     * end it, more than half of the probes must have gone unanswered too. For when timers were held up (a process that
     * was stopped, a machine that slept), perhaps with a probe under way, all that time nobody could answer: no one
     * probe's fate may end a connection (RFC 1122 section 4.2.3.6).
     *
     * @bsd tcp_timer_keep
     */
    @GuardedBy("tp.inp.lock")
    private static void keep(Tcpcb tp) {
        final Tcp tcp = tp.tcp;
        if (!tp.state.haveEstablished()) {
            tcp.stat.keeptimeo.increment();
            tcp.stat.keepdrops.increment();
            TcpSubr.drop(tp, Errno.ETIMEDOUT);
            return;
        }
        final long idle = tp.act().nowNs - tp.rcvtimeNs;
        if (idle < keepidle(tp)) {
            // Segments came meanwhile; they do not move the timer, since that would cost every one of them.
            activate(tp, TT_KEEP, keepidle(tp) - idle);
            return;
        }
        tcp.stat.keeptimeo.increment();
        final SocketSide so = tp.inp.so;
        final boolean wanted = tcp.sysctl.alwaysKeepalive.getBool()
            || so != null && (so.options() & SocketDefs.SO_KEEPALIVE) != 0;
        // DIFFERS: in FIN-WAIT-2 too: who has closed his own direction and reads on may wait for a peer that is gone.
        if (!wanted || tp.state.after(TcpState.CLOSING) && tp.state != TcpState.FIN_WAIT_2) {
            activate(tp, TT_KEEP, keepidle(tp));
            return;
        }
        if (idle >= keepidle(tp) + maxidle(tp) && tp.keepprobes > keepcnt(tp) / 2) {
            tcp.stat.keepdrops.increment();
            TcpSubr.drop(tp, Errno.ETIMEDOUT);
            return;
        }
        tp.keepprobes++;
        tcp.stat.keepprobe.increment();
        tcp.respond.keepProbe(tp);
        activate(tp, TT_KEEP, keepintvl(tp));
    }

    /** TIME-WAIT, or FIN-WAIT-2 without a reader, is over. @bsd tcp_timer_2msl */
    @GuardedBy("tp.inp.lock")
    private static void msl2(Tcpcb tp) {
        if (tp.state == TcpState.TIME_WAIT) {
            TcpSubr.close(tp);
            return;
        }
        final boolean fast = tp.tcp.sysctl.fastFinwait2Recycle.getBool() && tp.state == TcpState.FIN_WAIT_2;
        if (!fast && tp.act().nowNs - tp.rcvtimeNs < maxidle(tp)) {
            activate(tp, TT_2MSL, keepintvl(tp));
            return;
        }
        tp.tcp.stat.finwait2drops.increment();
        TcpSubr.close(tp);
    }

    /** @bsd TP_KEEPINIT */
    static long keepinit(Tcpcb tp) {
        return tp.user.keepinitNs() != 0 ? tp.user.keepinitNs() : tp.tcp.sysctl.keepinit.get() * Tcp.NS_PER_MS;
    }

    /** @bsd TP_KEEPIDLE */
    static long keepidle(Tcpcb tp) {
        return tp.user.keepidleNs() != 0 ? tp.user.keepidleNs() : tp.tcp.sysctl.keepidle.get() * Tcp.NS_PER_MS;
    }

    /** @bsd TP_KEEPINTVL */
    static long keepintvl(Tcpcb tp) {
        return tp.user.keepintvlNs() != 0 ? tp.user.keepintvlNs() : tp.tcp.sysctl.keepintvl.get() * Tcp.NS_PER_MS;
    }

    /** @bsd TP_KEEPCNT */
    static int keepcnt(Tcpcb tp) {
        return tp.user.keepcnt() != 0 ? tp.user.keepcnt() : tp.tcp.sysctl.keepcnt.getInt();
    }

    /** @bsd TP_MAXIDLE */
    static long maxidle(Tcpcb tp) {
        return keepcnt(tp) * keepintvl(tp);
    }

    /** How long FIN-WAIT-2 of a closed socket lasts. @bsd tcp_finwait2_timeout */
    static long finwait2(Tcpcb tp) {
        final TcpSysctl s = tp.tcp.sysctl;
        return s.fastFinwait2Recycle.getBool() ? s.finwait2Timeout.get() * Tcp.NS_PER_MS : maxidle(tp);
    }
}
