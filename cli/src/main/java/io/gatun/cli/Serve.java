package io.gatun.cli;

import io.gatun.cli.ctl.ControlDir;
import io.gatun.cli.ctl.ControlServer;
import io.gatun.cli.ctl.StackCommands;
import io.gatun.netinet.InPrefix;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.dhcp.DhcpLease;
import io.gatun.netinet.dhcp.DhcpListener;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.nd6.Nd6Duplicate;
import io.gatun.netinet.nd6.Nd6Listener;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.uipc.Sockets;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code gatun serve}: the stack on a TAP device, serving this machine's own programs until Ctrl-C. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        description = "Serves this machine's programs over a TAP device until Ctrl-C. Needs root and /dev/net/tun.")
public final class Serve implements Callable<Integer> {
    private static final int NMBUFS = 1 << 17;
    private static final int CLUSTERS_2K = 1 << 16;
    private static final int CLUSTERS_16K = 1 << 12;
    private static final int MAX_PORT = 65_535;

    @Option(names = "--tap", required = true, paramLabel = "NAME", description = "The device to make.")
    private String tap;
    @Option(names = "--host-address", paramLabel = "CIDR",
            description = "This machine's IPv4 address on it (default: the device is left as it is).")
    private String hostAddress;
    @Option(names = "--address", paramLabel = "CIDR",
            description = "The stack's addresses on it, of either family; again for more.")
    private List<String> addresses = List.of();
    @Option(names = "--gateway", paramLabel = "ADDR",
            description = "The stack's default router, one of each family at most.")
    private List<String> gateways = List.of();
    @Option(names = "--dhcp", description = "Lets a DHCP server give the stack its IPv4 address and routes.")
    private boolean dhcp;
    @Option(names = "--name", paramLabel = "NAME",
            description = "By which gatun ifconfig --stack NAME finds it (default: the device's name).")
    private String name;
    @Option(names = "--command", paramLabel = "WORDS",
            description = "Runs a command once the stack is up, as in --command 'route add 10.9.0.0/16 10.0.0.9'.")
    private List<String> commands = List.of();
    @Option(names = "--mtu", paramLabel = "OCTETS", defaultValue = "1500",
            description = "Of the largest IP packet, 68..65521 (default: ${DEFAULT-VALUE}).")
    private int mtu;
    @Option(names = "--echo", paramLabel = "PORT", description = "Echo (RFC 862), TCP and UDP.")
    private List<Integer> echo = List.of();
    @Option(names = "--discard", paramLabel = "PORT", description = "Discard (RFC 863), TCP and UDP.")
    private List<Integer> discard = List.of();
    @Option(names = "--chargen", paramLabel = "PORT", description = "Character generator (RFC 864), TCP and UDP.")
    private List<Integer> chargen = List.of();
    @Option(names = "--file", paramLabel = "FILE:PORT", description = "Sends a file to whoever connects, TCP.")
    private List<String> files = List.of();
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    /** For picocli. */
    public Serve() {
        // options are set by picocli
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        final InPrefix host = hostAddress == null ? null : prefix("--host-address", hostAddress);
        final List<InPrefix> own = addresses.stream().map(a -> prefix("--address", a)).toList();
        gateways.forEach(this::checkGateway);
        final Map<Path, Integer> served = checkedFiles();
        for (final List<Integer> ports : List.of(echo, discard, chargen)) {
            ports.forEach(this::checkPort);
        }
        final PrintWriter out = spec.commandLine().getOut();
        final Vnet vnet = Vnet.builder().name("serve")
            .pool(MbufPool.builder().nmbufs(NMBUFS).nmbclusters(CLUSTERS_2K).nmbjumbo16(CLUSTERS_16K)).build();
        final Services services = new Services(Sockets.of(vnet));
        final ControlServer control;
        try {
            configure(vnet, own, out);
            start(services, served);
            control = ControlServer.start(vnet, ControlDir.ofUser(), name == null ? tap : name);
        } catch (final IOException | IllegalArgumentException e) {
            services.close();
            vnet.close();
            throw e;
        }
        final CountDownLatch end = new CountDownLatch(1);
        final Thread hook = new Thread(() -> {
            finish(control, services, vnet, out);
            end.countDown();
        }, "gatun serve: end");
        Runtime.getRuntime().addShutdownHook(hook);
        out.println("gatun: " + (own.isEmpty() ? "no address yet" : String.join(", ", addresses)) + " on " + tap
            + " is ready" + (host == null ? "" : "; this machine is " + hostAddress) + "; Ctrl-C ends it");
        out.flush();
        end.await();
        return 0;
    }

