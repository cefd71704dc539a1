package io.gatun.netinet.udp;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;

/** UDP as sockets see it. @bsd udp_protosw */
final class UdpUsrreq extends Protosw {
    private static final int TRIES = 3;

    private final Udp udp;
    private final int family;

    UdpUsrreq(final Udp udp, final int family) {
        super(SocketDefs.SOCK_DGRAM, InDefs.IPPROTO_UDP, PR_ATOMIC | PR_ADDR | PR_CAPATTACH);
        this.udp = udp;
        this.family = family;
    }

    /** @bsd udp_attach */
    @Override
    public Errno attach(final SocketSide so, final int proto, final Ucred cred) {
        final Errno e = so.reserve(udp.maxdgram.getInt(), udp.recvspace.getInt());
        if (e != Errno.OK) {
            return e;
        }
        final Inpcb inp = udp.udbinfo.alloc(so, family);
        inp.lock.lock();
        try {
            inp.ppcb = new Udpcb(inp);
        } finally {
            inp.lock.unlock();
        }
        return Errno.OK;
    }

    /** @bsd udp_detach */
    @Override
    public void detach(final SocketSide so) {
        final Inpcb inp = (Inpcb) so.pcb();
        inp.lock.lock();
        try {
            UdpDirect.gone(so, (Udpcb) inp.ppcb);
            inp.free();
        } finally {
            inp.lock.unlock();
        }
    }

    /** @bsd udp_bind */
    @Override
    public Errno bind(final SocketSide so, final SockAddr nam, final Ucred cred) {
        final Inpcb inp = (Inpcb) so.pcb();
        inp.lock.lock();
        try {
            return inp.bind(nam, cred);
        } finally {
            inp.lock.unlock();
        }
    }

    /** @bsd udp_connect */
    @Override
    public Errno connect(final SocketSide so, final SockAddr nam, final Ucred cred) {
        final Inpcb inp = (Inpcb) so.pcb();
        inp.lock.lock();
        try {
            final Errno e = inp.connect(nam, cred);
            UdpDirect.changed(inp);
            if (e == Errno.OK) {
                so.isConnected();
            }
            return e;
        } finally {
            inp.lock.unlock();
        }
    }

    /** @bsd udp_disconnect */
    @Override
    public Errno disconnect(final SocketSide so) {
        final Inpcb inp = (Inpcb) so.pcb();
        inp.lock.lock();
        try {
            if (!inp.connected()) {
                return Errno.ENOTCONN;
            }
            inp.disconnectAny();
            UdpDirect.changed(inp);
            so.clearConnected();
            return Errno.OK;
        } finally {
            inp.lock.unlock();
        }
    }

    /** @bsd udp_close */
    @Override
    public void close(final SocketSide so) {
        final Inpcb inp = (Inpcb) so.pcb();
        inp.lock.lock();
        try {
            if (inp.connected()) {
                inp.disconnectAny();
                so.isDisconnected();
            }
        } finally {
            inp.lock.unlock();
        }
    }

    /** @bsd udp_abort */
    @Override
    public void abort(final SocketSide so) {
        close(so);
    }

    /** Also without a peer, though ENOTCONN says so then. @bsd udp_shutdown */
    @Override
    public Errno shutdown(final SocketSide so, final int how) {
        final boolean connected = (so.state() & SocketDefs.SS_ISCONNECTED) != 0;
        if (how != SocketDefs.SHUT_WR) {
            so.cantRcvMore();
            so.rcv().flush();
        }
        if (how != SocketDefs.SHUT_RD) {
            so.cantSendMore();
        }
        return connected ? Errno.OK : Errno.ENOTCONN;
    }

    /** @bsd udp_send */
    @Override
    public Errno send(final SocketSide so, final int flags, final Mbuf m, final SockAddr nam, final Mbuf control) {
        final Inpcb inp = (Inpcb) so.pcb();
        final UdpWay known = nam == null && control == null ? udp.direct.toPeer(inp, m.pktLen()) : null;
        if (known != null && udp.direct.deliver(known, m)) {
            return Errno.OK;
        }
        return output(inp, m, nam, control, TRIES);
    }

