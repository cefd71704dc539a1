package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Values.DrillException;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.uipc.SoResult;
import io.gatun.uipc.Socket;
import io.gatun.uipc.Sockets;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The system calls of scripts, made on sockets of the vnet. One attempt each; null means that it would wait. */
final class Syscalls {
    static final Set<String> NAMES = Set.of("socket", "bind", "listen", "accept", "accept4", "connect", "close",
        "shutdown", "read", "write", "readv", "writev", "send", "recv", "sendto", "recvfrom", "sendmsg", "recvmsg",
        "fcntl", "ioctl", "poll", "getsockopt", "setsockopt", "kqueue", "kevent");
    private static final int SOCK_CLOEXEC = 0x1000_0000;
    private static final int SOCK_NONBLOCK = 0x2000_0000;
    private static final int FD_CLOEXEC = 1;
    private static final int POLL_AT = 0;
    private static final int MOST_OCTETS = 1 << 24;
    private static final long NS_PER_MS = 1_000_000;

    private final Run run;
    private final SockOpts opts = new SockOpts();
    private final Map<Integer, Kqueue> kqueues = new HashMap<>();

    Syscalls(final Run run) {
        this.run = run;
    }

    /**
     * Tries a call.
     *
     * @param first whether it is the first attempt of this call
     * @return null when it would have to wait
     */
    Outcome attempt(final Action.Syscall c, final boolean first) throws DrillException {
        final List<Expr> a = c.args();
        if (c.name().equals("socket")) {
            return socket(c);
        }
        if (c.name().equals("poll")) {
            return poll(a);
        }
        if (c.name().equals("kqueue")) {
            final int fd = (int) Values.number(c.result());
            kqueues.put(fd, new Kqueue());
            return Outcome.ok(fd);
        }
        final Kqueue kq = kqueues.get(Values.integer(a, 0));
        if (kq != null) {
            return kqueue(kq, c, first);
        }
        final Conn conn = run.open(Values.integer(a, 0));
        if (conn == null) {
            return Outcome.of(Errno.EBADF);
        }
        return switch (c.name()) {
            case "bind" -> Outcome.of(conn.so.bind(address(a, 1, true), Ucred.ROOT));
            case "listen" -> listen(conn, a);
            case "accept", "accept4" -> accept(conn, c);
            case "connect" -> connect(conn, a, first);
            case "close" -> close(conn);
            case "shutdown" -> Outcome.of(conn.so.shutdown(Values.integer(a, 1)));
            case "read" -> receive(conn, Values.integer(a, 2), 0, null);
            case "recv", "recvfrom" -> receive(conn, Values.integer(a, 2), Values.integer(a, 3), null);
            case "readv" -> receive(conn, Values.iovLength(Values.arg(a, 1)), 0, null);
            case "recvmsg" -> receive(conn, msgLength(a), Values.integer(a, 2), Values.arg(a, 1));
            case "write" -> send(conn, Values.integer(a, 2), 0, null);
            case "send" -> send(conn, Values.integer(a, 2), Values.integer(a, 3), null);
            case "writev" -> send(conn, Values.iovLength(Values.arg(a, 1)), 0, null);
            case "sendto" -> sendto(conn, Values.integer(a, 2), Values.integer(a, 3), address(a, 4, false));
            case "sendmsg" -> send(conn, msgLength(a), Values.integer(a, 2), null, MsgControl.of(Values.arg(a, 1)));
            case "fcntl" -> fcntl(conn, a);
            case "ioctl" -> ioctl(conn, a);
            case "getsockopt" -> opts.get(conn.so, a);
            case "setsockopt" -> opts.set(conn.so, a);
            default -> throw new DrillException("unknown system call " + c.name());
        };
    }

    // ---- connections ------------------------------------------------------------

    private Outcome socket(final Action.Syscall c) throws DrillException {
        final int wish = Values.integer(c.args(), 1);
        final int type = wish & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
        final boolean six = run.config().v6() || run.config().mapped();
        final int family = six ? SockAddr.AF_INET6 : SockAddr.AF_INET;
        final SoResult r =
            Sockets.of(run.vnet()).create(family, type, Values.integer(c.args(), 2), Ucred.ROOT);
        if (r.so() == null) {
            return Outcome.of(r.errno());
        }
        final int fd = (int) Values.number(c.result());
        if (fd < 0) {
            r.so().close();
            return Outcome.ok(0);
        }
        if (run.config().mapped()) {
            r.so().setOpt(SockOpt.set(InDefs.IPPROTO_IPV6, InDefs.IPV6_V6ONLY, 0L));
        }
        r.so().setNonBlocking((wish & SOCK_NONBLOCK) != 0);
        run.newSocket(fd, type, r.so());
        run.open(fd).fdFlags = (wish & SOCK_CLOEXEC) != 0 ? FD_CLOEXEC : 0;
        return Outcome.ok(fd);
    }

