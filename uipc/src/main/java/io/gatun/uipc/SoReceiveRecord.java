package io.gatun.uipc;

import static io.gatun.spi.mbuf.Mbuf.MT_CONTROL;
import static io.gatun.spi.mbuf.Mbuf.MT_SONAME;
import static io.gatun.spi.mbuf.Mbuf.M_EOR;
import static io.gatun.spi.mbuf.Mbuf.M_PROTOFLAGS;
import static io.gatun.spi.socket.SocketDefs.MSG_CTRUNC;
import static io.gatun.spi.socket.SocketDefs.MSG_EOR;
import static io.gatun.spi.socket.SocketDefs.MSG_OOB;
import static io.gatun.spi.socket.SocketDefs.MSG_PEEK;
import static io.gatun.spi.socket.SocketDefs.MSG_TRUNC;
import static io.gatun.spi.socket.SocketDefs.MSG_WAITALL;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;

/** Receiving where record boundaries count: messages, each whole or cut short, and sequenced packets. */
final class SoReceiveRecord {
    private SoReceiveRecord() {
    }

    /** One message, in one round trip through the buffer's lock, without the I/O lock. @bsd soreceive_dgram */
    static Errno dgram(final Socket so, final RecvMsg msg) {
        if ((msg.flags & MSG_OOB) != 0) {
            return SoReceive.generic(so, msg);
        }
        final MbufSockBuf sb = so.rcv;
        final boolean peek = (msg.flags & MSG_PEEK) != 0;
        while (true) {
            final Errno found = !so.sockets.shared ? null : peek ? peekFirst(so, msg) : deliverFirst(so, msg);
            if (found != null) {
                return found;
            }
            final long n;
            Mbuf record = null;
            sb.lock.lock();
            try {
                if (sb.mb() != null && so.sockets.shared) {
                    continue; // it came just now
                }
                if (sb.mb() != null && peek) {
                    return peekLocked(sb.mb(), msg);
                }
                record = sb.takeRecordLocked();
                n = record == null ? SoReceive.nothing(so, msg.flags, false) : 0;
            } finally {
                sb.lock.unlock();
            }
            if (record != null) {
                deliver(record, msg);
                SoReceive.received(so, 0);
                return Errno.OK;
            }
            if (!SoReceive.mustWait(n)) {
                noSender(msg.from);
                return n == 0 ? Errno.OK : Errno.of((int) n);
            }
            final Errno e = sb.sbwait(1);
            if (e != Errno.OK) {
                return e;
            }
        }
    }

    /** Delivers the oldest message of a buffer that other threads may fill; null when there is none. */
    private static Errno deliverFirst(final Socket so, final RecvMsg msg) {
        final SoReader r = so.makeReader();
        final Errno e;
        r.lock();
        try {
            final Mbuf m = r.first(so.rcv);
            if (m == null) {
                return null;
            }
            e = r.deliver(m, so.rcv, msg);
        } finally {
            r.unlock();
        }
        SoReceive.received(so, 0);
        return e;
    }

    /** The same, and it stays. */
    private static Errno peekFirst(final Socket so, final RecvMsg msg) {
        final SoReader r = so.makeReader();
        r.lock();
        try {
            final Mbuf m = r.first(so.rcv);
            if (m == null || !PackedMessages.isPacked(m)) {
                return m == null ? null : peekLocked(m, msg);
            }
            final Mbuf copy = PackedMessages.copyFirst(m, so.vnet().pool());
            if (copy == null) {
                return Errno.ENOBUFS;
            }
            try {
                return peekLocked(copy, msg);
            } finally {
                copy.freeChain();
            }
        } finally {
            r.unlock();
        }
    }

    private static void noSender(final SockAddr from) {
        if (from != null) {
            from.clear();
        }
    }

