package io.gatun.netinet.ip;

import static io.gatun.spi.mbuf.Csum.CSUM_IP_CHECKED;
import static io.gatun.spi.mbuf.Csum.CSUM_IP_VALID;

import io.gatun.netinet.Inet;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;

/**
 * IPv4 on its way in (RFC 791, RFC 1122 section 3.2, RFC 1812 section 5.2): checks the header, decides whose the packet
 * is, and delivers it to a transport, forwards it or drops it. Holds no state of a packet; any number of threads may be
 * in it.
 *
 * @bsd ip_input
 */
public final class IpInput {
    private static final int MAX_PROTOCOLS = 8;
    private static final int TTL_UNIT = IpHeader.IPTTLDEC << Byte.SIZE;
    private static final int BAD_SUM = -1;

    private final Inet inet;
    private final IpStat stat;
    private final IpprotoTable ipproto;
    private final Sysctl forwarding;
    private final Sysctl sendRedirects;
    private final Sysctl sourceValidation;
    private final Sysctl strongEs;

    public IpInput(Inet inet) {
        this.inet = inet;
        stat = inet.ipstat;
        ipproto = inet.vnet.ipproto();
        forwarding = inet.vnet.sysctl().addBool("net.inet.ip.forwarding", false, "packets for others are forwarded");
        sendRedirects = inet.vnet.sysctl().addBool("net.inet.ip.redirect", true,
            "neighbours that send by a detour are told of the nearer router");
        sourceValidation = inet.vnet.sysctl().addBool("net.inet.ip.source_address_validation", true,
            "packets from outside with a source address of this host are dropped");
        strongEs = inet.vnet.sysctl().addBool("net.inet.ip.rfc1122_strong_es", false,
            "packets must come in by the interface that has their destination address");
    }

    /** Takes a packet from the link layer; {@code rcvif} is set. Consumes m. @bsd ip_input */
    public void input(Mbuf m0) {
        stat.total.increment();
        Mbuf m = checkHeader(m0);
        if (m != null && IpHeader.hlen(m, 0) > IpHeader.LEN) {
            m = inet.ipOptions.input(m);
        }
        if (m == null) {
            return;
        }
        Ifnet ifp = m.rcvif();
        int src = IpHeader.src(m, 0);
        int dst = IpHeader.dst(m, 0);
        boolean loop = (ifp.flags() & Ifnet.IFF_LOOPBACK) != 0;
        if (martian(src, dst, loop, ifp)) {
            drop(m, stat.badaddr, DropReason.IP_BADADDR);
            return;
        }
        InIfaddr ia = inet.addrs.lookup(dst);
        if (ia != null) {
            unicast(m, ia, loop);
        } else if (InAddrs.isMulticast(dst)) {
            m.setFlags(Mbuf.M_MCAST); // whatever the frame was addressed to
            if (inet.multi.isMember(ifp, dst)) {
                deliver(m);
            } else {
                drop(m, stat.notmember, DropReason.IP_MCAST_NOGROUP);
            }
        } else if (inet.addrs.isBroadcast(dst, ifp)) {
            m.setFlags(Mbuf.M_BCAST);
            deliver(m);
        } else if (forwarding.getBool()) {
            forward(m);
        } else {
            drop(m, stat.cantforward, DropReason.IP_NOFORWARD);
        }
    }

    private void drop(Mbuf m, Counter counter, DropReason reason) {
        counter.increment();
        inet.vnet.drop(m, reason);
    }

    /**
     * Length, version, header length, checksum, total length; trims what the link padded. Consumes m.
     *
     * @return the packet with a contiguous header, or null when it was dropped
     */
    private Mbuf checkHeader(Mbuf m0) {
        if (m0.pktLen() < IpHeader.LEN) {
            drop(m0, stat.toosmall, DropReason.IP_TOOSHORT);
            return null;
        }
        Mbuf m = m0.len() >= IpHeader.LEN ? m0 : m0.pullup(IpHeader.LEN);
        if (m == null) {
            drop(null, stat.toosmall, DropReason.MBUF_NOMEM);
            return null;
        }
        if (IpHeader.version(m, 0) != IpHeader.IPVERSION) {
            drop(m, stat.badvers, DropReason.IP_BADVERS);
            return null;
        }
        int hlen = IpHeader.hlen(m, 0);
        if (hlen < IpHeader.LEN || hlen > m.pktLen()) {
            drop(m, stat.badhlen, DropReason.IP_BADHLEN);
            return null;
        }
        m = m.len() >= hlen ? m : m.pullup(hlen);
        if (m == null) {
            drop(null, stat.badhlen, DropReason.MBUF_NOMEM);
            return null;
        }
        return checkLength(m, hlen);
    }

