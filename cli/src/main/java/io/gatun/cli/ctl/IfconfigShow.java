package io.gatun.cli.ctl;

import io.gatun.netinet.Inet6;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.socket.SockAddr;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** How {@code ifconfig} shows an interface. */
final class IfconfigShow {
    /** A bit and its word. */
    private record Bit(int bit, String word) {
    }

    private IfconfigShow() {
    }

    private static Bit[] flagBits() {
        return new Bit[] {
            new Bit(Ifnet.IFF_UP, "UP"), new Bit(Ifnet.IFF_BROADCAST, "BROADCAST"), new Bit(Ifnet.IFF_DEBUG, "DEBUG"),
            new Bit(Ifnet.IFF_LOOPBACK, "LOOPBACK"), new Bit(Ifnet.IFF_POINTOPOINT, "POINTOPOINT"),
            new Bit(Ifnet.IFF_DRV_RUNNING, "RUNNING"), new Bit(Ifnet.IFF_NOARP, "NOARP"),
            new Bit(Ifnet.IFF_PROMISC, "PROMISC"), new Bit(Ifnet.IFF_ALLMULTI, "ALLMULTI"),
            new Bit(Ifnet.IFF_DRV_OACTIVE, "OACTIVE"), new Bit(Ifnet.IFF_SIMPLEX, "SIMPLEX"),
            new Bit(Ifnet.IFF_MULTICAST, "MULTICAST"),
        };
    }

    private static Bit[] capBits() {
        return new Bit[] {
            new Bit(Ifnet.IFCAP_RXCSUM, "RXCSUM"), new Bit(Ifnet.IFCAP_TXCSUM, "TXCSUM"),
            new Bit(Ifnet.IFCAP_VLAN_MTU, "VLAN_MTU"), new Bit(Ifnet.IFCAP_VLAN_HWTAGGING, "VLAN_HWTAGGING"),
            new Bit(Ifnet.IFCAP_JUMBO_MTU, "JUMBO_MTU"), new Bit(Ifnet.IFCAP_VLAN_HWCSUM, "VLAN_HWCSUM"),
            new Bit(Ifnet.IFCAP_TSO4, "TSO4"), new Bit(Ifnet.IFCAP_TSO6, "TSO6"), new Bit(Ifnet.IFCAP_LRO, "LRO"),
            new Bit(Ifnet.IFCAP_VLAN_HWTSO, "VLAN_HWTSO"), new Bit(Ifnet.IFCAP_LINKSTATE, "LINKSTATE"),
            new Bit(Ifnet.IFCAP_RXCSUM_IPV6, "RXCSUM_IPV6"), new Bit(Ifnet.IFCAP_TXCSUM_IPV6, "TXCSUM_IPV6"),
        };
    }

    private static String words(final int value, final Bit[] bits) {
        final List<String> out = new ArrayList<>();
        for (final Bit b : bits) {
            if ((value & b.bit) != 0) {
                out.add(b.word);
            }
        }
        return Integer.toHexString(value) + "<" + String.join(",", out) + ">";
    }

    /** @param family AF_INET or AF_INET6 for the addresses of one family only, else AF_UNSPEC */
    static void show(final Vnet vnet, final Ifnet ifp, final int family, final StringBuilder out) {
        out.append(ifp.xname()).append(": flags=").append(words(ifp.flags() | ifp.drvFlags(), flagBits()))
            .append(" metric 0 mtu ").append(ifp.mtu()).append('\n');
        if (family == SockAddr.AF_UNSPEC) {
            if (ifp.capenable() != 0) {
                out.append("\toptions=").append(words(ifp.capenable(), capBits())).append('\n');
            }
            if (ifp.lladdr() != null && (ifp.flags() & Ifnet.IFF_LOOPBACK) == 0) {
                out.append("\tether ").append(mac(ifp.lladdr())).append('\n');
            }
        }
        for (final IfAddr a : ifp.addrs()) {
            if (family == SockAddr.AF_UNSPEC || family == a.family()) {
                address(vnet, ifp, a, out);
            }
        }
        final Inet6 six = family == SockAddr.AF_INET ? null : Nd6Flags.inet6(vnet);
        if (six != null && six.nd6.info(ifp) != null) {
            Nd6Flags.show(six.nd6.info(ifp), out);
        }
        if (family == SockAddr.AF_UNSPEC) {
            if (ifp.fibnum() != 0) {
                out.append("\tfib: ").append(ifp.fibnum()).append('\n');
            }
            if (ifp.linkState() != LinkState.UNKNOWN) {
                out.append("\tstatus: ").append(ifp.linkState() == LinkState.UP ? "active" : "no carrier")
                    .append('\n');
            }
        }
    }

    private static void address(final Vnet vnet, final Ifnet ifp, final IfAddr a, final StringBuilder out) {
        if (a.family() == SockAddr.AF_INET) {
            out.append("\tinet ").append(a.addr().host());
            if (a.peer() != null) {
                out.append(" --> ").append(a.peer().host());
            }
            out.append(String.format(Locale.ROOT, " netmask 0x%08x", InIfaddr.mask(a.prefixLen())));
            if (a.broadcast() != null) {
                out.append(" broadcast ").append(a.broadcast().host());
            }
            out.append('\n');
        } else if (a.family() == SockAddr.AF_INET6) {
            out.append("\tinet6 ").append(a.addr().host(vnet.ifnets())).append(" prefixlen ").append(a.prefixLen())
                .append(Nd6Flags.state(vnet, ifp, a));
            if (a.addr().scopeId() != 0) {
                out.append(" scopeid 0x").append(Integer.toHexString(ifp.index()));
            }
            out.append('\n');
        }
    }

    static String mac(final byte[] lladdr) {
        return HexFormat.ofDelimiter(":").formatHex(lladdr);
    }
}
