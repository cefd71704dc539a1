package io.gatun.conformance;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** An Ethernet frame with a TCP segment over IPv4 or IPv6, as octets: what is in it, and changes to it. */
final class TcpFrame {
    static final int FIN = 0x1;
    static final int SYN = 0x2;
    static final int PSH = 0x8;
    static final int ACK = 0x10;
    static final int OPT_SACK = 5;

    private static final int ETHER = 14;
    private static final int IPV6_HDR = 40;
    private static final int TCP = 6;
    private static final int TCP_MIN = 20;
    private static final int V4_ADDRS = ETHER + 12;
    private static final int V6_ADDRS = ETHER + 8;

    private final byte[] f;
    private final ByteBuffer b;
    private final int th;

    private TcpFrame(final byte[] f, final int th) {
        this.f = f;
        b = ByteBuffer.wrap(f);
        this.th = th;
    }

    /** Null when it is none. The octets are not copied. */
    static TcpFrame of(final byte[] f) {
        if (f.length < ETHER + TCP_MIN + TCP_MIN) {
            return null;
        }
        final int type = ByteBuffer.wrap(f).getShort(ETHER - 2) & 0xffff;
        if (type == 0x800 && f[ETHER + 9] == TCP) {
            return new TcpFrame(f, ETHER + (f[ETHER] & 0xf) * 4);
        }
        return type == 0x86dd && f[ETHER + 6] == TCP ? new TcpFrame(f, ETHER + IPV6_HDR) : null;
    }

    byte[] octets() {
        return f;
    }

    boolean v6() {
        return f[ETHER] >> 4 == 6;
    }

    int seq() {
        return b.getInt(th + 4);
    }

    int ack() {
        return b.getInt(th + 8);
    }

    int flags() {
        return f[th + 13] & 0xff;
    }

    boolean has(final int flag) {
        return (flags() & flag) != 0;
    }

    private int text() {
        return th + (f[th + 12] >> 4 & 0xf) * 4;
    }

    private int end() {
        return ETHER + (v6() ? IPV6_HDR + (b.getShort(ETHER + 4) & 0xffff) : b.getShort(ETHER + 2) & 0xffff);
    }

    int len() {
        return end() - text();
    }

    byte[] data() {
        return Arrays.copyOfRange(f, text(), end());
    }

    /** Where the first SACK block is; -1 when there is none. */
    int sackAt() {
        for (int i = th + TCP_MIN; i + 1 < text();) {
            if (f[i] == OPT_SACK) {
                return i + 2;
            }
            if (f[i] == 0) {
                return -1;
            }
            i += f[i] == 1 ? 1 : Math.max(f[i + 1], 2);
        }
        return -1;
    }

    /** Blocks of the option at {@link #sackAt}. */
    int sacks() {
        final int at = sackAt();
        return at < 0 ? 0 : (f[at - 1] - 2) / 8;
    }

    int get32(final int at) {
        return b.getInt(at);
    }

    void put32(final int at, final int v) {
        b.putInt(at, v);
    }

    /** The same headers with other text and flags, its checksums right. */
    TcpFrame with(final int seq, final int flags, final byte[] data) {
        final byte[] out = Arrays.copyOf(f, text() + data.length);
        System.arraycopy(data, 0, out, text(), data.length);
        final TcpFrame n = new TcpFrame(out, th);
        if (v6()) {
            n.b.putShort(ETHER + 4, (short) (out.length - ETHER - IPV6_HDR));
        } else {
            n.b.putShort(ETHER + 2, (short) (out.length - ETHER));
        }
        n.b.putInt(th + 4, seq);
        out[th + 13] = (byte) flags;
        n.sum();
        return n;
    }

    /** Makes the checksums right. */
    void sum() {
        if (!v6()) {
            b.putShort(ETHER + 10, (short) 0);
            b.putShort(ETHER + 10, (short) ~sum(ETHER, th - ETHER, 0));
        }
        final int n = end() - th;
        final int addrs = v6() ? V6_ADDRS : V4_ADDRS;
        b.putShort(th + 16, (short) 0);
        b.putShort(th + 16, (short) ~sum(th, n, sum(addrs, v6() ? 32 : 8, TCP + n)));
    }

    private int sum(final int from, final int n, final int initial) {
        long s = initial;
        for (int i = 0; i < n; i++) {
            s += (f[from + i] & 0xff) << (i % 2 == 0 ? Byte.SIZE : 0);
        }
        s = (s >>> Short.SIZE) + (s & 0xffff);
        return (int) ((s >>> Short.SIZE) + s & 0xffff);
    }
}
