package io.gatun.netinet.ip;

import io.gatun.spi.mbuf.Mbuf;

/**
 * The IPv4 header (RFC 791 section 3.1).
 *
 * <pre>
 *   0                   1                   2                   3
 *  +-------+-------+---------------+-------------------------------+
 *  |  v    |  hl   |      tos      |            len                |
 *  +-------+-------+---------------+-----+-------------------------+
 *  |              id               |flags|          off            |
 *  +---------------+---------------+-----+-------------------------+
 *  |      ttl      |       p       |            sum                |
 *  +---------------+---------------+-------------------------------+
 *  |                              src                              |
 *  +---------------------------------------------------------------+
 *  |                              dst                              |
 *  +---------------------------------------------------------------+
 * </pre>
 *
 * <p>{@code ip} is the offset of the header from the first octet of {@code m}, 0 in all of IP itself. All of the header
 * must be contiguous.
 *
 * @bsd struct ip
 */
public final class IpHeader {
    private static final int TCP_OFF = 12;

    /** Octets without options. */
    public static final int LEN = 20;
    /** Octets with the most options there can be. */
    public static final int MAX_LEN = 60;
    public static final int IPVERSION = 4;
    public static final int IP_MAXPACKET = 65_535;
    /** Least maximum transmission unit (RFC 791 section 3.2). */
    public static final int IP_MINMTU = 68;
    /** What every host can take. */
    public static final int IP_MSS = 576;
    public static final int IPDEFTTL = 64;
    public static final int MAXTTL = 255;
    public static final int IPTTLDEC = 1;
    public static final int IP_RF = 0x8000;
    public static final int IP_DF = 0x4000;
    public static final int IP_MF = 0x2000;
    public static final int IP_OFFMASK = 0x1fff;
    public static final int IPTOS_ECN_MASK = 0x03;
    public static final int IPTOS_ECN_NOTECT = 0x00;
    public static final int IPTOS_ECN_ECT1 = 0x01;
    public static final int IPTOS_ECN_ECT0 = 0x02;
    public static final int IPTOS_ECN_CE = 0x03;

    static final int TOS = 1;
    static final int TOTAL_LEN = 2;
    static final int ID = 4;
    static final int OFF = 6;
    static final int TTL = 8;
    static final int P = 9;
    static final int SUM = 10;
    static final int SRC = 12;
    static final int DST = 16;
    private static final int VERSION_SHIFT = 4;
    private static final int HL_MASK = 0xf;
    private static final int NO_OPTIONS = IPVERSION << VERSION_SHIFT | LEN / Integer.BYTES;

    private IpHeader() {
    }

    /** @bsd ip_v */
    public static int version(Mbuf m, int ip) {
        return m.getU8(ip) >>> VERSION_SHIFT;
    }

    /** Octets of header, options included. @bsd ip_hl */
    public static int hlen(Mbuf m, int ip) {
        return (m.getU8(ip) & HL_MASK) * Integer.BYTES;
    }

    /** Sets version 4 and the length of the header in octets. */
    public static void hlen(Mbuf m, int ip, int octets) {
        m.put8(ip, IPVERSION << VERSION_SHIFT | octets / Integer.BYTES);
    }

    /** @bsd ip_tos */
    public static int tos(Mbuf m, int ip) {
        return m.getU8(ip + TOS);
    }

    public static void tos(Mbuf m, int ip, int v) {
        m.put8(ip + TOS, v);
    }

    /** Octets of the whole packet. @bsd ip_len */
    public static int len(Mbuf m, int ip) {
        return m.getU16(ip + TOTAL_LEN);
    }

    public static void len(Mbuf m, int ip, int v) {
        m.put16(ip + TOTAL_LEN, v);
    }

    /** @bsd ip_id */
    public static int id(Mbuf m, int ip) {
        return m.getU16(ip + ID);
    }

    public static void id(Mbuf m, int ip, int v) {
        m.put16(ip + ID, v);
    }

    /** Flags and fragment offset. @bsd ip_off */
    public static int off(Mbuf m, int ip) {
        return m.getU16(ip + OFF);
    }

    public static void off(Mbuf m, int ip, int v) {
        m.put16(ip + OFF, v);
    }

