package io.gatun.cli.ctl;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.pcb.Xinpcb;
import io.gatun.netinet.tcp.TcpPcblist;
import io.gatun.netinet.tcp.TcpState;
import io.gatun.netinet.tcp.Xtcpcb;
import io.gatun.netinet.udp.UdpPcblist;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufStats;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;
import io.gatun.uipc.Socket;
import java.util.List;
import java.util.Locale;

/** How {@code netstat} shows sockets, interfaces, groups, memory and counters. */
final class NetstatShow {
    private static final String GROUP_ROW = "%-40s %s";
    private static final String MEM_ROW = "%-14s %6s %8s %8s %8s %12s %8s";
    private static final String SO_ROW = "%-5s %6s %6s %-24s %-24s %s";

    private NetstatShow() {
    }

    @FormatMethod
    private static void row(final StringBuilder out, @FormatString final String format, final Object... cells) {
        out.append(String.format(Locale.ROOT, format, cells).stripTrailing()).append('\n');
    }

    // ---- interfaces ------------------------------------------------------------

    /**
     * The interfaces with their addresses.
     *
     * @param only the one to show, or null for all
     * @param octets whether they are counted too
     */
    static void interfaces(final Vnet vnet, final Ifnet only, final boolean octets, final StringBuilder out) {
        interfaceRow(out, octets, "Name", "Mtu", "Network", "Address", "Ipkts", "Ierrs", "Idrop", "Ibytes", "Opkts",
            "Oerrs", "Odrop", "Obytes");
        for (final Ifnet ifp : vnet.ifnets().all()) {
            if (only != null && only != ifp) {
                continue;
            }
            interfaceRow(out, octets, ifp.xname(), ifp.mtu(), "<Link#" + ifp.index() + ">", lladdr(ifp),
                ifp.counter(IfCounter.IPACKETS), ifp.counter(IfCounter.IERRORS), ifp.counter(IfCounter.IQDROPS),
                ifp.counter(IfCounter.IBYTES), ifp.counter(IfCounter.OPACKETS), ifp.counter(IfCounter.OERRORS),
                ifp.counter(IfCounter.OQDROPS), ifp.counter(IfCounter.OBYTES));
            for (final IfAddr a : ifp.addrs()) {
                interfaceRow(out, octets, ifp.xname(), "-", network(vnet, a), a.addr().host(vnet.ifnets()), "-", "-",
                    "-", "-", "-", "-", "-", "-");
            }
        }
    }

