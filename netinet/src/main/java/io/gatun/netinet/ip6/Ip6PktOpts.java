package io.gatun.netinet.ip6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Cmsg;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import java.lang.foreign.MemorySegment;

/**
 * How to send packets, beyond what every socket knows (RFC 3542): of a socket for all its packets (sticky), or of
 * control messages for one packet.
 *
 * <p>Locking key: (i) the lock of the control block it belongs to.
 *
 * @bsd struct ip6_pktopts
 */
public final class Ip6PktOpts {
    /** {@link #minmtu}: groups only. @bsd IP6PO_MINMTU_MCASTONLY */
    public static final int MINMTU_MCASTONLY = -1;
    /** {@link #minmtu}: never. @bsd IP6PO_MINMTU_DISABLE */
    public static final int MINMTU_DISABLE = 0;
    /** {@link #minmtu}: always. @bsd IP6PO_MINMTU_ALL */
    public static final int MINMTU_ALL = 1;

    private static final int OCTET = 255;
    private static final int PKTINFO = 2 * Long.BYTES + Integer.BYTES;
    private static final int UNIT = 8;
    private static final byte[] NONE = {};

    /** Hop limit; -1 for the socket's. @bsd ip6po_hlim */
    public int hlim = -1;           // (i)
    /** Traffic class; -1 for the socket's. @bsd ip6po_tclass */
    public int tclass = -1;         // (i)
    /** When to send as if the path MTU were the least. @bsd ip6po_minmtu */
    public int minmtu = MINMTU_MCASTONLY; // (i)
    /** No packet is cut. @bsd IP6PO_DONTFRAG */
    public boolean dontfrag;        // (i)
    /** IP6PO_TEMPADDR_*: whether temporary addresses are preferred as source. @bsd ip6po_prefer_tempaddr */
    public int preferTempaddr = In6Addrs.TEMPADDR_SYSTEM; // (i)
    /** The interface to leave by; null for the route's. @bsd ipi6_ifindex */
    public Ifnet ifp;               // (i)
    /** Source address with its zone put in; unspecified for the socket's. @bsd ipi6_addr */
    public long srcHi;              // (i)
    /** Its last eight octets. */
    public long srcLo;              // (i)
    private byte[] hopopts = NONE;  // (i) its first hopoptsLen octets
    private int hopoptsLen;         // (i)
    private byte[] dstopts = NONE;  // (i) its first dstoptsLen octets
    private int dstoptsLen;         // (i)

    /** Nothing set. */
    public Ip6PktOpts() {
        // fields start as nothing set
    }

    /** Whether a source address is set. */
    public boolean sourceSet() {
        return (srcHi | srcLo) != 0;
    }

    /** Octets of the extension headers it asks for. */
    public int headers() {
        return hopoptsLen + dstoptsLen;
    }

    /** Octets of the hop-by-hop options header; 0 without one. */
    public int hopoptsLen() {
        return hopoptsLen;
    }

    /** Octets of the destination options header; 0 without one. */
    public int dstoptsLen() {
        return dstoptsLen;
    }

    /** What {@link Ip6Output} is to know of cutting: IPV6_*. */
    int flags() {
        return (dontfrag ? Ip6Output.IPV6_DONTFRAG : 0) | (minmtu == MINMTU_ALL ? Ip6Output.IPV6_MINMTU : 0)
            | (minmtu == MINMTU_DISABLE ? Ip6Output.IPV6_NOMINMTU : 0);
    }

    /** A copy of the hop-by-hop options header. */
    byte[] hopopts() {
        return java.util.Arrays.copyOf(hopopts, hopoptsLen);
    }

    /** A copy of the destination options header. */
    byte[] dstopts() {
        return java.util.Arrays.copyOf(dstopts, dstoptsLen);
    }

    /** Makes this equal to another, or to nothing set for null. @bsd ip6_copypktopts */
    public void set(final Ip6PktOpts other) {
        hlim = other == null ? -1 : other.hlim;
        tclass = other == null ? -1 : other.tclass;
        minmtu = other == null ? MINMTU_MCASTONLY : other.minmtu;
        dontfrag = other != null && other.dontfrag;
        preferTempaddr = other == null ? In6Addrs.TEMPADDR_SYSTEM : other.preferTempaddr;
        ifp = other == null ? null : other.ifp;
        srcHi = other == null ? 0 : other.srcHi;
        srcLo = other == null ? 0 : other.srcLo;
        hopoptsLen = other == null ? 0 : other.hopoptsLen;
        hopopts = room(hopopts, hopoptsLen);
        dstoptsLen = other == null ? 0 : other.dstoptsLen;
        dstopts = room(dstopts, dstoptsLen);
        if (other != null) {
            System.arraycopy(other.hopopts, 0, hopopts, 0, hopoptsLen);
            System.arraycopy(other.dstopts, 0, dstopts, 0, dstoptsLen);
        }
    }

    private static byte[] room(final byte[] have, final int n) {
        return have.length >= n ? have : new byte[n];
    }

    // ---- use: null stands for nothing set ------------------------------------------------------------