    /** Dots stand for the script's own endpoints. */
    private SockAddr address(final List<Expr> args, final int i, final boolean bind) throws DrillException {
        final Expr e = i < args.size() ? args.get(i) : new Expr.Ellipsis();
        if (!(e instanceof Expr.Struct)) {
            return bind ? run.bindAddress() : run.connectAddress();
        }
        final int port = (int) Values.number(Values.member(e, "sin_port", 1));
        final Expr at = Values.member(e, "sin_addr", 2);
        if (at instanceof Expr.Call c && c.args().get(0) instanceof Expr.Str s) {
            if (!Conn.isAddress(s.text())) {
                throw new DrillException("not an address: " + s);
            }
            return SockAddr.of(s.text(), port);
        }
        return SockAddr.in((int) Values.number(at), port);
    }

    private Outcome listen(final Conn conn, final List<Expr> a) throws DrillException {
        final Errno e = conn.so.listen(Values.integer(a, 1), Ucred.ROOT);
        if (e == Errno.OK) {
            conn.state = Conn.State.LISTENING;
        }
        return Outcome.of(e);
    }

    private Outcome accept(final Conn conn, final Action.Syscall c) throws DrillException {
        final SockAddr peer = new SockAddr();
        final SoResult r = conn.so.accept(peer, 0);
        if (r.so() == null) {
            return r.errno() == Errno.EAGAIN && !conn.so.nonBlocking() ? null : Outcome.of(r.errno());
        }
        final int fd = (int) Values.number(c.result());
        if (fd < 0) {
            r.so().close();
            return Outcome.ok(0);
        }
        if (c.name().equals("accept4")) {
            r.so().setNonBlocking((Values.integer(c.args(), 3) & SOCK_NONBLOCK) != 0);
        }
        run.accepted(fd, r.so(), peer);
        return Outcome.ok(fd);
    }

    private Outcome connect(final Conn conn, final List<Expr> a, final boolean first) throws DrillException {
        if (first) {
            final SockAddr to = address(a, 1, false);
            run.connecting(conn, to);
            final Errno e = conn.so.connect(to, Ucred.ROOT);
            conn.connecting = e == Errno.EINPROGRESS && !conn.so.nonBlocking();
            return conn.connecting ? null : Outcome.of(e);
        }
        if ((conn.so.state() & SocketDefs.SS_ISCONNECTING) != 0 && conn.so.error() == Errno.OK) {
            return null;
        }
        conn.connecting = false;
        return opts.takeError(conn.so);
    }

    private Outcome close(final Conn conn) {
        conn.closed = true;
        return Outcome.of(conn.so.close());
    }

    // ---- data ------------------------------------------------------------

    /** @param timeo the option with the time that it waits, 0 is for ever */
    private boolean waits(final Socket so, final int flags, final int timeo) {
        if (so.nonBlocking() || (flags & SocketDefs.MSG_DONTWAIT) != 0) {
            return false;
        }
        final SockOpt opt = SockOpt.get(SocketDefs.SOL_SOCKET, timeo);
        final Errno e = so.getOpt(opt);
        return e != Errno.OK || opt.value() == 0 || !run.waited(opt.value() / NS_PER_MS);
    }

    /** @param header of recvmsg, whose flags and control messages are compared; null for the others */
    private Outcome receive(final Conn conn, final int length, final int flags, final Expr header)
            throws DrillException {
        if (length < 0) {
            return Outcome.of(Errno.EINVAL);
        }
        final int room = Math.min(length, MOST_OCTETS);
        final RecvMsg msg = new RecvMsg();
        final List<Expr> control = MsgControl.of(header);
        msg.wantControl = control != null;
        msg.uio.set(MemorySegment.ofArray(new byte[room]), 0, room);
        msg.flags = flags;
        final Errno e = conn.so.receive(msg);
        if (e == Errno.EAGAIN && waits(conn.so, flags, SocketDefs.SO_RCVTIMEO)) {
            return null;
        }
        if (e != Errno.OK) {
            return Outcome.of(e);
        }
        String wrong = control == null ? null : MsgControl.compare(msg.control, control);
        final Expr want = header instanceof Expr.Struct s ? s.members().get("msg_flags") : null;
        if (wrong == null && want != null && !want.isEllipsis() && Values.number(want) != msg.flags) {
            wrong = "msg_flags: expected " + want + ", seen " + msg.flags;
        }
        return new Outcome(room - msg.uio.resid(), Errno.OK, wrong);
    }

    private static int msgLength(final List<Expr> a) throws DrillException {
        return Values.iovLength(Values.member(Values.arg(a, 1), "msg_iov", 1));
    }

