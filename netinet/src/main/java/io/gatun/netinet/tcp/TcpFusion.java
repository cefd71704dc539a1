package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Fusion;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Seq;

/**
 * Both ends of a connection in one stack: what is sent then goes straight into the other's receive buffer, without
 * segments, while nothing stands between the two that anybody could watch or disturb ({@link Ifnet#transparent}).
 * The handshake, the FIN or reset, urgent text and keepalive probes are segments as ever.
 *
 * <p>Each direction is joined by its sender, at a moment when all that was sent has been taken and acknowledged, and
 * parted by it before it sends anything but plain text. Meanwhile both blocks keep the sequence numbers they had, so
 * that segments of the other direction and probes stay acceptable; at the end the sender moves its numbers on by what
 * went past it, and the receiver, which may be busy, does so when it next handles or sends a segment: that of the
 * sender which follows comes after. So neither needs the other's lock but for the joining, which gives up where it
 * would have to wait.
 *
 * <p>{@code net.inet.tcp.fusion} turns it off, for connections joined from then on.
 */
final class TcpFusion {
    private TcpFusion() {
    }

    /** Hands text past the segments. Consumes m when the answer is true. */
    @GuardedBy("tp.inp.lock")
    static boolean send(Tcpcb tp, Mbuf m) {
        Fusion f = tp.inp.so.snd().fusion();
        if (f == null) {
            f = fuse(tp);
        }
        if (f == null) {
            return false;
        }
        if (f.put(m)) {
            return true;
        }
        unfuse(tp);
        return false;
    }

    @GuardedBy("tp.inp.lock")
    private static Fusion fuse(Tcpcb tp) {
        if (!tp.tcp.sysctl.fusion.getBool() || !mayFuse(tp) || !windowOpen(tp) || tp.inp.so.snd().used() != 0
            || tp.sndUna != tp.sndMax || tp.sndNxt != tp.sndMax || Seq.gt(tp.sndUp, tp.sndUna) || tp.pacer != null
            || tp.has(Tcpcb.TF_SENTFIN | Tcpcb.TF_NOPUSH) || (tp.inp.so.options() & SocketDefs.SO_DONTROUTE) != 0) {
            return null;
        }
        final Ifnet way = way(tp);
        final Inpcb peer = way == null ? null : peer(tp, 0);
        if (peer == null || peer == tp.inp || !peer.lock.tryLock()) {
            return null;
        }
        try {
            return peer.ppcb instanceof Tcpcb to ? join(tp, to, way) : null;
        } finally {
            peer.lock.unlock();
        }
    }

    /**
     * The window that is known now is what segments find when they come again, and no reader tells of a wider one
     * meanwhile: it must be one that the sender does not wait to be opened.
     */
    @GuardedBy("tp.inp.lock")
    private static boolean windowOpen(Tcpcb tp) {
        return tp.sndWnd >= Math.min(tp.maxseg, tp.maxSndwnd / 2);
    }

    /** The interface between this host and itself, if the peer is here and nothing is to be seen on the way. */
    @GuardedBy("tp.inp.lock")
    static Ifnet way(Tcpcb tp) {
        final Inpcb inp = tp.inp;
        final RouteCache ro = tp.isQuiet() ? new RouteCache() : tp.act().route; // it shall not wake for this alone
        final int fib = TcpMss.fib(tp);
        final NextHop nh = inp.isV6() ? tp.tcp.net.route6(ro, inp.faddrHi(), inp.faddrLo(), fib, inp.flowid)
            : tp.tcp.net.route(ro, inp.faddr4(), fib, inp.flowid);
        return nh == null || nh.ifp == null || nh.has(NextHop.NHF_REJECT | NextHop.NHF_BLACKHOLE)
            || !nh.ifp.transparent() || !TcpPath.local(tp) ? null : nh.ifp;
    }

    /**
     * The block that the segments would come to, not locked; null for none.
     *
     * @param flags INPLOOKUP_*
     */
    @GuardedBy("tp.inp.lock")
    static Inpcb peer(Tcpcb tp, int flags) {
        final Inpcb inp = tp.inp;
        final InpcbInfo info = tp.tcp.tcbinfo;
        if (inp.isV6()) {
            return info.lookup6(inp.laddrHi(), inp.laddrLo(), inp.faddrHi(), inp.faddrLo(),
                InpcbInfo.ports(inp.fport(), inp.lport()), flags);
        }
        return info.lookup4(inp.laddr4(), inp.lport(), inp.faddr4(), inp.fport(), flags);
    }

