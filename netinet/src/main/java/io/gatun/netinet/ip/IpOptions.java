package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;

/**
 * IPv4 options (RFC 791 section 3.1, RFC 1122 section 3.2.1.8): Record Route and Timestamp are served, source routes
 * are refused unless {@code net.inet.ip.sourceroute} and {@code accept_sourceroute} say otherwise (RFC 7126), others
 * are skipped.
 *
 * @bsd ip_dooptions
 */
public final class IpOptions {
    public static final int IPOPT_EOL = 0;
    public static final int IPOPT_NOP = 1;
    public static final int IPOPT_RR = 7;
    public static final int IPOPT_TS = 68;
    public static final int IPOPT_LSRR = 131;
    public static final int IPOPT_SSRR = 137;
    /** Router Alert (RFC 2113). */
    public static final int IPOPT_RA = 148;
    /** Octets of options there may be. */
    public static final int MAX_IPOPTLEN = 40;
    private static final int IPOPT_COPIED = 0x80;
    private static final int OPTLEN = 1;
    private static final int OFFSET = 2;
    private static final int TS_FLAGS = 3;
    private static final int MINOFF = 4;
    private static final int TS_MINOFF = 5;
    private static final int IPOPT_TS_TSONLY = 0;
    private static final int IPOPT_TS_TSANDADDR = 1;
    private static final int IPOPT_TS_PRESPEC = 3;
    private static final int IGNORE = 0;
    private static final int REJECT = 2;

    private final Inet inet;
    private final Sysctl process;
    private final Sysctl acceptSourceRoute;
    private final Sysctl doSourceRoute;

    public IpOptions(Inet inet) {
        this.inet = inet;
        process = inet.vnet.sysctl().addInt("net.inet.ip.process_options", 1, 0, REJECT,
            "IP options: 0 ignored, 1 processed, 2 packets with them refused");
        acceptSourceRoute = inet.vnet.sysctl().addBool("net.inet.ip.accept_sourceroute", false,
            "packets with a source route are taken when they are for this host");
        doSourceRoute = inet.vnet.sysctl().addBool("net.inet.ip.sourceroute", false,
            "packets with a source route are sent on along it");
    }

    /**
     * Serves the options of a received packet. Consumes m.
     *
     * @return the packet, or null when it was refused
     */
    Mbuf input(Mbuf m) {
        int how = process.getInt();
        if (how == IGNORE) {
            return m;
        }
        if (how == REJECT) {
            inet.icmp.error(m, Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_FILTER_PROHIB, 0);
            return null;
        }
        int hlen = IpHeader.hlen(m, 0);
        boolean writes = false;
        for (int at = IpHeader.LEN; at < hlen && m.getU8(at) != IPOPT_EOL; at += length(m, at)) {
            int opt = m.getU8(at);
            int bad = malformed(m, at, hlen);
            if (bad >= 0) {
                inet.ipstat.badoptions.increment();
                inet.icmp.error(m, Icmp.ICMP_PARAMPROB, 0, bad);
                return null;
            }
            if (isSourceRoute(opt) && !sourceRouteOk(m, at)) {
                return srcFail(m);
            }
            writes |= opt == IPOPT_RR || opt == IPOPT_TS || isSourceRoute(opt);
        }
        return writes ? record(m, hlen) : m;
    }

    private static int length(Mbuf m, int at) {
        return m.getU8(at) == IPOPT_NOP ? 1 : m.getU8(at + OPTLEN);
    }

    /** Offset of the octet that is wrong in the option, or -1. */
    private static int malformed(Mbuf m, int at, int hlen) {
        int opt = m.getU8(at);
        if (opt == IPOPT_NOP) {
            return -1;
        }
        if (at + OPTLEN >= hlen || m.getU8(at + OPTLEN) < 2 || at + m.getU8(at + OPTLEN) > hlen) {
            return Math.min(at + OPTLEN, hlen - 1);
        }
        boolean route = opt == IPOPT_RR || opt == IPOPT_LSRR || opt == IPOPT_SSRR;
        int least = opt == IPOPT_TS ? TS_MINOFF : route ? MINOFF : 0;
        if (least == 0) {
            return -1;
        }
        int optlen = m.getU8(at + OPTLEN);
        if (optlen < least - 1) {
            return at + OPTLEN;
        }
        return m.getU8(at + OFFSET) < least ? at + OFFSET : -1;
    }

    private static boolean isSourceRoute(int opt) {
        return opt == IPOPT_LSRR || opt == IPOPT_SSRR;
    }

