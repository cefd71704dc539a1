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
    private final SockAddr dst = new SockAddr(); // (o) destination nh answers
    private NextHop nh;         // (o)
    private Fib fib;            // (o)
    private int generation;     // (o) the fib's when nh was looked up; 0 forces a look-up
    private boolean several;    // (o) nh is one of several ways, that of flowid
    private boolean asked;      // (o) by the present owner
    private int flowid;         // (o) the flow nh was chosen for
    private int lookups;        // (o)

    /** Remembers nothing yet. */
    public RouteCache() {
        // the first resolve looks up
    }

    /** {@link #resolve(Fib, int, int)} for what belongs to no flow. @bsd rtalloc1 */
    public NextHop resolve(Fib table, int addr) {
        return resolve(table, addr, 0);
    }

    /**
     * The next hop for an IPv4 destination: the remembered one while the table has not changed, else looked up. Null
     * when there is no route.
     *
     * @param flow hash of the flow, which chooses among several ways; 0 for none
     * @bsd rtalloc1
     */
    public NextHop resolve(Fib table, int addr, int flow) {
        int now = table.generation();
        asked = true;
        if (nh == null || generation != now || dst.in4() != addr || dst.family() != SockAddr.AF_INET || fib != table
                || several && flowid != flow) {
            NextHop found = table.find(addr);
            several = found != null && found.multipath();
            remember(table, now, flow, several ? table.lookup(addr, flow) : found);
            dst.setIn(addr, 0);
        }
        return nh;
    }

    /**
     * {@link #resolve6(Fib, long, long, int, int)} for a destination with its zone put in, of no flow.
     */
    public NextHop resolve6(Fib table, long addrHi, long addrLo) {
        return resolve6(table, addrHi, addrLo, 0, 0);
    }

    /**
     * {@link #resolve(Fib, int, int)} for IPv6.
     *
     * @param scopeId zone of the destination, for {@link #linkDst}
     * @bsd rtalloc1
     */
    public NextHop resolve6(Fib table, long addrHi, long addrLo, int scopeId, int flow) {
        int now = table.generation();
        asked = true;
        if (nh == null || generation != now || dst.lo() != addrLo || dst.hi() != addrHi || fib != table
                || several && flowid != flow || dst.scopeId() != scopeId || dst.family() != SockAddr.AF_INET6) {
            NextHop found = table.find6(addrHi, addrLo);
            several = found != null && found.multipath();
            remember(table, now, flow, several ? table.lookup6(addrHi, addrLo, flow) : found);
            dst.setIn6(addrHi, addrLo, 0, scopeId);
        }
        return nh;
    }

    private void remember(Fib table, int now, int flow, NextHop found) {
        nh = found;
        generation = now;
        fib = table;
        flowid = flow;
        lookups++;
    }

    /** How often a table was asked. */
    public int lookups() {
        return lookups;
    }

    /** The next hop its owner found last, or null. Not checked against the table. @bsd ro_nh */
    public NextHop nextHop() {
        return asked ? nh : null;
    }

    /** The interface its owner found last, or null. */
    public Ifnet ifp() {
        return asked && nh != null ? nh.ifp : null;
    }

    /**
     * Gets another owner, which has found nothing yet. The way is remembered: many go to the same place, one after the
     * other.
     */
    public void pass() {
        asked = false;
    }

    /** Whom to ask the link layer for: the gateway, or the destination itself. Valid after {@link #resolve}. */
    public SockAddr linkDst() {
        return nh != null && nh.gateway != null ? nh.gateway : dst;
    }

    /** Points {@link #linkDst} to an address on the link, without a route: for multicast and SO_DONTROUTE. */
    public SockAddr direct(int addr) {
        invalidate();
        dst.setIn(addr, 0);
        return dst;
    }

    /** {@link #direct(int)} for an IPv6 address with its zone put in. */
    public SockAddr direct6(long addrHi, long addrLo) {
        return direct6(addrHi, addrLo, 0);
    }

    /** {@link #direct(int)} for IPv6. */
    public SockAddr direct6(long addrHi, long addrLo, int scopeId) {
        invalidate();
        dst.setIn6(addrHi, addrLo, 0, scopeId);
        return dst;
    }

    /** Forgets the next hop, as after a report that it does not work. @bsd RO_INVALIDATE_CACHE */
    public void invalidate() {
        nh = null;
        fib = null;
        generation = 0;
    }
}
