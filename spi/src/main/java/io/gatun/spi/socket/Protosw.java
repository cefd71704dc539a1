package io.gatun.spi.socket;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;

/**
 * The protocol switch: what the socket layer calls, one object per (domain, type, protocol) and vnet. A slot that a
 * protocol does not override has FreeBSD's default: EOPNOTSUPP, the generic routine, or nothing.
 *
 * <p>No lock is held at a call unless the slot says so. Mbufs handed down are consumed whatever the outcome.
 *
 * @bsd struct protosw
 * @see <a href="https://man.freebsd.org/protosw/9">protosw(9)</a>
 */
public abstract class Protosw {
    /** Exchanges atomic messages only. */
    public static final int PR_ATOMIC = 0x1;
    /** Addresses come with messages. */
    public static final int PR_ADDR = 0x2;
    /** Needs a connection to send. */
    public static final int PR_CONNREQUIRED = 0x4;
    /** Wants to hear of reads ({@link #rcvd}). */
    public static final int PR_WANTRCVD = 0x8;
    /** Can open and close implicitly with sends. */
    public static final int PR_IMPLOPCL = 0x20;
    public static final int PR_CAPATTACH = 0x80;
    /** Has socket buffers of its own. */
    public static final int PR_SOCKBUF = 0x100;

    /** {@link #send}: urgent data. */
    public static final int PRUS_OOB = 0x1;
    /** {@link #send}: the last data; shut down after it. */
    public static final int PRUS_EOF = 0x2;
    /** {@link #send}: more follows at once. */
    public static final int PRUS_MORETOCOME = 0x4;
    /** {@link #send}: the data is not ready yet. */
    public static final int PRUS_NOTREADY = 0x8;

    private final int type;
    private final int protocol;
    private final int flags;

    /**
     * @param type SOCK_*
     * @param protocol IPPROTO_*, or 0 for the only one of its type
     * @param flags PR_*
     */
    protected Protosw(final int type, final int protocol, final int flags) {
        this.type = type;
        this.protocol = protocol;
        this.flags = flags;
    }

    /** @bsd pr_type */
    public final int type() {
        return type;
    }

    /** @bsd pr_protocol */
    public final int protocol() {
        return protocol;
    }

    /** @bsd pr_flags */
    public final int flags() {
        return flags;
    }

    /** Whether it has any of these PR_* bits. */
    public final boolean has(final int flag) {
        return (flags & flag) != 0;
    }

    /**
     * Gives a fresh socket its control block. Also called for children of {@link SocketSide#newConn}, then with the
     * listener's locks held: must not wait.
     *
     * @return OK; ENOBUFS; EPERM for a raw socket without privilege; after an error detach is not called
     * @bsd pr_attach
     */
    public abstract Errno attach(SocketSide so, int proto, Ucred cred);

    /** The last reference goes: free the control block. Exactly once after a successful attach. @bsd pr_detach */
    public void detach(final SocketSide so) {
        // nothing to free
    }

    /** bind(2). EADDRINUSE, EADDRNOTAVAIL, EINVAL (bound already), EAFNOSUPPORT, EACCES. @bsd pr_bind */
    public Errno bind(final SocketSide so, final SockAddr nam, final Ucred cred) {
        return Errno.EOPNOTSUPP;
    }

    /** listen(2). @bsd pr_listen */
    public Errno listen(final SocketSide so, final int backlog, final Ucred cred) {
        return Errno.EOPNOTSUPP;
    }

    /** accept(2): fills {@code nam} with the peer's address. ECONNABORTED when it has gone meanwhile. @bsd pr_accept */
    public Errno accept(final SocketSide so, final SockAddr nam) {
        return Errno.EOPNOTSUPP;
    }

    /** connect(2): begins; {@link SocketSide#isConnected} ends it. @bsd pr_connect */
    public Errno connect(final SocketSide so, final SockAddr nam, final Ucred cred) {
        return Errno.EOPNOTSUPP;
    }

