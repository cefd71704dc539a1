package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.MSG_DONTWAIT;
import static io.gatun.spi.socket.SocketDefs.SO_ACCEPTFILTER;
import static io.gatun.spi.socket.SocketDefs.SO_DONTROUTE;
import static io.gatun.spi.socket.SocketDefs.SO_KEEPALIVE;
import static io.gatun.spi.socket.SocketDefs.SO_LINGER;
import static io.gatun.spi.socket.SocketDefs.SO_NOSIGPIPE;
import static io.gatun.spi.socket.SocketDefs.SO_OOBINLINE;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTING;
import static io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTING;

import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.Netisr;

/** How connections begin: connect, accept, and the children of listeners. */
final class SoConnect {
    private static final int INHERITED =
        SO_ACCEPTFILTER | SO_KEEPALIVE | SO_DONTROUTE | SO_LINGER | SO_OOBINLINE | SO_NOSIGPIPE;
    private static final int SPIN_ROUND = 32;

    private SoConnect() {
    }

    // ---- active ------------------------------------------------------------

    /** @bsd kern_connectat */
    static Errno connect(final Socket so, final SockAddr nam, final Ucred asker) {
        if (so.listening()) {
            return Errno.EOPNOTSUPP;
        }
        final int state = so.state();
        if ((state & SS_ISCONNECTING) != 0) {
            return Errno.EALREADY;
        }
        if ((state & SS_ISCONNECTED) != 0) {
            // A datagram socket may change its peer.
            if (so.proto.has(Protosw.PR_CONNREQUIRED) || disconnect(so) != Errno.OK) {
                return Errno.EISCONN;
            }
        }
        // What befell an earlier connection is no news to this one.
        so.setError(Errno.OK);
        final Errno e = so.proto.connect(so, nam, asker);
        if (e != Errno.OK) {
            so.changeState(0, SS_ISCONNECTING);
            return e;
        }
        return awaitConnected(so);
    }

    private static Errno awaitConnected(final Socket so) {
        so.vnet().netisr().swi();
        while (connecting(so)) {
            if (!so.userHeld()) {
                return Errno.EBADF;
            }
            if (so.nonBlocking()) {
                return Errno.EINPROGRESS;
            }
            final Errno e = await(so);
            if (e != Errno.OK) {
                return e;
            }
        }
        final Errno e = so.takeError();
        if (e != Errno.OK) {
            so.changeState(0, SS_ISCONNECTING);
        }
        if (so.sockets.shared) {
            so.sockets.crowd.giveWay();
        }
        return e;
    }

    private static boolean connecting(final Socket so) {
        return (so.state() & SS_ISCONNECTING) != 0 && so.error() == Errno.OK;
    }

    /** The time-out is SO_SNDTIMEO. DIFFERS: FreeBSD's connect has none of its own. */
    private static Errno await(final Socket so) {
        final Netisr netisr = so.vnet().netisr();
        if (!so.vnet().threaded()) {
            while (connecting(so) && netisr.pending()) {
                netisr.swi();
            }
            return connecting(so) ? Errno.EINPROGRESS : Errno.OK;
        }
        final int budget = Thread.currentThread().isVirtual() ? 0 : so.sockets.spinNs.getInt();
        final long start = so.vnet().clock().nanoTime();
        for (int i = 1; i < budget && connecting(so); i++) {
            Thread.onSpinWait();
            if (i % SPIN_ROUND == 0) {
                netisr.swi();
                if (so.vnet().clock().nanoTime() - start >= budget) {
                    break;
                }
            }
        }
        final Errno e = so.awaitState(SS_ISCONNECTING, so.snd.timeoNs());
        return e == Errno.EAGAIN ? Errno.EINPROGRESS : e;
    }

    /** @bsd sodisconnect */
    static Errno disconnect(final Socket so) {
        final int state = so.state();
        if ((state & SS_ISCONNECTED) == 0) {
            return Errno.ENOTCONN;
        }
        return (state & SS_ISDISCONNECTING) != 0 ? Errno.EALREADY : so.proto.disconnect(so);
    }

    /** @bsd soconnect2 */
    static Errno connect2(final Socket one, final Socket two) {
        final Errno e = one.proto.connect2(one, two);
        // Datagram sockets are connected one way at a time.
        return e == Errno.OK && one.type() == SocketDefs.SOCK_DGRAM ? one.proto.connect2(two, one) : e;
    }

    // ---- passive ------------------------------------------------------------

    /**
     * Whether an accept that does not wait would find nothing, seen without a lock and without a reference, so that a
     * thread that polls a listener writes to no cache line that those who fill its queue need.
     */
    static boolean idle(final Socket so, final int flags) {
        final AcceptQueue queue = so.sol();
        return queue != null && queue.qlen() == 0 && (so.nonBlocking() || (flags & MSG_DONTWAIT) != 0)
            && so.userHeld() && so.error() == Errno.OK;
    }

    /** @bsd kern_accept4 */
    static SoResult accept(final Socket so, final SockAddr nam, final int flags) {
        final AcceptQueue queue = so.sol();
        if (queue == null) {
            return SoResult.failed(Errno.EINVAL);
        }
        while (true) {
            final Socket child = queue.poll();
            if (child != null) {
                return accepted(so, child, nam);
            }
            if (!so.userHeld()) {
                return SoResult.failed(Errno.ECONNABORTED);
            }
            Errno e = so.takeError();
            if (e == Errno.OK) {
                e = so.nonBlocking() || (flags & MSG_DONTWAIT) != 0 ? Errno.EAGAIN : queue.await();
            }
            if (e != Errno.OK) {
                return SoResult.failed(e);
            }
        }
    }

    private static SoResult accepted(final Socket so, final Socket child, final SockAddr nam) {
        if (child.listener != null) {
            child.listener = null;
            so.rele();
        }
        child.inheritState(so);
        final Errno e = child.proto.accept(child, nam == null ? new SockAddr() : nam);
        if (e != Errno.OK) {
            child.close();
            return SoResult.failed(e);
        }
        return SoResult.of(child);
    }

    /** Runs in a receive context, maybe with the listener's pcb locked: never waits. @bsd sonewconn */
    static Socket newConn(final Socket head, final int connstatus) {
        final AcceptQueue queue = head.sol();
        if (queue == null || !queue.admit() || !head.sockets.enter()) {
            return null;
        }
        final Socket so = clone(head);
        if (so.attach(0, head.cred()) != Errno.OK) {
            return null;
        }
        // Behind a filter it is complete when isConnected is called, and the filter is content.
        final int status = queue.filter() == null ? connstatus : 0;
        if (status != 0) {
            so.changeState(status, 0);
        }
        if (!queue.enqueue(so, status != 0)) {
            head.sockets.defer.child(so, true);
            return null;
        }
        return so;
    }

    /** @bsd solisten_clone */
    private static Socket clone(final Socket head) {
        final Socket so = new Socket(head.sockets, head.proto, head.family, head.cred(), head.options() & INHERITED);
        so.setLinger(head.linger());
        so.setFibnum(head.fibnum());
        so.setUserCookie(head.userCookie());
        so.beginAs(head);
        so.snd.inherit(head.snd);
        so.rcv.inherit(head.rcv);
        return so;
    }
}
