package io.gatun.netinet.ip6;

import io.gatun.netinet.ip.IdCounters;
import io.gatun.netinet.ip.IpId;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.vnet.VnetSide;

/**
 * Cutting of packets that are larger than the path takes (RFC 8200 section 4.5), and the identification of fragments:
 * counters shared by few destinations each, chosen by a keyed hash, so that one peer learns nothing of what is sent to
 * others (RFC 7739 section 5.3).
 *
 * @bsd ip6_fragment
 */
final class Ip6Frag {
    private final IdCounters counters;
    private final long key;

    Ip6Frag(final VnetSide vnet) {
        key = IpId.mix(IpId.key(vnet.secret()));
        counters = new IdCounters(vnet);
    }

    /** @bsd ip6_randomid */
    private int ident(final Mbuf m) {
        final long h = IpId.mix(IpId.mix(IpId.mix(key ^ Ip6Header.dstHi(m, 0)) ^ Ip6Header.dstLo(m, 0))
            ^ Ip6Header.srcLo(m, 0));
        return counters.next(h);
    }

    /** Whether fragments of a size have room for data behind the headers that all of them carry. Borrows m. */
    static boolean fits(final Mbuf m, final int mtu) {
        return payload(mtu, (int) unfragmentable(m)) >= Ip6Nexthdr.UNIT;
    }

    private static int payload(final int mtu, final int hlen) {
        return mtu - hlen - Frag6.LEN & -Ip6Nexthdr.UNIT;
    }

    /**
     * Cuts a packet. Consumes m, whose delayed checksums are done and whose headers are contiguous as far as all
     * fragments carry them, and which {@link #fits}. Clusters are shared, not copied.
     *
     * @param mtu octets of the largest fragment
     * @return the fragments linked by nextPkt, or null when out of mbufs, or when the headers are not contiguous
     */
    Mbuf fragment(final Mbuf m, final int mtu) {
        final long place = unfragmentable(m);
        final int hlen = (int) place;
        final int nxtAt = (int) (place >>> Integer.SIZE);
        final int payload = payload(mtu, hlen);
        if (m.len() < hlen) {
            m.freeChain();
            return null;
        }
        final int len = Ip6Header.LEN + Ip6Header.plen(m, 0);
        final int ident = ident(m);
        Mbuf first = null;
        Mbuf tail = null;
        for (int at = hlen; at < len; at += payload) {
            final int n = Math.min(payload, len - at);
            final Mbuf f = piece(m, hlen, at, n);
            if (f == null) {
                if (first != null) {
                    first.freePkts();
                }
                m.freeChain();
                return null;
            }
            f.put8(hlen, f.getU8(nxtAt));
            f.put8(hlen + 1, 0);
            f.put8(nxtAt, InDefs.IPPROTO_FRAGMENT);
            f.put16(hlen + Frag6.OFFLG, at - hlen | (at + n < len ? Frag6.MORE_FRAG : 0));
            f.putInt(hlen + Frag6.IDENT, ident);
            if (first == null) {
                first = f;
            } else {
                tail.nextPkt(f);
            }
            tail = f;
        }
        m.freeChain();
        return first;
    }

    /** A packet of the headers all fragments have, a fragment header not filled in, and n octets. Borrows m. */
    private static Mbuf piece(final Mbuf m, final int hlen, final int at, final int n) {
        final MbufPool pool = m.pool();
        final int lead = pool.maxLinkhdr();
        final Mbuf head = pool.get2(lead + hlen + Frag6.LEN, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        if (head == null) {
            return null;
        }
        final Mbuf data = m.copyM(at, n);
        if (data == null) {
            head.freeChain();
            return null;
        }
        head.data(head.data() + lead);
        head.len(hlen + Frag6.LEN);
        head.next(data);
        for (int i = 0; i < hlen; i += Long.BYTES) {
            head.putLong(i, m.getLong(i));
        }
        head.setFlags(m.flags() & (Mbuf.M_MCAST | Mbuf.M_BCAST));
        head.pktLen(hlen + Frag6.LEN + n);
        head.rcvif(m.rcvif());
        head.fibnum(m.fibnum());
        head.flowid(m.flowid());
        head.rsstype(m.rsstype());
        Ip6Header.plen(head, 0, hlen + Frag6.LEN + n - Ip6Header.LEN);
        return head;
    }

    /**
     * The headers that every fragment carries: hop-by-hop options, and all up to a routing header. Their length, and
     * above it the offset of the octet that announces what follows. Borrows m.
     *
     * @bsd ip6_unfragpart
     */
    static long unfragmentable(final Mbuf m) {
        long at = Ip6Nexthdr.first(m, 0);
        int announced = Ip6Header.NXT;
        long found = (long) announced << Integer.SIZE | Ip6Header.LEN;
        while (at != Ip6Nexthdr.NONE && (Ip6Nexthdr.nxt(at) == InDefs.IPPROTO_HOPOPTS
                || Ip6Nexthdr.nxt(at) == InDefs.IPPROTO_DSTOPTS || Ip6Nexthdr.nxt(at) == InDefs.IPPROTO_ROUTING)) {
            final boolean kept = Ip6Nexthdr.nxt(at) != InDefs.IPPROTO_DSTOPTS;
            announced = Ip6Nexthdr.off(at);
            at = Ip6Nexthdr.next(m, at);
            if (kept && at != Ip6Nexthdr.NONE) {
                found = (long) announced << Integer.SIZE | Ip6Nexthdr.off(at);
            }
        }
        return found;
    }
}