    /** The interface to leave by towards a destination; null for its route's. Under the pcb's lock. */
    public static Ifnet out(final Ip6PktOpts opts, final Inpcb inp, final SockAddr dst) {
        if (opts != null && opts.ifp != null) {
            return opts.ifp;
        }
        return inp.moptions6 != null && dst.isMulticast() ? inp.moptions6.multicastIfp : null;
    }

    /** A destination as packets have it: a zone that it lacks is that of the interface to leave by. Borrows nam. */
    public static void embed(final Ifnet out, final SockAddr nam, final SockAddr dst) {
        final int zone = nam.scopeId() != 0 || out == null ? nam.scopeId() : out.index();
        dst.setIn6(In6.embed(nam.hi(), zone), nam.lo(), nam.port(), 0);
    }

    /**
     * Whether the interface to leave by, if there is one, leads to a destination: a group, or one whose route goes out
     * by it.
     *
     * @param flow of the packets, 0 none
     * @bsd in6_selectroute
     */
    public boolean leads(final Fib fib, final RouteCache route, final SockAddr dst, final int flow) {
        if (ifp == null || dst.isMulticast()) {
            return true;
        }
        final NextHop nh = route.resolve6(fib, dst.hi(), dst.lo(), 0, flow);
        return nh == null || nh.ifp == ifp || nh.ifp != null && (nh.ifp.flags() & Ifnet.IFF_LOOPBACK) != 0;
    }

    /** Hop limit of a packet; 0, with IPV6_DEFHLIM, for the interface's. Under the pcb's lock. @bsd in6_selecthlim */
    public static int hlim(final Ip6PktOpts opts, final Inpcb inp, final SockAddr dst) {
        if (opts != null && opts.hlim >= 0) {
            return opts.hlim;
        }
        if (dst.isMulticast()) {
            return inp.moptions6 == null ? 1 : inp.moptions6.multicastTtl;
        }
        return Math.max(0, inp.ttl);
    }

    /** What {@link Ip6Output} is to know of a socket: IPV6_*. Under the pcb's lock. */
    public static int flags(final Ip6PktOpts opts, final Inpcb inp) {
        return (inp.ttl < 0 && (opts == null || opts.hlim < 0) ? Ip6Output.IPV6_DEFHLIM : 0)
            | (inp.has(Inpcb.INP_DONTFRAG) ? Ip6Output.IPV6_DONTFRAG : 0)
            | (inp.moptions6 == null || inp.moptions6.multicastLoop ? 0 : Ip6Output.IPV6_NOLOOP);
    }

    /** Traffic class and flow label of a packet. Under the pcb's lock. */
    public static int flow(final Ip6PktOpts opts, final Inpcb inp) {
        final int flow = Ip6Header.flowOf(inp);
        return opts == null || opts.tclass < 0 ? flow : Ip6Header.withTclass(flow, opts.tclass);
    }

    // ---- one option ------------------------------------------------------------

    /**
     * Says where packets leave from. Zero for both takes it back.
     *
     * @return OK; EINVAL for a group, ENXIO for an interface that is not there, EADDRNOTAVAIL for an address that is
     *     not ours, or not that interface's
     */
    Errno setPktinfo(final Inet inet, final long hi, final long lo, final int ifindex) {
        if (In6.isMulticast(hi)) {
            return Errno.EINVAL;
        }
        final Ifnet out = ifindex == 0 ? null : inet.vnet.ifnets().byIndex(ifindex);
        if (ifindex != 0 && out == null) {
            return Errno.ENXIO;
        }
        long src = hi;
        if (!In6.isAny(hi, lo)) {
            src = In6.embed(hi, ifindex);
            final In6Ifaddr ia = inet.inet6().addrs.lookup(src, lo);
            if (ia == null || out != null && ia.ifp != out) {
                return Errno.EADDRNOTAVAIL;
            }
        }
        ifp = out;
        srcHi = src;
        srcLo = lo;
        return Errno.OK;
    }

    Errno setHlim(final long v) {
        if (v < -1 || v > OCTET) {
            return Errno.EINVAL;
        }
        hlim = (int) v;
        return Errno.OK;
    }

    Errno setTclass(final long v) {
        if (v < -1 || v > OCTET) {
            return Errno.EINVAL;
        }
        tclass = (int) v;
        return Errno.OK;
    }

    Errno setPreferTempaddr(final long v) {
        if (v < In6Addrs.TEMPADDR_SYSTEM || v > In6Addrs.TEMPADDR_PREFER) {
            return Errno.EINVAL;
        }
        preferTempaddr = (int) v;
        return Errno.OK;
    }

    Errno setMinmtu(final long v) {
        if (v < MINMTU_MCASTONLY || v > MINMTU_ALL) {
            return Errno.EINVAL;
        }
        minmtu = (int) v;
        return Errno.OK;
    }

