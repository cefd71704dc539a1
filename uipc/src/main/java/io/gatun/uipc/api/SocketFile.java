package io.gatun.uipc.api;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.VnetSide;
import io.gatun.uipc.SoResult;
import io.gatun.uipc.Socket;
import io.gatun.uipc.Sockets;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

/**
 * An open socket, as a Java program holds it: what a file descriptor is in FreeBSD.
 *
 * <p>Blocking by default. A call that would have to wait answers {@link #WOULD_BLOCK} when the socket is non-blocking
 * (or MSG_DONTWAIT is given) or when SO_RCVTIMEO or SO_SNDTIMEO have passed; {@link #accept} answers null. In a vnet
 * without threads a blocking call would wait for its own caller: there it runs what is queued, and answers as a
 * non-blocking one if that did not help.
 *
 * <p>Any thread may use it, platform or virtual; one sender and one receiver at a time make progress, others queue.
 * An interrupted thread gets EINTR instead of waiting, keeps its interrupt status, and leaves the socket as it is:
 * unlike a channel of java.nio it is not closed. {@link #close} from another thread ends a waiting call with EBADF
 * (accept: ECONNABORTED). A call that moved some octets of a stream reports them; what kept it from moving more
 * (EAGAIN, EINTR, ENOBUFS) the next call will say.
 *
 * <p>Sending and receiving allocate nothing when the same one or two ByteBuffers are used again and again.
 *
 * @bsd struct file
 */
public final class SocketFile implements AutoCloseable {
    /** The end of a stream. */
    public static final int END = -1;
    /** Nothing could be done without waiting. */
    public static final int WOULD_BLOCK = -2;

    private final Socket so;
    private final AtomicReference<IoFrame> sending = new AtomicReference<>();
    private final AtomicReference<IoFrame> receiving = new AtomicReference<>();

    /** Takes over a socket and the reference held on it. */
    public SocketFile(final Socket so) {
        this.so = so;
    }

    // ---- making ------------------------------------------------------------

    /**
     * Makes a socket for the program itself, which may do everything.
     *
     * @param family AF_*
     * @param type SOCK_*
     * @param protocol IPPROTO_*, or 0 for the usual one
     * @throws ErrnoException EAFNOSUPPORT, EPROTOTYPE, EPROTONOSUPPORT, ENOBUFS
     * @bsd socket
     */
    public static SocketFile socket(final VnetSide vnet, final int family, final int type, final int protocol)
            throws ErrnoException {
        return socket(vnet, family, type, protocol, Ucred.ROOT);
    }

    /** As the other one, in somebody's name. @bsd socket */
    public static SocketFile socket(
        final VnetSide vnet, final int family, final int type, final int protocol, final Ucred cred)
            throws ErrnoException {
        final SoResult r = Sockets.of(vnet).create(family, type, protocol, cred);
        ErrnoException.check(r.errno(), "socket");
        return new SocketFile(r.so());
    }

    /** Two sockets connected with each other. @bsd socketpair */
    public static SocketFile[] socketpair(
        final VnetSide vnet, final int family, final int type, final int protocol) throws ErrnoException {
        final Socket[] pair = new Socket[2];
        ErrnoException.check(
            Sockets.of(vnet).createPair(family, type, protocol, Ucred.ROOT, pair), "socketpair");
        return new SocketFile[] {new SocketFile(pair[0]), new SocketFile(pair[1])};
    }

    /** The socket itself, for code that speaks {@link Errno} and mbufs. */
    public Socket so() {
        return so;
    }

    // ---- connecting ------------------------------------------------------------

    /** @bsd bind */
    public void bind(final SockAddr address) throws ErrnoException {
        final Errno e = so.bind(address, so.cred());
        if (e != Errno.OK) {
            throw new ErrnoException(e, "bind " + address);
        }
    }

    /**
     * Makes it a listener.
     *
     * @param backlog connections that may wait for accept
     * @bsd listen
     */
    public void listen(final int backlog) throws ErrnoException {
        ErrnoException.check(so.listen(backlog, so.cred()), "listen");
    }

    /** The next connection; waits for one. Null when it would have to and must not. @bsd accept */
    public SocketFile accept() throws ErrnoException {
        return accept(null);
    }

    /** As {@link #accept()}, and fills {@code peer} with the other end's address. @bsd accept */
    public SocketFile accept(final SockAddr peer) throws ErrnoException {
        final SoResult r = so.accept(peer, 0);
        if (r.errno() == Errno.EAGAIN) {
            return null;
        }
        ErrnoException.check(r.errno(), "accept");
        return new SocketFile(r.so());
    }

