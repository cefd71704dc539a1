package io.gatun.uipc;

import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.socket.Protosw.PR_ATOMIC;
import static io.gatun.spi.socket.Protosw.PR_CONNREQUIRED;
import static io.gatun.spi.socket.Protosw.PR_SOCKBUF;
import static io.gatun.spi.socket.Protosw.PR_WANTRCVD;
import static io.gatun.spi.socket.SocketDefs.MSG_DONTWAIT;
import static io.gatun.spi.socket.SocketDefs.MSG_NBIO;
import static io.gatun.spi.socket.SocketDefs.MSG_OOB;
import static io.gatun.spi.socket.SocketDefs.MSG_PEEK;
import static io.gatun.spi.socket.SocketDefs.MSG_WAITALL;
import static io.gatun.spi.socket.SocketDefs.SBS_RCVATMARK;
import static io.gatun.spi.socket.SocketDefs.SBS_RERROR;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTING;
import static io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTING;
import static io.gatun.spi.socket.SocketDefs.SS_NBIO;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;

/**
 * Receiving from streams. What is read is cut from the buffer in one round trip through its lock, copied and freed
 * outside of it; nothing is allocated.
 */
final class SoReceive {
    /** So few octets of an mbuf that stays are copied under the lock; more are worth a pin. */
    private static final int PIN_MIN = 256;
    /** {@link #deliverable}: neither octets nor a reason to return. */
    private static final long WAIT = Long.MIN_VALUE;

    private SoReceive() {
    }

    /** Whatever the protocol's kind. @bsd soreceive_generic */
    static Errno generic(final Socket so, final RecvMsg msg) {
        if ((msg.flags & MSG_OOB) != 0) {
            return outOfBand(so, msg);
        }
        if (so.type() == SOCK_STREAM) {
            return stream(so, msg);
        }
        return so.proto.has(PR_ATOMIC) ? SoReceiveRecord.dgram(so, msg) : SoReceiveRecord.records(so, msg);
    }

    /** @bsd soreceive_stream */
    static Errno stream(final Socket so, final RecvMsg msg) {
        if ((msg.flags & MSG_OOB) != 0) {
            return outOfBand(so, msg);
        }
        final Errno e = so.rcv.ioLock(mayWait(so, msg.flags));
        if (e != Errno.OK) {
            return e;
        }
        try {
            if (msg.from != null) {
                msg.from.clear();
            }
            return so.listening() ? Errno.ENOTCONN : readAll(so, msg);
        } finally {
            so.rcv.ioUnlock();
        }
    }

    /**
     * Whether a call that does not wait would find nothing, seen without a lock and without a reference, so that a
     * thread that polls a socket writes to no cache line that the thread which fills its buffer needs.
     */
    static boolean idle(final Socket so, final RecvMsg msg) {
        final MbufSockBuf sb = so.rcv;
        final SoReader r = so.reader();
        if (r != null && r.taken != null) {
            return false; // seen without the line that who fills the buffer writes to
        }
        return !mayWait(so, msg.flags) && sb.mbcnt() == 0
            && (msg.flags & MSG_OOB) == 0 && msg.uio.resid() > 0 && !sb.cantMore()
            && (sb.state() & SBS_RERROR) == 0 && so.userHeld() && so.error() == Errno.OK
            && !so.listening() && !so.proto.has(PR_SOCKBUF)
            && ((so.state() & SS_ISCONNECTED) != 0 || !so.proto.has(PR_CONNREQUIRED));
    }

    static boolean mayWait(final Socket so, final int flags) {
        return (so.state() & SS_NBIO) == 0 && (flags & (MSG_DONTWAIT | MSG_NBIO)) == 0;
    }