    /** Whether a source route may be followed here, or ends here and is accepted (RFC 791 section 3.1). */
    private boolean sourceRouteOk(Mbuf m, int at) {
        if (!inet.addrs.isLocal(IpHeader.dst(m, 0))) {
            return m.getU8(at) == IPOPT_LSRR && doSourceRoute.getBool(); // a strict one names every router
        }
        return (ended(m, at) ? acceptSourceRoute : doSourceRoute).getBool();
    }

    private static boolean ended(Mbuf m, int at) {
        return m.getU8(at + OFFSET) + Integer.BYTES - 1 > m.getU8(at + OPTLEN);
    }

    /** Refuses a source route: a router says so, a host does not. Consumes m; answers null. */
    private Mbuf srcFail(Mbuf m) {
        inet.ipstat.cantforward.increment();
        if (inet.vnet.sysctl().find("net.inet.ip.forwarding").getBool()) {
            inet.icmp.error(m, Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_SRCFAIL, 0);
        } else {
            inet.vnet.drop(m, DropReason.IP_SRCROUTE);
        }
        return null;
    }

    /**
     * Makes the next address of a source route the destination, and leaves in its place the one this host is known by
     * on that way. Whether there is a way; for a strict route the address must be a neighbour's.
     */
    private boolean nextOfRoute(Mbuf m, int at) {
        if (!inet.addrs.isLocal(IpHeader.dst(m, 0)) || ended(m, at)) {
            return true;
        }
        int slot = at + m.getU8(at + OFFSET) - 1;
        int next = m.getInt(slot);
        NextHop nh = inet.fib(m.fibnum()).lookup(next);
        InIfaddr ia = nh == null || nh.ifp == null ? null : inet.addrs.first(nh.ifp);
        boolean strict = m.getU8(at) == IPOPT_SSRR;
        if (ia == null || strict && nh.gateway != null || InAddrs.isMulticast(next)) {
            return false;
        }
        IpHeader.dst(m, 0, next);
        m.putInt(slot, nh.src == null ? ia.addr : nh.src.in4());
        m.put8(at + OFFSET, m.getU8(at + OFFSET) + Integer.BYTES);
        return true;
    }