    /**
     * Connects, and waits for the outcome unless non-blocking.
     *
     * @return true when connected, false when that goes on (EINPROGRESS): poll for POLLOUT, then ask SO_ERROR
     * @bsd connect
     */
    public boolean connect(final SockAddr address) throws ErrnoException {
        final Errno e = so.connect(address, so.cred());
        if (e != Errno.OK && e != Errno.EINPROGRESS) {
            throw new ErrnoException(e, "connect " + address);
        }
        return e == Errno.OK;
    }

    /** @bsd getsockname */
    public SockAddr localAddress() throws ErrnoException {
        final SockAddr nam = new SockAddr();
        ErrnoException.check(so.sockaddr(nam), "getsockname");
        return nam;
    }

    /** @bsd getpeername */
    public SockAddr peerAddress() throws ErrnoException {
        final SockAddr nam = new SockAddr();
        ErrnoException.check(so.peeraddr(nam), "getpeername");
        return nam;
    }

    /**
     * Ends one direction or both.
     *
     * @param how SHUT_RD, SHUT_WR or SHUT_RDWR
     * @bsd shutdown
     */
    public void shutdown(final int how) throws ErrnoException {
        ErrnoException.check(so.shutdown(how), "shutdown");
    }

    /** Closes; the second time nothing happens. Waits as SO_LINGER says. @bsd close */
    @Override
    public void close() throws ErrnoException {
        final Errno e = so.close();
        sending.set(null);
        receiving.set(null);
        if (e != Errno.EBADF) {
            ErrnoException.check(e, "close");
        }
    }

    // ---- sending ------------------------------------------------------------

    /** Sends what remains in the buffer. @bsd send */
    public int send(final ByteBuffer buf) throws ErrnoException {
        return sendto(buf, 0, null);
    }

    /** Sends what remains in the buffer, with MSG_* flags. @bsd send */
    public int send(final ByteBuffer buf, final int flags) throws ErrnoException {
        return sendto(buf, flags, null);
    }

    /**
     * Sends what remains in the buffer, and moves its position over what was taken.
     *
     * @param flags MSG_*
     * @param to a message's destination; null for the connected one
     * @return octets taken (all of them, if the call may wait), or {@link #WOULD_BLOCK}
     * @throws ErrnoException ENOBUFS when a queue on the way of a message is full, also that of the loopback: it is
     *     lost, as any message may be, and the next may go; and whatever else keeps it from being sent
     * @bsd sendto
     */
    public int sendto(final ByteBuffer buf, final int flags, final SockAddr to) throws ErrnoException {
        final IoFrame frame = take(sending);
        final int start = buf.position();
        final int length = buf.remaining();
        try {
            final long n = send(frame, frame.view(buf), start, length, flags, to);
            return (int) n;
        } finally {
            buf.position(start + length - (int) frame.uio().resid());
            give(sending, frame);
        }
    }

    /** As {@link #sendto(ByteBuffer, int, SockAddr)}, from a segment. @bsd send */
    public long send(final MemorySegment seg, final long offset, final long length, final int flags)
            throws ErrnoException {
        return sendto(seg, offset, length, flags, null);
    }

    /** As {@link #sendto(ByteBuffer, int, SockAddr)}, from a segment. @bsd sendto */
    public long sendto(
        final MemorySegment seg, final long offset, final long length, final int flags, final SockAddr to)
            throws ErrnoException {
        final IoFrame frame = take(sending);
        try {
            return send(frame, seg, offset, length, flags, to);
        } finally {
            give(sending, frame);
        }
    }

    private long send(final IoFrame frame, final MemorySegment seg, final long offset, final long length,
        final int flags, final SockAddr to) throws ErrnoException {
        frame.uio().set(seg, offset, length);
        final Errno e = so.send(to, frame.uio(), null, null, flags);
        return e == Errno.OK ? length - frame.uio().resid() : refused(e, "send");
    }

    /**
     * Sends mbufs without copying them. Consumes top, whatever the outcome.
     *
     * @param top the octets, the first mbuf with a packet header
     * @throws ErrnoException EMSGSIZE when they do not fit the send buffer, EAGAIN when they do not fit it now and
     *     the call must not wait
     * @bsd sosend
     */
    public void sendMbufs(final Mbuf top, final int flags, final SockAddr to) throws ErrnoException {
        ErrnoException.check(so.send(to, null, top, null, flags), "send");
    }

