package io.gatun.netinet.ip6;

import static io.gatun.spi.mbuf.Csum.CSUM_DELAY_DATA_IPV6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.icmp.HostCache;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip.IpOutput;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;

/**
 * IPv6 on its way out: chooses the way, does in software what the interface cannot (checksums, cutting of
 * super-segments), takes the zones out of the addresses, and hands to the link layer. Holds no state of a packet; any
 * thread may call with its control block locked.
 *
 * <p>Locking key: (w) set once while the domain is initialised.
 *
 * @bsd ip6_output
 */
public final class Ip6Output {
    /** The sender wants no fragments: what the link does not take is refused. @bsd IP6PO_DONTFRAG */
    public static final int IPV6_DONTFRAG = 0x1;
    /** What goes out is cut as if the path took no more than every link must. @bsd IPV6_MINMTU */
    public static final int IPV6_MINMTU = 0x4;
    /** The same for groups only is switched off. @bsd IP6PO_MINMTU_DISABLE */
    public static final int IPV6_NOMINMTU = 0x8;
    /** This host does not hear what it sends to a group. @bsd IPV6_MULTICAST_LOOP */
    public static final int IPV6_NOLOOP = 0x10;
    /** A hop limit of 0 stands for the outgoing interface's, which routers advertise. */
    public static final int IPV6_DEFHLIM = 0x20;

    private static final int RXCSUM_OK = Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;

    private final Inet inet;
    private final Inet6 inet6;
    private final Ip6Frag frag;
    private IpOutput.Gso gso; // (w)

    public Ip6Output(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        this.inet6 = inet6;
        frag = new Ip6Frag(inet.vnet);
    }

    /** For TCP: who cuts super-segments. */
    public void setGso(final IpOutput.Gso cutter) {
        gso = cutter;
    }

    /** {@link #output(Mbuf, RouteCache, Ifnet, int)} without flags. */
    public Errno output(final Mbuf m, final RouteCache ro, final Ifnet out) {
        return output(m, ro, out, 0);
    }

    /**
     * Sends a packet. Consumes m, whose first mbuf holds the whole IPv6 header with all its fields; the source may be
     * the unspecified address where {@code out} is given.
     *
     * @param ro the sender's route cache, or null
     * @param out the interface of a packet to a group; null for the one its zone or route names
     * @param opts which extension headers to put in and when not to cut, or null
     * @param flags IPV6_*
     * @return OK; EHOSTUNREACH, ENETUNREACH, EMSGSIZE, ENOBUFS, EHOSTDOWN, ENETDOWN
     * @bsd ip6_output
     */
    public Errno output(
        final Mbuf m, final RouteCache ro, final Ifnet out, final Ip6PktOpts opts, final int flags) {
        if (opts == null) {
            return output(m, ro, out, flags);
        }
        if (opts.headers() == 0) {
            return output(m, ro, out, flags | opts.flags());
        }
        if ((m.csumFlags() & CSUM_DELAY_DATA_IPV6) != 0) {
            delayedCksum(m);
        }
        final Mbuf whole = opts.insert(m);
        return whole == null ? noMem() : output(whole, ro, out, flags | opts.flags());
    }

    /** {@link #output(Mbuf, RouteCache, Ifnet, Ip6PktOpts, int)} without options. */
    public Errno output(final Mbuf m, final RouteCache ro, final Ifnet out, final int flags) {
        if (ro != null) {
            return route(m, ro, out, flags);
        }
        final RouteCache mine = inet.scratch.claim();
        final Errno e = route(m, mine, out, flags);
        inet.scratch.release(mine);
        return e;
    }

    private Errno route(final Mbuf m, final RouteCache ro, final Ifnet out, final int flags) {
        inet6.stat.localout.increment();
        m.rcvif(null);
        final long hi = Ip6Header.dstHi(m, 0);
        final long lo = Ip6Header.dstLo(m, 0);
        if (In6.isMulticast(hi)) {
            return multicast(m, ro, out, flags);
        }
        final NextHop nh = ro.resolve6(inet.fib(m.fibnum()), hi, lo, 0, m.flowid());
        if (nh == null || nh.has(NextHop.NHF_REJECT)) {
            return noRoute(m, Errno.EHOSTUNREACH);
        }
        if (nh.has(NextHop.NHF_BLACKHOLE)) {
            inet.vnet.drop(m, DropReason.IP_NOROUTE);
            return Errno.OK;
        }
        if ((flags & IPV6_DEFHLIM) != 0 && Ip6Header.hlim(m, 0) == 0) {
            Ip6Header.hlim(m, 0, inet6.nd6.hlim(nh.ifp));
        }
        return emit(m, nh.ifp, ro.linkDst(), pathMtu(m, nh, flags), flags);
    }

