package io.gatun.spi.socket;

import io.gatun.spi.vnet.SysctlTree;

/**
 * Keeps connections of a listener back from accept until what has arrived on them is worth waking a server for. Chosen
 * per listener by SO_ACCEPTFILTER with an {@link AcceptFilterArg}. Found by {@link java.util.ServiceLoader}; each vnet
 * loads its own instance. A filter needs {@code io.gatun.spi} alone.
 *
 * <p>Life: {@link #create} when a listener takes it, {@link #callback} on each of its connections once the handshake is
 * over and again whenever octets or the end arrive, until it says SU_ISCONNECTED, {@link #destroy} when the listener
 * ends or gives it up. A connection that is held counts among the incomplete: when more wait than the backlog, the
 * oldest is ended.
 *
 * @bsd struct accept_filter
 * @see <a href="https://man.freebsd.org/accept_filter/9">accept_filter(9)</a>
 */
public interface AcceptFilter {
    /** Longest name, octets without a terminator. */
    int NAME_MAX = 15;

    /** As in {@link AcceptFilterArg}: 1 to {@link #NAME_MAX} characters. @bsd accf_name */
    String name();

    /** The vnet begins: adds the filter's tunables, below {@code net.inet.accf.NAME}. */
    default void modInit(final SysctlTree tree) {
        // most have none
    }

    /**
     * A listener takes the filter. The listener's lock is not held; may allocate.
     *
     * @param arg what the program gave with the name; empty for nothing
     * @return the state that {@link #callback} gets; null refuses, and the option fails with EINVAL. DIFFERS: by
     *     default an argument is refused, where FreeBSD passes over it
     * @bsd accf_create
     */
    default Object create(final String arg) {
        return arg.isEmpty() ? this : null;
    }

    /**
     * Decides about a connection. Runs on the thread that brought the octets, with the lock of {@code so.rcv()} held
     * and maybe the pcb's: looks at {@code so.rcv()} from its first mbuf on, takes nothing out, calls nothing else,
     * does not block and does not allocate. It must say SU_ISCONNECTED once {@link #full} does, or the connection waits
     * for ever.
     *
     * @param state from {@link #create}; the calls of different connections may come at the same time
     * @return SU_OK to go on holding it, SU_ISCONNECTED to let accept have it
     * @bsd accf_callback
     */
    int callback(SocketSide so, Object state);

    /**
     * The listener ends or gives the filter up: frees what {@link #create} made. No connection of it is held any more;
     * a callback for one that is being ended may still come.
     *
     * @bsd accf_destroy
     */
    default void destroy(final Object state) {
        // nothing to free
    }

    /**
     * Whether waiting for more is pointless: nothing more can come, or hardly more would fit. Under the buffer's lock.
     *
     * <p>DIFFERS: FreeBSD waits until nothing fits at all, which may never be, since TCP closes its window when less
     * than a quarter of the buffer is free.
     *
     * @bsd sbfull
     */
    static boolean full(final SockBuf rcv) {
        return (rcv.state() & SocketDefs.SBS_CANTRCVMORE) != 0 || rcv.space() < rcv.hiwat() >> 2;
    }
}
