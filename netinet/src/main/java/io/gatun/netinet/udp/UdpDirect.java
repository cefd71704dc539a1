package io.gatun.netinet.udp;

import io.gatun.netinet.ip.IpControl;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.InpcbInfo;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.vnet.Netisr;

/**
 * Datagrams from one socket of this stack to another, put straight into the receive buffer while nothing stands between
 * the two that anybody could watch or disturb ({@link io.gatun.spi.ifnet.Ifnet#transparent}). What needs a packet goes
 * as one: options and control messages of either side, a tunnel, groups, what is longer than the interface's MTU, and
 * what nobody takes, so that ICMP can say so.
 *
 * <p>Neither block's lock is held meanwhile: that the receiver's endpoints and wishes are still those is seen under
 * the lock of its buffer, which {@link #changed} takes after each change of them. What follows a packet goes straight
 * when no packet waits any more, so that two of one sender do not change places.
 *
 * <p>{@code net.inet.udp.fusion} turns it off.
 */
final class UdpDirect {
    private static final int HASH = 31;

    private final Udp udp;

    UdpDirect(final Udp udp) {
        this.udp = udp;
    }

    // ---- finding the way: under the sender's lock ------------------------------------------------------------

    /**
     * Whether a datagram between these IPv4 endpoints can go straight. Then {@link Udpcb#due} says where to, and the
     * caller's caller is to {@link #deliver} it. Borrows m.
     */
    boolean takes4(final Inpcb inp, final Mbuf m, final int laddr, final int faddr, final int fport) {
        final Udpcb up = (Udpcb) inp.ppcb;
        if (!wanted(inp, up) || inp.options != null || inp.has(Inpcb.INP_ONESBCAST)) {
            return false;
        }
        final long src = laddr & 0xffff_ffffL;
        final long dst = faddr & 0xffff_ffffL;
        final UdpWay known = up.way;
        if (known != null && known.ends.are4(src, dst, fport) && good(known, inp, m.pktLen())) {
            up.due = known;
            return true;
        }
        final Fib fib = udp.inet.fib(inp.so.fibnum());
        final int generation = fib.generation();
        final NextHop nh = up.route.resolve(fib, faddr, inp.flowid);
        if (!transparent(nh) || nh.has(NextHop.NHF_BROADCAST) || !fits(nh, m.pktLen(), IpHeader.LEN)
            || !udp.inet.addrs.isLocal(faddr) || !again(up, inp, dst, fport)) {
            return false;
        }
        final int changes = udp.udbinfo.changes();
        final Inpcb to = udp.udbinfo.lookup4(laddr, inp.lport(), faddr, fport, InpcbInfo.INPLOOKUP_WILDCARD);
        if (to == null || wantsPackets(to)) {
            return false;
        }
        final SockAddr source = new SockAddr();
        if (to.family == SockAddr.AF_INET) {
            source.setIn(laddr, inp.lport());
        } else {
            source.setIn6(0, In6.v4Mapped(laddr), inp.lport(), 0);
        }
        final UdpWay way = new UdpWay(inp, new UdpWay.Ends(false, 0, src, 0, dst, fport), source,
            new UdpWay.Hop(fib, generation, nh), to, changes);
        return remember(up, way);
    }

    /** As {@link #takes4} between IPv6 endpoints, zones put in. */
    boolean takes6(final Inpcb inp, final Mbuf m, final long sh, final long sl, final SockAddr dst) {
        final Udpcb up = (Udpcb) inp.ppcb;
        if (!wanted(inp, up) || up.opts != null || inp.outputOpts != null || In6.isMulticast(dst.hi())) {
            return false;
        }
        final UdpWay known = up.way;
        if (known != null && known.ends.are6(sh, sl, dst) && good(known, inp, m.pktLen())) {
            up.due = known;
            return true;
        }
        final Fib fib = udp.inet.fib(inp.so.fibnum());
        final int generation = fib.generation();
        final NextHop nh = up.route.resolve6(fib, dst.hi(), dst.lo(), 0, inp.flowid);
        if (!transparent(nh) || !fits(nh, m.pktLen(), Ip6Header.LEN)
            || udp.inet.inet6().addrs.lookup(dst.hi(), dst.lo()) == null || !again(up, inp, dst.lo(), dst.port())) {
            return false;
        }
        final int changes = udp.udbinfo.changes();
        final Inpcb to = udp.udbinfo.lookup6(sh, sl, dst.hi(), dst.lo(), InpcbInfo.ports(dst.port(), inp.lport()),
            InpcbInfo.INPLOOKUP_WILDCARD);
        if (to == null || wantsPackets(to)) {
            return false;
        }
        final SockAddr source = new SockAddr();
        In6.recover(source, sh, sl, inp.lport());
        final UdpWay way = new UdpWay(inp, new UdpWay.Ends(true, sh, sl, dst.hi(), dst.lo(), dst.port()), source,
            new UdpWay.Hop(fib, generation, nh), to, changes);
        return remember(up, way);
    }

    private static boolean remember(final Udpcb up, final UdpWay way) {
        if (way.so == null || way.peer == null) {
            return false;
        }
        up.way = way;
        up.due = way;
        return true;
    }

    private boolean wanted(final Inpcb inp, final Udpcb up) {
        return !up.asPacket && udp.fusion.getBool() && (inp.so.options() & SocketDefs.SO_DONTROUTE) == 0
            && overtakesNone(up);
    }

