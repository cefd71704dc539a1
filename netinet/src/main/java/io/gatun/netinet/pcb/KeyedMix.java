package io.gatun.netinet.pcb;

/**
 * A cheap hash of a few words into buckets and flows. The caller puts a secret into the first word, so that nobody
 * without fills one bucket; who sees many whole hashes can work the secret out, so one whose hashes are seen has a
 * secret of its own. Where that matters there is {@link SipHash}.
 */
public final class KeyedMix {
    private static final long M1 = 0xbf58476d1ce4e5b9L;
    private static final long M2 = 0x94d049bb133111ebL;
    private static final int SHIFT_1 = 29;
    private static final int SHIFT_2 = 31;
    private static final int SHIFT_3 = 30;

    private KeyedMix() {
    }

    /** Of which the high bits are the good ones. */
    public static long mix(final long a, final long b, final long c) {
        long z = a * M1;
        z = (z ^ z >>> SHIFT_1 ^ b) * M2;
        return (z ^ z >>> SHIFT_2 ^ c) * M1;
    }

    /** Of which the high bits are the good ones. */
    public static long mix(final long a, final long b, final long c, final long d) {
        final long z = mix(a, b, c);
        return (z ^ z >>> SHIFT_3 ^ d) * M2;
    }
}
