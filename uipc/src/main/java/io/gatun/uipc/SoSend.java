package io.gatun.uipc;

import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.M_EOR;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static io.gatun.spi.socket.Protosw.PRUS_EOF;
import static io.gatun.spi.socket.Protosw.PRUS_MORETOCOME;
import static io.gatun.spi.socket.Protosw.PRUS_OOB;
import static io.gatun.spi.socket.Protosw.PR_ATOMIC;
import static io.gatun.spi.socket.Protosw.PR_CONNREQUIRED;
import static io.gatun.spi.socket.Protosw.PR_IMPLOPCL;
import static io.gatun.spi.socket.SocketDefs.MSG_DONTROUTE;
import static io.gatun.spi.socket.SocketDefs.MSG_DONTWAIT;
import static io.gatun.spi.socket.SocketDefs.MSG_EOF;
import static io.gatun.spi.socket.SocketDefs.MSG_EOR;
import static io.gatun.spi.socket.SocketDefs.MSG_MORETOCOME;
import static io.gatun.spi.socket.SocketDefs.MSG_NBIO;
import static io.gatun.spi.socket.SocketDefs.MSG_OOB;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static io.gatun.spi.socket.SocketDefs.SO_DONTROUTE;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_NBIO;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;

/**
 * Sending. A stream's octets are copied outside of any buffer lock and handed to the protocol in chunks, each a chain
 * of large clusters; between two chunks the stack runs, so that a long send and its reception overlap in the cache.
 * The space in the buffer is read without its lock: while this call holds the I/O lock only the protocol changes it,
 * and only upwards.
 */
final class SoSend {
    /** Octets handed down at a time: one super-segment and a little. */
    private static final int CHUNK = 128 * 1024;
    /** Urgent data may exceed the buffer by this. */
    private static final int OOB_SPACE = 1024;
    /** A sleeping writer wakes when this part of the buffer is free. */
    private static final int WAKE_PART = 4;

    private SoSend() {
    }

    /** @bsd sosend_generic */
    static Errno generic(
        final Socket so, final SockAddr addr, final Uio uio, final Mbuf top, final Mbuf control, final int flags) {
        Errno e = so.type() == SOCK_STREAM && (flags & MSG_EOR) != 0
            ? Errno.EINVAL : so.snd.ioLock(mayWait(so, flags));
        if (e != Errno.OK) {
            discard(top, control);
            return e;
        }
        try {
            if (so.listening()) {
                discard(top, control);
                e = Errno.ENOTCONN;
            } else if (uio != null && !so.proto.has(PR_ATOMIC)) {
                e = stream(so, addr, uio, control, flags);
            } else {
                e = message(so, addr, uio, top, control, flags);
            }
            return e;
        } finally {
            so.snd.ioUnlock();
        }
    }

    private static boolean mayWait(final Socket so, final int flags) {
        return (so.state() & SS_NBIO) == 0 && (flags & (MSG_DONTWAIT | MSG_NBIO)) == 0;
    }

    /** Frees what was not sent. Consumes both; either may be null. */
    static void discard(final Mbuf top, final Mbuf control) {
        if (top != null) {
            top.freeChain();
        }
        if (control != null) {
            control.freeChain();
        }
    }

    // ---- streams ------------------------------------------------------------

    private static Errno stream(
        final Socket so, final SockAddr addr, final Uio uio, final Mbuf control, final int flags) {
        Mbuf ctl = control;
        int clen = control == null ? 0 : control.length();
        do {
            final long room = awaitSpace(so, addr, uio.resid(), clen, flags, false);
            if (room < 0) {
                discard(null, ctl);
                return Errno.of((int) room);
            }
            long left = room;
            do {
                final long before = uio.resid();
                final Mbuf m = chunk(so, uio, (int) Math.min(Math.min(before, left), CHUNK), ctl);
                if (m == null) {
                    discard(null, ctl);
                    return Errno.ENOBUFS;
                }
                left -= before - uio.resid();
                if ((flags & MSG_EOR) != 0 && uio.resid() == 0) {
                    m.last().setFlags(M_EOR);
                }
                final Errno e = put(so, prus(so, flags, uio.resid(), left), m, addr, ctl);
                ctl = null;
                clen = 0;
                if (e != Errno.OK) {
                    if (e == Errno.ENOBUFS) {
                        uio.back(before - uio.resid());
                    }
                    return e;
                }
                if (uio.resid() > 0) {
                    so.vnet().netisr().swi();
                }
            } while (uio.resid() > 0 && left > 0);
        } while (uio.resid() > 0);
        return Errno.OK;
    }

    /** Past the protocol where it allows that, else to it. Consumes m and control. */
    private static Errno put(
        final Socket so, final int prus, final Mbuf m, final SockAddr addr, final Mbuf control) {
        final SoFusion f = so.outgoing();
        if (f != null && (prus & (PRUS_OOB | PRUS_EOF)) == 0 && control == null && f.put(m)) {
            return Errno.OK;
        }
        return so.proto.send(so, prus, m, addr, control);
    }

    private static Mbuf chunk(final Socket so, final Uio uio, final int n, final Mbuf control) {
        if (n == 0) {
            return so.vnet().pool().get(MT_DATA);
        }
        boolean done = false;
        try {
            final Mbuf m = UioMbuf.stream(so.vnet().pool(), uio, n);
            done = true;
            return m;
        } finally {
            if (!done) {
                discard(null, control);
            }
        }
    }

