package io.gatun.netinet.nd6;

import io.gatun.spi.mbuf.Mbuf;

/**
 * The options behind a message of neighbour discovery (RFC 4861 section 4.6): type, length in units of eight octets,
 * value. {@code at} is an offset within contiguous octets of {@code m}; once {@link #wellFormed} has said yes, the
 * others cannot fail.
 *
 * <pre>
 *  +---------------+---------------+-------------------------------+
 *  |     type      |    length     |             ...               |
 *  +---------------+---------------+-------------------------------+
 * </pre>
 *
 * @bsd nd6_options
 */
final class NdOptions {
    /** @bsd ND_OPT_SOURCE_LINKADDR */
    static final int SOURCE_LINKADDR = 1;
    /** @bsd ND_OPT_TARGET_LINKADDR */
    static final int TARGET_LINKADDR = 2;
    /** @bsd ND_OPT_PREFIX_INFORMATION */
    static final int PREFIX_INFORMATION = 3;
    /** @bsd ND_OPT_REDIRECTED_HEADER */
    static final int REDIRECTED_HEADER = 4;
    /** @bsd ND_OPT_MTU */
    static final int MTU = 5;
    /** RFC 3971, used by RFC 7527. @bsd ND_OPT_NONCE */
    static final int NONCE = 14;
    /** RFC 4191. @bsd ND_OPT_ROUTE_INFO */
    static final int ROUTE_INFO = 24;
    /** RFC 8106. @bsd ND_OPT_RDNSS */
    static final int RDNSS = 25;
    /** RFC 8106. @bsd ND_OPT_DNSSL */
    static final int DNSSL = 31;
    /** Octets of one unit of length. */
    static final int UNIT = 8;

    private static final long MAC = 0xffff_ffff_ffffL;

    private NdOptions() {
    }

    /** Whether the options between two offsets fill them exactly, none of length zero. */
    static boolean wellFormed(final Mbuf m, final int at, final int end) {
        int i = at;
        while (i < end) {
            final int n = i + 1 < end ? length(m, i) : 0;
            if (n == 0 || i + n > end) {
                return false;
            }
            i += n;
        }
        return true;
    }

    /** Octets of an option. */
    static int length(final Mbuf m, final int at) {
        return m.getU8(at + 1) * UNIT;
    }

    /** The offset of the first option of a type from an offset on, or {@code end}. */
    static int find(final Mbuf m, final int at, final int end, final int type) {
        int i = at;
        while (i < end && m.getU8(i) != type) {
            i += length(m, i);
        }
        return Math.min(i, end);
    }

    /** The offset of the next option of the type of the one at an offset, or {@code end}. */
    static int next(final Mbuf m, final int at, final int end) {
        return find(m, at + length(m, at), end, m.getU8(at));
    }

    /** The six octets behind type and length: a link address, or a nonce. */
    static long mac(final Mbuf m, final int at) {
        return m.getLong(at) & MAC;
    }

    /** The link address in the first option of a type; 0 when there is none. */
    static long lladdr(final Mbuf m, final int at, final int end, final int type) {
        final int i = find(m, at, end, type);
        return i == end || length(m, i) != UNIT ? 0 : mac(m, i);
    }

    /** A lifetime in seconds at an offset; NEVER for all ones. */
    static long seconds(final Mbuf m, final int at) {
        final int v = m.getInt(at);
        return v == -1 ? Nd6.NEVER : v & 0xffff_ffffL;
    }

    /** Writes an option of eight octets. */
    static void put(final Mbuf m, final int at, final int type, final long sixOctets) {
        m.putLong(at, (long) type << 56 | 1L << 48 | sixOctets);
    }
}
