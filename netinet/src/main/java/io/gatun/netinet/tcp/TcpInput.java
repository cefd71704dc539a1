package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.netinet.udp.UdpHeader;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.DropReason;

/**
 * A segment arrives: checks and decodes it, finds its connection, and hands it to the state's class. What becomes of
 * it is a {@link Verdict}; {@link #finish} carries it out and frees the chain exactly once.
 */
final class TcpInput {
    private static final int CSUM_GOOD = Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;
    private static final int SUM_OK = 0xffff;
    /** Lookups before a connection that keeps changing is given up. */
    private static final int TRIES = 4;

    private final Tcp tcp;

    TcpInput(Tcp tcp) {
        this.tcp = tcp;
    }

    /** Registered with IP for protocol 6. Consumes m. Called without locks. @bsd tcp_input */
    int input(Mbuf m, int off, int proto) {
        inputWithPort(m, off, 0);
        return InDefs.IPPROTO_DONE;
    }

    /**
     * Registered with UDP for the port of the tunnel: a segment behind a UDP header, which is passed over. Consumes m.
     * Called without locks.
     *
     * @bsd tcp_recv_udp_tunneled_packet
     */
    void tunneled(Mbuf m, int off) {
        tcp.tunnel.pkts.increment();
        final int port = UdpHeader.sport(m, off);
        final DropReason bad = port == 0 ? DropReason.UDP_BADPORT
            : m.has(Mbuf.M_BCAST | Mbuf.M_MCAST) ? DropReason.UDP_NOPORT_BCAST
            : m.pktLen() < off + UdpHeader.LEN + TcpHeader.SIZE ? DropReason.TCP_TOOSHORT : null;
        if (bad != null) {
            tcp.tunnel.errs.increment();
            tcp.drop(m, bad);
            return;
        }
        inputWithPort(m, off + UdpHeader.LEN, port);
    }

    /** @param port the peer's UDP port, 0 for a plain segment. @bsd tcp_input_with_port */
    private void inputWithPort(Mbuf m, int off, int port) {
        tcp.stat.rcvtotal.increment();
        final Mbuf whole = header(m, off, port);
        if (whole == null) {
            return;
        }
        final Seg seg = tcp.segs.claimSeg();
        decode(seg, whole, off);
        seg.port = port;
        if (sane(seg)) {
            demux(seg);
        }
        if (seg.m != null) {
            seg.take().freeChain();
        }
        tcp.segs.release(seg);
    }

    /** The chain with IP and TCP header contiguous and the checksum right; null when it was dropped. Consumes m0. */
    private Mbuf header(Mbuf m0, int off, int port) {
        final int tlen = m0.pktLen() - off;
        if (tlen < TcpHeader.SIZE) {
            tcp.stat.rcvshort.increment();
            tcp.drop(m0, DropReason.TCP_TOOSHORT);
            return null;
        }
        Mbuf m = m0.len() < off + TcpHeader.SIZE ? m0.pullup(off + TcpHeader.SIZE) : m0;
        if (m == null) {
            tcp.stat.rcvmemdrop.increment();
            tcp.drop(null, DropReason.MBUF_NOMEM);
            return null;
        }
        if (port == 0 && (m.csumFlags() & CSUM_GOOD) != CSUM_GOOD) {
            final int pseudo = IpHeader.version(m, 0) != IpHeader.IPVERSION
                ? Ip6Header.pseudo(m, tlen, InDefs.IPPROTO_TCP)
                : InCksum.pseudo(IpHeader.src(m, 0), IpHeader.dst(m, 0), InDefs.IPPROTO_TCP + tlen);
            if (InCksum.fold((long) pseudo + InCksum.sum(m, off, tlen)) != SUM_OK) {
                tcp.stat.rcvbadsum.increment();
                tcp.drop(m, DropReason.TCP_BADSUM);
                return null;
            }
        }
        final int hlen = TcpHeader.hlen(m, off);
        if (hlen < TcpHeader.SIZE || hlen > tlen) {
            tcp.stat.rcvbadoff.increment();
            tcp.drop(m, DropReason.TCP_BADOFF);
            return null;
        }
        if (m.len() < off + hlen) {
            m = m.pullup(off + hlen);
            if (m == null) {
                tcp.stat.rcvmemdrop.increment();
                tcp.drop(null, DropReason.MBUF_NOMEM);
            }
        }
        return m;
    }