    /**
     * Octets of the largest packet to a destination: what the link takes, or what was learnt of the path. TCP cuts its
     * segments to the path by itself, and who wants no fragments finds out by himself. @bsd ip6_getpmtu
     */
    private int pathMtu(final Mbuf m, final NextHop nh, final int flags) {
        final int mtu = nh.mtu();
        if (m.pktLen() <= Ip6Header.IPV6_MMTU || mayNotCut(m, flags)) {
            return mtu;
        }
        if ((flags & IPV6_MINMTU) != 0) {
            return Ip6Header.IPV6_MMTU;
        }
        final HostCache.Entry e = inet.hostCache.lookup(Ip6Header.dstHi(m, 0), Ip6Header.dstLo(m, 0));
        final int known = e == null ? 0 : e.mtu();
        return known == 0 ? mtu : Math.min(mtu, Math.max(known, Ip6Header.IPV6_MMTU));
    }

    /** DIFFERS: FreeBSD cuts segments of TCP too; here TCP hears EMSGSIZE and makes them smaller. */
    private static boolean mayNotCut(final Mbuf m, final int flags) {
        return (flags & IPV6_DONTFRAG) != 0 || Ip6Header.nxt(m, 0) == InDefs.IPPROTO_TCP;
    }

    private Errno noRoute(final Mbuf m, final Errno e) {
        inet6.stat.noroute.increment();
        inet.vnet.drop(m, DropReason.IP_NOROUTE);
        return e;
    }

    private Errno multicast(final Mbuf m, final RouteCache ro, final Ifnet out, final int flags) {
        final long hi = Ip6Header.dstHi(m, 0);
        final long lo = Ip6Header.dstLo(m, 0);
        final Ifnet ifp = out != null ? out : inet6.laddr.group(hi, ro.resolve6(inet.fib(m.fibnum()), hi, lo));
        if (ifp == null || (ifp.flags() & Ifnet.IFF_MULTICAST) == 0) {
            return noRoute(m, Errno.ENETUNREACH);
        }
        final long zoned = In6.embed(In6.clear(hi), ifp.index());
        m.setFlags(Mbuf.M_MCAST);
        final boolean loop = (ifp.flags() & Ifnet.IFF_LOOPBACK) != 0;
        if (!loop && (flags & IPV6_NOLOOP) == 0 && inet6.isMember(ifp, In6.clear(hi), lo)) {
            loopBack(m, ifp, zoned);
        }
        if (!loop && (Ip6Header.hlim(m, 0) == 0 || In6.mcScope(hi) == In6.SCOPE_INTFACELOCAL)) {
            m.freeChain();
            return Errno.OK;
        }
        Ip6Header.dst(m, 0, zoned, lo);
        // No path MTU is learnt of a group: what every link takes (RFC 3542 section 11.1).
        final int mtu = mayNotCut(m, flags) || (flags & IPV6_NOMINMTU) != 0 ? ifp.mtu()
            : Math.min(ifp.mtu(), Ip6Header.IPV6_MMTU);
        return emit(m, ifp, ro.direct6(zoned, lo), mtu, flags);
    }

