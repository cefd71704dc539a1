package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SB_AUTOSIZE;
import static io.gatun.spi.socket.SocketDefs.SO_ACCEPTCONN;
import static io.gatun.spi.socket.SocketDefs.SO_ACCEPTFILTER;
import static io.gatun.spi.socket.SocketDefs.SO_BROADCAST;
import static io.gatun.spi.socket.SocketDefs.SO_DEBUG;
import static io.gatun.spi.socket.SocketDefs.SO_DOMAIN;
import static io.gatun.spi.socket.SocketDefs.SO_DONTROUTE;
import static io.gatun.spi.socket.SocketDefs.SO_ERROR;
import static io.gatun.spi.socket.SocketDefs.SO_KEEPALIVE;
import static io.gatun.spi.socket.SocketDefs.SO_LINGER;
import static io.gatun.spi.socket.SocketDefs.SO_LISTENINCQLEN;
import static io.gatun.spi.socket.SocketDefs.SO_LISTENQLEN;
import static io.gatun.spi.socket.SocketDefs.SO_LISTENQLIMIT;
import static io.gatun.spi.socket.SocketDefs.SO_NOSIGPIPE;
import static io.gatun.spi.socket.SocketDefs.SO_NO_OFFLOAD;
import static io.gatun.spi.socket.SocketDefs.SO_OOBINLINE;
import static io.gatun.spi.socket.SocketDefs.SO_PROTOCOL;
import static io.gatun.spi.socket.SocketDefs.SO_RCVBUF;
import static io.gatun.spi.socket.SocketDefs.SO_RCVLOWAT;
import static io.gatun.spi.socket.SocketDefs.SO_RCVTIMEO;
import static io.gatun.spi.socket.SocketDefs.SO_RERROR;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEADDR;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEPORT;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEPORT_LB;
import static io.gatun.spi.socket.SocketDefs.SO_SETFIB;
import static io.gatun.spi.socket.SocketDefs.SO_SNDBUF;
import static io.gatun.spi.socket.SocketDefs.SO_SNDLOWAT;
import static io.gatun.spi.socket.SocketDefs.SO_SNDTIMEO;
import static io.gatun.spi.socket.SocketDefs.SO_TIMESTAMP;
import static io.gatun.spi.socket.SocketDefs.SO_TYPE;
import static io.gatun.spi.socket.SocketDefs.SO_USER_COOKIE;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;

/** Options of the socket level, and the way of the others down. */
final class SoOpt {
    private static final int LINGER_MAX = Short.MAX_VALUE;

    private SoOpt() {
    }

    /** @bsd sosetopt */
    static Errno set(final Socket so, final SockOpt opt) {
        if (isProtocols(opt)) {
            return so.proto.ctloutput(so, opt);
        }
        final Errno e = setSocketLevel(so, opt);
        if (e == Errno.OK) {
            // The protocol hears of it; that it has no use for it is no error.
            so.proto.ctloutput(so, opt);
        }
        return e;
    }

    /** How fast to send is the protocol's to keep, and to refuse. */
    private static boolean isProtocols(final SockOpt opt) {
        return opt.level() != SocketDefs.SOL_SOCKET || opt.name() == SocketDefs.SO_MAX_PACING_RATE;
    }

    private static Errno setSocketLevel(final Socket so, final SockOpt opt) {
        final int name = opt.name();
        final long value = opt.value();
        return switch (name) {
            case SO_DEBUG, SO_KEEPALIVE, SO_DONTROUTE, SO_REUSEADDR, SO_REUSEPORT, SO_REUSEPORT_LB, SO_BROADCAST,
                SO_OOBINLINE, SO_TIMESTAMP, SO_NOSIGPIPE, SO_NO_OFFLOAD, SO_RERROR -> {
                so.changeOptions(value != 0 ? name : 0, name);
                yield Errno.OK;
            }
            case SO_LINGER -> setLinger(so, opt);
            case SO_ACCEPTFILTER -> SoAccf.set(so, opt);
            case SO_SNDBUF, SO_RCVBUF, SO_SNDLOWAT, SO_RCVLOWAT -> so.proto.setsbopt(so, opt);
            case SO_SNDTIMEO, SO_RCVTIMEO -> setTimeo(name == SO_SNDTIMEO ? so.snd : so.rcv, value);
            case SO_SETFIB -> setFib(so, value);
            case SO_USER_COOKIE -> {
                so.setUserCookie(value);
                yield Errno.OK;
            }
            default -> Errno.ENOPROTOOPT;
        };
    }

    private static Errno setTimeo(final MbufSockBuf sb, final long ns) {
        if (ns < 0) {
            return Errno.EDOM;
        }
        sb.setTimeoNs(ns);
        return Errno.OK;
    }

