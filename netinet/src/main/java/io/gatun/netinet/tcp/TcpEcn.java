package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Seq;

/**
 * Explicit congestion notification of an open connection: classic (RFC 3168), where the receiver repeats ECE until CWR
 * comes, and accurate (AccECN, RFC 9768), where it counts the marked packets and sends the count's low bits, the ACE
 * field, in the same three flags. {@link TcpEcnShake} agrees on one of them.
 *
 * <p>A connection with classic ECN has TF2_ECN_PERMIT, one with AccECN TF2_ACE_PERMIT, and TF2_ECN_PERMIT too once the
 * peer's word on our handshake has come. AccECN's TCP options are neither sent nor read.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3168">RFC 3168</a>
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9768">RFC 9768</a>
 */
final class TcpEcn {
    /** The three flags, in the order of the ACE field's bits. */
    static final int FLAGS = TcpHeader.TH_AE | TcpHeader.TH_CWR | TcpHeader.TH_ECE;
    /** Some kind of ECN is in use. */
    static final int IN_USE = Tcpcb.TF2_ECN_PERMIT | Tcpcb.TF2_ACE_PERMIT;
    /** What a counter starts from, RFC 9768 section 3.2.1. */
    static final int CEP_INIT = 5;

    private static final int ACE_SHIFT = 6; // TH_ECE is its lowest bit
    private static final int ACE_MASK = 7;
    private static final int ACE_CWR_BIT = TcpHeader.TH_CWR >> ACE_SHIFT;

    private TcpEcn() {
    }

    /** The ACE field. @bsd tcp_ecn_get_ace */
    static int ace(int thflags) {
        return (thflags & FLAGS) >> ACE_SHIFT;
    }

    /** The flags that say an ACE value. */
    static int flags(int ace) {
        return (ace & ACE_MASK) << ACE_SHIFT;
    }

    // ---- in ------------------------------------------------------------

    /**
     * A segment inside the window: what its marks and its flags say. Only this part of the fifth check comes before the
     * others, so that an acknowledgment that tells of congestion does not grow the window. DIFFERS: FreeBSD does this
     * before it looks at sequence numbers, so that anybody could slow a connection down.
     *
     * @bsd tcp_ecn_input_segment
     */
    @GuardedBy("tp.inp.lock")
    static void arrives(Tcpcb tp, Seg seg) {
        if (!tp.has2(IN_USE)) {
            if (!tp.has2(Tcpcb.TF2_ECN_UNKNOWN) || (seg.tos & IpHeader.IPTOS_ECN_MASK) == 0) {
                return;
            }
            tp.flags2 = tp.flags2 & ~Tcpcb.TF2_ECN_UNKNOWN | Tcpcb.TF2_ECN_PERMIT;
        }
        final boolean ce = count(tp.tcp.ecnStat, seg.tos & IpHeader.IPTOS_ECN_MASK);
        final int marked = tp.has2(Tcpcb.TF2_ACE_PERMIT) ? accurate(tp, seg, ce) : classic(tp, seg, ce);
        tp.act().ecnCe = ce;
        tp.act().ecnMarked = marked;
        tp.cc.ecnpktHandler(tp);
        if (marked > 0 && Seq.leq(seg.ack, tp.sndMax)) {
            congestion(tp, seg);
        }
    }

    private static boolean count(TcpEcnStat stat, int ecn) {
        switch (ecn) {
            case IpHeader.IPTOS_ECN_CE -> stat.rcvce.increment();
            case IpHeader.IPTOS_ECN_ECT0 -> stat.rcvect0.increment();
            case IpHeader.IPTOS_ECN_ECT1 -> stat.rcvect1.increment();
            default -> { }
        }
        return ecn == IpHeader.IPTOS_ECN_CE;
    }

    /** RFC 3168 section 6.1.3. DIFFERS: as in FreeBSD, a segment with CWR is acknowledged at once. */
    @GuardedBy("tp.inp.lock")
    private static int classic(Tcpcb tp, Seg seg, boolean ce) {
        if ((seg.thflags & TcpHeader.TH_CWR) != 0) {
            tp.flags2 &= ~Tcpcb.TF2_ECN_SND_ECE;
            tp.flags |= Tcpcb.TF_ACKNOW;
        }
        if (ce) {
            tp.rcep += seg.nsegs;
            tp.flags2 |= Tcpcb.TF2_ECN_SND_ECE;
        }
        if ((seg.thflags & (TcpHeader.TH_SYN | TcpHeader.TH_ECE)) != TcpHeader.TH_ECE) {
            return 0;
        }
        tp.scep++;
        return 1;
    }

