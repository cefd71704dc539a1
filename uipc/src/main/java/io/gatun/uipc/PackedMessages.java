package io.gatun.uipc;

import static io.gatun.spi.mbuf.Mbuf.MHLEN;
import static io.gatun.spi.mbuf.Mbuf.MJUMPAGESIZE;
import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static io.gatun.spi.socket.SocketDefs.MSG_TRUNC;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.Uio;

/**
 * Several small messages in one cluster of a receive buffer, which a sender of this stack fills from its user's memory
 * and a reader empties from the front: between two processors lines that are written one after the other are worth ten
 * mbufs that are taken by one and freed by the other.
 *
 * <pre>
 *    0         8                  16 or 40
 *    | octets  | sender's address | octets of the message, to the next multiple of 8 | next message ...
 * </pre>
 *
 * What such an mbuf holds is counted in its packet header: {@code pktLen} octets of messages, {@code flowid} octets of
 * addresses. It never leaves the socket buffer: who wants mbufs gets copies.
 */
final class PackedMessages {
    /** Longer messages are not packed. */
    private static final int LONGEST = 512;
    private static final int M_PACKED = Mbuf.M_PROTO3;
    private static final int HEADER = 8;
    /** Octets of a cache line. */
    private static final int LINE = 64;

    private PackedMessages() {
    }

    static boolean isPacked(final Mbuf m) {
        return m.has(M_PACKED);
    }

    /** Whether a message of so many octets may be packed at all. Its sender has an internet address. */
    static boolean mayPack(final int octets) {
        return octets <= LONGEST;
    }

    private static int total(final int addr, final int octets) {
        return HEADER + addr + (octets + HEADER - 1 & -HEADER);
    }

    /** Whether one more message fits behind those in m, which may be null. */
    static boolean fits(final Mbuf m, final int addr, final int octets) {
        return m != null && m.has(M_PACKED) && m.trailingSpace() >= total(addr, octets);
    }

    /**
     * An empty one; null when out of clusters. Writes to each of its lines, which the last reader has: stores that miss
     * overlap until the next locked instruction waits for them, of which there are some between any two messages.
     */
    static Mbuf make(final MbufPool pool) {
        final Mbuf m = pool.getjcl(MT_DATA, M_PKTHDR, MJUMPAGESIZE);
        if (m == null) {
            return null;
        }
        m.setFlags(M_PACKED);
        m.pktLen(0);
        m.flowid(0);
        m.len(MJUMPAGESIZE);
        for (int i = 0; i < MJUMPAGESIZE; i += LINE) {
            m.putInt(i, 0);
        }
        m.len(0);
        return m;
    }

    /** Puts all of uio behind the messages in m, where it fits. Nothing is changed if uio's memory is gone. */
    static void put(final Mbuf m, final SockAddr from, final int addr, final Uio uio) {
        final int n = (int) uio.resid();
        final long data = m.data();
        final int len = m.len();
        uio.moveTo(m.seg(), data + len + HEADER + addr, n);
        m.len(len + total(addr, n));
        m.putInt(len, n);
        SockAddrCodec.put(from, m, len + HEADER, addr);
        m.pktLen(m.pktLen() + n);
        m.flowid(m.flowid() + addr);
    }

    /**
     * Reads a little of each line of what m holds, if it is packed: misses that do not wait for each other take a tenth
     * of those that are met one by one between a call's locked instructions. m may be null.
     */
    static void readAhead(final Mbuf m) {
        if (m == null || !m.has(M_PACKED)) {
            return;
        }
        int sum = 0;
        for (int i = 0; i < m.len(); i += LINE) {
            sum += m.getU8(i);
        }
        if (sum < 0) {
            throw new AssertionError("octets are not negative");
        }
    }

    /** Gives the first message to the caller and takes it off. Answers its octets. */
    static int take(final Mbuf m, final RecvMsg msg) {
        final int n = m.getInt(0);
        final int addr = SockAddrCodec.get(m, HEADER, msg.from);
        final int here = (int) Math.min(n, msg.uio.resid());
        if (here > 0) {
            msg.uio.moveFrom(m.seg(), m.data() + HEADER + addr, here);
        }
        if (here < n) {
            msg.flags |= MSG_TRUNC;
        }
        m.data(m.data() + total(addr, n));
        m.len(m.len() - total(addr, n));
        m.pktLen(m.pktLen() - n);
        m.flowid(m.flowid() - addr);
        return n;
    }

    /** The first message as a record of its own, which the caller owns; null when out of mbufs. */
    static Mbuf copyFirst(final Mbuf m, final MbufPool pool) {
        final int n = m.getInt(0);
        final int addr = SockAddrCodec.length(m, HEADER);
        final int lead = pool.maxHdr();
        final Mbuf copy = n + lead <= MHLEN ? pool.gethdr(MT_DATA) : pool.getcl(MT_DATA, M_PKTHDR);
        if (copy == null) {
            return null;
        }
        copy.data(copy.data() + lead);
        copy.len(n);
        copy.pktLen(n);
        java.lang.foreign.MemorySegment.copy(m.seg(), m.data() + HEADER + addr, copy.seg(), copy.data(), n);
        SockAddrCodec.copyAhead(m, HEADER, copy);
        return copy;
    }

    /** Takes off the first message, which was copied. Answers its octets. */
    static int drop(final Mbuf m) {
        final int n = m.getInt(0);
        final int addr = SockAddrCodec.length(m, HEADER);
        m.data(m.data() + total(addr, n));
        m.len(m.len() - total(addr, n));
        m.pktLen(m.pktLen() - n);
        m.flowid(m.flowid() - addr);
        return n;
    }
}
