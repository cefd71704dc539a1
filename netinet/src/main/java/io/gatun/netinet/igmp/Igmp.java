package io.gatun.netinet.igmp;

import io.gatun.netinet.Inet;
import io.gatun.netinet.gmp.Gmp;
import io.gatun.netinet.gmp.GmpQuery;
import io.gatun.netinet.gmp.SourceSet;
import io.gatun.netinet.ip.InAddrs;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.InMulti;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip.IpOptions;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;

/**
 * IGMP on its way in: the queries of routers in all three versions (RFC 1112 appendix I, RFC 2236, RFC 3376), and the
 * reports of others, which make ours needless in the older two. Then raw sockets see the message.
 *
 * <pre>
 *  +---------------+---------------+-------------------------------+
 *  |     type      | max resp code |           checksum            |
 *  +---------------+---------------+-------------------------------+
 *  |                         group address                         |
 *  +-------+-+-----+---------------+-------------------------------+
 *  | resv  |S| qrv |     qqic      |      number of sources        |   version 3
 *  +-------+-+-----+---------------+-------------------------------+
 *  |                        source addresses ...                   |
 * </pre>
 *
 * @bsd igmp_input
 */
public final class Igmp {
    static final int IGMP_HOST_MEMBERSHIP_QUERY = 0x11;
    static final int IGMP_V1_HOST_MEMBERSHIP_REPORT = 0x12;
    static final int IGMP_V2_HOST_MEMBERSHIP_REPORT = 0x16;
    static final int IGMP_HOST_LEAVE_MESSAGE = 0x17;
    static final int IGMP_V3_HOST_MEMBERSHIP_REPORT = 0x22;
    static final int IGMP_MINLEN = 8;
    static final int VERSION_1 = 1;
    static final int VERSION_2 = 2;
    static final int VERSION_3 = 3;
    static final int GROUP = 4;

    private static final int IGMP_V3_QUERY_MINLEN = 12;
    private static final int MOST = 2048;
    private static final int QRV = 8;
    private static final int QQIC = 9;
    private static final int NUMSRC = 10;
    private static final int QRV_MASK = 7;
    private static final int CODE_LINEAR = 128;
    private static final long TENTH = 100_000_000L;
    private static final long V1_MAX_RESP = 10_000_000_000L;
    private static final long IN4 = 0xffff_ffffL;

    /** Who listens where, and what is said of it. */
    public final Gmp gmp;
    final IgmpStat stat;
    private final Inet inet;

    public Igmp(final Inet inet) {
        this.inet = inet;
        stat = new IgmpStat(inet.vnet.counters());
        gmp = new Gmp(inet.vnet, new IgmpWire(inet, stat));
    }

    private int drop(final Mbuf m, final Counter counter, final DropReason reason) {
        counter.increment();
        inet.vnet.drop(m, reason);
        return InDefs.IPPROTO_DONE;
    }

    /** Takes a message from IP. Consumes m. @bsd igmp_input */
    public int input(final Mbuf m0, final int off, final int proto) {
        stat.rcvTotal.increment();
        final int len = IpHeader.len(m0, 0) - off;
        if (len < IGMP_MINLEN) {
            return drop(m0, stat.rcvTooshort, DropReason.IGMP_TOOSHORT);
        }
        final boolean query = m0.getPtr(off).getU8(m0.getPtrOff(off)) == IGMP_HOST_MEMBERSHIP_QUERY;
        final int wanted = off + (query && len >= IGMP_V3_QUERY_MINLEN ? len : IGMP_MINLEN);
        if (wanted > MOST) {
            return drop(m0, stat.rcvBadqueries, DropReason.IGMP_BADQUERY);
        }
        final Mbuf m = m0.len() >= wanted ? m0 : m0.pullup(wanted);
        if (m == null) {
            return drop(null, stat.rcvTooshort, DropReason.MBUF_NOMEM);
        }
        if (InCksum.cksumSkip(m, IpHeader.len(m, 0), off) != 0) {
            return drop(m, stat.rcvBadsum, DropReason.IGMP_BADSUM);
        }
        if (IpHeader.ttl(m, 0) != 1) {
            return drop(m, stat.rcvBadttl, DropReason.IGMP_BADTTL); // from beyond a router
        }
        switch (m.getU8(off)) {
            case IGMP_HOST_MEMBERSHIP_QUERY -> query(m, off, len);
            case IGMP_V1_HOST_MEMBERSHIP_REPORT, IGMP_V2_HOST_MEMBERSHIP_REPORT -> report(m, off);
            default -> {
                // a router's business, or a raw socket's
            }
        }
        if (!inet.rip.input(m, off, proto)) {
            m.freeChain();
        }
        return InDefs.IPPROTO_DONE;
    }

