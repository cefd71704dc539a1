package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Seq;

/** A segment arrives in CLOSED, or in SYN-RECEIVED and later. */
final class SegmentArrives {
    /** RFC 7323 section 5.5: a timestamp older than 24 days no longer compares. */
    private static final long PAWS_IDLE_NS = 24L * 24 * 60 * 60 * 1000 * Tcp.NS_PER_MS;

    private SegmentArrives() {
    }

    /** RFC 9293 section 3.10.7.1: a socket that is bound but neither listens nor connects. */
    @GuardedBy("tp.inp.lock")
    static Verdict closed(Tcpcb tp, Seg seg) {
        return tp.tcp.sysctl.blackhole.getInt() > 1 ? seg.drop(DropReason.TCP_CLOSED)
            : seg.dropWithReset(DropReason.TCP_CLOSED);
    }

    /** RFC 9293 section 3.10.7.4, "Other States": the eight checks, in the RFC's order. @bsd tcp_do_segment */
    @GuardedBy("tp.inp.lock")
    static Verdict otherStates(Tcpcb tp, Seg seg) {
        tp.rcvtimeNs = seg.nowNs;
        tp.keepprobes = 0;
        if (!seg.has(TcpHeader.TH_SYN)) {
            seg.win = seg.rawWin << tp.sndScale;
        }
        if (tp.tcp.predict && HeaderPrediction.handled(tp, seg)) {
            return Verdict.DONE; // pure shortcut: same result without it
        }
        Verdict v = tp.state == TcpState.SYN_RECEIVED && tp.has(Tcpcb.TF_FASTOPEN)
            ? TcpFastopen.synReceived(tp, seg) : Verdict.NEXT;
        if (v == Verdict.NEXT) {
            v = checkSequence(tp, seg);                         // first
        }
        if (v == Verdict.NEXT) {
            v = checkRst(tp, seg);                              // second
        }
        // third: security and compartment are not supported
        if (v == Verdict.NEXT) {
            v = checkSyn(tp, seg);                              // fourth
        }
        if (v == Verdict.NEXT) {
            if ((seg.thflags & (TcpHeader.TH_SYN | TcpHeader.TH_ACK)) != TcpHeader.TH_SYN) {
                TcpEcn.arrives(tp, seg); // that of a SYN was taken when it came
            }
            v = AckArrives.checkAck(tp, seg);                   // fifth
        }
        if (v == Verdict.NEXT) {
            v = checkUrg(tp, seg);                              // sixth
        }
        if (v == Verdict.NEXT) {
            v = SegmentText.process(tp, seg);                   // seventh
        }
        if (v == Verdict.NEXT) {
            v = checkFin(tp, seg);                              // eighth
        }
        return v;
    }

    /**
     * First: does it lie in the window (table of RFC 9293 section 3.10.7.4), and is it no old duplicate (RFC 7323
     * section 5.3)? What lies outside is cut off. RST and SYN pass untouched: RFC 5961 judges them by rules of its
     * own, before trimming, and so does FreeBSD.
     */
    @GuardedBy("tp.inp.lock")
    private static Verdict checkSequence(Tcpcb tp, Seg seg) {
        final SocketSide so = tp.inp.so;
        if (so == null) {
            return seg.dropWithReset(DropReason.TCP_CLOSED);
        }
        tp.rcvWnd = Math.max(Math.max(so.rcv().space(), 0), tp.rcvAdv - tp.rcvNxt);
        if (seg.has(TcpHeader.TH_RST) || seg.has(TcpHeader.TH_SYN) && tp.state.haveEstablished()) {
            return Verdict.NEXT;
        }
        if (seg.has(TcpHeader.TH_SYN) && seg.seq == tp.irs && tp.has2(Tcpcb.TF2_PASSIVE)
            && !tp.has(Tcpcb.TF_FASTOPEN)) {
            return synAgain(tp, seg);
        }
        Verdict v = paws(tp, seg);
        if (v == Verdict.NEXT) {
            v = trimLeft(tp, seg);
        }
        if (v == Verdict.NEXT && seg.len > 0 && tp.state.after(TcpState.CLOSE_WAIT)
            && tp.has(Tcpcb.TF_CLOSED)) {
            // RFC 9293 section 3.6.1 (SHLD-3): data that nobody will ever read.
            tp.tcp.stat.rcvafterclose.increment();
            TcpSubr.close(tp);
            return seg.dropWithReset(DropReason.TCP_AFTER_CLOSE);
        }
        if (v == Verdict.NEXT) {
            v = trimRight(tp, seg);
        }
        if (v == Verdict.NEXT && seg.hasOpt(Seg.TOF_TS) && Seq.leq(seg.seq, tp.lastAckSent)
            && Seq.leq(tp.lastAckSent, seg.seq + seg.span())) {
            tp.tsRecentAge = seg.nowNs;
            tp.tsRecent = seg.tsval;
        }
        return v;
    }