    private InPrefix prefix(final String option, final String text) {
        try {
            return InPrefix.parse(text, null);
        } catch (final IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), option + ": " + e.getMessage(), e);
        }
    }

    private void checkGateway(final String text) {
        if (!prefix("--gateway", text).isHost() || text.indexOf('/') >= 0) {
            throw new CommandLine.ParameterException(spec.commandLine(),
                "--gateway: '" + text + "' is not one address");
        }
    }

    private void checkPort(final int port) {
        if (port < 1 || port > MAX_PORT) {
            throw new CommandLine.ParameterException(spec.commandLine(), "port " + port + " is not in 1.." + MAX_PORT);
        }
    }

    private Map<Path, Integer> checkedFiles() {
        final Map<Path, Integer> served = new HashMap<>();
        for (final String f : files) {
            final int colon = f.lastIndexOf(':');
            final Path path = Path.of(colon < 0 ? f : f.substring(0, colon));
            int port = -1;
            try {
                port = Integer.parseInt(f.substring(colon + 1));
            } catch (final NumberFormatException e) {
                throw new CommandLine.ParameterException(spec.commandLine(), "--file " + f + ": want FILE:PORT", e);
            }
            checkPort(port);
            if (!Files.isReadable(path) || Files.isDirectory(path)) {
                throw new CommandLine.ParameterException(spec.commandLine(), "--file: cannot read " + path);
            }
            served.put(path, port);
        }
        return served;
    }

    private void configure(final Vnet vnet, final List<InPrefix> own, final PrintWriter out) throws IOException {
        final InetConfig inet = vnet.service(InetConfig.class);
        final Ifnet lo = vnet.ifnets().create("lo0");
        inet.addAddress(lo, "127.0.0.1/8");
        inet.addAddress(lo, "::1/128");
        lo.up();
        final Map<String, String> device = new HashMap<>(Map.of("name", tap, "mtu", Integer.toString(mtu)));
        if (hostAddress != null) {
            device.put("host-address", hostAddress);
        }
        final Ifnet ifp = vnet.ifnets().create("tap0", device);
        inet.addConflictListener(d -> {
            out.println("gatun: " + SockAddr.in(d.addr(), 0).host() + " on " + d.ifname() + " is also used by "
                + HexFormat.ofDelimiter(":").formatHex(EtherHeader.octets(d.lladdr())));
            out.flush();
        });
        if (inet.inet().inet6() != null) {
            inet.inet().inet6().nd6.addListener(tell(out));
        }
        for (final InPrefix p : own) {
            inet.addAddress(ifp, p, null);
        }
        ifp.up();
        if (dhcp) {
            inet.dhcp(ifp, null, new Leases(ifp, out));
        }
        for (final String g : gateways) {
            inet.addRoute(g.indexOf(':') < 0 ? "default" : "::/0", g, g.startsWith("fe80:") ? ifp : null);
        }
        for (final String c : commands) {
            final StringBuilder shown = new StringBuilder();
            final String error = StackCommands.run(vnet, List.of(c.strip().split("\\s+")), shown);
            out.print(shown);
            if (error != null) {
                throw new IOException("--command: " + error);
            }
        }
    }

    /** Says what a DHCP server gave and took. */
    private record Leases(Ifnet ifp, PrintWriter out) implements DhcpListener {
        @Override
        public void bound(final DhcpLease lease) {
            say("has " + lease.address() + " from " + SockAddr.in(lease.server(), 0).host() + " for "
                + (lease.leaseSec() == DhcpLease.FOREVER ? "ever" : lease.leaseSec() + " s"));
        }

        @Override
        public void lost(final DhcpLease lease, final String why) {
            say("has lost " + lease.address() + ": " + why);
        }

        private void say(final String what) {
            out.println("gatun: DHCP: " + ifp.xname() + " " + what);
            out.flush();
        }
    }

    /** Says what neighbour discovery finds out. */
    private static Nd6Listener tell(final PrintWriter out) {
        return new Nd6Listener() {
            @Override
            public void duplicate(final Nd6Duplicate d) {
                out.println("gatun: " + In6.text(In6.clear(d.hi()), d.lo()) + " on " + d.ifname() + " is also used by "
                    + (d.lladdr() == 0 ? "another" : EtherHeader.format(d.lladdr())));
                out.flush();
            }

            @Override
            public void defended(final In6Ifaddr ia) {
                out.println("gatun: " + In6.text(In6.clear(ia.hi), ia.lo) + " on " + ia.ifp.xname()
                    + " is wanted by another, who was told that it is in use");
                out.flush();
            }

            @Override
            public void dns(final String ifname, final List<String> servers, final List<String> domains) {
                out.println("gatun: names on " + ifname + ": servers " + servers + ", domains " + domains);
                out.flush();
            }
        };
    }

    private void start(final Services services, final Map<Path, Integer> served) throws IOException {
        for (final int port : echo) {
            services.echo(port);
        }
        for (final int port : discard) {
            services.discard(port);
        }
        for (final int port : chargen) {
            services.chargen(port);
        }
        for (final Map.Entry<Path, Integer> f : served.entrySet()) {
            services.file(f.getKey(), f.getValue());
        }
    }

    /** Runs at Ctrl-C: ends connections, takes the device away, says what happened. */
    private static void finish(
        final ControlServer control, final Services services, final Vnet vnet, final PrintWriter out) {
        try {
            control.close();
        } catch (final IOException e) {
            out.println("gatun: " + e.getMessage());
        }
        services.close();
        vnet.service(InetConfig.class).stopDhcp();
        vnet.close();
        final StringBuilder drops = new StringBuilder();
        for (final DropReason r : DropReason.values()) {
            if (vnet.drops(r) != 0) {
                drops.append(drops.isEmpty() ? "" : ", ").append(r).append(' ').append(vnet.drops(r));
            }
        }
        out.println();
        out.println("segments in " + vnet.counters().get("tcp.rcvtotal") + ", out "
            + vnet.counters().get("tcp.sndtotal") + ", retransmitted " + vnet.counters().get("tcp.sndrexmitpack"));
        out.println("drops: " + (drops.isEmpty() ? "none" : drops));
        out.println("mbufs outstanding " + vnet.pool().outstanding());
        out.flush();
    }
}
