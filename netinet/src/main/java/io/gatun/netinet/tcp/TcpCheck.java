package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.sys.Seq;

/**
 * What holds for a connection whenever nobody holds its lock, whatever failed meanwhile: numbers are in order, what is
 * noted of what is in flight is all of it, and where something is owed a timer runs. For assertions at the end of
 * each event: {@code assert TcpCheck.check(tp);}. Changes nothing.
 *
 * <p>What is long is not recounted after each event, since as many events as it has mbufs would then cost the square
 * of them: buffers with n segments, and with them the map of what is in flight, are recounted after each n/256th.
 */
final class TcpCheck {
    /** Octets in the buffers for which one more event goes by without a recount. */
    static final int STEP = 256 * 1448;

    private TcpCheck() {
    }

    /** Fails where something does not hold. */
    @GuardedBy("tp.inp.lock")
    static boolean check(Tcpcb tp) {
        if (tp.inp.has(Inpcb.INP_DROPPED | Inpcb.INP_FREED)) {
            assert tp.map == null : describe("a map of what has ended", tp);
            return true;
        }
        if (!tp.state.after(TcpState.LISTEN) || tp.fb != null) {
            return true;
        }
        sent(tp);
        map(tp);
        if (recountIsDue(tp)) {
            assert tp.inp.so.snd().check() && tp.inp.so.rcv().check();
            assert tp.map == null || tp.map.check();
            assert tp.isQuiet() || TcpReass.check(tp);
        }
        if (tp.isQuiet()) {
            assert !owes(tp) : describe("quiet, and something is owed", tp);
            return true;
        }
        timers(tp);
        return true;
    }

    @GuardedBy("tp.inp.lock")
    private static void sent(Tcpcb tp) {
        assert Seq.leq(tp.sndUna, tp.sndNxt) && Seq.leq(tp.sndNxt, tp.sndMax) : describe("numbers out of order", tp);
        final SockBuf snd = tp.inp.so.snd();
        final int syn = tp.sndUna == tp.iss ? 1 : 0;
        final int fin = tp.has(Tcpcb.TF_SENTFIN) ? 1 : 0;
        assert tp.state == TcpState.TIME_WAIT || tp.sndMax - tp.sndUna <= snd.avail() + syn + fin
            : describe("more in flight than in the buffer", tp);
    }

    @GuardedBy("tp.inp.lock")
    private static boolean recountIsDue(Tcpcb tp) {
        if (tp.isQuiet()) {
            return true;
        }
        final TcpActivity act = tp.act();
        if (act.unchecked++ < ((long) tp.inp.so.snd().used() + tp.inp.so.rcv().used() + act.segqStorage) / STEP) {
            return false;
        }
        act.unchecked = 0;
        return true;
    }

    @GuardedBy("tp.inp.lock")
    private static void map(Tcpcb tp) {
        if (tp.map != null) {
            assert tp.map.start() == tp.sndUna && tp.map.end() == tp.sndNxt
                : describe("the map ends at " + (tp.map.end() - tp.iss), tp);
        }
    }

    @GuardedBy("tp.inp.lock")
    private static void timers(Tcpcb tp) {
        final boolean running = TcpTimers.active(tp, TcpTimers.TT_REXMT)
            || TcpTimers.active(tp, TcpTimers.TT_PERSIST) || TcpPacer.wakeNs(tp) != TcpTimers.OFF;
        assert running || !owes(tp) : describe("something is owed, and no timer runs", tp);
        assert !TcpTimers.active(tp, TcpTimers.TT_REXMT) || !TcpTimers.active(tp, TcpTimers.TT_PERSIST)
            : describe("persist while retransmitting", tp);
        assert !tp.has(Tcpcb.TF_DELACK) || TcpTimers.active(tp, TcpTimers.TT_DELACK)
            : describe("an acknowledgment is delayed for ever", tp);
        for (int i = 0; i < TcpTimers.TT_N; i++) {
            assert tp.act().timers[i] >= tp.calloutAtNs : describe("callout later than timer " + i, tp);
        }
    }

    /** Whether something has to go, now or later, without anybody's doing. */
    @GuardedBy("tp.inp.lock")
    private static boolean owes(Tcpcb tp) {
        return switch (tp.state) {
            case SYN_SENT -> !TcpFastopen.silent(tp);
            case FIN_WAIT_1, CLOSING, LAST_ACK -> true;
            case TIME_WAIT -> false;
            case SYN_RECEIVED -> tp.sndUna != tp.sndMax;
            default -> tp.sndUna != tp.sndMax || tp.inp.so.snd().avail() > 0;
        };
    }

    @GuardedBy("tp.inp.lock")
    private static String describe(String what, Tcpcb tp) {
        final SockBuf snd = tp.inp.so == null ? null : tp.inp.so.snd();
        return what + ": " + tp + " una " + (tp.sndUna - tp.iss) + " nxt " + (tp.sndNxt - tp.iss) + " max "
            + (tp.sndMax - tp.iss) + " buffer " + (snd == null ? "none" : snd.avail()) + " wnd " + tp.sndWnd + " cwnd "
            + tp.sndCwnd + " flags " + Integer.toHexString(tp.flags) + " " + Integer.toHexString(tp.flags2)
            + " rxtshift " + tp.rxtshift;
    }
}
