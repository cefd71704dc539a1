package io.gatun.netinet.raw;

import io.gatun.netinet.ip6.Ip6PktOpts;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.socket.Icmp6Filter;
import io.gatun.spi.socket.SockAddr;

/**
 * What a raw socket has beside its pcb, whose ports stay 0: so its endpoints are here.
 *
 * <p>Locking key: (c) constant; (i) the pcb's lock.
 *
 * @bsd in_pcb.h inp_ip_p, in6p_icmp6filt, in6p_cksum
 */
final class Ripcb {
    /** {@link #cksum}: none is computed or verified. */
    static final int NO_CKSUM = -1;

    final Inpcb inp;                           // (c)
    /** IPPROTO_*; 0 hears all. @bsd inp_ip_p */
    final int proto;                           // (c)
    /** The way to the last destination. */
    final RouteCache route = new RouteCache(); // (i)
    /** Scratch: the sender of a packet being delivered. */
    final SockAddr from = new SockAddr();      // (i)
    /** Scratch: the destination of a packet being sent. */
    final SockAddr dst = new SockAddr();       // (i)
    /** Local address as packets have it, zone put in; 0 for any. */
    long lhi;                                  // (i)
    long llo;                                  // (i)
    /** The peer's address; 0 for none. */
    long fhi;                                  // (i)
    long flo;                                  // (i)
    /** Which ICMPv6 messages it hears; null for all. @bsd in6p_icmp6filt */
    Icmp6Filter filter;                        // (i)
    /** Where in the payload its checksum stands, IPv6. @bsd in6p_cksum */
    int cksum = NO_CKSUM;                      // (i)
    /** Scratch for the control messages of one packet; null until needed. */
    Ip6PktOpts opts;                           // (i)

    Ripcb(final Inpcb inp, final int proto) {
        this.inp = inp;
        this.proto = proto;
    }

    boolean connected() {
        return (fhi | flo) != 0;
    }

    boolean bound() {
        return (lhi | llo) != 0;
    }

    /** Whether its endpoints and its protocol let a packet in. Under the pcb's lock. */
    boolean matches(
        final int p, final long srcHi, final long srcLo, final long dstHi, final long dstLo) {
        return inp.so != null && (proto == 0 || proto == p) && (!bound() || llo == dstLo && lhi == dstHi)
            && (!connected() || flo == srcLo && fhi == srcHi);
    }
}