    private Mbuf checkLength(Mbuf m, int hlen) {
        int csum = m.csumFlags();
        int sum = (csum & CSUM_IP_CHECKED) == 0 ? InCksum.hdr(m, hlen) : (csum & CSUM_IP_VALID) != 0 ? 0 : BAD_SUM;
        if (sum != 0) {
            drop(m, stat.badsum, DropReason.IP_BADSUM);
            return null;
        }
        int len = IpHeader.len(m, 0);
        if (len < hlen) {
            drop(m, stat.badlen, DropReason.IP_BADLEN);
            return null;
        }
        if (m.pktLen() < len) {
            drop(m, stat.tooshort, DropReason.IP_BADLEN);
            return null;
        }
        if (m.pktLen() > len) {
            m.adjTail(m.pktLen() - len);
        }
        return m;
    }

    /** Addresses that cannot be on a packet that comes this way (RFC 1122 section 3.2.1.3, RFC 1812 section 5.3.7). */
    private boolean martian(int src, int dst, boolean loop, Ifnet ifp) {
        if (!loop && (InAddrs.isLoopback(src) || InAddrs.isLoopback(dst))) {
            return true;
        }
        if (InAddrs.isZeronet(dst) || InAddrs.isMulticast(src) || inet.addrs.isBroadcast(src, null)) {
            return true;
        }
        if (InAddrs.isZeronet(src)) {
            // A host that has no address yet may call to all (RFC 1122 section 3.2.1.3 (a)).
            return src != SockAddr.INADDR_ANY || !InAddrs.isMulticast(dst) && !inet.addrs.isBroadcast(dst, ifp);
        }
        return false;
    }

    private void unicast(Mbuf m, InIfaddr ia, boolean loop) {
        if (m.has(Mbuf.M_BCAST | Mbuf.M_MCAST)) {
            drop(m, stat.badaddr, DropReason.IP_BCAST); // RFC 1122 section 3.3.6
        } else if (!loop && strongEs.getBool() && ia.ifp != m.rcvif()) {
            drop(m, stat.badaddr, DropReason.IP_NOT_FOR_US);
        } else if (!loop && sourceValidation.getBool() && inet.addrs.isLocal(IpHeader.src(m, 0))) {
            drop(m, stat.badaddr, DropReason.IP_BADADDR);
        } else {
            deliver(m);
        }
    }

    /** Gives a packet for this host to its transport. Consumes m. @bsd ip_input */
    private void deliver(Mbuf m0) {
        Mbuf m = m0;
        if (IpHeader.isFragment(m, 0)) {
            m = inet.ipReass.input(m);
            if (m == null) {
                return;
            }
        }
        int hlen = IpHeader.hlen(m, 0);
        int proto = IpHeader.p(m, 0);
        for (int i = 0; i < MAX_PROTOCOLS; i++) {
            IpprotoTable.Input in = ipproto.input(SockAddr.AF_INET, proto);
            if (in == null) {
                break;
            }
            stat.delivered.increment();
            proto = in.input(m, hlen, proto);
            if (proto == InDefs.IPPROTO_DONE) {
                return;
            }
        }
        if (!inet.rip.input(m, hlen, proto)) {
            stat.noproto.increment();
            inet.icmp.error(m, Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_PROTOCOL, 0);
        }
    }

    // Forwarding.

    /** Sends a packet for others on. Consumes m. @bsd ip_forward */
    private void forward(Mbuf m) {
        int dst = IpHeader.dst(m, 0);
        if (m.has(Mbuf.M_BCAST | Mbuf.M_MCAST) || !InAddrs.canForward(dst) || !InAddrs.canForward(IpHeader.src(m, 0))) {
            drop(m, stat.cantforward, DropReason.IP_CANTFORWARD);
        } else if (inet.addrs.isBroadcast(dst, null)) {
            drop(m, stat.cantforward, DropReason.IP_BCAST); // RFC 2644: directed broadcasts are not let in
        } else if (IpHeader.ttl(m, 0) <= IpHeader.IPTTLDEC) {
            inet.icmp.error(m, Icmp.ICMP_TIMXCEED, Icmp.ICMP_TIMXCEED_INTRANS, 0);
        } else {
            NextHop nh = inet.fib(m.rcvif().fibnum()).find(dst);
            forwardBy(m, nh == null || !nh.multipath() ? nh : nh.select(flowHash(m)));
        }
    }