    private static Errno readAll(final Socket so, final RecvMsg msg) {
        final long asked = msg.uio.resid();
        while (true) {
            final long n = readOnce(so, msg, msg.uio.resid() < asked);
            if (n == WAIT) {
                final int lowat = (int) Math.min(Math.min(so.rcv.lowat(), msg.uio.resid()), so.rcv.hiwat());
                final Errno e = so.rcv.sbwait(lowat);
                if (e != Errno.OK) {
                    return e;
                }
                continue;
            }
            if (n <= 0) {
                return n == 0 ? Errno.OK : Errno.of((int) n);
            }
            final boolean more = (msg.flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL && msg.uio.resid() > 0;
            if (!more || so.atMark()) {
                return Errno.OK;
            }
        }
    }

    /** Octets delivered; 0 at the end of the stream; a negative errno; or WAIT. */
    private static long readOnce(final Socket so, final RecvMsg msg, final boolean some) {
        final MbufSockBuf sb = so.rcv;
        final Uio uio = msg.uio;
        final boolean peek = (msg.flags & MSG_PEEK) != 0;
        final int n;
        int rest = 0;
        Mbuf whole = null;
        Mbuf pinned = null;
        sb.lock.lock();
        try {
            final long found = deliverable(so, msg, some);
            if (found <= 0) {
                return found;
            }
            n = (int) found;
            if (peek || msg.wantMbufs) {
                return special(so, msg, n);
            }
            uio.access();
            whole = sb.cutLocked(n);
            rest = n - (whole == null ? 0 : whole.length());
            markLocked(so, n);
            if (rest > 0 && whole == null && rest <= PIN_MIN) {
                final Mbuf m = sb.mb();
                uio.moveFrom(m.seg(), m.data() - rest, rest);
                rest = 0;
            } else if (rest > 0) {
                pinned = sb.pinLocked();
            }
        } finally {
            sb.lock.unlock();
        }
        deliver(so, uio, whole, pinned, rest);
        return n;
    }

    /** Copies out what was cut. The rest lies just before the front of the pinned mbuf. Consumes whole. */
    private static void deliver(
        final Socket so, final Uio uio, final Mbuf whole, final Mbuf pinned, final int rest) {
        try {
            for (Mbuf m = whole; m != null; m = m.next()) {
                uio.moveFrom(m.seg(), m.data(), m.len());
            }
            if (pinned != null) {
                uio.moveFrom(pinned.seg(), pinned.data() - rest, rest);
            }
        } finally {
            if (whole != null) {
                whole.freeChain();
            }
            if (pinned != null) {
                so.rcv.unpin(pinned);
            }
        }
        received(so, 0);
    }

    /** Tells the protocol that there is room. */
    static void received(final Socket so, final int flags) {
        if (!so.proto.has(PR_WANTRCVD)) {
            return;
        }
        final SoFusion f = so.incoming();
        if (f != null && f.roomMade()) {
            return;
        }
        if ((so.state() & (SS_ISCONNECTED | SS_ISDISCONNECTING)) != 0 || !so.proto.has(PR_CONNREQUIRED)) {
            so.proto.rcvd(so, flags);
        }
    }

    /** How many octets may be delivered now; the receive buffer is locked. */
    private static long deliverable(final Socket so, final RecvMsg msg, final boolean some) {
        final MbufSockBuf sb = so.rcv;
        final long resid = msg.uio.resid();
        final int avail = sb.acc;
        if (resid == 0) {
            return 0;
        }
        if (avail == 0) {
            return nothing(so, msg.flags, some);
        }
        final int mark = so.oobMark();
        final long n = Math.min(resid, mark > 0 ? Math.min(avail, mark) : avail);
        final boolean enough = avail >= sb.lowat() || n == resid || sb.space() <= 0;
        return enough || mark > 0 || sb.cantMore() || so.error() != Errno.OK || !mayWait(so, msg.flags) ? n : WAIT;
    }

    /** The answer of an empty buffer: 0 for the end, a negative errno, or WAIT. */
    static long nothing(final Socket so, final int flags, final boolean some) {
        if (!so.userHeld()) {
            return -Errno.EBADF.code();
        }
        if (so.error() != Errno.OK) {
            // With something read already the error keeps for the next call.
            return some ? 0 : -((flags & MSG_PEEK) != 0 ? so.error() : so.takeError()).code();
        }
        if ((so.rcv.state() & SBS_RERROR) != 0) {
            so.rcv.setStateBits(0, (flags & MSG_PEEK) != 0 ? 0 : SBS_RERROR);
            return -Errno.ENOBUFS.code();
        }
        if (so.rcv.cantMore()) {
            return 0;
        }
        final int known = SS_ISCONNECTED | SS_ISCONNECTING | SS_ISDISCONNECTING | SS_ISDISCONNECTED;
        if ((so.state() & known) == 0 && so.proto.has(PR_CONNREQUIRED)) {
            return -Errno.ENOTCONN.code();
        }
        return mayWait(so, flags) ? WAIT : -Errno.EAGAIN.code();
    }

    static boolean mustWait(final long n) {
        return n == WAIT;
    }

    /** Moves the urgent mark along: n octets were taken. */
    private static void markLocked(final Socket so, final int n) {
        final int mark = so.oobMark();
        if (mark == 0) {
            if ((so.rcv.state() & SBS_RCVATMARK) != 0) {
                so.rcv.setStateBits(0, SBS_RCVATMARK);
            }
            return;
        }
        so.setOobMark(mark - n);
        so.rcv.setStateBits(mark == n ? SBS_RCVATMARK : 0, mark == n ? 0 : SBS_RCVATMARK);
    }

    /** Peeking, and delivery of mbufs; the receive buffer is locked. Octets delivered, or a negative errno. */
    private static long special(final Socket so, final RecvMsg msg, final int n) {
        final MbufSockBuf sb = so.rcv;
        final boolean peek = (msg.flags & MSG_PEEK) != 0;
        if (!msg.wantMbufs) {
            UioMbuf.copyOut(sb.mb(), n, msg.uio);
            return n;
        }
        if (peek) {
            msg.mbufs = sb.mb().copyM(0, n);
            return msg.mbufs == null ? -Errno.ENOBUFS.code() : taken(msg, n);
        }
        // The last octets may share an mbuf with some that stay: those are shared, not moved.
        int before = 0;
        Mbuf m = sb.mb();
        while (m != null && before + m.len() <= n) {
            before += m.len();
            m = m.next();
        }
        Mbuf rest = null;
        if (before < n) {
            rest = m.copyM(0, n - before);
            if (rest == null && before == 0) {
                return -Errno.ENOBUFS.code();
            }
        }
        final int all = rest == null ? before : n;
        Mbuf chain = sb.cutLocked(all);
        if (chain == null) {
            chain = rest;
        } else if (rest != null) {
            chain.last().next(rest);
        }
        if (msg.mbufs == null) {
            msg.mbufs = chain;
        } else {
            msg.mbufs.last().next(chain);
        }
        markLocked(so, all);
        return taken(msg, all);
    }

    private static long taken(final RecvMsg msg, final int n) {
        msg.uio.skip(n);
        return n;
    }

    /** @bsd soreceive_rcvoob */
    private static Errno outOfBand(final Socket so, final RecvMsg msg) {
        final Mbuf m = so.vnet().pool().get(MT_DATA);
        if (m == null) {
            return Errno.ENOBUFS;
        }
        try {
            final Errno e = so.proto.rcvoob(so, m, msg.flags & MSG_PEEK);
            if (e == Errno.OK) {
                UioMbuf.copyOut(m, (int) Math.min(m.len(), msg.uio.resid()), msg.uio);
                msg.flags |= SocketDefs.MSG_OOB;
            }
            return e;
        } finally {
            m.freeChain();
        }
    }
}
