package io.gatun.netinet.ip6;

import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.spi.mbuf.Mbuf;

/**
 * The IPv6 header (RFC 8200 section 3).
 *
 * <pre>
 *  +-------+---------------+---------------------------------------+
 *  |  v    | traffic class |              flow label               |
 *  +-------+---------------+-------+---------------+---------------+
 *  |             plen              |      nxt      |     hlim      |
 *  +-------------------------------+---------------+---------------+
 *  |                       src (16 octets)                         |
 *  |                       dst (16 octets)                         |
 *  +---------------------------------------------------------------+
 * </pre>
 *
 * <p>{@code ip6} is the offset of the header from the first octet of {@code m}; all of it must be contiguous. Within
 * the stack addresses of a small scope have their zone put in ({@link In6}).
 *
 * @bsd struct ip6_hdr
 */
public final class Ip6Header {
    /** Octets. */
    public static final int LEN = 40;
    public static final int IPV6_VERSION = 6;
    /** Least MTU of a link. @bsd IPV6_MMTU */
    public static final int IPV6_MMTU = 1280;
    public static final int IPV6_MAXPACKET = 65_535;
    /** @bsd IPV6_DEFHLIM */
    public static final int HLIM_DEFAULT = 64;
    /** Bits of flow label below the traffic class. */
    public static final int TCLASS_SHIFT = 20;
    public static final int IPV6_MAXHLIM = 255;
    /** What a router takes off. @bsd IPV6_HLIMDEC */
    public static final int IPV6_HLIMDEC = 1;

    static final int PLEN = 4;
    static final int NXT = 6;
    static final int HLIM = 7;
    static final int SRC = 8;
    static final int DST = 24;
    private static final int FLOW_MASK = 0xf_ffff;

    private Ip6Header() {
    }

    /** @bsd ip6_vfc */
    public static int version(final Mbuf m, final int ip6) {
        return m.getU8(ip6) >>> 4;
    }

    /** Traffic class. */
    public static int tclass(final Mbuf m, final int ip6) {
        return m.getInt(ip6) >>> 20 & 0xff;
    }

    /** Sets the congestion bits of the traffic class. */
    public static void ecn(final Mbuf m, final int ip6, final int v) {
        m.putInt(ip6, m.getInt(ip6) & ~(IpHeader.IPTOS_ECN_MASK << TCLASS_SHIFT) | v << TCLASS_SHIFT);
    }

    /** Flow label, 20 bits. @bsd ip6_flow */
    public static int flow(final Mbuf m, final int ip6) {
        return m.getInt(ip6) & FLOW_MASK;
    }

    /** Octets behind this header. @bsd ip6_plen */
    public static int plen(final Mbuf m, final int ip6) {
        return m.getU16(ip6 + PLEN);
    }

    public static void plen(final Mbuf m, final int ip6, final int v) {
        m.put16(ip6 + PLEN, v);
    }

    /** @bsd ip6_nxt */
    public static int nxt(final Mbuf m, final int ip6) {
        return m.getU8(ip6 + NXT);
    }

    /** @bsd ip6_hlim */
    public static int hlim(final Mbuf m, final int ip6) {
        return m.getU8(ip6 + HLIM);
    }

    public static void hlim(final Mbuf m, final int ip6, final int v) {
        m.put8(ip6 + HLIM, v);
    }

    /** First eight octets. @bsd ip6_src */
    public static long srcHi(final Mbuf m, final int ip6) {
        return m.getLong(ip6 + SRC);
    }

    public static long srcLo(final Mbuf m, final int ip6) {
        return m.getLong(ip6 + SRC + Long.BYTES);
    }

    /** First eight octets. @bsd ip6_dst */
    public static long dstHi(final Mbuf m, final int ip6) {
        return m.getLong(ip6 + DST);
    }

    public static long dstLo(final Mbuf m, final int ip6) {
        return m.getLong(ip6 + DST + Long.BYTES);
    }

    public static void src(final Mbuf m, final int ip6, final long hi, final long lo) {
        m.putLong(ip6 + SRC, hi);
        m.putLong(ip6 + SRC + Long.BYTES, lo);
    }

    public static void dst(final Mbuf m, final int ip6, final long hi, final long lo) {
        m.putLong(ip6 + DST, hi);
        m.putLong(ip6 + DST + Long.BYTES, lo);
    }

    /**
     * Fills all but the addresses of a header at the front.
     *
     * @param tclassAndFlow traffic class above 20 bits of flow label
     */
    public static void init(final Mbuf m, final int plen, final int nxt, final int hlim, final int tclassAndFlow) {
        m.putInt(0, IPV6_VERSION << 28 | tclassAndFlow);
        m.putInt(PLEN, plen << 16 | nxt << 8 | hlim);
    }

    /** Fills the addresses of a header at the front. */
    public static void addr(
        final Mbuf m, final long srcHi, final long srcLo, final long dstHi, final long dstLo) {
        src(m, 0, srcHi, srcLo);
        dst(m, 0, dstHi, dstLo);
    }

    /** Fills a header at the front as a connected control block has it; IPV6_DEFHLIM is for IP. Under its lock. */
    public static void ofPcb(final Inpcb inp, final Mbuf m, final int plen, final int nxt) {
        init(m, plen, nxt, Math.max(0, inp.ttl), flowOf(inp));
        addr(m, inp.laddrHi(), inp.laddrLo(), inp.faddrHi(), inp.faddrLo());
    }

    /** Traffic class and flow label of a block; the label is the hash of its flow (RFC 6437 section 3). */
    public static int flowOf(final Inpcb inp) {
        final int label = inp.has(Inpcb.IN6P_AUTOFLOWLABEL) ? inp.flowid & FLOW_MASK : 0;
        return (inp.tos & 0xff) << TCLASS_SHIFT | label;
    }

    /** Traffic class and flow label with another traffic class. */
    public static int withTclass(final int tclassAndFlow, final int tclass) {
        return tclass << TCLASS_SHIFT | tclassAndFlow & FLOW_MASK;
    }

    /** Whether a socket with some memberships hears a packet; all but those to groups it does. @bsd im6o_mc_filter */
    public static boolean heard(final Moptions imo, final Mbuf m) {
        final long hi = dstHi(m, 0);
        return imo == null || !In6.isMulticast(hi)
            || imo.hears(In6.clear(hi), dstLo(m, 0), In6.clear(srcHi(m, 0)), srcLo(m, 0), m.rcvif());
    }

    /**
     * Sum of the pseudo-header of the packet at the front of m: zones do not count.
     *
     * @param len octets of transport header and data
     * @bsd in6_cksum_pseudo
     */
    public static int pseudo(final Mbuf m, final int len, final int proto) {
        return InCksum.pseudo6(In6.clear(srcHi(m, 0)), srcLo(m, 0), In6.clear(dstHi(m, 0)), dstLo(m, 0), len + proto);
    }

    /** As tcpdump prints it, for tests and traces. Borrows m. */
    public static void describe(final Mbuf m, final int ip6, final StringBuilder out) {
        out.append(In6.text(srcHi(m, ip6), srcLo(m, ip6))).append(" > ")
            .append(In6.text(dstHi(m, ip6), dstLo(m, ip6))).append(": nxt ").append(nxt(m, ip6)).append(", plen ")
            .append(plen(m, ip6)).append(", hlim ").append(hlim(m, ip6));
    }
}
