package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;

/**
 * Reassembly of IPv4 datagrams (RFC 791 section 3.2, RFC 1122 section 3.3.2) over a {@link ReassTable}. Who sent what
 * is not whole in time is told, if the first fragment has come.
 *
 * @bsd ip_reass
 */
public final class IpReass implements ReassTable.Family {
    private static final long SEC = 1_000_000_000L;
    private static final int FRAGTTL_SEC = 30;
    private static final int UNIT = 8;

    private final Inet inet;
    private final VnetSide vnet;
    private final IpStat stat;
    private final ReassTable table;

    public IpReass(Inet inet) {
        this.inet = inet;
        vnet = inet.vnet;
        stat = inet.ipstat;
        SysctlTree tree = vnet.sysctl();
        Sysctl fragTtl = tree.addInt("net.inet.ip.fragttl", FRAGTTL_SEC, 1, 255,
            "seconds a datagram may take to be whole");
        table = new ReassTable(vnet, "net.inet.ip", () -> fragTtl.get() * SEC, this);
        tree.addReading("net.inet.ip.fragpackets", this::packets, "datagrams in reassembly now");
        tree.addReading("net.inet.ip.curfrags", this::frags, "fragments held now");
    }

    /** Datagrams in reassembly now. */
    public int packets() {
        return table.packets();
    }

    /** Fragments held now. */
    public int frags() {
        return table.frags();
    }

    /**
     * Takes a fragment for this host. Consumes m, whose header is checked and contiguous.
     *
     * @return the whole datagram when this made it whole, else null
     * @bsd ip_reass
     */
    Mbuf input(Mbuf m) {
        stat.fragments.increment();
        int hlen = IpHeader.hlen(m, 0);
        int word = IpHeader.off(m, 0);
        int off = (word & IpHeader.IP_OFFMASK) * UNIT;
        int len = IpHeader.len(m, 0) - hlen;
        boolean more = (word & IpHeader.IP_MF) != 0;
        if (len == 0 || more && len % UNIT != 0) {
            stat.toosmall.increment();
            refuse(m, DropReason.IP_REASS_BADFRAG);
            return null;
        }
        if (hlen + off + len > IpHeader.IP_MAXPACKET) {
            stat.toolong.increment();
            refuse(m, DropReason.IP_REASS_TOOLONG);
            return null;
        }
        Frag.put(m, off, len, hlen, more, IpHeader.tos(m, 0) & IpHeader.IPTOS_ECN_MASK);
        long id = (long) IpHeader.p(m, 0) << Short.SIZE | IpHeader.id(m, 0);
        Mbuf all = table.input(m, 0, IpHeader.src(m, 0), 0, IpHeader.dst(m, 0), id);
        return all == null ? null : join(all);
    }

    private Mbuf join(Mbuf all) {
        int hlen = Frag.hdr(all);
        int ecn = Frag.ecn(all);
        Mbuf m = table.join(all);
        if (m == null) {
            return null;
        }
        if (m.pktLen() > IpHeader.IP_MAXPACKET) {
            stat.toolong.increment();
            refuse(m, DropReason.IP_REASS_TOOLONG);
            return null;
        }
        m.phPer64(0);
        IpHeader.len(m, 0, m.pktLen());
        IpHeader.off(m, 0, 0);
        IpHeader.tos(m, 0, IpHeader.tos(m, 0) & ~IpHeader.IPTOS_ECN_MASK | ecn);
        IpHeader.sum(m, 0, 0);
        IpHeader.sum(m, 0, InCksum.hdr(m, hlen));
        stat.reassembled.increment();
        return m;
    }

    @Override
    public void refuse(Mbuf m, DropReason reason) {
        stat.fragdropped.increment();
        vnet.drop(m, reason);
    }

    @Override
    public void timedOut() {
        stat.fragtimeout.increment();
    }

    @Override
    public void late(Mbuf m) {
        stat.fragdropped.increment();
        if (Frag.off(m) == 0) {
            inet.icmp.error(m, Icmp.ICMP_TIMXCEED, Icmp.ICMP_TIMXCEED_REASS, 0);
        } else {
            vnet.drop(m, DropReason.IP_REASS_TIMEOUT);
        }
    }

    /** Drops all and takes nothing more. @bsd ipreass_vnet_destroy */
    public void destroy() {
        table.destroy();
    }
}
