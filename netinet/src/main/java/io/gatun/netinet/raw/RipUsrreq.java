package io.gatun.netinet.raw;

import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Icmp6Filter;
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

/** Raw IP as sockets see it: one entry for all protocols of a family. @bsd rip_protosw, rip6_protosw */
final class RipUsrreq extends Protosw {
    private final Rip rip;
    private final int family;

    RipUsrreq(final Rip rip, final int family) {
        super(SocketDefs.SOCK_RAW, 0, PR_ATOMIC | PR_ADDR);
        this.rip = rip;
        this.family = family;
    }

    private static Ripcb ripcb(final SocketSide so) {
        return (Ripcb) ((Inpcb) so.pcb()).ppcb;
    }

    /** EPERM without privilege, EPROTONOSUPPORT for a protocol out of range. @bsd rip_attach, rip6_attach */
    @Override
    public Errno attach(final SocketSide so, final int proto, final Ucred cred) {
        if (!cred.privileged()) {
            return Errno.EPERM;
        }
        if (proto < 0 || proto >= InDefs.IPPROTO_MAX) {
            return Errno.EPROTONOSUPPORT;
        }
        final Errno e = so.reserve(rip.maxdgram.getInt(), rip.recvspace.getInt());
        if (e != Errno.OK) {
            return e;
        }
        final Inpcb inp = rip.ripcbinfo.alloc(so, family);
        final Ripcb r = new Ripcb(inp, proto);
        inp.lock.lock();
        try {
            inp.ppcb = r;
        } finally {
            inp.lock.unlock();
        }
        rip.add(r);
        return Errno.OK;
    }

    /** @bsd rip_detach */
    @Override
    public void detach(final SocketSide so) {
        final Ripcb r = ripcb(so);
        rip.remove(r);
        r.inp.lock.lock();
        try {
            r.inp.free();
        } finally {
            r.inp.lock.unlock();
        }
    }

    /** Hears only what is for that address. EADDRNOTAVAIL when it is not ours. @bsd rip_bind, rip6_bind */
    @Override
    public Errno bind(final SocketSide so, final SockAddr nam, final Ucred cred) {
        if (nam.family() != family) {
            return Errno.EAFNOSUPPORT;
        }
        final Ripcb r = ripcb(so);
        r.inp.lock.lock();
        try {
            embed(nam, r.dst);
            if (!r.dst.isAny() && !r.inp.has(Inpcb.INP_BINDANY) && !rip.addrs(family).local(r.dst)) {
                return Errno.EADDRNOTAVAIL;
            }
            r.lhi = r.dst.hi();
            r.llo = r.dst.lo();
            return Errno.OK;
        } finally {
            r.inp.lock.unlock();
        }
    }

    /** As packets have it: with its zone put in. */
    private static void embed(final SockAddr nam, final SockAddr out) {
        out.set(nam);
        if (nam.family() == SockAddr.AF_INET6) {
            out.setIn6(In6.embed(nam), nam.lo(), 0, 0);
        }
    }

    /** Hears only what is from that address, and sends there. @bsd rip_connect, rip6_connect */
    @Override
    public Errno connect(final SocketSide so, final SockAddr nam, final Ucred cred) {
        if (nam.family() != family) {
            return Errno.EAFNOSUPPORT;
        }
        final Ripcb r = ripcb(so);
        r.inp.lock.lock();
        try {
            embed(nam, r.dst);
            rip.addrs(family).foreign(r.dst);
            if (family == SockAddr.AF_INET6 && !r.bound()) {
                final Errno e = rip.addrs(family).source(r.inp, r.dst, so.fibnum(), null, r.from);
                if (e != Errno.OK) {
                    return e;
                }
                r.lhi = r.from.hi();
                r.llo = r.from.lo();
            }
            r.fhi = r.dst.hi();
            r.flo = r.dst.lo();
            so.isConnected();
            return Errno.OK;
        } finally {
            r.inp.lock.unlock();
        }
    }

    /** @bsd rip_disconnect */
    @Override
    public Errno disconnect(final SocketSide so) {
        final Ripcb r = ripcb(so);
        r.inp.lock.lock();
        try {
            if (!r.connected()) {
                return Errno.ENOTCONN;
            }
            forget(r);
            so.clearConnected();
            return Errno.OK;
        } finally {
            r.inp.lock.unlock();
        }
    }

    private static void forget(final Ripcb r) {
        r.fhi = 0;
        r.flo = 0;
    }

    /** @bsd rip_close */
    @Override
    public void close(final SocketSide so) {
        final Ripcb r = ripcb(so);
        r.inp.lock.lock();
        try {
            if (r.connected()) {
                forget(r);
                so.isDisconnected();
            }
        } finally {
            r.inp.lock.unlock();
        }
    }

    /** @bsd rip_abort */
    @Override
    public void abort(final SocketSide so) {
        close(so);
    }

    /** @bsd rip_shutdown */
    @Override
    public Errno shutdown(final SocketSide so, final int how) {
        if ((so.state() & SocketDefs.SS_ISCONNECTED) == 0) {
            return Errno.ENOTCONN;
        }
        if (how != SocketDefs.SHUT_WR) {
            so.cantRcvMore();
            so.rcv().flush();
        }
        if (how != SocketDefs.SHUT_RD) {
            so.cantSendMore();
        }
        return Errno.OK;
    }