    /** Writes this host into Record Route and Timestamp options. Consumes m; null when out of mbufs or refused. */
    private Mbuf record(Mbuf m0, int hlen) {
        Mbuf m = IpHeader.writable(m0, hlen);
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return null;
        }
        for (int at = IpHeader.LEN; at < hlen && m.getU8(at) != IPOPT_EOL; at += length(m, at)) {
            int opt = m.getU8(at);
            if (isSourceRoute(opt) && !nextOfRoute(m, at)) {
                return srcFail(m);
            }
            int bad = opt == IPOPT_RR ? recordRoute(m, at) : opt == IPOPT_TS ? timestamp(m, at) : -1;
            if (bad >= 0) {
                inet.ipstat.badoptions.increment();
                inet.icmp.error(m, Icmp.ICMP_PARAMPROB, 0, bad);
                return null;
            }
        }
        IpHeader.sum(m, 0, 0);
        IpHeader.sum(m, 0, InCksum.hdr(m, hlen));
        return m;
    }

    private int recordRoute(Mbuf m, int at) {
        int off = m.getU8(at + OFFSET);
        if (off + Integer.BYTES - 1 > m.getU8(at + OPTLEN)) {
            return -1; // full: leave it as it is
        }
        m.putInt(at + off - 1, ownAddr(m));
        m.put8(at + OFFSET, off + Integer.BYTES);
        return -1;
    }

    /** The address this host is known by on the packet's way: the destination itself or that of the way out. */
    private int ownAddr(Mbuf m) {
        int dst = IpHeader.dst(m, 0);
        if (inet.addrs.isLocal(dst)) {
            return dst;
        }
        NextHop nh = inet.fib(m.fibnum()).lookup(dst);
        return nh == null || nh.src == null ? 0 : nh.src.in4();
    }

    private int timestamp(Mbuf m, int at) {
        int optlen = m.getU8(at + OPTLEN);
        int off = m.getU8(at + OFFSET);
        int how = m.getU8(at + TS_FLAGS) & 0xf;
        int need = how == IPOPT_TS_TSONLY ? Integer.BYTES : 2 * Integer.BYTES;
        if (off + need - 1 > optlen) {
            int overflow = (m.getU8(at + TS_FLAGS) >>> 4) + 1;
            m.put8(at + TS_FLAGS, overflow << 4 | how);
            return overflow > 0xf ? at + TS_FLAGS : -1;
        }
        int slot = at + off - 1;
        switch (how) {
            case IPOPT_TS_TSONLY -> m.putInt(slot, inet.icmp.iptime());
            case IPOPT_TS_TSANDADDR -> {
                m.putInt(slot, ownAddr(m));
                m.putInt(slot + Integer.BYTES, inet.icmp.iptime());
            }
            case IPOPT_TS_PRESPEC -> {
                if (!inet.addrs.isLocal(m.getInt(slot))) {
                    return -1;
                }
                m.putInt(slot + Integer.BYTES, inet.icmp.iptime());
            }
            default -> {
                return at + TS_FLAGS;
            }
        }
        m.put8(at + OFFSET, off + need);
        return -1;
    }

    /**
     * Valid options padded to words; null for none.
     *
     * @bsd ip_pcbopts
     */
    static byte[] padded(byte[] octets) {
        return octets.length == 0 ? null : java.util.Arrays.copyOf(octets, octets.length + Integer.BYTES - 1 & -4);
    }

    /**
     * Whether a socket may set these: OK; EINVAL for too many or malformed ones, EOPNOTSUPP for source routes.
     *
     * @bsd ip_pcbopts
     */
    static Errno valid(byte[] octets) {
        int at = 0;
        while (at < octets.length && octets[at] != IPOPT_EOL) {
            int opt = octets[at] & 0xff;
            if (opt == IPOPT_LSRR || opt == IPOPT_SSRR) {
                return Errno.EOPNOTSUPP;
            }
            int n = opt == IPOPT_NOP ? 1 : at + OPTLEN < octets.length ? octets[at + OPTLEN] & 0xff : 0;
            if (n < (opt == IPOPT_NOP ? 1 : 2) || at + n > octets.length) {
                return Errno.EINVAL;
            }
            at += n;
        }
        return octets.length > MAX_IPOPTLEN ? Errno.EINVAL : Errno.OK;
    }

    /** Whether a packet has an option. Borrows m; malformed options end the search. */
    public static boolean has(Mbuf m, int option) {
        int hlen = IpHeader.hlen(m, 0);
        int at = IpHeader.LEN;
        while (at + OPTLEN < hlen && m.getU8(at) != IPOPT_EOL) {
            if (m.getU8(at) == option) {
                return true;
            }
            at += Math.max(1, length(m, at));
        }
        return false;
    }

    /**
     * Takes the options off a packet. Borrows m, whose first mbuf is writable; the header checksum is left wrong.
     *
     * @bsd ip_stripoptions
     */
    public static void strip(Mbuf m) {
        int extra = IpHeader.hlen(m, 0) - IpHeader.LEN;
        long a = m.getLong(0);
        long b = m.getLong(Long.BYTES);
        int c = m.getInt(2 * Long.BYTES);
        m.adjHead(extra);
        m.putLong(0, a);
        m.putLong(Long.BYTES, b);
        m.putInt(2 * Long.BYTES, c);
        IpHeader.hlen(m, 0, IpHeader.LEN);
        IpHeader.len(m, 0, IpHeader.len(m, 0) - extra);
    }

    /**
     * Puts options into a packet whose header has none. Consumes m; null when out of mbufs or when the packet would be
     * too long.
     *
     * @param options a multiple of 4 octets, at most {@link #MAX_IPOPTLEN}
     * @bsd ip_insertoptions
     */
    static Mbuf insert(Mbuf m0, byte[] options) {
        int n = options.length;
        if (IpHeader.len(m0, 0) + n > IpHeader.IP_MAXPACKET) {
            m0.freeChain();
            return null;
        }
        Mbuf m = m0.prepend(n);
        m = m == null ? null : m.pullup(IpHeader.LEN + n);
        if (m == null) {
            return null;
        }
        for (int i = 0; i < IpHeader.LEN; i += Integer.BYTES) {
            m.putInt(i, m.getInt(n + i));
        }
        for (int i = 0; i < n; i++) {
            m.put8(IpHeader.LEN + i, options[i]);
        }
        IpHeader.hlen(m, 0, IpHeader.LEN + n);
        IpHeader.len(m, 0, IpHeader.len(m, 0) + n);
        return m;
    }

    /** Copies the options that every fragment carries behind the header in {@code to}; answers their padded length. */
    static int copyForFragment(Mbuf m, int hlen, Mbuf to) {
        int out = IpHeader.LEN;
        int at = IpHeader.LEN;
        while (at < hlen && m.getU8(at) != IPOPT_EOL) {
            int n = m.getU8(at) == IPOPT_NOP || at + OPTLEN >= hlen ? 1 : Math.max(1, m.getU8(at + OPTLEN));
            n = Math.min(n, hlen - at);
            if ((m.getU8(at) & IPOPT_COPIED) != 0) {
                for (int i = 0; i < n; i++) {
                    to.put8(out++, m.getU8(at + i));
                }
            }
            at += n;
        }
        while ((out & Integer.BYTES - 1) != 0) {
            to.put8(out++, IPOPT_EOL);
        }
        return out - IpHeader.LEN;
    }
}
