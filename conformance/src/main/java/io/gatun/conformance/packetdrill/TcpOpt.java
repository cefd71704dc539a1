package io.gatun.conformance.packetdrill;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One TCP option, in a script or off the wire. Options are compared by their octets, never by equals. */
@SuppressWarnings("ArrayRecordComponent")
sealed interface TcpOpt {
    int EOL = 0;
    int NOP = 1;
    int MSS = 2;
    int WSCALE = 3;
    int SACK_PERMITTED = 4;
    int SACK = 5;
    int TIMESTAMP = 8;
    int MD5SIG = 19;
    int FAST_OPEN = 34;
    int ACC_ECN_0 = 172;
    int ACC_ECN_1 = 174;
    int EXPERIMENT = 254;
    int EXID_FAST_OPEN = 0xf989;
    int EXID_ACC_ECN_0 = 0xacc0;
    int EXID_ACC_ECN_1 = 0xacc1;
    int EXID_TARR = 0x00ac;
    int MD5_LENGTH = 16;
    /** Octets of a counter of AccECN. */
    int COUNTER = 3;

    /** The number of the option. */
    int kind();

    /** All its octets. */
    byte[] octets();

    /** Of one octet: nop and eol. */
    record Pad(int kind) implements TcpOpt {
        @Override
        public byte[] octets() {
            return new byte[] {(byte) kind};
        }

        @Override
        public String toString() {
            return kind == NOP ? "nop" : "eol";
        }
    }

    /** Maximum segment size. */
    record Mss(int value) implements TcpOpt {
        @Override
        public int kind() {
            return MSS;
        }

        @Override
        public byte[] octets() {
            return new byte[] {MSS, 4, (byte) (value >>> 8), (byte) value};
        }

        @Override
        public String toString() {
            return "mss " + value;
        }
    }

    /** Window scale. */
    record Wscale(int shift) implements TcpOpt {
        @Override
        public int kind() {
            return WSCALE;
        }

        @Override
        public byte[] octets() {
            return new byte[] {WSCALE, 3, (byte) shift};
        }

        @Override
        public String toString() {
            return "wscale " + shift;
        }
    }

    /** SACK permitted. */
    record SackOk() implements TcpOpt {
        @Override
        public int kind() {
            return SACK_PERMITTED;
        }

        @Override
        public byte[] octets() {
            return new byte[] {SACK_PERMITTED, 2};
        }

        @Override
        public String toString() {
            return "sackOK";
        }
    }

    /** Blocks: left and right edges in turn. */
    record Sack(List<Integer> edges) implements TcpOpt {
        @Override
        public int kind() {
            return SACK;
        }

        /** All edges moved by an offset, as between script and wire. */
        Sack shifted(final int by) {
            return new Sack(edges.stream().map(e -> e + by).toList());
        }

        @Override
        public byte[] octets() {
            final ByteBuffer b = ByteBuffer.allocate(2 + Integer.BYTES * edges.size());
            b.put((byte) SACK).put((byte) b.capacity());
            edges.forEach(b::putInt);
            return b.array();
        }

        @Override
        public String toString() {
            final StringBuilder out = new StringBuilder("sack");
            for (int i = 0; i + 1 < edges.size(); i += 2) {
                out.append(' ').append(Format.unsigned(edges.get(i))).append(':')
                    .append(Format.unsigned(edges.get(i + 1)));
            }
            return out.toString();
        }
    }

    /** Timestamps; {@code anyVal} where the script writes dots, {@code absolute} where the echo is the wire's own. */
    record Ts(int val, int ecr, boolean anyVal, boolean absolute) implements TcpOpt {
        @Override
        public int kind() {
            return TIMESTAMP;
        }

        @Override
        public byte[] octets() {
            return ByteBuffer.allocate(10).put((byte) TIMESTAMP).put((byte) 10).putInt(val).putInt(ecr).array();
        }

        @Override
        public String toString() {
            return "TS val " + (anyVal ? "..." : Format.unsigned(val)) + " ecr " + Format.unsigned(ecr)
                + (absolute ? "!" : "");
        }
    }

    /** A signature; empty for the right one, whatever it is. */
    record Md5(byte[] digest) implements TcpOpt {
        boolean valid() {
            return digest.length == 0;
        }