    private static int prus(final Socket so, final int flags, final long resid, final long left) {
        if ((flags & MSG_OOB) != 0) {
            return PRUS_OOB;
        }
        if ((flags & MSG_EOF) != 0 && so.proto.has(PR_IMPLOPCL) && resid <= 0) {
            return PRUS_EOF;
        }
        return (flags & MSG_MORETOCOME) != 0 || resid > 0 && left > 0 ? PRUS_MORETOCOME : 0;
    }

    // ---- messages, and mbufs ------------------------------------------------------------

    private static Errno message(
        final Socket so, final SockAddr addr, final Uio uio, final Mbuf top, final Mbuf control, final int flags) {
        final int clen = control == null ? 0 : control.length();
        final long resid = uio != null ? uio.resid() : top.has(M_PKTHDR) ? top.pktLen() : top.length();
        final long room = awaitSpace(so, addr, resid, clen, flags, true);
        if (room < 0) {
            discard(top, control);
            return Errno.of((int) room);
        }
        return sendMessage(so, addr, uio, top, control, flags);
    }

    private static Errno sendMessage(
        final Socket so, final SockAddr addr, final Uio uio, final Mbuf top, final Mbuf control, final int flags) {
        Mbuf m = top;
        if (uio != null) {
            m = packet(so, uio, control);
            if (m == null) {
                discard(null, control);
                return Errno.ENOBUFS;
            }
        }
        if ((flags & MSG_EOR) != 0) {
            m.last().setFlags(M_EOR);
        }
        final int prus = prus(so, flags, 0, 0);
        if ((flags & MSG_DONTROUTE) == 0 || (so.options() & SO_DONTROUTE) != 0) {
            return so.proto.send(so, prus, m, addr, control);
        }
        so.changeOptions(SO_DONTROUTE, 0);
        try {
            return so.proto.send(so, prus, m, addr, control);
        } finally {
            so.changeOptions(0, SO_DONTROUTE);
        }
    }

    private static Mbuf packet(final Socket so, final Uio uio, final Mbuf control) {
        boolean done = false;
        try {
            final Mbuf m = UioMbuf.packet(so.vnet().pool(), uio, so.vnet().pool().maxHdr());
            done = true;
            return m;
        } finally {
            if (!done) {
                discard(null, control);
            }
        }
    }

    /** Without the I/O lock, without waiting: a message goes as a whole or not at all. @bsd sosend_dgram */
    static Errno dgram(
        final Socket so, final SockAddr addr, final Uio uio, final Mbuf top, final Mbuf control, final int flags) {
        assert so.proto.has(PR_ATOMIC) : "sosend_dgram of a stream";
        final int clen = control == null ? 0 : control.length();
        final long resid = uio != null ? uio.resid() : top.has(M_PKTHDR) ? top.pktLen() : top.length();
        Errno e = check(so, addr, resid, clen);
        if (e == Errno.OK && resid + clen > space(so, flags)) {
            e = Errno.EMSGSIZE;
        }
        if (e != Errno.OK) {
            discard(top, control);
            return e;
        }
        if (uio != null && control == null && pastPackets(flags) && so.proto.sendUio(so, uio, addr)) {
            return Errno.OK;
        }
        return sendMessage(so, addr, uio, top, control, flags);
    }

    private static boolean pastPackets(final int flags) {
        return (flags & (MSG_OOB | MSG_DONTROUTE | MSG_EOR)) == 0;
    }

    /** Sends a message without making one, where that goes at once. False: nothing was done. */
    static boolean past(final Socket so, final SockAddr addr, final Uio uio, final int flags) {
        return so.proto.has(PR_ATOMIC) && pastPackets(flags) && so.error() == Errno.OK
            && uio.resid() <= space(so, flags) && check(so, addr, uio.resid(), 0) == Errno.OK
            && so.proto.sendUio(so, uio, addr);
    }

    // ---- may it go? ------------------------------------------------------------

    private static Errno check(final Socket so, final SockAddr addr, final long resid, final int clen) {
        if (!so.userHeld()) {
            return Errno.EBADF;
        }
        if (so.snd.cantMore()) {
            return Errno.EPIPE;
        }
        final Errno pending = so.takeError();
        if (pending != Errno.OK || (so.state() & SS_ISCONNECTED) != 0) {
            return pending;
        }
        if (so.proto.has(PR_CONNREQUIRED) && !so.proto.has(PR_IMPLOPCL)) {
            return resid == 0 && clen != 0 ? Errno.OK : Errno.ENOTCONN;
        }
        if (addr == null) {
            return so.proto.has(PR_CONNREQUIRED) ? Errno.ENOTCONN : Errno.EDESTADDRREQ;
        }
        return Errno.OK;
    }

    private static int space(final Socket so, final int flags) {
        return so.snd.space() + ((flags & MSG_OOB) != 0 ? OOB_SPACE : 0);
    }

    /** Waits for room; answers how much, control not counted, or a negative errno. */
    private static long awaitSpace(final Socket so, final SockAddr addr, final long resid, final int clen,
        final int flags, final boolean atomic) {
        final MbufSockBuf sb = so.snd;
        while (true) {
            Errno e = check(so, addr, resid, clen);
            if (e != Errno.OK) {
                return -e.code();
            }
            final int hiwat = sb.hiwat();
            final long need = resid + clen;
            if (atomic && resid > hiwat || clen > hiwat) {
                return -Errno.EMSGSIZE.code();
            }
            final int space = space(so, flags);
            if (space >= need || !atomic && space >= sb.lowat() && space >= clen) {
                return (long) space - clen;
            }
            if (!mayWait(so, flags)) {
                return -Errno.EAGAIN.code();
            }
            e = sb.sbwait((int) (atomic ? need : Math.min(need, Math.max(sb.lowat(), hiwat / WAKE_PART))));
            if (e != Errno.OK) {
                return -e.code();
            }
        }
    }
}
