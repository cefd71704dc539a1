package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.netinet.udp.UdpHeader;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Seq;

/**
 * ICMP errors about our segments. RFC 1122 section 4.2.3.9 and RFC 5461: an open connection outlives them all; one
 * that is being opened may be refused. RFC 5927: what quotes a number that is not in flight is ignored, and so is what
 * quotes a segment that went another way, plain or within UDP, than those of the connection.
 *
 * @bsd tcp_ctlinput
 */
final class TcpCtlinput {
    private static final int ICMP_LEN = 8;
    /** What must be seen of a TCP header: ports and sequence number. */
    private static final int TCP_QUOTED = 8;
    /** SYNs sent again before a second error is believed. */
    private static final int PATIENCE = 3;
    /** RFC 1191 section 7.1. */
    private static final int[] PLATEAUS = {65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296};

    private final Tcp tcp;

    TcpCtlinput(Tcp tcp) {
        this.tcp = tcp;
    }

    // ---- IPv4 ------------------------------------------------------------

    /** Borrows m. The quoted IP header and 8 octets behind it are contiguous. */
    void ctlinput(Mbuf m, int icmpOff) {
        final int ip = icmpOff + ICMP_LEN;
        withPort(m, icmpOff, ip + IpHeader.hlen(m, ip), 0);
    }

    /** UDP tells of a datagram from the port of the tunnel. Borrows m. @bsd tcp_ctlinput_viaudp */
    void viaUdp(Mbuf m, int icmpOff) {
        final int ip = icmpOff + ICMP_LEN;
        final int uh = ip + IpHeader.hlen(m, ip);
        if (UdpHeader.sport(m, uh) == tcp.tunnel.port()) {
            withPort(m, icmpOff, uh + UdpHeader.LEN, UdpHeader.dport(m, uh));
        }
    }

    /** @bsd tcp_ctlinput_with_port */
    private void withPort(Mbuf m, int icmpOff, int th, int port) {
        final int ip = icmpOff + ICMP_LEN;
        final Errno errno = Icmp.errmap(m.getU8(icmpOff), m.getU8(icmpOff + 1));
        if (errno == Errno.OK || m.len() < th + TCP_QUOTED) {
            return;
        }
        final int faddr = IpHeader.dst(m, ip);
        final int laddr = IpHeader.src(m, ip);
        final int lport = TcpHeader.sport(m, th);
        final int fport = TcpHeader.dport(m, th);
        final Inpcb inp = tcp.tcbinfo.lookup4(faddr, fport, laddr, lport, 0);
        if (inp == null) {
            embryonic(m, ip, th, port);
            return;
        }
        if (!(inp.ppcb instanceof Tcpcb tp)) {
            return;
        }
        tp.inp.lock.lock();
        try {
            if (tp.inp.matches4(faddr, fport, laddr, lport) && concerns(tp, TcpHeader.seq(m, th), port)) {
                error(tp, m, icmpOff, errno);
            }
        } finally {
            tp.inp.lock.unlock();
        }
    }

    @GuardedBy("tp.inp.lock")
    private static boolean concerns(Tcpcb tp, int seq, int port) {
        return tp.inp.so != null && tp.port == port && Seq.within(seq, tp.sndUna, tp.sndMax);
    }

    /** It may be about a SYN|ACK of ours. */
    private void embryonic(Mbuf m, int ip, int th, int port) {
        final InConninfo inc = new InConninfo();
        inc.flo = IpHeader.dst(m, ip) & 0xffff_ffffL;
        inc.llo = IpHeader.src(m, ip) & 0xffff_ffffL;
        inc.lport = TcpHeader.sport(m, th);
        inc.fport = TcpHeader.dport(m, th);
        tcp.syncache.unreach(inc, TcpHeader.seq(m, th), port);
    }

    @GuardedBy("tp.inp.lock")
    private void error(Tcpcb tp, Mbuf m, int icmpOff, Errno errno) {
        if (errno == Errno.EMSGSIZE) {
            final int told = m.getU16(icmpOff + 6);
            final int mtu = told != 0 ? told : below(IpHeader.len(m, icmpOff + ICMP_LEN));
            needFrag(tp, Math.max(mtu, tcp.sysctl.minmss.getInt() + IpHeader.LEN + TcpHeader.SIZE));
        } else {
            notify(tp, errno,
                errno == Errno.ECONNREFUSED || errno == Errno.EHOSTUNREACH && m.getU8(icmpOff) == Icmp.ICMP_TIMXCEED);
        }
    }

    private static int below(int len) {
        for (final int p : PLATEAUS) {
            if (p < len) {
                return p;
            }
        }
        return PLATEAUS[PLATEAUS.length - 1];
    }

    // ---- IPv6 ------------------------------------------------------------

    /**
     * ICMPv6 errors, for which the same holds. Borrows m. The quoted IPv6 header, its zones put in, and 8 octets of TCP
     * behind it are contiguous.
     *
     * @bsd tcp6_ctlinput
     */
    void ctlinput6(Mbuf m, int icmpOff) {
        withPort6(m, icmpOff, icmpOff + ICMP_LEN + Ip6Header.LEN, 0);
    }