    /** Gives a whole record to the caller. Consumes it. */
    static void deliver(final Mbuf record, final RecvMsg msg) {
        Mbuf left = record;
        try {
            left = give(record, msg);
        } finally {
            if (left != null) {
                left.freeChain();
            }
        }
    }

    /** Gives a whole record to the caller; answers what is to be freed of it, or null. */
    static Mbuf give(final Mbuf record, final RecvMsg msg) {
        Mbuf m = sender(record, msg.from);
        if (msg.wantMbufs || msg.wantControl && m != null && m.type() == MT_CONTROL) {
            // What stands before the data has been read; data or control go to the caller as they are.
            freeBefore(record, m);
            deliverMbufs(m, msg);
            return null;
        }
        if (m != null && m.type() == MT_CONTROL) {
            msg.flags |= MSG_CTRUNC;
            m = skipControl(m);
        }
        copy(m, msg);
        return record;
    }

    /** Reads the address, if there is one; answers what follows it. */
    private static Mbuf sender(final Mbuf m, final SockAddr from) {
        if (m.type() != MT_SONAME) {
            if (!SockAddrCodec.isAhead(m)) {
                noSender(from);
            } else if (from != null) {
                SockAddrCodec.decodeAhead(m, from);
            }
            return m;
        }
        if (from != null) {
            SockAddrCodec.decode(m, from);
        }
        return m.next();
    }

    private static Mbuf skipControl(final Mbuf control) {
        Mbuf m = control;
        while (m != null && m.type() == MT_CONTROL) {
            m = m.next();
        }
        return m;
    }

    private static void freeBefore(final Mbuf first, final Mbuf end) {
        Mbuf m = first;
        while (m != end) {
            m = m.free();
        }
    }

    private static void copy(final Mbuf data, final RecvMsg msg) {
        Mbuf m = data;
        while (m != null) {
            final int n = (int) Math.min(m.len(), msg.uio.resid());
            if (n > 0) {
                msg.uio.moveFrom(m.seg(), m.data(), n);
            }
            if (n < m.len()) {
                msg.flags |= MSG_TRUNC;
                return;
            }
            if (m.has(M_EOR)) {
                msg.flags |= MSG_EOR;
            }
            m = m.next();
        }
    }

    /** The way of mbufs: splits control off, then hands over or copies the data. Consumes m, which may be null. */
    private static void deliverMbufs(final Mbuf m, final RecvMsg msg) {
        Mbuf data = m;
        if (m != null && m.type() == MT_CONTROL) {
            Mbuf last = m;
            while (last.next() != null && last.next().type() == MT_CONTROL) {
                last = last.next();
            }
            data = last.next();
            last.next(null);
            if (msg.wantControl) {
                msg.control = m;
            } else {
                msg.flags |= MSG_CTRUNC;
                m.freeChain();
            }
        }
        if (data == null) {
            return;
        }
        if (msg.wantMbufs) {
            handOver(data, msg);
            return;
        }
        try {
            copy(data, msg);
        } finally {
            data.freeChain();
        }
    }

    private static void handOver(final Mbuf data, final RecvMsg msg) {
        final int length = data.length();
        final int n = (int) Math.min(length, msg.uio.resid());
        if (n < length) {
            data.adjTail(length - n);
            msg.flags |= MSG_TRUNC;
        }
        if (data.last().has(M_EOR)) {
            msg.flags |= MSG_EOR;
        }
        data.clearFlags(M_PROTOFLAGS);
        msg.mbufs = data;
        msg.uio.skip(n);
    }

    /** A copy of the first record, which stays; the receive buffer, or its reader, is locked. */
    private static Errno peekLocked(final Mbuf record, final RecvMsg msg) {
        final Mbuf head = sender(record, msg.from);
        final Mbuf data = skipControl(head);
        if (head != data && msg.wantControl) {
            msg.control = head.copyM(0, head.length() - (data == null ? 0 : data.length()));
        }
        if (head != data && msg.control == null) {
            msg.flags |= MSG_CTRUNC;
        }
        if (data == null || !msg.wantMbufs) {
            copy(data, msg);
            return Errno.OK;
        }
        final int n = (int) Math.min(data.length(), msg.uio.resid());
        if (n > 0) {
            msg.mbufs = data.copyM(0, n);
            if (msg.mbufs == null) {
                return Errno.ENOBUFS;
            }
            msg.uio.skip(n);
        }
        return Errno.OK;
    }

