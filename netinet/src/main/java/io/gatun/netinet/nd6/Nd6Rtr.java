package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;

/**
 * Router discovery by a host (RFC 4861 section 6.3): advertisements are taken on interfaces with
 * ND6_IFF_ACCEPT_RTADV while this host does not forward, and routers are asked for until one answers (RFC 7559).
 *
 * <pre>
 *  |   type 134   |   code 0   |        checksum        |
 *  |  hop limit   | M O H Prf  |     router lifetime    |
 *  |                 reachable time                     |
 *  |                 retransmission timer               |
 *  |                 options                            |
 * </pre>
 *
 * <p>Locking key: (c) constant; (n) neighbour discovery's lock, in {@link Nd6Ifinfo}.
 *
 * @bsd nd6_ra_input
 */
final class Nd6Rtr {
    private static final int RA_LEN = 16;
    private static final int RS_LEN = 8;
    private static final int MOST_MS = 3_600_000;
    private static final int PREFIX_LEN = 32;
    private static final int ROUTE_LEN_MAX = 24;
    private static final int ONLINK = 0x80;
    private static final int AUTO = 0x40;
    /** No preference: the message or option is not to be taken for it. */
    private static final int RESERVED = 2;
    /** RFC 7559 section 2: IRT and MRT. */
    private static final long FIRST_NS = 4 * Nd6.SEC;
    private static final long MOST_NS = 3600 * Nd6.SEC;

    private final Nd6 nd; // (c)

    Nd6Rtr(final Nd6 nd) {
        this.nd = nd;
    }

    /** Whether advertisements are taken on an interface. */
    boolean listens(final Nd6Ifinfo info) {
        return info.table != null && info.has(Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV)
            && !info.has(Nd6Ifinfo.ND6_IFF_IFDISABLED)
            && (!nd.nbr.forwarding() || nd.sysctl.rfc6204w3());
    }

    // Solicitations.

    /** Begins to ask for routers, after a random delay. @bsd rtsold */
    void start(final Nd6Ifinfo info) {
        info.rsSpanNs = 0;
        info.rsNs = listens(info) && info.up ? nd.now() + nd.solicitationDelayNs() : Nd6.NEVER;
    }

    /** Asks no more. */
    void stop(final Nd6Ifinfo info) {
        info.rsNs = Nd6.NEVER;
    }

    /** Asks, if it is time to. */
    void timeout(final Nd6Ifinfo info, final long now) {
        if (info.rsNs > now) {
            return;
        }
        final long before = info.rsSpanNs;
        final long span = before == 0 ? jitter(FIRST_NS, FIRST_NS) : jitter(2 * before, before);
        info.rsSpanNs = span > MOST_NS ? jitter(MOST_NS, MOST_NS) : span;
        info.rsNs = now + info.rsSpanNs;
        solicit(info);
    }

    /** A span, more or less by up to a tenth of a part (RFC 8415 section 15). */
    private long jitter(final long ns, final long part) {
        return ns + nd.vnet().random().nextLong(-part / 10, part / 10 + 1);
    }

    /** @bsd rs_output */
    private void solicit(final Nd6Ifinfo info) {
        final In6Ifaddr src = nd.inet6.addrs.linkLocal(info.ifp, In6Ifaddr.IN6_IFF_NOTREADY);
        final Mbuf m = nd.nbr.packet(Icmp6.ND_ROUTER_SOLICIT, RS_LEN + (src == null ? 0 : NdOptions.UNIT));
        if (m == null) {
            return;
        }
        m.putInt(Ip6Header.LEN + 4, 0);
        if (src != null) {
            NdOptions.put(m, Ip6Header.LEN + RS_LEN, NdOptions.SOURCE_LINKADDR, EtherHeader.addr(info.ifp.lladdr()));
        }
        nd.stat.solicits.increment();
        nd.nbr.toGroup(info.ifp, m, src == null ? 0 : src.hi, src == null ? 0 : src.lo, 2);
    }

