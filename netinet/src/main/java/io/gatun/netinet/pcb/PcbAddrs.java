package io.gatun.netinet.pcb;

import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;

/**
 * What control blocks ask the network layer of their family. IPv6 addresses have their zone put in. Implementations
 * take no lock of INPCB order or before.
 */
public interface PcbAddrs {
    /** Whether this host owns the address, or it is a broadcast address of one of its networks. @bsd ifa_ifwithaddr */
    boolean local(SockAddr addr);

    /**
     * Replaces a destination that stands for this host or network by a real one: the unspecified address by the
     * first interface's address, the limited broadcast address by the first broadcast interface's. Others stay.
     */
    void foreign(SockAddr dst);

    /**
     * Chooses the source address for a destination: the address of the interface its route goes out by.
     *
     * @param inp whose options may say which, and whose flow chooses among several ways; its lock is held. Or null
     * @param dst borrowed, the port is ignored
     * @param fib routing table
     * @param ro the caller's, which remembers the way; or null
     * @param src filled with the address, port 0
     * @return OK, EHOSTUNREACH or ENETUNREACH without a route, EADDRNOTAVAIL when the interface has no address
     * @bsd in_pcbladdr
     */
    Errno source(Inpcb inp, SockAddr dst, int fib, RouteCache ro, SockAddr src);
}
