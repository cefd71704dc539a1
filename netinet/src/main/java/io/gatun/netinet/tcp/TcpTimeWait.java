package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.SwiTask;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.VnetSide;

/**
 * The connections in TIME-WAIT, oldest first, so that their number stays bounded: beyond {@code
 * net.inet.tcp.maxtcptw} the oldest are closed early, at the next safe point. Without a bound a busy client would run
 * out of ports, and a server out of memory.
 *
 * <p>Locking key: (l) this object's lock, a leaf.
 *
 * @bsd V_twq_2msl
 */
final class TcpTimeWait extends SwiTask {
    /** Half the ephemeral ports. @bsd tcptw_auto_size */
    private static final int MAXTCPTW = 16_384;
    private static final int BATCH = 64;

    private final Mtx lock;
    private final VnetSide vnet;
    private final Sysctl limit;
    @GuardedBy("lock")
    private Tcpcb first; // (l)
    @GuardedBy("lock")
    private Tcpcb last;  // (l)
    @GuardedBy("lock")
    private int count;   // (l)

    TcpTimeWait(VnetSide vnet) {
        lock = new Mtx(LockClass.LEAF, "tcptw", vnet.threaded());
        this.vnet = vnet;
        limit = vnet.sysctl().addInt("net.inet.tcp.maxtcptw", MAXTCPTW, 0, Integer.MAX_VALUE,
            "Most connections in TIME-WAIT");
    }

    /** A connection has entered TIME-WAIT; its pcb is locked. */
    void add(Tcpcb tp) {
        final boolean over;
        lock.lock();
        try {
            tp.act().twPrev = last;
            tp.twQueued = true;
            if (last == null) {
                first = tp;
            } else {
                last.act().twNext = tp;
            }
            last = tp;
            over = ++count > limit.getInt();
        } finally {
            lock.unlock();
        }
        if (over) {
            vnet.netisr().schedule(this);
        }
    }

    /** A connection ends; does nothing when it is not in the list. */
    void remove(Tcpcb tp) {
        lock.lock();
        try {
            if (tp.twQueued) {
                unlink(tp);
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void unlink(Tcpcb tp) {
        final TcpActivity a = tp.act();
        if (a.twPrev == null) {
            first = a.twNext;
        } else {
            a.twPrev.act().twNext = a.twNext;
        }
        if (a.twNext == null) {
            last = a.twPrev;
        } else {
            a.twNext.act().twPrev = a.twPrev;
        }
        a.twPrev = null;
        a.twNext = null;
        tp.twQueued = false;
        count--;
    }

    private Tcpcb oldest() {
        lock.lock();
        try {
            if (first == null || count <= limit.getInt()) {
                return null;
            }
            final Tcpcb tp = first;
            unlink(tp);
            return tp;
        } finally {
            lock.unlock();
        }
    }

    @Override
    protected void run() {
        for (int i = 0; i < BATCH; i++) {
            final Tcpcb tp = oldest();
            if (tp == null) {
                return;
            }
            end(tp);
        }
        vnet.netisr().schedule(this);
    }

    private static void end(Tcpcb tp) {
        tp.inp.lock.lock();
        try {
            if (tp.state == TcpState.TIME_WAIT) {
                TcpSubr.close(tp);
            }
        } finally {
            tp.inp.lock.unlock();
        }
    }
}
