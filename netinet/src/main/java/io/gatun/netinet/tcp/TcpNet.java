package io.gatun.netinet.tcp;

import io.gatun.netinet.icmp.HostCache;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;

/** What TCP asks of the network layer below it. Called with a pcb's lock held; never calls back up. */
public interface TcpNet {
    /**
     * Sends a packet whose first mbuf begins with an IPv4 header filled in but for identification and checksum.
     * Consumes m.
     *
     * @param ro the sender's route cache
     * @param fib routing table
     * @return OK; ENOBUFS, EMSGSIZE (DF and too long for the link), EHOSTUNREACH, ENETUNREACH, ENETDOWN, EACCES
     * @bsd ip_output
     */
    Errno output(Mbuf m, RouteCache ro, int fib);

    /**
     * Where packets to an IPv4 address go, remembered in {@code ro}; null without a route.
     *
     * @param flow the flow of the packets that {@link #output} will get, 0 none: so that both mean the same way
     */
    NextHop route(RouteCache ro, int dst, int fib, int flow);

    /** Whether an IPv4 address is one of this host's. @bsd in_localip */
    boolean local(int addr);

    /** The path MTU learnt for an IPv4 address, or 0. @bsd tcp_hc_getmtu */
    int mtu(int addr);

    /** Remembers a path MTU. @bsd tcp_hc_updatemtu */
    void updateMtu(int addr, int mtu);

    /**
     * What earlier connections have learnt of a host, or null. IPv4 addresses are the low 32 bits of the low word.
     *
     * @bsd tcp_hc_get
     */
    default HostCache.Entry metrics(long hi, long lo) {
        return null;
    }

    /** Remembers what a connection has learnt. @bsd tcp_hc_update */
    default void updateMetrics(long hi, long lo, HostCache.Metrics m) {
        // nobody to remember it
    }

    /**
     * Whether one more reset may be sent this second to who had no connection here.
     *
     * @param open it was for a port where somebody listens
     * @bsd badport_bandlim
     */
    default boolean mayReset(boolean open) {
        return true;
    }

    // IPv6: addresses with their zone put in. Without IPv6 there is no way.

    /** As {@link #output} for a packet with an IPv6 header. @bsd ip6_output */
    default Errno output6(Mbuf m, RouteCache ro, int fib) {
        m.freeChain();
        return Errno.EAFNOSUPPORT;
    }

    /** As {@link #route} to an IPv6 address. */
    default NextHop route6(RouteCache ro, long hi, long lo, int fib, int flow) {
        return null;
    }

    /** Whether an IPv6 address is one of this host's. @bsd in6_localip */
    default boolean local6(long hi, long lo) {
        return false;
    }

    /** The path MTU learnt for an IPv6 address, or 0. */
    default int mtu6(long hi, long lo) {
        return 0;
    }

    /** Remembers a path MTU. */
    default void updateMtu6(long hi, long lo, int mtu) {
        // nobody to remember it
    }
}
