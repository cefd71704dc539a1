package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip6.Ip6PktOpts;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;

/** Makes the socket of a completed entry: as if the connection had been whole since its SYN. @bsd syncache_socket */
final class SyncacheSocket {
    private static final int INHERITED = Tcpcb.TF_NODELAY | Tcpcb.TF_NOPUSH;
    private static final int NEGOTIATED = Tcpcb.TF_NOOPT | Tcpcb.TF_REQ_SCALE | Tcpcb.TF_RCVD_SCALE
        | Tcpcb.TF_REQ_TSTMP | Tcpcb.TF_RCVD_TSTMP | Tcpcb.TF_SACK_PERMIT;

    private SyncacheSocket() {
    }

    /** A child of {@code lp}, in SYN-RECEIVED, not locked; null when the queue is full or memory short. */
    @GuardedBy("lp.inp.lock")
    static Tcpcb make(Tcp tcp, Tcpcb lp, SyncacheEntry sc, long nowNs) {
        final SocketSide so = lp.inp.so;
        final SocketSide made = so == null ? null : so.newConn(0);
        if (made == null || !(made.pcb() instanceof Inpcb inp) || !(inp.ppcb instanceof Tcpcb tp)) {
            return null;
        }
        tp.inp.lock.lock();
        try {
            tp.inp.flowid = sc.flowid;
            if (adopt(tp, sc.inc) != Errno.OK) {
                TcpSubr.close(tp);
                return null;
            }
            tp.act().nowNs = nowNs;
            tp.flags2 |= Tcpcb.TF2_INEVENT | Tcpcb.TF2_PASSIVE;
            inherit(lp, tp);
            options(tp, sc);
            numbers(tp, sc);
            tcp.stat.accepts.increment();
            TcpSubr.stateChange(tp, TcpState.SYN_RECEIVED);
            TcpMss.mss(tp, sc.peerMss);
            TcpTimers.activate(tp, TcpTimers.TT_KEEP, TcpTimers.keepinit(tp));
            tp.flags2 &= ~Tcpcb.TF2_INEVENT;
            return tp;
        } finally {
            tp.inp.lock.unlock();
        }
    }

    @GuardedBy("tp.inp.lock")
    private static Errno adopt(Tcpcb tp, InConninfo inc) {
        if (inc.v6) {
            return tp.inp.adopt6(inc.fhi, inc.flo, inc.lhi, inc.llo, inc.lport << 16 | inc.fport);
        }
        return tp.inp.adopt4((int) inc.flo, inc.fport, (int) inc.llo, inc.lport);
    }

    /** What a child has from its listener. Both are locked. */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    private static void inherit(Tcpcb from, Tcpcb to) {
        to.flags = to.flags & ~(INHERITED | NEGOTIATED) | from.flags & INHERITED;
        to.user = from.user;
        to.inp.minttl = from.inp.minttl;
        if (from.inp.outputOpts != null) {
            to.inp.outputOpts = new Ip6PktOpts();
            to.inp.outputOpts.set(from.inp.outputOpts);
        }
        to.pacer = TcpPacer.of(TcpPacer.rate(from));
        from.tcp.functions.inherit(from, to);
        if (to.cc != from.cc) {
            TcpCc.attach(to, from.cc);
        }
    }

    @GuardedBy("tp.inp.lock")
    private static void options(Tcpcb tp, SyncacheEntry sc) {
        tp.inp.ttl = (short) sc.ttl;
        tp.inp.tos = (short) sc.tos;
        tp.port = sc.port;
        TcpEcnShake.syncacheSocket(tp, sc);
        if (sc.has(SyncacheEntry.SCF_NOOPT)) {
            tp.flags |= Tcpcb.TF_NOOPT;
            return;
        }
        if (sc.has(SyncacheEntry.SCF_WINSCALE)) {
            tp.flags |= Tcpcb.TF_REQ_SCALE | Tcpcb.TF_RCVD_SCALE;
            tp.sndScale = (byte) sc.sScale;
            tp.requestRScale = (byte) sc.rScale;
            tp.rcvScale = (byte) sc.rScale;
        }
        if (sc.has(SyncacheEntry.SCF_TIMESTAMP)) {
            tp.flags |= Tcpcb.TF_REQ_TSTMP | Tcpcb.TF_RCVD_TSTMP;
            tp.tsRecent = sc.tsreflect;
            tp.tsRecentAge = tp.now();
            tp.tsOffset = sc.tsoff;
        }
        if (sc.has(SyncacheEntry.SCF_SIGNATURE)) {
            tp.flags |= Tcpcb.TF_SIGNATURE;
        }
        if (sc.has(SyncacheEntry.SCF_SACK)) {
            tp.flags |= Tcpcb.TF_SACK_PERMIT;
        }
        if (sc.rxmits > 1) {
            tp.flags2 |= Tcpcb.TF2_SYNLOST; // the count is of all SYN|ACKs
        }
    }

    @GuardedBy("tp.inp.lock")
    private static void numbers(Tcpcb tp, SyncacheEntry sc) {
        tp.iss = sc.iss;
        tp.irs = sc.irs;
        TcpSubr.rcvSeqInit(tp);
        TcpSubr.sendSeqInit(tp);
        tp.sndWl1 = sc.irs;
        tp.sndWl2 = sc.iss;
        tp.sndMax = sc.iss + 1;
        tp.sndNxt = sc.iss + 1;
        tp.rcvWnd = sc.wnd;
        tp.rcvAdv += sc.wnd;
        tp.rcvtimeNs = tp.act().nowNs;
    }
}
