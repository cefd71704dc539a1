package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SO_ACCEPTCONN;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTING;
import static io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTING;
import static io.gatun.spi.socket.SocketDefs.SS_NBIO;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Fusion;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SoUpcall;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.sys.Witness;
import io.gatun.spi.vnet.Netisr;

/**
 * A socket. Its protocol sees it as a {@link SocketSide}; programs go through {@link io.gatun.uipc.api}, code that
 * speaks mbufs and {@link Errno} uses it directly.
 *
 * <p>Life: made by {@link Sockets#create} with one reference, the user's, or by {@link #newConn} with one that belongs
 * to the listener's queue and passes to whoever accepts it. Every user's call holds a reference while it runs, so a
 * {@link #close} from another thread ends waiting calls (EBADF, accept ECONNABORTED) and frees nothing under their
 * feet. A protocol that outlives the user (lingering data) takes references of its own. The last {@link #rele} frees:
 * detach, then both buffers.
 *
 * <p>User's calls are made with no lock of the stack held, and run what they have caused ({@code swi}) before they
 * return.
 *
 * @bsd struct socket
 */
public final class Socket extends SocketState {
    Socket(final Sockets sockets, final Protosw proto, final int family, final Ucred cred, final int options) {
        super(sockets, proto, family, cred, options);
    }

    /** Gives the socket its protocol; on failure it is gone. */
    Errno attach(final int protocol, final Ucred asker) {
        final Errno e = proto.attach(this, protocol, asker);
        if (e == Errno.OK) {
            setAttached();
        } else {
            setClosed();
            dropExtraRef();
            SoClose.free(this);
        }
        return e;
    }

    // ---- what a user does ------------------------------------------------------------