    /**
     * As a packet, or straight to its receiver.
     *
     * @param tries ways to look for while what is found changes at once, so that datagrams do not change places
     */
    private Errno output(final Inpcb inp, final Mbuf m, final SockAddr nam, final Mbuf control, final int tries) {
        final UdpWay straight;
        inp.lock.lock();
        try {
            final Udpcb up = (Udpcb) inp.ppcb;
            up.asPacket = control != null || tries == 0;
            final Errno e = control == null ? udp.output.output(inp, m, nam) : udp.control.output(inp, m, nam, control);
            straight = up.due;
            if (straight == null) {
                UdpDirect.wentAsPacket(up);
                return e;
            }
            up.due = null;
        } finally {
            inp.lock.unlock();
        }
        return udp.direct.deliver(straight, m) ? Errno.OK : again(inp, m, nam, tries - 1);
    }

    private Errno again(final Inpcb inp, final Mbuf m, final SockAddr nam, final int tries) {
        inp.lock.lock();
        try {
            ((Udpcb) inp.ppcb).way = null;
        } finally {
            inp.lock.unlock();
        }
        return output(inp, m, nam, null, tries);
    }

    /** To the peer, when that is a socket of this stack. */
    @Override
    public boolean sendUio(final SocketSide so, final Uio uio, final SockAddr nam) {
        final Inpcb inp = (Inpcb) so.pcb();
        final UdpWay way = nam == null ? udp.direct.toPeer(inp, uio.resid()) : null;
        return way != null && udp.direct.deliver(way, uio);
    }

    /** @bsd udp_ctloutput */
    @Override
    public Errno ctloutput(final SocketSide so, final SockOpt opt) {
        final Errno e = option(so, opt);
        if (opt.dir() == SockOpt.Dir.SET) {
            optionSet((Inpcb) so.pcb());
        }
        return e;
    }

    private static void optionSet(final Inpcb inp) {
        inp.lock.lock();
        try {
            UdpDirect.changed(inp);
        } finally {
            inp.lock.unlock();
        }
    }

    private Errno option(final SocketSide so, final SockOpt opt) {
        return switch (opt.level()) {
            case SocketDefs.SOL_SOCKET ->
                opt.name() == SocketDefs.SO_MAX_PACING_RATE ? Errno.ENOPROTOOPT : Errno.OK;
            case InDefs.IPPROTO_IPV6 -> family != SockAddr.AF_INET6 ? Errno.ENOPROTOOPT
                : udp.inet.inet6().ctloutput.ctloutput((Inpcb) so.pcb(), opt);
            case InDefs.IPPROTO_IP -> udp.ipOptions.ctloutput((Inpcb) so.pcb(), opt);
            default -> Errno.ENOPROTOOPT;
        };
    }

    /** @bsd in_getpeeraddr */
    @Override
    public Errno peeraddr(final SocketSide so, final SockAddr nam) {
        final Inpcb inp = (Inpcb) so.pcb();
        inp.lock.lock();
        try {
            inp.peeraddr(nam);
            return inp.connected() ? Errno.OK : Errno.ENOTCONN;
        } finally {
            inp.lock.unlock();
        }
    }

    /** @bsd in_getsockaddr */
    @Override
    public Errno sockaddr(final SocketSide so, final SockAddr nam) {
        final Inpcb inp = (Inpcb) so.pcb();
        inp.lock.lock();
        try {
            inp.sockaddr(nam);
            return Errno.OK;
        } finally {
            inp.lock.unlock();
        }
    }

    /** @bsd sosend_dgram */
    @Override
    public Errno sosend(
        final SocketSide so, final SockAddr addr, final Uio uio, final Mbuf top, final Mbuf control, final int flags) {
        return so.sendDgram(addr, uio, top, control, flags);
    }

    /** @bsd soreceive_dgram */
    @Override
    public Errno soreceive(final SocketSide so, final RecvMsg msg) {
        return so.receiveDgram(msg);
    }
}
