package io.gatun.netinet.ip;

import io.gatun.spi.mbuf.Mbuf;

/**
 * The fragments of one datagram that have come so far, sorted, without gaps of their own. Reused.
 *
 * <p>Locking key: (l) the lock of {@link IpReass}.
 *
 * @bsd struct ipq
 */
final class Ipq {
    int src;            // (l)
    int dst;            // (l)
    int proto;          // (l)
    int id;             // (l)
    int ecn;            // (l) of the first to come, CE once any had it
    int octets;         // (l) of data that have come
    int total;          // (l) octets of data of the whole, -1 while the last fragment is missing
    int nfrags;         // (l)
    long deadlineNs;    // (l)
    Mbuf frags;         // (l) sorted by offset, linked by nextPkt; phPer64 is offset << 32 | length
    Ipq next;           // (l) in its bucket, the youngest first
    Ipq older;          // (l) in order of deadline
    Ipq newer;          // (l)

    void open(int s, int d, int p, int ident) {
        src = s;
        dst = d;
        proto = p;
        id = ident;
        ecn = 0;
        octets = 0;
        total = -1;
        nfrags = 0;
        frags = null;
    }

    boolean is(int s, int d, int p, int ident) {
        return src == s && dst == d && id == ident && proto == p;
    }

    static long place(int off, int len) {
        return (long) off << Integer.SIZE | len;
    }

    static int off(Mbuf m) {
        return (int) (m.phPer64() >>> Integer.SIZE);
    }

    static int len(Mbuf m) {
        return (int) m.phPer64();
    }

    boolean whole() {
        return total == octets;
    }
}
