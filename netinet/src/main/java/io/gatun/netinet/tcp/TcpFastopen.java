package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.FastopenOpt;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * TCP Fast Open, RFC 7413: text in the SYN, for a client that the server has met before.
 *
 * <p>A client sets TCP_FASTOPEN and sends to an address. Without a cookie for that path its SYN asks for one, and the
 * text follows the handshake; with one the text goes along. A SYN that has to be sent again goes without either, since
 * they may be what the network swallows. Where the server neither takes the text nor gives a cookie, Fast Open is off
 * on that path for a while ({@link TcpFastopenCache}).
 *
 * <p>A server sets TCP_FASTOPEN on its listener. A SYN with a good cookie ({@link TcpFastopenKeys}) makes a socket at
 * once, in SYN-RECEIVED, which can be accepted, read and written; its SYN|ACK waits a little for what the server may
 * answer. Such sockets may take up half of the backlog; beyond that, and without a good cookie, the syncache answers as
 * ever, and gives a cookie along.
 *
 * @bsd tcp_fastopen.c
 */
final class TcpFastopen {
    static final String BASE = "net.inet.tcp.fastopen.";
    /** Ticks a second, which bound what sysctls take. @bsd hz */
    static final int HZ = 1000;

    private final TcpFastopenKeys keys;
    private final TcpFastopenCache cache;

    TcpFastopen(Tcp tcp) {
        keys = new TcpFastopenKeys(tcp.vnet);
        cache = new TcpFastopenCache(tcp.vnet);
    }

    // ---- the option ------------------------------------------------------------

    /**
     * Sets TCP_FASTOPEN.
     *
     * @return EPERM while it is switched off, EINVAL once connected
     * @bsd TCP_FASTOPEN
     */
    @GuardedBy("tp.inp.lock")
    Errno setOption(Tcpcb tp, SockOpt opt) {
        if (!cache.enabled() && !keys.enabled()) {
            return Errno.EPERM;
        }
        if (tp.state != TcpState.CLOSED && tp.state != TcpState.LISTEN) {
            return Errno.EINVAL;
        }
        final FastopenOpt arg = opt.object() instanceof FastopenOpt f ? f : null;
        if (arg == null && opt.object() != null) {
            return Errno.EINVAL;
        }
        if (!(arg == null ? opt.value() != 0 : arg.enable())) {
            tp.flags &= ~Tcpcb.TF_FASTOPEN;
            return Errno.OK;
        }
        if (tp.state == TcpState.LISTEN && !keys.enabled()) {
            return Errno.EPERM;
        }
        final TcpFastopenCb cb = block(tp);
        if (tp.state == TcpState.LISTEN) {
            listen(cb);
        } else if (arg != null) {
            cb.psk = TcpFastopenKeys.key(arg.psk());
        }
        tp.flags |= Tcpcb.TF_FASTOPEN;
        return Errno.OK;
    }

    @GuardedBy("tp.inp.lock")
    private static TcpFastopenCb block(Tcpcb tp) {
        if (tp.tfo == null) {
            tp.tfo = new TcpFastopenCb();
        }
        return tp.tfo;
    }

    /** The socket becomes a listener. @bsd tcp_fastopen_alloc_counter */
    @GuardedBy("tp.inp.lock")
    static void listen(Tcpcb tp) {
        if (tp.has(Tcpcb.TF_FASTOPEN)) {
            listen(block(tp));
        }
    }

    private static void listen(TcpFastopenCb cb) {
        if (cb.pending == null) {
            cb.pending = new AtomicInteger(1);
        }
    }

    /** The connection is established, or ends: it no longer counts. @bsd tcp_fastopen_decrement_counter */
    @GuardedBy("tp.inp.lock")
    static void release(Tcpcb tp) {
        if (tp.tfo != null && tp.tfo.pending != null) {
            tp.tfo.pending.decrementAndGet();
            tp.tfo.pending = null;
        }
    }

    // ---- server ------------------------------------------------------------

    /** What a SYN at a listener, which is locked, is worth: one of {@link TcpFastopenKeys}. */
    @GuardedBy("lp.inp.lock")
    int judge(Tcpcb lp, Seg seg, InConninfo inc) {
        if (!seg.hasOpt(Seg.TOF_FASTOPEN) || !lp.has(Tcpcb.TF_FASTOPEN) || !keys.enabled()
            || lp.tfo.pending == null || lp.inp.so == null || lp.tfo.pending.get() > lp.inp.so.qlimit() / 2) {
            return TcpFastopenKeys.NONE;
        }
        return keys.check(inc, cookie(seg, 0), seg.cookieLen);
    }

    /** The cookie to answer a SYN with. */
    long latest(InConninfo inc, Seg seg) {
        return keys.latest(inc, seg.cookieLen);
    }

    /** A child that a good cookie has made may be used from here on. @bsd syncache_tfo_expand */
    @SuppressWarnings("GuardedBy") // two blocks of one class: the checker follows one
    void accepted(Tcpcb lp, Tcpcb made, long cookie) {
        made.inp.lock.lock();
        try {
            final TcpFastopenCb cb = block(made);
            cb.cookieLen = TcpFastopenKeys.COOKIE_LEN;
            cb.cookieLo = cookie;
            cb.pending = lp.tfo.pending;
            cb.pending.incrementAndGet();
            made.flags |= Tcpcb.TF_FASTOPEN;
            made.sndMax = made.iss;
            made.sndNxt = made.iss;
            made.inp.so.isConnected();
        } finally {
            made.inp.lock.unlock();
        }
    }

