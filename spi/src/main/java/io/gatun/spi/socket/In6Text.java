package io.gatun.spi.socket;

/**
 * IPv6 addresses as text: reads every form of RFC 4291 section 2.2, writes the one of RFC 5952.
 *
 * @bsd inet_pton
 */
final class In6Text {
    private static final int GROUPS = 8;
    private static final int HALF = GROUPS / 2;
    private static final int HEX = 16;
    private static final int GROUP_DIGITS = 4;
    private static final int OCTETS = 4;

    private In6Text() {
    }

    /**
     * Reads an address without a zone.
     *
     * @return first and last eight octets, or null for what is no address
     */
    static long[] parse(final String text) {
        final int gap = text.indexOf("::");
        if (gap < 0) {
            final int[] all = groups(text);
            return all == null || all.length != GROUPS ? null : words(all);
        }
        if (text.indexOf("::", gap + 1) >= 0) {
            return null;
        }
        final String front = text.substring(0, gap);
        final int[] before = front.isEmpty() ? new int[0] : groups(front);
        final String rest = text.substring(gap + 2);
        final int[] after = rest.isEmpty() ? new int[0] : groups(rest);
        if (before == null || after == null || before.length + after.length >= GROUPS || front.indexOf('.') >= 0) {
            return null;
        }
        final int[] all = new int[GROUPS];
        System.arraycopy(before, 0, all, 0, before.length);
        System.arraycopy(after, 0, all, GROUPS - after.length, after.length);
        return words(all);
    }

    private static long[] words(final int[] groups) {
        final long[] out = new long[2];
        for (int i = 0; i < GROUPS; i++) {
            out[i / HALF] = out[i / HALF] << Short.SIZE | groups[i];
        }
        return out;
    }

    /** Groups between colons; the last may be an IPv4 address, which is two. Null for what is wrong. */
    private static int[] groups(final String text) {
        final String[] parts = text.split(":", -1);
        final boolean dotted = parts[parts.length - 1].indexOf('.') >= 0;
        final int[] out = new int[parts.length + (dotted ? 1 : 0)];
        if (out.length > GROUPS) {
            return null;
        }
        for (int i = 0; i < (dotted ? parts.length - 1 : parts.length); i++) {
            out[i] = hex(parts[i]);
            if (out[i] < 0) {
                return null;
            }
        }
        if (dotted) {
            final long v4 = dotted(parts[parts.length - 1]);
            if (v4 < 0) {
                return null;
            }
            out[out.length - 2] = (int) (v4 >>> Short.SIZE);
            out[out.length - 1] = (int) v4 & 0xffff;
        }
        return out;
    }

    private static int hex(final String s) {
        if (s.isEmpty() || s.length() > GROUP_DIGITS) {
            return -1;
        }
        int v = 0;
        for (int i = 0; i < s.length(); i++) {
            final int d = s.charAt(i) < 0x80 ? Character.digit(s.charAt(i), HEX) : -1;
            if (d < 0) {
                return -1;
            }
            v = v * HEX + d;
        }
        return v;
    }

    /** Four decimal octets without leading zeros; -1 for anything else. */
    private static long dotted(final String s) {
        final String[] parts = s.split("\\.", -1);
        if (parts.length != OCTETS) {
            return -1;
        }
        long v = 0;
        for (final String p : parts) {
            if (!p.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(p) > 0xff) {
                return -1;
            }
            v = v << Byte.SIZE | Integer.parseInt(p);
        }
        return v;
    }

    /** Writes an address: lower case, no leading zeros, the first longest run of zero groups as {@code ::}. */
    static String format(final long hi, final long lo) {
        if (hi == 0 && lo >>> Integer.SIZE == 0xffff) {
            return "::ffff:" + (lo >>> 24 & 0xff) + "." + (lo >>> 16 & 0xff) + "." + (lo >>> 8 & 0xff) + "."
                + (lo & 0xff);
        }
        int start = -1;
        int length = 1;
        for (int i = 0; i < GROUPS; i++) {
            int n = 0;
            while (i + n < GROUPS && group(hi, lo, i + n) == 0) {
                n++;
            }
            if (n > length) {
                start = i;
                length = n;
            }
        }
        final StringBuilder out = new StringBuilder();
        for (int i = 0; i < GROUPS; i++) {
            if (i == start) {
                out.append("::");
                i += length - 1;
            } else {
                final boolean separate = i > 0 && out.charAt(out.length() - 1) != ':';
                out.append(separate ? ":" : "").append(Integer.toHexString(group(hi, lo, i)));
            }
        }
        return out.toString();
    }

    private static int group(final long hi, final long lo, final int i) {
        final long word = i < HALF ? hi : lo;
        return (int) (word >>> (HALF - 1 - i % HALF) * Short.SIZE) & 0xffff;
    }
}
