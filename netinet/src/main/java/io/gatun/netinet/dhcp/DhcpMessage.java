package io.gatun.netinet.dhcp;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * A DHCP message (RFC 2131 section 2), read or written as a whole.
 *
 * <pre>
 *  op htype hlen hops | xid | secs flags | ciaddr | yiaddr | siaddr | giaddr | chaddr 16 | sname 64 | file 128 |
 *  99 130 83 99 | options: code length octets ... 255
 * </pre>
 */
final class DhcpMessage {
    static final int DHCPDISCOVER = 1;
    static final int DHCPOFFER = 2;
    static final int DHCPREQUEST = 3;
    static final int DHCPDECLINE = 4;
    static final int DHCPACK = 5;
    static final int DHCPNAK = 6;
    static final int DHCPRELEASE = 7;
    static final int OPT_REQUESTED = 50;
    static final int OPT_TYPE = 53;
    static final int OPT_SERVER = 54;

    private static final int BOOTREQUEST = 1;
    private static final int BOOTREPLY = 2;
    private static final int HTYPE_ETHER = 1;
    private static final int HLEN = 6;
    private static final int XID = 4;
    private static final int SECS = 8;
    private static final int FLAGS = 10;
    private static final int BROADCAST = 0x80;
    private static final int CIADDR = 12;
    private static final int YIADDR = 16;
    private static final int CHADDR = 28;
    private static final int SNAME = 44;
    private static final int FILE = 108;
    private static final int COOKIE = 236;
    private static final int OPTIONS = 240;
    private static final int MAGIC = 0x63825363;
    private static final int BOOTP_MIN = 300;
    private static final int OPT_PAD = 0;
    private static final int OPT_HOSTNAME = 12;
    private static final int OPT_OVERLOAD = 52;
    private static final int OPT_PARAMETERS = 55;
    private static final int OPT_MAX_SIZE = 57;
    private static final int OPT_CLIENT_ID = 61;
    private static final int OPT_END = 255;
    private static final int MAX_SIZE = 1472;

    private final byte[] head;
    private final Map<Integer, byte[]> options;

    private DhcpMessage(final byte[] head, final Map<Integer, byte[]> options) {
        this.head = head;
        this.options = options;
    }

    // Reading.

    /** Reads a server's message; null for what is none. */
    static DhcpMessage parse(final byte[] b) {
        if (b.length < OPTIONS || b[0] != BOOTREPLY || b[1] != HTYPE_ETHER || b[2] != HLEN
                || word(b, COOKIE) != MAGIC) {
            return null;
        }
        final Map<Integer, byte[]> out = new TreeMap<>();
        if (!collect(b, OPTIONS, b.length, out)) {
            return null;
        }
        final byte[] overload = out.get(OPT_OVERLOAD);
        final int how = overload == null || overload.length != 1 ? 0 : overload[0];
        final boolean ok = ((how & 1) == 0 || collect(b, FILE, COOKIE, out))
            && ((how & 2) == 0 || collect(b, SNAME, FILE, out));
        return ok && out.containsKey(OPT_TYPE) && out.get(OPT_TYPE).length == 1 ? new DhcpMessage(b, out) : null;
    }

    /** Options of one area; those that come in pieces are joined (RFC 3396). False for one that runs over its end. */
    private static boolean collect(final byte[] b, final int from, final int end, final Map<Integer, byte[]> out) {
        int at = from;
        while (at < end && (b[at] & 0xff) != OPT_END) {
            final int code = b[at++] & 0xff;
            if (code == OPT_PAD) {
                continue;
            }
            if (at >= end || at + 1 + (b[at] & 0xff) > end) {
                return false;
            }
            final int n = b[at++] & 0xff;
            final byte[] before = out.getOrDefault(code, new byte[0]);
            final byte[] all = Arrays.copyOf(before, before.length + n);
            System.arraycopy(b, at, all, before.length, n);
            out.put(code, all);
            at += n;
        }
        return true;
    }

    static int word(final byte[] b, final int at) {
        return (b[at] & 0xff) << 24 | (b[at + 1] & 0xff) << 16 | (b[at + 2] & 0xff) << 8 | b[at + 3] & 0xff;
    }

    int type() {
        return options.get(OPT_TYPE)[0];
    }

    int xid() {
        return word(head, XID);
    }

    int yiaddr() {
        return word(head, YIADDR);
    }

    /** Whether it is for this link address. */
    boolean isFor(final byte[] mac) {
        return Arrays.equals(head, CHADDR, CHADDR + HLEN, mac, 0, HLEN);
    }

    /** The octets of an option, or null. */
    byte[] option(final int code) {
        return options.get(code);
    }

    /** An option of four octets; what it is otherwise. */
    int word(final int code, final int otherwise) {
        final byte[] b = options.get(code);
        return b == null || b.length != Integer.BYTES ? otherwise : word(b, 0);
    }

    /** An option of two octets, 0 for another length. */
    int half(final int code) {
        final byte[] b = options.get(code);
        return b == null || b.length != Short.BYTES ? 0 : (b[0] & 0xff) << 8 | b[1] & 0xff;
    }

    // Writing.

    /** Writes a client's message. */
    static final class Writer {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        /** @param ciaddr the client's address where it may be spoken to by it, else 0: then answers are broadcast */
        Writer(final int type, final int xid, final int secs, final int ciaddr, final byte[] mac) {
            final byte[] head = new byte[OPTIONS];
            head[0] = BOOTREQUEST;
            head[1] = HTYPE_ETHER;
            head[2] = HLEN;
            put(head, XID, xid);
            head[SECS] = (byte) (secs >>> Byte.SIZE);
            head[SECS + 1] = (byte) secs;
            head[FLAGS] = (byte) (ciaddr == 0 ? BROADCAST : 0);
            put(head, CIADDR, ciaddr);
            System.arraycopy(mac, 0, head, CHADDR, HLEN);
            put(head, COOKIE, MAGIC);
            out.writeBytes(head);
            option(OPT_TYPE, (byte) type);
            final byte[] id = new byte[1 + HLEN];
            id[0] = HTYPE_ETHER;
            System.arraycopy(mac, 0, id, 1, HLEN);
            option(OPT_CLIENT_ID, id);
        }

        private static void put(final byte[] b, final int at, final int v) {
            for (int i = 0; i < Integer.BYTES; i++) {
                b[at + i] = (byte) (v >>> 24 - i * Byte.SIZE);
            }
        }

        Writer option(final int code, final byte... octets) {
            out.write(code);
            out.write(octets.length);
            out.writeBytes(octets);
            return this;
        }

        Writer word(final int code, final int v) {
            final byte[] b = new byte[Integer.BYTES];
            put(b, 0, v);
            return option(code, b);
        }

        /** What the client would like to know, and how it calls itself. */
        Writer wishes(final String hostname) {
            option(OPT_PARAMETERS, (byte) 1, (byte) 121, (byte) 3, (byte) 6, (byte) 15, (byte) 26, (byte) 28, (byte) 51,
                (byte) 54, (byte) 58, (byte) 59);
            option(OPT_MAX_SIZE, (byte) (MAX_SIZE >>> Byte.SIZE), (byte) MAX_SIZE);
            if (hostname != null) {
                option(OPT_HOSTNAME, hostname.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            }
            return this;
        }

        byte[] octets() {
            out.write(OPT_END);
            while (out.size() < BOOTP_MIN) {
                out.write(OPT_PAD);
            }
            return out.toByteArray();
        }
    }
}
