package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.IpHeader;

/**
 * How two ends agree on ECN. A SYN asks with ECE and CWR for the classic kind (RFC 3168 section 6.1.1), with AE besides
 * for AccECN (RFC 9768 section 3.1), which a peer that knows only the classic kind takes for that. The answer to AccECN
 * says how the SYN came through the network, and the acknowledgment of the answer how that did.
 *
 * <p>{@code net.inet.tcp.ecn.enable}: 0 none; 1 asks for and grants classic ECN, 2 grants it; 3 asks for AccECN and
 * grants both, 4 grants both.
 */
final class TcpEcnShake {
    static final int ASK = 1;
    static final int GRANT = 2;
    static final int ASK_ACCURATE = 3;
    static final int GRANT_ACCURATE = 4;

    /** The ACE field of an answer: how it came. RFC 9768 tables 2 and 3. */
    private static final int ACE_NOTECT = 0b010;
    private static final int ACE_ECT1 = 0b011;
    private static final int ACE_ECT0 = 0b100;
    static final int ACE_CE = 0b110;

    private static final int ACCURATE_SYN = TcpEcn.FLAGS;
    private static final int CLASSIC_SYN = TcpHeader.TH_CWR | TcpHeader.TH_ECE;

    private TcpEcnShake() {
    }

    private static boolean accurate(int enable) {
        return enable == ASK_ACCURATE || enable == GRANT_ACCURATE;
    }

    /** The ACE field that says how a segment came. */
    private static int aceOf(int tos) {
        return switch (tos & IpHeader.IPTOS_ECN_MASK) {
            case IpHeader.IPTOS_ECN_CE -> ACE_CE;
            case IpHeader.IPTOS_ECN_ECT0 -> ACE_ECT0;
            case IpHeader.IPTOS_ECN_ECT1 -> ACE_ECT1;
            default -> ACE_NOTECT;
        };
    }

    // ---- the end that opens ------------------------------------------------------------

    /**
     * The flags with which our SYN asks. Some devices drop such a SYN, so after {@code net.inet.tcp.ecn.maxretries}
     * repetitions it no longer does.
     *
     * @bsd tcp_ecn_output_syn_sent
     */
    @GuardedBy("tp.inp.lock")
    static int synSent(Tcpcb tp) {
        final TcpSysctl s = tp.tcp.sysctl;
        if (tp.rxtshift > s.ecnMaxretries.getInt()) {
            return 0;
        }
        return switch (s.ecnEnable.getInt()) {
            case ASK -> CLASSIC_SYN;
            case ASK_ACCURATE -> ACCURATE_SYN;
            default -> 0;
        };
    }

    /**
     * SYN-SENT: the SYN|ACK that grants what we asked for. DIFFERS: FreeBSD takes an answer also where it did not ask.
     *
     * @bsd tcp_ecn_input_syn_sent
     */
    @GuardedBy("tp.inp.lock")
    static void synAck(Tcpcb tp, Seg seg) {
        final int enable = tp.tcp.sysctl.ecnEnable.getInt();
        final int fl = seg.thflags & TcpEcn.FLAGS;
        if (enable != ASK && enable != ASK_ACCURATE) {
            return;
        }
        if ((enable == ASK ? fl & CLASSIC_SYN : fl) == TcpHeader.TH_ECE) {
            tp.flags2 |= Tcpcb.TF2_ECN_PERMIT;
            tp.tcp.ecnStat.shs.increment();
            return;
        }
        if (enable == ASK || !known(TcpEcn.ace(fl))) {
            return;
        }
        tp.flags2 |= Tcpcb.TF2_ACE_PERMIT | Tcpcb.TF2_ECN_PERMIT | Tcpcb.TF2_ACE_HANDSHAKE;
        tp.rcep = aceOf(seg.tos);
        count(tp.tcp.ecnStat, TcpEcn.ace(fl));
        ourSyn(tp, TcpEcn.ace(fl));
    }

    private static boolean known(int ace) {
        return ace == ACE_NOTECT || ace == ACE_ECT0 || ace == ACE_ECT1 || ace == ACE_CE;
    }

    /**
     * The peer's word on how our SYN, or our SYN|ACK, came to it. If it met congestion we begin with two segments.
     */
    @GuardedBy("tp.inp.lock")
    private static void ourSyn(Tcpcb tp, int ace) {
        tp.scep = TcpEcn.CEP_INIT;
        if (ace == ACE_CE) {
            tp.scep++;
            tp.flags2 |= Tcpcb.TF2_ACE_SYNCE;
        }
    }

    /** SYN-SENT: the peer's SYN crossed ours. @bsd tcp_ecn_input_parallel_syn */
    @GuardedBy("tp.inp.lock")
    static void parallelSyn(Tcpcb tp, Seg seg) {
        final int enable = tp.tcp.sysctl.ecnEnable.getInt();
        final int fl = seg.thflags & TcpEcn.FLAGS;
        if (enable == 0) {
            return;
        }
        if (accurate(enable) && fl == ACCURATE_SYN) {
            tp.flags2 |= Tcpcb.TF2_ACE_PERMIT | Tcpcb.TF2_ACE_HANDSHAKE;
            tp.rcep = aceOf(seg.tos);
            tp.tcp.ecnStat.shs.increment();
        } else if ((accurate(enable) ? fl : fl & CLASSIC_SYN) == CLASSIC_SYN) {
            tp.flags2 |= Tcpcb.TF2_ECN_PERMIT;
            tp.tcp.ecnStat.shs.increment();
        }
    }

    // ---- the end that listens ------------------------------------------------------------

