package io.gatun.netinet.udp;

import io.gatun.spi.mbuf.Mbuf;

/**
 * The UDP header (RFC 768).
 *
 * <pre>
 *  0               16              31
 * +---------------+---------------+
 * |     sport     |     dport     |
 * +---------------+---------------+
 * |     ulen      |      sum      |
 * +---------------+---------------+
 * </pre>
 *
 * <p>{@code uh} is the offset of the header from the first octet of {@code m}; all of it must be contiguous.
 *
 * @bsd struct udphdr
 */
public final class UdpHeader {
    /** Octets. */
    public static final int LEN = 8;
    /** Where the checksum stands: csumData of a datagram whose checksum is offloaded. */
    public static final int SUM = 6;
    private static final int DPORT = 2;
    private static final int ULEN = 4;

    private UdpHeader() {
    }

    /** @bsd uh_sport */
    public static int sport(final Mbuf m, final int uh) {
        return m.getU16(uh);
    }

    /** @bsd uh_dport */
    public static int dport(final Mbuf m, final int uh) {
        return m.getU16(uh + DPORT);
    }

    /** Octets of header and data. @bsd uh_ulen */
    public static int ulen(final Mbuf m, final int uh) {
        return m.getU16(uh + ULEN);
    }

    /** 0 when the sender computed none. @bsd uh_sum */
    public static int sum(final Mbuf m, final int uh) {
        return m.getU16(uh + SUM);
    }

    public static void sum(final Mbuf m, final int uh, final int v) {
        m.put16(uh + SUM, v);
    }

    /** Fills the whole header. */
    public static void init(final Mbuf m, final int uh, final int ports, final int ulen, final int sum) {
        m.putLong(uh, (long) ports << 32 | (long) ulen << 16 | sum);
    }

    /** The third parameter of {@link #init}. */
    public static int ports(final int sport, final int dport) {
        return sport << 16 | dport;
    }

    /** As tcpdump prints it, for tests and traces. Borrows m. */
    public static void describe(final Mbuf m, final int uh, final StringBuilder out) {
        out.append("udp ").append(sport(m, uh)).append(" > ").append(dport(m, uh))
            .append(": length ").append(ulen(m, uh) - LEN);
    }
}
