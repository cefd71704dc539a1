package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.MSG_DONTWAIT;
import static io.gatun.spi.socket.SocketDefs.MSG_WAITFORONE;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.Protosw;
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
        int sent = 0;
        while (sent < vlen) {
            if (sent > 0 && so.error() != Errno.OK) {
                return sent; // for the next call to report
            }
            int n = past(so, vec, sent, vlen, flags);
            if (n == 0) {
                final int small = smallOnes(so, vec, sent, vlen);
                n = small > 1 ? burst(so, vec, sent, small, flags) : one(so, vec[sent], flags);
            }
            if (n < 0) {
                return sent > 0 ? sent : n;
            }
            sent += n;
            if (sent < vlen) {
                so.vnet().netisr().swi();
            }
        }
        return sent;
    }

    /** Sends what goes without a packet, from {@code from} on, up to the first that does not. Answers how many. */
    private static int past(
        final Socket so, final Mmsghdr[] vec, final int from, final int vlen, final int flags) {
        final int most = Math.min(vlen - from, BURST);
        int n = 0;
        while (n < most) {
            final Mmsghdr m = vec[from + n];
            final long before = m.hdr.uio.resid();
            if (m.hdr.control != null || !SoSend.past(so, m.hdr.from, m.hdr.uio, flags)) {
                return n;
            }
            m.len = before;
            n++;
        }
        return n;
    }

    /** 1, or a negative errno. */
    private static int one(final Socket so, final Mmsghdr m, final int flags) {
        final RecvMsg hdr = m.hdr;
        final long before = hdr.uio.resid();
        final Mbuf control = hdr.control;
        hdr.control = null;
        m.len = 0;
        final Errno e = so.proto.sosend(so, hdr.from, hdr.uio, null, control, flags);
        m.len = before - hdr.uio.resid();
        return e == Errno.OK || m.len > 0 && Socket.hidden(e) ? 1 : -e.code();
    }

    /** How many messages from {@code from} on are a packet of one mbuf each, and nothing else. */
    private static int smallOnes(final Socket so, final Mmsghdr[] vec, final int from, final int vlen) {
        final int most = so.proto.has(Protosw.PR_ATOMIC) ? Math.min(vlen - from, BURST) : 0;
        final int room = Mbuf.MHLEN - so.vnet().pool().maxHdr();
        int n = 0;
        while (n < most && vec[from + n].hdr.control == null && vec[from + n].hdr.uio.resid() <= room) {
            n++;
        }
        return n;
    }

    /**
     * Makes packets of small messages first and sends them then: the memory of all of them, which whoever received the
     * last ones has had since, comes at once in this way.
     *
     * @return how many were sent; a negative errno when the first was not
     */
    private static int burst(
        final Socket so, final Mmsghdr[] vec, final int from, final int n, final int flags) {
        Mbuf m = UioMbuf.packets(so.vnet().pool(), vec, from, n, so.vnet().pool().maxHdr());
        if (m == null) {
            return -Errno.ENOBUFS.code();
        }
        int sent = 0;
        Errno e = Errno.OK;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            final Mmsghdr msg = vec[from + sent];
            final int len = m.pktLen();
            msg.len = 0;
            e = so.proto.sosend(so, msg.hdr.from, null, m, null, flags);
            m = next;
            if (e != Errno.OK) {
                msg.hdr.uio.back(len);
                unsend(m, vec, from + sent + 1);
                break;
            }
            msg.len = len;
            sent++;
        }
        return sent > 0 ? sent : -e.code();
    }

    /** Gives the octets of packets back to their messages. Consumes first, which may be null. */
    private static void unsend(final Mbuf first, final Mmsghdr[] vec, final int from) {
        int i = from;
        for (Mbuf m = first; m != null; m = m.nextPkt()) {
            vec[i].hdr.uio.back(m.pktLen());
            vec[i].len = 0;
            i++;
        }
        if (first != null) {
            first.freePkts();
        }
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
