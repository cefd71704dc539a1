package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Values.DrillException;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;

/**
 * A kqueue(2) of a script, over what {@code poll} and the counts of its sockets say: EVFILT_READ and EVFILT_WRITE, with
 * EV_ONESHOT, EV_CLEAR, EV_DISABLE and NOTE_LOWAT. With EV_CLEAR an event comes again once its data has changed.
 */
final class Kqueue {
    private static final int NOTE_LOWAT = 1;
    private static final int EV_ERROR = 0x4000;
    private static final int NOT_KEPT = Symbols.EV_ADD | Symbols.EV_DELETE | Symbols.EV_ENABLE | Symbols.EV_DISABLE;
    private static final long NOTHING = -1;
    private static final String[] MEMBERS = {"ident", "filter", "flags", "fflags", "data", "udata"};

    private static final int FFLAGS = 3;
    private static final int DATA = 4;
    private static final int UDATA = 5;

    /** A kevent, as given or as answered. */
    private static final class Kevent {
        private final long[] members; // in order

        Kevent(final long... members) {
            this.members = members;
        }

        long member(final int i) {
            return members[i];
        }

        static Kevent of(final Expr e) throws DrillException {
            final long[] m = new long[MEMBERS.length];
            for (int i = 0; i < m.length; i++) {
                m[i] = Values.number(Values.member(e, MEMBERS[i], i));
            }
            return new Kevent(m);
        }

        int ident() {
            return (int) members[0];
        }

        int filter() {
            return (int) members[1];
        }

        int flags() {
            return (int) members[2];
        }

        /** What differs from what a script expects, or null. */
        String differs(final Expr want) throws DrillException {
            if (want.isEllipsis()) {
                return null;
            }
            for (int i = 0; i < members.length; i++) {
                final Expr w = Values.member(want, MEMBERS[i], i);
                if (!w.isEllipsis() && (int) Values.number(w) != (int) members[i]) {
                    return MEMBERS[i] + ": expected " + w + ", seen " + members[i];
                }
            }
            return null;
        }
    }

    /** What is watched. */
    private static final class Knote {
        final Conn conn;
        final Kevent asked;
        boolean disabled;
        long told = NOTHING; // the data last told of

        Knote(final Conn conn, final Kevent asked) {
            this.conn = conn;
            this.asked = asked;
        }
    }

    private final List<Knote> knotes = new ArrayList<>();

    /** {@code kevent(kq, changes, n, events, n, timeout)}; null when it would wait. */
    Outcome kevent(final Run run, final List<Expr> a, final boolean first) throws DrillException {
        final int room = (int) Values.number(Values.arg(a, 4));
        final List<Kevent> out = new ArrayList<>();
        if (first) {
            final Errno e = change(run, list(Values.arg(a, 1)), out, room);
            if (e != Errno.OK) {
                return Outcome.of(e);
            }
        }
        if (out.isEmpty()) {
            scan(out, room);
        }
        if (out.isEmpty() && room > 0 && !run.waited(timeoutMs(Values.arg(a, 5)))) {
            return null;
        }
        return new Outcome(out.size(), Errno.OK, compare(out, list(Values.arg(a, 3))));
    }

    private static List<Expr> list(final Expr e) throws DrillException {
        if (e instanceof Expr.Array l) {
            return l.items();
        }
        if (e.isEllipsis() || Values.number(e) == 0) {
            return List.of();
        }
        throw new DrillException("not an array of kevent: " + e);
    }

    private static long timeoutMs(final Expr e) throws DrillException {
        if (e instanceof Expr.Struct) {
            return Values.number(Values.member(e, "tv_sec", 0)) * 1000
                + Values.number(Values.member(e, "tv_nsec", 1)) / 1_000_000;
        }
        return -1; // NULL: for ever
    }

