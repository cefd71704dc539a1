package io.gatun.conformance;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What {@link Hostile} does over IPv6. */
final class Hostile6 {
    private static final int HOPOPTS = 0;
    private static final int ROUTING = 43;
    private static final int DSTOPTS = 60;
    private static final long LINK = 0xfe80L << 48;
    private static final byte[] ALERT = {Packets.ICMP6, 0, 5, 2, 0, 0, 1, 0};
    private static final int[] SECONDS = {0, 1, 2, 60, 1800, 7200, 7201, -1, -2, Integer.MAX_VALUE};

    private final Hostile h;
    private byte[] whole; // what comes in pieces
    private int inner;
    private int unit;
    private int id;
    private int next;
    private long[] from;
    private long[] to;

    Hostile6(final Hostile h) {
        this.h = h;
    }

    byte[] frame() {
        return switch (h.r.nextInt(14)) {
            case 0 -> advertised();
            case 1, 12 -> answer();
            case 13 -> fragment();
            case 2 -> solicited();
            case 3, 4, 5 -> router();
            case 6 -> redirect();
            case 7, 8 -> fragment();
            case 9 -> error();
            case 10 -> group();
            default -> datagram();
        };
    }

    private long linkTo(final long[] dst) {
        return h.isWild() && h.r.nextInt(6) == 0 ? Packets.ALL
            : dst[0] >>> 56 == 0xff ? 0x3333_0000_0000L | dst[1] & 0xffff_ffffL : h.mac();
    }

    private byte[] emit(final long[] dst, final byte[] packet) {
        return Packets.ether(linkTo(dst), 0x0200_0000_0100L + h.r.nextInt(8), Packets.TYPE_IP6, packet);
    }

    private long[] neighbor() {
        return h.isWild() && h.r.nextInt(3) == 0 ? h.addr6() : new long[] {LINK, 0xbad + h.r.nextInt(3)};
    }

    /** A message of neighbour discovery, with options. */
    private byte[] discovery(final long[] src, final long[] dst, final byte[] message) {
        final byte[] m = Packets.summed6(src, dst, Packets.ICMP6, message);
        return emit(dst, Packets.ip6(src, dst, Packets.ICMP6, h.isWild() && h.r.nextInt(6) == 0 ? 64 : 255, m));
    }

    private byte[] linkOption(final int type) {
        final long mac = h.someMac();
        return h.r.nextInt(5) == 0 ? new byte[0]
            : ByteBuffer.allocate(8).put((byte) h.edge(type)).put((byte) h.edge(1))
                .putShort((short) (mac >>> 32)).putInt((int) mac).array();
    }

    private byte[] head(final int type, final int octets, final long[] target) {
        final ByteBuffer b = ByteBuffer.allocate(octets).put(0, (byte) type);
        if (octets >= 24) {
            b.putLong(8, target[0]).putLong(16, target[1]);
        }
        return b.array();
    }

    private byte[] advertised() {
        final int octets = h.isWild() && h.r.nextInt(6) == 0 ? 20 : 24;
        final byte[] m = head(136, octets, h.r.nextBoolean() ? h.addr6() : neighbor());
        m[4] = (byte) (h.r.nextInt(8) << 5);
        return discovery(neighbor(), h.dst6(), Packets.join(m, linkOption(2)));
    }

    /** Answers what a host has asked, if it has. */
    private byte[] answer() {
        final byte[] q = h.packet(Hostile.SOLICIT);
        if (q == null || q.length < Packets.IP6 + 24) {
            return advertised();
        }
        final ByteBuffer b = ByteBuffer.wrap(q);
        final long[] wanted = {b.getLong(Packets.IP6 + 8), b.getLong(Packets.IP6 + 16)};
        final long[] asker = {b.getLong(8), b.getLong(16)};
        final byte[] m = head(136, 24, wanted);
        m[4] = (byte) (h.one(0, 1, 2, 3, 3, 7) << 5);
        return discovery(wanted, asker[0] == 0 ? new long[] {0xff02L << 48, 1} : asker,
            Packets.join(m, linkOption(2)));
    }

    private byte[] solicited() {
        final byte[] m = head(135, 24, h.addr6());
        final long[] src = h.r.nextInt(3) == 0 ? new long[2] : neighbor();
        final long[] dst = h.r.nextBoolean() ? h.dst6()
            : new long[] {0xff02L << 48, 0x1_ff00_0000L | ByteBuffer.wrap(m).getLong(16) & 0xff_ffff};
        return discovery(src, dst, Packets.join(m, linkOption(1)));
    }