    /** Both are locked. */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    private static Fusion join(Tcpcb tp, Tcpcb to, Ifnet way) {
        settle(to);
        if (!mayFuse(to) || to.inp.has(Inpcb.INP_DROPPED | Inpcb.INP_FREED) || to.rcvNxt != tp.sndNxt
            || to.inp.minttl != 0 || !to.isQuiet() && to.act().segq != null
            || (to.inp.so.rcv().state() & SocketDefs.SBS_CANTRCVMORE) != 0) {
            return null;
        }
        TcpRack.forget(tp);
        final Fusion f = tp.inp.so.fuse(to.inp.so, way);
        if (f != null) {
            tp.tcp.stat.fusion.fused.increment();
            TcpTimers.watchQuiet(tp);
            TcpTimers.watchQuiet(to);
        }
        return f;
    }

    /** Neither end has anything about it that segments are needed for. */
    @GuardedBy("tp.inp.lock")
    private static boolean mayFuse(Tcpcb tp) {
        return tp.state == TcpState.ESTABLISHED && tp.fb == null && tp.port == 0 && tp.tfo == null
            && tp.inp.so != null && !tp.has(Tcpcb.TF_SIGNATURE) && !tp.inRecovery();
    }

    /** Parts the direction that tp sends in. What follows goes by segments. */
    @GuardedBy("tp.inp.lock")
    static void unfuse(Tcpcb tp) {
        final SocketSide so = tp.inp.so;
        final Fusion f = so == null ? null : so.snd().fusion();
        if (f == null) {
            return;
        }
        f.end();
        final long octets = f.octets();
        final int n = (int) octets;
        tp.sndUna += n;
        tp.sndNxt += n;
        tp.sndMax += n;
        tp.sndUp += n;
        tp.sndWl2 += n;
        tp.sndRecover = tp.sndUna;
        tp.roundEnd = tp.sndUna;
        tp.tcp.stat.fusion.fusedbyte.add(octets);
        settleNow(f);
    }

    /** Has the peer part the direction that tp receives in, with what it sends next. */
    @GuardedBy("tp.inp.lock")
    static void refuse(Tcpcb tp) {
        final SocketSide so = tp.inp.so;
        final Fusion f = so == null ? null : so.rcv().fusion();
        if (f != null) {
            f.refuse();
        }
    }

    /** The receiver may as well take note at once, if it is not busy: what has ended is not kept then. */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    private static void settleNow(Fusion f) {
        if (f.to().pcb() instanceof Inpcb inp && inp.lock.tryLock()) {
            try {
                if (inp.ppcb instanceof Tcpcb to && inp.so == f.to()) {
                    settle(to);
                }
            } finally {
                inp.lock.unlock();
            }
        }
    }

    /** Takes note of the end of the direction that tp receives in, if there was one. */
    @GuardedBy("tp.inp.lock")
    static void settle(Tcpcb tp) {
        final SocketSide so = tp.inp.so;
        final Fusion f = so == null ? null : so.rcv().fusion();
        if (f == null || !f.ended()) {
            return;
        }
        f.settled();
        final int n = (int) f.octets();
        tp.rcvNxt += n;
        tp.rcvAdv += n;
        tp.rcvUp += n;
        tp.sndWl1 += n;
        tp.lastAckSent += n;
    }

    /** Octets that went past the segments, both ways. */
    @GuardedBy("tp.inp.lock")
    static long octets(Tcpcb tp) {
        final SocketSide so = tp.inp.so;
        final Fusion out = so == null ? null : so.snd().fusion();
        final Fusion in = so == null ? null : so.rcv().fusion();
        return (out == null ? 0 : out.octets()) + (in == null ? 0 : in.octets());
    }

    /** Octets that went past the segments in a direction that is still joined, or was and is not settled. */
    static int octets(Fusion f) {
        return f == null ? 0 : (int) f.octets();
    }
}