    /** @bsd ip_ttl */
    public static int ttl(Mbuf m, int ip) {
        return m.getU8(ip + TTL);
    }

    public static void ttl(Mbuf m, int ip, int v) {
        m.put8(ip + TTL, v);
    }

    /** @bsd ip_p */
    public static int p(Mbuf m, int ip) {
        return m.getU8(ip + P);
    }

    public static void p(Mbuf m, int ip, int v) {
        m.put8(ip + P, v);
    }

    /** @bsd ip_sum */
    public static int sum(Mbuf m, int ip) {
        return m.getU16(ip + SUM);
    }

    public static void sum(Mbuf m, int ip, int v) {
        m.put16(ip + SUM, v);
    }

    /** @bsd ip_src */
    public static int src(Mbuf m, int ip) {
        return m.getInt(ip + SRC);
    }

    public static void src(Mbuf m, int ip, int v) {
        m.putInt(ip + SRC, v);
    }

    /** @bsd ip_dst */
    public static int dst(Mbuf m, int ip) {
        return m.getInt(ip + DST);
    }

    public static void dst(Mbuf m, int ip, int v) {
        m.putInt(ip + DST, v);
    }

    /** Whether the packet is a piece of a larger one. */
    public static boolean isFragment(Mbuf m, int ip) {
        return (off(m, ip) & (IP_MF | IP_OFFMASK)) != 0;
    }

    /**
     * Fills what a protocol gives {@code ip_output}, without options: version, length, total length, tos, no flags,
     * zero id and checksum. Time to live, addresses and protocol are set by {@link #addr}.
     */
    public static void init(Mbuf m, int ip, int totalLen, int tos) {
        m.putInt(ip, NO_OPTIONS << 24 | tos << 16 | totalLen);
        m.putInt(ip + ID, 0);
    }

    /** Fills the rest: time to live, protocol, a zero checksum and the addresses. */
    public static void addr(Mbuf m, int ip, int ttlAndProto, int src, int dst) {
        m.putInt(ip + TTL, ttlAndProto << 16);
        m.putInt(ip + SRC, src);
        m.putInt(ip + DST, dst);
    }

    /** The third parameter of {@link #addr}. */
    public static int ttlAndProto(int ttl, int proto) {
        return ttl << Byte.SIZE | proto;
    }

    /**
     * Makes the first {@code n} octets of a packet contiguous and writable. Consumes m; null when out of mbufs or when
     * the packet is shorter.
     */
    public static Mbuf writable(Mbuf m, int n) {
        Mbuf w = m.writable() ? m : m.unshare();
        return w == null || w.len() >= n ? w : w.pullup(n);
    }

    /** As tcpdump prints it, for tests and traces. Borrows m. */
    public static void describe(Mbuf m, int ip, StringBuilder out) {
        out.append(dotted(src(m, ip))).append(" > ").append(dotted(dst(m, ip)))
            .append(": proto ").append(p(m, ip)).append(", length ").append(len(m, ip))
            .append(", ttl ").append(ttl(m, ip)).append(", id ").append(id(m, ip));
        if (off(m, ip) != 0) {
            out.append(", offset ").append((off(m, ip) & IP_OFFMASK) * Long.BYTES)
                .append((off(m, ip) & IP_DF) != 0 ? ", DF" : "").append((off(m, ip) & IP_MF) != 0 ? ", MF" : "");
        }
    }

    /** Dotted decimal. @bsd inet_ntoa */
    public static String dotted(int addr) {
        return (addr >>> 24) + "." + (addr >>> 16 & 0xff) + "." + (addr >>> 8 & 0xff) + "." + (addr & 0xff);
    }

    /**
     * Octets of the largest packet that a super-segment will be on the wire: its headers, TCP options among them, and
     * the text of one segment.
     *
     * @param th octets from the front to the TCP header, which need not be contiguous
     * @param len octets of the whole
     */
    public static int largest(Mbuf m, int th, int len) {
        int at = th + TCP_OFF;
        int words = at < m.len() ? m.getU8(at) : m.getPtr(at).getU8(m.getPtrOff(at));
        return Math.min(len, th + (words >>> 4) * Integer.BYTES + m.tsoSegsz());
    }
}