    /**
     * Sets or with no octets takes back the options that go with each packet: a whole extension header.
     *
     * @param name IPV6_HOPOPTS or IPV6_DSTOPTS
     * @return OK; EPERM without privilege, EINVAL where the header's length is not that of the octets
     */
    Errno setOptions(final int name, final MemorySegment from, final long off, final int n, final Ucred cred) {
        if (!cred.privileged()) {
            return Errno.EPERM;
        }
        if (n != 0 && (n % UNIT != 0 || n != ((from.get(Mbuf.U8, off + 1) & OCTET) + 1) * UNIT)) {
            return Errno.EINVAL;
        }
        if (name == InDefs.IPV6_HOPOPTS) {
            hopopts = room(hopopts, n);
            hopoptsLen = n;
        } else {
            dstopts = room(dstopts, n);
            dstoptsLen = n;
        }
        MemorySegment.copy(from, Mbuf.U8, off, name == InDefs.IPV6_HOPOPTS ? hopopts : dstopts, 0, n);
        return Errno.OK;
    }

    // ---- control messages ------------------------------------------------------------

    /**
     * Changes this as control messages say, which are all in one mbuf. Borrows it. Messages of other levels are none
     * of IPv6's business.
     *
     * @return OK; EINVAL for what is malformed or out of range, ENOPROTOOPT for an unknown message, and what the
     *     options say
     * @bsd ip6_setpktopts
     */
    public Errno control(final Inet inet, final Mbuf m, final Ucred cred) {
        if (m.next() != null) {
            return Errno.EINVAL;
        }
        Errno e = Errno.OK;
        int at = 0;
        while (at < m.len() && e == Errno.OK) {
            if (!Cmsg.check(m, at)) {
                return Errno.EINVAL;
            }
            e = Cmsg.level(m, at) != InDefs.IPPROTO_IPV6 ? Errno.OK : message(inet, m, at, cred);
            at = Cmsg.next(m, at);
        }
        return e;
    }

    private Errno message(final Inet inet, final Mbuf m, final int at, final Ucred cred) {
        final int type = Cmsg.type(m, at);
        final int n = Cmsg.length(m, at);
        final int data = Cmsg.data(at);
        return switch (type) {
            case InDefs.IPV6_PKTINFO -> n != PKTINFO ? Errno.EINVAL
                : setPktinfo(inet, m.getLong(data), m.getLong(data + Long.BYTES), m.getInt(data + 2 * Long.BYTES));
            case InDefs.IPV6_HOPLIMIT -> n != Integer.BYTES ? Errno.EINVAL : setHlim(m.getInt(data));
            case InDefs.IPV6_TCLASS -> n != Integer.BYTES ? Errno.EINVAL : setTclass(m.getInt(data));
            case InDefs.IPV6_USE_MIN_MTU -> n != Integer.BYTES ? Errno.EINVAL : setMinmtu(m.getInt(data));
            case InDefs.IPV6_PREFER_TEMPADDR ->
                n != Integer.BYTES ? Errno.EINVAL : setPreferTempaddr(m.getInt(data));
            case InDefs.IPV6_DONTFRAG -> {
                dontfrag = n == Integer.BYTES && m.getInt(data) != 0;
                yield n == Integer.BYTES ? Errno.OK : Errno.EINVAL;
            }
            case InDefs.IPV6_HOPOPTS, InDefs.IPV6_DSTOPTS -> setOptions(type, m.seg(), m.data() + data, n, cred);
            case InDefs.IPV6_RTHDR -> Errno.EINVAL; // RFC 5095: there is no type of routing header to send
            default -> Errno.ENOPROTOOPT;
        };
    }

    // ---- extension headers ------------------------------------------------------------

    /**
     * Puts the extension headers behind a packet's IPv6 header. Consumes m, whose transport checksum is complete.
     *
     * @return the packet, or null when out of mbufs
     */
    Mbuf insert(final Mbuf m) {
        final int n = headers();
        final int lead = m.pool().maxLinkhdr();
        final Mbuf head = m.pool().get2(lead + Ip6Header.LEN + n, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        if (head == null) {
            m.freeChain();
            return null;
        }
        head.data(head.data() + lead);
        head.len(Ip6Header.LEN + n);
        m.copyData(0, Ip6Header.LEN, head.seg(), head.data());
        head.moveHdrFrom(m);
        head.pktLen(head.pktLen() + n);
        m.adjHead(Ip6Header.LEN);
        head.next(m);
        Ip6Header.plen(head, 0, Ip6Header.plen(head, 0) + n);
        link(head, Ip6Header.nxt(head, 0));
        return head;
    }

    /** Each header names the next: IPv6, hop-by-hop, destination options, the transport. */
    private void link(final Mbuf m, final int proto) {
        int at = Ip6Header.LEN;
        int link = Ip6Header.NXT;
        if (hopoptsLen > 0) {
            MemorySegment.copy(hopopts, 0, m.seg(), Mbuf.U8, m.data() + at, hopoptsLen);
            m.put8(link, InDefs.IPPROTO_HOPOPTS);
            link = at;
            at += hopoptsLen;
        }
        if (dstoptsLen > 0) {
            MemorySegment.copy(dstopts, 0, m.seg(), Mbuf.U8, m.data() + at, dstoptsLen);
            m.put8(link, InDefs.IPPROTO_DSTOPTS);
            link = at;
        }
        m.put8(link, proto);
    }
}
