package io.gatun.netinet.igmp;

import io.gatun.netinet.Inet;
import io.gatun.netinet.gmp.GmpRecord;
import io.gatun.netinet.gmp.GmpWire;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip.InMulti;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import java.util.List;

/** IGMP on its way out. Each message has time to live 1 and the Router Alert option (RFC 3376 section 4). */
final class IgmpWire implements GmpWire {
    private static final int ALLROUTERS_GROUP = 0xe0000002;
    private static final int ALLRPTS_GROUP = 0xe0000016;
    private static final int LOCAL_GROUPS = 0xe00000;
    private static final int ROUTER_ALERT = 0x94040000;
    private static final int HLEN = IpHeader.LEN + Integer.BYTES;
    private static final int IPTOS_PREC_INTERNETCONTROL = 0xc0;
    private static final int MOST = 1500;
    private static final int NGROUPS = 6;

    private final Inet inet;
    private final IgmpStat stat;
    private final Sysctl sendra;
    private final Sysctl sendlocal;
    private final Sysctl v1enable;
    private final Sysctl v2enable;
    private final Sysctl defaultVersion;

    IgmpWire(final Inet inet, final IgmpStat stat) {
        this.inet = inet;
        this.stat = stat;
        final SysctlTree tree = inet.vnet.sysctl();
        sendra = tree.addBool("net.inet.igmp.sendra", true, "messages have the Router Alert option");
        sendlocal = tree.addBool("net.inet.igmp.sendlocal", true, "groups of 224.0.0.0/24 are reported");
        v1enable = tree.addBool("net.inet.igmp.v1enable", true, "queries of version 1 are heeded");
        v2enable = tree.addBool("net.inet.igmp.v2enable", true, "queries of version 2 are heeded");
        defaultVersion = tree.addInt("net.inet.igmp.default_version", Igmp.VERSION_3, Igmp.VERSION_1, Igmp.VERSION_3,
            "version spoken where no query says otherwise");
    }

    @Override
    public int version() {
        return Igmp.VERSION_3;
    }

    @Override
    public int defaultVersion() {
        return defaultVersion.getInt();
    }

    @Override
    public boolean heeds(final int version) {
        return (version == Igmp.VERSION_1 ? v1enable : v2enable).getBool();
    }

    @Override
    public boolean reports(final long hi, final long lo) {
        final int group = (int) lo;
        return group != InMulti.ALLHOSTS_GROUP && (group >>> Byte.SIZE != LOCAL_GROUPS || sendlocal.getBool());
    }

    @Override
    public int room(final Ifnet ifp) {
        return Math.min(ifp.mtu(), MOST) - HLEN - Igmp.IGMP_MINLEN;
    }

    @Override
    public int addrLen() {
        return Integer.BYTES;
    }

    @Override
    public void report(final Ifnet ifp, final List<GmpRecord> records) {
        int len = Igmp.IGMP_MINLEN;
        for (final GmpRecord r : records) {
            len += (2 + r.sources().size()) * Integer.BYTES;
        }
        final Mbuf m = packet(ifp, len, ALLRPTS_GROUP);
        if (m == null) {
            return;
        }
        final int ig = IpHeader.hlen(m, 0);
        m.putInt(ig, Igmp.IGMP_V3_HOST_MEMBERSHIP_REPORT << 24);
        m.putInt(ig + Igmp.GROUP, 0);
        m.put16(ig + NGROUPS, records.size());
        int at = ig + Igmp.IGMP_MINLEN;
        for (final GmpRecord r : records) {
            m.putInt(at, r.type() << 24 | r.sources().size());
            m.putInt(at + Integer.BYTES, (int) r.lo());
            at += 2 * Integer.BYTES;
            for (int i = 0; i < r.sources().size(); i++) {
                m.putInt(at, (int) r.sources().lo(i));
                at += Integer.BYTES;
            }
        }
        send(ifp, m, ALLRPTS_GROUP);
    }

    @Override
    public void oldReport(final Ifnet ifp, final int version, final long hi, final long lo) {
        message(ifp, version == Igmp.VERSION_1 ? Igmp.IGMP_V1_HOST_MEMBERSHIP_REPORT
            : Igmp.IGMP_V2_HOST_MEMBERSHIP_REPORT, (int) lo, (int) lo);
    }

    @Override
    public void oldLeave(final Ifnet ifp, final int version, final long hi, final long lo) {
        if (version != Igmp.VERSION_1) {
            message(ifp, Igmp.IGMP_HOST_LEAVE_MESSAGE, (int) lo, ALLROUTERS_GROUP);
        }
    }

    /** @bsd igmp_v1v2_queue_report */
    private void message(final Ifnet ifp, final int type, final int group, final int dst) {
        final Mbuf m = packet(ifp, Igmp.IGMP_MINLEN, dst);
        if (m != null) {
            final int ig = IpHeader.hlen(m, 0);
            m.putInt(ig, type << 24);
            m.putInt(ig + Igmp.GROUP, group);
            send(ifp, m, dst);
        }
    }

    /** A packet with its IP header, from the interface's first address or, before it has one, from 0.0.0.0. */
    private Mbuf packet(final Ifnet ifp, final int len, final int dst) {
        final int hlen = sendra.getBool() ? HLEN : IpHeader.LEN;
        final int lead = inet.vnet.pool().maxLinkhdr();
        final Mbuf m = inet.vnet.pool().get2(lead + hlen + len, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return null;
        }
        m.data(m.data() + lead);
        m.len(hlen + len);
        m.pktLen(hlen + len);
        IpHeader.init(m, 0, hlen + len, IPTOS_PREC_INTERNETCONTROL);
        final InIfaddr ia = inet.addrs.first(ifp);
        IpHeader.addr(m, 0, IpHeader.ttlAndProto(1, InDefs.IPPROTO_IGMP), ia == null ? 0 : ia.addr, dst);
        if (hlen == HLEN) {
            IpHeader.hlen(m, 0, HLEN);
            m.putInt(IpHeader.LEN, ROUTER_ALERT);
        }
        return m;
    }

    private void send(final Ifnet ifp, final Mbuf m, final int dst) {
        final int ig = IpHeader.hlen(m, 0);
        m.put16(ig + 2, InCksum.cksumSkip(m, m.pktLen(), ig));
        IpHeader.sum(m, 0, InCksum.hdr(m, ig));
        m.setFlags(Mbuf.M_MCAST);
        stat.sndReports.increment();
        ifp.output(m, SockAddr.in(dst, 0));
    }
}
