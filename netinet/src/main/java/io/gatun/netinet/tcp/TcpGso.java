package io.gatun.netinet.tcp;

import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;

/** Cuts a super-segment into segments, for devices that cannot. */
public final class TcpGso {
    private TcpGso() {
    }

    /**
     * Cuts a packet with CSUM_IP_TSO, or with CSUM_IP6_TSO and no extension header, into packets of {@code tsoSegsz}
     * octets of payload, linked by nextPkt. Each has headers of its own, sequence number advanced, FIN and PSH only on
     * the last, CWR only on the first, and shares the clusters of the original; the TCP checksum is left to offload as
     * it was, the IP checksum is not computed, and identifications count up from the original's. Consumes m.
     *
     * @return the first packet, or null when out of mbufs (everything freed)
     * @bsd tcp_tso_segment
     */
    public static Mbuf segment(Mbuf m) {
        final int ihl = IpHeader.version(m, 0) == IpHeader.IPVERSION ? IpHeader.hlen(m, 0) : Ip6Header.LEN;
        final int hdr = ihl + TcpHeader.hlen(m, ihl);
        final int total = m.pktLen() - hdr;
        final int mss = m.tsoSegsz();
        assert mss > 0 : "super-segment without a segment size";
        assert m.len() >= hdr : "headers are not contiguous";
        Mbuf first = null;
        Mbuf last = null;
        for (int off = 0; off < total; off += mss) {
            final int n = Math.min(mss, total - off);
            final Mbuf s = one(m, hdr, off, n);
            if (s == null) {
                if (first != null) {
                    first.freePkts();
                }
                m.freeChain();
                return null;
            }
            fix(s, ihl, off, off / mss, off + n == total);
            if (last == null) {
                first = s;
            } else {
                last.nextPkt(s);
            }
            last = s;
        }
        if (first == null) {
            m.csumFlags(m.csumFlags() & ~Csum.CSUM_TSO);
            return m;
        }
        m.freeChain();
        return first;
    }

    /** A packet of the headers of {@code m} and {@code n} octets of its payload. */
    private static Mbuf one(Mbuf m, int hdr, int off, int n) {
        final Mbuf s = m.pool().gethdr(Mbuf.MT_DATA);
        if (s == null) {
            return null;
        }
        final Mbuf data = m.copyM(hdr + off, n);
        if (data == null) {
            s.freeChain();
            return null;
        }
        if (data.has(Mbuf.M_PKTHDR)) {
            data.demote(false, 0);
        }
        s.data(s.data() + m.pool().maxLinkhdr());
        s.len(hdr);
        m.copyData(0, hdr, s.seg(), s.data());
        s.next(data);
        s.pktLen(hdr + n);
        s.rcvif(m.rcvif());
        s.flowid(m.flowid());
        s.rsstype(m.rsstype());
        s.fibnum(m.fibnum());
        s.setFlags(m.flags() & (Mbuf.M_BCAST | Mbuf.M_MCAST));
        // A packet on its way through has a header checksum of its own, which no longer holds.
        final boolean four = IpHeader.version(m, 0) == IpHeader.IPVERSION;
        // That of the text is to be computed too, even where all of the super-segment had one that was right: an
        // interface may take super-segments and compute no checksums.
        s.csumFlags(m.csumFlags() & ~Csum.CSUM_TSO | (four ? Csum.CSUM_IP | Csum.CSUM_IP_TCP : Csum.CSUM_IP6_TCP));
        s.csumData(TcpHeader.OFF_SUM);
        return s;
    }

    private static void fix(Mbuf s, int ihl, int off, int number, boolean isLast) {
        final int tcplen = s.pktLen() - ihl;
        final boolean four = IpHeader.version(s, 0) == IpHeader.IPVERSION;
        if (four) {
            IpHeader.len(s, 0, s.pktLen());
            IpHeader.id(s, 0, IpHeader.id(s, 0) + number & 0xffff);
            IpHeader.sum(s, 0, 0);
        } else {
            Ip6Header.plen(s, 0, s.pktLen() - Ip6Header.LEN);
        }
        TcpHeader.seq(s, ihl, TcpHeader.seq(s, ihl) + off);
        int flags = TcpHeader.flags(s, ihl);
        if (!isLast) {
            flags &= ~(TcpHeader.TH_FIN | TcpHeader.TH_PUSH);
        }
        if (number != 0) {
            flags &= ~TcpHeader.TH_CWR;
        }
        TcpHeader.flags(s, ihl, flags);
        TcpHeader.sum(s, ihl, four
            ? InCksum.pseudo(IpHeader.src(s, 0), IpHeader.dst(s, 0), IpHeader.p(s, 0) + tcplen)
            : Ip6Header.pseudo(s, tcplen, Ip6Header.nxt(s, 0)));
    }
}
