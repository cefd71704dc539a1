package io.gatun.netinet.tcp;

import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.udp.UdpHeader;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.UdpTunnels;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;

/**
 * TCP within UDP: the local port, {@code net.inet.tcp.udp_tunneling_port}, from which it goes out and where it is taken
 * in. The peer's port is each connection's own ({@link Tcpcb#port}), and holds for both directions: a segment that
 * comes from another port, or plain, is not of the connection. Where the TCP header travels behind a UDP header, its
 * own checksum is 0 and ignored.
 *
 * <p>Locking key: (c) constant; (w) written under the sysctl tree's lock, read without one.
 *
 * @bsd tcp_over_udp_start, tcp_over_udp_stop
 */
final class TcpTunnel {
    private static final int MAX_PORT = 0xffff;
    private static final int MAX_OVERHEAD = 1024;

    /** Segments received within UDP. @bsd tcps_tunneled_pkts */
    final Counter pkts;             // (c)
    /** Datagrams received in place of such. @bsd tcps_tunneled_errs */
    final Counter errs;             // (c)
    private final Tcp tcp;          // (c)
    private final Sysctl overhead;  // (c)
    private volatile int port;      // (w)
    private volatile boolean six;   // (w) IPv6 is there

    TcpTunnel(Tcp tcp) {
        this.tcp = tcp;
        pkts = tcp.vnet.counters().counter("tcp.tunneled_pkts");
        errs = tcp.vnet.counters().counter("tcp.tunneled_errs");
        overhead = tcp.vnet.sysctl().addInt("net.inet.tcp.udp_tunneling_overhead", UdpHeader.LEN, UdpHeader.LEN,
            MAX_OVERHEAD, "What TCP within UDP takes off the segment size, octets");
        tcp.vnet.sysctl().addProc("net.inet.tcp.udp_tunneling_port", 0, this::move,
            "UDP port of TCP within UDP; 0 for none");
    }

    /** The local UDP port; 0 when nothing travels within UDP. @bsd V_tcp_udp_tunneling_port */
    int port() {
        return port;
    }

    /** @bsd V_tcp_udp_tunneling_overhead */
    int overhead() {
        return overhead.getInt();
    }

    /**
     * Another port. DIFFERS: when it cannot be had the old one stays, and sysctl says EINVAL whatever the reason.
     *
     * @bsd sysctl_net_inet_tcp_udp_tunneling_port_check
     */
    private boolean move(long to) {
        if (to < 0 || to > MAX_PORT) {
            return false;
        }
        final int old = port;
        if (to == old) {
            return true;
        }
        if (to != 0 && start((int) to) != Errno.OK) {
            return false;
        }
        port = (int) to;
        if (old != 0) {
            stop(old);
        }
        return true;
    }

    private Errno start(int at) {
        final UdpTunnels udp = tcp.vnet.service(UdpTunnels.class);
        if (udp == null) {
            return Errno.EPROTONOSUPPORT;
        }
        Errno e = udp.open(SockAddr.AF_INET, at, tcp.input::tunneled, tcp.ctlinput::viaUdp);
        if (e == Errno.OK && six) {
            e = udp.open(SockAddr.AF_INET6, at, tcp.input::tunneled, tcp.ctlinput::viaUdp6);
            if (e != Errno.OK) {
                udp.close(SockAddr.AF_INET, at);
            }
        }
        return e;
    }

    private void stop(int at) {
        final UdpTunnels udp = tcp.vnet.service(UdpTunnels.class);
        udp.close(SockAddr.AF_INET, at);
        if (six) {
            udp.close(SockAddr.AF_INET6, at);
        }
    }

    /** IPv6 comes: it travels in the same port. */
    Errno start6() {
        six = true;
        final int at = port;
        return at == 0 ? Errno.OK : tcp.vnet.service(UdpTunnels.class)
            .open(SockAddr.AF_INET6, at, tcp.input::tunneled, tcp.ctlinput::viaUdp6);
    }

    /**
     * Writes the UDP header of a packet whose checksum is left to offload.
     *
     * @param uh where it stands, right behind the IP header
     * @param to the peer's port
     * @param pseudo sum of the pseudo-header
     */
    void header(Mbuf m, int uh, int to, int pseudo) {
        UdpHeader.init(m, uh, UdpHeader.ports(port, to), m.pktLen() - uh, pseudo);
        m.csumFlags(uh == IpHeader.LEN ? Csum.CSUM_IP_UDP
            : Csum.CSUM_IP6_UDP);
        m.csumData(UdpHeader.SUM);
    }
}
