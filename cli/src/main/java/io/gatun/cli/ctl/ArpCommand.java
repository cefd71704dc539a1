package io.gatun.cli.ctl;

import io.gatun.netinet.InPrefix;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.arp.ArpEntry;
import io.gatun.netinet.arp.ArpState;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.io.IOException;

/** {@code arp}, with the words of arp(8): the IPv4 neighbours, this host's own addresses among them. @bsd arp */
final class ArpCommand implements StackCommand {
    private static final long SEC = 1_000_000_000L;

    @Override
    public void run(final Vnet vnet, final Args args, final StringBuilder out) throws IOException {
        final InetConfig inet = vnet.service(InetConfig.class);
        Ifnet on = null;
        boolean all = false;
        boolean delete = false;
        while (args.peek().startsWith("-")) {
            final String word = args.next("an option");
            switch (word) {
                case "-i" -> on = args.ifnet(vnet);
                case "-s", "-S" -> {
                    set(vnet, inet, on, args);
                    return;
                }
                default -> {
                    if (!word.matches("-[and]+")) { // n is the only way there is
                        throw new IllegalArgumentException("there is no option " + word);
                    }
                    all |= word.indexOf('a') > 0;
                    delete |= word.indexOf('d') > 0;
                }
            }
        }
        if (all && delete) {
            args.end();
            deleteAll(vnet, inet, on);
        } else if (all) {
            args.end();
            own(inet, on, out);
            show(vnet, inet, on, 0, out);
        } else {
            final SockAddr host = host(args);
            args.end();
            one(vnet, inet, on, host, delete, out);
        }
    }

    private static SockAddr host(final Args args) {
        final SockAddr host = InPrefix.address(args.next("a host, or -a"), null);
        if (host.family() != SockAddr.AF_INET) {
            throw new IllegalArgumentException("'" + host.host() + "' is not an IPv4 address");
        }
        return host;
    }

    private static void set(final Vnet vnet, final InetConfig inet, final Ifnet on, final Args args)
            throws IOException {
        final SockAddr host = host(args);
        final Ifnet ifp = interfaceOf(vnet, inet, on, host);
        final byte[] mac = args.take("auto") ? ifp.lladdr() : args.lladdr();
        final boolean published = args.take("pub");
        args.end();
        inet.setArp(ifp, host.host(), IfconfigShow.mac(mac), published);
    }

    /** Where a neighbour is: where it is known, else the link its address is on. */
    private static Ifnet interfaceOf(final Vnet vnet, final InetConfig inet, final Ifnet on, final SockAddr host)
            throws IOException {
        if (on != null) {
            return on;
        }
        for (final ArpEntry e : inet.arp()) {
            if (e.addr() == host.in4()) {
                return vnet.ifnets().byName(e.ifname());
            }
        }
        final InIfaddr link = inet.inet().addrs.onLink(host.in4(), null);
        if (link == null) {
            throw new ErrnoException(Errno.ENETUNREACH, host.host());
        }
        return link.ifp;
    }

    private static void deleteAll(final Vnet vnet, final InetConfig inet, final Ifnet on) throws IOException {
        for (final ArpEntry e : inet.arp()) {
            final Ifnet ifp = vnet.ifnets().byName(e.ifname());
            if (ifp != null && (on == null || on == ifp)) {
                inet.deleteArp(ifp, SockAddr.in(e.addr(), 0).host());
            }
        }
    }

    private static void one(
        final Vnet vnet, final InetConfig inet, final Ifnet on, final SockAddr host, final boolean delete,
        final StringBuilder out) throws IOException {
        if (delete) {
            inet.deleteArp(interfaceOf(vnet, inet, on, host), host.host());
            out.append(host.host()).append(" (").append(host.host()).append(") deleted\n");
            return;
        }
        final int before = out.length();
        show(vnet, inet, on, host.in4(), out);
        if (out.length() == before) {
            throw new IllegalArgumentException(host.host() + " (" + host.host() + ") -- no entry");
        }
    }

    private static void own(final InetConfig inet, final Ifnet on, final StringBuilder out) {
        for (final InIfaddr ia : inet.addresses()) {
            if ((on == null || on == ia.ifp) && ia.ifp.addrlen() == EtherHeader.ETHER_ADDR_LEN) {
                line(out, ia.addr, IfconfigShow.mac(ia.ifp.lladdr()), ia.ifp.xname(), "permanent");
            }
        }
    }

    /** @param only one neighbour, 0 for all */
    private static void show(
        final Vnet vnet, final InetConfig inet, final Ifnet on, final int only, final StringBuilder out) {
        final long now = vnet.clock().nanoTime();
        for (final ArpEntry e : inet.arp()) {
            if ((on == null || on.xname().equals(e.ifname())) && (only == 0 || only == e.addr())) {
                final long seconds = Math.max(0, (e.expireNs() - now + SEC - 1) / SEC);
                line(out, e.addr(), e.lladdr() == 0 ? "(incomplete)"
                    : IfconfigShow.mac(EtherHeader.octets(e.lladdr())), e.ifname(),
                    e.state() == ArpState.STATIC ? e.published() ? "permanent published" : "permanent"
                    : e.lladdr() == 0 ? "expired" : "expires in " + seconds + " seconds");
            }
        }
    }

    private static void line(
        final StringBuilder out, final int addr, final String mac, final String ifname, final String life) {
        out.append("? (").append(SockAddr.in(addr, 0).host()).append(") at ").append(mac).append(" on ").append(ifname)
            .append(' ').append(life).append(" [ethernet]\n");
    }
}