    // Advertisements.

    /** Takes a router's advertisement from ICMPv6. Consumes m. @bsd nd6_ra_input */
    void input(final Mbuf m0, final int off) {
        final Nd6Ifinfo info = m0.rcvif() == null ? null : nd.info(m0.rcvif());
        final Mbuf m = nd.nbr.checked(info, m0, off, RA_LEN);
        if (m == null) {
            return;
        }
        final long mac = NdOptions.lladdr(m, off + RA_LEN, m.pktLen(), NdOptions.SOURCE_LINKADDR);
        if (!In6.isLinkLocal(Ip6Header.srcHi(m, 0)) || EtherHeader.isMulticast(mac)) {
            nd.nbr.drop(m); // RFC 4861 section 6.1.2
            return;
        }
        if (!listens(info)) {
            nd.stat.unwanted.increment();
            m.freeChain();
            return;
        }
        final SockAddr router = SockAddr.in6(Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0), 0);
        if (nd.inet6.addrs.lookup(router.hi(), router.lo()) == null) {
            if (mac != 0) {
                info.table.solicited(router.hi(), router.lo(), mac);
            }
            nd.lock.lock();
            try {
                parameters(info, m, off);
                options(info, m, off + RA_LEN, router);
                router(info, m, off, router);
            } finally {
                nd.lock.unlock();
            }
        }
        m.freeChain();
    }

    private void parameters(final Nd6Ifinfo info, final Mbuf m, final int off) {
        final int hops = m.getU8(off + 4);
        final int reachable = m.getInt(off + 8);
        final int retrans = m.getInt(off + 12);
        if (hops > nd.hlim(info.ifp)) {
            info.setChlim(hops); // DIFFERS: a lower one is ignored, as in FreeBSD, for it could cut this host off
        }
        if (reachable > 0 && reachable <= MOST_MS) {
            info.setBaseReachableMs(reachable);
        }
        if (retrans > 0 && retrans <= MOST_MS) {
            info.setRetransMs(retrans); // DIFFERS: FreeBSD takes 49 days too, and then resolves and checks nothing
        }
        final int at = NdOptions.find(m, off + RA_LEN, m.pktLen(), NdOptions.MTU);
        if (at < m.pktLen() && NdOptions.length(m, at) == NdOptions.UNIT) {
            mtu(info, m.getInt(at + 4));
        }
    }

    /** The link's MTU: the routes through the interface have it. */
    private void mtu(final Nd6Ifinfo info, final int octets) {
        final int old = info.linkMtu();
        if (octets < Ip6Header.IPV6_MMTU || octets > info.ifp.mtu() || octets == old) {
            return;
        }
        setMtu(info, octets);
    }

    /** What routers have said of the link holds no longer: it has the defaults again. */
    void forget(final Nd6Ifinfo info) {
        info.setChlim(nd.sysctl.defhlim());
        info.setBaseReachableMs(0);
        info.setRetransMs(Nd6Ifinfo.RETRANS_MS);
        if (info.linkMtu() != 0) {
            setMtu(info, 0);
        }
    }

    private void setMtu(final Nd6Ifinfo info, final int octets) {
        final int old = info.linkMtu();
        info.setLinkMtu(octets);
        final Fib fib = nd.inet.fib(info.ifp.fibnum());
        for (final Route r : fib.routes()) {
            final NextHop nh = r.nextHop();
            if (r.dst().family() == SockAddr.AF_INET6 && nh.ifp == info.ifp && !nh.multipath()
                    && (nh.routeMtu() == 0 || nh.routeMtu() == old)) {
                fib.change(r.dst(), r.prefixLen(), new NextHop(nh.ifp, nh.flags, nh.gateway, nh.src, octets));
            }
        }
    }

    @GuardedBy("nd.lock")
    private void options(final Nd6Ifinfo info, final Mbuf m, final int from, final SockAddr router) {
        final int end = m.pktLen();
        for (int at = from; at < end; at += NdOptions.length(m, at)) {
            switch (m.getU8(at)) {
                case NdOptions.PREFIX_INFORMATION -> prefix(info, m, at, router);
                case NdOptions.ROUTE_INFO -> route(info, m, at, router);
                case NdOptions.RDNSS -> nd.dns.servers(info, m, at);
                case NdOptions.DNSSL -> nd.dns.domains(info, m, at);
                default -> {
                    // others are not for hosts, or have been looked at
                }
            }
        }
    }

    /** RFC 4861 section 6.3.4 and RFC 4862 section 5.5.3. */
    private void prefix(final Nd6Ifinfo info, final Mbuf m, final int at, final SockAddr router) {
        final int bits = m.getU8(at + 2);
        if (NdOptions.length(m, at) != PREFIX_LEN || bits > 2 * Long.SIZE) {
            return;
        }
        final int flags = m.getU8(at + 3);
        final long valid = NdOptions.seconds(m, at + 4);
        final long preferred = NdOptions.seconds(m, at + 8);
        final SockAddr p = SockAddr.in6(m.getLong(at + 16) & In6.maskHi(bits), m.getLong(at + 24) & In6.maskLo(bits),
            0);
        if (In6.isLinkLocal(p.hi()) || In6.isMulticast(p.hi())) {
            return;
        }
        if ((flags & ONLINK) != 0) {
            nd.prefixes.advertised(info, p, bits, nd.fromNow(valid, Nd6.SEC), nd.fromNow(preferred, Nd6.SEC));
        }
        if ((flags & AUTO) != 0 && preferred <= valid && bits == Long.SIZE) {
            nd.addrs.advertised(info, router, p.hi(), valid, preferred);
        }
    }

    /** RFC 4191 section 2.3. */
    private void route(final Nd6Ifinfo info, final Mbuf m, final int at, final SockAddr router) {
        final int len = NdOptions.length(m, at);
        final int bits = m.getU8(at + 2);
        final int preference = preference(m.getU8(at + 3));
        if (len > ROUTE_LEN_MAX || bits > (len - NdOptions.UNIT) * Byte.SIZE || preference == RESERVED) {
            return;
        }
        final long hi = len > NdOptions.UNIT ? m.getLong(at + 8) : 0;
        final long lo = len > 2 * NdOptions.UNIT ? m.getLong(at + 16) : 0;
        if (bits > 0 && In6.isLinkLocal(hi)) {
            return;
        }
        final long s = NdOptions.seconds(m, at + 4);
        nd.ways.advertised(info, router, SockAddr.in6(hi, lo, 0), bits, preference, s == Nd6.NEVER ? s : s * Nd6.SEC);
    }

    /** Two bits with a sign (RFC 4191 section 2.1). @bsd rtpref */
    private static int preference(final int flags) {
        return switch (flags >>> 3 & 3) {
            case 1 -> 1;
            case 3 -> -1;
            case 2 -> RESERVED;
            default -> 0;
        };
    }

    /** The router itself, which a route option to :: overrides (RFC 4191 section 3.1). */
    private void router(final Nd6Ifinfo info, final Mbuf m, final int off, final SockAddr router) {
        final long seconds = m.getU16(off + 6);
        for (int at = NdOptions.find(m, off + RA_LEN, m.pktLen(), NdOptions.ROUTE_INFO); at < m.pktLen();
                at = NdOptions.next(m, at, m.pktLen())) {
            if (m.getU8(at + 2) == 0) {
                stop(info);
                return;
            }
        }
        final int preference = preference(m.getU8(off + 5));
        nd.ways.advertised(info, router, new SockAddr(), 0, preference == RESERVED ? 0 : preference,
            seconds * Nd6.SEC);
        if (seconds > 0) {
            stop(info);
        }
    }
}