    /** What a SYN asks for, as SCF_*. @bsd tcp_ecn_syncache_add */
    static int syncacheAdd(Tcp tcp, Seg seg) {
        final int enable = tcp.sysctl.ecnEnable.getInt();
        final int fl = seg.thflags & TcpEcn.FLAGS;
        if (enable == 0 || fl == 0) {
            return 0;
        }
        if (fl == CLASSIC_SYN || fl == ACCURATE_SYN && !accurate(enable)) {
            return SyncacheEntry.SCF_ECN;
        }
        if (!accurate(enable)) {
            return 0;
        }
        // Anything else is taken for a later version of AccECN: RFC 9768 section 3.1.2.
        return switch (aceOf(seg.tos)) {
            case ACE_CE -> SyncacheEntry.SCF_ACE_CE;
            case ACE_ECT0 -> SyncacheEntry.SCF_ACE_0;
            case ACE_ECT1 -> SyncacheEntry.SCF_ACE_1;
            default -> SyncacheEntry.SCF_ACE_N;
        };
    }

    /** The SYN came again: one that no longer asks gets nothing. */
    static void syncacheAgain(SyncacheEntry sc, Seg seg) {
        if ((seg.thflags & CLASSIC_SYN) != CLASSIC_SYN) {
            sc.flags &= ~SyncacheEntry.SCF_ECN_MASK;
        }
    }

    /** The flags of a SYN|ACK beside its own. @bsd tcp_ecn_syncache_respond */
    static int syncacheRespond(Tcp tcp, SyncacheEntry sc) {
        if (!sc.has(SyncacheEntry.SCF_ECN_MASK)) {
            return 0;
        }
        if ((sc.flags & SyncacheEntry.SCF_ECN_MASK) == SyncacheEntry.SCF_ECN) {
            tcp.ecnStat.shs.increment();
            return TcpHeader.TH_ECE;
        }
        final int ace = aceOf(sc);
        count(tcp.ecnStat, ace);
        return TcpEcn.flags(ace);
    }

    private static int aceOf(SyncacheEntry sc) {
        return switch (sc.flags & SyncacheEntry.SCF_ECN_MASK) {
            case SyncacheEntry.SCF_ACE_CE -> ACE_CE;
            case SyncacheEntry.SCF_ACE_0 -> ACE_ECT0;
            case SyncacheEntry.SCF_ACE_1 -> ACE_ECT1;
            default -> ACE_NOTECT;
        };
    }

    private static void count(TcpEcnStat stat, int ace) {
        stat.shs.increment();
        switch (ace) {
            case ACE_CE -> stat.aceCe.increment();
            case ACE_ECT0 -> stat.aceEct0.increment();
            case ACE_ECT1 -> stat.aceEct1.increment();
            default -> stat.aceNect.increment();
        }
    }

    /**
     * A cookie does not remember what was agreed, and the peer goes by it. The first ACK of AccECN tells: its flags are
     * such as nobody else sends. Of classic ECN the first packet tells that comes as one that may be marked. DIFFERS:
     * FreeBSD forgets it, and then marks of congestion are not echoed.
     */
    static int cookie(Tcp tcp, Seg seg) {
        final int enable = tcp.sysctl.ecnEnable.getInt();
        if (enable == 0) {
            return 0;
        }
        final int ace = TcpEcn.ace(seg.thflags);
        return accurate(enable) && (known(ace) || ace == TcpEcn.CEP_INIT) ? SyncacheEntry.SCF_ACE_N
            : SyncacheEntry.SCF_ECN_UNKNOWN;
    }

    /** The connection that an entry becomes. @bsd tcp_ecn_syncache_socket */
    @GuardedBy("tp.inp.lock")
    static void syncacheSocket(Tcpcb tp, SyncacheEntry sc) {
        final int asked = sc.flags & SyncacheEntry.SCF_ECN_MASK;
        if (asked == 0) {
            return;
        }
        if (asked == SyncacheEntry.SCF_ECN || asked == SyncacheEntry.SCF_ECN_UNKNOWN) {
            tp.flags2 |= asked == SyncacheEntry.SCF_ECN ? Tcpcb.TF2_ECN_PERMIT : Tcpcb.TF2_ECN_UNKNOWN;
            return;
        }
        tp.flags2 |= Tcpcb.TF2_ACE_PERMIT;
        tp.rcep = asked == SyncacheEntry.SCF_ACE_CE ? TcpEcn.CEP_INIT + 1 : TcpEcn.CEP_INIT;
        tp.scep = TcpEcn.CEP_INIT;
    }

    /**
     * The ACK of our SYN|ACK says how that came. RFC 9768 section 3.2.2.1, table 4: all zeros means that something on
     * the way clears the flags, and then nothing of ours is marked.
     */
    @GuardedBy("tp.inp.lock")
    static void firstAck(Tcpcb tp, Seg seg) {
        final int ace = TcpEcn.ace(seg.thflags);
        tp.flags2 |= Tcpcb.TF2_ECN_PERMIT;
        if (ace == 0) {
            tp.flags2 |= Tcpcb.TF2_ACE_NOECT;
        }
        ourSyn(tp, ace);
    }

    /** The handshake is over and the initial window known: smaller when our SYN or SYN|ACK met congestion. */
    @GuardedBy("tp.inp.lock")
    static void connInit(Tcpcb tp) {
        if (tp.has2(Tcpcb.TF2_ACE_SYNCE)) {
            tp.flags2 &= ~Tcpcb.TF2_ACE_SYNCE;
            tp.sndCwnd = Math.min(tp.sndCwnd, 2 * tp.segData);
        }
    }
}
