package io.gatun.cli.ctl;

import io.gatun.netinet.InPrefix;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.RouteConfig;
import io.gatun.netinet.RouteReq;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.io.IOException;

/**
 * {@code route}, with the words of route(8): {@code add}, {@code delete}, {@code change}, {@code get}, {@code show},
 * {@code flush}. Adding to a prefix that has a route adds one more way; {@code -weight} says how much of the traffic.
 *
 * @bsd route
 */
final class RouteCommand implements StackCommand {
    private static final int MAX_MTU = 65_535;

    /** The words of one call. */
    private static final class Call {
        private int family = SockAddr.AF_UNSPEC;
        private boolean host;
        private boolean byIfp;
        private int nhf;
        private int fib;
        private int mtu;
        private int weight = 1;
        private Ifnet ifp;
        private String dst;
        private String gateway;
        private int netmask = -1;
    }

    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) throws IOException {
        final Call c = new Call();
        String verb = null;
        while (args.more()) {
            if (!modifier(vnet, c, args)) {
                if (verb == null) {
                    verb = args.next("a command");
                } else if (c.dst == null) {
                    c.dst = args.next("a destination");
                } else if (c.gateway == null) {
                    c.gateway = args.next("a gateway");
                } else {
                    c.netmask = args.netmask();
                    args.end();
                }
            }
        }
        if (verb == null) {
            throw new IllegalArgumentException("want add, delete, change, get, show or flush");
        }
        final RouteConfig routing = vnet.service(InetConfig.class).routing();
        if (c.fib >= routing.fibs()) {
            throw new IllegalArgumentException("there is no fib " + c.fib);
        }
        act(vnet, routing, verb, c, out);
    }

    private static boolean modifier(final Vnet vnet, final Call c, final Args args) {
        final String word = args.peek();
        if (!word.startsWith("-")) {
            return false;
        }
        args.next(word);
        switch (word) {
            case "-n", "-q", "-v", "-static", "-gateway" -> {
                // the only way there is
            }
            case "-4", "-inet" -> c.family = SockAddr.AF_INET;
            case "-6", "-inet6" -> c.family = SockAddr.AF_INET6;
            case "-net" -> c.host = false;
            case "-host" -> c.host = true;
            case "-interface", "-iface" -> c.byIfp = true;
            case "-ifp" -> c.ifp = args.ifnet(vnet);
            case "-reject" -> c.nhf = NextHop.NHF_REJECT;
            case "-blackhole" -> c.nhf = NextHop.NHF_BLACKHOLE;
            case "-fib" -> c.fib = args.number("fib", 0, MAX_MTU);
            case "-mtu" -> c.mtu = args.number("mtu", 1, MAX_MTU);
            case "-netmask" -> c.netmask = args.netmask();
            case "-prefixlen" -> c.netmask = args.number("prefixlen", 0, 2 * Long.SIZE);
            case "-weight" -> c.weight = args.number("weight", 1, NextHop.MAX_WEIGHT);
            default -> throw new IllegalArgumentException("there is no option " + word);
        }
        return true;
    }

    private static void act(
        final Vnet vnet, final RouteConfig routing, final String verb, final Call c, final StringBuilder out) {
        switch (verb) {
            case "add", "change" -> {
                final RouteReq req = request(vnet, c, true);
                final Errno e = "add".equals(verb) ? routing.add(req) : routing.change(req);
                answer(vnet, verb, c, e, out);
            }
            case "delete", "del" -> answer(vnet, "delete", c, routing.delete(request(vnet, c, false)), out);
            case "get" -> {
                final SockAddr to = InPrefix.parse(wanted(c.dst), vnet.ifnets()).addr();
                final Route r = routing.get(to, c.fib);
                if (r == null) {
                    throw new IllegalArgumentException("route has not been found: " + c.dst);
                }
                RouteShow.one(vnet, to, r, c.fib, out);
            }
            case "show" -> RouteShow.table(vnet, routing.routes(c.fib), c.family, out);
            case "flush" -> {
                final int n = (c.family == SockAddr.AF_INET6 ? 0 : routing.flush(SockAddr.AF_INET, c.fib))
                    + (c.family == SockAddr.AF_INET ? 0 : routing.flush(SockAddr.AF_INET6, c.fib));
                out.append(n).append(n == 1 ? " route deleted\n" : " routes deleted\n");
            }
            default -> throw new IllegalArgumentException("'" + verb
                + "' is none of add, delete, change, get, show, flush");
        }
    }

    private static String wanted(final String dst) {
        if (dst == null) {
            throw new IllegalArgumentException("no destination given");
        }
        return dst;
    }

    private static InPrefix prefix(final Vnet vnet, final Call c) {
        final boolean six = c.family == SockAddr.AF_INET6
            || c.family == SockAddr.AF_UNSPEC && !c.byIfp && c.gateway != null && c.gateway.indexOf(':') >= 0;
        InPrefix p = "default".equals(wanted(c.dst)) ? InPrefix.any(six ? SockAddr.AF_INET6 : SockAddr.AF_INET)
            : InPrefix.parse(c.dst, vnet.ifnets());
        if (c.netmask >= 0 || c.host && p.addr().family() == SockAddr.AF_INET) {
            p = new InPrefix(p.addr(), c.host ? Integer.SIZE : c.netmask);
        }
        return p;
    }

    private static RouteReq request(final Vnet vnet, final Call c, final boolean wantsGateway) {
        final InPrefix p = prefix(vnet, c);
        Ifnet ifp = c.ifp;
        SockAddr gw = null;
        if (c.byIfp && c.gateway != null) {
            ifp = new Args(java.util.List.of(c.gateway)).ifnet(vnet);
        } else if (c.gateway != null) {
            gw = InPrefix.address(c.gateway, vnet.ifnets());
        } else if (wantsGateway && c.nhf == 0 && ifp == null) {
            throw new IllegalArgumentException("no gateway given for " + c.dst);
        }
        return new RouteReq(p).gateway(c.nhf == 0 ? gw : null).ifp(c.nhf == 0 ? ifp : null).flags(c.nhf).mtu(c.mtu)
            .weight(c.weight).fib(c.fib);
    }

    private static void answer(
        final Vnet vnet, final String verb, final Call c, final Errno e, final StringBuilder out) {
        final InPrefix p = prefix(vnet, c);
        final String line = verb + " " + (p.isHost() ? "host " : "net ")
            + (p.bits() == 0 ? "default" : p.addr().host(vnet.ifnets()))
            + (c.gateway == null ? "" : ": gateway " + c.gateway) + (c.fib == 0 ? "" : " fib " + c.fib);
        if (e != Errno.OK) {
            throw new IllegalArgumentException(line + ": " + (e == Errno.EEXIST ? "route already in table"
                : e == Errno.ENOENT ? "not in table" : e.text()));
        }
        out.append(line).append('\n');
    }
}