    /** Gives this host a copy of what it sends to a group. Borrows m. @bsd ip6_mloopback */
    private void loopBack(final Mbuf m, final Ifnet ifp, final long zoned) {
        final Mbuf shared = m.copyM(0, Mbuf.M_COPYALL);
        final Mbuf copy = shared == null ? null : IpHeader.writable(shared, Ip6Header.LEN);
        if (copy == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        Ip6Header.src(copy, 0, In6.clear(Ip6Header.srcHi(copy, 0)), Ip6Header.srcLo(copy, 0));
        Ip6Header.dst(copy, 0, In6.clear(zoned), Ip6Header.dstLo(copy, 0));
        copy.rcvif(ifp);
        copy.csumFlags(copy.csumFlags() | RXCSUM_OK);
        inet.vnet.netisr().queue(Netisr.NETISR_IPV6, copy);
    }

    private Errno emit(final Mbuf m, final Ifnet ifp, final SockAddr to, final int mtu, final int flags) {
        final int csum = m.csumFlags();
        final int len = Ip6Header.LEN + Ip6Header.plen(m, 0);
        if ((csum & Csum.CSUM_IP6_TSO) != 0) {
            if ((ifp.capenable() & Ifnet.IFCAP_TSO6) == 0 || len > ifp.tsoMax()) {
                return segment(m, ifp, to, mtu);
            }
        } else if (len > mtu) {
            return mayNotCut(m, flags) ? tooLarge(m) : fragment(m, ifp, to, mtu);
        }
        return send(m, ifp, to);
    }

    /** Sends a packet on that fits the link. Consumes m. */
    Errno forward(final Mbuf m, final Ifnet ifp, final SockAddr to, final int mtu) {
        return emit(m, ifp, to, mtu, IPV6_DONTFRAG);
    }

    private Errno tooLarge(final Mbuf m) {
        inet6.stat.cantfrag.increment();
        inet.vnet.drop(m, DropReason.IP_CANTFRAG);
        return Errno.EMSGSIZE;
    }

    /** Sends a packet that fits, with what the interface cannot do done. Consumes m. */
    private Errno send(final Mbuf m, final Ifnet ifp, final SockAddr to) {
        final int csum = m.csumFlags();
        if ((csum & CSUM_DELAY_DATA_IPV6) != 0 && (ifp.capenable() & Ifnet.IFCAP_TXCSUM_IPV6) == 0) {
            delayedCksum(m);
        }
        if ((ifp.flags() & Ifnet.IFF_LOOPBACK) == 0) {
            clearZones(m);
        }
        return ifp.output(m, to);
    }

    private static void clearZones(final Mbuf m) {
        final long src = Ip6Header.srcHi(m, 0);
        final long dst = Ip6Header.dstHi(m, 0);
        if (In6.zoned(src)) {
            m.putLong(Ip6Header.SRC, In6.clear(src));
        }
        if (In6.zoned(dst)) {
            m.putLong(Ip6Header.DST, In6.clear(dst));
        }
    }

    /**
     * Completes a transport checksum in software: the field holds the sum of the pseudo-header, {@code csumData} says
     * where in the transport header it lies. Borrows m, which has no extension header.
     *
     * @bsd in6_delayed_cksum
     */
    private static void delayedCksum(final Mbuf m) {
        int sum = InCksum.cksumSkip(m, Ip6Header.LEN + Ip6Header.plen(m, 0), Ip6Header.LEN);
        if (sum == 0 && (m.csumFlags() & Csum.CSUM_IP6_UDP) != 0) {
            sum = 0xffff; // RFC 8200 section 8.1: 0 is not allowed
        }
        final int at = Ip6Header.LEN + m.csumData();
        if (at + Short.BYTES <= m.len()) {
            m.put16(at, sum);
        } else { // a packet forwarded as it came
            m.getPtr(at).put8(m.getPtrOff(at), sum >>> Byte.SIZE);
            m.getPtr(at + 1).put8(m.getPtrOff(at + 1), sum);
        }
        m.csumFlags(m.csumFlags() & ~CSUM_DELAY_DATA_IPV6);
    }

    private Errno segment(final Mbuf m, final Ifnet ifp, final SockAddr to, final int mtu) {
        final Mbuf s = gso.segment(m);
        return s == null ? noMem() : sendAll(s, ifp, to, mtu);
    }

    private Errno noMem() {
        inet6.stat.odropped.increment();
        inet.vnet.drop(null, DropReason.MBUF_NOMEM);
        return Errno.ENOBUFS;
    }

    private Errno fragment(final Mbuf m, final Ifnet ifp, final SockAddr to, final int mtu) {
        if (!Ip6Frag.fits(m, mtu)) {
            return tooLarge(m);
        }
        if ((m.csumFlags() & CSUM_DELAY_DATA_IPV6) != 0) {
            delayedCksum(m);
        }
        final Mbuf first = frag.fragment(m, mtu);
        if (first == null) {
            return noMem();
        }
        inet6.stat.fragmented.increment();
        for (Mbuf f = first; f != null; f = f.nextPkt()) {
            inet6.stat.ofragments.increment();
        }
        return sendAll(first, ifp, to, mtu);
    }

    /** Sends packets linked by nextPkt; the first error ends it and the rest is dropped. */
    private Errno sendAll(final Mbuf first, final Ifnet ifp, final SockAddr to, final int mtu) {
        Mbuf s = first;
        Errno e = Errno.OK;
        while (s != null) {
            final Mbuf next = s.nextPkt();
            s.nextPkt(null);
            if (e == Errno.OK) {
                e = emit(s, ifp, to, mtu, 0);
            } else {
                inet6.stat.odropped.increment();
                inet.vnet.drop(s, DropReason.IF_OQFULL);
            }
            s = next;
        }
        return e;
    }
}
