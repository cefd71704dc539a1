package io.gatun.netinet.udp;

import io.gatun.netinet.ip.IpControl;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Control;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.ip6.Ip6PktOpts;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.Cmsg;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/** Control messages of datagrams, both ways and of both families. All are called under the pcb's lock but one. */
final class UdpControl {
    private static final int OCTET = 255;
    private static final int PKTINFO = 2 * Long.BYTES + Integer.BYTES;

    private final Udp udp;

    UdpControl(final Udp udp) {
        this.udp = udp;
    }

    // ---- on the way in ------------------------------------------------------------

    /** What a socket asked for about a datagram over IPv4. Borrows m, which begins with its IP header. */
    Mbuf save4(final Inpcb inp, final Mbuf m, final int off) {
        final boolean six = inp.family == SockAddr.AF_INET6;
        final Mbuf c = six ? Ip6Control.save4(udp.vnet, inp, m) : IpControl.save(udp.vnet, inp, m);
        if (!inp.has(Inpcb.INP_ORIGDSTADDR)) {
            return c;
        }
        final int dst = IpHeader.dst(m, 0);
        final int port = UdpHeader.dport(m, off);
        return six ? Ip6Control.origdst(udp.vnet.pool(), c, 0, In6.v4Mapped(dst), port)
            : IpControl.origdst(udp.vnet.pool(), c, dst, port);
    }

    /** As {@link #save4} over IPv6. */
    Mbuf save6(final Inpcb inp, final Mbuf m, final int off) {
        final Mbuf c = Ip6Control.save(udp.vnet, inp, m, off);
        return !inp.has(Inpcb.INP_ORIGDSTADDR) ? c : Ip6Control.origdst(udp.vnet.pool(), c, Ip6Header.dstHi(m, 0),
            Ip6Header.dstLo(m, 0), UdpHeader.dport(m, off));
    }

    /**
     * Tells all sockets that asked (IPV6_RECVPATHMTU) and may send there how much a path takes: a control message with
     * no data. No lock is held. @bsd ip6_notify_pmtu
     */
    void notifyPmtu(final long hi, final long lo, final int port, final int mtu) {
        for (final Inpcb inp : udp.udbinfo.snapshot()) {
            inp.lock.lock();
            try {
                final boolean concerned = inp.so != null && inp.has(Inpcb.IN6P_MTU)
                    && (!inp.connected() || inp.faddrHi() == hi && inp.faddrLo() == lo);
                if (concerned) {
                    tooBig(inp, hi, lo, port, mtu);
                }
            } finally {
                inp.lock.unlock();
            }
        }
    }

    /** Tells one socket, whose lock is held, how much a path takes (RFC 3542 section 11.3). @bsd ip6_notify_pmtu */
    void tooBig(final Inpcb inp, final long hi, final long lo, final int port, final int mtu) {
        final Udpcb up = (Udpcb) inp.ppcb;
        In6.recover(up.from, hi, lo, port);
        append(inp, up, Ip6Control.pathMtu(udp.vnet.pool(), hi, lo, port, mtu));
    }

    private void append(final Inpcb inp, final Udpcb up, final Mbuf control) {
        final SockBuf rcv = inp.so.rcv();
        rcv.lock().lock();
        try {
            final boolean shut = (rcv.state() & SocketDefs.SBS_CANTRCVMORE) != 0;
            if (control != null && !shut && rcv.appendAddrLocked(up.from, null, control)) {
                inp.so.rWakeupLocked();
                return;
            }
        } finally {
            rcv.lock().unlock();
        }
        udp.vnet.drop(control, control == null ? DropReason.MBUF_NOMEM : DropReason.UDP_FULLSOCK);
    }

    // ---- on the way out ------------------------------------------------------------