        @Override
        public int kind() {
            return MD5SIG;
        }

        @Override
        public byte[] octets() {
            final byte[] b = new byte[2 + MD5_LENGTH];
            b[0] = MD5SIG;
            b[1] = 2 + MD5_LENGTH;
            System.arraycopy(digest, 0, b, 2, digest.length);
            return b;
        }

        @Override
        public String toString() {
            return valid() ? "md5 valid" : "md5 " + Format.hex(digest);
        }
    }

    /** Any other: kind, length, data; {@code exid} of an experiment is the first two octets of data, else -1. */
    record Blob(int kind, int exid, String label, byte[] data) implements TcpOpt {
        @Override
        public byte[] octets() {
            final int head = exid < 0 ? 2 : 4;
            final byte[] b = new byte[head + data.length];
            b[0] = (byte) kind;
            b[1] = (byte) b.length;
            if (exid >= 0) {
                b[2] = (byte) (exid >>> 8);
                b[3] = (byte) exid;
            }
            System.arraycopy(data, 0, b, head, data.length);
            return b;
        }

        @Override
        public String toString() {
            return data.length == 0 || label.contains(" ") ? label : label + " " + Format.hex(data);
        }
    }

    /** Octets that are no options. */
    record Raw(byte[] octets) implements TcpOpt {
        @Override
        public int kind() {
            return -1;
        }

        @Override
        public String toString() {
            return Format.hex(octets);
        }
    }

    /** Octets of them all. */
    static byte[] encode(final List<TcpOpt> options) {
        int n = 0;
        for (final TcpOpt o : options) {
            n += o.octets().length;
        }
        final ByteBuffer b = ByteBuffer.allocate(n);
        options.forEach(o -> b.put(o.octets()));
        return b.array();
    }

    /** Reads the options of a header; what cannot be read is one {@link Raw} at the end. Never fails. */
    static List<TcpOpt> decode(final byte[] b) {
        final List<TcpOpt> out = new ArrayList<>();
        int at = 0;
        while (at < b.length) {
            final int kind = b[at] & 0xff;
            if (kind == EOL || kind == NOP) {
                out.add(new Pad(kind));
                at++;
                continue;
            }
            final int len = at + 1 < b.length ? b[at + 1] & 0xff : 0;
            if (len < 2 || at + len > b.length) {
                out.add(new Raw(Arrays.copyOfRange(b, at, b.length)));
                return out;
            }
            out.add(one(kind, ByteBuffer.wrap(b, at + 2, len - 2).slice()));
            at += len;
        }
        return out;
    }

    private static TcpOpt one(final int kind, final ByteBuffer d) {
        final int n = d.remaining();
        if (kind == MSS && n == Short.BYTES) {
            return new Mss(d.getShort() & 0xffff);
        }
        if (kind == WSCALE && n == 1) {
            return new Wscale(d.get() & 0xff);
        }
        if (kind == SACK_PERMITTED && n == 0) {
            return new SackOk();
        }
        if (kind == TIMESTAMP && n == 2 * Integer.BYTES) {
            return new Ts(d.getInt(), d.getInt(), false, false);
        }
        if (kind == SACK && n > 0 && n % (2 * Integer.BYTES) == 0) {
            final List<Integer> edges = new ArrayList<>();
            while (d.hasRemaining()) {
                edges.add(d.getInt());
            }
            return new Sack(edges);
        }
        final byte[] data = new byte[n];
        d.get(data);
        return other(kind, data);
    }

    private static TcpOpt other(final int kind, final byte[] data) {
        if (kind == MD5SIG && data.length == MD5_LENGTH) {
            return new Md5(data);
        }
        if (kind == EXPERIMENT && data.length >= 2) {
            final int exid = (data[0] & 0xff) << 8 | data[1] & 0xff;
            return new Blob(kind, exid, exid == EXID_FAST_OPEN ? "exp-FO" : "exp-" + Integer.toHexString(exid),
                Arrays.copyOfRange(data, 2, data.length));
        }
        return new Blob(kind, -1, kind == FAST_OPEN ? "FO" : "gen-" + kind, data);
    }
}
