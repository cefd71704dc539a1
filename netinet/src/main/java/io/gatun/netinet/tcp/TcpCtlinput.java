package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Seq;

/**
 * ICMP errors about our segments. RFC 1122 section 4.2.3.9 and RFC 5461: an open connection outlives them all; one
 * that is being opened may be refused. RFC 5927: what quotes a number that is not in flight is ignored.
 *
 * @bsd tcp_ctlinput
 */
final class TcpCtlinput {
    private static final int ICMP_LEN = 8;
    private static final int ICMP_UNREACH = 3;
    private static final int ICMP_TIMXCEED = 11;
    private static final int ICMP_PARAMPROB = 12;
    private static final int UNREACH_NET = 0;
    private static final int UNREACH_HOST = 1;
    private static final int UNREACH_PROTOCOL = 2;
    private static final int UNREACH_PORT = 3;
    private static final int UNREACH_NEEDFRAG = 4;
    private static final int UNREACH_NET_PROHIB = 9;
    private static final int UNREACH_HOST_PROHIB = 10;
    private static final int UNREACH_FILTER_PROHIB = 13;
    /** RFC 1191 section 7.1. */
    private static final int[] PLATEAUS = {65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296};
    private static final int LEAST_MTU = 296;

    private final Tcp tcp;

    TcpCtlinput(Tcp tcp) {
        this.tcp = tcp;
    }

