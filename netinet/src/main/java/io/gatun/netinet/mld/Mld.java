package io.gatun.netinet.mld;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.gmp.Gmp;
import io.gatun.netinet.gmp.GmpQuery;
import io.gatun.netinet.gmp.InMfilter;
import io.gatun.netinet.gmp.SourceSet;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;

/**
 * MLD on its way in: the queries of routers in both versions, and the reports of others, which make ours needless in
 * the older one. What is not from this link, or without the Router Alert option, is dropped.
 *
 * <pre>
 *  +---------------+---------------+-------------------------------+
 *  |  type = 130   |     code      |           checksum            |
 *  +---------------+---------------+-------------------------------+
 *  |      max response code        |           reserved            |
 *  +-------------------------------+-------------------------------+
 *  |                      group address, 16                        |
 *  +-------+-+-----+---------------+-------------------------------+
 *  | resv  |S| qrv |     qqic      |      number of sources        |   version 2
 *  +-------+-+-----+---------------+-------------------------------+
 *  |                  source addresses, 16 each ...                |
 * </pre>
 *
 * @bsd mld_input
 */
public final class Mld {
    public static final int MLD_LISTENER_QUERY = 130;
    public static final int MLD_LISTENER_REPORT = 131;
    public static final int MLD_LISTENER_DONE = 132;
    public static final int MLDV2_LISTENER_REPORT = 143;

    static final int VERSION_1 = 1;
    static final int VERSION_2 = 2;
    static final int V1_LEN = 24;
    static final int GROUP = 8;
    static final int ADDR_LEN = 16;
    private static final int V2_QUERY_MINLEN = 28;
    private static final int MOST = 2048;
    private static final int CODE = 4;
    private static final int QRV = 24;
    private static final int QQIC = 25;
    private static final int NUMSRC = 26;
    private static final int QRV_MASK = 7;
    private static final int CODE_LINEAR = 0x8000;
    private static final int QQIC_LINEAR = 128;
    private static final int RA_OPTION = 5;
    private static final long MS = 1_000_000L;
    private static final long SEC = 1000 * MS;

    /** Who listens where, and what is said of it. */
    public final Gmp gmp;
    private final Inet inet;
    private final Counter rcvQueries;
    private final Counter rcvReports;
    private final Counter bad;

    public Mld(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        rcvQueries = inet.vnet.counters().counter("mld.rcv_queries");
        rcvReports = inet.vnet.counters().counter("mld.rcv_reports");
        bad = inet.vnet.counters().counter("mld.bad");
        gmp = new Gmp(inet.vnet, new MldWire(inet, inet6));
    }

    /** The stack itself joins a group, given without its zone, as often as it leaves. @bsd in6_joingroup */
    public void join(final Ifnet ifp, final SockAddr group) {
        ifp.addMulti(group);
        gmp.change(ifp, group.hi(), group.lo(), InMfilter.NONE, InMfilter.ALL);
    }

    /** @bsd in6_leavegroup */
    public void leave(final Ifnet ifp, final SockAddr group) {
        ifp.delMulti(group);
        gmp.change(ifp, group.hi(), group.lo(), InMfilter.ALL, InMfilter.NONE);
    }

    /**
     * Takes a query, report or done from ICMPv6, its checksum verified. Consumes m.
     *
     * @param off octets to the message
     */
    public void input(final Mbuf m0, final int off) {
        final int len = m0.pktLen() - off;
        final boolean valid = len >= V1_LEN && Ip6Header.hlim(m0, 0) == 1 && m0.rcvif() != null
            && (In6.isLinkLocal(Ip6Header.srcHi(m0, 0)) || In6.isAny(Ip6Header.srcHi(m0, 0), Ip6Header.srcLo(m0, 0)));
        if (!valid || len > MOST) {
            drop(m0);
            return;
        }
        final Mbuf m = m0.len() >= off + len ? m0 : m0.pullup(off + len);
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        if (!hasRouterAlert(m)) {
            drop(m);
            return;
        }
        final long hi = m.getLong(off + GROUP);
        final long lo = m.getLong(off + GROUP + Long.BYTES);
        switch (m.getU8(off)) {
            case MLD_LISTENER_QUERY -> {
                if (!query(m, off, len, hi, lo)) {
                    drop(m);
                    return;
                }
            }
            case MLD_LISTENER_REPORT -> {
                rcvReports.increment();
                gmp.heard(m.rcvif(), In6.clear(hi), lo);
            }
            default -> {
                // a router's business
            }
        }
        m.freeChain();
    }

    private void drop(final Mbuf m) {
        bad.increment();
        inet.vnet.drop(m, DropReason.MLD_BADMSG);
    }

    /** Whether a hop-by-hop header right behind the IPv6 header has the option (RFC 2711). Borrows m. */
    private static boolean hasRouterAlert(final Mbuf m) {
        if (Ip6Header.nxt(m, 0) != InDefs.IPPROTO_HOPOPTS) {
            return false;
        }
        int at = Ip6Header.LEN + 2;
        final int end = Math.min(m.len(), Ip6Header.LEN + (m.getU8(Ip6Header.LEN + 1) + 1) * Long.BYTES);
        while (at + 1 < end) {
            if (m.getU8(at) == RA_OPTION) {
                return true;
            }
            at += m.getU8(at) == 0 ? 1 : 2 + m.getU8(at + 1);
        }
        return false;
    }

    /** Borrows m; false for a query that cannot be. @bsd mld_v1_input_query, mld_v2_input_query */
    private boolean query(final Mbuf m, final int off, final int len, final long hi, final long lo) {
        final boolean general = In6.isAny(hi, lo);
        final boolean fromRouter = In6.isLinkLocal(Ip6Header.srcHi(m, 0));
        if (!fromRouter || !general && !In6.isMulticast(hi) || len > V1_LEN && len < V2_QUERY_MINLEN) {
            return false;
        }
        final int code = m.getU16(off + CODE);
        if (len == V1_LEN) {
            rcvQueries.increment();
            gmp.query(m.rcvif(), new GmpQuery(VERSION_1, hi, lo, SourceSet.EMPTY, Math.max(1, code * MS), 0, 0));
            return true;
        }
        final int n = m.getU16(off + NUMSRC);
        if (n * ADDR_LEN > len - V2_QUERY_MINLEN || general && n != 0) {
            return false;
        }
        rcvQueries.increment();
        final long[] words = new long[2 * n];
        for (int i = 0; i < 2 * n; i++) {
            words[i] = m.getLong(off + V2_QUERY_MINLEN + i * Long.BYTES);
        }
        gmp.query(m.rcvif(), new GmpQuery(VERSION_2, hi, lo, SourceSet.of(words), Math.max(1, delay(code) * MS),
            m.getU8(off + QRV) & QRV_MASK, interval(m.getU8(off + QQIC)) * SEC));
        return true;
    }

    /** Milliseconds: small numbers stand for themselves, others are 12 bits with a 3-bit exponent. @bsd MLD_MRC_MANT */
    static long delay(final int code) {
        return code < CODE_LINEAR ? code : (long) (code & 0xfff | 0x1000) << ((code >>> 12 & 0x7) + 3);
    }

    /** Seconds, in the same way with 4 bits. @bsd MLD_QQIC_MANT */
    private static long interval(final int code) {
        return code < QQIC_LINEAR ? code : (long) (code & 0xf | 0x10) << ((code >>> 4 & 0x7) + 3);
    }
}
