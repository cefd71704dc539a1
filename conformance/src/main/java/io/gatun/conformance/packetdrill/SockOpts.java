package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Values.DrillException;
import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.spi.socket.FastopenOpt;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.uipc.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** getsockopt and setsockopt of scripts. */
final class SockOpts {
    private static final int INT_LENGTH = 4;
    private static final long NS_PER_S = 1_000_000_000;
    private static final long NS_PER_US = 1000;

    Outcome get(final Socket so, final List<Expr> a) throws DrillException {
        final SockOpt opt = SockOpt.get(Values.integer(a, 1), Values.integer(a, 2));
        final Errno e = so.getOpt(opt);
        if (e != Errno.OK) {
            return Outcome.of(e);
        }
        final Expr want = Values.arg(a, 3);
        if (want.isEllipsis()) {
            return Outcome.ok(0);
        }
        if (want instanceof Expr.Str s) {
            final String seen = String.valueOf(opt.object());
            return Outcome.filled(s.text().equals(seen) ? null : "value: expected " + s + ", seen \"" + seen + "\"");
        }
        if (want instanceof Expr.Struct) {
            return opt.name() == SocketDefs.SO_RCVTIMEO || opt.name() == SocketDefs.SO_SNDTIMEO
                ? time(want, opt.value()) : struct(want, opt.object());
        }
        final Expr len = Values.arg(a, 4);
        if (!len.isEllipsis() && Values.number(len) != INT_LENGTH) {
            return Outcome.filled("length: expected " + len + ", seen " + INT_LENGTH);
        }
        return same("value", want, opt.value());
    }

    private static Outcome struct(final Expr want, final Object seen) throws DrillException {
        if (seen instanceof Linger l) {
            final long on = Values.number(Values.member(want, "onoff", 0));
            final long seconds = Values.number(Values.member(want, "linger", 1));
            return Outcome.filled(on != 0 == l.onoff() && seconds == l.seconds() ? null
                : "value: expected " + want + ", seen " + l);
        }
        if (seen instanceof TcpInfo info && want instanceof Expr.Struct s) {
            return info(s, CodeEval.names(info));
        }
        final Expr name = want instanceof Expr.Struct s ? s.members().get("function_set_name") : null;
        if (name instanceof Expr.Str s && seen instanceof String text) {
            return Outcome.filled(s.text().equals(text) ? null : "value: expected " + s + ", seen \"" + text + "\"");
        }
        throw new DrillException("a structure that scripts cannot compare: " + want);
    }

    /** The members that the script names, those of code blocks. */
    private static Outcome info(final Expr.Struct want, final Map<String, Long> seen) throws DrillException {
        for (final Map.Entry<String, Expr> m : want.members().entrySet()) {
            final Long v = seen.get(m.getKey());
            if (v == null) {
                throw new DrillException("TCP_INFO has no " + m.getKey());
            }
            if (!m.getValue().isEllipsis() && Values.number(m.getValue()) != v) {
                return Outcome.filled(m.getKey() + ": expected " + m.getValue() + ", seen " + v);
            }
        }
        return Outcome.filled(null);
    }

    /** A struct timeval. */
    private static Outcome time(final Expr want, final long seenNs) throws DrillException {
        return Outcome.filled(nanoseconds(want) == seenNs ? null
            : "value: expected " + want + ", seen " + seenNs / NS_PER_US + " us");
    }

    private static long nanoseconds(final Expr e) throws DrillException {
        return Values.number(Values.member(e, "tv_sec", 0)) * NS_PER_S
            + Values.number(Values.member(e, "tv_usec", 1)) * NS_PER_US;
    }

    /** Whether a value that was filled in is the script's. */
    static Outcome same(final String what, final Expr want, final long seen) throws DrillException {
        final boolean any = want.isEllipsis()
            || want instanceof Expr.Array a && (a.items().isEmpty() || a.items().get(0).isEllipsis());
        final boolean equal = any || (int) Values.number(want) == (int) seen;
        return Outcome.filled(equal ? null : what + ": expected " + want + ", seen [" + seen + "]");
    }

    /** SO_ERROR as the result of a connect that has ended. */
    Outcome takeError(final Socket so) {
        final SockOpt opt = SockOpt.get(SocketDefs.SOL_SOCKET, SocketDefs.SO_ERROR);
        final Errno e = so.getOpt(opt);
        return Outcome.of(e != Errno.OK ? e : Errno.of((int) opt.value()));
    }

    Outcome set(final Socket so, final List<Expr> a) throws DrillException {
        final int level = Values.integer(a, 1);
        final int name = Values.integer(a, 2);
        final Expr v = Values.arg(a, 3);
        if (v instanceof Expr.Str s) {
            return Outcome.of(so.setOpt(SockOpt.set(level, name, s.text())));
        }
        if (v instanceof Expr.Struct s) {
            if (s.members().containsKey("tv_sec")) {
                return Outcome.of(so.setOpt(SockOpt.set(level, name, nanoseconds(s))));
            }
            if (s.members().containsKey("onoff")) {
                return Outcome.of(so.setOpt(SockOpt.set(level, name,
                    new Linger(Values.number(s.members().get("onoff")) != 0,
                        (int) Values.number(Values.member(s, "linger", 1))))));
            }
            if (s.members().get("function_set_name") instanceof Expr.Str set) {
                return Outcome.of(so.setOpt(SockOpt.set(level, name, set.text())));
            }
            if (s.members().containsKey("enable")) {
                final boolean on = Values.number(s.members().get("enable")) != 0;
                if (s.members().get("psk") instanceof Expr.Str psk) {
                    final byte[] key = psk.text().getBytes(StandardCharsets.ISO_8859_1);
                    return key.length != FastopenOpt.TCP_FASTOPEN_PSK_LEN ? Outcome.of(Errno.EINVAL)
                        : Outcome.of(so.setOpt(SockOpt.set(level, name, new FastopenOpt(on, key))));
                }
                return Outcome.of(so.setOpt(SockOpt.set(level, name, on ? 1L : 0L)));
            }
            return Outcome.of(Errno.ENOPROTOOPT);
        }
        if (a.size() > 4 && !Values.arg(a, 4).isEllipsis() && Values.number(Values.arg(a, 4)) < INT_LENGTH) {
            return Outcome.of(Errno.EINVAL);
        }
        final int number = (int) Values.number(v);
        return Outcome.of(so.setOpt(SockOpt.set(level, name, (long) number)));
    }
}