    /** Borrows m. The quoted IP header and 8 octets behind it are contiguous. */
    void ctlinput(Mbuf m, int icmpOff) {
        final int ip = icmpOff + ICMP_LEN;
        final int th = ip + IpHeader.hlen(m, ip);
        if (m.len() < th + ICMP_LEN) {
            return;
        }
        final int faddr = IpHeader.dst(m, ip);
        final int laddr = IpHeader.src(m, ip);
        final int lport = TcpHeader.sport(m, th);
        final int fport = TcpHeader.dport(m, th);
        final Inpcb inp = tcp.tcbinfo.lookup4(faddr, fport, laddr, lport, 0);
        if (inp == null && m.getU8(icmpOff) == ICMP_UNREACH && m.getU8(icmpOff + 1) != UNREACH_NEEDFRAG) {
            embryonic(m, ip, th);
        }
        if (inp == null || !(inp.ppcb instanceof Tcpcb tp)) {
            return;
        }
        tp.inp.lock.lock();
        try {
            final int seq = TcpHeader.seq(m, th);
            if (tp.inp.matches4(faddr, fport, laddr, lport) && tp.inp.so != null
                && Seq.within(seq, tp.sndUna, tp.sndMax)) {
                error(tp, m, icmpOff, ip);
            }
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** As {@link #embryonic}; only what cannot be got over counts, as for IPv4. */
    private void embryonic6(Mbuf m, int icmpOff, int ip, int th) {
        if (m.getU8(icmpOff) != Icmp6.ICMP6_DST_UNREACH) {
            return;
        }
        final InConninfo inc = new InConninfo();
        inc.v6 = true;
        inc.fhi = Ip6Header.dstHi(m, ip);
        inc.flo = Ip6Header.dstLo(m, ip);
        inc.lhi = Ip6Header.srcHi(m, ip);
        inc.llo = Ip6Header.srcLo(m, ip);
        inc.lport = TcpHeader.sport(m, th);
        inc.fport = TcpHeader.dport(m, th);
        tcp.syncache.unreach(inc, TcpHeader.seq(m, th), 0);
    }

    /** It may be about a SYN|ACK of ours. */
    private void embryonic(Mbuf m, int ip, int th) {
        final InConninfo inc = new InConninfo();
        inc.flo = IpHeader.dst(m, ip) & 0xffff_ffffL;
        inc.llo = IpHeader.src(m, ip) & 0xffff_ffffL;
        inc.lport = TcpHeader.sport(m, th);
        inc.fport = TcpHeader.dport(m, th);
        tcp.syncache.unreach(inc, TcpHeader.seq(m, th), 0);
    }

    /**
     * ICMPv6 errors, for which the same holds. Borrows m. The quoted IPv6 header, its zones put in, and 8 octets of TCP
     * behind it are contiguous.
     *
     * @bsd tcp6_ctlinput
     */
    void ctlinput6(Mbuf m, int icmpOff) {
        final int ip = icmpOff + ICMP_LEN;
        final int th = ip + Ip6Header.LEN;
        final long faHi = Ip6Header.dstHi(m, ip);
        final long faLo = Ip6Header.dstLo(m, ip);
        final long laHi = Ip6Header.srcHi(m, ip);
        final long laLo = Ip6Header.srcLo(m, ip);
        final int ports = InpcbInfo.ports(TcpHeader.sport(m, th), TcpHeader.dport(m, th));
        final Inpcb inp = tcp.tcbinfo.lookup6(faHi, faLo, laHi, laLo, ports, 0);
        if (inp == null) {
            embryonic6(m, icmpOff, ip, th);
            return;
        }
        if (!(inp.ppcb instanceof Tcpcb tp)) {
            return;
        }
        tp.inp.lock.lock();
        try {
            if (tp.inp.matches6(faHi, faLo, laHi, laLo, ports) && tp.inp.so != null
                && Seq.within(TcpHeader.seq(m, th), tp.sndUna, tp.sndMax)) {
                error6(tp, m, icmpOff);
            }
        } finally {
            tp.inp.lock.unlock();
        }
    }

    @GuardedBy("tp.inp.lock")
    private void error6(Tcpcb tp, Mbuf m, int icmpOff) {
        final int code = m.getU8(icmpOff + 1);
        switch (m.getU8(icmpOff)) {
            case Icmp6.ICMP6_PACKET_TOO_BIG -> {
                final long told = m.getInt(icmpOff + 4) & 0xffff_ffffL;
                needFrag(tp, Math.clamp(told, Ip6Header.IPV6_MMTU, 0xffff), 0);
            }
            case Icmp6.ICMP6_DST_UNREACH -> unreachable(tp, switch (code) {
                case Icmp6.ICMP6_DST_UNREACH_NOROUTE -> UNREACH_NET;
                case Icmp6.ICMP6_DST_UNREACH_ADMIN -> UNREACH_FILTER_PROHIB;
                case Icmp6.ICMP6_DST_UNREACH_NOPORT -> UNREACH_PORT;
                default -> UNREACH_HOST;
            });
            case Icmp6.ICMP6_TIME_EXCEEDED -> notify(tp, Errno.EHOSTUNREACH);
            case Icmp6.ICMP6_PARAM_PROB -> notify(tp, Errno.ENOPROTOOPT);
            default -> { } // informational
        }
    }

    @GuardedBy("tp.inp.lock")
    private void error(Tcpcb tp, Mbuf m, int icmpOff, int ip) {
        final int type = m.getU8(icmpOff);
        final int code = m.getU8(icmpOff + 1);
        switch (type) {
            case ICMP_UNREACH -> {
                if (code == UNREACH_NEEDFRAG) {
                    needFrag(tp, m.getU16(icmpOff + 6), IpHeader.len(m, ip));
                } else {
                    unreachable(tp, code);
                }
            }
            case ICMP_TIMXCEED -> notify(tp, Errno.EHOSTUNREACH);
            case ICMP_PARAMPROB -> notify(tp, Errno.ENOPROTOOPT);
            default -> { } // source quench and redirects are not for us (RFC 6633)
        }
    }

    @GuardedBy("tp.inp.lock")
    private void unreachable(Tcpcb tp, int code) {
        final Errno e = switch (code) {
            case UNREACH_NET -> Errno.ENETUNREACH;
            case UNREACH_PROTOCOL, UNREACH_PORT, UNREACH_NET_PROHIB, UNREACH_HOST_PROHIB, UNREACH_FILTER_PROHIB ->
                Errno.ECONNREFUSED;
            default -> Errno.EHOSTUNREACH;
        };
        if (e == Errno.ECONNREFUSED) {
            if (tp.state == TcpState.SYN_SENT && tcp.sysctl.icmpMayRst.getBool()) {
                TcpSubr.drop(tp, e);
            }
            return; // a hard error, taken as soft in any other state: RFC 5461 section 4.1
        }
        notify(tp, e);
    }

    /** A soft error: remembered, and reported only if the connection is given up. @bsd tcp_notify */
    @GuardedBy("tp.inp.lock")
    private void notify(Tcpcb tp, Errno e) {
        if (tp.state == TcpState.ESTABLISHED && (e == Errno.EHOSTUNREACH || e == Errno.ENETUNREACH)) {
            tp.route.invalidate();
            return;
        }
        if (!tp.state.haveEstablished() && tp.rxtshift > 3 && tp.softerror != Errno.OK) {
            TcpSubr.drop(tp, e);
            return;
        }
        tp.softerror = e;
    }

    /** The path takes less than we thought: RFC 1191. @bsd tcp_mtudisc */
    @GuardedBy("tp.inp.lock")
    private void needFrag(Tcpcb tp, int told, int quotedLen) {
        if (!tcp.sysctl.pathMtuDiscovery.getBool()) {
            return;
        }
        int mtu = told != 0 ? told : below(quotedLen);
        mtu = Math.max(mtu, LEAST_MTU);
        if (mtu >= tp.maxseg + TcpPath.minProtoHdr(tp)) {
            return; // no news, or an attempt to grow it
        }
        TcpPath.updateMtu(tp, mtu);
        TcpMss.update(tp, -1);
        tcp.stat.mturesent.increment();
        TcpRack.forget(tp);
        tp.sndNxt = tp.sndUna;
        tp.rtttimeNs = 0;
        tp.sndRecover = tp.sndMax;
        tp.exitRecovery();
        TcpOutput.output(tp);
    }

    private static int below(int len) {
        for (final int p : PLATEAUS) {
            if (p < len) {
                return p;
            }
        }
        return LEAST_MTU;
    }
}
