package io.gatun.netinet.route;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;

/**
 * A remembered next hop, and room for the address the link layer is asked for, so that sending to the same destination
 * again looks nothing up and allocates nothing. Belongs to one control block (then its lock guards it) or to one thread
 * at a time.
 *
 * <p>Locking key: (o) its owner.
 *
 * @bsd struct route
 */
public final class RouteCache {
    private final SockAddr link = new SockAddr(); // (o) the destination when it is on the link
    private NextHop nh;         // (o)
    private Fib fib;            // (o)
    private int generation;     // (o) the fib's when nh was looked up; 0 forces a look-up
    private int dst;            // (o) IPv4 destination nh answers

    /** Remembers nothing yet. */
    public RouteCache() {
        // the first resolve looks up
    }

    /**
     * The next hop for an IPv4 destination: the remembered one while the table has not changed, else looked up. Null
     * when there is no route.
     *
     * @bsd rtalloc1
     */
    public NextHop resolve(Fib table, int addr) {
        int now = table.generation();
        if (nh == null || generation != now || dst != addr || fib != table) {
            nh = table.lookup(addr);
            generation = now;
            dst = addr;
            fib = table;
            if (nh != null && nh.gateway == null) {
                link.setIn(addr, 0);
            }
        }
        return nh;
    }

    /**
     * As {@link #resolve} for an IPv6 destination, its zone put in. The generation is kept complemented, so that a
     * cache that both families use never mistakes one for the other.
     */
    public NextHop resolve6(Fib table, long hi, long lo) {
        int now = ~table.generation();
        if (nh == null || generation != now || link.lo() != lo || link.hi() != hi || fib != table) {
            nh = table.lookup6(hi, lo);
            generation = now;
            fib = table;
            link.setIn6(hi, lo, 0, 0);
        }
        return nh;
    }

    /** As {@link #direct} for an IPv6 address. */
    public SockAddr direct6(long hi, long lo) {
        invalidate();
        link.setIn6(hi, lo, 0, 0);
        return link;
    }

    /** The next hop found last, or null. Not checked against the table. @bsd ro_nh */
    public NextHop nextHop() {
        return nh;
    }

    /** The interface found last, or null. */
    public Ifnet ifp() {
        return nh == null ? null : nh.ifp;
    }

    /** Whom to ask the link layer for: the gateway, or the destination itself. Valid after {@link #resolve}. */
    public SockAddr linkDst() {
        return nh != null && nh.gateway != null ? nh.gateway : link;
    }

    /** Points {@link #linkDst} to an address on the link, without a route: for multicast and SO_DONTROUTE. */
    public SockAddr direct(int addr) {
        invalidate();
        link.setIn(addr, 0);
        return link;
    }

    /** Forgets the next hop, as after a report that it does not work. @bsd RO_INVALIDATE_CACHE */
    public void invalidate() {
        nh = null;
        fib = null;
        generation = 0;
    }
}
