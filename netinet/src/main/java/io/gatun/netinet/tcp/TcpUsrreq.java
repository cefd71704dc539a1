package io.gatun.netinet.tcp;

import static io.gatun.spi.socket.SocketDefs.SO_LINGER;
import static io.gatun.spi.socket.SocketDefs.SO_OOBINLINE;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_ISCONNECTING;
import static io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTING;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;

/**
 * TCP as sockets see it: the user calls of RFC 9293 section 3.10, from OPEN (3.10.1) to STATUS (3.10.6).
 *
 * <p>A block that the protocol has ended (INP_DROPPED) keeps its socket until that detaches; calls on it answer
 * ECONNRESET, or EINVAL before there was a connection. A socket whose user has gone is kept by a reference of ours
 * (INP_SOCKREF) until the connection has ended.
 *
 * @bsd tcp_protosw
 */
public final class TcpUsrreq extends Protosw {
    /** How far urgent data may exceed the send buffer, octets. */
    private static final int OOB_SPACE = 512;

    private final Tcp tcp;
    private final TcpCtloutput ctloutput;
    private final int family;

    /**
     * @param ctloutput options of the socket's level and of IP's
     * @param family AF_INET or AF_INET6
     */
    public TcpUsrreq(final Tcp tcp, final TcpCtloutput ctloutput, final int family) {
        super(SocketDefs.SOCK_STREAM, InDefs.IPPROTO_TCP, PR_CONNREQUIRED | PR_IMPLOPCL | PR_WANTRCVD | PR_CAPATTACH);
        this.tcp = tcp;
        this.ctloutput = ctloutput;
        this.family = family;
    }

    /** The connection of a socket. @bsd sototcpcb */
    static Tcpcb tcpcb(final SocketSide so) {
        return (Tcpcb) ((Inpcb) so.pcb()).ppcb;
    }

    // ---- life ------------------------------------------------------------

    /** @bsd tcp_usr_attach */
    @Override
    public Errno attach(final SocketSide so, final int proto, final Ucred cred) {
        if (so.snd().hiwat() == 0 || so.rcv().hiwat() == 0) {
            final TcpSysctl s = tcp.sysctl;
            if (!reserve(so.snd(), s.sendspace.getInt()) || !reserve(so.rcv(), s.recvspace.getInt())) {
                return Errno.ENOBUFS;
            }
        }
        TcpSubr.newTcpcb(tcp, tcp.tcbinfo.alloc(so, family));
        return Errno.OK;
    }

    /** Gives a buffer that nobody else knows its size, which it may change as it sees fit. */
    private static boolean reserve(final SockBuf sb, final int octets) {
        sb.setFlagBits(SocketDefs.SB_AUTOSIZE, 0);
        return sb.reserveLocked(octets);
    }

