package io.gatun.netinet.ip;

import io.gatun.spi.mbuf.Mbuf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words, over any part of
 * a chain, whatever the boundaries of its mbufs.
 *
 * <p>Words are added in the machine's order, four octets at a time into 64 bits: the sum does not depend on the order,
 * so one swap at the end gives network order. Sums of this class's methods are in network order, 0..0xffff.
 *
 * @bsd in_cksum
 */
public final class InCksum {
    private static final boolean LITTLE = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    private static final long LOW = 0xffff_ffffL;
    private static final int WORD = 0xffff;
    private static final int BLOCK = 4 * Long.BYTES;

    private InCksum() {
    }

    /** Checksum of the first {@code len} octets. Borrows m. @bsd in_cksum */
    public static int cksum(Mbuf m, int len) {
        return ~sum(m, 0, len) & WORD;
    }

    /** Checksum of the octets from {@code skip} up to {@code len}. Borrows m. @bsd in_cksum_skip */
    public static int cksumSkip(Mbuf m, int len, int skip) {
        return ~sum(m, skip, len - skip) & WORD;
    }

    /** Checksum of an IPv4 header of {@code hlen} octets at the front; 0 means that a received one is right. */
    public static int hdr(Mbuf m, int hlen) {
        long a = m.getLong(0);
        long b = m.getLong(Long.BYTES);
        long s = (a >>> 32) + (a & LOW) + (b >>> 32) + (b & LOW) + (m.getInt(IpHeader.DST) & LOW);
        for (int i = IpHeader.LEN; i < hlen; i += Integer.BYTES) {
            s += m.getInt(i) & LOW;
        }
        return ~fold(s) & WORD;
    }

    /** One's complement sum of {@code n} octets from {@code off} on; the chain must have them. Borrows m. */
    public static int sum(Mbuf m, int off, int n) {
        Mbuf at = m;
        int skip = off;
        while (at != null && skip >= at.len() && n > 0) {
            skip -= at.len();
            at = at.next();
        }
        long total = 0;
        boolean odd = false;
        int left = n;
        while (left > 0 && at != null) {
            int k = Math.min(left, at.len() - skip);
            int part = fold(partial(at.seg(), at.data() + skip, k, 0));
            total += odd ? swap(part) : part;
            odd ^= (k & 1) != 0;
            left -= k;
            skip = 0;
            at = at.next();
        }
        assert left == 0 : "sum of " + n + " octets at " + off + " of " + m.length();
        int s = fold(total);
        return LITTLE ? swap(s) : s;
    }

    /** One's complement sum of octets outside any chain. */
    public static int sum(MemorySegment seg, long off, int n) {
        int s = fold(partial(seg, off, n, 0));
        return LITTLE ? swap(s) : s;
    }

    /** Adds words in the machine's order to {@code acc}, which has room for 2^32 additions. An odd octet is padded. */
    private static long partial(MemorySegment seg, long off, int n, long acc) {
        long s0 = acc;
        long s1 = 0;
        int i = 0;
        for (; i <= n - BLOCK; i += BLOCK) {
            long a = seg.get(U64, off + i);
            long b = seg.get(U64, off + i + Long.BYTES);
            long c = seg.get(U64, off + i + 2 * Long.BYTES);
            long d = seg.get(U64, off + i + 3 * Long.BYTES);
            s0 += (a & LOW) + (a >>> 32) + (b & LOW) + (b >>> 32);
            s1 += (c & LOW) + (c >>> 32) + (d & LOW) + (d >>> 32);
        }
        for (; i <= n - Integer.BYTES; i += Integer.BYTES) {
            s0 += seg.get(U32, off + i) & LOW;
        }
        if (i <= n - Short.BYTES) {
            s1 += seg.get(U16, off + i) & WORD;
            i += Short.BYTES;
        }
        if (i < n) {
            int last = seg.get(U8, off + i) & 0xff;
            s1 += LITTLE ? last : last << Byte.SIZE;
        }
        return s0 + s1;
    }

    /** Folds a sum to 16 bits with end-around carry. */
    public static int fold(long sum) {
        long s = (sum >>> 32) + (sum & LOW);
        s = (s >>> 16) + (s & WORD);
        s = (s >>> 16) + (s & WORD);
        return (int) ((s >>> 16) + (s & WORD));
    }

    private static int swap(int s) {
        return (s << Byte.SIZE | s >>> Byte.SIZE) & WORD;
    }

    /**
     * Sum of the IPv4 pseudo-header: what a protocol stores in its checksum field when it asks for offload.
     *
     * @param protoPlusLen protocol number plus octets of transport header and data
     * @bsd in_pseudo
     */
    public static int pseudo(int src, int dst, int protoPlusLen) {
        return fold((src & LOW) + (dst & LOW) + protoPlusLen);
    }

    /** Sum of the IPv6 pseudo-header; each address as its two halves. @bsd in6_cksum_pseudo */
    public static int pseudo6(long srcHi, long srcLo, long dstHi, long dstLo, int protoPlusLen) {
        return fold((srcHi >>> 32) + (srcHi & LOW) + (srcLo >>> 32) + (srcLo & LOW) + (dstHi >>> 32) + (dstHi & LOW)
            + (dstLo >>> 32) + (dstLo & LOW) + protoPlusLen);
    }

    /** The checksum after a 16-bit word changed (RFC 1624, equation 3). */
    public static int update(int cksum, int before, int after) {
        return ~fold((~cksum & WORD) + (~before & WORD) + (after & WORD)) & WORD;
    }

    /** The checksum after a 32-bit word changed. */
    public static int updateInt(int cksum, int before, int after) {
        return update(update(cksum, before >>> 16, after >>> 16), before, after);
    }
}
