package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/**
 * RFC 9293 section 3.10.7.2: a segment arrives at a listener. A good SYN makes a child, a whole socket in
 * SYN-RECEIVED, which waits in the listener's queue of incomplete connections: the backlog bounds them. This is where
 * a syncache goes: it would take the place of {@link #open} and make the child with the third segment.
 */
final class ListenArrives {
    private static final int INHERITED = Tcpcb.TF_NODELAY | Tcpcb.TF_NOPUSH | Tcpcb.TF_NOOPT;

    private ListenArrives() {
    }

    /** First RST, second ACK, third SYN, fourth anything else. {@code tp} is the listener. */
    @GuardedBy("tp.inp.lock")
    static Verdict segment(Tcpcb tp, Seg seg) {
        if (seg.has(TcpHeader.TH_RST)) {
            return seg.drop(DropReason.TCP_LISTEN_BADSEG);
        }
        if (seg.has(TcpHeader.TH_ACK)) {
            tp.tcp.stat.badsyn.increment();
            return seg.dropWithReset(DropReason.TCP_LISTEN_BADSEG);
        }
        if (!seg.has(TcpHeader.TH_SYN)) {
            return seg.drop(DropReason.TCP_LISTEN_BADSEG);
        }
        if (!endpoints(seg)) {
            tp.tcp.stat.badaddr.increment();
            return seg.drop(DropReason.TCP_BADADDR);
        }
        return child(tp, seg);
    }

    /** MUST-57: not to or from what cannot be one host; and not from ourselves (the "land" attack). */
    private static boolean endpoints(Seg seg) {
        final int src = (int) seg.srcLo;
        final int dst = (int) seg.dstLo;
        if (seg.link(Mbuf.M_BCAST | Mbuf.M_MCAST) || src >>> 28 >= 0xe || dst >>> 28 >= 0xe || src == 0) {
            return false;
        }
        return seg.sport != 0 && !(src == dst && seg.sport == seg.dport);
    }

    @GuardedBy("tp.inp.lock")
    private static Verdict child(Tcpcb tp, Seg seg) {
        final SocketSide so = tp.inp.so;
        final SocketSide made = so == null ? null : so.newConn(0);
        if (made == null || !(made.pcb() instanceof Inpcb inp) || !(inp.ppcb instanceof Tcpcb ctp)) {
            tp.tcp.stat.listendrop.increment();
            return seg.drop(DropReason.TCP_LISTEN_OVERFLOW);
        }
        ctp.inp.lock.lock();
        try {
            inherit(tp, ctp);
            return open(ctp, seg);
        } finally {
            ctp.inp.lock.unlock();
        }
    }

    /** What a child has from its listener. Both are locked. */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    private static void inherit(Tcpcb from, Tcpcb to) {
        to.flags = to.flags & ~INHERITED | from.flags & INHERITED;
        if ((from.flags & Tcpcb.TF_NOOPT) != 0) {
            to.flags &= ~(Tcpcb.TF_REQ_SCALE | Tcpcb.TF_REQ_TSTMP);
        }
        to.userMaxseg = from.userMaxseg;
        to.keepinitNs = from.keepinitNs;
        to.keepidleNs = from.keepidleNs;
        to.keepintvlNs = from.keepintvlNs;
        to.keepcnt = from.keepcnt;
        to.inp.ttl = from.inp.ttl;
        to.inp.tos = from.inp.tos;
        to.inp.minttl = from.inp.minttl;
        if (to.cc != from.cc) {
            TcpCc.attach(to, from.cc);
        }
    }

    /** The child enters SYN-RECEIVED and answers. Text and FIN of the SYN are left for the peer to send again. */
    @GuardedBy("tp.inp.lock")
    private static Verdict open(Tcpcb tp, Seg seg) {
        final Tcp tcp = tp.tcp;
        if (tp.inp.adopt4((int) seg.srcLo, seg.sport, (int) seg.dstLo, seg.dport) != Errno.OK) {
            TcpSubr.close(tp);
            return seg.drop(DropReason.TCP_DUP);
        }
        tp.nowNs = seg.nowNs;
        tp.flags2 |= Tcpcb.TF2_INEVENT | Tcpcb.TF2_PASSIVE;
        tcp.stat.accepts.increment();
        TcpSubr.requestScale(tp);
        tp.irs = seg.seq;
        tp.iss = tcp.isn.newIsn(tp);
        if (tcp.sysctl.tsOffsetPerConn.getBool()) {
            tp.tsOffset = tcp.isn.newTsOffset(tp);
        }
        TcpSubr.sendSeqInit(tp);
        TcpSubr.rcvSeqInit(tp);
        TcpSubr.negotiate(tp, seg);
        TcpMss.mss(tp, seg.hasOpt(Seg.TOF_MSS) ? seg.mss : 0);
        tp.sndWl1 = seg.seq;
        tp.sndWl2 = tp.iss;
        tp.rcvtimeNs = seg.nowNs;
        TcpSubr.stateChange(tp, TcpState.SYN_RECEIVED);
        TcpTimers.activate(tp, TcpTimers.TT_KEEP, TcpTimers.keepinit(tp));
        TcpOutput.output(tp);
        tp.flags2 &= ~Tcpcb.TF2_INEVENT;
        return Verdict.DONE;
    }
}
