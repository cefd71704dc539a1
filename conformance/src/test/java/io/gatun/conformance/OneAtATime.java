package io.gatun.conformance;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.tcp.Seg;
import io.gatun.netinet.tcp.TcpFunctionBlock;
import io.gatun.netinet.tcp.TcpState;
import io.gatun.netinet.tcp.Tcpcb;
import io.gatun.netinet.tcp.Verdict;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import java.util.concurrent.atomic.AtomicInteger;

/** A TCP stack for tests, from outside: never more than one segment in flight; counts what it is asked. */
public final class OneAtATime extends TcpFunctionBlock {
    static final String NAME = "oneatatime";
    /** An option of its own: segments that its connection has taken. */
    static final int SEGMENTS = 30_000;

    /** What it keeps of a connection. */
    private static final class State {
        private int segments; // (i)
    }

    final AtomicInteger inits = new AtomicInteger();
    final AtomicInteger finis = new AtomicInteger();
    final AtomicInteger purged = new AtomicInteger();
    final AtomicInteger tooMany = new AtomicInteger();
    volatile Errno wants = Errno.OK;

    /** For ServiceLoader. */
    public OneAtATime() {
        // one for each vnet
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    @GuardedBy("tp.inp.lock")
    public Errno output(final Tcpcb tp) {
        tp.sndCwnd = tp.segData;
        final Errno e = super.output(tp);
        if (tp.state == TcpState.ESTABLISHED && tp.sndMax - tp.sndUna > tp.segData) {
            tooMany.incrementAndGet();
        }
        return e;
    }

    @Override
    @GuardedBy("tp.inp.lock")
    public Verdict doSegment(final Tcpcb tp, final Seg seg) {
        ((State) tp.fbPtr).segments++;
        return super.doSegment(tp, seg);
    }

    @Override
    @GuardedBy("tp.inp.lock")
    public Errno ctloutput(final Tcpcb tp, final SockOpt opt) {
        if (opt.name() == SEGMENTS && opt.dir() == SockOpt.Dir.GET && opt.level() == InDefs.IPPROTO_TCP) {
            opt.answer(((State) tp.fbPtr).segments);
            return Errno.OK;
        }
        return super.ctloutput(tp, opt);
    }

    @Override
    @GuardedBy("tp.inp.lock")
    public Errno fbInit(final Tcpcb tp) {
        inits.incrementAndGet();
        tp.fbPtr = new State();
        return wants;
    }

    @Override
    @GuardedBy("tp.inp.lock")
    public void fbFini(final Tcpcb tp, final boolean ends) {
        finis.incrementAndGet();
        if (ends) {
            purged.incrementAndGet();
        }
        if (!(tp.fbPtr instanceof State)) {
            throw new AssertionError("not what it kept");
        }
    }
}