    /** socketpair(2). @bsd pr_connect2 */
    public Errno connect2(final SocketSide so1, final SocketSide so2) {
        return Errno.EOPNOTSUPP;
    }

    /** Begins an orderly disconnect. @bsd pr_disconnect */
    public Errno disconnect(final SocketSide so) {
        return Errno.EOPNOTSUPP;
    }

    /** The user closed it; the control block may outlive that. @bsd pr_close */
    public void close(final SocketSide so) {
        // nothing to do
    }

    /** A child nobody accepted is dropped. @bsd pr_abort */
    public void abort(final SocketSide so) {
        // nothing to do
    }

    /** shutdown(2): SHUT_RD, SHUT_WR, SHUT_RDWR. @bsd pr_shutdown */
    public Errno shutdown(final SocketSide so, final int how) {
        return Errno.EOPNOTSUPP;
    }

    /**
     * Data on its way out. Consumes m and control. The socket's send I/O lock is held (not for datagram protocols).
     * ENOBUFS of a stream means that it has taken nothing of m: the user may send that again.
     *
     * @param flags PRUS_*
     * @param nam destination, borrowed, or null
     * @bsd pr_send
     */
    public Errno send(final SocketSide so, final int flags, final Mbuf m, final SockAddr nam, final Mbuf control) {
        if (m != null) {
            m.freeChain();
        }
        if (control != null) {
            control.freeChain();
        }
        return Errno.EOPNOTSUPP;
    }

    /** The user has read: window may open. With PR_WANTRCVD only. @bsd pr_rcvd */
    public Errno rcvd(final SocketSide so, final int flags) {
        return Errno.EOPNOTSUPP;
    }

    /**
     * Takes the urgent octet.
     *
     * @param m one mbuf to put it in, borrowed
     * @return EINVAL when there is none or it is inline, EAGAIN when it has not come yet
     * @bsd pr_rcvoob
     */
    public Errno rcvoob(final SocketSide so, final Mbuf m, final int flags) {
        return Errno.EOPNOTSUPP;
    }

    /** An interface request through a socket. @bsd pr_control */
    public Errno control(final SocketSide so, final long cmd, final Object data, final Ifnet ifp) {
        return Errno.EOPNOTSUPP;
    }

    /** Options of this protocol, and SOL_SOCKET ones that the socket layer passes on. @bsd pr_ctloutput */
    public Errno ctloutput(final SocketSide so, final SockOpt opt) {
        return Errno.ENOPROTOOPT;
    }

    /** getpeername(2): fills {@code nam}. @bsd pr_peeraddr */
    public Errno peeraddr(final SocketSide so, final SockAddr nam) {
        return Errno.EOPNOTSUPP;
    }

    /** getsockname(2): fills {@code nam}. @bsd pr_sockaddr */
    public Errno sockaddr(final SocketSide so, final SockAddr nam) {
        return Errno.EOPNOTSUPP;
    }

    /**
     * Before a message is made of what a user sends: takes it straight from the user's memory where it can.
     *
     * @param nam destination, or null for the peer
     * @return true when all of uio was sent; false when a message is to be made of it and sent
     */
    public boolean sendUio(final SocketSide so, final Uio uio, final SockAddr nam) {
        return false;
    }

    /** send(2). Consumes top and control. {@code uio} and {@code top} exclude each other. @bsd pr_sosend */
    public Errno sosend(
        final SocketSide so, final SockAddr addr, final Uio uio, final Mbuf top, final Mbuf control, final int flags) {
        return so.sendGeneric(addr, uio, top, control, flags);
    }

    /** recv(2). @bsd pr_soreceive */
    public Errno soreceive(final SocketSide so, final RecvMsg msg) {
        return so.receiveGeneric(msg);
    }

    /** poll(2). @bsd pr_sopoll */
    public int sopoll(final SocketSide so, final int events) {
        return so.pollGeneric(events);
    }

    /** Buffer size options. @bsd pr_setsbopt */
    public Errno setsbopt(final SocketSide so, final SockOpt opt) {
        return so.setSbOptGeneric(opt);
    }
}
