package io.gatun.conformance.packetdrill;

import java.util.HexFormat;
import java.util.Locale;

/** How values are shown. */
final class Format {
    private static final double US_PER_S = 1e6;

    private Format() {
    }

    /** Microseconds as seconds, six digits. */
    static String seconds(final long us) {
        return String.format(Locale.ROOT, "%.6f", us / US_PER_S);
    }

    static String hex(final byte[] octets) {
        return HexFormat.of().formatHex(octets);
    }

    static long unsigned(final int v) {
        return Integer.toUnsignedLong(v);
    }
}