    private void decode(Seg seg, Mbuf m, int off) {
        seg.m = m;
        seg.th = off;
        final long front = TcpHeader.front(m, off);
        final long back = TcpHeader.back(m, off);
        final int hlen = TcpHeader.backHlen(back);
        seg.hdrlen = off + hlen;
        seg.sport = TcpHeader.frontSport(front);
        seg.dport = TcpHeader.frontDport(front);
        endpoints(seg, m);
        seg.seq = TcpHeader.frontSeq(front);
        seg.ack = TcpHeader.backAck(back);
        seg.len = m.pktLen() - seg.hdrlen;
        seg.rcvdSeq = seg.seq;
        seg.rcvdLen = seg.len;
        seg.thflags = TcpHeader.backFlags(back);
        seg.flags = seg.thflags;
        seg.rawWin = TcpHeader.backWin(back);
        seg.win = seg.rawWin;
        seg.urp = TcpHeader.urp(m, off);
        seg.fib = m.fibnum();
        seg.linkFlags = m.flags() & (Mbuf.M_BCAST | Mbuf.M_MCAST);
        seg.nowNs = tcp.clock.nanoTime();
        final int mss = m.tsoSegsz();
        seg.nsegs = mss > 0 && seg.len > mss ? (seg.len + mss - 1) / mss : Math.max(m.lroNsegs(), 1);
        if (hlen > TcpHeader.SIZE && !TcpOptions.doOptions(seg)) {
            tcp.stat.badoptions.increment();
        }
    }

    private static void endpoints(Seg seg, Mbuf m) {
        seg.v6 = IpHeader.version(m, 0) != IpHeader.IPVERSION;
        if (seg.v6) {
            seg.srcHi = Ip6Header.srcHi(m, 0);
            seg.srcLo = Ip6Header.srcLo(m, 0);
            seg.dstHi = Ip6Header.dstHi(m, 0);
            seg.dstLo = Ip6Header.dstLo(m, 0);
            seg.tos = Ip6Header.tclass(m, 0);
            seg.ttl = Ip6Header.hlim(m, 0);
            return;
        }
        seg.srcHi = 0;
        seg.dstHi = 0;
        seg.srcLo = IpHeader.src(m, 0) & 0xffff_ffffL;
        seg.dstLo = IpHeader.dst(m, 0) & 0xffff_ffffL;
        seg.tos = IpHeader.tos(m, 0);
        seg.ttl = IpHeader.ttl(m, 0);
    }

    /** What no state of no connection could use. Such a segment is counted as dropped here. */
    private boolean sane(Seg seg) {
        final int both = TcpHeader.TH_SYN | TcpHeader.TH_FIN;
        if ((seg.flags & both) == both && tcp.sysctl.dropSynfin.getBool()) {
            tcp.drop(seg.take(), DropReason.TCP_BADFLAGS);
            return false;
        }
        return true;
    }

    private void demux(Seg seg) {
        for (int i = 0; i < TRIES; i++) {
            final Inpcb inp = lookup(seg);
            if (inp == null || !(inp.ppcb instanceof Tcpcb tp)) {
                break;
            }
            tp.inp.lock.lock();
            try {
                if (matches(tp, seg) && arrives(tp, seg)) {
                    return;
                }
            } finally {
                tp.inp.lock.unlock();
            }
        }
        closed(seg);
    }

    private Inpcb lookup(Seg seg) {
        if (seg.v6) {
            return tcp.tcbinfo.lookup6(seg.srcHi, seg.srcLo, seg.dstHi, seg.dstLo,
                InpcbInfo.ports(seg.dport, seg.sport), InpcbInfo.INPLOOKUP_WILDCARD);
        }
        return tcp.tcbinfo.lookup4((int) seg.srcLo, seg.sport, (int) seg.dstLo, seg.dport,
            InpcbInfo.INPLOOKUP_WILDCARD);
    }

    @GuardedBy("tp.inp.lock")
    private static boolean matches(Tcpcb tp, Seg seg) {
        if (seg.v6) {
            return tp.inp.matches6(seg.srcHi, seg.srcLo, seg.dstHi, seg.dstLo, InpcbInfo.ports(seg.dport, seg.sport));
        }
        return tp.inp.matches4((int) seg.srcLo, seg.sport, (int) seg.dstLo, seg.dport);
    }

    /** RFC 9293 section 3.10.7.1: there is no connection. */
    private void closed(Seg seg) {
        final int blackhole = tcp.sysctl.blackhole.getInt();
        final boolean silent = blackhole == 1 && (seg.thflags & TcpHeader.TH_SYN) != 0 || blackhole > 1;
        if (!silent || !tcp.sysctl.blackholeLocal.getBool() && fromHere(seg)) {
            tcp.respond.reset(seg, null, true);
        }
        tcp.drop(seg.take(), DropReason.TCP_NOPORT);
    }

