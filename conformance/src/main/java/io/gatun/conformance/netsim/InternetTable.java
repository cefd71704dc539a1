package io.gatun.conformance.netsim;

import io.gatun.spi.socket.SockAddr;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;

/**
 * Prefixes whose lengths are distributed as in the internet's routing table, at addresses drawn evenly from the unicast
 * space: less clustered than the real ones, so harder on caches. The same seed gives the same table.
 */
public final class InternetTable {
    private static final int IPV4_BITS = 32;
    /** Prefixes of each length among 10,000, from /8: about the shares in the internet's table of 2024. */
    private static final int[] SHARES4 =
        {0, 0, 0, 1, 3, 6, 12, 21, 140, 85, 150, 270, 460, 530, 1120, 1010, 6192};
    private static final int FIRST4 = 8;
    /** Length and share among 10,000 of the IPv6 table. */
    private static final int[][] SHARES6 = {{28, 60}, {29, 240}, {30, 50}, {31, 30}, {32, 1080}, {33, 160}, {34, 180},
        {35, 70}, {36, 480}, {37, 60}, {38, 150}, {39, 90}, {40, 1160}, {41, 80}, {42, 350}, {43, 60}, {44, 1010},
        {45, 110}, {46, 330}, {47, 250}, {48, 4000}};
    private static final int SHARES = 10_000;

    private final Random random;

    public InternetTable(final long seed) {
        random = new Random(seed);
    }

    /** Different IPv4 prefixes: the address in the upper, the length in the lower half of each. */
    public long[] prefixes4(final int n) {
        final long[] out = new long[n];
        final Set<Long> seen = new HashSet<>(2 * n);
        int at = 0;
        while (at < n) {
            final int bits = length4();
            final int addr = unicast4() & -1 << IPV4_BITS - bits;
            final long p = (long) addr << IPV4_BITS | bits;
            if (seen.add(p)) {
                out[at++] = p;
            }
        }
        return out;
    }

    private int length4() {
        int r = random.nextInt(SHARES);
        int i = 0;
        while (i < SHARES4.length - 1 && r >= SHARES4[i]) {
            r -= SHARES4[i++];
        }
        return FIRST4 + i;
    }

    private int unicast4() {
        int top = 10;
        while (top == 10 || top == 127) {
            top = 1 + random.nextInt(223);
        }
        return top << 24 | random.nextInt(1 << 24);
    }

    /**
     * Different IPv6 prefixes below 2000::/3, all within the first 64 bits.
     *
     * @param lengths filled with the length of each
     */
    public SockAddr[] prefixes6(final int n, final int[] lengths) {
        final SockAddr[] out = new SockAddr[n];
        final Set<Long> seen = new HashSet<>(2 * n);
        int at = 0;
        while (at < n) {
            final int bits = length6();
            final long hi = (0x2000L << 48 | random.nextLong() >>> 3) & -1L << Long.SIZE - bits;
            if (seen.add(hi | bits)) {
                lengths[at] = bits;
                out[at++] = SockAddr.in6(hi, 0, 0);
            }
        }
        return out;
    }

    private int length6() {
        int r = random.nextInt(SHARES);
        int i = 0;
        while (i < SHARES6.length - 1 && r >= SHARES6[i][1]) {
            r -= SHARES6[i++][1];
        }
        return SHARES6[i][0];
    }
}
