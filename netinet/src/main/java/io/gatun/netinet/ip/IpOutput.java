package io.gatun.netinet.ip;

import static io.gatun.spi.mbuf.Csum.CSUM_DELAY_DATA;
import static io.gatun.spi.mbuf.Csum.CSUM_IP;
import static io.gatun.spi.mbuf.Csum.CSUM_IP_TSO;
import static io.gatun.spi.mbuf.Csum.CSUM_IP_UDP;

import io.gatun.netinet.Inet;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import java.util.List;

/**
 * IPv4 on its way out: chooses the way, completes the header, does in software what the interface cannot (checksums,
 * cutting of super-segments), fragments, and hands to the link layer. Holds no state of a packet; any thread may call
 * with its control block locked.
 *
 * <p>Locking key: (w) set once while the domain is initialised.
 *
 * @bsd ip_output
 */
public final class IpOutput {
    /** Most of the header exists already: the packet is being forwarded. */
    public static final int IP_FORWARDING = 0x1;
    /** The header is whole: the packet comes from a raw socket. */
    public static final int IP_RAWOUTPUT = 0x2;
    /** Sends to 255.255.255.255 whatever the destination says. */
    public static final int IP_SENDONES = 0x4;
    /** Sends by the interface of the multicast options, without a route. */
    public static final int IP_SENDTOIF = 0x8;
    /** Sends to hosts on the link only. @bsd SO_DONTROUTE */
    public static final int IP_ROUTETOIF = 0x10;
    /** May send broadcasts. @bsd SO_BROADCAST */
    public static final int IP_ALLOWBROADCAST = 0x20;

    private static final int RXCSUM_OK =
        Csum.CSUM_IP_CHECKED | Csum.CSUM_IP_VALID | Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;

    /** Cuts super-segments for an interface that cannot. */
    @FunctionalInterface
    public interface Gso {
        /**
         * Cuts a packet whose csumFlags have CSUM_IP_TSO into packets of {@code tsoSegsz} octets of payload, linked by
         * nextPkt, each with a whole IP header (its checksum not computed) and the offload requests of the original
         * but TSO. Consumes m.
         *
         * @return the first packet, or null when out of mbufs (everything freed)
         */
        Mbuf segment(Mbuf m);
    }

    private final Inet inet;
    private final IpId ids;
    private volatile Gso gso; // (w)

    public IpOutput(Inet inet) {
        this.inet = inet;
        ids = new IpId(inet.vnet);
    }

    /** For TCP: who cuts super-segments. */
    public void setGso(Gso cutter) {
        gso = cutter;
    }

    /** {@link #output(Mbuf, byte[], RouteCache, int, Moptions)} without options. */
    public Errno output(Mbuf m, RouteCache ro, int flags) {
        return output(m, null, ro, flags, null);
    }

    /**
     * Sends a packet. Consumes m, whose first mbuf holds the whole IP header with destination, source (or 0), time to
     * live, tos, protocol, total length and IP_DF or nothing in off. Id and checksum are filled in here.
     *
     * @param options IP options to insert, padded to 4 octets, or null
     * @param ro the sender's route cache, or null
     * @param flags IP_*
     * @param imo how to send to groups, or null for the defaults
     * @return OK; EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, EACCES (broadcast without leave), EMSGSIZE, ENOBUFS,
     *     EHOSTDOWN, ENETDOWN
     * @bsd ip_output
     */
    public Errno output(Mbuf m, byte[] options, RouteCache ro, int flags, Moptions imo) {
        Mbuf p = options == null ? m : IpOptions.insert(m, options);
        if (p == null) {
            return noMem(null);
        }
        if (ro != null) {
            return route(p, ro, flags, imo);
        }
        RouteCache mine = inet.scratch.claim();
        Errno e = route(p, mine, flags, imo);
        inet.scratch.release(mine);
        return e;
    }

