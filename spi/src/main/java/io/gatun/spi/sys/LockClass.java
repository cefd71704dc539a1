package io.gatun.spi.sys;

/**
 * The kinds of lock, in the order in which one thread may take them: a lock may be taken while locks of earlier kinds
 * are held, never while one of a later kind is. Two locks of one kind may be held together only where {@link #nestable}
 * says so (a listener before its child, the two ends of a unix pair).
 */
public enum LockClass {
    /** Configuration: interface tables, routes being written, sysctl handlers. Taken with nothing else held. */
    CONFIG(true),
    /** One whole send or receive call on a socket. @bsd SOCK_IO_SEND_LOCK */
    SOCK_IO(true),
    /** A protocol control block. @bsd INP_WLOCK */
    INPCB(true),
    /** Writers of a pcb hash or port table. @bsd INP_HASH_WLOCK */
    INPCB_HASH(false),
    /** A socket's state, and a listener's queues. @bsd SOCK_LOCK */
    SOCKET(true),
    /** One direction of a socket. @bsd SOCKBUF_LOCK */
    SOCKBUF(true),
    /** A link-layer table, a reassembly queue, an interface's lists: leaves from the sockets' point of view. */
    NET_LEAF(true),
    /** Callout wheel, run queues and pool depots: nothing is taken under them. */
    LEAF(false);

    private final boolean nestable;

    LockClass(final boolean nestable) {
        this.nestable = nestable;
    }

    /** Whether a thread may hold two different locks of this kind. */
    public boolean nestable() {
        return nestable;
    }
}