    /** @bsd sobind */
    public Errno bind(final SockAddr nam, final Ucred asker) {
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            return proto.bind(this, nam, asker);
        } finally {
            exit();
        }
    }

    /**
     * Makes it a listener, or changes a listener's backlog.
     *
     * @param backlog connections that may wait for accept; negative or too many means the limit
     * @bsd solisten
     */
    public Errno listen(final int backlog, final Ucred asker) {
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            return proto.listen(this, backlog, asker);
        } finally {
            exit();
        }
    }

    /**
     * Takes the oldest connection of a listener; waits for one. The new socket is non-blocking if the listener is. With
     * threads a call that finds a connection after one that did not want to wait and found none may spin for up to
     * {@code kern.ipc.soacceptgather_ns}, 1 us if nobody sets it, before it takes the only one there is.
     *
     * @param nam filled with the peer's address; may be null
     * @param flags MSG_DONTWAIT or 0
     * @return EINVAL when this does not listen, EAGAIN, EINTR, ECONNABORTED (the connection or this listener has gone)
     * @bsd soaccept
     */
    public SoResult accept(final SockAddr nam, final int flags) {
        if (SoConnect.idle(this, flags)) {
            // With threads who has queued something runs it: a poller would but draw a handshake to its processor.
            if (!sockets.shared) {
                vnet().netisr().swi();
            }
            if (sockets.shared) {
                sol().lookedInVain();
                return SoResult.failed(Errno.EAGAIN);
            }
            if (SoConnect.idle(this, flags)) {
                return SoResult.failed(Errno.EAGAIN);
            }
        }
        final AcceptQueue polled = sockets.shared ? sol() : null;
        if (polled != null) {
            polled.letGather();
        }
        if (!enter()) {
            return SoResult.failed(Errno.EBADF);
        }
        try {
            return SoConnect.accept(this, nam, flags);
        } finally {
            exit();
        }
    }

    /**
     * Connects, and waits for the outcome unless non-blocking.
     *
     * @return EINPROGRESS when non-blocking (or without threads) and it takes longer, EALREADY, EISCONN, EINTR (the
     *     connecting goes on), or what the protocol says
     * @bsd soconnect
     */
    public Errno connect(final SockAddr nam, final Ucred asker) {
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            return SoConnect.connect(this, nam, asker);
        } finally {
            exit();
        }
    }

    /** @bsd sodisconnect */
    public Errno disconnect() {
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            return SoConnect.disconnect(this);
        } finally {
            exit();
        }
    }

    /**
     * Sends. Consumes top and control. With {@code uio}, what was sent is what {@link Uio#resid} lost; when that is
     * more than nothing, EAGAIN and EINTR are not reported, nor is ENOBUFS of a stream. A message that met ENOBUFS on
     * its way is lost as a whole, and its sender hears of it.
     *
     * @param addr destination of a message, or null
     * @param uio the octets; or null with {@code top}
     * @param top the octets as mbufs, the first with a packet header; or null
     * @param flags MSG_DONTWAIT, MSG_OOB, MSG_EOR, MSG_EOF, MSG_MORETOCOME, MSG_DONTROUTE
     * @bsd sousrsend
     */
    public Errno send(final SockAddr addr, final Uio uio, final Mbuf top, final Mbuf control, final int flags) {
        if (!enter()) {
            SoSend.discard(top, control);
            return Errno.EBADF;
        }
        try {
            final long before = uio == null ? 0 : uio.resid();
            final Errno e = proto.sosend(this, addr, uio, top, control, flags);
            final boolean lost = e == Errno.ENOBUFS && proto.has(Protosw.PR_ATOMIC);
            return e != Errno.OK && uio != null && uio.resid() != before && hidden(e) && !lost ? Errno.OK : e;
        } finally {
            exit();
        }
    }

    /**
     * Receives. When {@code msg.uio} has lost something, EAGAIN, EINTR and ENOBUFS are not reported. OK with nothing
     * received is the end of a stream.
     *
     * @bsd soreceive
     */
    public Errno receive(final RecvMsg msg) {
        if (SoReceive.idle(this, msg) && nothingCame(msg, 1)) {
            return Errno.EAGAIN;
        }
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            final long before = msg.uio.resid();
            final Errno e = proto.soreceive(this, msg);
            return e != Errno.OK && msg.uio.resid() != before && hidden(e) ? Errno.OK : e;
        } finally {
            exit();
        }
    }

    /** Runs what is queued, and what others left to this thread, as long as it finds nothing. */
    private boolean nothingCame(final RecvMsg msg, final int most) {
        final Netisr netisr = vnet().netisr();
        netisr.swi();
        while (SoReceive.idle(this, msg)) {
            if (incoming() != null || netisr.attend(flowid(), false, most) == 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Sends several messages, in their order, as if one {@link #send} were called for each; what they cause runs for
     * many of them together. Consumes the control messages of those that it tried.
     *
     * @param vec each with its octets and perhaps a destination; {@link Mmsghdr#len} of those sent is set
     * @param vlen messages of vec to send
     * @param flags as for {@link #send}, for each of them
     * @return messages sent; when the first could not be sent, a negative errno. What kept a later one from being sent
     *     the next call will say
     * @bsd sendmmsg
     */
    public int sendmmsg(final Mmsghdr[] vec, final int vlen, final int flags) {
        if (!enter()) {
            return -Errno.EBADF.code();
        }
        try {
            return SoMmsg.send(this, vec, vlen, flags);
        } finally {
            exit();
        }
    }

    /**
     * Receives several messages, in their order, as if one {@link #receive} were called for each.
     *
     * @param vec each with room for its octets; {@link Mmsghdr#len} of those received is set
     * @param vlen messages of vec to fill
     * @param flags as for {@link #receive}, for each of them; MSG_WAITFORONE waits for the first one alone
     * @return messages received; when there was no first, a negative errno. What kept a later one from being received
     *     the next call will say
     * @bsd recvmmsg
     */
    public int recvmmsg(final Mmsghdr[] vec, final int vlen, final int flags) {
        if (vlen > 1) {
            vnet().netisr().attend(flowid(), false, vlen); // a safe point runs one, and a burst is to come as one
        }
        if (vlen > 0 && SoMmsg.idle(this, vec[0], flags) && nothingCame(vec[0].hdr, vlen)) {
            return -Errno.EAGAIN.code();
        }
        if (!enter()) {
            return -Errno.EBADF.code();
        }
        try {
            return SoMmsg.receive(this, vec, vlen, flags);
        } finally {
            exit();
        }
    }

    static boolean hidden(final Errno e) {
        return e == Errno.EAGAIN || e == Errno.EINTR || e == Errno.ENOBUFS;
    }

    /**
     * The events of {@code events} (POLL*) that are there now, with POLLHUP and POLLERR whether asked for or not.
     *
     * @bsd sopoll
     */
    public int poll(final int events) {
        return enter() ? pollAndExit(events) : SocketDefs.POLLNVAL;
    }

    private int pollAndExit(final int events) {
        try {
            return proto.sopoll(this, events);
        } finally {
            exit();
        }
    }

    /**
     * Ends one direction or both; the end of reading discards what was not read.
     *
     * @param how SHUT_RD, SHUT_WR, SHUT_RDWR
     * @return EINVAL, or what the protocol says
     * @bsd soshutdown
     */
    public Errno shutdown(final int how) {
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            return SoClose.shutdown(this, how);
        } finally {
            exit();
        }
    }

    /**
     * Gives up the user's reference: disconnects, waits as SO_LINGER says, and ends every call that waits on this
     * socket in another thread. EBADF the second time; EAGAIN when lingering took too long (it is closed all the
     * same).
     *
     * @bsd soclose
     */
    public Errno close() {
        assert Witness.safePoint();
        return claimClose() ? SoClose.close(this) : Errno.EBADF;
    }

    /** @bsd sosetopt */
    public Errno setOpt(final SockOpt opt) {
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            return SoOpt.set(this, opt);
        } finally {
            exit();
        }
    }

    /** @bsd sogetopt */
    public Errno getOpt(final SockOpt opt) {
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            return SoOpt.get(this, opt);
        } finally {
            exit();
        }
    }

    /** Fills {@code nam} with this end's address. @bsd sosockaddr */
    public Errno sockaddr(final SockAddr nam) {
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            return proto.sockaddr(this, nam);
        } finally {
            exit();
        }
    }

    /** Fills {@code nam} with the other end's address. ENOTCONN. @bsd sopeeraddr */
    public Errno peeraddr(final SockAddr nam) {
        if (!enter()) {
            return Errno.EBADF;
        }
        try {
            return (state() & (SS_ISCONNECTED | SS_ISDISCONNECTING)) == 0 ? Errno.ENOTCONN : proto.peeraddr(this, nam);
        } finally {
            exit();
        }
    }

    /** @bsd FIONBIO */
    public void setNonBlocking(final boolean on) {
        changeState(on ? SS_NBIO : 0, SS_NBIO);
    }

    public boolean nonBlocking() {
        return (state() & SS_NBIO) != 0;
    }

    /** Octets that can be read now. @bsd FIONREAD */
    public int fionread() {
        return rcv.avail();
    }

    /** Octets not yet sent, or not yet acknowledged. @bsd FIONWRITE */
    public int fionwrite() {
        return snd.avail();
    }

    /** Octets that can be written now. @bsd FIONSPACE */
    public int fionspace() {
        return Math.max(0, snd.space());
    }

    /** Whether the next octet to read is the one behind the urgent mark. @bsd SIOCATMARK */
    public boolean atMark() {
        return (rcv.state() & SocketDefs.SBS_RCVATMARK) != 0;
    }

    /**
     * Has a function called whenever a direction may have become ready; it runs with the buffer's lock held and may
     * only leave a sign for others, or wake them. Null clears.
     *
     * @bsd soupcall_set
     */
    public void upcallSet(final boolean sending, final SoUpcall function, final Object arg) {
        final MbufSockBuf sb = sending ? snd : rcv;
        sb.lock.lock();
        try {
            if (function == null) {
                sb.upcallClearLocked();
            } else {
                sb.upcallSetLocked(function, arg);
            }
        } finally {
            sb.lock.unlock();
        }
    }

    /** As {@link #upcallSet} for a listener and its connections. EINVAL when it does not listen. */
    public Errno listenUpcallSet(final SoUpcall function, final Object arg) {
        final AcceptQueue queue = sol();
        if (queue == null) {
            return Errno.EINVAL;
        }
        queue.upcallSet(function, arg);
        return Errno.OK;
    }

    // ---- helpers of protocols ------------------------------------------------------------

    @Override
    public SocketSide newConn(final int connstatus) {
        return SoConnect.newConn(this, connstatus);
    }

    @Override
    public Fusion fuse(final SocketSide peer, final Ifnet way) {
        final Socket to = (Socket) peer;
        assert snd.used() == 0 && outgoing() == null && to.incoming() == null : "fused with octets under way";
        final SoFusion f = new SoFusion(this, to, way);
        to.setIncoming(f);
        setOutgoing(f);
        return f;
    }

    @Override
    public int qlimit() {
        final AcceptQueue queue = sol();
        return queue == null ? 0 : queue.qlimit();
    }

    @Override
    public Errno reserve(final long sndOctets, final long rcvOctets) {
        return SoOpt.reserve(this, sndOctets, rcvOctets);
    }

    @Override
    public Errno listenProtoCheck() {
        assert lock.owned();
        if ((state() & (SS_ISCONNECTED | SS_ISCONNECTING | SS_ISDISCONNECTING)) != 0) {
            return Errno.EINVAL;
        }
        if (listening()) {
            return Errno.OK;
        }
        if (!snd.ioTryLock()) {
            return Errno.EAGAIN;
        }
        if (!rcv.ioTryLock()) {
            snd.ioUnlock();
            return Errno.EAGAIN;
        }
        return Errno.OK;
    }

    @Override
    public void listenProto(final int backlog) {
        assert lock.owned();
        final int limit = sockets.somaxconn.getInt();
        final AcceptQueue queue = sol() == null ? new AcceptQueue(this) : sol();
        queue.setQlimit(backlog < 0 || backlog > limit ? limit : backlog);
        if (!listening()) {
            changeOptions(SO_ACCEPTCONN, 0);
            setSol(queue);
            listenProtoAbortIo();
        }
    }

    @Override
    public void listenProtoAbort() {
        assert lock.owned();
        if (!listening()) {
            listenProtoAbortIo();
        }
    }

    private void listenProtoAbortIo() {
        rcv.ioUnlock();
        snd.ioUnlock();
    }

    // ---- the generic slots ------------------------------------------------------------

    @Override
    public Errno sendGeneric(
        final SockAddr addr, final Uio uio, final Mbuf top, final Mbuf control, final int flags) {
        return SoSend.generic(this, addr, uio, top, control, flags);
    }

    @Override
    public Errno sendDgram(
        final SockAddr addr, final Uio uio, final Mbuf top, final Mbuf control, final int flags) {
        return SoSend.dgram(this, addr, uio, top, control, flags);
    }

    @Override
    public Errno receiveGeneric(final RecvMsg msg) {
        return SoReceive.generic(this, msg);
    }

    @Override
    public Errno receiveStream(final RecvMsg msg) {
        return SoReceive.stream(this, msg);
    }

    @Override
    public Errno receiveDgram(final RecvMsg msg) {
        return SoReceiveRecord.dgram(this, msg);
    }

    @Override
    public int pollGeneric(final int events) {
        return SoPoll.poll(this, events);
    }

    @Override
    public Errno setSbOptGeneric(final SockOpt opt) {
        return SoOpt.setSbOpt(this, opt);
    }
}
