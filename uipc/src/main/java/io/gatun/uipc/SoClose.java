package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SHUT_RD;
import static io.gatun.spi.socket.SocketDefs.SHUT_RDWR;
import static io.gatun.spi.socket.SocketDefs.SHUT_WR;
import static io.gatun.spi.socket.SocketDefs.SO_LINGER;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTING;

import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import java.util.concurrent.TimeUnit;

/** How sockets end. */
final class SoClose {
    private SoClose() {
    }

    /** The user lets go; the socket is marked closed already. @bsd soclose */
    static Errno close(final Socket so) {
        final AcceptQueue queue = so.sol();
        if (queue != null) {
            queue.close();
        }
        so.wakeAll();
        Errno e = Errno.OK;
        if ((so.state() & SS_ISCONNECTED) != 0) {
            e = disconnect(so);
        }
        so.proto.close(so);
        if (queue != null) {
            Socket child = queue.drain();
            while (child != null) {
                abortChild(child, true);
                child = queue.drain();
            }
        }
        so.rele();
        so.vnet().netisr().swi();
        return e;
    }

    private static Errno disconnect(final Socket so) {
        Errno e = Errno.OK;
        if ((so.state() & SS_ISDISCONNECTING) == 0) {
            e = SoConnect.disconnect(so);
            if (e == Errno.ENOTCONN) {
                e = Errno.OK;
            }
        }
        final boolean lingers = e == Errno.OK && (so.options() & SO_LINGER) != 0 && so.linger() > 0;
        if (!lingers || (so.state() & SS_ISDISCONNECTING) != 0 && so.nonBlocking()) {
            return e;
        }
        return linger(so);
    }

    /** Waits for the end of the connection. A vnet without threads only runs what is queued. */
    private static Errno linger(final Socket so) {
        final Netisr netisr = so.vnet().netisr();
        netisr.swi();
        while ((so.state() & SS_ISCONNECTED) != 0) {
            if (so.vnet().threaded()) {
                final Errno e = so.awaitState(SS_ISCONNECTED, TimeUnit.SECONDS.toNanos(so.linger()));
                if (e != Errno.OK) {
                    return e;
                }
            } else if (netisr.pending()) {
                netisr.swi();
            } else {
                return Errno.EAGAIN;
            }
        }
        return Errno.OK;
    }

    /**
     * Ends a child that its caller took off its queue. Consumes the queue's reference and the child's on its
     * listener. No lock is held.
     *
     * @bsd soabort
     */
    static void abortChild(final Socket child, final boolean abort) {
        child.setClosed();
        if (abort) {
            child.proto.abort(child);
        }
        final Socket listener = child.listener;
        child.listener = null;
        child.rele();
        if (listener != null) {
            listener.rele();
        }
    }

    /** The last reference has gone, or attach failed. @bsd sofree */
    static void free(final Socket so) {
        if (so.wasAttached()) {
            so.proto.detach(so);
        }
        // No child is left: each has held a reference until now.
        final SoAccf.Held filter = so.listening() ? so.sol().takeFilter() : null;
        if (filter != null) {
            filter.destroy();
        }
        so.snd.destroy();
        so.rcv.destroy();
        so.sockets.leave();
    }

    /** @bsd soshutdown */
    static Errno shutdown(final Socket so, final int how) {
        if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
            return Errno.EINVAL;
        }
        final Errno e = so.proto.shutdown(so, how);
        if (e == Errno.OK && how != SHUT_WR) {
            rflush(so);
        }
        return e;
    }

    /** Ends reading, and discards what has not been read. @bsd sorflush */
    private static void rflush(final Socket so) {
        so.cantRcvMore();
        so.rcv.ioLockNoIntr();
        try {
            so.rcv.flush();
        } finally {
            so.rcv.ioUnlock();
        }
    }
}
