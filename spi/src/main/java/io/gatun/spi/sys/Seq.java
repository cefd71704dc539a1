package io.gatun.spi.sys;

/**
 * Serial number arithmetic modulo 2^32 (RFC 1982, RFC 9293 section 3.4). Two numbers compare correctly when they lie
 * less than 2^31 apart. Sequence numbers are {@code int} everywhere and are compared by these methods alone.
 */
public final class Seq {
    private Seq() {
    }

    /** @bsd SEQ_LT */
    public static boolean lt(final int a, final int b) {
        return a - b < 0;
    }

    /** @bsd SEQ_LEQ */
    public static boolean leq(final int a, final int b) {
        return a - b <= 0;
    }

    /** @bsd SEQ_GT */
    public static boolean gt(final int a, final int b) {
        return a - b > 0;
    }

    /** @bsd SEQ_GEQ */
    public static boolean geq(final int a, final int b) {
        return a - b >= 0;
    }

    /** @bsd SEQ_MIN */
    public static int min(final int a, final int b) {
        return lt(a, b) ? a : b;
    }

    /** @bsd SEQ_MAX */
    public static int max(final int a, final int b) {
        return gt(a, b) ? a : b;
    }

    /** Whether {@code low <= s < high}. */
    public static boolean within(final int s, final int low, final int high) {
        return geq(s, low) && lt(s, high);
    }

    /** Octets from {@code from} up to {@code to}, negative when {@code to} lies before it. */
    public static int diff(final int to, final int from) {
        return to - from;
    }
}
