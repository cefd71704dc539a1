package io.gatun.conformance;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** What {@link Hostile} does over ARP and IPv4. */
final class Hostile4 {
    private static final int MF = 0x2000;
    private static final int DHCP_COOKIE = 0x63825363;
    private static final int BOOTP = 240;

    private final Hostile h;
    private byte[] whole; // what comes in pieces
    private int unit;
    private int id;
    private int next;
    private int src;
    private int dst;

    Hostile4(final Hostile h) {
        this.h = h;
    }

    byte[] frame() {
        return switch (h.r.nextInt(12)) {
            case 0 -> arp();
            case 1, 10 -> answer();
            case 2, 3, 11 -> fragment();
            case 4 -> error();
            case 5 -> group();
            case 6 -> dhcp();
            case 7 -> echo();
            case 8 -> any();
            default -> datagram();
        };
    }

    private byte[] arp() {
        final ByteBuffer b = ByteBuffer.allocate(28);
        b.putShort((short) h.edge(1)).putShort((short) h.edge(0x800)).putShort((short) h.edge(0x604));
        b.putShort((short) h.edge(1, 2));
        final long mac = h.someMac();
        b.putShort((short) (mac >>> 32)).putInt((int) mac).putInt(h.addr4());
        final long other = h.r.nextBoolean() ? h.mac() : 0;
        b.putShort((short) (other >>> 32)).putInt((int) other).putInt(h.addr4());
        final byte[] all = b.array();
        return Packets.ether(h.r.nextBoolean() ? h.mac() : Packets.ALL, mac == 0 ? 2 : mac, Packets.TYPE_ARP,
            h.r.nextInt(16) == 0 ? Arrays.copyOf(all, h.r.nextInt(28)) : all);
    }

    /** Answers what a host has asked, if it has. */
    private byte[] answer() {
        final byte[] f = h.said(Packets.TYPE_ARP);
        if (f == null || f.length < Packets.ETHER + 28) {
            return arp();
        }
        final byte[] q = Arrays.copyOfRange(f, Packets.ETHER, f.length);
        final ByteBuffer b = ByteBuffer.wrap(q);
        final int wanted = b.getInt(24);
        final long mac = h.someMac();
        b.putShort(6, (short) 2).putInt(24, b.getInt(14)).putInt(14, wanted);
        b.putShort(8, (short) (mac >>> 32)).putInt(10, (int) mac);
        return Packets.ether(h.mac(), mac, Packets.TYPE_ARP, q);
    }

    private long linkTo(final int to) {
        return to == -1 || h.isWild() && h.r.nextInt(6) == 0 ? Packets.ALL
            : to >>> 28 == 14 ? 0x0100_5e00_0000L | to & 0x7f_ffff : h.mac();
    }

    private byte[] send(final int from, final int to, final int proto, final int idOff, final byte[] data) {
        byte[] p = Packets.ip4(from, to, proto, idOff, h.isWild() ? h.edge(64, 64, 1, 2, 255, 0) : 64, data);
        if (h.isWild() && h.r.nextInt(4) == 0) {
            final byte[] o = h.octets(4 * (1 + h.r.nextInt(10)));
            o[0] = (byte) h.edge(0, 1, 7, 68, 131, 137, 148);
            o[1] = (byte) h.edge(o.length, 4, 3, 0);
            o[2] = (byte) h.edge(4, 0, 8);
            p = Packets.options4(p, o);
        }
        return Packets.ether(linkTo(to), 0x0200_0000_0100L + h.r.nextInt(8), Packets.TYPE_IP, p);
    }

    /** One piece of a datagram of which many are under way, now and then one that contradicts the others. */
    private byte[] fragment() {
        if (whole == null || h.r.nextInt(8) == 0) {
            final byte[] data = h.octets(h.one(20, 24, 40, 100, 2000));
            src = h.src4();
            dst = h.dst4();
            whole = Packets.summed4(src, dst, Packets.UDP,
                Packets.udp(h.port(), h.port(), 8 + data.length, data));
            unit = 8 * h.one(1, 1, 2, 3, 100);
            id = h.r.nextInt(4);
            next = 0;
        }
        final int at = h.r.nextInt(4) == 0 ? unit * h.r.nextInt((whole.length + unit - 1) / unit) : next;
        int end = Math.min(whole.length, at + Math.min(unit, 1400));
        next = end >= whole.length ? 0 : end;
        int off = at / 8;
        int flags = end < whole.length ? MF : 0;
        if (h.isWild() && h.r.nextInt(3) == 0) {
            off = h.one(0, 1, 2, off + 1, 185, 8190, 8191);
            flags = h.r.nextInt(4) << 13;
            end = Math.min(end, at + h.one(1, 7, 8, 16));
        }
        return send(src, dst, Packets.UDP, id << 16 | flags | off, Arrays.copyOfRange(whole, at, end));
    }

    /** About something the host has sent, or seems to have. */
    private byte[] error() {
        final byte[] about = h.r.nextBoolean() ? null : h.packet(Packets.TYPE_IP);
        final byte[] quoted = about == null ? Packets.ip4(h.dst4(), 0xc0000209 + h.r.nextInt(6), Packets.UDP, 0, 64,
            Packets.udp(h.port(), h.port(), 20, h.octets(12))) : about;
        final int n = Math.min(quoted.length, h.length(1024, 28, 28, 20, 27, 68, 576));
        final int type = h.edge(3, 3, 3, 5, 5, 11, 12, 4, 9, 13, 17);
        final int word = switch (type) {
            case 3 -> h.edge(0, 67, 68, 576, 1280, 1499, 1500, 0xffff);
            case 5 -> h.r.nextBoolean() ? 0x0a000102 : h.addr4();
            default -> h.edge(0, 20 << 24);
        };
        final byte[] m = ByteBuffer.allocate(8 + n).put((byte) type).put((byte) h.edge(0, 1, 2, 3, 4, 4, 13))
            .putShort((short) 0).putInt(word).put(quoted, 0, n).array();
        final int to = about == null ? h.dst4() : ByteBuffer.wrap(about).getInt(12);
        final int from = h.r.nextBoolean() ? 0x0a0001fe : h.src4();
        return send(from, to, Packets.ICMP, 0, Packets.summed4(from, to, Packets.ICMP, m));
    }