    private boolean fromHere(Seg seg) {
        return seg.v6 ? tcp.net.local6(seg.srcHi, seg.srcLo) : tcp.net.local((int) seg.srcLo);
    }

    /** False when the connection gave way to a new one: look again. */
    @GuardedBy("tp.inp.lock")
    boolean arrives(Tcpcb tp, Seg seg) {
        if (tp.inp.minttl != 0 && seg.ttl < tp.inp.minttl) {
            tcp.drop(seg.take(), DropReason.TCP_BADADDR);
            return true;
        }
        if (tp.port != seg.port && tp.state.after(TcpState.LISTEN) && tp.state != TcpState.TIME_WAIT) {
            tcp.respond.reset(seg, tp, true); // the same endpoints by another way are another peer
            tcp.drop(seg.take(), DropReason.TCP_NOPORT);
            return true;
        }
        if (tp.state != TcpState.LISTEN && seg.made != tp && tcp.md5.arrives(tp, seg) != Verdict.NEXT) {
            tcp.drop(seg.take(), seg.reason);
            return true;
        }
        if (tp.act().nowNs != 0 && seg.nowNs - tp.act().nowNs < 0) {
            seg.nowNs = tp.act().nowNs; // another thread had the lock meanwhile: a connection's time never goes back
        }
        tp.act().nowNs = seg.nowNs;
        if (tp.state == TcpState.ESTABLISHED) {
            tp.inp.so.flow(seg.m.flowid());
        }
        TcpFusion.settle(tp);
        tp.flags2 |= Tcpcb.TF2_INEVENT;
        final Verdict v = tp.fb == null || !tp.state.after(TcpState.LISTEN) || tp.state == TcpState.TIME_WAIT
            ? doSegment(tp, seg) : tp.fb.doSegment(tp, seg);
        final boolean again = v == Verdict.NEXT && tp.inp.has(Inpcb.INP_DROPPED);
        if (!again) {
            finish(tp, seg, v);
        }
        tp.flags2 &= ~Tcpcb.TF2_INEVENT;
        assert again || TcpCheck.check(tp);
        return !again;
    }

    /** As the base stack does it. @bsd tcp_do_segment */
    @GuardedBy("tp.inp.lock")
    static Verdict doSegment(Tcpcb tp, Seg seg) {
        return switch (tp.state) {
            case CLOSED -> SegmentArrives.closed(tp, seg);
            case LISTEN -> ListenArrives.segment(tp, seg);
            case SYN_SENT -> SynSentArrives.segment(tp, seg);
            case TIME_WAIT -> TimeWaitArrives.segment(tp, seg);
            default -> SegmentArrives.otherStates(tp, seg);
        };
    }

    /** Carries out the verdict and frees the chain if nobody took it. */
    @GuardedBy("tp.inp.lock")
    private void finish(Tcpcb tp, Seg seg, Verdict v) {
        switch (v) {
            case NEXT, DONE -> {
                if (seg.m != null) {
                    seg.take().freeChain();
                }
                due(tp, seg);
            }
            case DROP -> tcp.drop(seg.take(), seg.reason);
            case DROP_AFTER_ACK -> {
                tcp.drop(seg.take(), seg.reason);
                if (seg.challenge) {
                    tcp.respond.challenge(tp);
                } else {
                    tp.flags |= Tcpcb.TF_ACKNOW;
                    TcpOutput.output(tp);
                }
            }
            case DROP_WITH_RESET -> {
                tcp.respond.reset(seg, tp, tp.state == TcpState.LISTEN || tp.state == TcpState.CLOSED);
                tcp.drop(seg.take(), seg.reason);
            }
        }
    }

    /** @bsd check_delack */
    @GuardedBy("tp.inp.lock")
    private void due(Tcpcb tp, Seg seg) {
        if (tp.inp.has(Inpcb.INP_DROPPED) || tp.state == TcpState.LISTEN) {
            return;
        }
        if (tp.has(Tcpcb.TF_ACKNOW) || seg.needOutput && TcpOutput.mayBeDue(tp)) {
            TcpOutput.output(tp);
        }
        if (tp.has(Tcpcb.TF_DELACK) && !tp.inp.has(Inpcb.INP_DROPPED)
            && !TcpTimers.active(tp, TcpTimers.TT_DELACK)) {
            TcpTimers.activate(tp, TcpTimers.TT_DELACK, tcp.sysctl.delacktime.get() * Tcp.NS_PER_MS);
        }
    }
}