    /**
     * As {@link #sendto(ByteBuffer, int, SockAddr)}, with control messages, which stay the caller's.
     *
     * @throws ErrnoException also EINVAL and ENOPROTOOPT for what the protocol makes of the control messages
     * @bsd sendmsg
     */
    public int sendmsg(final ByteBuffer buf, final int flags, final SockAddr to, final MsgControl control)
            throws ErrnoException {
        final Mbuf messages = control.toMbufs(so.vnet().pool());
        if (messages == null && !control.isEmpty()) {
            throw new ErrnoException(Errno.ENOBUFS, "sendmsg");
        }
        final IoFrame frame = take(sending);
        final int start = buf.position();
        final int length = buf.remaining();
        try {
            frame.uio().set(frame.view(buf), start, length);
            final Errno e = so.send(to, frame.uio(), null, messages, flags);
            return e == Errno.OK ? length - (int) frame.uio().resid() : (int) refused(e, "sendmsg");
        } finally {
            buf.position(start + length - (int) frame.uio().resid());
            give(sending, frame);
        }
    }

    /**
     * Sends several messages in one call, which costs less than as many calls. Their octets, destinations and control
     * messages (consumed with the message) are in {@link Mmsghdr#hdr}, what was taken afterwards in
     * {@link Mmsghdr#len}.
     *
     * @param vlen how many of {@code vec}
     * @param flags MSG_*, for each of them
     * @return messages sent, fewer when one of them failed, for which the next call will say why; or
     *     {@link #WOULD_BLOCK}
     * @throws ErrnoException what the first one failed with. Memory that cannot be touched throws as for a single
     *     send; those before it have been sent
     * @bsd sendmmsg
     */
    public int sendmmsg(final Mmsghdr[] vec, final int vlen, final int flags) throws ErrnoException {
        Objects.checkFromIndexSize(0, vlen, vec.length);
        final int n = so.sendmmsg(vec, vlen, flags);
        return n >= 0 ? n : (int) refused(Errno.of(n), "sendmmsg");
    }

    // ---- receiving ------------------------------------------------------------

    /** Receives into what remains of the buffer. @bsd recv */
    public int receive(final ByteBuffer buf) throws ErrnoException {
        return recvfrom(buf, 0, null);
    }

    /** Receives into what remains of the buffer, with MSG_* flags. @bsd recv */
    public int receive(final ByteBuffer buf, final int flags) throws ErrnoException {
        return recvfrom(buf, flags, null);
    }