    /** The columns Ibytes and Obytes, the eighth and the twelfth, are there where wanted. */
    private static void interfaceRow(final StringBuilder out, final boolean octets, final Object... c) {
        if (octets) {
            row(out, "%-8s %5s %-20s %-33s %10s %5s %5s %12s %10s %5s %5s %12s",
                c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11]);
        } else {
            row(out, "%-8s %5s %-20s %-33s %10s %5s %5s %10s %5s %5s",
                c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[8], c[9], c[10]);
        }
    }

    /** The groups that interfaces have joined. */
    static void groups(final Vnet vnet, final int family, final StringBuilder out) {
        row(out, GROUP_ROW, "Group", "Netif");
        for (final Ifnet ifp : vnet.ifnets().all()) {
            for (final SockAddr group : ifp.multiaddrs()) {
                final boolean ip = group.family() == SockAddr.AF_INET || group.family() == SockAddr.AF_INET6;
                if (ip && (family == SockAddr.AF_UNSPEC || family == group.family())) {
                    row(out, GROUP_ROW, group.host(vnet.ifnets()), ifp.xname());
                }
            }
        }
    }

    // ---- memory ------------------------------------------------------------

    static void mbufs(final Vnet vnet, final StringBuilder out) {
        final MbufStats s = vnet.pool().snapshot();
        row(out, MEM_ROW, "Zone", "Size", "Limit", "Used", "Cached", "Requests", "Denied");
        for (final MbufStats.ZoneStats z : List.of(s.mbufs(), s.clusters(), s.jumbop(), s.jumbo9(), s.jumbo16())) {
            row(out, MEM_ROW, z.name(), z.size(), z.limit(), z.inUse(), z.cached(), z.requests(), z.denied());
        }
    }

    private static String lladdr(final Ifnet ifp) {
        return ifp.lladdr() == null ? ifp.xname() : IfconfigShow.mac(ifp.lladdr());
    }

    private static String network(final Vnet vnet, final IfAddr a) {
        final SockAddr net = a.addr().copy();
        if (a.family() == SockAddr.AF_INET) {
            net.setIn(net.in4() & InIfaddr.mask(a.prefixLen()), 0);
        } else {
            final long hi = In6.maskHi(a.prefixLen());
            final long lo = In6.maskLo(a.prefixLen());
            net.setIn6(net.hi() & hi, net.lo() & lo, 0, net.scopeId());
        }
        return net.host(vnet.ifnets()) + "/" + a.prefixLen();
    }

    // ---- counters ------------------------------------------------------------

    /**
     * The counters by protocol, each with its field in FreeBSD's structure.
     *
     * @param protocol the one to show, or null for all
     * @param nonzero whether those that are 0 are left out
     */
    static void counters(final Vnet vnet, final String protocol, final boolean nonzero, final StringBuilder out) {
        final int start = out.length();
        final String[] last = new String[1];
        vnet.counters().forEach((name, n) -> {
            final int dot = name.indexOf('.');
            final String group = name.substring(0, dot);
            if (protocol != null && !protocol.equals(group) || nonzero && n == 0) {
                return;
            }
            if (!group.equals(last[0])) {
                last[0] = group;
                out.append(group).append(":\n");
            }
            out.append('\t').append(n).append(' ').append(name, dot + 1, name.length()).append('\n');
        });
        if (protocol != null && !nonzero && out.length() == start) {
            throw new IllegalArgumentException("there are no counters of '" + protocol + "'");
        }
    }

    // ---- sockets ------------------------------------------------------------

    /**
     * The sockets of TCP and UDP.
     *
     * @param family AF_INET or AF_INET6 for one family only, else AF_UNSPEC
     * @param protocol tcp or udp, or null for both
     * @param all whether listeners, and datagram sockets without a peer, are shown too
     */
    static void sockets(
        final Vnet vnet, final int family, final String protocol, final boolean all, final StringBuilder out) {
        if (protocol != null && !"tcp".equals(protocol) && !"udp".equals(protocol)) {
            throw new IllegalArgumentException("'" + protocol + "' is neither tcp nor udp");
        }
        out.append("Active Internet connections").append(all ? " (including servers)\n" : "\n");
        row(out, SO_ROW, "Proto", "Recv-Q", "Send-Q", "Local Address", "Foreign Address", "(state)");
        if (!"udp".equals(protocol)) {
            for (final Xtcpcb x : vnet.service(TcpPcblist.class).list()) {
                if (all || x.state() != TcpState.LISTEN) {
                    socket(vnet, family, new Xinpcb(x.so(), x.local(), x.foreign()), state(x.state()), out);
                }
            }
        }
        if (!"tcp".equals(protocol)) {
            for (final Xinpcb x : vnet.service(UdpPcblist.class).list()) {
                if (all || x.foreign().port() != 0) {
                    socket(vnet, family, x, null, out);
                }
            }
        }
    }

    private static String state(final TcpState s) {
        return s == TcpState.SYN_RECEIVED ? "SYN_RCVD" : s.name();
    }

    private static void socket(
        final Vnet vnet, final int family, final Xinpcb x, final String state, final StringBuilder out) {
        final String families = families(x);
        if (family == SockAddr.AF_INET && "6".equals(families)
                || family == SockAddr.AF_INET6 && "4".equals(families)) {
            return;
        }
        final SocketSide so = x.so();
        row(out, SO_ROW, (state == null ? "udp" : "tcp") + families,
            so == null ? 0 : so.rcv().used(), so == null ? 0 : so.snd().used(), endpoint(vnet, x.local()),
            endpoint(vnet, x.foreign()), state == null ? "" : state);
    }

    /** 4, 6, or 46 of a socket of IPv6 that takes IPv4 too. */
    private static String families(final Xinpcb x) {
        if (x.local().family() == SockAddr.AF_INET) {
            return "4";
        }
        final SockOpt only = SockOpt.get(InDefs.IPPROTO_IPV6, InDefs.IPV6_V6ONLY);
        final boolean both = x.local().isAny() && x.foreign().port() == 0 && x.so() instanceof Socket so
            && so.getOpt(only) == Errno.OK && only.value() == 0;
        return both ? "46" : "6";
    }

    /** Address and port with a dot between them, a star for what is not set. */
    private static String endpoint(final Vnet vnet, final SockAddr a) {
        return (a.isAny() ? "*" : a.host(vnet.ifnets())) + "." + (a.port() == 0 ? "*" : a.port());
    }
}