    /** Only a table that is there. */
    private static Errno setFib(final Socket so, final long fib) {
        final Sysctl fibs = so.vnet().sysctl().find("net.fibs");
        if (fib < 0 || fib >= (fibs == null ? 1 : fibs.get())) {
            return Errno.EINVAL;
        }
        so.setFibnum((int) fib);
        return Errno.OK;
    }

    private static Errno setLinger(final Socket so, final SockOpt opt) {
        if (!(opt.object() instanceof Linger l)) {
            return Errno.EINVAL;
        }
        if (l.seconds() < 0 || l.seconds() > LINGER_MAX) {
            return Errno.EDOM;
        }
        so.setLinger(l.onoff() ? l.seconds() : -1);
        so.changeOptions(l.onoff() ? SO_LINGER : 0, SO_LINGER);
        return Errno.OK;
    }

    /** @bsd sogetopt */
    static Errno get(final Socket so, final SockOpt opt) {
        if (isProtocols(opt)) {
            return so.proto.ctloutput(so, opt);
        }
        switch (opt.name()) {
            case SO_DEBUG, SO_KEEPALIVE, SO_DONTROUTE, SO_REUSEADDR, SO_REUSEPORT, SO_REUSEPORT_LB, SO_BROADCAST,
                SO_OOBINLINE, SO_TIMESTAMP, SO_NOSIGPIPE, SO_NO_OFFLOAD, SO_RERROR, SO_ACCEPTCONN ->
                opt.answer((so.options() & opt.name()) != 0 ? 1 : 0);
            case SO_ACCEPTFILTER -> {
                return SoAccf.get(so, opt);
            }
            case SO_LINGER -> opt.answer(new Linger(so.linger() >= 0, Math.max(0, so.linger())));
            case SO_SNDBUF -> opt.answer(so.snd.hiwat());
            case SO_RCVBUF -> opt.answer(so.rcv.hiwat());
            case SO_SNDLOWAT -> opt.answer(so.snd.lowat());
            case SO_RCVLOWAT -> opt.answer(so.rcv.lowat());
            case SO_SNDTIMEO -> opt.answer(so.snd.timeoNs());
            case SO_RCVTIMEO -> opt.answer(so.rcv.timeoNs());
            case SO_ERROR -> opt.answer(so.takeError().code());
            case SO_TYPE -> opt.answer(so.type());
            case SO_PROTOCOL -> opt.answer(so.proto.protocol());
            case SO_DOMAIN -> opt.answer(so.family);
            case SO_USER_COOKIE -> opt.answer(so.userCookie());
            case SO_SETFIB -> opt.answer(so.fibnum());
            case SO_LISTENQLIMIT -> opt.answer(so.listening() ? so.sol().qlimit() : 0);
            case SO_LISTENQLEN -> opt.answer(so.listening() ? so.sol().qlen() : 0);
            case SO_LISTENINCQLEN -> opt.answer(so.listening() ? so.sol().incqlen() : 0);
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }

    /** @bsd sbsetopt */
    static Errno setSbOpt(final Socket so, final SockOpt opt) {
        final boolean sending = opt.name() == SO_SNDBUF || opt.name() == SO_SNDLOWAT;
        final MbufSockBuf sb = sending ? so.snd : so.rcv;
        if (opt.value() < 1) {
            return Errno.EINVAL;
        }
        sb.lock.lock();
        try {
            switch (opt.name()) {
                case SO_SNDBUF, SO_RCVBUF -> {
                    if (!sb.reserveLocked(opt.value())) {
                        return Errno.ENOBUFS;
                    }
                    sb.setFlagBits(0, SB_AUTOSIZE);
                    sb.wakeupLocked();
                }
                case SO_SNDLOWAT, SO_RCVLOWAT -> sb.setLowat((int) Math.min(opt.value(), sb.hiwat()));
                default -> {
                    return Errno.ENOPROTOOPT;
                }
            }
            return Errno.OK;
        } finally {
            sb.lock.unlock();
        }
    }

    /** @bsd soreserve */
    static Errno reserve(final Socket so, final long sndOctets, final long rcvOctets) {
        if (!reserve(so.snd, sndOctets, Mbuf.MCLBYTES)) {
            return Errno.ENOBUFS;
        }
        if (!reserve(so.rcv, rcvOctets, 1)) {
            reserve(so.snd, 0, 0);
            return Errno.ENOBUFS;
        }
        return Errno.OK;
    }

    private static boolean reserve(final MbufSockBuf sb, final long octets, final int lowat) {
        sb.lock.lock();
        try {
            if (!sb.reserveLocked(octets)) {
                return false;
            }
            if (sb.lowat() == 0) {
                sb.setLowat((int) Math.min(lowat, octets));
            }
            return true;
        } finally {
            sb.lock.unlock();
        }
    }
}