    /** DIFFERS: control messages for IPv4 are refused, not ignored. @bsd rip_send, rip6_send */
    @Override
    public Errno send(final SocketSide so, final int flags, final Mbuf m, final SockAddr nam, final Mbuf control) {
        final Ripcb r = ripcb(so);
        r.inp.lock.lock();
        try {
            if (family == SockAddr.AF_INET6) {
                return rip.output6.output(r, m, nam, control);
            }
            if (control != null) {
                control.freeChain();
                return RipOutput.drop(m, Errno.EOPNOTSUPP);
            }
            return rip.output.output(r, m, nam);
        } finally {
            r.inp.lock.unlock();
        }
    }

    // ---- options ------------------------------------------------------------

    /** @bsd rip_ctloutput, rip6_ctloutput */
    @Override
    public Errno ctloutput(final SocketSide so, final SockOpt opt) {
        final Ripcb r = ripcb(so);
        final boolean six = family == SockAddr.AF_INET6;
        return switch (opt.level()) {
            case SocketDefs.SOL_SOCKET ->
                opt.name() == SocketDefs.SO_MAX_PACING_RATE ? Errno.ENOPROTOOPT : Errno.OK;
            case InDefs.IPPROTO_IP -> six ? Errno.ENOPROTOOPT
                : opt.name() == InDefs.IP_HDRINCL ? hdrincl(r, opt) : rip.ipOptions.ctloutput(r.inp, opt);
            case InDefs.IPPROTO_IPV6 -> !six ? Errno.ENOPROTOOPT
                : opt.name() == InDefs.IPV6_CHECKSUM ? checksum(r, opt)
                : rip.inet.inet6().ctloutput.ctloutput(r.inp, opt);
            case InDefs.IPPROTO_ICMPV6 -> r.proto == InDefs.IPPROTO_ICMPV6 && opt.name() == InDefs.ICMP6_FILTER
                ? filter(r, opt) : Errno.ENOPROTOOPT;
            default -> Errno.ENOPROTOOPT;
        };
    }

    private static Errno hdrincl(final Ripcb r, final SockOpt opt) {
        r.inp.lock.lock();
        try {
            if (opt.dir() == SockOpt.Dir.GET) {
                opt.answer(r.inp.has(Inpcb.INP_HDRINCL) ? 1 : 0);
            } else {
                final int bit = Inpcb.INP_HDRINCL;
                r.inp.setFlagBits(opt.value() != 0 ? bit : 0, opt.value() != 0 ? 0 : bit);
            }
            return Errno.OK;
        } finally {
            r.inp.lock.unlock();
        }
    }

    /** ICMPv6 has its checksum always and where it is. EINVAL for an odd offset. @bsd ip6_raw_ctloutput */
    private static Errno checksum(final Ripcb r, final SockOpt opt) {
        final boolean icmp6 = r.proto == InDefs.IPPROTO_ICMPV6;
        r.inp.lock.lock();
        try {
            if (opt.dir() == SockOpt.Dir.GET) {
                opt.answer(icmp6 ? 2 : r.cksum);
                return Errno.OK;
            }
            final long v = opt.value();
            if (icmp6) {
                return v == 2 ? Errno.OK : Errno.EINVAL;
            }
            if (v < Ripcb.NO_CKSUM || v > 0xffff || v > 0 && v % 2 != 0) {
                return Errno.EINVAL;
            }
            r.cksum = (int) v;
            return Errno.OK;
        } finally {
            r.inp.lock.unlock();
        }
    }

    /** @bsd icmp6_ctloutput */
    private static Errno filter(final Ripcb r, final SockOpt opt) {
        r.inp.lock.lock();
        try {
            if (opt.dir() == SockOpt.Dir.GET) {
                opt.answer(r.filter == null ? new Icmp6Filter() : r.filter.copy());
                return Errno.OK;
            }
            if (!(opt.object() instanceof Icmp6Filter f)) {
                return Errno.EINVAL;
            }
            r.filter = f.copy();
            return Errno.OK;
        } finally {
            r.inp.lock.unlock();
        }
    }

    // ---- names and messages ------------------------------------------------------------

    private void fill(final SockAddr out, final long hi, final long lo) {
        if (family == SockAddr.AF_INET) {
            out.setIn((int) lo, 0);
        } else {
            In6.recover(out, hi, lo, 0);
        }
    }

    /** @bsd in_getpeeraddr */
    @Override
    public Errno peeraddr(final SocketSide so, final SockAddr nam) {
        final Ripcb r = ripcb(so);
        r.inp.lock.lock();
        try {
            fill(nam, r.fhi, r.flo);
            return r.connected() ? Errno.OK : Errno.ENOTCONN;
        } finally {
            r.inp.lock.unlock();
        }
    }

    /** @bsd in_getsockaddr */
    @Override
    public Errno sockaddr(final SocketSide so, final SockAddr nam) {
        final Ripcb r = ripcb(so);
        r.inp.lock.lock();
        try {
            fill(nam, r.lhi, r.llo);
            return Errno.OK;
        } finally {
            r.inp.lock.unlock();
        }
    }

    /** Without waiting: a packet goes as a whole or not at all. */
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
