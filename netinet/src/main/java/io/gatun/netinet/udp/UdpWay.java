package io.gatun.netinet.udp;

import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketSide;

/**
 * From one socket to another of this stack, found out once. Good while neither block's endpoints, nor the table of
 * blocks, nor the routes have changed, nor an option of the sender (which clears it).
 *
 * <p>Locking key: (c) constant.
 */
final class UdpWay {
    final Ends ends;        // (c)
    /** Of its datagrams, as the receiver is told; not to be changed. */
    final SockAddr source;  // (c)
    /** The sender's endpoints then. */
    final Object endpoints; // (c)
    final Hop hop;          // (c)
    final Inpcb to;         // (c)
    /** The receiver's socket; null when it was gone already. */
    final SocketSide so;    // (c)
    final SockBuf rcv;      // (c)
    /** The receiver's block. */
    final Udpcb peer;       // (c)
    /** The receiver's endpoints then. */
    final Object toThen;    // (c)
    /** Of the table of blocks before the receiver was looked up. */
    final int changes;      // (c)

    /** The sender's block is locked, the receiver's is not: whether it is still so is seen when a datagram is put. */
    UdpWay(final Inpcb inp, final Ends ends, final SockAddr source, final Hop hop, final Inpcb to, final int changes) {
        this.ends = ends;
        this.source = source;
        this.hop = hop;
        this.to = to;
        this.changes = changes;
        so = to.so;
        endpoints = inp.endpoints();
        rcv = so == null ? null : so.rcv();
        peer = (Udpcb) to.ppcb;
        toThen = to.endpoints();
    }

    /**
     * Addresses with their zones put in; an IPv4 one is 0 and its 32 bits.
     *
     * @param six whether the datagrams are IPv6's
     * @param dport the receiver's port
     */
    record Ends(boolean six, long srcHi, long srcLo, long dstHi, long dstLo, int dport) {
        boolean are4(final long src, final long dst, final int port) {
            return !six && srcLo == src && dstLo == dst && dport == port;
        }

        boolean are6(final long sh, final long sl, final SockAddr dst) {
            return six && srcLo == sl && srcHi == sh && dstLo == dst.lo() && dstHi == dst.hi() && dport == dst.port();
        }
    }

    /**
     * The interface of this host towards itself, by the routes.
     *
     * @param generation of the table before the next hop was looked up
     */
    record Hop(Fib fib, int generation, NextHop nh) {
    }
}
