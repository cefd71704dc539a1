package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.MSG_DONTWAIT;
import static io.gatun.spi.socket.SocketDefs.MSG_WAITFORONE;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.sys.Errno;

/**
 * Several messages in one call. Each goes through the protocol's own slot, so any protocol has it; what is saved is
 * what a call costs beside its message, and the packets of a burst are worked off together.
 */
final class SoMmsg {
    /** Messages between one run of the stack and the next: few enough for every queue on their way. */
    private static final int BURST = 64;

    private SoMmsg() {
    }

    /** @bsd sendmmsg */
    static int send(final Socket so, final Mmsghdr[] vec, final int vlen, final int flags) {
        for (int sent = 0; sent < vlen; sent++) {
            if (sent % BURST == 0 && sent > 0) {
                so.vnet().netisr().swi();
            }
            final RecvMsg hdr = vec[sent].hdr;
            final long before = hdr.uio.resid();
            vec[sent].len = 0;
            final Mbuf control = hdr.control;
            hdr.control = null;
            final Errno e = so.proto.sosend(so, hdr.from, hdr.uio, null, control, flags);
            vec[sent].len = before - hdr.uio.resid();
            if (e != Errno.OK && (vec[sent].len == 0 || !Socket.hidden(e))) {
                return sent > 0 ? sent : -e.code();
            }
        }
        return vlen;
    }

    /** Whether a call that does not wait would find nothing. */
    static boolean idle(final Socket so, final Mmsghdr first, final int flags) {
        first.hdr.flags = flags & ~MSG_WAITFORONE;
        return SoReceive.idle(so, first.hdr);
    }

    /** @bsd recvmmsg */
    static int receive(final Socket so, final Mmsghdr[] vec, final int vlen, final int flags) {
        int each = flags & ~MSG_WAITFORONE;
        for (int got = 0; got < vlen; got++) {
            final RecvMsg hdr = vec[got].hdr;
            final long before = hdr.uio.resid();
            hdr.flags = each;
            final Errno e = so.proto.soreceive(so, hdr);
            vec[got].len = before - hdr.uio.resid();
            if (e != Errno.OK && (vec[got].len == 0 || !Socket.hidden(e))) {
                return got > 0 ? got : -e.code();
            }
            if ((flags & MSG_WAITFORONE) != 0) {
                each |= MSG_DONTWAIT;
            }
        }
        return vlen;
    }
}
