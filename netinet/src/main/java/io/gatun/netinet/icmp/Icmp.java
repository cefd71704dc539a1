package io.gatun.netinet.icmp;

import io.gatun.netinet.Inet;
import io.gatun.netinet.ip.InAddrs;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip.IpOptions;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;

/**
 * ICMP on its way out: errors about packets, and answers made of questions (RFC 792, RFC 1122 section 3.2.2, RFC 1812
 * section 4.3). {@link IcmpInput} takes messages in.
 *
 * <pre>
 *  +---------------+---------------+-------------------------------+
 *  |     type      |     code      |           checksum            |
 *  +---------------+---------------+-------------------------------+
 *  |          unused, pointer, id and sequence, or MTU             |
 *  +---------------------------------------------------------------+
 *  |   the IP header the error is about, and what follows it       |
 *  +---------------------------------------------------------------+
 * </pre>
 *
 * @bsd icmp_error
 */
public final class Icmp {
    public static final int ICMP_ECHOREPLY = 0;
    public static final int ICMP_UNREACH = 3;
    public static final int ICMP_UNREACH_NET = 0;
    public static final int ICMP_UNREACH_HOST = 1;
    public static final int ICMP_UNREACH_PROTOCOL = 2;
    public static final int ICMP_UNREACH_PORT = 3;
    public static final int ICMP_UNREACH_NEEDFRAG = 4;
    public static final int ICMP_UNREACH_SRCFAIL = 5;
    public static final int ICMP_UNREACH_NET_UNKNOWN = 6;
    public static final int ICMP_UNREACH_HOST_UNKNOWN = 7;
    public static final int ICMP_UNREACH_ISOLATED = 8;
    public static final int ICMP_UNREACH_NET_PROHIB = 9;
    public static final int ICMP_UNREACH_HOST_PROHIB = 10;
    public static final int ICMP_UNREACH_TOSNET = 11;
    public static final int ICMP_UNREACH_TOSHOST = 12;
    public static final int ICMP_UNREACH_FILTER_PROHIB = 13;
    public static final int ICMP_UNREACH_HOST_PRECEDENCE = 14;
    public static final int ICMP_UNREACH_PRECEDENCE_CUTOFF = 15;
    public static final int ICMP_SOURCEQUENCH = 4;
    public static final int ICMP_REDIRECT = 5;
    public static final int ICMP_REDIRECT_HOST = 1;
    public static final int ICMP_ECHO = 8;
    public static final int ICMP_TIMXCEED = 11;
    public static final int ICMP_TIMXCEED_INTRANS = 0;
    public static final int ICMP_TIMXCEED_REASS = 1;
    public static final int ICMP_PARAMPROB = 12;
    public static final int ICMP_PARAMPROB_ERRATPTR = 0;
    public static final int ICMP_PARAMPROB_OPTABSENT = 1;
    public static final int ICMP_TSTAMP = 13;
    public static final int ICMP_TSTAMPREPLY = 14;
    /** Octets of every message at least. */
    public static final int ICMP_MINLEN = 8;
    /** Octets behind an offending IP header that an error must carry. */
    public static final int ADVLEN = 8;

    static final int CODE = 1;
    static final int CKSUM = 2;
    static final int WORD = 4;
    static final int NEXTMTU = 6;
    private static final int QUOTE_MAX = IpHeader.IP_MSS - IpHeader.LEN - ICMP_MINLEN;
    private static final long NS_PER_MS = 1_000_000L;
    private static final int DAY_MS = 86_400_000;
    private static final int NONSTANDARD_TIME = 0x8000_0000;
    /** RFC 1191 section 7.1. */
    private static final int[] PLATEAUS = {65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68};

    /** What {@link #bandlim} counts apart. @bsd BANDLIM_ICMP_UNREACH */
    public enum Bandlim { ICMP_UNREACH, ICMP_ECHO, ICMP_TSTAMP, RST_CLOSEDPORT, RST_OPENPORT, ICMP6_UNREACH, SCTP_OOTB }

    private final Inet inet;
    private final VnetSide vnet;
    final IcmpStat stat;
    private final IcmpLimit limit;
    private final Sysctl quotelen;

