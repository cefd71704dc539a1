package io.gatun.netinet.udp;

import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.InLaddr;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip.IpOutput;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/** UDP on its way out. @bsd udp_send */
final class UdpOutput {
    private static final int HEADERS = IpHeader.LEN + UdpHeader.LEN;
    private static final int MAX_DATA = IpHeader.IP_MAXPACKET - HEADERS;

    private final Udp udp;

    UdpOutput(final Udp udp) {
        this.udp = udp;
    }

    /**
     * Sends a datagram. Consumes m, a packet, unless {@link Udpcb#due} is set then: the caller is to deliver it there.
     * Under the pcb's lock.
     *
     * @param nam destination, borrowed; null for the peer
     * @return OK; ENOTCONN, EISCONN, EMSGSIZE, ENOBUFS, EADDRNOTAVAIL, what binding a port says, what IP says
     */
    Errno output(final Inpcb inp, final Mbuf m, final SockAddr nam) {
        assert inp.lock.owned();
        if (m.pktLen() > udp.maxdgram.getInt()) {
            return drop(m, Errno.EMSGSIZE);
        }
        if (inp.family == SockAddr.AF_INET6 && (nam != null || inp.isV6())) {
            return udp.output6.output(inp, m, nam);
        }
        if (m.pktLen() > MAX_DATA) {
            return drop(m, Errno.EMSGSIZE);
        }
        if (nam == null) {
            if (!inp.connected()) {
                return drop(m, Errno.ENOTCONN);
            }
            return transmit(inp, m, inp.laddr4(), inp.faddr4(), inp.fport());
        }
        return outputTo(inp, m, nam);
    }

    /** To a destination that is not the peer: endpoints are worked out for this datagram alone. */
    Errno outputTo(final Inpcb inp, final Mbuf m, final SockAddr nam) {
        if (inp.connected()) {
            return drop(m, Errno.EISCONN);
        }
        if (nam.family() != SockAddr.AF_INET) {
            return drop(m, Errno.EAFNOSUPPORT);
        }
        if (nam.port() == 0) {
            return drop(m, Errno.EADDRNOTAVAIL);
        }
        if (m.pktLen() > MAX_DATA) { // to a mapped address
            return drop(m, Errno.EMSGSIZE);
        }
        if (inp.lport() == 0) {
            final Errno e = inp.bind(null, inp.cred);
            if (e != Errno.OK) {
                return drop(m, e);
            }
        }
        final Udpcb up = (Udpcb) inp.ppcb;
        up.dst.set(nam);
        udp.laddr.foreign(up.dst);
        final int faddr = up.dst.in4();
        final int laddr = inp.localSet() ? inp.laddr4() : source(inp, up, faddr);
        if (laddr == 0) {
            return drop(m, InLaddr.failure(up.route.nextHop()));
        }
        return transmit(inp, m, laddr, faddr, nam.port());
    }

    private int source(final Inpcb inp, final Udpcb up, final int faddr) {
        if (up.src4 != 0) {
            return up.src4;
        }
        final Moptions imo = inp.moptions;
        if (imo != null && up.dst.isMulticast() && imo.source(SockAddr.AF_INET, up.from)) {
            return up.from.in4();
        }
        return udp.laddr.source4(up.route, inp.so.fibnum(), faddr);
    }

    private Errno transmit(final Inpcb inp, final Mbuf data, final int laddr, final int faddr, final int fport) {
        if (udp.direct.takes4(inp, data, laddr, faddr, fport)) {
            return Errno.OK;
        }
        final int ulen = data.pktLen() + UdpHeader.LEN;
        final Mbuf m = data.prepend(HEADERS);
        if (m == null) {
            udp.vnet.drop(null, DropReason.MBUF_NOMEM);
            return Errno.ENOBUFS;
        }
        int sum = 0;
        if (udp.checksum.getBool()) {
            sum = InCksum.pseudo(laddr, faddr, InDefs.IPPROTO_UDP + ulen);
            m.csumFlags(Csum.CSUM_UDP);
            m.csumData(UdpHeader.SUM);
        } else {
            m.csumFlags(0);
        }
        UdpHeader.init(m, IpHeader.LEN, UdpHeader.ports(inp.lport(), fport), ulen, sum);
        final boolean group = faddr >>> 28 == 0xe;
        final Moptions imo = inp.moptions;
        final int ttl = !group ? inp.ttl4() : imo == null ? 1 : imo.multicastTtl;
        IpHeader.init(m, 0, ulen + IpHeader.LEN, inp.tos);
        IpHeader.addr(m, 0, IpHeader.ttlAndProto(ttl, InDefs.IPPROTO_UDP), laddr, faddr);
        if (inp.has(Inpcb.INP_DONTFRAG)) {
            IpHeader.off(m, 0, IpHeader.IP_DF);
        }
        final int fib = inp.so.fibnum();
        if (fib != 0) {
            m.fibnum(fib);
        }
        if (inp.flowid != 0) {
            m.flowid(inp.flowid);
            m.rsstype(Mbuf.M_HASHTYPE_OPAQUE_HASH);
        }
        udp.stat.opackets.increment();
        return udp.inet.ipOutput.output(m, inp.options, ((Udpcb) inp.ppcb).route, flags(inp), group ? imo : null);
    }

    private static int flags(final Inpcb inp) {
        final int options = inp.so.options();
        int flags = inp.has(Inpcb.INP_ONESBCAST) ? IpOutput.IP_SENDONES : 0;
        if ((options & SocketDefs.SO_DONTROUTE) != 0) {
            flags |= IpOutput.IP_ROUTETOIF;
        }
        if ((options & SocketDefs.SO_BROADCAST) != 0) {
            flags |= IpOutput.IP_ALLOWBROADCAST;
        }
        return flags;
    }

    /** The caller hears the errno, so nothing is counted. */
    static Errno drop(final Mbuf m, final Errno e) {
        m.freeChain();
        return e;
    }
}