    /** The SYN of a passive open came again: so must our answer, at once. */
    @GuardedBy("tp.inp.lock")
    private static Verdict synAgain(Tcpcb tp, Seg seg) {
        tp.sndNxt = tp.iss;
        tp.act().rtttimeNs = 0;
        seg.needOutput = true;
        return Verdict.DONE;
    }

    /** RFC 7323 section 5.3, R1. */
    @GuardedBy("tp.inp.lock")
    private static Verdict paws(Tcpcb tp, Seg seg) {
        if (!tp.timestamps()) {
            return Verdict.NEXT;
        }
        if (!seg.hasOpt(Seg.TOF_TS)) {
            // RFC 7323 3.2: SHOULD silently drop; some middleboxes strip the option, so it can be allowed.
            return tp.tcp.sysctl.tolerateMissingTs.getBool() ? Verdict.NEXT : seg.drop(DropReason.TCP_BADOPT);
        }
        if (Seq.geq(seg.tsval, tp.tsRecent)) {
            return Verdict.NEXT;
        }
        if (seg.nowNs - tp.tsRecentAge > PAWS_IDLE_NS) {
            tp.tsRecent = 0;
            return Verdict.NEXT;
        }
        tp.tcp.stat.rcvduppack.increment();
        tp.tcp.stat.rcvdupbyte.add(seg.len);
        tp.tcp.stat.pawsdrop.increment();
        return seg.len > 0 || seg.has(TcpHeader.TH_FIN) && tp.tcp.respond.answerAllowed(tp)
            ? seg.dropAfterAck(DropReason.TCP_PAWS) : seg.drop(DropReason.TCP_PAWS);
    }

    /**
     * Cuts off what was received before. DIFFERS: of a wholly old segment the RFC drops all; here its ACK and window
     * still count, so that two ends that repeat themselves do not deadlock.
     */
    @GuardedBy("tp.inp.lock")
    private static Verdict trimLeft(Tcpcb tp, Seg seg) {
        int todrop = tp.rcvNxt - seg.seq;
        if (todrop <= 0) {
            return Verdict.NEXT;
        }
        if (seg.has(TcpHeader.TH_SYN)) {
            seg.flags &= ~TcpHeader.TH_SYN;
            seg.seq++;
            if (seg.urp > 1) {
                seg.urp--;
            } else {
                seg.flags &= ~TcpHeader.TH_URG;
            }
            todrop--;
        }
        if (todrop > seg.len || todrop == seg.len && !seg.has(TcpHeader.TH_FIN)) {
            seg.flags &= ~TcpHeader.TH_FIN; // any FIN lies left of the window too
            if (seg.len > 0 || tp.tcp.respond.answerAllowed(tp)) {
                tp.flags |= Tcpcb.TF_ACKNOW;
            }
            tp.tcp.stat.rcvduppack.increment();
            tp.tcp.stat.rcvdupbyte.add(todrop);
            todrop = seg.len;
        } else {
            tp.tcp.stat.rcvpartduppack.increment();
            tp.tcp.stat.rcvpartdupbyte.add(todrop);
        }
        if (todrop > 0 && tp.has(Tcpcb.TF_SACK_PERMIT)) {
            TcpSack.duplicate(tp, seg, seg.seq, seg.seq + todrop);
            tp.flags |= Tcpcb.TF_ACKNOW;
        }
        seg.hdrlen += todrop; // cut from the front when the text is taken
        seg.seq += todrop;
        seg.len -= todrop;
        if (seg.urp > todrop) {
            seg.urp -= todrop;
        } else {
            seg.flags &= ~TcpHeader.TH_URG;
            seg.urp = 0;
        }
        return Verdict.NEXT;
    }

