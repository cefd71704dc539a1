package io.gatun.netinet;

import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.netinet.route.RouteListener;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.List;

/**
 * What route(8) does, for both families and any table. Any thread may call, holding no lock of the stack.
 *
 * @bsd rtsock
 */
public final class RouteConfig {
    private static final int LEAST_MTU = 68;
    private static final int UNREACHED = NextHop.NHF_REJECT | NextHop.NHF_BLACKHOLE;

    private final Inet inet;

    RouteConfig(final Inet inet) {
        this.inet = inet;
    }

    /** How many tables there are. @bsd net.fibs */
    public int fibs() {
        return inet.fibs.length;
    }

    /**
     * Adds a route, or one more way to those its prefix has.
     *
     * @return OK; EEXIST when the prefix has that very way, or its route is an interface's own; ENETUNREACH when the
     *     gateway is on no link; EINVAL for a table, weight, MTU or prefix length out of range; ENXIO for an interface
     *     that is not attached; EAFNOSUPPORT
     * @bsd rib_add_route
     */
    public Errno add(final RouteReq req) {
        return put(req, true);
    }

    /** Replaces the route a prefix has. ENOENT when there is none, else as {@link #add}. @bsd rib_change_route */
    public Errno change(final RouteReq req) {
        return put(req, false);
    }

    private Errno put(final RouteReq req, final boolean more) {
        final NextHop[] nh = new NextHop[1];
        final Errno e = resolve(req, nh);
        if (e != Errno.OK) {
            return e;
        }
        final InPrefix p = req.dst().embedded();
        final Fib fib = inet.fibs[req.fib()];
        final Route old = fib.exact(p.addr(), p.bits());
        if (old != null && old.nextHop().has(NextHop.NHF_PINNED)) {
            return Errno.EEXIST;
        }
        if (!more && old == null) {
            return Errno.ENOENT;
        }
        final boolean oneOnly = old != null && (old.nextHop().has(UNREACHED) || nh[0].has(UNREACHED));
        if (more && oneOnly) {
            return Errno.EEXIST;
        }
        final Errno done = more ? fib.append(p.addr(), p.bits(), nh[0], req.weight())
            : fib.change(p.addr(), p.bits(), nh[0]);
        if (nh[0].ifp != null && InControl.gone(nh[0].ifp)) {
            fib.flush(nh[0].ifp); // it went meanwhile, and who took its routes away may have missed this one
            return Errno.ENXIO;
        }
        return done;
    }

    /** Deletes a route, or with a gateway or interface those of its ways. ENOENT for none. @bsd rib_del_route */
    public Errno delete(final RouteReq req) {
        if (req.fib() < 0 || req.fib() >= inet.fibs.length) {
            return Errno.EINVAL;
        }
        final InPrefix p = req.dst().embedded();
        final SockAddr gw = embed(req.gateway());
        final Ifnet out = req.ifp();
        return inet.fibs[req.fib()].deletePaths(p.addr(), p.bits(), nh ->
            (gw == null || nh.gateway != null && nh.gateway.sameAddr(gw)) && (out == null || nh.ifp == out));
    }

    /** The route that a packet to an address takes, with all its ways; null for none. @bsd rib_lookup */
    public Route get(final SockAddr dst, final int fib) {
        final SockAddr a = embed(dst);
        final Fib table = inet.fib(fib);
        final int most = a.family() == SockAddr.AF_INET ? Integer.SIZE : 2 * Long.SIZE;
        for (int bits = most; bits >= 0; bits--) {
            final Route r = table.exact(a, bits);
            if (r != null) {
                return r;
            }
        }
        return null;
    }

    /** All routes of a table: a snapshot. */
    public List<Route> routes(final int fib) {
        return inet.fib(fib).routes();
    }

    /** Deletes the routes of a family that were added by hand or learnt; answers how many. */
    public int flush(final int family, final int fib) {
        return inet.fib(fib).deleteIf(r -> r.dst().family() == family && !r.nextHop().has(NextHop.NHF_PINNED));
    }

    /**
     * From now on hears of each change of a table, present or to come, and of addresses and interfaces.
     *
     * @bsd PF_ROUTE
     */
    public void addListener(final RouteListener listener) {
        inet.monitor.add(listener);
    }

    public void removeListener(final RouteListener listener) {
        inet.monitor.remove(listener);
    }

    // Next hops.

    private Errno resolve(final RouteReq req, final NextHop[] out) {
        final SockAddr dst = req.dst().addr();
        final SockAddr gw = req.gateway();
        if (req.fib() < 0 || req.fib() >= inet.fibs.length || req.weight() < 1
                || req.weight() > NextHop.MAX_WEIGHT || req.mtu() < 0 || req.mtu() > 0 && req.mtu() < LEAST_MTU) {
            return Errno.EINVAL;
        }
        if (gw != null && gw.family() != dst.family()
                || dst.family() == SockAddr.AF_INET6 && inet.inet6() == null) {
            return Errno.EAFNOSUPPORT;
        }
        if ((req.flags() & UNREACHED) != 0) {
            out[0] = new NextHop(null, req.flags() | host(req), null, null, 0);
            return Errno.OK;
        }
        if (req.ifp() != null && !inet.isAttached(req.ifp())) {
            return Errno.ENXIO;
        }
        out[0] = dst.family() == SockAddr.AF_INET ? nextHop(req) : nextHop6(req);
        return out[0] == null ? Errno.ENETUNREACH : Errno.OK;
    }

    private static int host(final RouteReq req) {
        return req.dst().isHost() ? NextHop.NHF_HOST : 0;
    }

    /** The gateway must be on the link of an address of ours. */
    private NextHop nextHop(final RouteReq req) {
        final SockAddr gw = req.gateway();
        final InIfaddr link = gw == null ? null : inet.addrs.onLink(gw.in4(), req.ifp());
        final Ifnet out = req.ifp() != null ? req.ifp() : link == null ? null : link.ifp;
        if (out == null || gw != null && link == null) {
            return null;
        }
        final InIfaddr from = link != null ? link : inet.addrs.first(out);
        return new NextHop(out, req.flags() | host(req), gw, from == null ? null : from.ifa.addr(), req.mtu());
    }

    /** The gateway must be on a link; the interface may be left out when its zone or the routes tell which. */
    private NextHop nextHop6(final RouteReq req) {
        SockAddr gw = req.gateway();
        Ifnet out = req.ifp();
        if (gw != null && out == null && gw.scopeId() != 0) {
            out = inet.vnet.ifnets().byIndex(gw.scopeId());
        }
        if (gw != null && out == null) {
            final NextHop link = inet.fibs[req.fib()].lookup6(In6.embed(gw), gw.lo());
            out = link == null || link.gateway != null ? null : link.ifp;
        }
        if (out == null) {
            return null;
        }
        gw = gw == null ? null : SockAddr.in6(In6.embed(gw.hi(), out.index()), gw.lo(), 0);
        return new NextHop(out, req.flags() | host(req), gw, null, req.mtu());
    }

    private static SockAddr embed(final SockAddr a) {
        return a == null || a.scopeId() == 0 ? a : SockAddr.in6(In6.embed(a), a.lo(), 0);
    }
}
