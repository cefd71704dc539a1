package io.gatun.cli.ctl;

import io.gatun.netinet.InPrefix;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.nd6.Nd6;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code ifconfig}, with the words of ifconfig(8) that mean something here. A second IPv4 address wants {@code alias};
 * without it an address takes the place of the interface's first.
 *
 * @bsd ifconfig
 */
final class Ifconfig implements StackCommand {
    private static final int HOST_BITS = 32;
    private static final int DEFAULT_BITS6 = 64;

    /** What is said of an address in one call. */
    private static final class Change {
        private int family = SockAddr.AF_INET;
        private InPrefix prefix;
        private boolean lengthGiven;
        private SockAddr other;
        private boolean alias;
        private boolean delete;
        private boolean anycast;
        private boolean eui64;
        private long pltime = -1; // seconds; -1 where not given
        private long vltime = -1;
    }

    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) throws IOException {
        if (!args.more() || args.peek().matches("-[alud]+")) {
            list(vnet, args.more() ? args.next("an option") : "-a", args, out);
            return;
        }
        final String name = args.next("an interface");
        if (args.take("create") || args.take("plumb")) {
            final Ifnet made = vnet.ifnets().create(name, parameters(args));
            out.append(made.xname()).append('\n');
            if (args.more()) {
                change(vnet, made, args, out);
            }
            return;
        }
        final Ifnet ifp = vnet.ifnets().byName(name);
        if (ifp == null) {
            throw new IllegalArgumentException("interface " + name + " does not exist");
        }
        if (args.take("destroy")) {
            args.end();
            ErrnoException.check(vnet.ifnets().destroy(ifp), "destroy " + name);
            return;
        }
        change(vnet, ifp, args, out);
    }

    private static int family(final Args args) {
        return args.take("inet") ? SockAddr.AF_INET : args.take("inet6") ? SockAddr.AF_INET6 : SockAddr.AF_UNSPEC;
    }

    /** {@code -a} all, {@code -u} those that are up, {@code -d} those that are down; with {@code -l} their names. */
    private static void list(final Vnet vnet, final String letters, final Args args, final StringBuilder out) {
        final int family = family(args);
        args.end();
        final boolean up = letters.indexOf('u') > 0;
        final boolean down = letters.indexOf('d') > 0;
        final List<Ifnet> all = vnet.ifnets().all().stream()
            .filter(ifp -> up == down || up == ((ifp.flags() & Ifnet.IFF_UP) != 0)).toList();
        if (letters.indexOf('l') > 0) {
            out.append(String.join(" ", all.stream().map(Ifnet::xname).toList())).append('\n');
        } else {
            all.forEach(ifp -> IfconfigShow.show(vnet, ifp, family, out));
        }
    }

    /** Parameters of the driver, a name and a value each, up to a word that is said of any interface. */
    private static Map<String, String> parameters(final Args args) {
        final Map<String, String> out = new LinkedHashMap<>();
        while (args.more() && !args.peek().matches("inet6?|up|down|ether|lladdr|link|fib|alias")) {
            final String key = args.next("a parameter");
            out.put(switch (key) {
                case "vlan" -> "vid";
                case "vlandev" -> "parent";
                case "vlanpcp" -> "pcp";
                default -> key;
            }, args.next("the value of " + key));
        }
        return out;
    }

    private static void change(final Vnet vnet, final Ifnet ifp, final Args args, final StringBuilder out)
            throws IOException {
        final int shown = family(args);
        if (!args.more()) {
            IfconfigShow.show(vnet, ifp, shown, out);
            return;
        }
        final Change c = new Change();
        c.family = shown == SockAddr.AF_UNSPEC ? SockAddr.AF_INET : shown;
        while (args.more()) {
            if (!IfconfigDevice.take(vnet, ifp, args) && !aboutAddress(c, args)) {
                address(vnet, c, args);
            }
        }
        if ((c.anycast || c.eui64) && c.family != SockAddr.AF_INET6) {
            throw new IllegalArgumentException("anycast and eui64 are for inet6");
        }
        if (c.prefix != null) {
            apply(vnet.service(InetConfig.class), ifp, c);
        } else if (c.alias || c.delete || c.lengthGiven || c.other != null) {
            throw new IllegalArgumentException("no address given");
        }
    }

    /** What is said of the address beside it; false for another word. */
    private static boolean aboutAddress(final Change c, final Args args) {
        if (args.take("alias") || args.take("add")) {
            c.alias = true;
        } else if (args.take("delete") || args.take("remove") || args.take("-alias")) {
            c.delete = true;
        } else if (args.take("netmask")) {
            length(c, args.netmask());
        } else if (args.take("prefixlen")) {
            length(c, args.number("prefixlen", 0, c.family == SockAddr.AF_INET ? HOST_BITS : 2 * Long.SIZE));
        } else if (args.take("pltime")) {
            c.pltime = Nd6Flags.lifetime(args);
        } else if (args.take("vltime")) {
            c.vltime = Nd6Flags.lifetime(args);
        } else if (args.take("anycast")) {
            c.anycast = true;
        } else if (args.take("eui64")) {
            c.eui64 = true;
        } else if (args.take("broadcast")) {
            c.other = InPrefix.address(args.next("an address"), null);
        } else {
            return false;
        }
        return true;
    }

    private static void length(final Change c, final int bits) {
        if (c.prefix == null) {
            throw new IllegalArgumentException("the address comes before its mask");
        }
        c.prefix = new InPrefix(c.prefix.addr(), bits);
        c.lengthGiven = true;
    }

    /** The address, or the other end of a point-to-point link behind it. */
    private static void address(final Vnet vnet, final Change c, final Args args) {
        if (c.prefix != null) {
            c.other = InPrefix.address(args.next("an address"), null);
            return;
        }
        final String text = args.next("an address");
        c.prefix = InPrefix.parse(text, vnet.ifnets());
        if (c.prefix.addr().family() != c.family) {
            throw new IllegalArgumentException("'" + text + "' is not an address of family "
                + (c.family == SockAddr.AF_INET ? "inet" : "inet6"));
        }
        c.lengthGiven = text.indexOf('/') >= 0;
        if (!c.lengthGiven && c.family == SockAddr.AF_INET6) {
            c.prefix = new InPrefix(c.prefix.addr(), DEFAULT_BITS6);
        }
    }

    private static void apply(final InetConfig inet, final Ifnet ifp, final Change c) throws IOException {
        if (c.eui64) {
            c.prefix = new InPrefix(eui64(ifp, c.prefix.addr()), c.prefix.bits());
        }
        final String text = c.prefix.addr().host();
        if (c.delete) {
            inet.removeAddress(ifp, text);
            return;
        }
        final boolean alone = (ifp.flags() & (Ifnet.IFF_LOOPBACK | Ifnet.IFF_POINTOPOINT)) != 0;
        if (c.family == SockAddr.AF_INET && !c.lengthGiven && !alone) {
            throw new IllegalArgumentException(text + " has neither a netmask nor a prefix length");
        }
        if (c.family == SockAddr.AF_INET && !c.alias) {
            for (final IfAddr a : ifp.addrs()) {
                if (a.family() == SockAddr.AF_INET) {
                    inet.removeAddress(ifp, a.addr().host());
                    break;
                }
            }
        }
        final boolean lives = c.pltime >= 0 || c.vltime >= 0;
        if (c.anycast) {
            inet.addAnycast(ifp, c.prefix);
        } else if (!lives || !Nd6Flags.has(inet, ifp, c.prefix.addr())) {
            inet.addAddress(ifp, c.prefix, c.other);
        }
        if (lives) {
            final long valid = c.vltime < 0 ? Long.MAX_VALUE : c.vltime;
            ErrnoException.check(inet.nd6().setLifetimes(ifp, c.prefix.addr(), c.pltime < 0 ? valid : c.pltime, valid),
                text + ": lifetimes");
        }
    }

    /** The network's first half, and the interface's identifier as the second. */
    private static SockAddr eui64(final Ifnet ifp, final SockAddr net) {
        if (ifp.addrlen() != EtherHeader.ETHER_ADDR_LEN) {
            throw new IllegalArgumentException(ifp.xname() + " has no link address");
        }
        return SockAddr.in6(net.hi(), Nd6.eui64(ifp), 0);
    }
}