    /** Cuts off what lies beyond the window. */
    @GuardedBy("tp.inp.lock")
    private static Verdict trimRight(Tcpcb tp, Seg seg) {
        final int todrop = seg.seq + seg.len - (tp.rcvNxt + tp.rcvWnd);
        if (todrop <= 0) {
            return Verdict.NEXT;
        }
        tp.tcp.stat.rcvpackafterwin.increment();
        if (todrop >= seg.len) {
            tp.tcp.stat.rcvbyteafterwin.add(seg.len);
            if (tp.rcvWnd != 0 || seg.seq != tp.rcvNxt) {
                return seg.len == 0 ? seg.challenge(DropReason.TCP_OUT_OF_WINDOW)
                    : seg.dropAfterAck(DropReason.TCP_OUT_OF_WINDOW);
            }
            // A window probe: its ACK counts, and it is answered (MUST-35).
            tp.flags |= Tcpcb.TF_ACKNOW;
            tp.tcp.stat.rcvwinprobe.increment();
        } else {
            tp.tcp.stat.rcvbyteafterwin.add(todrop);
        }
        seg.m.adjTail(todrop);
        seg.len -= todrop;
        seg.flags &= ~(TcpHeader.TH_PUSH | TcpHeader.TH_FIN);
        return Verdict.NEXT;
    }

    /** Second: RFC 5961 section 3.2. Only the exact next number resets; elsewhere in the window it is challenged. */
    @GuardedBy("tp.inp.lock")
    private static Verdict checkRst(Tcpcb tp, Seg seg) {
        if (!seg.has(TcpHeader.TH_RST)) {
            return Verdict.NEXT;
        }
        final boolean inWindow = Seq.within(seg.seq, tp.lastAckSent, tp.rcvNxt + tp.rcvWnd)
            || tp.rcvWnd == 0 && seg.seq == tp.rcvNxt;
        if (!inWindow) {
            return seg.drop(DropReason.TCP_BAD_RST);
        }
        final boolean exact = seg.seq == tp.rcvNxt || seg.seq == tp.lastAckSent;
        if (!exact && !tp.tcp.sysctl.insecureRst.getBool()) {
            tp.tcp.stat.badrst.increment();
            return seg.challenge(DropReason.TCP_BAD_RST);
        }
        reset(tp);
        return seg.drop(DropReason.TCP_RST);
    }

    /** The peer has reset the connection. As in FreeBSD the user hears of it in CLOSING and LAST-ACK too. */
    @GuardedBy("tp.inp.lock")
    static void reset(Tcpcb tp) {
        final Errno why = tp.state == TcpState.SYN_RECEIVED ? Errno.ECONNREFUSED : Errno.ECONNRESET;
        tp.tcp.stat.drops.increment();
        TcpSubr.stateChange(tp, TcpState.CLOSED);
        tp.inp.so.setError(why);
        TcpSubr.close(tp);
    }

