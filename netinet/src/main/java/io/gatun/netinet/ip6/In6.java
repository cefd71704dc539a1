package io.gatun.netinet.ip6;

import io.gatun.spi.socket.SockAddr;

/**
 * Kinds of IPv6 address (RFC 4291) and their zones (RFC 4007), on the two words of an address.
 *
 * <p>Within the stack the address of a small scope carries its zone: the index of its interface stands in octets 2 and
 * 3, which are zero on the wire. So routes, neighbours and control blocks compare whole addresses and need no third
 * word. It is put in where a packet or a socket address enters ({@link #embed}) and taken out where one leaves ({@link
 * #clear}).
 *
 * @bsd in6_setscope
 */
public final class In6 {
    /** Interface-local scope of a group. @bsd IPV6_ADDR_SCOPE_INTFACELOCAL */
    public static final int SCOPE_INTFACELOCAL = 1;
    /** Link-local scope. @bsd IPV6_ADDR_SCOPE_LINKLOCAL */
    public static final int SCOPE_LINKLOCAL = 2;
    /** Site-local scope. @bsd IPV6_ADDR_SCOPE_SITELOCAL */
    public static final int SCOPE_SITELOCAL = 5;
    /** Global scope. @bsd IPV6_ADDR_SCOPE_GLOBAL */
    public static final int SCOPE_GLOBAL = 0xe;
    /** The low word of ::1. */
    public static final long LOOPBACK_LO = 1;
    /** ff02::1, high word. */
    public static final long LINK_GROUP_HI = 0xff02L << 48;
    /** fe80::, high word. */
    public static final long LINKLOCAL_HI = 0xfe80L << 48;
    /** ff02::1:ff00:0, low word, to which the low 24 bits of an address are added. */
    public static final long SOLICITED_LO = 0x0001_ff00_0000L;

    private static final long ZONE_MASK = 0xffffL << 32;
    private static final long MAPPED = 0xffffL << 32;
    private static final long IN4 = 0xffff_ffffL;

    private In6() {
    }

    /** @bsd IN6_IS_ADDR_UNSPECIFIED */
    public static boolean isAny(final long hi, final long lo) {
        return (hi | lo) == 0;
    }

    /** @bsd IN6_IS_ADDR_LOOPBACK */
    public static boolean isLoopback(final long hi, final long lo) {
        return hi == 0 && lo == LOOPBACK_LO;
    }

    /** fe80::/10. @bsd IN6_IS_ADDR_LINKLOCAL */
    public static boolean isLinkLocal(final long hi) {
        return hi >>> 54 == 0xfe80 >>> 6;
    }

    /** fec0::/10, deprecated. @bsd IN6_IS_ADDR_SITELOCAL */
    public static boolean isSiteLocal(final long hi) {
        return hi >>> 54 == 0xfec0 >>> 6;
    }

    /** ff00::/8. @bsd IN6_IS_ADDR_MULTICAST */
    public static boolean isMulticast(final long hi) {
        return hi >>> 56 == 0xff;
    }

    /** Scope of a group, 0..15. @bsd IPV6_ADDR_MC_SCOPE */
    public static int mcScope(final long hi) {
        return (int) (hi >>> 48) & 0xf;
    }

    /** ::ffff:0:0/96. @bsd IN6_IS_ADDR_V4MAPPED */
    public static boolean isV4Mapped(final long hi, final long lo) {
        return hi == 0 && (lo & ~IN4) == MAPPED;
    }

    /** The low word of an IPv4 address mapped into IPv6; the high one is 0. */
    public static long v4Mapped(final int addr) {
        return MAPPED | addr & IN4;
    }

    /** The solicited-node group of an address has this low word; its high one is {@link #LINK_GROUP_HI}. */
    public static long solicited(final long lo) {
        return SOLICITED_LO | lo & 0xff_ffffL;
    }

    /** @bsd in6_addrscope */
    public static int scope(final long hi, final long lo) {
        if (isMulticast(hi)) {
            return mcScope(hi);
        }
        if (isLinkLocal(hi) || isLoopback(hi, lo)) {
            return SCOPE_LINKLOCAL;
        }
        return isSiteLocal(hi) ? SCOPE_SITELOCAL : SCOPE_GLOBAL;
    }

    /** Whether an address means something on one link or interface alone. @bsd IN6_IS_SCOPE_EMBED */
    public static boolean zoned(final long hi) {
        return isLinkLocal(hi) || isMulticast(hi) && (mcScope(hi) == SCOPE_INTFACELOCAL
            || mcScope(hi) == SCOPE_LINKLOCAL);
    }

    /** The high word with its zone put in, where it takes one. @bsd in6_setscope */
    public static long embed(final long hi, final int zone) {
        return zoned(hi) ? hi & ~ZONE_MASK | (long) zone << 32 : hi;
    }

    /** The high word as it stands on the wire. @bsd in6_clearscope */
    public static long clear(final long hi) {
        return zoned(hi) ? hi & ~ZONE_MASK : hi;
    }

    /** The zone in a high word, 0 for none. @bsd in6_getscope */
    public static int zone(final long hi) {
        return zoned(hi) ? (int) (hi >>> 32) & 0xffff : 0;
    }

    /** Whether a high word that came from outside has something where a zone would stand. */
    public static boolean forged(final long hi) {
        return zoned(hi) && (hi & ZONE_MASK) != 0;
    }

    /** The high word of a socket address with its zone put in. @bsd sa6_embedscope */
    public static long embed(final SockAddr sa) {
        return embed(sa.hi(), sa.scopeId());
    }

    /** Fills a socket address from an address with its zone put in. @bsd sa6_recoverscope */
    public static void recover(final SockAddr out, final long hi, final long lo, final int port) {
        out.setIn6(clear(hi), lo, port, zone(hi));
    }

    /** The mask of a prefix length, high word. @bsd in6_prefixlen2mask */
    public static long maskHi(final int bits) {
        return bits == 0 ? 0 : -1L << Math.max(0, Long.SIZE - bits);
    }

    /** The mask of a prefix length, low word. */
    public static long maskLo(final int bits) {
        return bits <= Long.SIZE ? 0 : -1L << 2 * Long.SIZE - bits;
    }

    /** Bits two addresses have in common from the front, 0..128. @bsd in6_matchlen */
    public static int matchLen(final long hi, final long lo, final long otherHi, final long otherLo) {
        final int inHi = Long.numberOfLeadingZeros(hi ^ otherHi);
        return inHi < Long.SIZE ? inHi : Long.SIZE + Long.numberOfLeadingZeros(lo ^ otherLo);
    }

    /** For people: the address with its zone as a number. */
    public static String text(final long hi, final long lo) {
        final SockAddr sa = new SockAddr();
        recover(sa, hi, lo, 0);
        return sa.host();
    }
}
