package io.gatun.conformance;

import java.nio.ByteBuffer;

/** Puts frames together, octet by octet, for tests that speak as a neighbour. Addresses of IPv6 are two longs. */
final class Packets {
    static final int ETHER = 14;
    static final int IP4 = 20;
    static final int IP6 = 40;
    static final int ICMP = 1;
    static final int IGMP = 2;
    static final int TCP = 6;
    static final int UDP = 17;
    static final int FRAGMENT = 44;
    static final int ICMP6 = 58;
    static final int TYPE_IP = 0x800;
    static final int TYPE_ARP = 0x806;
    static final int TYPE_VLAN = 0x8100;
    static final int TYPE_IP6 = 0x86dd;
    static final long ALL = 0xffff_ffff_ffffL;

    private static final int[] SUM_AT = new int[256];

    static {
        SUM_AT[ICMP] = 2;
        SUM_AT[IGMP] = 2;
        SUM_AT[TCP] = 16;
        SUM_AT[UDP] = 6;
        SUM_AT[ICMP6] = 2;
    }

    private Packets() {
    }

    static byte[] join(final byte[]... parts) {
        int n = 0;
        for (final byte[] p : parts) {
            n += p.length;
        }
        final ByteBuffer b = ByteBuffer.allocate(n);
        for (final byte[] p : parts) {
            b.put(p);
        }
        return b.array();
    }

    static byte[] ether(final long dst, final long src, final int type, final byte[] payload) {
        final ByteBuffer b = ByteBuffer.allocate(ETHER + payload.length);
        b.putShort((short) (dst >>> Integer.SIZE)).putInt((int) dst);
        b.putShort((short) (src >>> Integer.SIZE)).putInt((int) src);
        return b.putShort((short) type).put(payload).array();
    }

    /** An IPv4 packet without options; {@code idOff} is identification, flags and offset. */
    static byte[] ip4(
        final int src, final int dst, final int proto, final int idOff, final int ttl, final byte[] data) {
        final ByteBuffer b = ByteBuffer.allocate(IP4 + data.length);
        b.putShort((short) 0x4500).putShort((short) (IP4 + data.length)).putInt(idOff);
        b.put((byte) ttl).put((byte) proto).putShort((short) 0).putInt(src).putInt(dst).put(data);
        return b.putShort(10, (short) ~sum(b.array(), 0, IP4, 0)).array();
    }

    /** The same with options, a multiple of four octets. */
    static byte[] options4(final byte[] packet, final byte[] options) {
        final byte[] head = java.util.Arrays.copyOf(packet, IP4);
        final byte[] out = join(head, options, java.util.Arrays.copyOfRange(packet, IP4, packet.length));
        final ByteBuffer b = ByteBuffer.wrap(out);
        b.put(0, (byte) (0x45 + options.length / 4)).putShort(2, (short) out.length).putShort(10, (short) 0);
        return b.putShort(10, (short) ~sum(out, 0, IP4 + options.length, 0)).array();
    }

    static byte[] ip6(final long[] src, final long[] dst, final int nxt, final int hlim, final byte[] data) {
        final ByteBuffer b = ByteBuffer.allocate(IP6 + data.length);
        b.putInt(0x6000_0000).putShort((short) data.length).put((byte) nxt).put((byte) hlim);
        return b.putLong(src[0]).putLong(src[1]).putLong(dst[0]).putLong(dst[1]).put(data).array();
    }

    /** Fills in the checksum of a transport's data over IPv4, where it has one. */
    static byte[] summed4(final int src, final int dst, final int proto, final byte[] data) {
        final int pseudo = proto == ICMP || proto == IGMP ? 0
            : sum(ByteBuffer.allocate(8).putInt(src).putInt(dst).array(), 0, 8, proto + data.length);
        return summed(proto, data, pseudo);
    }

    /** The same over IPv6. */
    static byte[] summed6(final long[] src, final long[] dst, final int proto, final byte[] data) {
        final byte[] both = ByteBuffer.allocate(32).putLong(src[0]).putLong(src[1]).putLong(dst[0]).putLong(dst[1])
            .array();
        return summed(proto, data, sum(both, 0, both.length, proto + data.length));
    }

    private static byte[] summed(final int proto, final byte[] data, final int pseudo) {
        final int at = SUM_AT[proto & 0xff];
        if (at != 0 && data.length >= at + 2) {
            final ByteBuffer b = ByteBuffer.wrap(data).putShort(at, (short) 0);
            b.putShort(at, (short) ~sum(data, 0, data.length, pseudo));
        }
        return data;
    }

    static byte[] udp(final int sport, final int dport, final int length, final byte[] data) {
        return ByteBuffer.allocate(8 + data.length).putShort((short) sport).putShort((short) dport)
            .putShort((short) length).putShort((short) 0).put(data).array();
    }

    static int sum(final byte[] f, final int from, final int n, final int initial) {
        int s = initial;
        for (int i = 0; i < n; i++) {
            s += (f[from + i] & 0xff) << (i % 2 == 0 ? Byte.SIZE : 0);
        }
        s = (s >>> Short.SIZE) + (s & 0xffff);
        return (s >>> Short.SIZE) + s & 0xffff;
    }
}
