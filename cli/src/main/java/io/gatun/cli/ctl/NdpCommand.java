package io.gatun.cli.ctl;

import io.gatun.netinet.Inet6;
import io.gatun.netinet.InPrefix;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.nd6.Nd6Ifinfo;
import io.gatun.netinet.nd6.Nd6Neighbor;
import io.gatun.netinet.nd6.Nd6Prefix;
import io.gatun.netinet.nd6.Nd6Router;
import io.gatun.netinet.nd6.Nd6State;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.io.IOException;
import java.util.Locale;

/**
 * {@code ndp}, with the words of ndp(8): IPv6 neighbours, routers, prefixes, and neighbour discovery on an interface.
 *
 * @bsd ndp
 */
final class NdpCommand implements StackCommand {
    private static final long SEC = 1_000_000_000L;
    private static final long MS = 1_000_000L;

    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) throws IOException {
        final Inet6 six = Nd6Flags.inet6(vnet);
        ErrnoException.check(six == null ? Errno.EAFNOSUPPORT : Errno.OK, "IPv6");
        args.take("-n"); // the only way there is
        final String word = args.next("-a, -c, -d, -s, -r, -p, -i or a host");
        switch (word) {
            case "-a", "-an", "-na" -> neighbors(vnet, six, null, out);
            case "-c" -> clear(vnet, six);
            case "-d" -> {
                final SockAddr host = host(vnet, args.next("a host"));
                ErrnoException.check(six.nd6.deleteNeighbor(interfaceOf(vnet, six, host), host.hi(), host.lo()),
                    text(vnet, host.hi(), host.lo()));
                out.append(text(vnet, host.hi(), host.lo())).append(" deleted\n");
            }
            case "-s" -> set(vnet, six, args);
            case "-r", "-rn" -> routers(vnet, six, out);
            case "-p", "-pn" -> prefixes(vnet, six, out);
            case "-i" -> inspect(vnet, six, args, out);
            default -> neighbors(vnet, six, host(vnet, word), out);
        }
        args.end();
    }

    /** An address with its zone put in. */
    private static SockAddr host(final Vnet vnet, final String text) {
        if (text.startsWith("-")) {
            throw new IllegalArgumentException("there is no option " + text);
        }
        final SockAddr a = InPrefix.address(text, vnet.ifnets());
        if (a.family() != SockAddr.AF_INET6) {
            throw new IllegalArgumentException("'" + text + "' is not an IPv6 address");
        }
        return SockAddr.in6(In6.embed(a), a.lo(), 0);
    }

    private static String text(final Vnet vnet, final long hi, final long lo) {
        final SockAddr a = new SockAddr();
        In6.recover(a, hi, lo, 0);
        return a.host(vnet.ifnets());
    }

    /** Where a neighbour is: by its zone, where it is known, else the link its address is on. */
    private static Ifnet interfaceOf(final Vnet vnet, final Inet6 six, final SockAddr host) throws IOException {
        if (In6.zone(host.hi()) != 0) {
            return vnet.ifnets().byIndex(In6.zone(host.hi()));
        }
        for (final Nd6Neighbor n : six.nd6.neighbors()) {
            if (n.hi() == host.hi() && n.lo() == host.lo()) {
                return vnet.ifnets().byName(n.ifname());
            }
        }
        final In6Ifaddr link = six.addrs.onLink(host.hi(), host.lo(), null);
        if (link == null) {
            throw new ErrnoException(Errno.ENETUNREACH, text(vnet, host.hi(), host.lo()));
        }
        return link.ifp;
    }

    private static void set(final Vnet vnet, final Inet6 six, final Args args) throws IOException {
        final SockAddr host = host(vnet, args.next("a host"));
        final long mac = EtherHeader.addr(args.lladdr());
        final boolean proxy = args.take("proxy");
        ErrnoException.check(six.nd6.setNeighbor(interfaceOf(vnet, six, host), host.hi(), host.lo(), mac, proxy),
            text(vnet, host.hi(), host.lo()));
    }

    private static void clear(final Vnet vnet, final Inet6 six) {
        for (final Nd6Neighbor n : six.nd6.neighbors()) {
            final Ifnet ifp = vnet.ifnets().byName(n.ifname());
            if (ifp != null && n.state() != Nd6State.STATIC) {
                six.nd6.deleteNeighbor(ifp, n.hi(), n.lo());
            }
        }
    }

    // Neighbours.

    private static void neighbors(final Vnet vnet, final Inet6 six, final SockAddr only, final StringBuilder out) {
        final int before = out.length();
        row(out, "Neighbor", "Linklayer Address", "Netif", "Expire", "S", "Flags");
        final int head = out.length();
        for (final In6Ifaddr ia : six.addrs.all()) {
            if (is(only, ia.hi, ia.lo) && ia.ifp.addrlen() == EtherHeader.ETHER_ADDR_LEN) {
                row(out, text(vnet, ia.hi, ia.lo), IfconfigShow.mac(ia.ifp.lladdr()), ia.ifp.xname(), "permanent", "R",
                    "");
            }
        }
        for (final Nd6Neighbor n : six.nd6.neighbors()) {
            if (is(only, n.hi(), n.lo())) {
                final String mac = n.lladdr() == 0 ? "(incomplete)"
                    : IfconfigShow.mac(EtherHeader.octets(n.lladdr()));
                final String asked = n.asked() == 0 ? "" : " " + n.asked();
                row(out, text(vnet, n.hi(), n.lo()), mac, n.ifname(),
                    n.state() == Nd6State.STATIC ? "permanent" : left(vnet, n.expireNs(), "-"), letter(n.state()),
                    (n.router() ? "R" : "") + (n.proxied() ? "p" : "") + asked);
            }
        }
        if (only != null && out.length() == head) {
            out.setLength(before);
            throw new IllegalArgumentException(text(vnet, only.hi(), only.lo()) + " -- no entry");
        }
    }

    private static boolean is(final SockAddr only, final long hi, final long lo) {
        return only == null || only.hi() == hi && only.lo() == lo;
    }

    private static void row(final StringBuilder out, final String... c) {
        out.append(String.format(Locale.ROOT, "%-36s %-17s %8s %-9s %1s %s", c[0], c[1], c[2], c[3], c[4], c[5])
            .stripTrailing()).append('\n');
    }

    private static String letter(final Nd6State state) {
        return switch (state) {
            case INCOMPLETE -> "I";
            case STALE -> "S";
            case DELAY -> "D";
            case PROBE -> "P";
            case REACHABLE, STATIC -> "R";
        };
    }

    /** The time to an instant, as in 23h59m58s. */
    private static String left(final Vnet vnet, final long at, final String never) {
        if (at == Long.MAX_VALUE) {
            return never;
        }
        final long s = Math.max(0, (at - vnet.clock().nanoTime() + SEC - 1) / SEC);
        final long days = s / 86_400;
        final long hours = s / 3600 % 24;
        final long minutes = s / 60 % 60;
        return (days > 0 ? days + "d" : "") + (days + hours > 0 ? hours + "h" : "")
            + (s >= 60 ? minutes + "m" : "") + s % 60 + "s";
    }

    // What routers say.

    private static void routers(final Vnet vnet, final Inet6 six, final StringBuilder out) {
        for (final Nd6Router r : six.nd6.routers()) {
            final String to = r.prefixLen() == 0 ? ""
                : ", to=" + text(vnet, r.prefixHi(), r.prefixLo()) + "/" + r.prefixLen();
            out.append(text(vnet, r.hi(), r.lo())).append(" if=").append(r.ifname()).append(to).append(", flags=")
                .append(r.installed() ? "I" : "").append(", pref=")
                .append(r.preference() > 0 ? "high" : r.preference() < 0 ? "low" : "medium").append(", expire=")
                .append(left(vnet, r.expireNs(), "Never")).append('\n');
        }
    }

    private static void prefixes(final Vnet vnet, final Inet6 six, final StringBuilder out) {
        for (final Nd6Prefix p : six.nd6.prefixes()) {
            out.append(text(vnet, p.hi(), p.lo())).append('/').append(p.prefixLen()).append(" if=").append(p.ifname())
                .append("\nflags=LO preferred=").append(left(vnet, p.preferredNs(), "Never")).append(", expire=")
                .append(left(vnet, p.validNs(), "Never")).append('\n');
        }
    }

    private static void inspect(final Vnet vnet, final Inet6 six, final Args args, final StringBuilder out)
            throws IOException {
        final Ifnet ifp = args.ifnet(vnet);
        while (args.more()) {
            if (!Nd6Flags.take(vnet, ifp, args)) {
                throw new IllegalArgumentException("there is no flag " + args.peek());
            }
        }
        final Nd6Ifinfo info = six.nd6.info(ifp);
        ErrnoException.check(info == null ? Errno.ENXIO : Errno.OK, ifp.xname());
        out.append("linkmtu=").append(info.linkMtu() == 0 ? ifp.mtu() : info.linkMtu()).append(", maxmtu=")
            .append(ifp.mtu()).append(", curhlim=").append(six.nd6.hlim(ifp)).append(", basereachable=")
            .append(time(reachable(vnet, info))).append(", retrans=").append(time(info.retransMs()))
            .append("\nFlags:").append(Nd6Flags.words(info)).append('\n');
    }

    /** What the routers say, else this host. */
    private static int reachable(final Vnet vnet, final Nd6Ifinfo info) {
        return info.baseReachableMs() != 0 ? info.baseReachableMs()
            : vnet.sysctl().find("net.inet6.icmp6.nd6_reachable").getInt();
    }

    private static String time(final int ms) {
        final long s = ms * MS / SEC;
        return s + "s" + (ms - s * SEC / MS) + "ms";
    }
}
