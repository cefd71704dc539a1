package io.gatun.conformance.packetdrill;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Numbers and sums of what goes over the wire. */
final class Wire {
    static final int IPPROTO_ICMP = 1;
    static final int IPPROTO_TCP = 6;
    static final int IPPROTO_UDP = 17;
    static final int IPPROTO_ICMPV6 = 58;
    static final int IP4_HEADER = 20;
    static final int IP6_HEADER = 40;
    static final int UDP_HEADER = 8;
    static final int TCP_HEADER = 20;
    static final int TCP_SUM_AT = 16;
    private static final int FOLD = 16;

    private Wire() {
    }

    /** Adds octets in pairs, not folded; an odd last one counts as the high half. */
    static long sum(final byte[] b, final int from, final int length, final long start) {
        long s = start;
        for (int i = 0; i < length; i++) {
            s += (b[from + i] & 0xffL) << ((i & 1) == 0 ? Byte.SIZE : 0);
        }
        return s;
    }

    /** The Internet checksum of a sum. */
    static int checksum(final long sum) {
        long s = sum;
        while (s >>> FOLD != 0) {
            s = (s & 0xffff) + (s >>> FOLD);
        }
        return (int) ~s & 0xffff;
    }

    /** Of the pseudo header of either family. */
    static long pseudoSum(final byte[] src, final byte[] dst, final int proto, final int length) {
        return sum(dst, 0, dst.length, sum(src, 0, src.length, 0)) + proto + length;
    }

    /**
     * The signature of a segment, RFC 2385.
     *
     * @param b the TCP header begins at {@code at}; its checksum counts as zero
     * @param headerLength octets with options
     */
    static byte[] md5(final byte[] src, final byte[] dst, final byte[] b, final int at, final int headerLength,
            final String secret) {
        try {
            final MessageDigest md = MessageDigest.getInstance("MD5");
            md.update(src);
            md.update(dst);
            final int length = b.length - at;
            if (src.length == Integer.BYTES) {
                md.update(ByteBuffer.allocate(4).putShort((short) IPPROTO_TCP).putShort((short) length).array());
            } else {
                md.update(ByteBuffer.allocate(8).putInt(length).putInt(IPPROTO_TCP).array());
            }
            md.update(b, at, TCP_SUM_AT);
            md.update(new byte[2]);
            md.update(b, at + TCP_SUM_AT + 2, 2);
            md.update(b, at + headerLength, length - headerLength);
            md.update(secret.getBytes(StandardCharsets.ISO_8859_1));
            return md.digest();
        } catch (final NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
