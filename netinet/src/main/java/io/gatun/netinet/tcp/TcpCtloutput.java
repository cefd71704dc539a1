package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.IpCtloutput;
import io.gatun.netinet.ip6.Ip6Ctloutput;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import java.util.concurrent.TimeUnit;

/** The options of level IPPROTO_TCP; those of IP's level go on to IP. @bsd tcp_ctloutput */
public final class TcpCtloutput {
    private static final int MAX_PORT = 0xffff;
    private static final int MAX_SECONDS = Integer.MAX_VALUE / 1000;

    private final IpCtloutput ip;
    private final Ip6Ctloutput ip6;

    /** @param ip6 null for IPv4 sockets */
    public TcpCtloutput(final IpCtloutput ip, final Ip6Ctloutput ip6) {
        this.ip = ip;
        this.ip6 = ip6;
    }

    /**
     * Gets or sets an option.
     *
     * @return OK; ECONNRESET when the connection has ended, ENOPROTOOPT for an option that is not there, EINVAL for a
     *     bad value, ENOENT for an unknown congestion control
     */
    Errno ctloutput(final Tcpcb tp, final SockOpt opt) {
        switch (opt.level()) {
            case SocketDefs.SOL_SOCKET -> {
                if (opt.name() != SocketDefs.SO_MAX_PACING_RATE) {
                    return Errno.OK;
                }
            }
            case InDefs.IPPROTO_IP -> {
                return ip.ctloutput(tp.inp, opt);
            }
            case InDefs.IPPROTO_IPV6 -> {
                return ip6 == null ? Errno.ENOPROTOOPT : ctloutput6(tp, opt);
            }
            case InDefs.IPPROTO_TCP -> {
                // below
            }
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        tp.inp.lock.lock();
        try {
            if (tp.inp.has(Inpcb.INP_DROPPED)) {
                return Errno.ECONNRESET;
            }
            final boolean stack = opt.name() == InDefs.TCP_FUNCTION_BLK || opt.name() == InDefs.TCP_FUNCTION_ALIAS;
            if (stack && opt.level() == InDefs.IPPROTO_TCP) {
                return function(tp, opt);
            }
            return tp.fb == null || opt.level() != InDefs.IPPROTO_TCP ? defaultCtloutput(tp, opt)
                : tp.fb.ctloutput(tp, opt);
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** The stack of a connection, by name; a stack has no other name than its own. */
    @GuardedBy("tp.inp.lock")
    private static Errno function(final Tcpcb tp, final SockOpt opt) {
        if (opt.dir() == SockOpt.Dir.GET) {
            opt.answer(TcpFunctions.name(tp));
            return Errno.OK;
        }
        return opt.name() == InDefs.TCP_FUNCTION_BLK && opt.object() instanceof String s
            ? tp.tcp.functions.set(tp, s) : Errno.EINVAL;
    }

    /** As the base stack does it. @bsd tcp_default_ctloutput */
    @GuardedBy("tp.inp.lock")
    static Errno defaultCtloutput(final Tcpcb tp, final SockOpt opt) {
        return opt.dir() == SockOpt.Dir.SET ? set(tp, opt) : get(tp, opt);
    }

    private Errno ctloutput6(final Tcpcb tp, final SockOpt opt) {
        final Errno e = ip6.ctloutput(tp.inp, opt);
        if (e == Errno.OK && opt.name() == InDefs.IPV6_USE_MIN_MTU && opt.dir() == SockOpt.Dir.SET) {
            tp.inp.lock.lock();
            try {
                TcpMss.useMinMtu(tp);
            } finally {
                tp.inp.lock.unlock();
            }
        }
        return e;
    }

    @GuardedBy("tp.inp.lock")
    private static Errno set(final Tcpcb tp, final SockOpt opt) {
        if (opt.level() == SocketDefs.SOL_SOCKET) {
            return setPacing(tp, opt.value());
        }
        final boolean on = opt.value() != 0;
        return switch (opt.name()) {
            case InDefs.TCP_NODELAY -> flag(tp, Tcpcb.TF_NODELAY, on);
            case InDefs.TCP_NOOPT -> flag(tp, Tcpcb.TF_NOOPT, on);
            case InDefs.TCP_NOPUSH -> setNopush(tp, on);
            case InDefs.TCP_MAXSEG -> setMaxseg(tp, opt.value());
            case InDefs.TCP_KEEPINIT, InDefs.TCP_KEEPIDLE, InDefs.TCP_KEEPINTVL, InDefs.TCP_KEEPCNT,
                InDefs.TCP_MAXUNACKTIME -> setKeep(tp, opt.name(), opt.value());
            case InDefs.TCP_MD5SIG -> setMd5sig(tp, on);
            case InDefs.TCP_FASTOPEN -> tp.tcp.fastopen.setOption(tp, opt);
            case InDefs.TCP_CONGESTION ->
                opt.object() instanceof String s ? TcpSubr.setCongestion(tp, s) : Errno.EINVAL;
            case InDefs.TCP_CCALGOOPT -> tp.cc.ctlOutput(tp, opt);
            case InDefs.TCP_REMOTE_UDP_ENCAPS_PORT -> setEncapsPort(tp, opt.value());
            default -> Errno.ENOPROTOOPT;
        };
    }

    @GuardedBy("tp.inp.lock")
    private static Errno setPacing(final Tcpcb tp, final long rate) {
        if (rate < 0 || rate > TcpPacer.UNLIMITED) {
            return Errno.EINVAL;
        }
        TcpPacer.set(tp, rate);
        return Errno.OK;
    }

    /** Only before there is a connection, and only while there is a port of ours to send it from. */
    @GuardedBy("tp.inp.lock")
    private static Errno setEncapsPort(final Tcpcb tp, final long v) {
        if (v < 0 || v > MAX_PORT || v != 0 && tp.tcp.tunnel.port() == 0 || tp.state != TcpState.CLOSED) {
            return Errno.EINVAL;
        }
        tp.port = (int) v;
        return Errno.OK;
    }

    @GuardedBy("tp.inp.lock")
    private static Errno flag(final Tcpcb tp, final int bit, final boolean on) {
        tp.flags = on ? tp.flags | bit : tp.flags & ~bit;
        return Errno.OK;
    }

    /** In any state; the size of segments changes with it. @bsd tcp_ipsec_pcbctl */
    @GuardedBy("tp.inp.lock")
    private static Errno setMd5sig(final Tcpcb tp, final boolean on) {
        flag(tp, Tcpcb.TF_SIGNATURE, on);
        TcpMss.resize(tp);
        return Errno.OK;
    }

    /** Switching it off lets out what it held back. */
    @GuardedBy("tp.inp.lock")
    private static Errno setNopush(final Tcpcb tp, final boolean on) {
        flag(tp, Tcpcb.TF_NOPUSH, on);
        return on || !tp.state.haveEstablished() ? Errno.OK : TcpOutput.output(tp);
    }

    /** A segment size may only shrink, and not below what the vnet allows. */
    @GuardedBy("tp.inp.lock")
    private static Errno setMaxseg(final Tcpcb tp, final long v) {
        final int least = Math.max(1, tp.tcp.sysctl.minmss.getInt() - TcpPath.minProtoHdr(tp));
        final boolean open = tp.state != TcpState.CLOSED && tp.state != TcpState.LISTEN;
        if (v < least || v > (open ? tp.maxseg : TcpHeader.TCP_MAXWIN)) {
            return Errno.EINVAL;
        }
        tp.user = tp.user.withMaxseg((int) v);
        if (open) {
            tp.maxseg = (int) v;
            TcpMss.resize(tp);
        }
        return Errno.OK;
    }

    /** Times are in seconds, as in tcp(4). */
    @GuardedBy("tp.inp.lock")
    private static Errno setKeep(final Tcpcb tp, final int name, final long v) {
        if (v < 0 || v > MAX_SECONDS) {
            return Errno.EINVAL;
        }
        final long ns = TimeUnit.SECONDS.toNanos(v);
        switch (name) {
            case InDefs.TCP_KEEPCNT -> tp.user = tp.user.withKeepcnt((int) v);
            case InDefs.TCP_KEEPIDLE -> {
                tp.user = tp.user.withKeepidle(ns);
                if (tp.state.haveEstablished()) {
                    TcpTimers.activate(tp, TcpTimers.TT_KEEP, TcpTimers.keepidle(tp));
                }
            }
            case InDefs.TCP_KEEPINTVL -> tp.user = tp.user.withKeepintvl(ns);
            case InDefs.TCP_MAXUNACKTIME -> tp.user = tp.user.withMaxunack((int) v);
            default -> {
                tp.user = tp.user.withKeepinit(ns);
                if (tp.state == TcpState.SYN_SENT || tp.state == TcpState.SYN_RECEIVED) {
                    TcpTimers.activate(tp, TcpTimers.TT_KEEP, TcpTimers.keepinit(tp));
                }
            }
        }
        return Errno.OK;
    }

    @GuardedBy("tp.inp.lock")
    private static Errno get(final Tcpcb tp, final SockOpt opt) {
        if (opt.level() == SocketDefs.SOL_SOCKET) {
            opt.answer(TcpPacer.rate(tp));
            return Errno.OK;
        }
        switch (opt.name()) {
            case InDefs.TCP_NODELAY -> opt.answer(bit(tp, Tcpcb.TF_NODELAY));
            case InDefs.TCP_NOOPT -> opt.answer(bit(tp, Tcpcb.TF_NOOPT));
            case InDefs.TCP_NOPUSH -> opt.answer(bit(tp, Tcpcb.TF_NOPUSH));
            case InDefs.TCP_MAXSEG -> opt.answer(maxseg(tp));
            case InDefs.TCP_KEEPINIT -> opt.answer(TimeUnit.NANOSECONDS.toSeconds(TcpTimers.keepinit(tp)));
            case InDefs.TCP_KEEPIDLE -> opt.answer(TimeUnit.NANOSECONDS.toSeconds(TcpTimers.keepidle(tp)));
            case InDefs.TCP_KEEPINTVL -> opt.answer(TimeUnit.NANOSECONDS.toSeconds(TcpTimers.keepintvl(tp)));
            case InDefs.TCP_KEEPCNT -> opt.answer(TcpTimers.keepcnt(tp));
            case InDefs.TCP_MD5SIG -> opt.answer(bit(tp, Tcpcb.TF_SIGNATURE));
            case InDefs.TCP_FASTOPEN -> opt.answer(bit(tp, Tcpcb.TF_FASTOPEN));
            case InDefs.TCP_MAXUNACKTIME ->
                opt.answer(TimeUnit.NANOSECONDS.toSeconds(TcpTimers.maxunacktime(tp)));
            case InDefs.TCP_INFO -> opt.answer(TcpInfo.of(tp));
            case InDefs.TCP_REMOTE_UDP_ENCAPS_PORT -> opt.answer(tp.port);
            case InDefs.TCP_CONGESTION -> opt.answer(TcpSubr.congestion(tp));
            case InDefs.TCP_CCALGOOPT -> {
                return tp.cc.ctlOutput(tp, opt);
            }
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }

    @GuardedBy("tp.inp.lock")
    private static int maxseg(final Tcpcb tp) {
        return tp.state == TcpState.CLOSED && tp.user.maxseg() != 0 ? tp.user.maxseg() : tp.maxseg;
    }

    @GuardedBy("tp.inp.lock")
    private static long bit(final Tcpcb tp, final int flag) {
        return tp.has(flag) ? 1 : 0;
    }
}
