package io.gatun.netinet.udp;

import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.ip.InAddrs;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpControl;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/** UDP on its way in, and what ICMP reports about it. @bsd udp_input */
final class UdpInput implements UdpMulti.Family {
    private static final int VALID = Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;

    private final Udp udp;
    private final UdpMulti multi;

    UdpInput(final Udp udp) {
        this.udp = udp;
        multi = new UdpMulti(udp, this);
    }

    /** Takes a datagram from IP, checks it and delivers it. Consumes m. No lock is held. @bsd udp_input */
    int input(final Mbuf packet, final int off, final int proto) {
        final Mbuf m = header(packet, off);
        if (m == null) {
            return InDefs.IPPROTO_DONE;
        }
        final DropReason bad = check(m, off);
        if (bad != null) {
            return drop(m, bad);
        }
        final int dst = IpHeader.dst(m, 0);
        if (InAddrs.isMulticast(dst) || m.has(Mbuf.M_BCAST | Mbuf.M_MCAST)
            || udp.inet.addrs.isBroadcast(dst, m.rcvif())) {
            multiInput(m, off, dst);
        } else {
            unicast(m, off, dst);
        }
        return InDefs.IPPROTO_DONE;
    }

    private int drop(final Mbuf m, final DropReason reason) {
        udp.vnet.drop(m, reason);
        return InDefs.IPPROTO_DONE;
    }

    /** The packet with a contiguous header, of whatever family; null when it was dropped. Consumes packet. */
    Mbuf header(final Mbuf packet, final int off) {
        udp.stat.ipackets.increment();
        if (packet.pktLen() < off + UdpHeader.LEN) {
            udp.stat.hdrops.increment();
            udp.vnet.drop(packet, DropReason.UDP_TOOSHORT);
            return null;
        }
        final Mbuf m = packet.len() >= off + UdpHeader.LEN ? packet : packet.pullup(off + UdpHeader.LEN);
        if (m == null) {
            udp.stat.hdrops.increment();
            udp.vnet.drop(null, DropReason.MBUF_NOMEM);
        }
        return m;
    }

    /** Port and length, of whatever family; trims what is behind the datagram. Null when all is well. Borrows m. */
    DropReason lengths(final Mbuf m, final int off) {
        if (UdpHeader.dport(m, off) == 0) {
            return DropReason.UDP_BADPORT;
        }
        final int len = m.pktLen() - off;
        final int ulen = UdpHeader.ulen(m, off);
        if (ulen > len || ulen < UdpHeader.LEN) {
            udp.stat.badlen.increment();
            return DropReason.UDP_BADLEN;
        }
        if (ulen < len) {
            m.adjTail(len - ulen);
        }
        return null;
    }

    /** Whether a sum over pseudo-header and datagram is right, which the interface may have vouched for. */
    DropReason sum(final Mbuf m, final int off, final int pseudo) {
        if (InCksum.fold((pseudo & 0xffff_ffffL) + InCksum.sum(m, off, UdpHeader.ulen(m, off))) == 0xffff) {
            return null;
        }
        udp.stat.badsum.increment();
        return DropReason.UDP_BADSUM;
    }

    /** Lengths, port and checksum (RFC 768, RFC 1122 section 4.1.3.4). Null when all is well. */
    private DropReason check(final Mbuf m, final int off) {
        final DropReason bad = lengths(m, off);
        if (bad != null) {
            return bad;
        }
        if (UdpHeader.sum(m, off) == 0) {
            udp.stat.nosum.increment();
            return null;
        }
        if ((m.csumFlags() & VALID) == VALID) {
            return null;
        }
        return sum(m, off,
            InCksum.pseudo(IpHeader.src(m, 0), IpHeader.dst(m, 0), InDefs.IPPROTO_UDP + UdpHeader.ulen(m, off)));
    }

    // ---- to one ------------------------------------------------------------

    private void unicast(final Mbuf m, final int off, final int dst) {
        final int src = IpHeader.src(m, 0);
        final int sport = UdpHeader.sport(m, off);
        final int dport = UdpHeader.dport(m, off);
        boolean done = false;
        while (!done) {
            final Inpcb inp = udp.udbinfo.lookup4(src, sport, dst, dport, InpcbInfo.INPLOOKUP_WILDCARD);
            if (inp == null) {
                noport(m);
                return;
            }
            UdpTunnels.Input tunnel = null;
            inp.lock.lock();
            try {
                done = inp.matches4(src, sport, dst, dport);
                if (done) {
                    tunnel = ((Udpcb) inp.ppcb).tunFunc;
                }
                if (done && tunnel == null) {
                    append(inp, m, off);
                }
            } finally {
                inp.lock.unlock();
            }
            if (tunnel != null) {
                tunnel.input(m, off);
            }
        }
    }

    @Override
    public void append(final Inpcb inp, final Mbuf m, final int off) {
        final int src = IpHeader.src(m, 0);
        final int sport = UdpHeader.sport(m, off);
        final SocketSide so = inp.so;
        if (inp.minttl != 0 && inp.minttl > IpHeader.ttl(m, 0)) {
            udp.vnet.drop(m, DropReason.IP_TTL);
            return;
        }
        final Udpcb up = (Udpcb) inp.ppcb;
        if (inp.family == SockAddr.AF_INET) {
            up.from.setIn(src, sport);
        } else {
            up.from.setIn6(0, In6.v4Mapped(src), sport, 0);
        }
        final Mbuf control = IpControl.wanted(inp) ? udp.control.save4(inp, m, off) : null;
        m.adjHead(off + UdpHeader.LEN);
        queue(so, up, m, control);
    }