    private byte[] router() {
        final ByteBuffer b = ByteBuffer.allocate(16).put((byte) 134).put((byte) 0).putShort((short) 0);
        b.put((byte) h.edge(64, 0, 255)).put((byte) h.r.nextInt(256)).putShort((short) h.edge(0, 1, 2, 1800, 9000, -1));
        b.putInt(h.edge(0, 1, 100, 30_000, 3_600_000, 3_600_001, -1)).putInt(h.edge(0, 1, 100, 1000, -1));
        byte[] all = Packets.join(b.array(), linkOption(1));
        for (int i = h.r.nextInt(4); i > 0; i--) {
            all = Packets.join(all, option());
        }
        return discovery(neighbor(), h.r.nextInt(3) == 0 ? h.dst6() : new long[] {0xff02L << 48, 1}, all);
    }

    private byte[] option() {
        return switch (h.r.nextInt(6)) {
            case 0 -> ByteBuffer.allocate(8).put((byte) 5).put((byte) 1).putShort((short) 0)
                .putInt(h.edge(1279, 1280, 1400, 1500, 1501, 0, -1)).array();
            case 1 -> ByteBuffer.allocate(24).put((byte) 24).put((byte) h.edge(3, 3, 2, 1, 0))
                .put((byte) h.edge(64, 0, 0, 128, 129)).put((byte) (h.r.nextInt(4) << 3)).putInt(h.edge(SECONDS))
                .putLong(h.r.nextBoolean() ? 0 : 0x2001_0db8_0009L << 16).putLong(0).array();
            case 2 -> {
                final long[] server = h.addr6();
                yield ByteBuffer.allocate(24).put((byte) 25).put((byte) 3).putShort((short) 0).putInt(h.edge(SECONDS))
                    .putLong(server[0]).putLong(server[1]).array();
            }
            case 3 -> ByteBuffer.allocate(24).put((byte) 31).put((byte) 3).putShort((short) 0).putInt(h.edge(SECONDS))
                .put((byte) h.edge(3, 3, 63, 64)).put("abc\003net\000".getBytes(StandardCharsets.US_ASCII)).array();
            default -> prefix();
        };
    }

    private byte[] prefix() {
        final long hi = h.one(0, 1, 2, 3) < 3 ? 0x2001_0db8_0000L + h.one(1, 9, 10, 11, 12) << 16 : h.addr6()[0];
        final int valid = h.edge(SECONDS);
        return ByteBuffer.allocate(32).put((byte) 3).put((byte) h.edge(4, 4, 4, 4, 3))
            .put((byte) h.edge(64, 64, 64, 64, 128, 0, 129)).put((byte) h.edge(0xc0, 0xc0, 0x80, 0x40, 0))
            .putInt(valid).putInt(h.r.nextBoolean() ? valid : h.edge(SECONDS)).putInt(0).putLong(hi)
            .putLong(h.r.nextInt(3)).array();
    }

    private byte[] redirect() {
        final ByteBuffer b = ByteBuffer.allocate(40).put(0, (byte) 137);
        final long[] to = h.r.nextBoolean() ? neighbor() : h.addr6();
        final long[] dst = h.r.nextBoolean() ? new long[] {0x2001_0db8_0009_0000L, 9} : h.addr6();
        b.putLong(8, to[0]).putLong(16, to[1]).putLong(24, dst[0]).putLong(32, dst[1]);
        return discovery(neighbor(), h.dst6(), Packets.join(b.array(), linkOption(2)));
    }

    /** One piece of a packet of which many are under way, now and then one that contradicts the others. */
    private byte[] fragment() {
        if (whole == null || h.r.nextInt(8) == 0) {
            final byte[] data = h.octets(h.one(20, 24, 40, 100, 2000));
            from = h.src6();
            to = h.dst6();
            whole = Packets.summed6(from, to, Packets.UDP, Packets.udp(h.port(), h.port(), 8 + data.length, data));
            inner = Packets.UDP;
            if (h.r.nextInt(4) == 0) {
                whole = Packets.join(new byte[] {Packets.UDP, 0, 1, 4, 0, 0, 0, 0}, whole);
                inner = DSTOPTS;
            }
            unit = 8 * h.one(1, 2, 2, 3, 100);
            id = h.r.nextInt(4);
            next = 0;
        }
        final int at = h.r.nextInt(4) == 0 ? unit * h.r.nextInt((whole.length + unit - 1) / unit) : next;
        int end = Math.min(whole.length, at + Math.min(unit, 1200));
        next = end >= whole.length ? 0 : end;
        int off = at;
        int more = end < whole.length ? 1 : 0;
        int nxt = inner;
        if (h.isWild() && h.r.nextInt(3) == 0) {
            off = 8 * h.one(0, 1, 2, 180, 8190, 8191);
            more = h.r.nextInt(2);
            end = Math.min(end, at + h.one(1, 7, 8, 16));
            nxt = h.one(Packets.UDP, Packets.ICMP6, DSTOPTS, Packets.FRAGMENT, ROUTING, 253, 59);
        }
        final byte[] head = ByteBuffer.allocate(8).put((byte) nxt).put((byte) 0).putShort((short) (off | more))
            .putInt(id).array();
        return extended(from, to, Packets.FRAGMENT, Packets.join(head, Arrays.copyOfRange(whole, at, end)));
    }

