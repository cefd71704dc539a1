package io.gatun.conformance;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Spoils Ethernet frames. */
final class Spoiler {
    private static final int ETHER = 14;
    private static final int TYPE = 12;
    private static final int IP_MIN = 20;
    private static final int IP_LEN = ETHER + 2;
    private static final int IP_OFF = ETHER + 6;
    private static final int IP_PROTO = ETHER + 9;
    private static final int IP_SUM = ETHER + 10;
    private static final int IP_SRC = ETHER + 12;
    private static final int ADDRS = 8;
    private static final int ETHERTYPE_IP = 0x800;
    private static final int ETHERTYPE_IPV6 = 0x86dd;
    private static final int IPV6_LEN = ETHER + 4;
    private static final int IPV6_NEXT = ETHER + 6;
    private static final int IPV6_SRC = ETHER + 8;
    private static final int IPV6_MIN = 40;
    private static final int ADDRS6 = 32;
    private static final int ICMPV6 = 58;
    private static final int ICMP = 1;
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int MAX_FRAME = 1514;
    private static final int[] TCP_OPTIONS = {0, 1, 2, 3, 4, 5, 8, 19, 34, 172, 174, 254};
    private static final int[] SUM_AT = new int[256];

    static {
        SUM_AT[ICMP] = 2;
        SUM_AT[ICMPV6] = 2;
        SUM_AT[TCP] = 16;
        SUM_AT[UDP] = 6;
    }

    private final SplittableRandom r;

    Spoiler(final SplittableRandom r) {
        this.r = r;
    }

    /** In a way that its checksum, or its length, gives away. */
    byte[] unsummed(final byte[] f) {
        return switch (r.nextInt(3)) {
            case 0 -> flip(f, ETHER, f.length, 1);
            case 1 -> Arrays.copyOf(f, r.nextInt(f.length));
            default -> f; // an old duplicate
        };
    }

    /** In any way. */
    byte[] any(final byte[] f) {
        if (type(f) == ETHERTYPE_IPV6 && f.length >= ETHER + IPV6_MIN && r.nextInt(4) != 0) {
            return any6(f);
        }
        return switch (r.nextInt(11)) {
            case 0 -> noise(f);
            case 1 -> flip(f, 0, f.length, 1 + r.nextInt(8));
            case 2 -> Arrays.copyOf(f, r.nextInt(f.length));
            case 3 -> Arrays.copyOf(f, Math.min(MAX_FRAME, f.length + r.nextInt(200)));
            case 4 -> sumIp(flip(f, ETHER, Math.min(f.length, ETHER + IP_MIN), 1 + r.nextInt(3)));
            case 5 -> sumIp(put16(f, IP_LEN, lie(f.length - ETHER)));
            case 6 -> sumIp(put16(f, IP_OFF, r.nextInt(0x10000)));
            case 7 -> sumIp(sumData(ipOptions(f)));
            case 8 -> sumData(flip(f, ETHER + IP_MIN, Math.min(f.length, ETHER + 2 * IP_MIN), 1 + r.nextInt(3)));
            case 9 -> sumData(tcpOptions(f));
            default -> sumData(put16(f, ETHER + IP_MIN + 4, lie(f.length - ETHER - IP_MIN))); // UDP's length
        };
    }

    /** What is particular to IPv6. */
    private byte[] any6(final byte[] f) {
        return switch (r.nextInt(8)) {
            case 0 -> sumData6(flip(f, ETHER, Math.min(f.length, ETHER + IPV6_MIN), 1 + r.nextInt(3)));
            case 1 -> sumData6(put16(f, IPV6_LEN, lie(f.length - ETHER - IPV6_MIN)));
            case 2 -> sumData6(flip(f, ETHER + IPV6_MIN, Math.min(f.length, ETHER + 2 * IPV6_MIN), 1 + r.nextInt(3)));
            case 3 -> sumData6(next(f, r.nextInt(256)));
            case 4, 5 -> extended(f);
            case 6 -> tcpOptions6(f);
            default -> sumData6(put16(f, ETHER + IPV6_MIN + 4, lie(f.length - ETHER - IPV6_MIN)));
        };
    }

    private static byte[] next(final byte[] f, final int header) {
        f[IPV6_NEXT] = (byte) header;
        return f;
    }

    /** Extension headers between, well formed or not: options, routing, fragment, destination. */
    private byte[] extended(final byte[] f) {
        byte[] out = sumData6(f);
        final int[] kinds = {0, 43, 44, 60, 59, 50, 51};
        for (int i = r.nextInt(4); i >= 0 && out.length + 64 < MAX_FRAME; i--) {
            final byte[] h = options(8 * (1 + r.nextInt(3)), 0, 1, 5, 194, 201, 63, 255);
            h[0] = out[IPV6_NEXT];
            h[1] = (byte) (r.nextInt(4) == 0 ? r.nextInt(256) : h.length / 8 - 1);
            out = next(insert(out, ETHER + IPV6_MIN, h), kinds[r.nextInt(kinds.length)]);
        }
        return put16(out, IPV6_LEN, out.length - ETHER - IPV6_MIN);
    }

    private byte[] tcpOptions6(final byte[] f) {
        final int at = ETHER + IPV6_MIN + IP_MIN;
        if (f[IPV6_NEXT] != TCP || f.length + 20 > MAX_FRAME || f.length < at) {
            return f;
        }
        final int words = r.nextInt(6);
        final byte[] out = insert(f, at, options(4 * words, TCP_OPTIONS));
        out[at - 8] = (byte) (r.nextInt(8) == 0 ? r.nextInt(256) : 5 + words << 4);
        return sumData6(put16(out, IPV6_LEN, out.length - ETHER - IPV6_MIN));
    }

