package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.Errno;

/**
 * The base stack, of last resort: takes any connection in any state. What it does is not called through it: a
 * connection of it has no function block, so that the choice costs nothing.
 *
 * @bsd tcp_def_funcblk
 */
public final class FreebsdStack extends TcpFunctionBlock {
    /** For ServiceLoader. */
    public FreebsdStack() {
        // all is in the methods it inherits
    }

    @Override
    public String name() {
        return FREEBSD;
    }

    /** @bsd tcp_default_handoff_ok */
    @Override
    @GuardedBy("tp.inp.lock")
    public Errno handoffOk(final Tcpcb tp) {
        return Errno.OK;
    }

    /** Sees to it that a timer runs where one is wanted. @bsd tcp_default_fb_init */
    @Override
    @GuardedBy("tp.inp.lock")
    public Errno fbInit(final Tcpcb tp) {
        if (tp.state == TcpState.CLOSED || tp.state == TcpState.LISTEN || tp.state == TcpState.TIME_WAIT
            || tp.inp.so == null) {
            return Errno.OK;
        }
        final int avail = tp.inp.so.snd().avail();
        final boolean waits = !tp.state.haveEstablished() || avail > 0 || tp.sndUna != tp.sndMax;
        if (waits && !TcpTimers.active(tp, TcpTimers.TT_REXMT) && !TcpTimers.active(tp, TcpTimers.TT_PERSIST)) {
            if (tp.state.haveEstablished() && tp.sndWnd == 0 && tp.sndNxt - tp.sndUna < avail) {
                TcpTimers.setPersist(tp);
            } else {
                TcpTimers.activate(tp, TcpTimers.TT_REXMT, tp.rxtcurNs);
            }
        }
        if (!TcpTimers.active(tp, TcpTimers.TT_KEEP)) {
            TcpTimers.activate(tp, TcpTimers.TT_KEEP,
                tp.state.haveEstablished() ? TcpTimers.keepidle(tp) : TcpTimers.keepinit(tp));
        }
        return Errno.OK;
    }
}
