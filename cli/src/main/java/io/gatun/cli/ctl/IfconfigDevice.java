package io.gatun.cli.ctl;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.io.IOException;

/** What {@code ifconfig} does to an interface itself, whatever its addresses. */
final class IfconfigDevice {
    private static final int MAX_MTU = 65_535;
    private static final int MAX_FIB = 65_534;
    private static final int MAX_VID = 4094;
    private static final int ETHERTYPE_VLAN = 0x8100;

    private IfconfigDevice() {
    }

    /** Takes a word with what belongs to it, and does it; false for a word that is about something else. */
    static boolean take(final Vnet vnet, final Ifnet ifp, final Args args) throws IOException {
        final String word = args.peek();
        final int caps = capabilities(word.startsWith("-") ? word.substring(1) : word);
        if (caps != 0) {
            args.next(word);
            enable(ifp, word, caps);
            return true;
        }
        switch (word) {
            case "up", "down", "promisc", "-promisc", "arp", "-arp" -> {
                args.next(word);
                flag(ifp, word);
            }
            case "mtu" -> {
                args.next(word);
                final int mtu = args.number("mtu", 1, MAX_MTU);
                ErrnoException.check(ifp.ioctl(new IfReq.SetMtu(mtu)), ifp.xname() + ": mtu " + mtu);
            }
            case "ether", "lladdr", "link" -> {
                args.next(word);
                ErrnoException.check(ifp.ioctl(new IfReq.SetLladdr(args.lladdr())), ifp.xname() + ": " + word);
            }
            case "vlan", "vlandev", "-vlandev" -> vlan(vnet, ifp, args);
            case "fib" -> {
                args.next(word);
                final int fib = args.number("fib", 0, MAX_FIB);
                if (fib >= vnet.service(InetConfig.class).routing().fibs()) {
                    throw new ErrnoException(Errno.EINVAL, ifp.xname() + ": fib " + fib);
                }
                ifp.setFibnum(fib);
            }
            default -> {
                return Nd6Flags.take(vnet, ifp, args);
            }
        }
        return true;
    }

    private static void flag(final Ifnet ifp, final String word) throws IOException {
        final Errno e = switch (word) {
            case "up" -> ifp.up();
            case "down" -> ifp.down();
            default -> {
                final int bit = word.endsWith("promisc") ? Ifnet.IFF_PROMISC : Ifnet.IFF_NOARP;
                final boolean set = "promisc".equals(word) || "-arp".equals(word);
                ifp.setFlagBits(set ? bit : 0, set ? 0 : bit);
                yield ifp.ioctl(new IfReq.SetFlags(ifp.flags()));
            }
        };
        ErrnoException.check(e == Errno.EOPNOTSUPP ? Errno.OK : e, ifp.xname() + ": " + word);
    }

    /** The bits that a word of ifconfig stands for; 0 for another word. */
    private static int capabilities(final String word) {
        return switch (word) {
            case "rxcsum" -> Ifnet.IFCAP_RXCSUM;
            case "txcsum" -> Ifnet.IFCAP_TXCSUM;
            case "rxcsum6" -> Ifnet.IFCAP_RXCSUM_IPV6;
            case "txcsum6" -> Ifnet.IFCAP_TXCSUM_IPV6;
            case "tso" -> Ifnet.IFCAP_TSO4 | Ifnet.IFCAP_TSO6;
            case "tso4" -> Ifnet.IFCAP_TSO4;
            case "tso6" -> Ifnet.IFCAP_TSO6;
            case "lro" -> Ifnet.IFCAP_LRO;
            case "vlanmtu" -> Ifnet.IFCAP_VLAN_MTU;
            case "vlanhwtag" -> Ifnet.IFCAP_VLAN_HWTAGGING;
            case "vlanhwcsum" -> Ifnet.IFCAP_VLAN_HWCSUM;
            case "vlanhwtso" -> Ifnet.IFCAP_VLAN_HWTSO;
            default -> 0;
        };
    }

    /** What the device cannot do stays off, as with FreeBSD's. */
    private static void enable(final Ifnet ifp, final String word, final int caps) throws IOException {
        final int all = word.startsWith("-") ? ifp.capenable() & ~caps : ifp.capenable() | caps & ifp.capabilities();
        if (all != ifp.capenable()) {
            ErrnoException.check(ifp.ioctl(new IfReq.SetCap(all)), ifp.xname() + ": " + word);
        }
    }

    /** {@code vlan 5 vlandev em0}, in either order; {@code -vlandev} detaches. */
    private static void vlan(final Vnet vnet, final Ifnet ifp, final Args args) throws IOException {
        if (args.take("-vlandev")) {
            ErrnoException.check(ifp.ioctl(new IfReq.SetVlan(null, 0, 0)), ifp.xname() + ": -vlandev");
            return;
        }
        int vid = 0;
        Ifnet parent = null;
        while (vid == 0 && args.peek().equals("vlan") || parent == null && args.peek().equals("vlandev")) {
            if (args.take("vlan")) {
                vid = args.number("vlan", 1, MAX_VID);
            } else {
                args.next("vlandev");
                parent = args.ifnet(vnet);
            }
        }
        if (vid == 0 || parent == null) {
            throw new IllegalArgumentException("vlan and vlandev go together");
        }
        ErrnoException.check(ifp.ioctl(new IfReq.SetVlan(parent, vid, ETHERTYPE_VLAN)),
            ifp.xname() + ": vlan " + vid + " vlandev " + parent.xname());
    }
}
