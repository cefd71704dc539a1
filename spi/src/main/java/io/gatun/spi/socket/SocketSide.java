package io.gatun.spi.socket;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.VnetSide;

/**
 * A socket as its protocol sees it: state, buffers, and the calls that a protocol makes upwards. The implementation is
 * {@code io.gatun.uipc.Socket}.
 *
 * <p>Life of a socket: created by a user ({@link Protosw#attach} is called once) or by a protocol through {@link
 * #newConn} on a listener; ends when the user has closed it, the protocol has let go ({@link #pcb} cleared, or {@link
 * #isDisconnected}) and the last reference is given back: then {@link Protosw#detach} is called once.
 *
 * <p>Lock order: socket I/O, pcb, socket, socket buffer. Calls marked "takes" may be made with the pcb's lock held.
 *
 * @bsd struct socket
 */
public interface SocketSide {
    VnetSide vnet();

    /** @bsd so_proto */
    Protosw proto();

    /** SOCK_*. @bsd so_type */
    int type();

    /** Fixed at creation. @bsd so_cred */
    Ucred cred();

    /** @bsd so_fibnum */
    int fibnum();

    /** Guards state and options. A listener's queues have a lock of their own, the last of its kind. @bsd SOCK_LOCK */
    Mtx lock();

    /**
     * The lock the pcb of this socket uses: a new one, or under VERTICAL the socket's own. Asked once, by attach.
     *
     * @bsd INP_WLOCK
     */
    Mtx pcbLock();

    /** The protocol's control block. @bsd so_pcb */
    Object pcb();

    /** Set by attach, cleared (null) by detach; under the pcb's lock. */
    void setPcb(Object pcb);

    /** @bsd so_snd */
    SockBuf snd();

    /** @bsd so_rcv */
    SockBuf rcv();

    /** SO_* bits. @bsd so_options */
    int options();

    /** SS_* bits. @bsd so_state */
    int state();

    /** SO_LINGER seconds, or -1 when off. @bsd so_linger */
    int linger();

    /** Pending error. @bsd so_error */
    Errno error();

    /** Sets the pending error and wakes both directions. Takes socket and buffer locks. */
    void setError(Errno error);

    /** Whether listen was called. @bsd SOLISTENING */
    boolean listening();

    /** The backlog of a listener; 0 of another. @bsd sol_qlimit */
    int qlimit();

    /** Whether the user still holds it: false once closed. */
    boolean userHeld();

    /**
     * The protocol says what flow its packets come in, so that who waits for them can {@code Netisr.attend} to it.
     *
     * @bsd inp_flowid
     */
    default void flow(int flowid) {
        // a socket that nobody waits at need not know
    }

    // ---- references ------------------------------------------------------------

    /** @bsd soref */
    void ref();

    /**
     * Gives one reference back; the last one frees the socket. Called without pcb, socket or buffer lock.
     *
     * @bsd sorele
     */
    void rele();

    // ---- connection state: take the socket's and the buffers' locks ---------------------------------------

    /** @bsd soisconnecting */
    void isConnecting();

    /** Connected: wakes connect, or moves a child to its listener's accept queue. @bsd soisconnected */
    void isConnected();

    /** @bsd soisdisconnecting */
    void isDisconnecting();

    /** Wholly disconnected: both directions end, waiters wake, unsent data goes. @bsd soisdisconnected */
    void isDisconnected();

    /**
     * A datagram socket has no peer any more but goes on: SS_ISCONNECTED is cleared, nothing else changes. Takes the
     * socket's lock.
     */
    void clearConnected();

    /** No more data will come: readers see the end after what is queued. @bsd socantrcvmore */
    void cantRcvMore();

    /** No more data will be sent: writers get EPIPE. @bsd socantsendmore */
    void cantSendMore();

    /**
     * A child for a connection that arrives at this listener, attached to the same protocol, with the listener's
     * inherited options; incomplete until {@link #isConnected} unless {@code connstatus} says connected. Held by the
     * queue.
     *
     * @param connstatus 0 or SS_ISCONNECTED
     * @return null when the backlog is full or memory is short (counted)
     * @bsd sonewconn
     */
    SocketSide newConn(int connstatus);

    /**
     * From here on what this socket sends goes straight into the receive buffer of {@code peer}. The send buffer is
     * empty. Under both pcbs' locks.
     *
     * @param way the interface that the packets would go by
     * @return null where that is not possible
     */
    default Fusion fuse(final SocketSide peer, final Ifnet way) {
        return null;
    }

    // ---- wake-ups ------------------------------------------------------------

    /** Wakes readers after data was appended. Takes the receive buffer's lock. @bsd sorwakeup */
    void rWakeup();

    /**
     * As {@link #rWakeup} with the buffer's lock held, and it stays held. DIFFERS: sorwakeup_locked drops it.
     *
     * @bsd sorwakeup_locked
     */
    void rWakeupLocked();

    /**
     * A message did not fit into the receive buffer, whose lock is held: who set SO_RERROR reads ENOBUFS once what is
     * there has been read.
     *
     * @bsd soroverflow_locked
     */
    default void overflowLocked() {
        // a socket without the option need not know
    }

    /** Wakes writers after space was made. @bsd sowwakeup */
    void wWakeup();

    /** As {@link #wWakeup} with the buffer's lock held, and it stays held. @bsd sowwakeup_locked */
    void wWakeupLocked();

    /** Urgent data is near: wakes POLLPRI waiters. @bsd sohasoutofband */
    void hasOutOfBand();

    /** Where in the receive buffer the urgent mark lies, octets from its front; 0 none. @bsd so_oobmark */
    int oobMark();

    /** Under the receive buffer's lock. */
    void setOobMark(int octets);

    // ---- helpers of protocols ------------------------------------------------------------

    /** Reserves both buffers. ENOBUFS beyond the limit. @bsd soreserve */
    Errno reserve(long sndOctets, long rcvOctets);

    /**
     * First step of listen: EINVAL when connected or disconnecting, EAGAIN when I/O is under way. Under the socket's
     * lock.
     *
     * @bsd solisten_proto_check
     */
    Errno listenProtoCheck();

    /** Last step of listen: this is a listener now. Under the socket's lock. @bsd solisten_proto */
    void listenProto(int backlog);

    /** Undoes the check after the protocol refused. Under the socket's lock. @bsd solisten_proto_abort */
    void listenProtoAbort();

    // ---- the generic slots, for Protosw's defaults --------------------------------------------------------

    /** @bsd sosend_generic */
    Errno sendGeneric(SockAddr addr, Uio uio, Mbuf top, Mbuf control, int flags);

    /** @bsd sosend_dgram */
    Errno sendDgram(SockAddr addr, Uio uio, Mbuf top, Mbuf control, int flags);

    /** @bsd soreceive_generic */
    Errno receiveGeneric(RecvMsg msg);

    /** @bsd soreceive_stream */
    Errno receiveStream(RecvMsg msg);

    /** @bsd soreceive_dgram */
    Errno receiveDgram(RecvMsg msg);

    /** @bsd sopoll_generic */
    int pollGeneric(int events);

    /** Sets SO_SNDBUF, SO_RCVBUF, SO_SNDLOWAT, SO_RCVLOWAT. @bsd sbsetopt */
    Errno setSbOptGeneric(SockOpt opt);
}