    /** Fourth: RFC 5961 section 4.2: a SYN in a synchronized state is challenged, whatever its number. */
    @GuardedBy("tp.inp.lock")
    private static Verdict checkSyn(Tcpcb tp, Seg seg) {
        if (!seg.has(TcpHeader.TH_SYN)) {
            return Verdict.NEXT;
        }
        tp.tcp.stat.badsyn.increment();
        if (tp.tcp.sysctl.insecureSyn.getBool()
            && Seq.within(seg.seq, tp.lastAckSent, tp.lastAckSent + tp.rcvWnd)) {
            TcpSubr.drop(tp, Errno.ECONNRESET);
            return seg.dropWithReset(DropReason.TCP_BAD_SYN);
        }
        if (tp.state == TcpState.SYN_RECEIVED && tp.has2(Tcpcb.TF2_PASSIVE) && seg.seq != tp.irs) {
            // RFC 9293 3.10.7.4: a passive open goes back to LISTEN, which here is to forget the child.
            TcpSubr.close(tp);
            return seg.drop(DropReason.TCP_BAD_SYN);
        }
        return seg.challenge(DropReason.TCP_BAD_SYN);
    }

    /** Sixth: the urgent pointer (RFC 6093: it points behind the urgent octet). */
    @GuardedBy("tp.inp.lock")
    static Verdict checkUrg(Tcpcb tp, Seg seg) {
        if (!seg.has(TcpHeader.TH_URG) || seg.urp == 0 || tp.state.haveRcvdFin()) {
            if (Seq.gt(tp.rcvNxt, tp.rcvUp)) {
                tp.rcvUp = tp.rcvNxt; // drags along
            }
            return Verdict.NEXT;
        }
        final SocketSide so = tp.inp.so;
        final SockBuf rcv = so.rcv();
        if (Seq.gt(seg.seq + seg.urp, tp.rcvUp)) {
            tp.rcvUp = seg.seq + seg.urp;
            rcv.lock().lock();
            try {
                final int mark = rcv.avail() + (tp.rcvUp - tp.rcvNxt) - 1;
                so.setOobMark(mark);
                if (mark == 0) {
                    rcv.setStateBits(SocketDefs.SBS_RCVATMARK, 0);
                }
            } finally {
                rcv.lock().unlock();
            }
            so.hasOutOfBand();
            tp.oobflags &= ~(Tcpcb.TCPOOB_HAVEDATA | Tcpcb.TCPOOB_HADDATA);
        }
        if (seg.urp <= seg.len && (so.options() & SocketDefs.SO_OOBINLINE) == 0) {
            pullOutOfBand(tp, seg);
        }
        return Verdict.NEXT;
    }

    /**
     * Takes the urgent octet out of the chain; the number it had is still counted. When there is no mbuf to cut the
     * chain with, the octet stays in line.
     *
     * @bsd tcp_pulloutofband
     */
    @GuardedBy("tp.inp.lock")
    private static void pullOutOfBand(Tcpcb tp, Seg seg) {
        final int at = seg.hdrlen + seg.urp - 1;
        final Mbuf rest = seg.m.split(at);
        if (rest == null) {
            tp.tcp.stat.rcvmemdrop.increment();
            return;
        }
        final Mbuf holder = rest.len() > 0 ? rest : rest.getPtr(0);
        tp.iobc = (short) holder.getU8(0);
        tp.oobflags |= Tcpcb.TCPOOB_HAVEDATA;
        rest.adjHead(1);
        seg.m.catPkt(rest);
        seg.urgentOut = true;
        seg.urgentSeq = seg.seq + seg.urp - 1;
    }

    /** Eighth: FIN. What follows it is ignored. */
    @GuardedBy("tp.inp.lock")
    static Verdict checkFin(Tcpcb tp, Seg seg) {
        if (!seg.has(TcpHeader.TH_FIN)) {
            return Verdict.NEXT;
        }
        if (!tp.state.haveRcvdFin()) {
            tp.inp.so.cantRcvMore();
            tp.flags |= Tcpcb.TF_ACKNOW;
            tp.rcvNxt++;
        }
        switch (tp.state) {
            case SYN_RECEIVED, ESTABLISHED -> TcpSubr.stateChange(tp, TcpState.CLOSE_WAIT);
            case FIN_WAIT_1 -> TcpSubr.stateChange(tp, TcpState.CLOSING);
            case FIN_WAIT_2 -> TcpSubr.twStart(tp);
            default -> { }
        }
        return Verdict.NEXT;
    }
}
