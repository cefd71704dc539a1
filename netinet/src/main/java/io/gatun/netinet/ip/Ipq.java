package io.gatun.netinet.ip;

import io.gatun.spi.mbuf.Mbuf;

/**
 * The fragments of one datagram that have come so far, sorted, without gaps of their own. Reused.
 *
 * <p>Locking key: (l) the lock of {@link ReassTable}.
 *
 * @bsd struct ipq, struct ip6q
 */
final class Ipq {
    long srcHi;         // (l) 0 for IPv4
    long srcLo;         // (l)
    long dstHi;         // (l) 0 for IPv4
    long dstLo;         // (l)
    long id;            // (l) identification, and for IPv4 the protocol
    int bucket;         // (l)
    int ecn;            // (l) of the first to come, CE once any had it
    int octets;         // (l) of data that have come
    int total;          // (l) octets of data of the whole, -1 while the last fragment is missing
    int nfrags;         // (l)
    long deadlineNs;    // (l)
    Mbuf frags;         // (l) sorted by offset, linked by nextPkt, each with its Frag in phPer64
    Ipq next;           // (l) in its bucket, the youngest first
    Ipq older;          // (l) in order of deadline
    Ipq newer;          // (l)

    boolean is(final long sh, final long sl, final long dh, final long dl, final long ident) {
        return id == ident && srcLo == sl && dstLo == dl && srcHi == sh && dstHi == dh;
    }

    boolean whole() {
        return total == octets;
    }

    /** Whether a fragment reaches beyond an end. */
    boolean beyond(final int end) {
        for (Mbuf f = frags; f != null; f = f.nextPkt()) {
            if (Frag.off(f) + Frag.len(f) > end) {
                return true;
            }
        }
        return false;
    }

    /** Links a fragment in behind another, or in front of all. */
    void insert(final Mbuf before, final Mbuf m) {
        nfrags++;
        octets += Frag.len(m);
        if (before == null) {
            m.nextPkt(frags);
            frags = m;
        } else {
            m.nextPkt(before.nextPkt());
            before.nextPkt(m);
        }
    }

    /** RFC 3168 section 5.3: congestion marked on any counts for all, unless some could not have been marked. */
    boolean mergeEcn(final int ce) {
        if (ce == IpHeader.IPTOS_ECN_CE && ecn == IpHeader.IPTOS_ECN_NOTECT
                || ce == IpHeader.IPTOS_ECN_NOTECT && ecn != IpHeader.IPTOS_ECN_NOTECT) {
            return false;
        }
        if (ce == IpHeader.IPTOS_ECN_CE) {
            ecn = ce;
        }
        return true;
    }
}
