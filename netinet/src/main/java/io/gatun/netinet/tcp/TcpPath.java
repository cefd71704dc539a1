package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.udp.UdpHeader;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/** What a connection asks of the network layer of the family it talks. */
final class TcpPath {
    private TcpPath() {
    }

    /** Octets of the IP header its segments have. */
    @GuardedBy("tp.inp.lock")
    static int iphlen(Tcpcb tp) {
        return tp.inp.isV6() ? Ip6Header.LEN : IpHeader.LEN;
    }

    /** Octets in front of the TCP header: those of IP, and of UDP where it travels within that. */
    @GuardedBy("tp.inp.lock")
    static int carrierLen(Tcpcb tp) {
        return iphlen(tp) + (tp.port != 0 ? UdpHeader.LEN : 0);
    }

    /**
     * Octets that a path's MTU exceeds a segment by: IP and TCP header without options, and the allowance for
     * encapsulation.
     *
     * @bsd min_protoh
     */
    @GuardedBy("tp.inp.lock")
    static int minProtoHdr(Tcpcb tp) {
        return iphlen(tp) + TcpHeader.SIZE + (tp.port != 0 ? tp.tcp.tunnel.overhead() : 0);
    }

    /** Consumes m. */
    @GuardedBy("tp.inp.lock")
    static Errno output(Tcpcb tp, Mbuf m) {
        if (tp.port != 0 && tp.tcp.tunnel.port() == 0) {
            tp.tcp.drop(m, DropReason.TCP_NOPORT); // the tunnel was closed; it may open again
            return Errno.EHOSTUNREACH;
        }
        final int fib = TcpMss.fib(tp);
        return tp.inp.isV6() ? tp.tcp.net.output6(m, tp.act().route, fib) : tp.tcp.net.output(m, tp.act().route, fib);
    }

    @GuardedBy("tp.inp.lock")
    static NextHop route(Tcpcb tp) {
        final Inpcb inp = tp.inp;
        final int fib = TcpMss.fib(tp);
        return inp.isV6() ? tp.tcp.net.route6(tp.act().route, inp.faddrHi(), inp.faddrLo(), fib, inp.flowid)
            : tp.tcp.net.route(tp.act().route, inp.faddr4(), fib, inp.flowid);
    }

    /** The interface towards the peer; null before the first look for a way, or without one. */
    @GuardedBy("tp.inp.lock")
    static Ifnet ifp(Tcpcb tp) {
        final Ifnet known = tp.act().route.ifp();
        if (known != null || !tp.state.haveEstablished()) {
            return known;
        }
        final NextHop nh = route(tp);
        return nh == null ? null : nh.ifp;
    }

    /** Whether the peer is this host. */
    @GuardedBy("tp.inp.lock")
    static boolean local(Tcpcb tp) {
        final Inpcb inp = tp.inp;
        return inp.isV6() ? tp.tcp.net.local6(inp.faddrHi(), inp.faddrLo()) : tp.tcp.net.local(inp.faddr4());
    }

    /** The path MTU learnt, or 0. */
    @GuardedBy("tp.inp.lock")
    static int mtu(Tcpcb tp) {
        final Inpcb inp = tp.inp;
        return inp.isV6() ? tp.tcp.net.mtu6(inp.faddrHi(), inp.faddrLo()) : tp.tcp.net.mtu(inp.faddr4());
    }

    @GuardedBy("tp.inp.lock")
    static void updateMtu(Tcpcb tp, int mtu) {
        final Inpcb inp = tp.inp;
        if (inp.isV6()) {
            tp.tcp.net.updateMtu6(inp.faddrHi(), inp.faddrLo(), mtu);
        } else {
            tp.tcp.net.updateMtu(inp.faddr4(), mtu);
        }
    }
}
