package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.POLLERR;
import static io.gatun.spi.socket.SocketDefs.POLLHUP;
import static io.gatun.spi.socket.SocketDefs.POLLIN;
import static io.gatun.spi.socket.SocketDefs.POLLINIGNEOF;
import static io.gatun.spi.socket.SocketDefs.POLLOUT;
import static io.gatun.spi.socket.SocketDefs.POLLPRI;
import static io.gatun.spi.socket.SocketDefs.POLLRDBAND;
import static io.gatun.spi.socket.SocketDefs.POLLRDHUP;
import static io.gatun.spi.socket.SocketDefs.POLLRDNORM;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTED;

import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;

/** Readiness. Takes no lock: an answer may be old by the time it is read, as it always may. */
final class SoPoll {
    private SoPoll() {
    }

    /** @bsd sopoll_generic */
    static int poll(final Socket so, final int events) {
        return so.listening() ? pollListen(so, events) : pollData(so, events);
    }

    private static int pollListen(final Socket so, final int events) {
        final boolean ready = so.sol().qlen() > 0 || so.error() != Errno.OK;
        return ready ? events & (POLLIN | POLLRDNORM) : 0;
    }

    private static int pollData(final Socket so, final int events) {
        final boolean ended = so.rcv.cantMore();
        int revents = 0;
        if (readableData(so)) {
            revents |= events & (POLLIN | POLLRDNORM | POLLINIGNEOF);
        } else if (ended) {
            revents |= events & (POLLIN | POLLRDNORM);
        }
        if (writeable(so)) {
            revents |= events & POLLOUT;
        }
        if (so.oobMark() > 0 || so.atMark()) {
            revents |= events & (POLLPRI | POLLRDBAND);
        }
        if (ended) {
            revents |= events & POLLRDHUP;
            revents |= so.snd.cantMore() ? POLLHUP : 0;
        }
        // DIFFERS: FreeBSD shows a pending error as readiness alone.
        return so.error() == Errno.OK ? revents : revents | POLLERR;
    }

    /** Whether a read would not wait, the end of the stream apart. @bsd soreadabledata */
    static boolean readableData(final Socket so) {
        return so.rcv.avail() >= so.rcv.lowat() || so.error() != Errno.OK
            || so.proto.has(Protosw.PR_ATOMIC) && (so.rcv.mbcnt() > 0 || (so.rcv.state() & SocketDefs.SBS_RERROR) != 0);
    }

    /** Whether a write would not wait. @bsd sowriteable */
    static boolean writeable(final Socket so) {
        final boolean connected =
            (so.state() & SS_ISCONNECTED) != 0 || !so.proto.has(Protosw.PR_CONNREQUIRED);
        return so.snd.space() >= so.snd.lowat() && connected || so.snd.cantMore() || so.error() != Errno.OK;
    }
}
