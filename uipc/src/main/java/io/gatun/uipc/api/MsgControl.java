package io.gatun.uipc.api;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.Cmsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import java.lang.foreign.MemorySegment;

/**
 * A program's room for control messages, to be used again and again: filled by {@link #add} before a send, read with
 * {@link #next} after a receive. One thread at a time.
 *
 * <pre>{@code
 * control.clear().add(IPPROTO_IP, IP_SENDSRCADDR, 4, address);
 * file.sendmsg(buf, 0, to, control);
 *
 * file.recvmsg(buf, 0, from, control);
 * while (control.next()) {
 *     if (control.level() == IPPROTO_IP && control.type() == IP_RECVTTL) {
 *         ttl = control.value();
 *     }
 * }
 * }</pre>
 *
 * @bsd struct msghdr, msg_control
 */
public final class MsgControl {
    private static final int CAPACITY = 512;
    private static final int NONE = -1;
    private static final int PKTINFO = 2 * Long.BYTES + Integer.BYTES;

    private final MemorySegment seg;
    private final int capacity;
    private int length;
    private int at = NONE;
    private int flags;

    /** Room for the messages that one datagram usually brings. */
    public MsgControl() {
        this(CAPACITY);
    }

    /** @param capacity octets, headers and padding included: the sum of {@link Cmsg#space} */
    public MsgControl(final int capacity) {
        this.capacity = capacity;
        seg = MemorySegment.ofArray(new byte[capacity]);
    }

    /** Forgets all messages. */
    public MsgControl clear() {
        length = 0;
        at = NONE;
        flags = 0;
        return this;
    }

    // ---- for sending ------------------------------------------------------------

    /**
     * Adds a message that is a number, in network order.
     *
     * @param octets 1, 2, 4 or 8
     * @throws IllegalStateException when it is full
     */
    public MsgControl add(final int level, final int type, final int octets, final long value) {
        final int to = room(level, type, octets);
        for (int i = 0; i < octets; i++) {
            seg.set(Mbuf.U8, (long) to + i, (byte) (value >>> (octets - 1 - i) * Byte.SIZE));
        }
        return this;
    }

    /** Adds a message of any octets. */
    public MsgControl add(final int level, final int type, final byte[] data) {
        MemorySegment.copy(MemorySegment.ofArray(data), 0, seg, room(level, type, data.length), data.length);
        return this;
    }

    /** Adds an address and an interface index, as IPV6_PKTINFO has them. @bsd struct in6_pktinfo */
    public MsgControl addPktinfo(final int level, final int type, final SockAddr addr, final int ifindex) {
        final int to = room(level, type, PKTINFO);
        seg.set(Mbuf.U64, to, addr.hi());
        seg.set(Mbuf.U64, (long) to + Long.BYTES, addr.lo());
        seg.set(Mbuf.U32, to + 2L * Long.BYTES, ifindex);
        return this;
    }

    private int room(final int level, final int type, final int n) {
        final int space = Cmsg.space(n);
        if (space > capacity - length) {
            throw new IllegalStateException(length + " of " + capacity + " octets used, " + space + " more wanted");
        }
        final int to = length;
        seg.asSlice(to, space).fill((byte) 0);
        seg.set(Mbuf.U32, to, Cmsg.HDRLEN + n);
        seg.set(Mbuf.U32, (long) to + Cmsg.LEVEL, level);
        seg.set(Mbuf.U32, (long) to + Cmsg.TYPE, type);
        length += space;
        return to + Cmsg.HDRLEN;
    }

    /** The messages as the stack wants them, to be consumed by it; null when there are none or no mbufs. */
    Mbuf toMbufs(final MbufPool pool) {
        if (length == 0) {
            return null;
        }
        final Mbuf m = pool.get2(length, Mbuf.MT_CONTROL, 0);
        if (m != null) {
            m.len(length);
            MemorySegment.copy(seg, 0, m.seg(), m.data(), length);
        }
        return m;
    }

    boolean isEmpty() {
        return length == 0;
    }

    // ---- after receiving ------------------------------------------------------------

    /** Takes over what a receive call brought. Consumes control, which may be null; what has no room is lost. */
    void fill(final Mbuf control, final int msgFlags) {
        clear();
        flags = msgFlags;
        for (Mbuf m = control; m != null; m = m.free()) {
            int from = 0;
            while (Cmsg.check(m, from)) {
                final int n = Math.min(Cmsg.next(m, from), m.len()) - from;
                if (n > capacity - length) {
                    flags |= SocketDefs.MSG_CTRUNC;
                } else {
                    MemorySegment.copy(m.seg(), m.data() + from, seg, length, n);
                    length += n;
                }
                from = Cmsg.next(m, from);
            }
        }
    }

    /** MSG_TRUNC, MSG_CTRUNC and MSG_EOR of the last receive. @bsd msg_flags */
    public int flags() {
        return flags;
    }

    /** Goes to the next message, at first to the first; false when there is none. @bsd CMSG_NXTHDR */
    public boolean next() {
        final int to = at == NONE ? 0 : at + Cmsg.space(length());
        at = to < length ? to : NONE;
        return at != NONE;
    }

    /** Goes to the first message of a kind; false when there is none. */
    public boolean find(final int level, final int type) {
        at = NONE;
        while (next()) {
            if (level() == level && type() == type) {
                return true;
            }
        }
        return false;
    }

    /** @bsd cmsg_level */
    public int level() {
        return seg.get(Mbuf.U32, at + Cmsg.LEVEL);
    }

    /** @bsd cmsg_type */
    public int type() {
        return seg.get(Mbuf.U32, at + Cmsg.TYPE);
    }

    /** Octets of data. */
    public int length() {
        return seg.get(Mbuf.U32, at) - Cmsg.HDRLEN;
    }

    /** The data as an unsigned number of one or four octets. */
    public int value() {
        return length() == 1 ? seg.get(Mbuf.U8, data()) & 0xff : seg.get(Mbuf.U32, data());
    }

    /** Four octets of the data. */
    public int getInt(final int off) {
        return seg.get(Mbuf.U32, data() + off);
    }

    /** Eight octets of the data. */
    public long getLong(final int off) {
        return seg.get(Mbuf.U64, data() + off);
    }

    /** A copy of the data. */
    public byte[] octets() {
        return seg.asSlice(data(), length()).toArray(Mbuf.U8);
    }

    /**
     * An address at the front of the data into {@code out}: of 4 octets, of 16 octets with an interface index behind
     * it (in6_pktinfo), or a whole socket address of 16 (sockaddr_in) or 28 octets (sockaddr_in6, ip6_mtuinfo).
     */
    public SockAddr address(final SockAddr out) {
        switch (length()) {
            case Integer.BYTES -> out.setIn(getInt(0), 0);
            case 2 * Long.BYTES -> out.setIn(getInt(Integer.BYTES), getInt(0) & 0xffff);
            case PKTINFO -> out.setIn6(getLong(0), getLong(Long.BYTES), 0, 0);
            default -> out.setIn6(getLong(Long.BYTES), getLong(2 * Long.BYTES), getInt(0) & 0xffff,
                getInt(3 * Long.BYTES));
        }
        return out;
    }

    private long data() {
        return (long) at + Cmsg.HDRLEN;
    }
}
