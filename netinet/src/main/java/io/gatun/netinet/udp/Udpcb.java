package io.gatun.netinet.udp;

import io.gatun.netinet.ip6.Ip6PktOpts;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.UdpTunnels;

/**
 * What UDP keeps of a socket beside its pcb.
 *
 * <p>Locking key: (c) constant; (i) the pcb's lock.
 *
 * @bsd struct udpcb
 */
final class Udpcb {
    final Inpcb inp;                          // (c)
    /** The way to the last destination. */
    final RouteCache route = new RouteCache(); // (i)
    /** Scratch: the sender of a datagram being delivered. */
    final SockAddr from = new SockAddr();     // (i)
    /** Scratch: the destination of a datagram being sent. */
    final SockAddr dst = new SockAddr();      // (i)
    /** Source address of the one datagram being sent, IPv4; 0 for the socket's. */
    int src4;                                 // (i)
    /** How to send the one datagram being sent, IPv6; null for the socket's way. */
    Ip6PktOpts opts;                          // (i)
    /** Kept for {@link #opts}; null until a control message needs it. */
    Ip6PktOpts optsScratch;                   // (i)
    /** Takes the datagrams in the socket's place; null for an ordinary socket. @bsd u_tun_func */
    UdpTunnels.Input tunFunc;                 // (i)
    /** Hears of ICMP errors likewise; may be null. @bsd u_icmp_func */
    UdpTunnels.Icmp icmpFunc;                 // (i)

    /** The receiver of the last datagram, if it is of this stack; null for none, or not known. */
    volatile UdpWay way;                      // (i), read without it
    /** Scratch: where the one datagram being sent may go straight; null for a packet. */
    UdpWay due;                               // (i)
    /** The one datagram being sent is to be a packet. */
    boolean asPacket;                         // (i)
    /** Its datagrams have to come as packets, for the sake of what its options ask of them. */
    boolean packetsOnly;                      // (i) and the receive buffer's lock, either to read
    /** The last datagram went as a packet, which may wait somewhere yet. */
    boolean wentAsPacket;                     // (i)
    /** Tells whom the last datagram was for that could have gone straight. */
    int lastTo;                               // (i)

    Udpcb(final Inpcb inp) {
        this.inp = inp;
    }
}