    /**
     * Puts the data of a datagram, its sender in the scratch address, into the buffer. Consumes m and control, which
     * may be null.
     */
    void queue(final SocketSide so, final Udpcb up, final Mbuf m, final Mbuf control) {
        final SockBuf rcv = so.rcv();
        so.flow(m.flowid());
        rcv.lock().lock();
        try {
            queueLocked(so, up.from, m, control);
        } finally {
            rcv.lock().unlock();
        }
    }

    /** The same from any sender, borrowed. Under the lock of the receive buffer. */
    void queueLocked(final SocketSide so, final SockAddr from, final Mbuf m, final Mbuf control) {
        final SockBuf rcv = so.rcv();
        final boolean shut = (rcv.state() & SocketDefs.SBS_CANTRCVMORE) != 0;
        if (!shut && rcv.appendAddrLocked(from, m, control)) {
            so.rWakeupLocked();
            return;
        }
        if (!shut) {
            udp.stat.fullsock.increment();
            so.overflowLocked();
        }
        udp.vnet.drop(m, shut ? DropReason.SO_SHUTDOWN : DropReason.UDP_FULLSOCK);
        if (control != null) {
            control.freeChain();
        }
    }

    /** Nobody is there: RFC 1122 section 4.1.3.1 wants an ICMP port unreachable. Consumes m. */
    private void noport(final Mbuf m) {
        udp.stat.noport.increment();
        if (udp.blackhole.getBool() && (udp.blackholeLocal.getBool() || !udp.inet.addrs.isLocal(IpHeader.src(m, 0)))) {
            udp.vnet.drop(m, DropReason.UDP_NOPORT);
        } else {
            udp.inet.icmp.error(m, Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_PORT, 0);
        }
    }

    // ---- to all ------------------------------------------------------------

    private void multiInput(final Mbuf m, final int off, final int dst) {
        final Inpcb connected = udp.udbinfo.lookup4(IpHeader.src(m, 0), UdpHeader.sport(m, off), dst,
            UdpHeader.dport(m, off), 0);
        if (!multi.input(m, off, connected)) {
            (InAddrs.isMulticast(dst) ? udp.stat.noportmcast : udp.stat.noportbcast).increment();
            udp.vnet.drop(m, DropReason.UDP_NOPORT_BCAST);
        }
    }

    /** A group only where it is a member, and of a tunnel only what is for all of a network. */
    @Override
    public boolean wants(final Inpcb inp, final Mbuf m, final int off) {
        final int dst = IpHeader.dst(m, 0);
        inp.lock.lock();
        try {
            if (!inp.matches4(IpHeader.src(m, 0), UdpHeader.sport(m, off), dst, UdpHeader.dport(m, off))) {
                return false;
            }
            if (((Udpcb) inp.ppcb).tunFunc != null) {
                return !InAddrs.isMulticast(dst);
            }
            final Moptions imo = inp.moptions;
            if (imo != null && InAddrs.isMulticast(dst) && !imo.hears4(dst, IpHeader.src(m, 0), m.rcvif())) {
                udp.stat.filtermcast.increment();
                return false;
            }
            return true;
        } finally {
            inp.lock.unlock();
        }
    }

    // ---- ICMP ------------------------------------------------------------

    /**
     * An ICMP error about a datagram of ours: its connected socket learns of it. What it says of the path is believed
     * when there is a socket that may have sent the datagram. Borrows m.
     *
     * @bsd udp_ctlinput
     */
    void ctlinput(final Mbuf m, final int icmpOff) {
        final int ip = icmpOff + UdpHeader.LEN;
        final Errno e = Icmp.errmap(m.getU8(icmpOff), m.getU8(icmpOff + 1));
        final int uh = ip + IpHeader.hlen(m, ip);
        if (e == Errno.OK || m.len() < uh + UdpHeader.LEN) {
            return;
        }
        final int src = IpHeader.src(m, ip);
        final int dst = IpHeader.dst(m, ip);
        final int sport = UdpHeader.sport(m, uh);
        final int dport = UdpHeader.dport(m, uh);
        final Inpcb inp = udp.udbinfo.lookup4(dst, dport, src, sport, 0);
        boolean ours = false;
        if (inp == null) {
            ours = UdpTunneling.told(
                udp.udbinfo.lookup4(dst, dport, src, sport, InpcbInfo.INPLOOKUP_WILDCARD), m, icmpOff);
        } else {
            inp.lock.lock();
            try {
                ours = inp.matches4(dst, dport, src, sport) && inp.connected();
                if (ours) {
                    notifyError(inp, e);
                }
            } finally {
                inp.lock.unlock();
            }
        }
        if (ours) {
            udp.inet.icmp.updateMtu(m, icmpOff);
        }
    }

    /** The socket's next call says what happened; nothing for OK. @bsd udp_notify */
    static void notifyError(final Inpcb inp, final Errno e) {
        if (e == Errno.OK) {
            return;
        }
        if (e == Errno.EHOSTUNREACH || e == Errno.ENETUNREACH || e == Errno.EHOSTDOWN) {
            ((Udpcb) inp.ppcb).route.invalidate();
        }
        inp.so.setError(e);
    }
}
