package io.gatun.netinet.ether;

import io.gatun.spi.mbuf.Mbuf;

/**
 * The Ethernet II header at the front of a frame. Link addresses are longs with the six octets in the low 48 bits.
 *
 * <pre>
 *  | dst (6) | src (6) | type (2) |
 * </pre>
 *
 * @bsd struct ether_header
 */
public final class EtherHeader {
    public static final int ETHER_ADDR_LEN = 6;
    public static final int ETHER_HDR_LEN = 14;
    public static final int ETHERMTU = 1500;
    public static final int ETHERTYPE_IP = 0x0800;
    public static final int ETHERTYPE_ARP = 0x0806;
    public static final int ETHERTYPE_VLAN = 0x8100;
    public static final int ETHERTYPE_IPV6 = 0x86dd;
    /** ff:ff:ff:ff:ff:ff. */
    public static final long BROADCAST = 0xffff_ffff_ffffL;

    private static final int SRC = 6;
    private static final int SRC_LOW = 8;
    private static final int TYPE = 12;
    private static final long GROUP_BIT = 1L << 40;

    private EtherHeader() {
    }

    /** @bsd ether_dhost */
    public static long dst(Mbuf m) {
        return m.getLong(0) >>> Short.SIZE;
    }

    /** @bsd ether_shost */
    public static long src(Mbuf m) {
        return (long) m.getU16(SRC) << Integer.SIZE | m.getInt(SRC_LOW) & 0xffff_ffffL;
    }

    /** @bsd ether_type */
    public static int type(Mbuf m) {
        return m.getU16(TYPE);
    }

    /** Writes the whole header. */
    public static void put(Mbuf m, long dst, long src, int type) {
        put(m, first(dst, src), second(src), type);
    }

    /** Writes a header from its first eight and next four octets, and the type. */
    public static void put(Mbuf m, long first, int second, int type) {
        m.putLong(0, first);
        m.putInt(SRC_LOW, second);
        m.put16(TYPE, type);
    }

    /** The first eight octets of a header. */
    public static long first(long dst, long src) {
        return dst << Short.SIZE | src >>> Integer.SIZE;
    }

    /** The four octets behind {@link #first}. */
    public static int second(long src) {
        return (int) src;
    }

    /** @bsd ETHER_IS_MULTICAST */
    public static boolean isMulticast(long addr) {
        return (addr & GROUP_BIT) != 0;
    }

    /** A link address of six octets as a long; 0 for null. */
    public static long addr(byte[] octets) {
        long v = 0;
        if (octets != null) {
            for (byte b : octets) {
                v = v << Byte.SIZE | b & 0xff;
            }
        }
        return v;
    }

    /** A long as six octets. */
    public static byte[] octets(long addr) {
        byte[] b = new byte[ETHER_ADDR_LEN];
        for (int i = 0; i < b.length; i++) {
            b[i] = (byte) (addr >>> (b.length - 1 - i) * Byte.SIZE);
        }
        return b;
    }

    /** As in {@code 02:00:00:00:00:01}. @bsd ether_sprintf */
    public static String format(long addr) {
        StringBuilder out = new StringBuilder();
        for (int i = ETHER_ADDR_LEN - 1; i >= 0; i--) {
            out.append("%02x".formatted(addr >>> i * Byte.SIZE & 0xff)).append(i == 0 ? "" : ":");
        }
        return out.toString();
    }
}
