package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Seq;

/** A segment arrives in TIME-WAIT: RFC 9293 section 3.10.7.4 with RFC 1337, RFC 6191. @bsd tcp_twcheck */
final class TimeWaitArrives {
    private TimeWaitArrives() {
    }

    /** NEXT means that the block was closed for a new connection: look for a listener. */
    @GuardedBy("tp.inp.lock")
    static Verdict segment(Tcpcb tp, Seg seg) {
        if (seg.has(TcpHeader.TH_RST)) {
            return seg.drop(DropReason.TCP_TIMEWAIT); // RFC 1337: not assassinated
        }
        if ((seg.flags & (TcpHeader.TH_SYN | TcpHeader.TH_ACK)) == TcpHeader.TH_SYN && successor(tp, seg)) {
            tp.tcp.stat.twRecycles.increment();
            TcpSubr.close(tp);
            return Verdict.NEXT;
        }
        if (tp.port != seg.port) { // only a new connection may come another way
            return seg.dropWithReset(DropReason.TCP_NOPORT);
        }
        if (!seg.has(TcpHeader.TH_ACK)) {
            return seg.drop(DropReason.TCP_TIMEWAIT);
        }
        if (tp.timestamps() && seg.hasOpt(Seg.TOF_TS) && Seq.lt(seg.tsval, tp.tsRecent) && !seg.has(TcpHeader.TH_SYN)) {
            tp.tcp.stat.pawsdrop.increment();
        }
        if (seg.has(TcpHeader.TH_FIN) && seg.seq + seg.len + 1 == tp.rcvNxt) {
            // The peer has not got our last ACK: wait from now on.
            final boolean local = TcpPath.local(tp);
            TcpTimers.activate(tp, TcpTimers.TT_2MSL, 2 * TcpSubr.mslNs(tp, local));
        }
        // DIFFERS: FreeBSD takes an acknowledgment that tells of congestion for something to answer, and so would both
        // ends of a simultaneous close, for ever. Nor may two that a forger has set apart go on without limit.
        final boolean bare = (seg.flags & ~TcpEcn.FLAGS) == TcpHeader.TH_ACK && seg.len == 0;
        if (!bare || (seg.seq != tp.rcvNxt || seg.ack != tp.sndNxt) && tp.tcp.respond.answerAllowed(tp)) {
            tp.tcp.respond.respond(tp, tp.sndNxt, tp.rcvNxt, TcpHeader.TH_ACK);
        }
        return seg.drop(DropReason.TCP_TIMEWAIT);
    }

    /** RFC 6191 section 2 and RFC 1122 section 4.2.2.13: a SYN that cannot be an old duplicate. */
    @GuardedBy("tp.inp.lock")
    private static boolean successor(Tcpcb tp, Seg seg) {
        if (tp.tcp.sysctl.rfc6191.getBool() && tp.timestamps() && seg.hasOpt(Seg.TOF_TS)) {
            return Seq.gt(seg.tsval, tp.tsRecent) || seg.tsval == tp.tsRecent && Seq.gt(seg.seq, tp.rcvNxt);
        }
        return Seq.gt(seg.seq, tp.rcvNxt);
    }
}