    /** RFC 9768 section 3.2.2: how many more of our packets were marked. */
    @GuardedBy("tp.inp.lock")
    private static int accurate(Tcpcb tp, Seg seg, boolean ce) {
        countersBegin(tp);
        if (ce) {
            tp.rcep += seg.nsegs;
            // Section 3.2.2.5.1: the change is told at once; every second segment is acknowledged anyhow.
            if (seg.len > 0 && !tp.has2(Tcpcb.TF2_ACE_LASTCE)) {
                tp.flags |= Tcpcb.TF_ACKNOW;
            }
            tp.flags2 |= Tcpcb.TF2_ACE_LASTCE;
        } else if (seg.len > 0) {
            tp.flags2 &= ~Tcpcb.TF2_ACE_LASTCE;
        }
        if (!tp.has2(Tcpcb.TF2_ECN_PERMIT)) {
            TcpEcnShake.firstAck(tp, seg);
            return 0;
        }
        if (Seq.lt(seg.ack, tp.sndUna)) {
            return 0; // reordered: its count is an older one
        }
        int delta = ace(seg.thflags) - tp.scep & ACE_MASK;
        final int pkts = Math.ceilDiv(seg.ack - tp.sndUna, Math.max(tp.segData, 1));
        if (delta > 0 && pkts > ACE_MASK) {
            // The count may have gone round: as many marks as fit (appendix A.2). DIFFERS: FreeBSD takes no change of a
            // count for a whole round, which over large segments would never stop.
            delta = pkts - (pkts - delta & ACE_MASK);
        }
        tp.scep += delta;
        return delta;
    }

    /**
     * Congestion control reduces once in a window, and with classic ECN CWR says so; recovery lasts until that is
     * acknowledged. In fast recovery it was done already.
     */
    @GuardedBy("tp.inp.lock")
    private static void congestion(Tcpcb tp, Seg seg) {
        if (!tp.inFastRecovery() && (!tp.inCongRecovery() || Seq.geq(seg.ack, tp.sndRecover))) {
            tp.flags &= ~Tcpcb.TF_CONGRECOVERY;
            tp.tcp.ecnStat.rcwnd.increment();
            tp.sndRecover = tp.sndMax + 1;
            reduced(tp);
        }
        TcpCc.congSignal(tp, CcAlgo.Signal.ECN);
    }

    /** The window was reduced: with classic ECN the peer is told so by CWR on the next new data. */
    @GuardedBy("tp.inp.lock")
    static void reduced(Tcpcb tp) {
        if ((tp.flags2 & IN_USE) == Tcpcb.TF2_ECN_PERMIT && tp.state.haveEstablished()) {
            tp.flags2 |= Tcpcb.TF2_ECN_SND_CWR;
        }
    }

    /** RFC 8257 section 3.2: each acknowledgment stands for segments of one kind. */
    @GuardedBy("tp.inp.lock")
    static void echo(Tcpcb tp, boolean was, boolean is) {
        if (tp.has2(Tcpcb.TF2_ACE_PERMIT)) {
            return;
        }
        if (was != is) {
            if (tp.has(Tcpcb.TF_DELACK)) {
                setEcho(tp, was);
                tp.flags |= Tcpcb.TF_ACKNOW;
                TcpOutput.output(tp);
            }
            tp.flags |= Tcpcb.TF_ACKNOW;
        }
        setEcho(tp, is);
    }

    @GuardedBy("tp.inp.lock")
    private static void setEcho(Tcpcb tp, boolean on) {
        tp.flags2 = on ? tp.flags2 | Tcpcb.TF2_ECN_SND_ECE : tp.flags2 & ~Tcpcb.TF2_ECN_SND_ECE;
    }

    // ---- out ------------------------------------------------------------

