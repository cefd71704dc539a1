package io.gatun.netinet.udp;

import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.ip6.Ip6PktOpts;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/** UDP over IPv6 on its way out. The checksum is always computed (RFC 8200 section 8.1). @bsd udp6_send */
final class Udp6Output {
    private static final int HEADERS = Ip6Header.LEN + UdpHeader.LEN;

    private final Udp udp;

    Udp6Output(final Udp udp) {
        this.udp = udp;
    }

    /** As {@link UdpOutput#output} for an IPv6 socket. Consumes m. Under the pcb's lock. */
    Errno output(final Inpcb inp, final Mbuf m, final SockAddr nam) {
        assert inp.lock.owned();
        if (m.pktLen() > Ip6Header.IPV6_MAXPACKET - UdpHeader.LEN) {
            return UdpOutput.drop(m, Errno.EMSGSIZE);
        }
        final Udpcb up = (Udpcb) inp.ppcb;
        if (nam == null) {
            if (!inp.connected()) {
                return UdpOutput.drop(m, Errno.ENOTCONN);
            }
            up.dst.setIn6(inp.faddrHi(), inp.faddrLo(), inp.fport(), 0);
            return transmit(inp, m, inp.laddrHi(), inp.laddrLo(), up.dst);
        }
        final Errno no = refused(inp, nam);
        if (no != Errno.OK) {
            return UdpOutput.drop(m, no);
        }
        if (In6.isV4Mapped(nam.hi(), nam.lo())) {
            up.from.setIn((int) nam.lo(), nam.port());
            return udp.output.outputTo(inp, m, up.from);
        }
        return outputTo(inp, m, nam);
    }

    private static Errno refused(final Inpcb inp, final SockAddr nam) {
        if (inp.connected()) {
            return Errno.EISCONN;
        }
        if (nam.family() != SockAddr.AF_INET6) {
            return Errno.EAFNOSUPPORT;
        }
        if (nam.port() == 0) {
            return Errno.EADDRNOTAVAIL;
        }
        final boolean four = In6.isV4Mapped(nam.hi(), nam.lo());
        if ((inp.vflag() & (four ? Inpcb.INP_IPV4 : Inpcb.INP_IPV6)) == 0) {
            return four ? Errno.EINVAL : Errno.EADDRNOTAVAIL;
        }
        return Errno.OK;
    }

    /** To a destination that is not the peer: endpoints are worked out for this datagram alone. */
    private Errno outputTo(final Inpcb inp, final Mbuf m, final SockAddr nam) {
        if (inp.lport() == 0) {
            final Errno e = inp.bind(null, inp.cred);
            if (e != Errno.OK) {
                return UdpOutput.drop(m, e);
            }
        }
        final Udpcb up = (Udpcb) inp.ppcb;
        final Ip6PktOpts opts = opts(inp, up);
        final Ifnet out = Ip6PktOpts.out(opts, inp, nam);
        Ip6PktOpts.embed(out, nam, up.dst);
        udp.inet.inet6().laddr.foreign(up.dst);
        if (inp.localSet() && (opts == null || !opts.sourceSet())) {
            return transmit(inp, m, inp.laddrHi(), inp.laddrLo(), up.dst);
        }
        final Errno e = udp.inet.inet6().laddr.source(opts, out, up.dst, inp.so.fibnum(), inp.flowid, up.from);
        return e == Errno.OK ? transmit(inp, m, up.from.hi(), up.from.lo(), up.dst) : UdpOutput.drop(m, e);
    }

    /** How to send: as control messages say, else as the socket's options do; null for neither. */
    private static Ip6PktOpts opts(final Inpcb inp, final Udpcb up) {
        return up.opts != null ? up.opts : inp.outputOpts;
    }

    private Errno transmit(final Inpcb inp, final Mbuf data, final long sh, final long sl, final SockAddr dst) {
        if (udp.direct.takes6(inp, data, sh, sl, dst)) {
            return Errno.OK;
        }
        final Udpcb up = (Udpcb) inp.ppcb;
        final Ip6PktOpts opts = opts(inp, up);
        if (opts != null && !opts.leads(udp.inet.fib(inp.so.fibnum()), up.route, dst, inp.flowid)) {
            return UdpOutput.drop(data, Errno.EHOSTUNREACH);
        }
        final int ulen = data.pktLen() + UdpHeader.LEN;
        if (opts != null && ulen + opts.headers() > Ip6Header.IPV6_MAXPACKET) {
            return UdpOutput.drop(data, Errno.EMSGSIZE);
        }
        final Mbuf m = data.prepend(HEADERS);
        if (m == null) {
            udp.vnet.drop(null, DropReason.MBUF_NOMEM);
            return Errno.ENOBUFS;
        }
        Ip6Header.init(m, ulen, InDefs.IPPROTO_UDP, Ip6PktOpts.hlim(opts, inp, dst), Ip6PktOpts.flow(opts, inp));
        Ip6Header.addr(m, sh, sl, dst.hi(), dst.lo());
        m.csumFlags(Csum.CSUM_IP6_UDP);
        m.csumData(UdpHeader.SUM);
        final int sum = Ip6Header.pseudo(m, ulen, InDefs.IPPROTO_UDP);
        UdpHeader.init(m, Ip6Header.LEN, UdpHeader.ports(inp.lport(), dst.port()), ulen, sum);
        m.fibnum(inp.so.fibnum());
        if (inp.flowid != 0) {
            m.flowid(inp.flowid);
            m.rsstype(Mbuf.M_HASHTYPE_OPAQUE_HASH);
        }
        udp.stat.opackets.increment();
        final Ifnet out = Ip6PktOpts.out(opts, inp, dst);
        final Errno e = udp.inet.inet6().ip6Output.output(m, up.route, out, opts, Ip6PktOpts.flags(opts, inp));
        if (e == Errno.EMSGSIZE && inp.has(Inpcb.IN6P_MTU) && up.route.nextHop() != null) {
            udp.control.tooBig(inp, dst.hi(), dst.lo(), dst.port(), up.route.nextHop().mtu());
        }
        return e;
    }
}
