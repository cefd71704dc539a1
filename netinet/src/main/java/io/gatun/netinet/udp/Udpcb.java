package io.gatun.netinet.udp;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.socket.SockAddr;

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

    Udpcb(final Inpcb inp) {
        this.inp = inp;
    }
}
