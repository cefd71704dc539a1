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
final class UdpInput {
    private static final int VALID = Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;
    private static final int REUSE = SocketDefs.SO_REUSEADDR | SocketDefs.SO_REUSEPORT | SocketDefs.SO_REUSEPORT_LB;

    private final Udp udp;

    UdpInput(final Udp udp) {
        this.udp = udp;
    }

    /** Takes a datagram from IP, checks it and delivers it. Consumes m. No lock is held. @bsd udp_input */
    int input(final Mbuf packet, final int off, final int proto) {
        udp.stat.ipackets.increment();
        if (packet.pktLen() < off + UdpHeader.LEN) {
            udp.stat.hdrops.increment();
            return drop(packet, DropReason.UDP_TOOSHORT);
        }
        final Mbuf m = packet.len() >= off + UdpHeader.LEN ? packet : packet.pullup(off + UdpHeader.LEN);
        if (m == null) {
            udp.stat.hdrops.increment();
            return drop(null, DropReason.MBUF_NOMEM);
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

    /** Lengths, ports and checksum (RFC 768, RFC 1122 section 4.1.3.4); trims link padding. Null when all is well. */
    private DropReason check(final Mbuf m, final int off) {
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
        if (UdpHeader.sum(m, off) == 0) {
            udp.stat.nosum.increment();
            return null;
        }
        if ((m.csumFlags() & VALID) == VALID) {
            return null;
        }
        final int pseudo = InCksum.pseudo(IpHeader.src(m, 0), IpHeader.dst(m, 0), InDefs.IPPROTO_UDP + ulen);
        if (InCksum.fold((long) pseudo + InCksum.sum(m, off, ulen)) != 0xffff) {
            udp.stat.badsum.increment();
            return DropReason.UDP_BADSUM;
        }
        return null;
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
                    append(inp, m, off, src, sport);
                }
            } finally {
                inp.lock.unlock();
            }
            if (tunnel != null) {
                tunnel.input(m, off);
            }
        }
    }

    /**
     * Puts a datagram into its socket's buffer. Consumes m. Under the pcb's lock.
     *
     * @bsd udp_append
     */
    private void append(final Inpcb inp, final Mbuf m, final int off, final int src, final int sport) {
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
        rcv.lock().lock();
        try {
            final boolean shut = (rcv.state() & SocketDefs.SBS_CANTRCVMORE) != 0;
            if (!shut && rcv.appendAddrLocked(up.from, m, control)) {
                so.rWakeupLocked();
                return;
            }
            if (!shut) {
                udp.stat.fullsock.increment();
            }
            udp.vnet.drop(m, shut ? DropReason.SO_SHUTDOWN : DropReason.UDP_FULLSOCK);
            if (control != null) {
                control.freeChain();
            }
        } finally {
            rcv.lock().unlock();
        }
    }

    /** Nobody is there: RFC 1122 section 4.1.3.1 wants an ICMP port unreachable. Consumes m. */
    private void noport(final Mbuf m) {
        udp.stat.noport.increment();
        if (udp.blackhole.getBool()) {
            udp.vnet.drop(m, DropReason.UDP_NOPORT);
        } else {
            udp.inet.icmp.error(m, Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_PORT, 0);
        }
    }

    // ---- to all ------------------------------------------------------------

    /**
     * Gives everybody at the port a copy, the last one the packet itself. One who did not offer to share the port is
     * the only one. Consumes m.
     *
     * @bsd udp_multi_input
     */
    private void multiInput(final Mbuf m, final int off, final int dst) {
        final int src = IpHeader.src(m, 0);
        final int sport = UdpHeader.sport(m, off);
        final int dport = UdpHeader.dport(m, off);
        final Inpcb[] all = udp.udbinfo.unconnected(dport);
        Inpcb last = udp.udbinfo.lookup4(src, sport, dst, dport, 0);
        if (last != null && !wants(last, m, off, dst)) {
            last = null;
        }
        for (int i = 0; i < all.length; i++) {
            if (all[i] == last || !wants(all[i], m, off, dst)) {
                continue;
            }
            if (last != null) {
                copyTo(last, m, off);
            }
            last = all[i];
            if (!shares(last)) {
                break;
            }
        }
        if (last == null) {
            (InAddrs.isMulticast(dst) ? udp.stat.noportmcast : udp.stat.noportbcast).increment();
            udp.vnet.drop(m, DropReason.UDP_NOPORT_BCAST);
            return;
        }
        give(last, m, off);
    }

    /** Whether a block hears a datagram to {@code dst}; a group only where it is a member. @bsd udp_multi_match */
    private boolean wants(final Inpcb inp, final Mbuf m, final int off, final int dst) {
        inp.lock.lock();
        try {
            if (!inp.matches4(IpHeader.src(m, 0), UdpHeader.sport(m, off), dst, UdpHeader.dport(m, off))
                || ((Udpcb) inp.ppcb).tunFunc != null) {
                return false; // nothing that travels in a tunnel is for all
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

    private static boolean shares(final Inpcb inp) {
        inp.lock.lock();
        try {
            return inp.so != null && (inp.so.options() & REUSE) != 0;
        } finally {
            inp.lock.unlock();
        }
    }

    private void copyTo(final Inpcb inp, final Mbuf m, final int off) {
        final Mbuf n = m.copyM(0, Mbuf.M_COPYALL);
        if (n == null) {
            udp.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        final Mbuf whole = n.len() >= off + UdpHeader.LEN ? n : n.pullup(off + UdpHeader.LEN);
        if (whole == null) {
            udp.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        give(inp, whole, off);
    }

    /** To a block found before; it may have gone meanwhile. Consumes m. */
    private void give(final Inpcb inp, final Mbuf m, final int off) {
        inp.lock.lock();
        try {
            if (inp.so == null || inp.has(Inpcb.INP_DROPPED)) {
                udp.vnet.drop(m, DropReason.SO_CLOSED);
            } else {
                append(inp, m, off, IpHeader.src(m, 0), UdpHeader.sport(m, off));
            }
        } finally {
            inp.lock.unlock();
        }
    }

    // ---- ICMP ------------------------------------------------------------

    /**
     * An ICMP error about a datagram of ours: its connected socket learns of it. Borrows m.
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
        if (inp == null) {
            UdpTunneling.told(udp.udbinfo.lookup4(dst, dport, src, sport, InpcbInfo.INPLOOKUP_WILDCARD), m, icmpOff);
            return;
        }
        inp.lock.lock();
        try {
            if (inp.matches4(dst, dport, src, sport) && inp.connected()) {
                notifyError(inp, e);
            }
        } finally {
            inp.lock.unlock();
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