    /**
     * The flags and the mark of a segment that is about to be sent. New data alone is marked as able to be (RFC 3168
     * section 6.1.4 to 6.1.6): no acknowledgment, nothing sent again, no window probe.
     *
     * @bsd tcp_ecn_output_established
     */
    @GuardedBy("tp.inp.lock")
    static void output(Tcpcb tp, SendPlan p) {
        p.ecn = SendPlan.ECN_NONE;
        if (!tp.has2(IN_USE) || !tp.state.haveRcvdSyn()) {
            if (tp.state == TcpState.SYN_SENT) {
                p.flags |= TcpEcnShake.synSent(tp);
            }
            return;
        }
        final boolean fresh = fresh(tp, p);
        p.ecn = !fresh || tp.has2(Tcpcb.TF2_ACE_NOECT) || !tp.has2(Tcpcb.TF2_ECN_PERMIT) ? IpHeader.IPTOS_ECN_NOTECT
            : tp.has2(Tcpcb.TF2_ECN_USE_ECT1) ? IpHeader.IPTOS_ECN_ECT1 : IpHeader.IPTOS_ECN_ECT0;
        if ((p.flags & TcpHeader.TH_RST) != 0) {
            return;
        }
        if (tp.has2(Tcpcb.TF2_ACE_PERMIT)) {
            p.flags |= flags(tp.rcep);
        } else if ((p.flags & TcpHeader.TH_SYN) != 0) {
            p.flags |= TcpHeader.TH_ECE;
        } else {
            p.flags |= fresh && tp.has2(Tcpcb.TF2_ECN_SND_CWR) ? TcpHeader.TH_CWR : 0;
            p.flags |= tp.has2(Tcpcb.TF2_ECN_SND_ECE) ? TcpHeader.TH_ECE : 0;
        }
    }

    @GuardedBy("tp.inp.lock")
    private static boolean fresh(Tcpcb tp, SendPlan p) {
        return p.len > 0 && (p.flags & TcpHeader.TH_SYN) == 0 && !p.rexmit && Seq.geq(p.seq, tp.sndMax)
            && !(tp.has(Tcpcb.TF_FORCEDATA) && p.len == 1);
    }

    /** It went out: what it said need not be said again. */
    @GuardedBy("tp.inp.lock")
    static void sent(Tcpcb tp, SendPlan p) {
        if (p.ecn == SendPlan.ECN_NONE) {
            return;
        }
        if (p.ecn == IpHeader.IPTOS_ECN_ECT0) {
            tp.tcp.ecnStat.sndect0.increment();
        } else if (p.ecn == IpHeader.IPTOS_ECN_ECT1) {
            tp.tcp.ecnStat.sndect1.increment();
        }
        if (tp.has2(Tcpcb.TF2_ACE_PERMIT)) {
            if ((p.flags & TcpHeader.TH_SYN) == 0) {
                countersBegin(tp);
            }
        } else if ((p.flags & TcpHeader.TH_CWR) != 0) {
            tp.flags2 &= ~Tcpcb.TF2_ECN_SND_CWR;
        }
    }

    /** From here on the ACE field is the count; until now it said how the SYN or SYN|ACK came. */
    @GuardedBy("tp.inp.lock")
    private static void countersBegin(Tcpcb tp) {
        if (tp.has2(Tcpcb.TF2_ACE_HANDSHAKE)) {
            tp.flags2 &= ~Tcpcb.TF2_ACE_HANDSHAKE;
            tp.rcep = tp.rcep == TcpEcnShake.ACE_CE ? CEP_INIT + 1 : CEP_INIT;
        }
    }

    /** What goes beside the flags of a bare acknowledgment. */
    @GuardedBy("tp.inp.lock")
    static int respond(Tcpcb tp, int flags) {
        if (!tp.has2(IN_USE) || (flags & TcpHeader.TH_RST) != 0) {
            return flags;
        }
        if (tp.has2(Tcpcb.TF2_ACE_PERMIT)) {
            return flags | flags(tp.rcep);
        }
        return tp.has2(Tcpcb.TF2_ECN_SND_ECE) ? flags | TcpHeader.TH_ECE : flags;
    }

    /**
     * Whether segments may be cut further down: who cuts keeps CWR on the first only, which in an ACE field is a bit
     * like others.
     */
    @GuardedBy("tp.inp.lock")
    static boolean mayCut(Tcpcb tp) {
        return !tp.has2(Tcpcb.TF2_ACE_PERMIT) || (tp.rcep & ACE_CWR_BIT) == 0;
    }

    /** Marks a packet whose IP header is written. Borrows m. */
    static void mark(Mbuf m, boolean v6, int ecn) {
        if (v6) {
            Ip6Header.ecn(m, 0, ecn);
        } else {
            IpHeader.tos(m, 0, IpHeader.tos(m, 0) & ~IpHeader.IPTOS_ECN_MASK | ecn);
        }
    }
}
