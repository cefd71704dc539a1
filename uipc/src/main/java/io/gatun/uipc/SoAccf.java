package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SO_ACCEPTFILTER;
import static io.gatun.spi.socket.SocketDefs.SU_ISCONNECTED;

import io.gatun.spi.socket.AcceptFilter;
import io.gatun.spi.socket.AcceptFilterArg;
import io.gatun.spi.socket.SoUpcall;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;

/**
 * Accept filters at work: a child of a listener with one is held when its handshake is over, by an upcall on its
 * receive buffer that is the filter's, and goes to accept when that says so.
 *
 * <p>A child whose handshake goes on when its listener has a filter carries SO_ACCEPTFILTER; the bit goes when it is
 * held. Whoever takes the filter away lets go all who are held.
 *
 * @bsd uipc_accf.c
 */
final class SoAccf {
    /** A filter in use by one listener. */
    record Held(AcceptFilter filter, AcceptFilterArg arg, Object state, SoUpcall upcall) {
        void destroy() {
            filter.destroy(state);
        }
    }

    private SoAccf() {
    }

    /**
     * SO_ACCEPTFILTER: gives a listener a filter, or with no object, or an empty name, takes it away.
     *
     * @return OK; EINVAL for a socket that does not listen, another object or an argument that the filter refuses,
     *     EBUSY when it has a filter, ENOENT when there is none of that name
     * @bsd accept_filt_setopt
     */
    static Errno set(final Socket so, final SockOpt opt) {
        final AcceptQueue queue = so.sol();
        final Object value = opt.object();
        if (queue == null || value != null && !(value instanceof AcceptFilterArg)) {
            return Errno.EINVAL;
        }
        final AcceptFilterArg arg = (AcceptFilterArg) value;
        return arg == null || arg.name().isEmpty() ? remove(so, queue) : install(so, queue, arg);
    }

    private static Errno install(final Socket so, final AcceptQueue queue, final AcceptFilterArg arg) {
        final AcceptFilter filter = so.sockets.acceptFilters().get(arg.name());
        if (filter == null || queue.filter() != null) {
            return filter == null ? Errno.ENOENT : Errno.EBUSY;
        }
        final Object state = filter.create(arg.arg());
        if (state == null) {
            return Errno.EINVAL;
        }
        final Held held = new Held(filter, arg, state, filter::callback);
        if (!queue.setFilter(held)) {
            held.destroy();
            return Errno.EBUSY;
        }
        so.changeOptions(SO_ACCEPTFILTER, 0);
        return Errno.OK;
    }

    private static Errno remove(final Socket so, final AcceptQueue queue) {
        final Held held = queue.takeFilter();
        if (held == null) {
            return Errno.OK;
        }
        so.changeOptions(0, SO_ACCEPTFILTER);
        for (final Socket child : queue.incomplete()) {
            if (release(child, held)) {
                child.isConnected();
            }
            child.rele();
        }
        held.destroy();
        return Errno.OK;
    }

    /** Ends the hold of that filter on a child; false when there is none. */
    private static boolean release(final Socket child, final Held held) {
        child.rcv.lock.lock();
        try {
            if (!child.rcv.upcallIsLocked(held.upcall)) {
                return false;
            }
            child.rcv.upcallClearLocked();
            return true;
        } finally {
            child.rcv.lock.unlock();
        }
    }

    /** @bsd accept_filt_getopt */
    static Errno get(final Socket so, final SockOpt opt) {
        final Held held = so.listening() ? so.sol().filter() : null;
        if (held == null) {
            return Errno.EINVAL;
        }
        opt.answer(held.arg);
        return Errno.OK;
    }

    /**
     * A child's handshake is over: whether its listener's filter holds it back from now on. To be asked each time;
     * holds it once.
     */
    static boolean hold(final Socket child, final AcceptQueue queue) {
        final Held held = queue.filter();
        if (held == null || (child.options() & SO_ACCEPTFILTER) == 0) {
            return false;
        }
        child.changeOptions(0, SO_ACCEPTFILTER);
        child.rcv.lock.lock();
        try {
            child.rcv.upcallSetLocked(held.upcall, held.state);
            // Who took the filter away meanwhile looks at this buffer after it did, or has been seen here.
            if (queue.filter() == held && held.upcall.upcall(child, held.state) != SU_ISCONNECTED) {
                return true;
            }
            child.rcv.upcallClearLocked();
            return false;
        } finally {
            child.rcv.lock.unlock();
        }
    }
}