    private Outcome sendto(final Conn conn, final int length, final int flags, final SockAddr to)
            throws DrillException {
        if (conn.state == Conn.State.NEW) {
            run.connecting(conn, to);
        }
        return send(conn, length, flags, to);
    }

    private Outcome send(final Conn conn, final int length, final int flags, final SockAddr to)
            throws DrillException {
        return send(conn, length, flags, to, null);
    }

    private Outcome send(final Conn conn, final int length, final int flags, final SockAddr to,
            final List<Expr> control) throws DrillException {
        if (length < 0) {
            return Outcome.of(Errno.EINVAL);
        }
        if (length > MOST_OCTETS) {
            throw new DrillException("more than " + MOST_OCTETS + " octets at once: " + length);
        }
        final int before = run.sentSoFar();
        final int left = length - before;
        final Uio uio = new Uio();
        uio.set(MemorySegment.ofArray(new byte[left]), 0, left);
        final Errno e = conn.so.send(to, uio, null, MsgControl.make(run.vnet().pool(), control), flags);
        final int sent = before + left - (int) uio.resid();
        final boolean partly = e == Errno.EAGAIN || e == Errno.OK && sent < length;
        if (partly && waits(conn.so, flags, SocketDefs.SO_SNDTIMEO)) {
            run.setSentSoFar(sent);
            return null;
        }
        run.setSentSoFar(0);
        return e == Errno.OK ? Outcome.ok(sent) : Outcome.of(e);
    }

    // ---- files ------------------------------------------------------------

    private static Outcome fcntl(final Conn conn, final List<Expr> a) throws DrillException {
        return switch (Values.integer(a, 1)) {
            case Symbols.F_GETFL ->
                Outcome.ok(Symbols.O_RDWR | (conn.so.nonBlocking() ? Symbols.O_NONBLOCK : 0));
            case Symbols.F_SETFL -> {
                conn.so.setNonBlocking((Values.integer(a, 2) & Symbols.O_NONBLOCK) != 0);
                yield Outcome.ok(0);
            }
            case Symbols.F_GETFD -> Outcome.ok(conn.fdFlags);
            case Symbols.F_SETFD -> {
                conn.fdFlags = Values.integer(a, 2);
                yield Outcome.ok(0);
            }
            default -> Outcome.of(Errno.EINVAL);
        };
    }

    private static Outcome ioctl(final Conn conn, final List<Expr> a) throws DrillException {
        final long request = Values.number(Values.arg(a, 1)) & 0xffff_ffffL;
        if (request == Symbols.FIONBIO) {
            conn.so.setNonBlocking(Values.number(Values.arg(a, 2)) != 0);
            return Outcome.ok(0);
        }
        final long seen;
        if (request == Symbols.FIONREAD) {
            seen = conn.so.fionread();
        } else if (request == Symbols.FIONWRITE) {
            seen = conn.so.fionwrite();
        } else if (request == Symbols.FIONSPACE) {
            seen = conn.so.fionspace();
        } else if (request == Symbols.SIOCATMARK) {
            seen = conn.so.atMark() ? 1 : 0;
        } else {
            return Outcome.of(Errno.ENOTTY);
        }
        return SockOpts.same("value", Values.arg(a, 2), seen);
    }

    private Outcome kqueue(final Kqueue kq, final Action.Syscall c, final boolean first) throws DrillException {
        return switch (c.name()) {
            case "kevent" -> kq.kevent(run, c.args(), first);
            case "close" -> {
                kqueues.values().remove(kq);
                yield Outcome.ok(0);
            }
            default -> Outcome.of(Errno.EBADF);
        };
    }

    private Outcome poll(final List<Expr> a) throws DrillException {
        if (!(Values.arg(a, POLL_AT) instanceof Expr.Array fds)) {
            throw new DrillException("not an array of pollfd: " + Values.arg(a, POLL_AT));
        }
        int ready = 0;
        String wrong = null;
        for (final Expr p : fds.items()) {
            final Conn conn = run.open((int) Values.number(Values.member(p, "fd", 0)));
            final int events = (int) Values.number(Values.member(p, "events", 1));
            final int got = conn == null ? SocketDefs.POLLNVAL : conn.so.poll(events);
            ready += got == 0 ? 0 : 1;
            final boolean given = p instanceof Expr.Struct s && s.members().size() > 2;
            final long want = given ? Values.number(Values.member(p, "revents", 2)) : 0;
            wrong = want != got ? "revents: expected " + want + ", seen " + got : wrong;
        }
        final long timeoutMs = Values.number(Values.arg(a, 2));
        if (ready == 0 && !run.waited(timeoutMs)) {
            return null;
        }
        return new Outcome(ready, Errno.OK, wrong);
    }
}
