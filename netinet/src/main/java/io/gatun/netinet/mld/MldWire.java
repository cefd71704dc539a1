package io.gatun.netinet.mld;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.gmp.GmpRecord;
import io.gatun.netinet.gmp.GmpWire;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.vnet.Sysctl;
import java.util.List;

/** MLD on its way out. Each message has hop limit 1 and the Router Alert option (RFC 3810 section 5). */
final class MldWire implements GmpWire {
    private static final long ALLROUTERS_LO = 2;
    private static final long ALLV2ROUTERS_LO = 0x16;
    private static final int HBH_LEN = 8;
    /** Next header ICMPv6, Router Alert for MLD, padding to 8 octets. */
    private static final long HBH = (long) InDefs.IPPROTO_ICMPV6 << 56 | 0x0502_0000_0100L;
    private static final int HEAD = 8;
    private static final int RECORD_HEAD = 4;
    private static final int MOST = 1500;
    private static final int NRECORDS = 6;

    private final Inet inet;
    private final Inet6 inet6;
    private final Counter sndReports;
    private final Sysctl v1enable;
    private final Sysctl v2enable;

    MldWire(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        this.inet6 = inet6;
        sndReports = inet.vnet.counters().counter("mld.snd_reports");
        v1enable = inet.vnet.sysctl().addBool("net.inet6.mld.v1enable", true, "queries of version 1 are heeded");
        v2enable = inet.vnet.sysctl().addBool("net.inet6.mld.v2enable", true,
            "version 2 is spoken where no query says otherwise");
    }

    @Override
    public int version() {
        return Mld.VERSION_2;
    }

    @Override
    public int defaultVersion() {
        return v2enable.getBool() ? Mld.VERSION_2 : Mld.VERSION_1;
    }

    @Override
    public boolean heeds(final int version) {
        return v1enable.getBool();
    }

    /** Neither all nodes nor what does not leave the host (RFC 3810 section 6). */
    @Override
    public boolean reports(final long hi, final long lo) {
        return In6.mcScope(hi) > In6.SCOPE_INTFACELOCAL && (In6.clear(hi) != In6.LINK_GROUP_HI || lo != 1);
    }

    @Override
    public int room(final Ifnet ifp) {
        return Math.min(ifp.mtu(), MOST) - Ip6Header.LEN - HBH_LEN - HEAD;
    }

    @Override
    public int addrLen() {
        return Mld.ADDR_LEN;
    }

    @Override
    public void report(final Ifnet ifp, final List<GmpRecord> records) {
        int len = HEAD;
        for (final GmpRecord r : records) {
            len += RECORD_HEAD + (1 + r.sources().size()) * Mld.ADDR_LEN;
        }
        final Mbuf m = packet(len);
        if (m == null) {
            return;
        }
        final int ml = Ip6Header.LEN + HBH_LEN;
        m.putInt(ml, Mld.MLDV2_LISTENER_REPORT << 24);
        m.putInt(ml + Integer.BYTES, 0);
        m.put16(ml + NRECORDS, records.size());
        int at = ml + HEAD;
        for (final GmpRecord r : records) {
            m.putInt(at, r.type() << 24 | r.sources().size());
            m.putLong(at + RECORD_HEAD, In6.clear(r.hi()));
            m.putLong(at + RECORD_HEAD + Long.BYTES, r.lo());
            at += RECORD_HEAD + Mld.ADDR_LEN;
            for (int i = 0; i < r.sources().size(); i++) {
                m.putLong(at, r.sources().hi(i));
                m.putLong(at + Long.BYTES, r.sources().lo(i));
                at += Mld.ADDR_LEN;
            }
        }
        send(ifp, m, In6.LINK_GROUP_HI, ALLV2ROUTERS_LO);
    }

    @Override
    public void oldReport(final Ifnet ifp, final int version, final long hi, final long lo) {
        message(ifp, Mld.MLD_LISTENER_REPORT, hi, lo, hi, lo);
    }

    @Override
    public void oldLeave(final Ifnet ifp, final int version, final long hi, final long lo) {
        message(ifp, Mld.MLD_LISTENER_DONE, hi, lo, In6.LINK_GROUP_HI, ALLROUTERS_LO);
    }

    /** @bsd mld_v1_transmit_report */
    private void message(
        final Ifnet ifp, final int type, final long hi, final long lo, final long dstHi, final long dstLo) {
        final Mbuf m = packet(Mld.V1_LEN);
        if (m != null) {
            final int ml = Ip6Header.LEN + HBH_LEN;
            m.putInt(ml, type << 24);
            m.putInt(ml + Integer.BYTES, 0);
            m.putLong(ml + Mld.GROUP, In6.clear(hi));
            m.putLong(ml + Mld.GROUP + Long.BYTES, lo);
            send(ifp, m, dstHi, dstLo);
        }
    }

    private Mbuf packet(final int len) {
        final Mbuf m = inet6.icmp6.packet(HBH_LEN + len);
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
        }
        return m;
    }

    /** From the interface's link-local address, or from :: while that is not ready (RFC 3590). */
    private void send(final Ifnet ifp, final Mbuf m, final long dstHi, final long dstLo) {
        final int len = m.pktLen() - Ip6Header.LEN - HBH_LEN;
        final int ml = Ip6Header.LEN + HBH_LEN;
        final In6Ifaddr ia = inet6.addrs.linkLocal(ifp, In6Ifaddr.IN6_IFF_NOTREADY);
        Ip6Header.init(m, HBH_LEN + len, InDefs.IPPROTO_HOPOPTS, 1, 0);
        Ip6Header.addr(m, ia == null ? 0 : In6.clear(ia.hi), ia == null ? 0 : ia.lo, In6.clear(dstHi), dstLo);
        m.putLong(Ip6Header.LEN, HBH);
        final long s = (long) Ip6Header.pseudo(m, len, InDefs.IPPROTO_ICMPV6) + InCksum.sum(m, ml, len);
        m.put16(ml + 2, ~InCksum.fold(s) & 0xffff);
        m.setFlags(Mbuf.M_MCAST);
        sndReports.increment();
        final SockAddr to = new SockAddr();
        to.setIn6(In6.embed(In6.clear(dstHi), ifp.index()), dstLo, 0, 0);
        ifp.output(m, to);
    }
}