    /**
     * A segment arrives at such a child in SYN-RECEIVED. Its SYN passes, once; a FIN that came with it is left for the
     * peer to send again. DIFFERS: FreeBSD takes that FIN, and one without an ACK, and then never answers the SYN.
     */
    @GuardedBy("tp.inp.lock")
    static Verdict synReceived(Tcpcb tp, Seg seg) {
        if (seg.has(TcpHeader.TH_RST)) {
            return Verdict.NEXT;
        }
        if (seg.has(TcpHeader.TH_ACK)) {
            return seg.has(TcpHeader.TH_SYN) ? seg.dropWithReset(DropReason.TCP_BAD_SYN) : Verdict.NEXT;
        }
        final boolean answered = TcpTimers.active(tp, TcpTimers.TT_DELACK)
            || TcpTimers.active(tp, TcpTimers.TT_REXMT) || tp.sndMax != tp.sndUna;
        if (!seg.has(TcpHeader.TH_SYN) || answered || seg.seq != tp.irs) {
            return seg.drop(DropReason.TCP_BAD_SYN);
        }
        seg.flags &= ~TcpHeader.TH_FIN;
        return Verdict.NEXT;
    }

    /** The SYN of such a child is being taken: its window, and the initial one of congestion control. */
    @GuardedBy("tp.inp.lock")
    static void synTaken(Tcpcb tp, Seg seg) {
        tp.sndWnd = seg.win;
        tp.maxSndwnd = Math.max(tp.maxSndwnd, seg.win);
        TcpCc.connInit(tp);
    }

    // ---- client ------------------------------------------------------------

    /**
     * A connection with text to send begins; its SYN is not out yet. With a cookie the text may go along, as far as the
     * server's MSS, as it was known last, lets it.
     *
     * @bsd tcp_fastopen_connect
     */
    @GuardedBy("tp.inp.lock")
    void connect(Tcpcb tp) {
        if (!tp.has(Tcpcb.TF_FASTOPEN)) {
            return;
        }
        if (!cache.enabled()) {
            tp.flags &= ~Tcpcb.TF_FASTOPEN;
            return;
        }
        final TcpFastopenCb cb = tp.tfo;
        final int mss = cache.connect(tp);
        if (cb.cookieLen == 0) {
            return;
        }
        if (cb.psk != null) {
            cb.cookieLo = TcpFastopenKeys.pskCookie(cb.psk, cb.cookieLo, cb.cookieHi, cb.cookieLen);
            cb.cookieLen = TcpFastopenKeys.COOKIE_LEN;
        }
        TcpMss.mss(tp, mss == 0 ? -1 : mss);
        tp.sndWnd = tp.maxseg;
    }

    /**
     * The server has answered in SYN-SENT; what it acknowledges lies within what was sent. A cookie of a valid length
     * is remembered. DIFFERS: where there is none FreeBSD gives the path up; here a server that has taken the text
     * shows that the old cookie still holds (RFC 7413 section 4.1.3).
     */
    @GuardedBy("tp.inp.lock")
    void synAck(Tcpcb tp, Seg seg) {
        if (!tp.has(Tcpcb.TF_FASTOPEN)) {
            return;
        }
        final boolean given = seg.hasOpt(Seg.TOF_FASTOPEN);
        if (given && TcpFastopenCache.valid(seg.cookieLen)) {
            final int mss = seg.hasOpt(Seg.TOF_MSS) ? seg.mss : TcpMss.mssdflt(tp);
            cache.update(tp, mss, seg.cookieLen, cookie(seg, 0), cookie(seg, Long.BYTES));
        } else if (tp.tfo.cookieLen == 0 || seg.ack == tp.iss + 1) {
            cache.disablePath(tp);
            if (!given) {
                tp.flags &= ~Tcpcb.TF_FASTOPEN;
            }
        }
    }

    /** The connection attempt failed for a reason that Fast Open may have a part in. @bsd tcp_drop_syn_sent */
    @GuardedBy("tp.inp.lock")
    void refused(Tcpcb tp) {
        if (tp.has(Tcpcb.TF_FASTOPEN)) {
            cache.disablePath(tp);
            tp.flags &= ~Tcpcb.TF_FASTOPEN;
        }
    }

    /** Up to eight octets of the cookie that came, the first of them lowest. */
    private static long cookie(Seg seg, int from) {
        final Mbuf m = seg.m;
        long c = 0;
        for (int i = Math.min(seg.cookieLen - from, Long.BYTES) - 1; i >= 0; i--) {
            c = c << Byte.SIZE | m.getU8(seg.cookieOff + from + i);
        }
        return c;
    }

    // ---- both: what goes out ------------------------------------------------------------

    /** SYN and SYN|ACK carry the option, but not when they are sent again. */
    @GuardedBy("tp.inp.lock")
    static void option(Tcpcb tp, TcpOpt to) {
        if (tp.has(Tcpcb.TF_FASTOPEN) && tp.rxtshift == 0
            && (tp.state == TcpState.SYN_RECEIVED || tp.state == TcpState.SYN_SENT)) {
            tp.tfo.option(to);
        }
    }

    /** Whether a SYN with these options may carry text: beside a cookie only. */
    static boolean textAllowed(TcpOpt to) {
        return to.has(Seg.TOF_FASTOPEN) && to.cookieLen > 0;
    }

    /** The SYN|ACK of a child is out: nothing more until it is acknowledged, or sent again. */
    @GuardedBy("tp.inp.lock")
    static boolean silent(Tcpcb tp) {
        return tp.has(Tcpcb.TF_FASTOPEN) && tp.state == TcpState.SYN_RECEIVED && tp.sndMax != tp.sndUna
            && tp.sndNxt != tp.sndUna;
    }
}
