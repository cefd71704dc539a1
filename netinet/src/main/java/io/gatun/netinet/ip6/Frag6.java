package io.gatun.netinet.ip6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip.Frag;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip.ReassTable;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;

/**
 * Reassembly of IPv6 packets (RFC 8200 section 4.5) over a {@link ReassTable}: overlaps drop the packet (RFC 5722), a
 * fragment that is a whole packet passes by itself (RFC 6946), and the first fragment must hold all headers (RFC 7112).
 *
 * <pre>
 *  +---------------+---------------+-------------------------+---+-+
 *  |      nxt      |   reserved    |   offset (8 octets)     |res|M|
 *  +---------------+---------------+-------------------------+---+-+
 *  |                        identification                         |
 *  +---------------------------------------------------------------+
 * </pre>
 *
 * @bsd frag6_input
 */
public final class Frag6 implements ReassTable.Family {
    /** On a packet that came in fragments: neighbour discovery takes none (RFC 6980). @bsd M_FRAGMENTED */
    public static final int M_FRAGMENTED = Mbuf.M_PROTO5;

    /** Octets of a fragment header. */
    static final int LEN = 8;
    static final int OFFLG = 2;
    static final int IDENT = 4;
    static final int MORE_FRAG = 1;
    static final int OFF_MASK = 0xfff8;

    private static final long MSEC = 1_000_000L;
    private static final int LIFETIME_MS = 60_000;
    private static final int DAY_MS = 86_400_000;
    private static final int TCP_LEAST = 20;
    private static final int ECN_MASK = 3;

    private final Inet6 inet6;
    private final VnetSide vnet;
    private final Ip6Stat stat;
    private final ReassTable table;

    public Frag6(final Inet inet, final Inet6 inet6) {
        this.inet6 = inet6;
        vnet = inet.vnet;
        stat = inet6.stat;
        final SysctlTree tree = vnet.sysctl();
        final Sysctl lifetime = tree.addInt("net.inet6.ip6.fraglifetime_ms", LIFETIME_MS, 1, DAY_MS,
            "milliseconds a packet may take to be whole");
        table = new ReassTable(vnet, "net.inet6.ip6", () -> lifetime.get() * MSEC, this);
        tree.addReading("net.inet6.ip6.frag6_nfragpackets", this::packets, "packets in reassembly now");
        tree.addReading("net.inet6.ip6.frag6_nfrags", this::frags, "fragments held now");
    }

    /** Packets in reassembly now. */
    public int packets() {
        return table.packets();
    }

    /** Fragments held now. */
    public int frags() {
        return table.frags();
    }

