package io.gatun.netinet.ip;

import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.VnetSide;

/**
 * Identification of datagrams: counters shared by few destinations each, chosen by a keyed hash, so that one peer
 * learns nothing of what is sent to others (RFC 7739 section 5.3). Atomic datagrams have none (RFC 6864 section 4.1).
 *
 * @bsd ip_fillid
 */
public final class IpId {
    private static final int ROUNDS = 4;
    private static final int HALF = 0xff;
    private static final int MIX = 0x85ebca6b;

    private final IdCounters counters;
    private final long key;
    private final Sysctl randomId;
    private final Sysctl rfc6864;

    IpId(VnetSide vnet) {
        key = key(vnet.secret());
        counters = new IdCounters(vnet);
        randomId = vnet.sysctl().addBool("net.inet.ip.random_id", false, "IP id of fragments is random, not a counter");
        rfc6864 = vnet.sysctl().addBool("net.inet.ip.rfc6864", true,
            "no IP id for datagrams that nobody may fragment");
    }

    /** A 64-bit key from a secret of any length. */
    public static long key(byte[] secret) {
        long k = 0x6a09e667f3bcc908L;
        for (byte b : secret) {
            k = mix(k ^ b & 0xff);
        }
        return k;
    }

    /** A bijection of 64 bits without pattern. */
    public static long mix(long v) {
        long z = (v ^ v >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /** The id for a packet with these fields. */
    int next(int off, int src, int dst) {
        if ((off & IpHeader.IP_DF) != 0 && rfc6864.getBool()) {
            return 0;
        }
        long h = mix(key ^ ((long) dst << Integer.SIZE | src & 0xffff_ffffL));
        int n = counters.next(h) & 0xffff;
        return randomId.getBool() ? permute(n, (int) h) : n;
    }

    /** A keyed permutation of 16 bits: random to look at, and no value twice in 65536. */
    private int permute(int n, int k) {
        int l = n >>> Byte.SIZE;
        int r = n & HALF;
        for (int i = 0; i < ROUNDS; i++) {
            int f = (r + (int) (key >>> i * Byte.SIZE) ^ k) * MIX >>> 24;
            int t = l ^ f & HALF;
            l = r;
            r = t;
        }
        return l << Byte.SIZE | r;
    }
}