    /** Errors are answered as events while there is room for them. */
    private Errno change(final Run run, final List<Expr> changes, final List<Kevent> out, final int room)
            throws DrillException {
        for (final Expr c : changes) {
            final Kevent k = Kevent.of(c);
            final Errno e = change(run, k);
            if (e != Errno.OK && out.size() == room) {
                return e;
            }
            if (e != Errno.OK) {
                out.add(new Kevent(k.ident(), k.filter(), EV_ERROR, 0, e.code(), k.member(UDATA)));
            }
        }
        return Errno.OK;
    }

    private Errno change(final Run run, final Kevent k) throws DrillException {
        if (k.filter() != Symbols.EVFILT_READ && k.filter() != Symbols.EVFILT_WRITE) {
            return Errno.EINVAL;
        }
        final Conn conn = run.open().stream().filter(c -> c.fd == k.ident()).findFirst().orElse(null);
        if (conn == null) {
            return Errno.EBADF;
        }
        Knote n = knotes.stream().filter(o -> o.conn == conn && o.asked.filter() == k.filter()).findFirst()
            .orElse(null);
        if ((k.flags() & Symbols.EV_ADD) != 0) {
            final Knote fresh = new Knote(conn, k);
            knotes.remove(n);
            knotes.add(fresh);
            n = fresh;
        }
        if (n == null) {
            return Errno.ENOENT;
        }
        if ((k.flags() & Symbols.EV_DELETE) != 0) {
            knotes.remove(n);
        }
        if ((k.flags() & (Symbols.EV_ENABLE | Symbols.EV_DISABLE)) != 0) {
            n.disabled = (k.flags() & Symbols.EV_DISABLE) != 0;
        }
        return Errno.OK;
    }

    private void scan(final List<Kevent> out, final int room) {
        knotes.removeIf(n -> n.conn.closed);
        for (final Knote n : List.copyOf(knotes)) {
            final Kevent e = n.disabled || out.size() == room ? null : event(n);
            if (e == null) {
                continue;
            }
            out.add(e);
            n.told = e.member(DATA);
            if ((n.asked.flags() & Symbols.EV_ONESHOT) != 0) {
                knotes.remove(n);
            }
        }
    }

    /** The event that is to be told of, or null. */
    private static Kevent event(final Knote n) {
        final boolean read = n.asked.filter() == Symbols.EVFILT_READ;
        final int polled = n.conn.so.poll(read ? SocketDefs.POLLIN : SocketDefs.POLLOUT);
        final boolean ready = (polled & (read ? SocketDefs.POLLIN : SocketDefs.POLLOUT)) != 0;
        final long data = !read ? n.conn.so.fionspace() : n.conn.so.listening() ? queued(n.conn) : n.conn.so.fionread();
        final boolean over = (n.conn.so.state() & SocketDefs.SS_ISDISCONNECTED) != 0
            || read && ready && data == 0 && !n.conn.so.listening();
        final boolean lowat = (n.asked.member(FFLAGS) & NOTE_LOWAT) != 0;
        final boolean enough = lowat ? data >= n.asked.member(DATA) : ready;
        final boolean news = (n.asked.flags() & Symbols.EV_CLEAR) == 0 || data != n.told;
        if (!over && !enough || !news) {
            return null;
        }
        final int flags = n.asked.flags() & ~NOT_KEPT | (over ? Symbols.EV_EOF : 0);
        final long fflags = over ? n.conn.so.error().code() : lowat ? NOTE_LOWAT : 0;
        return new Kevent(n.conn.fd, n.asked.filter(), flags, fflags, data, n.asked.member(UDATA));
    }

    private static long queued(final Conn c) {
        final SockOpt opt = SockOpt.get(SocketDefs.SOL_SOCKET, SocketDefs.SO_LISTENQLEN);
        c.so.getOpt(opt);
        return opt.value();
    }

    private static String compare(final List<Kevent> seen, final List<Expr> want) throws DrillException {
        for (int i = 0; i < Math.min(seen.size(), want.size()); i++) {
            final String wrong = seen.get(i).differs(want.get(i));
            if (wrong != null) {
                return "event " + (i + 1) + ", " + wrong;
            }
        }
        return null;
    }
}