    /** UDP tells of a datagram from the port of the tunnel. Borrows m. @bsd tcp6_ctlinput_viaudp */
    void viaUdp6(Mbuf m, int icmpOff) {
        final int uh = icmpOff + ICMP_LEN + Ip6Header.LEN;
        if (UdpHeader.sport(m, uh) == tcp.tunnel.port()) {
            withPort6(m, icmpOff, uh + UdpHeader.LEN, UdpHeader.dport(m, uh));
        }
    }

    /** @bsd tcp6_ctlinput_with_port */
    private void withPort6(Mbuf m, int icmpOff, int th, int port) {
        final int ip = icmpOff + ICMP_LEN;
        final Errno errno = Icmp6.errmap(m.getU8(icmpOff), m.getU8(icmpOff + 1));
        if (errno == Errno.OK || m.len() < th + TCP_QUOTED) {
            return;
        }
        final long faHi = Ip6Header.dstHi(m, ip);
        final long faLo = Ip6Header.dstLo(m, ip);
        final long laHi = Ip6Header.srcHi(m, ip);
        final long laLo = Ip6Header.srcLo(m, ip);
        final int ports = InpcbInfo.ports(TcpHeader.sport(m, th), TcpHeader.dport(m, th));
        final Inpcb inp = tcp.tcbinfo.lookup6(faHi, faLo, laHi, laLo, ports, 0);
        if (inp == null) {
            embryonic6(m, ip, th, port);
            return;
        }
        if (!(inp.ppcb instanceof Tcpcb tp)) {
            return;
        }
        tp.inp.lock.lock();
        try {
            if (tp.inp.matches6(faHi, faLo, laHi, laLo, ports) && concerns(tp, TcpHeader.seq(m, th), port)) {
                error6(tp, m, icmpOff, errno);
            }
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** As {@link #embryonic}. */
    private void embryonic6(Mbuf m, int ip, int th, int port) {
        final InConninfo inc = new InConninfo();
        inc.v6 = true;
        inc.fhi = Ip6Header.dstHi(m, ip);
        inc.flo = Ip6Header.dstLo(m, ip);
        inc.lhi = Ip6Header.srcHi(m, ip);
        inc.llo = Ip6Header.srcLo(m, ip);
        inc.lport = TcpHeader.sport(m, th);
        inc.fport = TcpHeader.dport(m, th);
        tcp.syncache.unreach(inc, TcpHeader.seq(m, th), port);
    }

    @GuardedBy("tp.inp.lock")
    private void error6(Tcpcb tp, Mbuf m, int icmpOff, Errno errno) {
        if (errno == Errno.EMSGSIZE) {
            final long told = m.getInt(icmpOff + 4) & 0xffff_ffffL;
            needFrag(tp, Math.clamp(told, Ip6Header.IPV6_MMTU, 0xffff));
        } else {
            notify(tp, errno, errno == Errno.ECONNREFUSED
                || errno == Errno.EHOSTUNREACH && m.getU8(icmpOff) == Icmp6.ICMP6_TIME_EXCEEDED);
        }
    }

    // ---- both ------------------------------------------------------------

    /**
     * A soft error: remembered, and reported only if the connection is given up. A hard one ends a connection that is
     * being opened; it is soft for any other: RFC 5461 section 4.1.
     *
     * @bsd tcp_notify, tcp_drop_syn_sent
     */
    @GuardedBy("tp.inp.lock")
    private void notify(Tcpcb tp, Errno e, boolean hard) {
        if (hard && tcp.sysctl.icmpMayRst.getBool()) {
            if (tp.state == TcpState.SYN_SENT) {
                tcp.fastopen.refused(tp);
                TcpSubr.drop(tp, e);
            }
            return;
        }
        if (tp.state == TcpState.ESTABLISHED && e == Errno.EHOSTUNREACH) {
            tp.act().route.invalidate();
        } else if (!tp.state.haveEstablished() && tp.rxtshift > PATIENCE && tp.softerror != Errno.OK) {
            TcpSubr.drop(tp, e);
        } else {
            tp.softerror = e;
        }
    }

    /** The path takes less than we thought: RFC 1191, RFC 8201. @bsd tcp_mtudisc */
    @GuardedBy("tp.inp.lock")
    private void needFrag(Tcpcb tp, int mtu) {
        if (!tcp.sysctl.pathMtuDiscovery.getBool()) {
            return;
        }
        final int known = TcpMss.maxMtu(tp);
        if (mtu >= tp.maxseg + TcpPath.minProtoHdr(tp)) {
            if (mtu < known && tp.inp.isV6()) {
                TcpPath.updateMtu(tp, mtu); // of use for the next SYN
            }
            if (tp.plpmtud != null) {
                tcp.plpmtud.told(tp, mtu);
            }
            return; // no news, or an attempt to grow it
        }
        TcpPath.updateMtu(tp, mtu);
        TcpMss.update(tp, -1);
        tcp.stat.mturesent.increment();
        TcpRack.forget(tp);
        tp.sndNxt = tp.sndUna;
        tp.act().rtttimeNs = 0;
        tp.sndRecover = tp.sndMax;
        tp.exitRecovery();
        if (tp.fb != null) {
            tp.fb.mtuChg(tp);
        }
        TcpOutput.output(tp);
    }
}