    /** Chooses the interface and the next hop. Consumes m. */
    private Errno route(Mbuf m, RouteCache ro, int flags, Moptions imo) {
        if ((flags & (IP_FORWARDING | IP_RAWOUTPUT)) == 0) {
            inet.ipstat.localout.increment();
        } else if ((flags & IP_RAWOUTPUT) != 0) {
            inet.ipstat.rawout.increment();
        }
        m.rcvif(null); // a packet made here, if of a received mbuf: its errors are nobody's but ours
        int dst = IpHeader.dst(m, 0);
        if (InAddrs.isMulticast(dst)) {
            return multicast(m, ro, flags, imo);
        }
        if (dst == SockAddr.INADDR_BROADCAST || (flags & (IP_SENDONES | IP_SENDTOIF | IP_ROUTETOIF)) != 0) {
            return direct(m, ro, flags, imo);
        }
        NextHop nh = ro.resolve(inet.fib(m.fibnum()), dst, m.flowid());
        if (nh == null || nh.has(NextHop.NHF_REJECT)) {
            return noRoute(m, Errno.EHOSTUNREACH);
        }
        if (nh.has(NextHop.NHF_BLACKHOLE)) {
            inet.vnet.drop(m, DropReason.IP_NOROUTE);
            return Errno.OK;
        }
        if (IpHeader.src(m, 0) == SockAddr.INADDR_ANY && nh.src != null) {
            IpHeader.src(m, 0, nh.src.in4());
        }
        if (nh.has(NextHop.NHF_BROADCAST)) {
            return broadcast(m, nh.ifp, ro.linkDst(), flags);
        }
        fillId(m, flags);
        return emit(m, nh.ifp, ro.linkDst(), nh.mtu());
    }

    private Errno noRoute(Mbuf m, Errno e) {
        inet.ipstat.noroute.increment();
        inet.vnet.drop(m, DropReason.IP_NOROUTE);
        return e;
    }

    private Errno noMem(Mbuf m) {
        inet.ipstat.odropped.increment();
        inet.vnet.drop(m, DropReason.MBUF_NOMEM);
        return Errno.ENOBUFS;
    }

    private Errno refuse(Mbuf m, DropReason reason, Errno e) {
        inet.ipstat.odropped.increment();
        inet.vnet.drop(m, reason);
        return e;
    }

    private void fillId(Mbuf m, int flags) {
        boolean given = (flags & IP_FORWARDING) != 0 || (flags & IP_RAWOUTPUT) != 0 && IpHeader.id(m, 0) != 0;
        if (!given) {
            int off = IpHeader.off(m, 0);
            IpHeader.id(m, 0, ids.next(off, IpHeader.src(m, 0), IpHeader.dst(m, 0)));
        }
    }

    // To a group.

    private Errno multicast(Mbuf m, RouteCache ro, int flags, Moptions imo) {
        int dst = IpHeader.dst(m, 0);
        Ifnet ifp = imo == null ? null : imo.multicastIfp;
        if (ifp == null) {
            NextHop nh = ro.resolve(inet.fib(m.fibnum()), dst, m.flowid());
            ifp = nh == null ? null : nh.ifp;
        }
        if (ifp == null || (ifp.flags() & Ifnet.IFF_MULTICAST) == 0) {
            return noRoute(m, Errno.ENETUNREACH);
        }
        chooseSource(m, ifp);
        if (imo != null && (flags & (IP_RAWOUTPUT | IP_FORWARDING)) == 0) {
            IpHeader.ttl(m, 0, imo.multicastTtl);
        }
        fillId(m, flags);
        m.setFlags(Mbuf.M_MCAST);
        if ((imo == null || imo.multicastLoop) && inet.multi.isMember(ifp, dst)) {
            loopBack(m, ifp);
        }
        if (IpHeader.ttl(m, 0) == 0 || (ifp.flags() & Ifnet.IFF_LOOPBACK) != 0) {
            m.freeChain(); // RFC 1112 section 6.1: stays on this host
            return Errno.OK;
        }
        return emit(m, ifp, ro.direct(dst), ifp.mtu());
    }

    private void chooseSource(Mbuf m, Ifnet ifp) {
        if (IpHeader.src(m, 0) == SockAddr.INADDR_ANY) {
            InIfaddr ia = inet.addrs.first(ifp);
            IpHeader.src(m, 0, ia == null ? SockAddr.INADDR_ANY : ia.addr);
        }
    }