    /**
     * Takes a packet for this host at its fragment header. Consumes m, in whose first mbuf all lies up to the end of
     * that header.
     *
     * @param off of the fragment header
     * @param nxtAt of the octet that announced it
     * @return a whole packet without fragment header, its octet at {@code nxtAt} telling what is at {@code off} now;
     *     null when there is none yet
     * @bsd frag6_input
     */
    Mbuf input(final Mbuf m, final int off, final int nxtAt) {
        stat.fragments.increment();
        final int word = m.getU16(off + OFFLG);
        final boolean more = (word & MORE_FRAG) != 0;
        final int at = word & OFF_MASK;
        if (at == 0 && !more) {
            stat.atomicfrags.increment();
            return whole(m, off, nxtAt);
        }
        final int len = m.pktLen() - off - LEN;
        if (len == 0 || more && len % Ip6Nexthdr.UNIT != 0) {
            return complain(m, Icmp6.ICMP6_PARAMPROB_HEADER, Ip6Header.PLEN, DropReason.IP_REASS_BADFRAG);
        }
        if (off - Ip6Header.LEN + at + len > Ip6Header.IPV6_MAXPACKET) {
            return complain(m, Icmp6.ICMP6_PARAMPROB_HEADER, off + OFFLG, DropReason.IP_REASS_TOOLONG);
        }
        if (at == 0 && !allHeaders(m, off)) {
            return complain(m, Icmp6.ICMP6_PARAMPROB_FIRSTFRAG, 0, DropReason.IP_REASS_BADFRAG);
        }
        Frag.put(m, at, len, off + LEN, more, Ip6Header.tclass(m, 0) & ECN_MASK);
        final Mbuf all = table.input(m, Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0), Ip6Header.dstHi(m, 0),
            Ip6Header.dstLo(m, 0), m.getInt(off + IDENT) & 0xffff_ffffL);
        return all == null ? null : join(all);
    }

    private Mbuf complain(final Mbuf m, final int code, final int pointer, final DropReason why) {
        stat.fragdropped.increment();
        inet6.icmp6.error(m, Icmp6.ICMP6_PARAM_PROB, code, pointer, why);
        return null;
    }

    /** Whether the first fragment holds all headers, the transport's too (RFC 7112 section 5). */
    private static boolean allHeaders(final Mbuf m, final int off) {
        final int inner = m.getU8(off);
        final long last = Ip6Nexthdr.lastFrom(m, (long) inner << Integer.SIZE | off + LEN);
        if (last == Ip6Nexthdr.NONE) {
            return false;
        }
        final int least = switch (Ip6Nexthdr.nxt(last)) {
            case InDefs.IPPROTO_TCP -> TCP_LEAST;
            case InDefs.IPPROTO_UDP, InDefs.IPPROTO_ICMPV6 -> Icmp6.LEN;
            case InDefs.IPPROTO_NONE -> 0;
            default -> 1;
        };
        return m.pktLen() >= Ip6Nexthdr.off(last) + least;
    }

    private Mbuf join(final Mbuf all) {
        final int off = Frag.hdr(all) - LEN;
        final int ecn = Frag.ecn(all);
        final Mbuf m = table.join(all);
        if (m == null) {
            return null;
        }
        m.phPer64(0);
        final int octets = m.pktLen() - LEN;
        if (octets - Ip6Header.LEN > Ip6Header.IPV6_MAXPACKET) {
            refuse(m, DropReason.IP_REASS_TOOLONG); // later fragments had fewer headers before them than the first
            return null;
        }
        final Mbuf p = whole(m, off, nxtAt(m, off));
        if (p != null) {
            Ip6Header.plen(p, 0, octets - Ip6Header.LEN);
            p.putInt(0, p.getInt(0) & ~(ECN_MASK << Ip6Header.TCLASS_SHIFT) | ecn << Ip6Header.TCLASS_SHIFT);
            p.setFlags(M_FRAGMENTED);
            stat.reassembled.increment();
        }
        return p;
    }

    /** The octet that announces the header at {@code off}. */
    private static int nxtAt(final Mbuf m, final int off) {
        long at = Ip6Nexthdr.first(m, 0);
        int before = Ip6Header.NXT;
        while (Ip6Nexthdr.off(at) < off) {
            before = Ip6Nexthdr.off(at);
            at = Ip6Nexthdr.next(m, at);
        }
        return before;
    }

    /** Takes the fragment header out. Consumes m; null, counted, when out of mbufs. */
    private Mbuf whole(final Mbuf m0, final int off, final int nxtAt) {
        final Mbuf m = IpHeader.writable(m0, off + LEN);
        if (m == null) {
            refuse(null, DropReason.MBUF_NOMEM);
            return null;
        }
        m.put8(nxtAt, m.getU8(off));
        for (int i = off - Long.BYTES; i >= 0; i -= Long.BYTES) {
            m.putLong(i + LEN, m.getLong(i));
        }
        m.adjHead(LEN);
        Ip6Header.plen(m, 0, m.pktLen() - Ip6Header.LEN);
        return m;
    }

    @Override
    public void refuse(final Mbuf m, final DropReason reason) {
        stat.fragdropped.increment();
        vnet.drop(m, reason);
    }

    @Override
    public void timedOut() {
        stat.fragtimeout.increment();
    }

    @Override
    public void late(final Mbuf m) {
        stat.fragdropped.increment();
        if (Frag.off(m) == 0) {
            inet6.icmp6.error(m, Icmp6.ICMP6_TIME_EXCEEDED, Icmp6.ICMP6_TIME_EXCEED_REASSEMBLY, 0);
        } else {
            vnet.drop(m, DropReason.IP_REASS_TIMEOUT);
        }
    }

    /** Drops all and takes nothing more. @bsd frag6_destroy */
    public void destroy() {
        table.destroy();
    }
}
