package io.gatun.netinet;

import io.gatun.netinet.ether.EtherHeader;
import io.gatun.spi.socket.SockAddr;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** ICMPv6 messages as octets, made and taken apart without the stack's own code. */
public final class Packets6 {
    public static final int RS = 133;
    public static final int RA = 134;
    public static final int NS = 135;
    public static final int NA = 136;
    public static final int REDIRECT = 137;
    /** Where the ICMPv6 message begins in a frame. */
    public static final int ICMP = 14 + 40;
    /** Where its options begin, in a solicitation or advertisement of a neighbour. */
    public static final int NBR_OPTIONS = ICMP + 24;

    private Packets6() {
    }

    /** Sixteen octets of an address. */
    public static byte[] addr(final String text) {
        final SockAddr a = SockAddr.of(text, 0);
        return ByteBuffer.allocate(16).putLong(a.hi()).putLong(a.lo()).array();
    }

    /** An address in a frame, as text. */
    public static String addr(final byte[] b, final int off) {
        final ByteBuffer in = ByteBuffer.wrap(b, off, 16);
        return SockAddr.in6(in.getLong(), in.getLong(), 0).host();
    }

    /** Joins octets. */
    public static byte[] join(final byte[]... parts) {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (final byte[] p : parts) {
            out.writeBytes(p);
        }
        return out.toByteArray();
    }

    /** Octets given as numbers. */
    public static byte[] octets(final int... values) {
        final byte[] b = new byte[values.length];
        for (int i = 0; i < b.length; i++) {
            b[i] = (byte) values[i];
        }
        return b;
    }

    /** Four octets. */
    public static byte[] word(final long v) {
        return ByteBuffer.allocate(4).putInt((int) v).array();
    }

    /** An option with a link address (types 1 and 2) or a nonce (type 14). */
    public static byte[] six(final int type, final long value) {
        return ByteBuffer.allocate(8).putLong((long) type << 56 | 1L << 48 | value).array();
    }

    /** The body of a solicitation or advertisement of a neighbour. */
    public static byte[] nbr(final int flags, final String target, final byte[]... options) {
        return join(word((long) flags << 24), addr(target), join(options));
    }

    /** A frame with an ICMPv6 message of code 0; the body is what follows the checksum. */
    public static byte[] frame(
        final long dstMac, final long srcMac, final String src, final String dst, final int type, final byte[] body) {
        return frame(dstMac, srcMac, src, dst, new int[] {255, type, 0}, body);
    }

    /** @param how hop limit, type, code */
    public static byte[] frame(
        final long dstMac, final long srcMac, final String src, final String dst, final int[] how,
        final byte[] body) {
        final int len = 4 + body.length;
        final byte[] p = new byte[40 + len];
        Packets.put(p, 0, 0x60000000L, 4);
        Packets.put(p, 4, len, 2);
        Packets.put(p, 6, 58, 1);
        Packets.put(p, 7, how[0], 1);
        System.arraycopy(addr(src), 0, p, 8, 16);
        System.arraycopy(addr(dst), 0, p, 24, 16);
        Packets.put(p, 40, how[1], 1);
        Packets.put(p, 41, how[2], 1);
        System.arraycopy(body, 0, p, 44, body.length);
        Packets.put(p, 42, cksum(p), 2);
        return Packets.ether(dstMac, srcMac, EtherHeader.ETHERTYPE_IPV6, p);
    }

    /** The checksum of an ICMPv6 packet whose field for it is zero. */
    public static int cksum(final byte[] p) {
        final int len = p.length - 40;
        final byte[] pseudo = new byte[40 + len];
        System.arraycopy(p, 8, pseudo, 0, 32);
        Packets.put(pseudo, 32, len, 4);
        Packets.put(pseudo, 36, 58, 4);
        System.arraycopy(p, 40, pseudo, 40, len);
        return Packets.cksum(pseudo, 0, pseudo.length);
    }

    /** Whether a frame's ICMPv6 checksum is right. */
    public static boolean sound(final byte[] frame) {
        return cksum(Packets.tail(frame, 14)) == 0;
    }

    /** The ICMPv6 type of a frame; 0 for one of another kind. */
    public static int type(final byte[] frame) {
        final boolean six = frame.length > ICMP && Packets.u16(frame, 12) == EtherHeader.ETHERTYPE_IPV6;
        return six && frame[20] == 58 ? Packets.u8(frame, ICMP) : 0;
    }
}
