package io.gatun.netinet.ip6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip.IpId;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;

/**
 * Packets for others: sent on, or answered with the error that says why not (RFC 8200 sections 3 and 5, RFC 4443
 * section 3, RFC 4007 section 9). Extension headers are not looked at. Holds no state of a packet; any number of
 * threads may be in it.
 *
 * @bsd ip6_forward
 */
public final class Ip6Forward {

    private final Inet inet;
    private final Inet6 inet6;
    private final Ip6Stat stat;
    private final Sysctl forwarding;

    public Ip6Forward(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        this.inet6 = inet6;
        stat = inet6.stat;
        forwarding = inet.vnet.sysctl().addBool("net.inet6.ip6.forwarding", false, "packets for others are forwarded");
    }

    /** Whether this host is a router. @bsd V_ip6_forwarding */
    public boolean enabled() {
        return forwarding.getBool();
    }

    /** Sends a packet for others on. Consumes m, whose header is checked and has its zones put in. @bsd ip6_forward */
    void forward(final Mbuf m) {
        final long sh = Ip6Header.srcHi(m, 0);
        final long dh = Ip6Header.dstHi(m, 0);
        final boolean never = m.has(Mbuf.M_BCAST | Mbuf.M_MCAST) || In6.isMulticast(sh) || In6.zoned(dh)
            || In6.isAny(sh, Ip6Header.srcLo(m, 0)) || In6.isLoopback(sh, Ip6Header.srcLo(m, 0));
        if (never) {
            stat.cantforward.increment();
            inet.vnet.drop(m, DropReason.IP_CANTFORWARD);
        } else if (Ip6Header.hlim(m, 0) <= Ip6Header.IPV6_HLIMDEC) {
            inet6.icmp6.error(m, Icmp6.ICMP6_TIME_EXCEEDED, Icmp6.ICMP6_TIME_EXCEED_TRANSIT, 0);
        } else {
            final NextHop nh = inet.fib(m.rcvif().fibnum()).find6(dh, Ip6Header.dstLo(m, 0));
            forwardBy(m, nh == null || !nh.multipath() ? nh : nh.select(flowHash(m)));
        }
    }

    /**
     * The same for all packets of a flow: addresses and flow label (RFC 6438), and ports where no label tells flows
     * apart.
     */
    private static int flowHash(final Mbuf m) {
        if (m.flowid() != 0) {
            return m.flowid();
        }
        final int nxt = Ip6Header.nxt(m, 0);
        final int label = Ip6Header.flow(m, 0);
        final boolean ports = label == 0 && (nxt == InDefs.IPPROTO_TCP || nxt == InDefs.IPPROTO_UDP)
            && m.len() >= Ip6Header.LEN + Integer.BYTES;
        final long flow = ports ? m.getInt(Ip6Header.LEN) : label;
        final long h = IpId.mix(Ip6Header.srcHi(m, 0) ^ Long.rotateLeft(Ip6Header.dstHi(m, 0), 1));
        return (int) IpId.mix(IpId.mix(h ^ Ip6Header.srcLo(m, 0)) ^ Long.rotateLeft(Ip6Header.dstLo(m, 0), 1) ^ flow);
    }

    private void forwardBy(final Mbuf m0, final NextHop nh) {
        if (nh == null) {
            refuse(m0, Icmp6.ICMP6_DST_UNREACH_NOROUTE);
        } else if (nh.has(NextHop.NHF_REJECT)) {
            refuse(m0, Icmp6.ICMP6_DST_UNREACH_REJECT);
        } else if (nh.has(NextHop.NHF_BLACKHOLE)) {
            stat.cantforward.increment();
            inet.vnet.drop(m0, DropReason.IP_NOROUTE);
        } else if (In6.zoned(Ip6Header.srcHi(m0, 0)) && nh.ifp != m0.rcvif()) {
            stat.badscope.increment();
            refuse(m0, Icmp6.ICMP6_DST_UNREACH_BEYONDSCOPE);
        } else if (largest(m0) > nh.mtu()) {
            stat.cantfrag.increment();
            inet6.icmp6.error(m0, Icmp6.ICMP6_PACKET_TOO_BIG, 0, nh.mtu());
        } else {
            send(m0, nh);
        }
    }

    private void refuse(final Mbuf m, final int code) {
        stat.cantforward.increment();
        inet6.icmp6.error(m, Icmp6.ICMP6_DST_UNREACH, code, 0);
    }

    private void send(final Mbuf m0, final NextHop nh) {
        final Mbuf m = IpHeader.writable(m0, Ip6Header.LEN);
        if (m == null) {
            stat.cantforward.increment();
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        if (nh.ifp == m.rcvif()) {
            inet6.nd6.redirect(m, nh);
        }
        Ip6Header.hlim(m, 0, Ip6Header.hlim(m, 0) - Ip6Header.IPV6_HLIMDEC);
        // What an in-process link left to be computed stays to be computed; what it vouched for ends here.
        m.csumFlags(m.csumFlags() & Csum.CSUM_FLAGS_TX);
        final RouteCache ro = nh.gateway == null ? inet.scratch.claim() : null;
        final SockAddr to =
            ro == null ? nh.gateway : ro.direct6(Ip6Header.dstHi(m, 0), Ip6Header.dstLo(m, 0));
        final Errno e = inet6.ip6Output.forward(m, nh.ifp, to, nh.mtu());
        if (ro != null) {
            inet.scratch.release(ro);
        }
        (e == Errno.OK ? stat.forward : stat.cantforward).increment();
    }

    /** Octets of the largest packet that this one will be on the wire. */
    private static int largest(final Mbuf m) {
        final int len = Ip6Header.LEN + Ip6Header.plen(m, 0);
        return (m.csumFlags() & Csum.CSUM_IP6_TSO) == 0 ? len
            : IpHeader.largest(m, Ip6Header.LEN, len);
    }
}