    // ---- sequenced packets ------------------------------------------------------------

    /**
     * Records of which a part may be read and the rest stays: up to the end of the first record, marked by MSG_EOR.
     * Copies under the lock.
     *
     * @bsd soreceive_generic
     */
    static Errno records(final Socket so, final RecvMsg msg) {
        final Errno e = so.rcv.ioLock(SoReceive.mayWait(so, msg.flags));
        if (e != Errno.OK) {
            return e;
        }
        try {
            return so.listening() ? Errno.ENOTCONN : readRecord(so, msg);
        } finally {
            so.rcv.ioUnlock();
        }
    }

    private static Errno readRecord(final Socket so, final RecvMsg msg) {
        final long asked = msg.uio.resid();
        final MbufSockBuf sb = so.rcv;
        while (true) {
            final long n;
            sb.lock.lock();
            try {
                if (sb.mb() == null) {
                    n = SoReceive.nothing(so, msg.flags, msg.uio.resid() < asked);
                } else if ((msg.flags & MSG_PEEK) != 0) {
                    return peekLocked(sb.mb(), msg);
                } else {
                    n = partLocked(sb, msg);
                }
            } finally {
                sb.lock.unlock();
            }
            if (SoReceive.mustWait(n)) {
                final Errno e = sb.sbwait(1);
                if (e != Errno.OK) {
                    return e;
                }
                continue;
            }
            if (n < 0) {
                return Errno.of((int) n);
            }
            if (n > 0) {
                SoReceive.received(so, 0);
            }
            final boolean all = (msg.flags & (MSG_WAITALL | MSG_EOR)) != MSG_WAITALL;
            if (n == 0 || all || msg.uio.resid() == 0) {
                return Errno.OK;
            }
        }
    }

    /** Takes octets of the first record; answers how many, control and address included, or a negative errno. */
    private static int partLocked(final MbufSockBuf sb, final RecvMsg msg) {
        int head = 0;
        Mbuf m = sb.mb();
        if (m.type() == MT_SONAME) {
            head = m.len();
        }
        m = sender(m, msg.from);
        final Mbuf control = m;
        while (m != null && m.type() == MT_CONTROL) {
            head += m.len();
            m = m.next();
        }
        if (m != control && msg.wantControl) {
            msg.control = control.copyM(0, head - (control == sb.mb() ? 0 : sb.mb().len()));
            if (msg.control == null) {
                return -Errno.ENOBUFS.code();
            }
        } else if (m != control) {
            msg.flags |= MSG_CTRUNC;
        }
        return head + partOfData(sb, m, head, msg);
    }

    private static int partOfData(final MbufSockBuf sb, final Mbuf data, final int head, final RecvMsg msg) {
        int n = 0;
        Mbuf m = data;
        boolean end = data == null;
        while (m != null && !end && n < msg.uio.resid()) {
            final int here = (int) Math.min(m.len(), msg.uio.resid() - n);
            n += here;
            end = here == m.len() && (m.has(M_EOR) || m.next() == null && sb.mb().nextPkt() != null);
            m = m.next();
        }
        if (end) {
            msg.flags |= MSG_EOR;
        }
        if (msg.wantMbufs && n > 0) {
            msg.mbufs = data.copyM(0, n);
            msg.uio.skip(msg.mbufs == null ? 0 : n);
        } else {
            UioMbuf.copyOut(data, n, msg.uio);
        }
        sb.dropLocked(head + n);
        return n;
    }
}