    /**
     * Gives this host a copy of what it sends to a group or to all, with a header of its own, for that of m may become
     * a fragment's. Borrows m.
     *
     * @bsd ip_mloopback
     */
    private void loopBack(Mbuf m, Ifnet ifp) {
        Mbuf shared = m.copyM(0, Mbuf.M_COPYALL);
        Mbuf copy = shared == null ? null : IpHeader.writable(shared, IpHeader.hlen(m, 0));
        if (copy == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        copy.rcvif(ifp);
        copy.csumFlags(copy.csumFlags() | RXCSUM_OK);
        inet.vnet.netisr().queue(Netisr.NETISR_IP, copy);
    }

    // To all, or past the routes.

    private Errno broadcast(Mbuf m, Ifnet ifp, SockAddr to, int flags) {
        if ((ifp.flags() & Ifnet.IFF_BROADCAST) == 0) {
            return refuse(m, DropReason.IP_BADADDR, Errno.EADDRNOTAVAIL);
        }
        if ((flags & IP_ALLOWBROADCAST) == 0) {
            return refuse(m, DropReason.IP_BCAST, Errno.EACCES);
        }
        if (IpHeader.len(m, 0) > ifp.mtu()) {
            return refuse(m, DropReason.IP_CANTFRAG, Errno.EMSGSIZE);
        }
        fillId(m, flags);
        m.setFlags(Mbuf.M_BCAST);
        if ((ifp.flags() & Ifnet.IFF_SIMPLEX) != 0) {
            loopBack(m, ifp); // DIFFERS: FreeBSD does this in ether_output, for all protocols
        }
        return emit(m, ifp, to, ifp.mtu());
    }

    private Errno direct(Mbuf m, RouteCache ro, int flags, Moptions imo) {
        int dst = IpHeader.dst(m, 0);
        Ifnet ifp = interfaceFor(dst, flags, imo);
        if (ifp == null) {
            return noRoute(m, Errno.ENETUNREACH);
        }
        boolean bcast = (flags & IP_SENDONES) != 0 || inet.addrs.isBroadcast(dst, ifp);
        if ((flags & IP_SENDONES) != 0) {
            IpHeader.dst(m, 0, SockAddr.INADDR_BROADCAST);
        }
        if ((flags & (IP_ROUTETOIF | IP_SENDONES)) != 0) {
            IpHeader.ttl(m, 0, 1);
        }
        chooseSource(m, ifp);
        SockAddr to = ro.direct(IpHeader.dst(m, 0));
        if (bcast) {
            return broadcast(m, ifp, to, flags);
        }
        fillId(m, flags);
        return emit(m, ifp, to, ifp.mtu());
    }

    private Ifnet interfaceFor(int dst, int flags, Moptions imo) {
        if (imo != null && imo.multicastIfp != null && (dst == -1 || (flags & IP_SENDTOIF) != 0)) {
            return imo.multicastIfp;
        }
        if (dst != SockAddr.INADDR_BROADCAST) {
            InIfaddr own = inet.addrs.lookup(dst);
            NextHop local = own == null ? null : inet.fibs[0].lookup(dst);
            if (local != null) {
                return local.ifp;
            }
            InIfaddr ia = inet.addrs.onLink(dst, null);
            return ia == null ? null : ia.ifp;
        }
        List<Ifnet> all = inet.vnet.ifnets().all();
        int want = Ifnet.IFF_BROADCAST | Ifnet.IFF_UP;
        for (int i = 0; i < all.size(); i++) {
            if ((all.get(i).flags() & want) == want) {
                return all.get(i);
            }
        }
        return null;
    }

    // Down to the link.

    private Errno emit(Mbuf m, Ifnet ifp, SockAddr to, int mtu) {
        int src = IpHeader.src(m, 0);
        boolean loopNet = InAddrs.isLoopback(src) || InAddrs.isLoopback(IpHeader.dst(m, 0));
        if (loopNet && (ifp.flags() & Ifnet.IFF_LOOPBACK) == 0) {
            inet.ipstat.badaddr.increment();
            inet.vnet.drop(m, DropReason.IP_BADADDR);
            return Errno.EADDRNOTAVAIL;
        }
        m.csumFlags(m.csumFlags() | CSUM_IP);
        return finish(m, ifp, to, mtu);
    }

    /** Sends a packet on whose header is right but for what csumFlags ask for. Consumes m. */
    Errno forward(Mbuf m, Ifnet ifp, SockAddr to, int mtu) {
        return finish(m, ifp, to, mtu);
    }

    private Errno finish(Mbuf m, Ifnet ifp, SockAddr to, int mtu) {
        int csum = m.csumFlags();
        int len = IpHeader.len(m, 0);
        if ((csum & CSUM_IP_TSO) != 0) {
            if ((ifp.capenable() & Ifnet.IFCAP_TSO4) == 0 || len > ifp.tsoMax()) {
                return segment(m, ifp, to, mtu);
            }
        } else if (len > mtu) {
            return fragment(m, ifp, to, mtu);
        }
        if ((ifp.capenable() & Ifnet.IFCAP_TXCSUM) == 0) {
            if ((csum & CSUM_DELAY_DATA) != 0) {
                delayedCksum(m);
            }
            if ((csum & CSUM_IP) != 0) {
                headerCksum(m);
            }
        }
        return ifp.output(m, to);
    }

    private static void headerCksum(Mbuf m) {
        IpHeader.sum(m, 0, 0);
        IpHeader.sum(m, 0, InCksum.hdr(m, IpHeader.hlen(m, 0)));
        m.csumFlags(m.csumFlags() & ~CSUM_IP);
    }

    /**
     * Completes a transport checksum in software: the field holds the sum of the pseudo-header, {@code csumData} says
     * where in the transport header it lies. Borrows m.
     *
     * @bsd in_delayed_cksum
     */
    public static void delayedCksum(Mbuf m) {
        int hlen = IpHeader.hlen(m, 0);
        int sum = InCksum.cksumSkip(m, IpHeader.len(m, 0), hlen);
        if (sum == 0 && (m.csumFlags() & CSUM_IP_UDP) != 0) {
            sum = 0xffff; // RFC 768: 0 means none
        }
        int at = hlen + m.csumData();
        if (at + Short.BYTES <= m.len()) {
            m.put16(at, sum);
        } else {
            m.getPtr(at).put8(m.getPtrOff(at), sum >>> Byte.SIZE);
            m.getPtr(at + 1).put8(m.getPtrOff(at + 1), sum);
        }
        m.csumFlags(m.csumFlags() & ~CSUM_DELAY_DATA);
    }

    private Errno segment(Mbuf m, Ifnet ifp, SockAddr to, int mtu) {
        Gso cutter = gso;
        if (cutter == null) {
            return refuse(m, DropReason.IP_CANTFRAG, Errno.EMSGSIZE);
        }
        Mbuf first = cutter.segment(m);
        return first == null ? noMem(null) : sendAll(first, ifp, to, mtu);
    }

    private Errno fragment(Mbuf m, Ifnet ifp, SockAddr to, int mtu) {
        if ((IpHeader.off(m, 0) & IpHeader.IP_DF) != 0) {
            inet.ipstat.cantfrag.increment();
            inet.vnet.drop(m, DropReason.IP_CANTFRAG);
            return Errno.EMSGSIZE;
        }
        if ((m.csumFlags() & CSUM_DELAY_DATA) != 0) {
            delayedCksum(m);
        }
        m.csumFlags(m.csumFlags() | CSUM_IP);
        Mbuf first = IpFrag.fragment(m, mtu);
        if (first == null) {
            return noMem(null);
        }
        inet.ipstat.fragmented.increment();
        for (Mbuf f = first; f != null; f = f.nextPkt()) {
            inet.ipstat.ofragments.increment();
        }
        return sendAll(first, ifp, to, mtu);
    }

    /** Sends packets linked by nextPkt; the first error ends it and the rest is dropped. */
    private Errno sendAll(Mbuf first, Ifnet ifp, SockAddr to, int mtu) {
        Mbuf m = first;
        Errno e = Errno.OK;
        while (m != null) {
            Mbuf next = m.nextPkt();
            m.nextPkt(null);
            if (e == Errno.OK) {
                e = finish(m, ifp, to, mtu);
            } else {
                refuse(m, DropReason.IF_OQFULL, e);
            }
            m = next;
        }
        return e;
    }
}
