package io.gatun.spi.socket;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;

/**
 * Control messages: what travels beside a datagram, in a chain of MT_CONTROL mbufs. Each message lies whole in one
 * mbuf, which may hold several. Numbers are in network order.
 *
 * <pre>
 *    0         4         8         12        16
 *    | len     | level   | type    |   -     |  data, padded to a multiple of 8
 * </pre>
 *
 * <p>{@code at} is the offset of a message from the first octet of its mbuf; {@code len} counts header and data, not
 * the padding.
 *
 * @bsd struct cmsghdr
 */
public final class Cmsg {
    /** Octets in front of the data. */
    public static final int HDRLEN = 16;
    /** Octets a chain of control messages has at most on its way down. @bsd MCLBYTES */
    public static final int MAXLEN = Mbuf.MCLBYTES;

    /** Where the level stands in a header. */
    public static final int LEVEL = 4;
    /** Where the type stands in a header. */
    public static final int TYPE = 8;

    private static final int ALIGN = Long.BYTES;

    private Cmsg() {
    }

    /** Octets of a message with {@code n} octets of data, padding included. @bsd CMSG_SPACE */
    public static int space(final int n) {
        return HDRLEN + n + ALIGN - 1 & -ALIGN;
    }

    // ---- reading: all borrow m ------------------------------------------------------------

    /** Whether a whole message stands there. After true no accessor can fail. @bsd CMSG_FIRSTHDR, CMSG_NXTHDR */
    public static boolean check(final Mbuf m, final int at) {
        return m.len() - at >= HDRLEN && m.getInt(at) >= HDRLEN && m.getInt(at) <= m.len() - at;
    }

    /** Octets of data. */
    public static int length(final Mbuf m, final int at) {
        return m.getInt(at) - HDRLEN;
    }

    /** SOL_SOCKET or IPPROTO_*. @bsd cmsg_level */
    public static int level(final Mbuf m, final int at) {
        return m.getInt(at + LEVEL);
    }

    /** @bsd cmsg_type */
    public static int type(final Mbuf m, final int at) {
        return m.getInt(at + TYPE);
    }

    /** Offset of the data. @bsd CMSG_DATA */
    public static int data(final int at) {
        return at + HDRLEN;
    }

    /** Offset of what follows; that it is a message only {@link #check} says. @bsd CMSG_NXTHDR */
    public static int next(final Mbuf m, final int at) {
        return at + space(length(m, at));
    }

    // ---- making ------------------------------------------------------------

    /**
     * Makes room for one more message, its header filled in and its data zero: behind what the last mbuf of a chain
     * has, or in a new mbuf at its end.
     *
     * @param head the chain, borrowed; null for none yet
     * @param n octets of data, at most {@link #MAXLEN} with the header
     * @return the mbuf it is in, whose data ends with the message ({@link #lastData}); the head of the chain when
     *     there was none; null when out of mbufs: then nothing has changed
     * @bsd sbcreatecontrol
     */
    public static Mbuf add(final MbufPool pool, final Mbuf head, final int level, final int type, final int n) {
        final int space = space(n);
        Mbuf m = head == null ? null : head.last();
        if (m == null || m.trailingSpace() < space) {
            final Mbuf fresh = space <= Mbuf.MLEN ? pool.get(Mbuf.MT_CONTROL)
                : pool.get2(space, Mbuf.MT_CONTROL, 0);
            if (fresh == null) {
                return null;
            }
            if (m != null) {
                m.next(fresh);
            }
            m = fresh;
        }
        final int at = m.len();
        m.len(at + space);
        m.putInt(at, HDRLEN + n);
        m.putInt(at + LEVEL, level);
        m.putInt(at + TYPE, type);
        for (int i = at + HDRLEN - Integer.BYTES; i < at + space; i += Integer.BYTES) {
            m.putInt(i, 0);
        }
        return m;
    }

    /** Where the data of the message stands that {@link #add} has just put at the end of m. */
    public static int lastData(final Mbuf m, final int n) {
        return m.len() - space(n) + HDRLEN;
    }

    /**
     * Adds a message that is a number of 4 octets. Out of mbufs it is left out.
     *
     * @return the chain
     */
    public static Mbuf addInt(final MbufPool pool, final Mbuf head, final int level, final int type, final int v) {
        final Mbuf m = add(pool, head, level, type, Integer.BYTES);
        if (m != null) {
            m.putInt(lastData(m, Integer.BYTES), v);
        }
        return head == null ? m : head;
    }

    /** As {@link #addInt}, a number of one octet. */
    public static Mbuf addOctet(final MbufPool pool, final Mbuf head, final int level, final int type, final int v) {
        final Mbuf m = add(pool, head, level, type, 1);
        if (m != null) {
            m.put8(lastData(m, 1), v);
        }
        return head == null ? m : head;
    }
}