    /** Whether the packets that went before it have arrived, or are none of this host's business any more. */
    private boolean overtakesNone(final Udpcb up) {
        final Netisr netisr = udp.vnet.netisr();
        if (up.wentAsPacket && !(netisr.quiet(Netisr.NETISR_IP) && netisr.quiet(Netisr.NETISR_IPV6))) {
            return false;
        }
        up.wentAsPacket = false;
        return true;
    }

    /** A datagram went as a packet: whether the next may go straight is to be found out. Under the sender's lock. */
    static void wentAsPacket(final Udpcb up) {
        if (!up.wentAsPacket) {
            up.wentAsPacket = true;
            up.way = null;
        }
    }

    private static boolean transparent(final NextHop nh) {
        return nh != null && nh.ifp != null && !nh.has(NextHop.NHF_REJECT | NextHop.NHF_BLACKHOLE)
            && nh.ifp.transparent();
    }

    private static boolean fits(final NextHop nh, final long octets, final int iphlen) {
        return octets + UdpHeader.LEN + iphlen <= nh.mtu();
    }

    /**
     * Whether to look for the receiver: what is found is kept in an object, so that of a sender without a peer, who may
     * have many, only the second datagram in a row to one of them is worth it.
     */
    private static boolean again(final Udpcb up, final Inpcb inp, final long dst, final int dport) {
        final int mark = (int) (dst * HASH + dport);
        final boolean again = inp.connected() || up.lastTo == mark;
        up.lastTo = mark;
        return again;
    }

    /** Of a receiver, whose lock need not be held: its socket may go meanwhile. */
    private static boolean wantsPackets(final Inpcb to) {
        final SocketSide so = to.so;
        return so == null || to.minttl != 0 || IpControl.wanted(to, so)
            || !(to.ppcb instanceof Udpcb up) || up.tunFunc != null;
    }

    // ---- going it: no lock is held ------------------------------------------------------------

    /** The way to the peer of a connected sender, when it is known and still good for so many octets; or null. */
    UdpWay toPeer(final Inpcb inp, final long octets) {
        final Udpcb up = (Udpcb) inp.ppcb;
        final UdpWay way = up.way;
        return way != null && udp.fusion.getBool() && inp.connected() && good(way, inp, octets)
            && (inp.so.options() & SocketDefs.SO_DONTROUTE) == 0 ? way : null;
    }

    private boolean good(final UdpWay way, final Inpcb inp, final long octets) {
        final UdpWay.Hop hop = way.hop;
        return way.endpoints == inp.endpoints() && hop.generation() == hop.fib().generation()
            && way.changes == udp.udbinfo.changes() && hop.nh().ifp.transparent()
            && fits(hop.nh(), octets, way.ends.six() ? Ip6Header.LEN : IpHeader.LEN)
            && octets <= udp.maxdgram.getInt();
    }

    /**
     * Puts a datagram into the receiver's buffer.
     *
     * @return true when m is consumed; false when it has to go as a packet
     */
    boolean deliver(final UdpWay way, final Mbuf m) {
        final SockBuf rcv = way.rcv;
        rcv.lock().lock();
        try {
            if (!mayPutLocked(way)) {
                return false;
            }
            udp.stat.opackets.increment();
            udp.stat.ipackets.increment();
            udp.input.queueLocked(way.so, way.source, m, null);
            return true;
        } finally {
            rcv.lock().unlock();
        }
    }

    /** The same with octets of a user, of which nobody need make an mbuf first. False: nothing was done. */
    boolean deliver(final UdpWay way, final Uio uio) {
        final SockBuf rcv = way.rcv;
        rcv.lock().lock();
        try {
            if (!mayPutLocked(way) || (rcv.state() & SocketDefs.SBS_CANTRCVMORE) != 0
                || !rcv.appendUioLocked(way.source, uio)) {
                return false;
            }
            udp.stat.opackets.increment();
            udp.stat.ipackets.increment();
            return true;
        } finally {
            rcv.lock().unlock();
        }
    }

    private static boolean mayPutLocked(final UdpWay way) {
        final Inpcb to = way.to;
        return to.endpoints() == way.toThen && to.has(Inpcb.INP_INHASHLIST)
            && !to.has(Inpcb.INP_DROPPED | Inpcb.INP_FREED) && !way.peer.packetsOnly;
    }

    /**
     * Before a block and its socket's buffers go: nothing is put from here on, and what was put before is seen by who
     * empties them. Under the pcb's lock.
     */
    static void gone(final SocketSide so, final Udpcb up) {
        final SockBuf rcv = so.rcv();
        rcv.lock().lock();
        try {
            up.packetsOnly = true;
        } finally {
            rcv.lock().unlock();
        }
    }

    /**
     * After a change of what a socket's endpoints or options are, before its user hears of it: what is put into its
     * buffer from here on goes by the new ones. Under the pcb's lock.
     */
    static void changed(final Inpcb inp) {
        final SocketSide so = inp.so;
        if (so != null && inp.ppcb instanceof Udpcb up) {
            up.way = null;
            final SockBuf rcv = so.rcv();
            rcv.lock().lock();
            try {
                up.packetsOnly = wantsPackets(inp);
            } finally {
                rcv.lock().unlock();
            }
        }
    }
}
