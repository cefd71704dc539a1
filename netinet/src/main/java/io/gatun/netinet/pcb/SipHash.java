package io.gatun.netinet.pcb;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** SipHash-2-4 over words, its key cut from the vnet's secret or given. Immutable, allocates nothing. @bsd SipHash24 */
public final class SipHash {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int LENGTH_SHIFT = 56;

    private final long k0;
    private final long k1;

    /**
     * @param secret at least 8 octets; more are used when there are
     * @param purpose makes independent keys of one secret
     */
    public SipHash(final byte[] secret, final long purpose) {
        long a = 0x9e3779b97f4a7c15L;
        long b = purpose;
        for (int i = 0; i + Long.BYTES <= secret.length; i += Long.BYTES) {
            a = Long.rotateLeft(a, 29) * 0xbf58476d1ce4e5b9L ^ (long) LONG.get(secret, i);
            b = Long.rotateLeft(b, 31) * 0x94d049bb133111ebL + (long) LONG.get(secret, i);
        }
        final SipHash raw = new SipHash(a, b);
        k0 = raw.hash(purpose, 1, 0);
        k1 = raw.hash(purpose, 2, 0);
    }

    private SipHash(final long k0, final long k1) {
        this.k0 = k0;
        this.k1 = k1;
    }

    /** With the key itself, little-endian words as in the paper. */
    public static SipHash ofKey(final long k0, final long k1) {
        return new SipHash(k0, k1);
    }

    long key0() {
        return k0;
    }

    long key1() {
        return k1;
    }

    /** The hash of three words. */
    public long hash(final long a, final long b, final long c) {
        return hash(a, b, c, 24L << LENGTH_SHIFT, 4);
    }

    /**
     * The hash of up to 16 octets.
     *
     * @param lo the first eight, the first of them lowest
     * @param hi what follows; octets beyond the length are 0
     */
    public long hashOctets(final long lo, final long hi, final int length) {
        final long end = (long) length << LENGTH_SHIFT;
        return switch (length / Long.BYTES) {
            case 0 -> hash(lo | end, 0, 0, 0, 1);
            case 1 -> hash(lo, hi | end, 0, 0, 2);
            default -> hash(lo, hi, end, 0, 3);
        };
    }

    /** The first {@code words} of the four, of which the last has the length on top. */
    private long hash(final long a, final long b, final long c, final long d, final int words) {
        long v0 = k0 ^ 0x736f6d6570736575L;
        long v1 = k1 ^ 0x646f72616e646f6dL;
        long v2 = k0 ^ 0x6c7967656e657261L;
        long v3 = k1 ^ 0x7465646279746573L;
        long m = a;
        long m1 = b;
        long m2 = c;
        long m3 = d;
        for (int i = 0; i < words + 2; i++) { // the last four rounds are two times two, of a word that is 0
            if (i >= words) {
                m = 0;
                v2 ^= i == words ? 0xff : 0;
            }
            v3 ^= m;
            for (int r = 0; r < 2; r++) {
                v0 += v1;
                v1 = Long.rotateLeft(v1, 13) ^ v0;
                v0 = Long.rotateLeft(v0, 32);
                v2 += v3;
                v3 = Long.rotateLeft(v3, 16) ^ v2;
                v0 += v3;
                v3 = Long.rotateLeft(v3, 21) ^ v0;
                v2 += v1;
                v1 = Long.rotateLeft(v1, 17) ^ v2;
                v2 = Long.rotateLeft(v2, 32);
            }
            v0 ^= m;
            m = m1;
            m1 = m2;
            m2 = m3;
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }
}
