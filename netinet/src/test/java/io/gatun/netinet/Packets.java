package io.gatun.netinet;

import java.util.Arrays;

/** Packets as octets, made and read without the code under test. */
public final class Packets {
    private Packets() {
    }

    public static byte[] ether(long dst, long src, int type, byte[] payload) {
        byte[] b = new byte[14 + payload.length];
        put(b, 0, dst, 6);
        put(b, 6, src, 6);
        put(b, 12, type, 2);
        System.arraycopy(payload, 0, b, 14, payload.length);
        return b;
    }

    public static byte[] arp(int op, long sha, int spa, long tha, int tpa) {
        byte[] b = new byte[28];
        put(b, 0, 1, 2);
        put(b, 2, 0x0800, 2);
        put(b, 4, 0x0604, 2);
        put(b, 6, op, 2);
        put(b, 8, sha, 6);
        put(b, 14, spa, 4);
        put(b, 18, tha, 6);
        put(b, 24, tpa, 4);
        return b;
    }

    /** An IPv4 packet with a right checksum; {@code fragOff} is the whole flags and offset word. */
    public static byte[] ip(int src, int dst, int proto, int id, int fragOff, byte[] payload) {
        byte[] b = new byte[20 + payload.length];
        b[0] = 0x45;
        put(b, 2, b.length, 2);
        put(b, 4, id, 2);
        put(b, 6, fragOff, 2);
        b[8] = 64;
        b[9] = (byte) proto;
        put(b, 12, src, 4);
        put(b, 16, dst, 4);
        System.arraycopy(payload, 0, b, 20, payload.length);
        return fixIp(b);
    }

    /** The same packet with options, which are padded, behind its header. */
    public static byte[] withOptions(byte[] ip, byte... options) {
        int n = (options.length + 3) / 4 * 4;
        byte[] b = new byte[ip.length + n];
        System.arraycopy(ip, 0, b, 0, 20);
        System.arraycopy(options, 0, b, 20, options.length);
        System.arraycopy(ip, 20, b, 20 + n, ip.length - 20);
        b[0] = (byte) (0x40 | (20 + n) / 4);
        put(b, 2, b.length, 2);
        return fixIp(b);
    }

    /** Makes the header checksum right. */
    public static byte[] fixIp(byte[] b) {
        int hlen = Math.min((b[0] & 0xf) * 4, b.length);
        if (hlen >= 20) {
            put(b, 10, 0, 2);
            put(b, 10, cksum(b, 0, hlen), 2);
        }
        return b;
    }

    public static byte[] icmp(int type, int code, int word, byte[] payload) {
        byte[] b = new byte[8 + payload.length];
        b[0] = (byte) type;
        b[1] = (byte) code;
        put(b, 4, word & 0xffffffffL, 4);
        System.arraycopy(payload, 0, b, 8, payload.length);
        put(b, 2, cksum(b, 0, b.length), 2);
        return b;
    }

    /** The checksum, octet by octet. */
    public static int cksum(byte[] b, int off, int n) {
        long s = 0;
        for (int i = 0; i < n; i++) {
            s += (i & 1) == 0 ? (b[off + i] & 0xff) << 8 : b[off + i] & 0xff;
        }
        while (s >>> 16 != 0) {
            s = (s & 0xffff) + (s >>> 16);
        }
        return (int) ~s & 0xffff;
    }

    public static void put(byte[] b, int off, long v, int n) {
        for (int i = 0; i < n; i++) {
            b[off + i] = (byte) (v >>> (n - 1 - i) * 8);
        }
    }

    public static int u8(byte[] b, int off) {
        return b[off] & 0xff;
    }

    public static int u16(byte[] b, int off) {
        return u8(b, off) << 8 | u8(b, off + 1);
    }

    public static int i32(byte[] b, int off) {
        return u16(b, off) << 16 | u16(b, off + 2);
    }

    public static long mac(byte[] b, int off) {
        return (long) u16(b, off) << 32 | i32(b, off + 2) & 0xffffffffL;
    }

    /** Octets 0, 1, 2... */
    public static byte[] pattern(int n) {
        byte[] b = new byte[n];
        for (int i = 0; i < n; i++) {
            b[i] = (byte) (i * 7 + (i >>> 8));
        }
        return b;
    }

    public static byte[] tail(byte[] b, int from) {
        return Arrays.copyOfRange(b, from, b.length);
    }

    /** An IPv4 address written with dots. */
    public static int addr(String dotted) {
        int v = 0;
        for (String p : dotted.split("\\.")) {
            v = v << 8 | Integer.parseInt(p);
        }
        return v;
    }
}