    private byte[] extended(final long[] src, final long[] dst, final int nxt, final byte[] data) {
        byte[] out = data;
        int first = nxt;
        for (int i = h.isWild() ? h.r.nextInt(4) : 0; i > 0; i--) {
            final byte[] x = h.octets(8 * (1 + h.r.nextInt(2)));
            x[0] = (byte) first;
            x[1] = (byte) h.edge(x.length / 8 - 1, x.length / 8 - 1, 0, 255);
            x[2] = (byte) h.edge(0, 1, 1, 5, 0x40, 0x80, 0xc0);
            x[3] = (byte) h.edge(x.length - 4, 0);
            out = Packets.join(x, out);
            first = h.one(HOPOPTS, DSTOPTS, ROUTING, DSTOPTS);
        }
        return emit(dst, Packets.ip6(src, dst, first, h.isWild() ? h.edge(64, 64, 1, 0, 255) : 64, out));
    }

    /** About something the host has sent, or seems to have. */
    private byte[] error() {
        final byte[] about = h.packet(Packets.TYPE_IP6);
        final byte[] quoted = about == null ? Packets.ip6(h.addr6(), h.addr6(), Packets.UDP, 64,
            Packets.udp(h.port(), h.port(), 20, h.octets(12))) : about;
        final int n = Math.min(quoted.length, h.length(2048, 48, 48, 47, 40, 1200));
        final int type = h.edge(1, 2, 2, 3, 4, 100, 127);
        final int word = type == 2 ? h.edge(0, 1279, 1280, 1400, 1500, -1) : h.edge(0, 40, 6);
        final byte[] m = ByteBuffer.allocate(8 + n).put((byte) type).put((byte) h.edge(0, 1, 2, 3, 4))
            .putShort((short) 0).putInt(word).put(quoted, 0, n).array();
        final long[] dst = about == null ? h.dst6()
            : new long[] {ByteBuffer.wrap(about).getLong(8), ByteBuffer.wrap(about).getLong(16)};
        final long[] src = h.src6();
        return extended(src, dst, Packets.ICMP6, Packets.summed6(src, dst, Packets.ICMP6, m));
    }

    /** MLD, of both versions. */
    private byte[] group() {
        final int type = h.edge(130, 130, 130, 131, 132, 143);
        final int sources = h.length(32, 0, 0, 1, 3);
        final int n = h.r.nextBoolean() ? 24 : 28 + 16 * sources;
        final ByteBuffer b = ByteBuffer.allocate(n).put((byte) type).put((byte) 0).putShort((short) 0);
        b.putShort((short) h.edge(0, 1, 1000, 10_000, 0x7fff, -1)).putShort((short) 0);
        final long[] group = h.r.nextInt(3) == 0 ? new long[2]
            : h.r.nextBoolean() ? new long[] {0xff15L << 48, 0x77} : h.addr6();
        b.putLong(group[0]).putLong(group[1]);
        if (n > 24) {
            b.put((byte) h.edge(2, 0, 7)).put((byte) h.edge(125, 0, 255)).putShort((short) h.edge(sources, 0, 999));
            while (b.hasRemaining()) {
                b.putLong(0x2001_0db8_0001_0000L).putLong(h.r.nextInt(5));
            }
        }
        final long[] src = neighbor();
        final long[] dst = group[0] != 0 && h.r.nextBoolean() ? group : new long[] {0xff02L << 48, 1};
        final byte[] m = Packets.summed6(src, dst, Packets.ICMP6, b.array());
        return emit(dst, h.r.nextInt(8) == 0 ? Packets.ip6(src, dst, Packets.ICMP6, 1, m)
            : Packets.ip6(src, dst, HOPOPTS, h.r.nextInt(10) == 0 ? 64 : 1, Packets.join(ALERT, m)));
    }

    private byte[] datagram() {
        final long[] src = h.src6();
        final long[] dst = h.dst6();
        final int proto = h.one(Packets.UDP, Packets.UDP, Packets.UDP, Packets.ICMP6, 253, 59, 50);
        byte[] m = h.octets(h.length(1300, 0, 8, 12, 900));
        if (proto == Packets.UDP) {
            m = Packets.udp(h.port(), h.port(), h.edge(m.length + 8, m.length + 8, m.length + 8, 7, 0), m);
        } else if (proto == Packets.ICMP6 && m.length >= 8) {
            m[0] = (byte) h.edge(128, 128, 129, 133, 139, 200);
        }
        return extended(src, dst, proto, h.r.nextInt(8) == 0 ? m : Packets.summed6(src, dst, proto, m));
    }
}
