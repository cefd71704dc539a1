package io.gatun.netinet;

import io.gatun.netinet.route.NextHop;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;

/**
 * What {@link RouteConfig} is asked to do: a prefix, and where it shall lead. Filled by its owner, one call at a time.
 *
 * @bsd struct rt_addrinfo
 */
public final class RouteReq {
    private final InPrefix dst;
    private SockAddr gateway;
    private Ifnet ifp;
    private int flags;
    private int mtu;
    private int weight = 1;
    private int fib;

    /** About a prefix. */
    public RouteReq(final InPrefix dst) {
        this.dst = dst;
    }

    /** Through a router, whose address this keeps; null for a prefix on the link. */
    public RouteReq gateway(final SockAddr router) {
        gateway = router;
        return this;
    }

    /** Out by an interface; null to find it by the gateway. */
    public RouteReq ifp(final Ifnet out) {
        ifp = out;
        return this;
    }

    /** {@link NextHop#NHF_REJECT}, {@link NextHop#NHF_BLACKHOLE}, {@link NextHop#NHF_REDIRECT} or 0. */
    public RouteReq flags(final int nhf) {
        flags = nhf;
        return this;
    }

    /** Path MTU in octets, 0 for the interface's. */
    public RouteReq mtu(final int octets) {
        mtu = octets;
        return this;
    }

    /** Its share of the flows beside other ways of the prefix, 1..255. */
    public RouteReq weight(final int share) {
        weight = share;
        return this;
    }

    /** The table; 0 is the default one. */
    public RouteReq fib(final int number) {
        fib = number;
        return this;
    }

    InPrefix dst() {
        return dst;
    }

    SockAddr gateway() {
        return gateway;
    }

    Ifnet ifp() {
        return ifp;
    }

    int flags() {
        return flags;
    }

    int mtu() {
        return mtu;
    }

    int weight() {
        return weight;
    }

    int fib() {
        return fib;
    }
}
