package io.gatun.netinet.ip;

import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;

/**
 * Cutting of packets that are larger than the link takes (RFC 791 section 2.3).
 *
 * @bsd ip_fragment
 */
final class IpFrag {
    private static final int UNIT = 8;

    private IpFrag() {
    }

    /**
     * Cuts a packet. Consumes m, whose delayed checksums are done. Clusters are shared, not copied. Options whose copy
     * bit is clear go with the first fragment alone. Header checksums are left zero.
     *
     * @param mtu octets of the largest fragment
     * @return the fragments linked by nextPkt, or null when out of mbufs or when the mtu leaves no room for data
     */
    static Mbuf fragment(Mbuf m, int mtu) {
        int hlen = IpHeader.hlen(m, 0);
        int payload = mtu - hlen & -UNIT;
        if (payload < UNIT) {
            m.freeChain();
            return null;
        }
        int len = IpHeader.len(m, 0);
        Mbuf tail = m;
        for (int at = hlen + payload; at < len; at += payload) {
            Mbuf f = piece(m, hlen, at, Math.min(payload, len - at));
            if (f == null) {
                m.freePkts();
                return null;
            }
            tail.nextPkt(f);
            tail = f;
        }
        m.adjTail(len - hlen - payload);
        IpHeader.len(m, 0, hlen + payload);
        IpHeader.off(m, 0, IpHeader.off(m, 0) | IpHeader.IP_MF);
        IpHeader.sum(m, 0, 0);
        return m;
    }

    /** The fragment with the octets from {@code at}; null when out of mbufs. Borrows m. */
    private static Mbuf piece(Mbuf m, int hlen, int at, int n) {
        MbufPool pool = m.pool();
        Mbuf head = pool.gethdr(Mbuf.MT_DATA);
        if (head == null) {
            return null;
        }
        Mbuf data = m.copyM(at, n);
        if (data == null) {
            head.freeChain();
            return null;
        }
        head.data(head.data() + pool.maxLinkhdr());
        int fhlen = header(m, hlen, head);
        head.next(data);
        head.setFlags(m.flags() & (Mbuf.M_MCAST | Mbuf.M_BCAST));
        head.pktLen(fhlen + n);
        head.rcvif(m.rcvif());
        head.fibnum(m.fibnum());
        head.flowid(m.flowid());
        head.rsstype(m.rsstype());
        head.csumFlags(m.csumFlags() & Csum.CSUM_IP);
        int off = IpHeader.off(m, 0);
        boolean more = at + n < IpHeader.len(m, 0) || (off & IpHeader.IP_MF) != 0;
        int place = (off & IpHeader.IP_OFFMASK) + (at - hlen) / UNIT;
        IpHeader.off(head, 0, place | (more ? IpHeader.IP_MF : 0));
        IpHeader.len(head, 0, fhlen + n);
        IpHeader.sum(head, 0, 0);
        return head;
    }

    /** Writes the header of a later fragment to an empty mbuf: the fixed part and the options to be copied. */
    private static int header(Mbuf m, int hlen, Mbuf head) {
        head.len(IpHeader.MAX_LEN);
        for (int i = 0; i < IpHeader.LEN; i += Integer.BYTES) {
            head.putInt(i, m.getInt(i));
        }
        int n = IpHeader.LEN + IpOptions.copyForFragment(m, hlen, head);
        IpHeader.hlen(head, 0, n);
        head.len(n);
        return n;
    }
}