    /**
     * Sends a datagram as its control messages say. Consumes m and control.
     *
     * @return what {@link UdpOutput#output} says; EINVAL for malformed messages, ENOPROTOOPT for unknown ones
     */
    Errno output(final Inpcb inp, final Mbuf m, final SockAddr nam, final Mbuf control) {
        final Udpcb up = (Udpcb) inp.ppcb;
        final short tos = inp.tos;
        final short ttl = inp.ttl;
        final boolean four = inp.family == SockAddr.AF_INET
            || (nam == null ? inp.vflag() == Inpcb.INP_IPV4 : In6.isV4Mapped(nam.hi(), nam.lo()));
        Errno e = four ? control4(inp, up, control) : control6(inp, up, control);
        control.freeChain();
        e = e == Errno.OK ? udp.output.output(inp, m, nam) : UdpOutput.drop(m, e);
        inp.tos = tos;
        inp.ttl = ttl;
        up.src4 = 0;
        up.opts = null;
        return e;
    }

    private Errno control6(final Inpcb inp, final Udpcb up, final Mbuf control) {
        if (up.optsScratch == null) {
            up.optsScratch = new Ip6PktOpts();
        }
        up.optsScratch.set(inp.outputOpts);
        final Errno e = up.optsScratch.control(udp.inet, control, inp.cred);
        up.opts = e == Errno.OK ? up.optsScratch : null;
        return e;
    }

    /** All messages are in one mbuf; those of other levels are none of IPv4's business. */
    private Errno control4(final Inpcb inp, final Udpcb up, final Mbuf m) {
        if (m.next() != null) {
            return Errno.EINVAL;
        }
        Errno e = Errno.OK;
        int at = 0;
        while (at < m.len() && e == Errno.OK) {
            if (!Cmsg.check(m, at)) {
                return Errno.EINVAL;
            }
            final int level = Cmsg.level(m, at);
            if (level == InDefs.IPPROTO_IP) {
                e = message4(inp, up, m, at);
            } else if (level == InDefs.IPPROTO_IPV6 && inp.family == SockAddr.AF_INET6) {
                e = mapped(inp, up, m, at);
            }
            at = Cmsg.next(m, at);
        }
        return e;
    }

    /** DIFFERS: IP_TTL is taken too. */
    private Errno message4(final Inpcb inp, final Udpcb up, final Mbuf m, final int at) {
        final int n = Cmsg.length(m, at);
        final int data = Cmsg.data(at);
        switch (Cmsg.type(m, at)) {
            case InDefs.IP_SENDSRCADDR -> {
                return n != Integer.BYTES ? Errno.EINVAL : source4(inp, up, m.getInt(data));
            }
            case InDefs.IP_TOS -> inp.tos = n != 1 ? inp.tos : (short) m.getU8(data);
            case InDefs.IP_TTL -> {
                if (n == 1 && m.getU8(data) == 0) {
                    return Errno.EINVAL;
                }
                inp.ttl = n != 1 ? inp.ttl : (short) (m.getU8(data) & OCTET);
            }
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        return n == 1 ? Errno.OK : Errno.EINVAL;
    }

    /** IPV6_PKTINFO of a datagram to a mapped address. @bsd udp_v4mapped_pktinfo */
    private Errno mapped(final Inpcb inp, final Udpcb up, final Mbuf m, final int at) {
        if (Cmsg.type(m, at) != InDefs.IPV6_PKTINFO) {
            return Errno.OK;
        }
        final int data = Cmsg.data(at);
        if (Cmsg.length(m, at) != PKTINFO) {
            return Errno.EINVAL;
        }
        final long hi = m.getLong(data);
        final long lo = m.getLong(data + Long.BYTES);
        if (In6.isAny(hi, lo)) {
            return Errno.OK;
        }
        return In6.isV4Mapped(hi, lo) ? source4(inp, up, (int) lo) : Errno.EINVAL;
    }

    /** A bound port and no bound address are what it takes to choose one for a datagram. */
    private Errno source4(final Inpcb inp, final Udpcb up, final int addr) {
        if (inp.lport() == 0 || addr == 0 || inp.localSet()) {
            return Errno.EINVAL;
        }
        if (!udp.inet.addrs.isLocal(addr) && !inp.has(Inpcb.INP_BINDANY)) {
            return Errno.EADDRNOTAVAIL;
        }
        up.src4 = addr;
        return Errno.OK;
    }
}
