package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.M_EXT;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;

/** What only tests, assertions and people use. */
final class MbufDebug {
    private static final int[] FLAG = {
        M_EXT, M_PKTHDR, Mbuf.M_EOR, Mbuf.M_RDONLY, Mbuf.M_BCAST, Mbuf.M_MCAST, Mbuf.M_PROMISC, Mbuf.M_VLANTAG,
        Mbuf.M_NOFREE, Mbuf.M_TSTMP,
    };
    private static final String[] NAME = {
        "EXT", "PKTHDR", "EOR", "RDONLY", "BCAST", "MCAST", "PROMISC", "VLANTAG", "NOFREE", "TSTMP",
    };

    private MbufDebug() {
    }

    static String describe(Mbuf m) {
        StringBuilder sb = new StringBuilder(96);
        sb.append("mbuf ").append(m.id).append(" of ").append(m.pool.name()).append(" gen ").append(m.generation);
        if (!m.live()) {
            return sb.append(" (free)").toString();
        }
        for (int i = 0; i < FLAG.length; i++) {
            if ((m.flags & FLAG[i]) != 0) {
                sb.append(' ').append(NAME[i]);
            }
        }
        sb.append(" type ").append(m.type()).append(" len ").append(m.len).append('/').append(m.size);
        sb.append(" at ").append(m.data - m.start);
        if ((m.flags & M_PKTHDR) != 0) {
            sb.append(" pkt ").append(m.pktLen);
        }
        if ((m.flags & M_EXT) != 0) {
            sb.append(" [").append(m.ext).append(']');
        }
        return sb.toString();
    }

    static void sanity(Mbuf head) {
        long total = 0;
        for (Mbuf m = head; m != null; m = m.next) {
            require(m.live(), m, "is freed");
            boolean inside = m.len >= 0 && m.data >= m.start && m.data + m.len <= m.start + m.size;
            require(inside, m, "has data outside its storage");
            require(m == head || (m.flags & M_PKTHDR) == 0, m, "has a packet header inside a chain");
            require(m == head || m.nextPkt == null, m, "links packets inside a chain");
            boolean own = (m.flags & M_EXT) == 0;
            boolean kept = own ? m.start == m.home : m.start == m.ext.base() && m.seg.equals(m.ext.seg());
            require(kept, m, "lost its storage");
            require(own || m.ext.refCnt() > 0, m, "has a freed cluster");
            total += m.len;
            require(total <= Mbuf.M_COPYALL, m, "closes a circle");
        }
        require((head.flags & M_PKTHDR) == 0 || head.pktLen == total, head, "has other than " + total + " octets");
    }

    private static void require(boolean ok, Mbuf m, String what) {
        if (!ok) {
            throw new IllegalStateException(m.describe() + " " + what);
        }
    }
}