    /** The same for all packets of a flow: addresses and protocol, ports too unless it is in pieces. */
    private static int flowHash(Mbuf m) {
        if (m.flowid() != 0) {
            return m.flowid();
        }
        int proto = IpHeader.p(m, 0);
        long h = (long) IpHeader.src(m, 0) << Integer.SIZE | IpHeader.dst(m, 0) & 0xffff_ffffL;
        int at = IpHeader.hlen(m, 0);
        boolean ports = (proto == InDefs.IPPROTO_TCP || proto == InDefs.IPPROTO_UDP) && !IpHeader.isFragment(m, 0)
            && m.len() >= at + Integer.BYTES;
        return (int) IpId.mix(IpId.mix(h) ^ (ports ? m.getInt(at) : 0) ^ (long) proto << Integer.SIZE);
    }

    private void forwardBy(Mbuf m0, NextHop nh) {
        if (nh == null || nh.has(NextHop.NHF_REJECT)) {
            stat.cantforward.increment();
            inet.icmp.error(m0, Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_HOST, 0);
            return;
        }
        if (nh.has(NextHop.NHF_BLACKHOLE)) {
            drop(m0, stat.cantforward, DropReason.IP_NOROUTE);
            return;
        }
        if ((IpHeader.off(m0, 0) & IpHeader.IP_DF) != 0 && largest(m0) > nh.mtu()) {
            stat.cantfrag.increment();
            inet.icmp.error(m0, Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_NEEDFRAG, nh.mtu());
            return;
        }
        if (nh.ifp == m0.rcvif()) {
            redirect(m0, nh);
        }
        Mbuf m = IpHeader.writable(m0, IpHeader.hlen(m0, 0));
        if (m == null) {
            drop(null, stat.cantforward, DropReason.MBUF_NOMEM);
            return;
        }
        int word = m.getU16(IpHeader.TTL);
        m.put16(IpHeader.TTL, word - TTL_UNIT);
        IpHeader.sum(m, 0, InCksum.update(IpHeader.sum(m, 0), word, word - TTL_UNIT));
        // What an in-process link left to be computed stays to be computed; what it vouched for ends here.
        m.csumFlags(m.csumFlags() & Csum.CSUM_FLAGS_TX);
        RouteCache ro = nh.gateway == null ? inet.scratch.claim() : null;
        SockAddr to = ro == null ? nh.gateway : ro.direct(IpHeader.dst(m, 0));
        Errno e = inet.ipOutput.forward(m, nh.ifp, to, nh.mtu());
        if (ro != null) {
            inet.scratch.release(ro);
        }
        (e == Errno.OK ? stat.forward : stat.cantforward).increment();
    }

    /**
     * A packet goes out where it came in: its sender, when it is a neighbour and has not chosen the way itself, could
     * send it to the next hop (RFC 1812 section 5.2.7.2). Borrows m.
     */
    private void redirect(Mbuf m, NextHop nh) {
        int src = IpHeader.src(m, 0);
        InIfaddr link = sendRedirects.getBool() ? inet.addrs.onLink(src, nh.ifp) : null;
        int gateway = nh.gateway == null ? IpHeader.dst(m, 0) : nh.gateway.in4();
        if (link != null && link.onLink(gateway) && src != gateway && !nh.has(NextHop.NHF_REDIRECT)
                && !IpOptions.has(m, IpOptions.IPOPT_LSRR) && !IpOptions.has(m, IpOptions.IPOPT_SSRR)) {
            stat.redirectsent.increment();
            inet.icmp.redirect(m, gateway);
        }
    }

    /** Octets of the largest packet that this one will be on the wire. */
    private static int largest(Mbuf m) {
        int len = IpHeader.len(m, 0);
        return (m.csumFlags() & Csum.CSUM_IP_TSO) == 0 ? len
            : IpHeader.largest(m, IpHeader.hlen(m, 0), len);
    }
}