    public Icmp(Inet inet) {
        this.inet = inet;
        vnet = inet.vnet;
        stat = new IcmpStat(vnet.counters());
        limit = new IcmpLimit(vnet, stat.ratelimit);
        SysctlTree tree = vnet.sysctl();
        quotelen = tree.addInt("net.inet.icmp.quotelen", QUOTE_MAX, IpHeader.LEN + ADVLEN, QUOTE_MAX,
            "octets of the offending packet that an ICMP error carries at most");
    }

    // Errors.

    /**
     * Answers a packet with an ICMP error, where RFC 1122 section 3.2.2 allows one and the rate is not exceeded.
     * Consumes m, which begins with its IP header as it was received, and counts its drop by the reason the error
     * tells of.
     *
     * @param word MTU of the next hop for ICMP_UNREACH_NEEDFRAG, octet number for ICMP_PARAMPROB, else 0
     * @bsd icmp_error
     */
    public void error(Mbuf m, int type, int code, int word) {
        stat.error.increment();
        if (mayComplain(m) && bandlim(Bandlim.ICMP_UNREACH)) {
            Mbuf n = quote(m, type, code, word);
            if (n == null) {
                vnet.drop(null, DropReason.MBUF_NOMEM);
            } else {
                stat.out(type).increment();
                send(n);
            }
        }
        vnet.drop(m, reason(type, code));
    }

    private static DropReason reason(int type, int code) {
        return switch (type) {
            case ICMP_TIMXCEED -> code == ICMP_TIMXCEED_INTRANS ? DropReason.IP_TTL : DropReason.IP_REASS_TIMEOUT;
            case ICMP_PARAMPROB -> DropReason.IP_BADOPT;
            case ICMP_UNREACH -> switch (code) {
                case ICMP_UNREACH_PROTOCOL -> DropReason.IP_NOPROTO;
                case ICMP_UNREACH_PORT -> DropReason.UDP_NOPORT;
                case ICMP_UNREACH_NEEDFRAG -> DropReason.IP_CANTFRAG;
                case ICMP_UNREACH_FILTER_PROHIB -> DropReason.IP_FILTERED;
                case ICMP_UNREACH_SRCFAIL -> DropReason.IP_SRCROUTE;
                default -> DropReason.IP_NOROUTE;
            };
            default -> DropReason.OTHER;
        };
    }

    /**
     * Tells a neighbour that another router on its link is nearer to where it sends, where the rate is not exceeded.
     * Borrows m, which begins with its IP header as it was received and goes on all the same.
     *
     * @param gateway the router, or the destination itself when that is on the link
     * @bsd icmp_error
     */
    public void redirect(Mbuf m, int gateway) {
        if (mayComplain(m) && bandlim(Bandlim.ICMP_UNREACH)) {
            Mbuf n = quote(m, ICMP_REDIRECT, ICMP_REDIRECT_HOST, gateway);
            if (n == null) {
                vnet.drop(null, DropReason.MBUF_NOMEM);
                return;
            }
            stat.out(ICMP_REDIRECT).increment();
            send(n);
        }
    }

    /** The rules of RFC 1122 section 3.2.2 about what no error is sent for. Borrows m. */
    private boolean mayComplain(Mbuf m) {
        int src = IpHeader.src(m, 0);
        int dst = IpHeader.dst(m, 0);
        boolean notOne = m.has(Mbuf.M_BCAST | Mbuf.M_MCAST) || InAddrs.isMulticast(dst) || InAddrs.isMulticast(src)
            || InAddrs.isZeronet(src) || inet.addrs.isBroadcast(dst, null) || inet.addrs.isBroadcast(src, null)
            || InAddrs.isExperimental(src);
        if (notOne || (IpHeader.off(m, 0) & IpHeader.IP_OFFMASK) != 0) {
            stat.oldicmp.increment();
            return false;
        }
        int hlen = IpHeader.hlen(m, 0);
        if (IpHeader.p(m, 0) != InDefs.IPPROTO_ICMP) {
            return true;
        }
        if (m.pktLen() < hlen + 1) {
            stat.oldshort.increment();
            return false;
        }
        int type = m.getPtr(hlen).getU8(m.getPtrOff(hlen));
        if (isQuery(type)) {
            return true;
        }
        stat.oldicmp.increment();
        return false;
    }

    /** Whether a type is a question or an answer, no error. @bsd ICMP_INFOTYPE */
    static boolean isQuery(int type) {
        return type == ICMP_ECHOREPLY || type == ICMP_ECHO || type >= 9 && type <= 10
            || type >= ICMP_TSTAMP && type <= 18;
    }