    /**
     * Receives into what remains of the buffer, and moves its position behind what came. What is left of a message
     * that is longer is lost.
     *
     * @param flags MSG_*
     * @param from filled with a message's sender; may be null
     * @return octets, {@link #END}, or {@link #WOULD_BLOCK}
     * @bsd recvfrom
     */
    public int recvfrom(final ByteBuffer buf, final int flags, final SockAddr from) throws ErrnoException {
        if (buf.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
        final IoFrame frame = take(receiving);
        final int start = buf.position();
        final int length = buf.remaining();
        try {
            return (int) receive(frame, frame.view(buf), start, length, flags, from);
        } finally {
            buf.position(start + length - (int) frame.uio().resid());
            give(receiving, frame);
        }
    }

    /** As {@link #recvfrom(ByteBuffer, int, SockAddr)}, into a segment. @bsd recv */
    public long receive(final MemorySegment seg, final long offset, final long length, final int flags)
            throws ErrnoException {
        return recvfrom(seg, offset, length, flags, null);
    }

    /** As {@link #recvfrom(ByteBuffer, int, SockAddr)}, into a segment. @bsd recvfrom */
    public long recvfrom(
        final MemorySegment seg, final long offset, final long length, final int flags, final SockAddr from)
            throws ErrnoException {
        if (seg.isReadOnly()) {
            throw new IllegalArgumentException("read-only segment");
        }
        final IoFrame frame = take(receiving);
        try {
            return receive(frame, seg, offset, length, flags, from);
        } finally {
            give(receiving, frame);
        }
    }

    private long receive(final IoFrame frame, final MemorySegment seg, final long offset, final long length,
        final int flags, final SockAddr from) throws ErrnoException {
        final RecvMsg msg = frame.msg;
        msg.uio.set(seg, offset, length);
        msg.from = from;
        msg.flags = flags;
        final Errno e = so.receive(msg);
        if (e != Errno.OK) {
            return refused(e, "receive");
        }
        final long n = length - msg.uio.resid();
        return n == 0 && length > 0 && so.type() == SocketDefs.SOCK_STREAM ? END : n;
    }

    /**
     * Receives mbufs without copying them: at most {@code max} octets of a stream, or one message.
     *
     * @param from filled with a message's sender; may be null
     * @return the chain, which the caller frees; null at the end of a stream, for an empty message, and when the call
     *     would have to wait and must not
     * @bsd soreceive
     */
    public Mbuf receiveMbufs(final long max, final int flags, final SockAddr from) throws ErrnoException {
        final IoFrame frame = take(receiving);
        try {
            final RecvMsg msg = frame.msg;
            msg.uio.limit(max);
            msg.wantMbufs = true;
            msg.from = from;
            msg.flags = flags;
            final Errno e = so.receive(msg);
            if (e != Errno.EAGAIN) {
                ErrnoException.check(e, "receive");
            }
            return msg.mbufs;
        } finally {
            give(receiving, frame);
        }
    }

    /** The full form: everything in and out of {@code msg}. @bsd recvmsg */
    public void receive(final RecvMsg msg) throws ErrnoException {
        ErrnoException.check(so.receive(msg), "receive");
    }

    /**
     * As {@link #recvfrom(ByteBuffer, int, SockAddr)}, with the control messages that came beside the data.
     *
     * @param control filled; its {@link MsgControl#flags} say whether data or messages were cut short
     * @bsd recvmsg
     */
    public int recvmsg(final ByteBuffer buf, final int flags, final SockAddr from, final MsgControl control)
            throws ErrnoException {
        if (buf.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
        final IoFrame frame = take(receiving);
        final int start = buf.position();
        final int length = buf.remaining();
        try {
            frame.msg.wantControl = true;
            return (int) receive(frame, frame.view(buf), start, length, flags, from);
        } finally {
            buf.position(start + length - (int) frame.uio().resid());
            control.fill(frame.msg.control, frame.msg.flags);
            give(receiving, frame);
        }
    }

    /**
     * Receives several messages in one call, each into its {@link Mmsghdr#hdr}, as {@link #receive(RecvMsg)} does one.
     * Waits for all of them, with MSG_WAITFORONE for the first alone, with MSG_DONTWAIT for none.
     *
     * @param vlen how many of {@code vec}
     * @param flags MSG_*, for each of them
     * @return messages received, fewer when one of them failed, for which the next call will say why; or
     *     {@link #WOULD_BLOCK}
     * @throws ErrnoException what the first one failed with
     * @bsd recvmmsg
     */
    public int recvmmsg(final Mmsghdr[] vec, final int vlen, final int flags) throws ErrnoException {
        Objects.checkFromIndexSize(0, vlen, vec.length);
        final int n = so.recvmmsg(vec, vlen, flags);
        return n >= 0 ? n : (int) refused(Errno.of(n), "recvmmsg");
    }

    private static long refused(final Errno e, final String call) throws ErrnoException {
        if (e == Errno.EAGAIN) {
            return WOULD_BLOCK;
        }
        throw new ErrnoException(e, call);
    }

    private static IoFrame take(final AtomicReference<IoFrame> place) {
        final IoFrame frame = place.getAndSet(null);
        return frame == null ? new IoFrame() : frame;
    }

    private static void give(final AtomicReference<IoFrame> place, final IoFrame frame) {
        frame.msg.clear();
        place.lazySet(frame);
    }

    // ---- the rest ------------------------------------------------------------

    /** Sets a number or a switch (0 or 1). @bsd setsockopt */
    public void setOption(final int level, final int name, final long value) throws ErrnoException {
        ErrnoException.check(so.setOpt(SockOpt.set(level, name, value)), "setsockopt");
    }

    /** Sets an option that is no number, such as SO_LINGER. @bsd setsockopt */
    public void setOption(final int level, final int name, final Object value) throws ErrnoException {
        ErrnoException.check(so.setOpt(SockOpt.set(level, name, value)), "setsockopt");
    }

    /** A number or a switch. @bsd getsockopt */
    public long getOption(final int level, final int name) throws ErrnoException {
        final SockOpt opt = SockOpt.get(level, name);
        ErrnoException.check(so.getOpt(opt), "getsockopt");
        return opt.value();
    }

    /** An option that is no number. @bsd getsockopt */
    public <T> T getOption(final int level, final int name, final Class<T> type) throws ErrnoException {
        final SockOpt opt = SockOpt.get(level, name);
        ErrnoException.check(so.getOpt(opt), "getsockopt");
        return type.cast(opt.object());
    }

    /** @bsd FIONBIO */
    public void setNonBlocking(final boolean on) {
        so.setNonBlocking(on);
    }

    public boolean nonBlocking() {
        return so.nonBlocking();
    }

    /** Octets that can be read now. @bsd FIONREAD */
    public int available() {
        return so.fionread();
    }

    /** Whether the next octet to read is the one behind the urgent mark. @bsd SIOCATMARK */
    public boolean atMark() {
        return so.atMark();
    }

    /** The POLL* events that are there now. @bsd poll */
    public int poll(final int events) {
        return so.poll(events);
    }

    @Override
    public String toString() {
        return so.toString();
    }
}