    private byte[] echo() {
        final int from = h.src4();
        final int to = h.dst4();
        final byte[] m = h.octets(8 + h.length(1400, 0, 8, 56, 1392));
        m[0] = (byte) h.edge(8, 8, 13, 0, 17);
        m[1] = 0;
        return send(from, to, Packets.ICMP, h.r.nextInt(4) << 16, Packets.summed4(from, to, Packets.ICMP, m));
    }

    /** IGMP, of all versions. */
    private byte[] group() {
        final int type = h.edge(0x11, 0x11, 0x11, 0x12, 0x16, 0x17, 0x22);
        final int sources = h.length(64, 0, 0, 1, 3);
        final int n = type == 0x11 && h.r.nextBoolean() ? 12 + 4 * sources : 8;
        final ByteBuffer b = ByteBuffer.allocate(n).put((byte) type).put((byte) h.edge(0, 1, 10, 100, 127, 128, 255))
            .putShort((short) 0);
        final int group = h.r.nextInt(3) == 0 ? 0 : h.r.nextBoolean() ? 0xef070707 + h.r.nextInt(2) : h.addr4();
        b.putInt(group);
        if (n > 8) {
            b.put((byte) h.edge(2, 0, 7)).put((byte) h.edge(125, 0, 255)).putShort((short) h.edge(sources, 0, 999));
            while (b.hasRemaining()) {
                b.putInt(h.addr4());
            }
        }
        final int to = group != 0 && h.r.nextBoolean() ? group : h.edge(0xe0000001, 0xe0000001, 0xe0000002);
        final byte[] data = Packets.summed4(0, to, Packets.IGMP, b.array());
        final byte[] p = Packets.ip4(h.r.nextInt(4) == 0 ? h.addr4() : 0x0a0001fe, to, Packets.IGMP, 0,
            h.r.nextInt(8) == 0 ? 64 : 1, data);
        final byte[] alert = {(byte) 148, 4, 0, 0};
        return Packets.ether(linkTo(to), 0x0200_0000_0100L, Packets.TYPE_IP,
            h.r.nextInt(6) == 0 ? p : Packets.options4(p, alert));
    }

    private byte[] datagram() {
        final int from = h.src4();
        final int to = h.dst4();
        final byte[] data = h.octets(h.length(1400, 0, 1, 12, 900));
        final byte[] m = Packets.udp(h.port(), h.port(), h.edge(data.length + 8, data.length + 8, data.length + 8, 7, 0,
            data.length + 9), data);
        return send(from, to, Packets.UDP, h.edge(0, 0x4000),
            h.r.nextInt(3) == 0 ? m : Packets.summed4(from, to, Packets.UDP, m));
    }

    private byte[] any() {
        return send(h.addr4(), h.addr4(), h.edge(0, 1, 2, 4, 6, 17, 41, 50, 253, 255), h.edge(0, 0x4000, 0x8000, MF),
            h.octets(h.length(1400, 0, 1, 8, 20, 40)));
    }

    /** What a DHCP server says to what the host has asked last. */
    byte[] dhcp() {
        final byte[] asked = h.packet(Hostile.DHCP);
        final int at = Packets.IP4 + 8;
        final byte[] m = asked != null ? Arrays.copyOfRange(asked, at, at + BOOTP) : h.octets(BOOTP);
        final ByteBuffer b = ByteBuffer.wrap(m).put(0, (byte) 2).put(1, (byte) 1).put(2, (byte) 6);
        b.putInt(16, h.one(0x0a000142, 0x0a000142, 0x0a000143, h.addr4())).putInt(236, DHCP_COOKIE);
        final ByteBuffer o = ByteBuffer.allocate(64);
        o.put((byte) 53).put((byte) 1).put((byte) h.edge(2, 2, 5, 5, 5, 6));
        o.put((byte) 54).put((byte) 4).putInt(0x0a0001fe);
        if (h.r.nextInt(4) != 0) {
            o.put((byte) 1).put((byte) 4).putInt(h.edge(0xffffff00, 0xffffff00, 0, -1, 0xff00ff00, -2));
        }
        o.put((byte) 51).put((byte) 4).putInt(h.edge(0, 1, 60, 600, -1, Integer.MAX_VALUE));
        o.put((byte) 58).put((byte) 4).putInt(h.edge(0, 1, 30, -1));
        o.put((byte) 59).put((byte) 4).putInt(h.edge(0, 1, 50, -1));
        o.put((byte) 3).put((byte) h.edge(4, 4, 3, 0)).putInt(h.addr4());
        o.put((byte) h.edge(121, 33, 6, 255)).put((byte) 8).put((byte) h.edge(24, 0, 32, 33)).put(h.octets(7));
        o.put((byte) 255);
        final byte[] all = Packets.join(m, Arrays.copyOf(o.array(), h.r.nextInt(10) == 0 ? h.r.nextInt(64) : 64));
        final int to = h.r.nextInt(3) != 0 ? -1 : h.dst4();
        return send(0x0a0001fe, to, Packets.UDP, 0, Packets.udp(67, 68, 8 + all.length, all));
    }
}