    private byte[] noise(final byte[] f) {
        final byte[] out = new byte[r.nextInt(MAX_FRAME)];
        r.nextBytes(out);
        if (r.nextBoolean()) {
            System.arraycopy(f, 0, out, 0, Math.min(Math.min(f.length, out.length), ETHER + r.nextInt(40)));
        }
        return out;
    }

    private int lie(final int truth) {
        return switch (r.nextInt(4)) {
            case 0 -> r.nextInt(0x10000);
            case 1 -> r.nextInt(40);
            case 2 -> truth + 1 + r.nextInt(8);
            default -> Math.max(0, truth - 1 - r.nextInt(8));
        };
    }

    private byte[] flip(final byte[] f, final int from, final int to, final int bits) {
        for (int i = 0; i < bits && from < to; i++) {
            f[from + r.nextInt(to - from)] ^= (byte) (1 << r.nextInt(Byte.SIZE));
        }
        return f;
    }

    private static byte[] put16(final byte[] f, final int at, final int value) {
        if (at + 2 <= f.length) {
            ByteBuffer.wrap(f).putShort(at, (short) value);
        }
        return f;
    }

    /** Options behind the IP header: known kinds with wrong lengths and pointers, or noise. */
    private byte[] ipOptions(final byte[] f) {
        if (!isIp(f) || f.length + 40 > MAX_FRAME) {
            return f;
        }
        final int words = 1 + r.nextInt(10);
        final byte[] out = insert(f, ETHER + IP_MIN, options(4 * words, 0, 1, 7, 68, 131, 137, 148));
        out[ETHER] = (byte) (0x45 + words);
        return put16(out, IP_LEN, out.length - ETHER);
    }

    private byte[] tcpOptions(final byte[] f) {
        if (!isIp(f) || f[IP_PROTO] != TCP || f.length + 20 > MAX_FRAME || f.length < ETHER + 2 * IP_MIN) {
            return f;
        }
        final int words = r.nextInt(6);
        final byte[] out = insert(f, ETHER + 2 * IP_MIN, options(4 * words, TCP_OPTIONS));
        out[ETHER + IP_MIN + 12] = (byte) (r.nextInt(8) == 0 ? r.nextInt(256) : 5 + words << 4);
        return sumIp(put16(out, IP_LEN, out.length - ETHER));
    }

    private byte[] options(final int octets, final int... kinds) {
        final byte[] out = new byte[octets];
        r.nextBytes(out);
        for (int i = 0; i < octets; i += 1 + r.nextInt(10)) {
            out[i] = (byte) kinds[r.nextInt(kinds.length)];
            if (i + 2 < octets) {
                out[i + 1] = (byte) r.nextInt(14);
                out[i + 2] = (byte) r.nextInt(14);
            }
        }
        return out;
    }

    private static byte[] insert(final byte[] f, final int at, final byte[] what) {
        final byte[] out = Arrays.copyOf(f, f.length + what.length);
        System.arraycopy(what, 0, out, at, what.length);
        System.arraycopy(f, at, out, at + what.length, f.length - at);
        return out;
    }

    private static boolean isIp(final byte[] f) {
        return f.length >= ETHER + IP_MIN && type(f) == ETHERTYPE_IP;
    }

    private static int type(final byte[] f) {
        return f.length < ETHER ? 0 : ByteBuffer.wrap(f).getShort(TYPE) & 0xffff;
    }

    private static int hlen(final byte[] f) {
        return (f[ETHER] & 0xf) * 4;
    }

    /** Makes the IP header's checksum right. */
    private static byte[] sumIp(final byte[] f) {
        if (isIp(f) && hlen(f) >= IP_MIN && ETHER + hlen(f) <= f.length) {
            put16(f, IP_SUM, 0);
            put16(f, IP_SUM, ~sum(f, ETHER, hlen(f), 0));
        }
        return f;
    }

    /** Makes the checksum of ICMP, TCP or UDP right. */
    private static byte[] sumData(final byte[] f) {
        if (!isIp(f) || hlen(f) < IP_MIN) {
            return f;
        }
        final int proto = f[IP_PROTO] & 0xff;
        final int at = ETHER + hlen(f);
        final int len = Math.min(ByteBuffer.wrap(f).getShort(IP_LEN) & 0xffff, f.length - ETHER) - hlen(f);
        if (SUM_AT[proto] == 0 || len < SUM_AT[proto] + 2) {
            return f;
        }
        put16(f, at + SUM_AT[proto], 0);
        final int pseudo = proto == ICMP ? 0 : sum(f, IP_SRC, ADDRS, proto + len);
        return put16(f, at + SUM_AT[proto], ~sum(f, at, len, pseudo));
    }

    /** The same behind an IPv6 header. */
    private static byte[] sumData6(final byte[] f) {
        final int proto = f[IPV6_NEXT] & 0xff;
        final int at = ETHER + IPV6_MIN;
        final int len = Math.min(ByteBuffer.wrap(f).getShort(IPV6_LEN) & 0xffff, f.length - at);
        if (SUM_AT[proto] == 0 || len < SUM_AT[proto] + 2) {
            return f;
        }
        put16(f, at + SUM_AT[proto], 0);
        return put16(f, at + SUM_AT[proto], ~sum(f, at, len, sum(f, IPV6_SRC, ADDRS6, proto + len)));
    }

    private static int sum(final byte[] f, final int from, final int n, final int initial) {
        int s = initial;
        for (int i = 0; i < n; i++) {
            s += (f[from + i] & 0xff) << (i % 2 == 0 ? Byte.SIZE : 0);
        }
        s = (s >>> Short.SIZE) + (s & 0xffff);
        return (s >>> Short.SIZE) + s & 0xffff;
    }
}
