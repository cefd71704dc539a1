package io.gatun.netinet.tcp;

import io.gatun.spi.mbuf.Mbuf;

/**
 * The TCP header, read and written in place. After {@link #check} has answered {@link Verdict#NEXT} no accessor can
 * fail. {@code th} is the header's offset from the front of the mbuf.
 *
 * <pre>
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * |          source port          |       destination port        |
 * +-------------------------------+-------------------------------+
 * |                        sequence number                        |
 * +---------------------------------------------------------------+
 * |                     acknowledgment number                     |
 * +-------+-------+---------------+-------------------------------+
 * | offset| rsrvd |C E U A P R S F|            window             |
 * +-------+-------+---------------+-------------------------------+
 * |           checksum            |         urgent pointer        |
 * +-------------------------------+-------------------------------+
 * |                            options                            |
 * </pre>
 *
 * @bsd struct tcphdr
 */
public final class TcpHeader {
    public static final int TH_FIN = 0x01;
    public static final int TH_SYN = 0x02;
    public static final int TH_RST = 0x04;
    public static final int TH_PUSH = 0x08;
    public static final int TH_ACK = 0x10;
    public static final int TH_URG = 0x20;
    public static final int TH_ECE = 0x40;
    public static final int TH_CWR = 0x80;
    /** The accurate ECN bit, in the reserved nibble. */
    public static final int TH_AE = 0x100;

    /** Octets without options. */
    public static final int SIZE = 20;
    /** Most octets of options. @bsd TCP_MAXOLEN */
    public static final int TCP_MAXOLEN = 40;
    /** Largest window without scaling. */
    public static final int TCP_MAXWIN = 65_535;
    /** Largest window scale. */
    public static final int TCP_MAX_WINSHIFT = 14;

    static final int OFF_SUM = 16;

    private static final int OFF_SPORT = 0;
    private static final int OFF_DPORT = 2;
    private static final int OFF_SEQ = 4;
    private static final int OFF_ACK = 8;
    private static final int OFF_X2 = 12;
    private static final int OFF_WIN = 14;
    private static final int OFF_URP = 18;
    private static final int FLAG_BITS = 0x1ff;
    private static final String FLAG_LETTERS = "FSRP.UEW";

    private TcpHeader() {
    }

    /**
     * Whether the header and its options lie wholly in the first mbuf. Borrows m.
     *
     * @param tlen octets of TCP header and payload, from the IP header
     */
    public static Verdict check(Mbuf m, int th, int tlen) {
        if (tlen < SIZE || m.len() < th + SIZE) {
            return Verdict.DROP;
        }
        final int hlen = hlen(m, th);
        return hlen < SIZE || hlen > tlen || m.len() < th + hlen ? Verdict.DROP : Verdict.NEXT;
    }

    /** @bsd th_sport */
    public static int sport(Mbuf m, int th) {
        return m.getU16(th + OFF_SPORT);
    }

    /** @bsd th_dport */
    public static int dport(Mbuf m, int th) {
        return m.getU16(th + OFF_DPORT);
    }

    /** @bsd th_seq */
    public static int seq(Mbuf m, int th) {
        return m.getInt(th + OFF_SEQ);
    }

    public static void seq(Mbuf m, int th, int value) {
        m.putInt(th + OFF_SEQ, value);
    }

    /** @bsd th_ack */
    public static int ack(Mbuf m, int th) {
        return m.getInt(th + OFF_ACK);
    }

    /** Octets of header with options. @bsd th_off */
    public static int hlen(Mbuf m, int th) {
        return m.getU8(th + OFF_X2) >> 4 << 2;
    }

    /** TH_* bits. @bsd tcp_get_flags */
    public static int flags(Mbuf m, int th) {
        return m.getU16(th + OFF_X2) & FLAG_BITS;
    }

    /** @bsd tcp_set_flags */
    public static void flags(Mbuf m, int th, int value) {
        m.put16(th + OFF_X2, m.getU16(th + OFF_X2) & ~FLAG_BITS | value);
    }

    /** Not scaled. @bsd th_win */
    public static int win(Mbuf m, int th) {
        return m.getU16(th + OFF_WIN);
    }

    /** @bsd th_sum */
    public static int sum(Mbuf m, int th) {
        return m.getU16(th + OFF_SUM);
    }

    public static void sum(Mbuf m, int th, int value) {
        m.put16(th + OFF_SUM, value);
    }

    /** @bsd th_urp */
    public static int urp(Mbuf m, int th) {
        return m.getU16(th + OFF_URP);
    }

    // All of a header in two words: one access each, where each field by itself is one. They are written as they are
    // read: a word that was written in parts, or across its border, is not to be had until both have left the
    // processor's store buffer.

    /**
     * Writes a header.
     *
     * @param front of {@link #front(int, int)}
     * @param back of {@link #back(int, int, int, int)}
     * @param rest checksum and urgent pointer
     */
    static void put(Mbuf m, int th, long front, long back, int rest) {
        m.putLong(th, front);
        m.putLong(th + OFF_ACK, back);
        m.putInt(th + OFF_SUM, rest);
    }

    /** Ports, the sender's on top, and sequence number. */
    static long front(int ports, int seq) {
        return (long) ports << 32 | seq & 0xffff_ffffL;
    }

    /** Acknowledgment number, octets of header, flags and window. */
    static long back(int ack, int hlen, int flags, int win) {
        return (long) ack << 32 | (hlen >> 2 << 28 | flags << 16 | win) & 0xffff_ffffL;
    }

    /** Ports and sequence number. */
    static long front(Mbuf m, int th) {
        return m.getLong(th);
    }

    static int frontSport(long front) {
        return (int) (front >>> 48);
    }

    static int frontDport(long front) {
        return (int) (front >>> 32) & 0xffff;
    }

    static int frontSeq(long front) {
        return (int) front;
    }

    /** Acknowledgment number, length, flags and window. */
    static long back(Mbuf m, int th) {
        return m.getLong(th + OFF_ACK);
    }

    static int backAck(long back) {
        return (int) (back >>> 32);
    }

    static int backHlen(long back) {
        return ((int) back >>> 28) << 2;
    }

    static int backFlags(long back) {
        return (int) back >>> 16 & FLAG_BITS;
    }

    static int backWin(long back) {
        return (int) back & 0xffff;
    }

    /** Appends a line as tcpdump prints it. Borrows m. For tests and tracing. */
    public static void describe(Mbuf m, int th, int payload, StringBuilder out) {
        out.append(sport(m, th)).append(" > ").append(dport(m, th)).append(": Flags [");
        final int fl = flags(m, th);
        for (int i = 0; i < FLAG_LETTERS.length(); i++) {
            if ((fl >> i & 1) != 0) {
                out.append(FLAG_LETTERS.charAt(i));
            }
        }
        out.append("], seq ").append(Integer.toUnsignedString(seq(m, th)));
        if ((fl & TH_ACK) != 0) {
            out.append(", ack ").append(Integer.toUnsignedString(ack(m, th)));
        }
        out.append(", win ").append(win(m, th));
        if ((fl & TH_URG) != 0) {
            out.append(", urg ").append(urp(m, th));
        }
        out.append(", length ").append(payload);
    }
}