    /** Borrows m. @bsd igmp_input_v1_query, igmp_input_v2_query, igmp_input_v3_query */
    private void query(final Mbuf m, final int off, final int len) {
        final int group = m.getInt(off + GROUP);
        final int code = m.getU8(off + 1);
        final boolean general = group == 0;
        final boolean toGroup = IpHeader.dst(m, 0) == group || IpHeader.dst(m, 0) == InMulti.ALLHOSTS_GROUP;
        final boolean wrong = general ? IpHeader.dst(m, 0) != InMulti.ALLHOSTS_GROUP
            : !InAddrs.isMulticast(group) || !toGroup && !inet.addrs.isLocal(IpHeader.dst(m, 0));
        if (wrong || len > IGMP_MINLEN && len < IGMP_V3_QUERY_MINLEN) {
            stat.rcvBadqueries.increment();
            return;
        }
        (general ? stat.rcvGenQueries : stat.rcvGroupQueries).increment();
        final Ifnet ifp = m.rcvif();
        if (len == IGMP_MINLEN) {
            stat.rcvV1V2Queries.increment();
            final long resp = code == 0 ? V1_MAX_RESP : code * TENTH;
            final int version = code == 0 ? VERSION_1 : VERSION_2;
            gmp.query(ifp, new GmpQuery(version, 0, group & IN4, SourceSet.EMPTY, resp, 0, 0));
            return;
        }
        stat.rcvV3Queries.increment();
        final int n = m.getU16(off + NUMSRC);
        if (!IpOptions.has(m, IpOptions.IPOPT_RA)) {
            stat.rcvNora.increment();
        } else if (n * Integer.BYTES > len - IGMP_V3_QUERY_MINLEN || general && n != 0) {
            stat.rcvBadqueries.increment();
        } else {
            stat.rcvGsrQueries.add(n == 0 ? 0 : 1);
            final long resp = Math.max(1, decode(code) * TENTH);
            gmp.query(ifp, new GmpQuery(VERSION_3, 0, group & IN4, sources(m, off, n), resp,
                m.getU8(off + QRV) & QRV_MASK, decode(m.getU8(off + QQIC)) * (10 * TENTH)));
        }
    }

    private static SourceSet sources(final Mbuf m, final int off, final int n) {
        final long[] words = new long[2 * n];
        for (int i = 0; i < n; i++) {
            words[2 * i + 1] = m.getInt(off + IGMP_V3_QUERY_MINLEN + i * Integer.BYTES) & IN4;
        }
        return SourceSet.of(words);
    }

    /** Small numbers stand for themselves, others are a 4-bit fraction with a 3-bit exponent. @bsd IGMP_MANT */
    static long decode(final int code) {
        return code < CODE_LINEAR ? code : (long) (code & 0xf | 0x10) << ((code >>> 4 & 0x7) + 3);
    }

    /** Borrows m. @bsd igmp_input_v2_report */
    private void report(final Mbuf m, final int off) {
        stat.rcvReports.increment();
        final int group = m.getInt(off + GROUP);
        if (!InAddrs.isMulticast(group) || IpHeader.dst(m, 0) != group) {
            stat.rcvBadreports.increment();
            return;
        }
        if (inet.multi.isMember(m.rcvif(), group)) {
            stat.rcvOurreports.increment();
            gmp.heard(m.rcvif(), 0, group & IN4);
        }
    }
}
