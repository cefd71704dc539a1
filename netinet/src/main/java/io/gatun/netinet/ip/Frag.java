package io.gatun.netinet.ip;

import io.gatun.spi.mbuf.Mbuf;

/**
 * What reassembly knows of a fragment, kept in {@code phPer64} of its mbuf while it waits.
 *
 * <pre>
 *  +----------------+----------------+----------------+-------------+-+-+
 *  |  offset (16)   |  length (16)   |  headers (16)  |             |M|ecn
 *  +----------------+----------------+----------------+-------------+-+-+
 * </pre>
 *
 * <p>Offset and length are octets of data; the headers before the data, fragment header included, stay in the packet
 * until it is joined.
 */
public final class Frag {
    private static final int OFF = 48;
    private static final int LEN = 32;
    private static final int HDR = 16;
    private static final int MORE = 4;
    private static final int ECN = 3;
    private static final int MASK = 0xffff;

    private Frag() {
    }

    /** Notes all of a fragment in its mbuf. */
    public static void put(
        final Mbuf m, final int off, final int len, final int hdr, final boolean more, final int ecn) {
        m.phPer64((long) off << OFF | (long) len << LEN | (long) hdr << HDR | (more ? MORE : 0) | ecn & ECN);
    }

    /** Octets of data before this fragment's. */
    public static int off(final Mbuf m) {
        return (int) (m.phPer64() >>> OFF);
    }

    /** Octets of data. */
    public static int len(final Mbuf m) {
        return (int) (m.phPer64() >>> LEN) & MASK;
    }

    /** Octets of headers before the data. */
    public static int hdr(final Mbuf m) {
        return (int) (m.phPer64() >>> HDR) & MASK;
    }

    /** Whether fragments follow. */
    public static boolean more(final Mbuf m) {
        return (m.phPer64() & MORE) != 0;
    }

    /** The two bits of congestion notification. */
    public static int ecn(final Mbuf m) {
        return (int) m.phPer64() & ECN;
    }

    static void ecn(final Mbuf m, final int ecn) {
        m.phPer64(m.phPer64() & ~ECN | ecn);
    }
}