    /** @bsd tcp_usr_detach */
    @Override
    public void detach(final SocketSide so) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            TcpSubr.close(tp);
            TcpSubr.discard(tp);
            tp.inp.free();
        } finally {
            tp.inp.lock.unlock();
        }
        TcpSubr.drain(tp);
    }

    /** The user lets go: CLOSE of RFC 9293 section 3.10.4. @bsd tcp_usr_close */
    @Override
    public void close(final SocketSide so) {
        final Tcpcb tp = tcpcb(so);
        if (tp.inp.has(Inpcb.INP_DROPPED)) {
            return; // for good: no lock is needed to see that
        }
        tp.inp.lock.lock();
        try {
            if (!tp.inp.has(Inpcb.INP_DROPPED) && tp.state != TcpState.TIME_WAIT) {
                tp.flags |= Tcpcb.TF_CLOSED;
                disconnect(tp);
                assert TcpCheck.check(tp);
            }
            keep(tp);
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** ABORT of RFC 9293 section 3.10.5. @bsd tcp_usr_abort */
    @Override
    public void abort(final SocketSide so) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            if (!tp.inp.has(Inpcb.INP_DROPPED) && tp.state != TcpState.TIME_WAIT) {
                tp.flags |= Tcpcb.TF_CLOSED;
                TcpSubr.drop(tp, Errno.ECONNABORTED);
            }
            keep(tp);
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** The connection outlives its user: it holds the socket from here on. */
    @GuardedBy("tp.inp.lock")
    private static void keep(final Tcpcb tp) {
        if (!tp.inp.has(Inpcb.INP_DROPPED | Inpcb.INP_SOCKREF)) {
            tp.inp.so.ref();
            tp.inp.setFlagBits(Inpcb.INP_SOCKREF, 0);
        }
    }

    // ---- OPEN ------------------------------------------------------------

    /** @bsd tcp_usr_bind */
    @Override
    public Errno bind(final SocketSide so, final SockAddr nam, final Ucred cred) {
        if (nam.family() != family || nam.isMulticast()) {
            return Errno.EAFNOSUPPORT;
        }
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            return tp.inp.has(Inpcb.INP_DROPPED) ? Errno.EINVAL : tp.inp.bind(nam, cred);
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** Passive OPEN. @bsd tcp_usr_listen */
    @Override
    public Errno listen(final SocketSide so, final int backlog, final Ucred cred) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            if (tp.inp.has(Inpcb.INP_DROPPED) || tp.state != TcpState.CLOSED && tp.state != TcpState.LISTEN) {
                return Errno.EINVAL;
            }
            Errno e = listenCheck(so);
            if (e != Errno.OK) {
                return e;
            }
            if (tp.inp.lport() == 0) {
                e = tp.inp.bind(null, cred);
            }
            listenCommit(so, e, backlog);
            if (e == Errno.OK) {
                if (tp.state == TcpState.CLOSED) {
                    TcpSubr.stateChange(tp, TcpState.LISTEN);
                }
                TcpFastopen.listen(tp);
                tp.inp.listen();
            }
            return e;
        } finally {
            tp.inp.lock.unlock();
        }
    }

    private static Errno listenCheck(final SocketSide so) {
        so.lock().lock();
        try {
            return so.listenProtoCheck();
        } finally {
            so.lock().unlock();
        }
    }

    private static void listenCommit(final SocketSide so, final Errno outcome, final int backlog) {
        so.lock().lock();
        try {
            if (outcome == Errno.OK) {
                so.listenProto(backlog);
            } else {
                so.listenProtoAbort();
            }
        } finally {
            so.lock().unlock();
        }
    }

    /** Active OPEN. @bsd tcp_usr_connect */
    @Override
    public Errno connect(final SocketSide so, final SockAddr nam, final Ucred cred) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            if (tp.inp.has(Inpcb.INP_DROPPED)) {
                return Errno.ECONNREFUSED;
            }
            tp.act().nowNs = tcp.clock.nanoTime(); // once for all that follows
            tp.flags2 |= Tcpcb.TF2_INEVENT;
            Errno e = connect(tp, nam, cred);
            if (e == Errno.OK && !TcpFusionOpen.open(tp)) {
                e = TcpOutput.output(tp);
            }
            return e;
        } finally {
            tp.flags2 &= ~Tcpcb.TF2_INEVENT;
            tp.inp.lock.unlock();
        }
    }

    /** All but the SYN itself, which output is due to send. @bsd tcp_connect */
    @GuardedBy("tp.inp.lock")
    private static Errno connect(final Tcpcb tp, final SockAddr nam, final Ucred cred) {
        if (nam.family() != tp.inp.family || nam.isMulticast()) {
            return Errno.EAFNOSUPPORT;
        }
        if (nam.family() == SockAddr.AF_INET && nam.in4() == SockAddr.INADDR_BROADCAST) {
            return Errno.EACCES;
        }
        final int state = tp.inp.so.state();
        if (tp.inp.so.listening()) {
            return Errno.EOPNOTSUPP;
        }
        if ((state & (SS_ISCONNECTING | SS_ISCONNECTED | SS_ISDISCONNECTING | SS_ISDISCONNECTED)) != 0) {
            return Errno.EISCONN;
        }
        final Errno e = tp.inp.connect(nam, cred);
        if (e == Errno.OK) {
            TcpSubr.synSent(tp);
        }
        return e;
    }

    /** Takes no lock: who it is does not change, and the connection may end just afterwards. @bsd tcp_usr_accept */
    @Override
    public Errno accept(final SocketSide so, final SockAddr nam) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.peeraddr(nam);
        final boolean gone = (so.state() & SS_ISDISCONNECTED) != 0 || tp.inp.has(Inpcb.INP_DROPPED);
        return gone ? Errno.ECONNABORTED : Errno.OK;
    }

    // ---- CLOSE ------------------------------------------------------------

    /**
     * DIFFERS: a connection that came to its end in good order just before is no longer connected, ENOTCONN, which
     * close(2) takes for success. FreeBSD calls it reset.
     *
     * @bsd tcp_usr_disconnect
     */
    @Override
    public Errno disconnect(final SocketSide so) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            if (tp.inp.has(Inpcb.INP_DROPPED)) {
                return so.error() == Errno.OK ? Errno.ENOTCONN : Errno.ECONNRESET;
            }
            if (tp.state != TcpState.TIME_WAIT) {
                disconnect(tp);
                assert TcpCheck.check(tp);
            }
            return Errno.OK;
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /**
     * Ends it in the way its state and SO_LINGER ask for: silently before it was established, by a reset with a
     * linger time of 0, else in good order. With Fast Open there may be text under way before that.
     *
     * @bsd tcp_disconnect
     */
    @GuardedBy("tp.inp.lock")
    private static void disconnect(final Tcpcb tp) {
        final SocketSide so = tp.inp.so;
        if (!tp.state.haveEstablished() && !(tp.has(Tcpcb.TF_FASTOPEN) && tp.state.after(TcpState.LISTEN))) {
            TcpSubr.close(tp);
        } else if ((so.options() & SO_LINGER) != 0 && so.linger() == 0) {
            TcpSubr.drop(tp, Errno.OK);
        } else {
            so.isDisconnecting();
            so.rcv().flush();
            usrclosed(tp);
            if (!tp.inp.has(Inpcb.INP_DROPPED) && !TcpFusionOpen.fin(tp)) {
                TcpOutput.output(tp);
            }
        }
    }

    /**
     * The user will send no more: a FIN is due behind what is queued. RFC 9293 section 3.10.4.
     *
     * @bsd tcp_usrclosed
     */
    @GuardedBy("tp.inp.lock")
    private static void usrclosed(final Tcpcb tp) {
        TcpFusion.unfuse(tp);
        switch (tp.state) {
            case LISTEN, CLOSED -> TcpSubr.close(tp);
            case SYN_SENT, SYN_RECEIVED -> tp.flags |= Tcpcb.TF_NEEDFIN;
            case ESTABLISHED -> TcpSubr.stateChange(tp, TcpState.FIN_WAIT_1);
            case CLOSE_WAIT -> TcpSubr.stateChange(tp, TcpState.LAST_ACK);
            case FIN_WAIT_2 -> {
                tp.inp.so.isDisconnected();
                TcpTimers.activate(tp, TcpTimers.TT_2MSL, TcpTimers.finwait2(tp));
            }
            case TIME_WAIT -> tp.inp.so.isDisconnected();
            default -> {
                // The FIN is on its way already.
            }
        }
    }

    /**
     * DIFFERS: to say again that no more is sent changes nothing. In FreeBSD that ends receiving too once the FIN has
     * been acknowledged.
     *
     * @bsd tcp_usr_shutdown
     */
    @Override
    public Errno shutdown(final SocketSide so, final int how) {
        if (so.listening()) {
            if (how != SocketDefs.SHUT_WR) {
                so.setError(Errno.ECONNABORTED);
            }
            return Errno.OK;
        }
        if ((so.state() & (SS_ISCONNECTED | SS_ISCONNECTING | SS_ISDISCONNECTING)) == 0) {
            return Errno.ENOTCONN;
        }
        if (how == SocketDefs.SHUT_RD) {
            so.cantRcvMore();
            return Errno.OK;
        }
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            if (tp.inp.has(Inpcb.INP_DROPPED)) {
                return Errno.ECONNRESET;
            }
            final boolean again = (so.snd().state() & SocketDefs.SBS_CANTSENDMORE) != 0;
            so.cantSendMore();
            if (!again || how == SocketDefs.SHUT_RDWR) {
                usrclosed(tp);
            }
            // To end receiving too is for the caller, after this; what acknowledges the FIN looks whether it has ended.
            final boolean sent = tp.inp.has(Inpcb.INP_DROPPED) || how == SocketDefs.SHUT_WR && TcpFusionOpen.fin(tp);
            final Errno e = sent ? Errno.OK : TcpOutput.output(tp);
            assert TcpCheck.check(tp);
            return e;
        } finally {
            tp.inp.lock.unlock();
        }
    }

    // ---- SEND ------------------------------------------------------------

    /** SEND of RFC 9293 section 3.10.2: appends to the send buffer and sends what may go. @bsd tcp_usr_send */
    @Override
    public Errno send(final SocketSide so, final int flags, final Mbuf m, final SockAddr nam, final Mbuf control) {
        if (control != null) {
            final boolean some = control.length() > 0;
            control.freeChain();
            if (some) {
                m.freeChain();
                return Errno.EINVAL;
            }
        }
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            if ((flags & PRUS_OOB) != 0 && tp.state == TcpState.CLOSED) {
                tp.flags &= ~Tcpcb.TF_FASTOPEN; // urgent text does not go with a SYN
            }
            final Errno e = maySend(tp, nam);
            if (e != Errno.OK) {
                m.freeChain();
                return e;
            }
            final Errno sent = (flags & PRUS_OOB) != 0 ? sendUrgent(tp, m) : sendStream(tp, m, flags);
            assert (flags & PRUS_NOTREADY) != 0 || TcpCheck.check(tp);
            return sent;
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** A destination on an unconnected socket connects it first, and the text may go along. @bsd PR_IMPLOPCL */
    @GuardedBy("tp.inp.lock")
    private static Errno maySend(final Tcpcb tp, final SockAddr nam) {
        if (tp.inp.has(Inpcb.INP_DROPPED)) {
            return Errno.ECONNRESET;
        }
        if (nam != null && tp.state == TcpState.CLOSED) {
            final Errno e = connect(tp, nam, tp.inp.cred);
            if (e == Errno.OK) {
                tp.tcp.fastopen.connect(tp);
            }
            return e;
        }
        return tp.state == TcpState.CLOSED || tp.state == TcpState.LISTEN ? Errno.ENOTCONN : Errno.OK;
    }

    @GuardedBy("tp.inp.lock")
    private static Errno sendStream(final Tcpcb tp, final Mbuf m, final int flags) {
        final SocketSide so = tp.inp.so;
        if ((flags & (PRUS_EOF | PRUS_NOTREADY)) != 0) {
            TcpFusion.unfuse(tp); // what waits in the buffer is not to be overtaken
        } else if (TcpFusion.send(tp, m)) {
            return Errno.OK;
        }
        so.snd().appendStream(m, flags);
        if ((flags & PRUS_EOF) != 0) {
            so.cantSendMore();
            usrclosed(tp);
        }
        if (tp.inp.has(Inpcb.INP_DROPPED) || (flags & PRUS_NOTREADY) != 0) {
            return Errno.OK;
        }
        if ((flags & PRUS_MORETOCOME) == 0) {
            return TcpOutput.output(tp);
        }
        tp.flags |= Tcpcb.TF_MORETOCOME;
        final Errno e = TcpOutput.output(tp);
        tp.flags &= ~Tcpcb.TF_MORETOCOME;
        return e;
    }

    /** The urgent pointer will point behind the last octet of this (RFC 6093). */
    @GuardedBy("tp.inp.lock")
    private static Errno sendUrgent(final Tcpcb tp, final Mbuf m) {
        TcpFusion.unfuse(tp);
        final SockBuf snd = tp.inp.so.snd();
        snd.lock().lock();
        try {
            if (snd.space() < -OOB_SPACE) {
                m.freeChain();
                return Errno.ENOBUFS;
            }
            snd.appendStreamLocked(m, 0);
            tp.sndUp = tp.sndUna + snd.avail();
        } finally {
            snd.lock().unlock();
        }
        tp.flags |= Tcpcb.TF_FORCEDATA;
        final Errno e = TcpOutput.output(tp);
        tp.flags &= ~Tcpcb.TF_FORCEDATA;
        return e;
    }

    // ---- RECEIVE ------------------------------------------------------------

    /** soreceive_stream: contiguous data, one lock round for many octets. */
    @Override
    public Errno soreceive(final SocketSide so, final RecvMsg msg) {
        return so.receiveStream(msg);
    }

    /** The user has read: tell the peer when its window opens enough. @bsd tcp_usr_rcvd */
    @Override
    public Errno rcvd(final SocketSide so, final int flags) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            if (tp.inp.has(Inpcb.INP_DROPPED)) {
                return Errno.ECONNRESET;
            }
            final Errno e = tp.state.haveEstablished() ? TcpOutput.windowOpened(tp) : Errno.OK;
            assert TcpCheck.check(tp);
            return e;
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** @bsd tcp_usr_rcvoob */
    @Override
    public Errno rcvoob(final SocketSide so, final Mbuf m, final int flags) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            if (tp.inp.has(Inpcb.INP_DROPPED)) {
                return Errno.ECONNRESET;
            }
            final boolean mark = so.oobMark() != 0 || (so.rcv().state() & SocketDefs.SBS_RCVATMARK) != 0;
            if (!mark || (so.options() & SO_OOBINLINE) != 0 || (tp.oobflags & Tcpcb.TCPOOB_HADDATA) != 0) {
                return Errno.EINVAL;
            }
            if ((tp.oobflags & Tcpcb.TCPOOB_HAVEDATA) == 0) {
                return Errno.EAGAIN;
            }
            m.len(1);
            m.put8(0, tp.iobc);
            if ((flags & SocketDefs.MSG_PEEK) == 0) {
                tp.oobflags ^= Tcpcb.TCPOOB_HAVEDATA | Tcpcb.TCPOOB_HADDATA;
            }
            return Errno.OK;
        } finally {
            tp.inp.lock.unlock();
        }
    }

    // ---- STATUS ------------------------------------------------------------

    /** @bsd tcp_ctloutput */
    @Override
    public Errno ctloutput(final SocketSide so, final SockOpt opt) {
        final Tcpcb tp = tcpcb(so);
        if (opt.dir() != SockOpt.Dir.SET) {
            return ctloutput.ctloutput(tp, opt);
        }
        if (opt.level() == SocketDefs.SOL_SOCKET && usersOwn(opt.name())) {
            return Errno.OK;
        }
        if (so.snd().fusion() != null || so.rcv().fusion() != null) {
            part(tp); // it may ask for something that takes segments; if not, the next that is sent joins them again
        }
        final Errno e = ctloutput.ctloutput(tp, opt);
        part(tp); // if another thread joined them meanwhile; one that is just about to is waited for
        return e;
    }

    /** Options of a user's calls alone, which change nothing of how octets go. */
    private static boolean usersOwn(final int name) {
        return switch (name) {
            case SO_LINGER, SocketDefs.SO_SNDTIMEO, SocketDefs.SO_RCVTIMEO, SocketDefs.SO_NOSIGPIPE,
                SocketDefs.SO_USER_COOKIE -> true;
            default -> false;
        };
    }

    private static void part(final Tcpcb tp) {
        tp.inp.lock.lock();
        try {
            TcpFusion.unfuse(tp);
            TcpFusion.refuse(tp);
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** @bsd in_getpeeraddr */
    @Override
    public Errno peeraddr(final SocketSide so, final SockAddr nam) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            tp.inp.peeraddr(nam);
            return tp.inp.connected() ? Errno.OK : Errno.ENOTCONN;
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** @bsd in_getsockaddr */
    @Override
    public Errno sockaddr(final SocketSide so, final SockAddr nam) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            tp.inp.sockaddr(nam);
            return Errno.OK;
        } finally {
            tp.inp.lock.unlock();
        }
    }
}