    /** The error packet about m, ready for {@link #send}; null when out of mbufs. Borrows m. */
    private Mbuf quote(Mbuf m, int type, int code, int word) {
        int n = Math.min(Math.min(m.pktLen(), IpHeader.len(m, 0)), Math.max(quotelen.getInt(),
            IpHeader.hlen(m, 0) + ADVLEN));
        int head = IpHeader.LEN + ICMP_MINLEN;
        int lead = vnet.pool().maxLinkhdr();
        Mbuf e = vnet.pool().get2(lead + head + n, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        if (e == null) {
            return null;
        }
        e.data(e.data() + lead);
        e.len(head + n);
        e.pktLen(head + n);
        e.rcvif(m.rcvif());
        e.fibnum(m.fibnum());
        IpHeader.init(e, 0, head + n, 0);
        IpHeader.addr(e, 0, IpHeader.ttlAndProto(IpHeader.MAXTTL, InDefs.IPPROTO_ICMP), sourceFor(m),
            IpHeader.src(m, 0));
        int ic = IpHeader.LEN;
        e.put8(ic, type);
        e.put8(ic + CODE, code);
        e.put16(ic + CKSUM, 0);
        e.putInt(ic + WORD, type == ICMP_PARAMPROB ? word << 24 : type == ICMP_REDIRECT ? word : word & 0xffff);
        m.copyData(0, n, e.seg(), e.data() + head);
        e.put16(ic + CKSUM, InCksum.cksumSkip(e, head + n, ic));
        return e;
    }

    /** The address this host answers a packet from: the one it was sent to, else that of the interface it came by. */
    int sourceFor(Mbuf m) {
        int dst = IpHeader.dst(m, 0);
        if (inet.addrs.isLocal(dst)) {
            return dst;
        }
        Ifnet ifp = m.rcvif();
        int src = IpHeader.src(m, 0);
        InIfaddr ia = ifp == null ? null : inet.addrs.onLink(src, ifp);
        if (ia == null && ifp != null) {
            ia = inet.addrs.first(ifp);
        }
        if (ia != null) {
            return ia.addr;
        }
        NextHop nh = inet.fib(m.fibnum()).lookup(src);
        return nh == null || nh.src == null ? 0 : nh.src.in4();
    }

    /** Hands a message with a whole header to IP. Consumes m. @bsd icmp_send */
    private Errno send(Mbuf m) {
        m.rcvif(null);
        m.csumFlags(0);
        Errno e = inet.ipOutput.output(m, null, 0);
        if (e == Errno.EHOSTUNREACH || e == Errno.ENETUNREACH) {
            stat.noroute.increment();
        }
        return e;
    }

    /**
     * Whether one more packet of a kind may be sent this second ({@code net.inet.icmp.icmplim}).
     *
     * @bsd badport_bandlim
     */
    public boolean bandlim(Bandlim which) {
        return limit.allow(which);
    }

    // Answers.

    /**
     * Sends a question back as its answer: the caller has made the message right but for its IP header. Consumes m,
     * whose first mbuf is writable.
     *
     * @bsd icmp_reflect
     */
    void reflect(Mbuf m, int type) {
        int to = IpHeader.src(m, 0);
        int from = sourceFor(m);
        boolean noAnswer = InAddrs.isMulticast(to) || InAddrs.isZeronet(to) || InAddrs.isExperimental(to)
            || inet.addrs.isBroadcast(to, null);
        if (noAnswer || from == 0) {
            stat.badaddr.increment();
            vnet.drop(m, DropReason.ICMP_NOERROR);
            return;
        }
        if (hasSourceRoute(m)) {
            IpOptions.strip(m);
        }
        IpHeader.src(m, 0, from);
        IpHeader.dst(m, 0, to);
        IpHeader.off(m, 0, 0);
        IpHeader.ttl(m, 0, IpHeader.IPDEFTTL);
        m.clearFlags(Mbuf.M_BCAST | Mbuf.M_MCAST);
        stat.reflect.increment();
        stat.out(type).increment();
        send(m);
    }

    /**
     * Record Route and Timestamp go back with the answer (RFC 1122 section 3.2.2.6), a used up source route does not.
     */
    private static boolean hasSourceRoute(Mbuf m) {
        int hlen = IpHeader.hlen(m, 0);
        int at = IpHeader.LEN;
        while (at + 1 < hlen && m.getU8(at) != IpOptions.IPOPT_EOL) {
            int opt = m.getU8(at);
            if (opt == IpOptions.IPOPT_LSRR || opt == IpOptions.IPOPT_SSRR) {
                return true;
            }
            at += opt == IpOptions.IPOPT_NOP ? 1 : Math.max(1, m.getU8(at + 1));
        }
        return false;
    }

    /** Milliseconds of the vnet's clock, marked as no time of day (RFC 792). @bsd iptime */
    public int iptime() {
        return (int) Math.floorMod(vnet.clock().nanoTime() / NS_PER_MS, (long) DAY_MS) | NONSTANDARD_TIME;
    }

    // Path MTU.

    /**
     * The MTU an ICMP_UNREACH_NEEDFRAG tells of; the next lower plateau of RFC 1191 section 7.1 when it tells none.
     * Borrows m.
     *
     * @param icmpOff octets to the ICMP header, behind which the offending IP header stands
     */
    public static int needfragMtu(Mbuf m, int icmpOff) {
        int mtu = m.getU16(icmpOff + NEXTMTU);
        return mtu != 0 ? mtu : nextMtu(IpHeader.len(m, icmpOff + ICMP_MINLEN));
    }

    /**
     * Notes the MTU of a path that a message tells of, which quotes a packet that somebody here knows as his own; it
     * only ever goes down. Nothing else of a message is looked at by way of proof but that the packet was too large.
     * Borrows m.
     */
    public void updateMtu(Mbuf m, int icmpOff) {
        if (m.getU8(icmpOff) != ICMP_UNREACH || m.getU8(icmpOff + CODE) != ICMP_UNREACH_NEEDFRAG) {
            return;
        }
        int ip = icmpOff + ICMP_MINLEN;
        int dst = IpHeader.dst(m, ip);
        int mtu = needfragMtu(m, icmpOff);
        HostCache.Entry e = inet.hostCache.lookup(0, dst & 0xffff_ffffL);
        if (mtu < IpHeader.len(m, ip) && (e == null || e.mtu() == 0 || mtu < e.mtu())) {
            inet.hostCache.updateMtu(dst, mtu);
        }
    }

    /** The largest plateau below a packet's length. @bsd ip_next_mtu */
    public static int nextMtu(int len) {
        for (int p : PLATEAUS) {
            if (p < len) {
                return p;
            }
        }
        return IpHeader.IP_MINMTU;
    }

    // What an error means.

    /** What an ICMP error means to who sent the packet it is about; OK for nothing. @bsd icmp_errmap */
    public static Errno errmap(int type, int code) {
        return switch (type) {
            case ICMP_UNREACH -> unreach(code);
            case ICMP_TIMXCEED -> code == ICMP_TIMXCEED_INTRANS ? Errno.EHOSTUNREACH : Errno.OK;
            case ICMP_PARAMPROB ->
                code == ICMP_PARAMPROB_ERRATPTR || code == ICMP_PARAMPROB_OPTABSENT ? Errno.ENOPROTOOPT : Errno.OK;
            default -> Errno.OK;
        };
    }

    private static Errno unreach(int code) {
        return switch (code) {
            case ICMP_UNREACH_NET, ICMP_UNREACH_HOST, ICMP_UNREACH_SRCFAIL, ICMP_UNREACH_NET_UNKNOWN,
                ICMP_UNREACH_HOST_UNKNOWN, ICMP_UNREACH_ISOLATED, ICMP_UNREACH_TOSNET, ICMP_UNREACH_TOSHOST,
                ICMP_UNREACH_HOST_PRECEDENCE, ICMP_UNREACH_PRECEDENCE_CUTOFF -> Errno.EHOSTUNREACH;
            case ICMP_UNREACH_NEEDFRAG -> Errno.EMSGSIZE;
            case ICMP_UNREACH_PROTOCOL, ICMP_UNREACH_PORT, ICMP_UNREACH_NET_PROHIB, ICMP_UNREACH_HOST_PROHIB,
                ICMP_UNREACH_FILTER_PROHIB -> Errno.ECONNREFUSED;
            default -> Errno.OK;
        };
    }

    /** Whether a received message's checksum is right. Borrows m. */
    static boolean checksumOk(Mbuf m, int off) {
        int vouched = Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;
        return (m.csumFlags() & vouched) == vouched || InCksum.cksumSkip(m, IpHeader.len(m, 0), off) == 0;
    }
}
