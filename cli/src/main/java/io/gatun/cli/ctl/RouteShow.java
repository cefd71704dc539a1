package io.gatun.cli.ctl;

import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How {@code netstat -rn} and {@code route get} show routes. */
final class RouteShow {
    private static final int WIDTH4 = 18;
    private static final int WIDTH6 = 33;
    private static final int HOST4 = 32;
    private static final int HOST6 = 128;

    private RouteShow() {
    }

    /** @param family AF_INET or AF_INET6 for one family only, else AF_UNSPEC */
    static void table(final Vnet vnet, final List<Route> routes, final int family, final StringBuilder out) {
        out.append("Routing tables\n");
        if (family != SockAddr.AF_INET6) {
            family(vnet, routes, SockAddr.AF_INET, out);
        }
        if (family != SockAddr.AF_INET) {
            family(vnet, routes, SockAddr.AF_INET6, out);
        }
    }

    private static void family(final Vnet vnet, final List<Route> all, final int family, final StringBuilder out) {
        final List<Route> routes = all.stream().filter(r -> r.dst().family() == family).toList();
        if (routes.isEmpty()) {
            return;
        }
        final int width = family == SockAddr.AF_INET ? WIDTH4 : WIDTH6;
        out.append(family == SockAddr.AF_INET ? "\nInternet:\n" : "\nInternet6:\n");
        row(out, width, "Destination", "Gateway", "Flags", "Netif", "Expire");
        for (final Route r : routes) {
            for (final NextHop nh : r.nextHop().paths()) {
                row(out, width, prefix(vnet, r), gateway(vnet, nh), letters(r, nh),
                    nh.ifp == null ? "-" : nh.ifp.xname(), "");
            }
        }
    }

    private static void row(final StringBuilder out, final int width, final String... cells) {
        final String cell = "%-" + width + "s ";
        out.append(String.format(Locale.ROOT, cell + cell + "%-6s %8s %6s", (Object[]) cells).stripTrailing())
            .append('\n');
    }

    private static String prefix(final Vnet vnet, final Route r) {
        if (r.prefixLen() == 0) {
            return "default";
        }
        final boolean host = r.prefixLen() == (r.dst().family() == SockAddr.AF_INET ? HOST4 : HOST6);
        return host(vnet, r.dst()) + (host ? "" : "/" + r.prefixLen());
    }

    /** An address of the table, its zone named. */
    private static String host(final Vnet vnet, final SockAddr a) {
        if (a.family() != SockAddr.AF_INET6) {
            return a.host();
        }
        final SockAddr shown = new SockAddr();
        In6.recover(shown, a.hi(), a.lo(), 0);
        return shown.host(vnet.ifnets());
    }

    private static String gateway(final Vnet vnet, final NextHop nh) {
        if (nh.gateway != null) {
            return host(vnet, nh.gateway);
        }
        final Ifnet ifp = nh.has(NextHop.NHF_LOCAL) ? owner(vnet, nh) : nh.ifp;
        return ifp == null ? "-" : "link#" + ifp.index();
    }

    /** The interface whose address a route to this host itself is for. */
    private static Ifnet owner(final Vnet vnet, final NextHop nh) {
        for (final Ifnet ifp : vnet.ifnets().all()) {
            for (final IfAddr a : ifp.addrs()) {
                if (nh.src != null && a.addr().sameAddr(nh.src)) {
                    return ifp;
                }
            }
        }
        return nh.ifp;
    }

    /** The letters of netstat(1). */
    private static String letters(final Route r, final NextHop nh) {
        final boolean host = nh.has(NextHop.NHF_HOST | NextHop.NHF_LOCAL)
            || r.prefixLen() == (r.dst().family() == SockAddr.AF_INET ? HOST4 : HOST6);
        final boolean dynamic = nh.has(NextHop.NHF_REDIRECT);
        final boolean byHand = !nh.has(NextHop.NHF_PINNED) && !dynamic
            || nh.has(NextHop.NHF_LOCAL);
        return "U" + letter(nh.gateway != null, 'G') + letter(host, 'H') + letter(nh.has(NextHop.NHF_REJECT), 'R')
            + letter(dynamic, 'D') + letter(byHand, 'S') + letter(nh.has(NextHop.NHF_BLACKHOLE), 'B')
            + letter(nh.has(NextHop.NHF_BROADCAST), 'b');
    }

    private static String letter(final boolean has, final char letter) {
        return has ? String.valueOf(letter) : "";
    }

    /** What {@code route get} answers. */
    static void one(final Vnet vnet, final SockAddr to, final Route r, final int fib, final StringBuilder out) {
        line(out, "route to", to.host(vnet.ifnets()));
        line(out, "destination", r.prefixLen() == 0 ? "default" : host(vnet, r.dst()));
        if (r.dst().family() == SockAddr.AF_INET && r.prefixLen() < HOST4) {
            line(out, "mask", SockAddr.in(InIfaddr.mask(r.prefixLen()), 0).host());
        }
        for (final NextHop nh : r.nextHop().paths()) {
            if (nh.gateway != null) {
                line(out, "gateway", host(vnet, nh.gateway));
            }
            line(out, "fib", String.valueOf(fib));
            if (nh.ifp != null) {
                line(out, "interface", nh.ifp.xname());
            }
            line(out, "flags", flags(nh));
            if (nh.ifp != null) {
                out.append(" recvpipe  sendpipe  ssthresh  rtt,msec    mtu        weight    expire\n");
                out.append(String.format(Locale.ROOT, "%8d  %8d  %8d  %8d   %6d     %8d   %8d%n", 0, 0, 0, 0, nh.mtu(),
                    nh.weight(), 0));
            }
        }
    }

    private static void line(final StringBuilder out, final String name, final String value) {
        out.append(String.format(Locale.ROOT, "%11s: %s%n", name, value));
    }

    private static String flags(final NextHop nh) {
        final List<String> words = new ArrayList<>(List.of("UP"));
        final int[] bits = {NextHop.NHF_GATEWAY, NextHop.NHF_HOST, NextHop.NHF_REJECT, NextHop.NHF_BLACKHOLE,
            NextHop.NHF_REDIRECT, NextHop.NHF_PINNED, NextHop.NHF_LOCAL, NextHop.NHF_BROADCAST};
        final String[] names = {"GATEWAY", "HOST", "REJECT", "BLACKHOLE", "DYNAMIC", "PINNED", "LOCAL", "BROADCAST"};
        for (int i = 0; i < bits.length; i++) {
            if (nh.has(bits[i])) {
                words.add(names[i]);
            }
        }
        words.add("DONE");
        if (!nh.has(NextHop.NHF_PINNED | NextHop.NHF_REDIRECT)) {
            words.add("STATIC");
        }
        return "<" + String.join(",", words) + ">";
    }
}
