package io.gatun.conformance.packetdrill;

import io.gatun.conformance.packetdrill.Shell.Status;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.tcp.Sadb;
import io.gatun.netinet.tcp.TcpPcblist;
import io.gatun.netinet.tcp.Xtcpcb;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The programs that look at the stack and change it, on the vnet of a run. */
final class NetCommands {
    private static final int USAGE = 64;

    private final Run run;
    private final Set<String> absent;

    NetCommands(final Run run, final Set<String> absent) {
        this.run = run;
        this.absent = absent;
    }

    // ---- sysctl(8) ------------------------------------------------------------

    /** Reads names, sets assignments; {@code -w} is of no consequence, as in FreeBSD. */
    Status sysctl(final List<String> args) {
        final StringBuilder out = new StringBuilder();
        boolean valueOnly = false;
        for (final String a : args) {
            if (a.startsWith("-")) {
                if (!a.matches("-[wnqi]+")) {
                    return Status.failed(1, "sysctl: option " + a + " is not known\n");
                }
                valueOnly |= a.indexOf('n') > 0;
                continue;
            }
            final int eq = a.indexOf('=');
            final String name = eq < 0 ? a : a.substring(0, eq);
            final Sysctl node = run.vnet().sysctl().find(name);
            if (node == null && eq >= 0 && absent.contains(name)) {
                continue;
            }
            if (node == null) {
                return Status.failed(1, "sysctl: unknown oid '" + name + "'\n");
            }
            final String before = node.getString();
            if (eq >= 0) {
                final Errno e = run.vnet().sysctl().set(name, a.substring(eq + 1));
                if (e != Errno.OK) {
                    return Status.failed(1, "sysctl: " + a + ": " + e.text() + "\n");
                }
            }
            out.append(valueOnly ? "" : name + ": ").append(before)
                .append(eq < 0 ? "" : " -> " + node.getString()).append('\n');
        }
        return Status.ok(out.toString());
    }

    // ---- sockstat(1), tcpdrop(8) ------------------------------------------------------------

    /** Options of sockstat. */
    private record View(boolean v4, boolean v6, boolean states, boolean tcp, Set<Integer> ports) {
    }

    Status sockstat(final List<String> args) {
        boolean v4 = false;
        boolean v6 = false;
        boolean states = false;
        boolean tcp = true;
        final Set<Integer> ports = new HashSet<>();
        for (int i = 0; i < args.size(); i++) {
            switch (args.get(i)) {
                case "-4" -> v4 = true;
                case "-6" -> v6 = true;
                case "-s" -> states = true;
                case "-46", "-64" -> {
                    v4 = true;
                    v6 = true;
                }
                case "-l", "-c", "-n", "-q", "-L", "-w", "-u" -> { }
                case "-P" -> tcp = ++i < args.size() && List.of(args.get(i).split(",")).contains("tcp");
                case "-p" -> {
                    i++;
                    if (i >= args.size() || !args.get(i).matches("[0-9]{1,5}(,[0-9]{1,5})*")) {
                        return Status.failed(USAGE, "sockstat: -p wants ports\n");
                    }
                    for (final String p : args.get(i).split(",")) {
                        ports.add(Integer.parseInt(p));
                    }
                }
                default -> {
                    return Status.failed(USAGE, "sockstat: option " + args.get(i) + " is not known\n");
                }
            }
        }
        final boolean both = !v4 && !v6;
        return Status.ok(table(new View(v4 || both, v6 || both, states, tcp, ports)));
    }

    private String table(final View v) {
        final StringBuilder out =
            new StringBuilder("USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS")
                .append(v.states ? "       CONN STATE\n" : "\n");
        if (!v.tcp) {
            return out.toString();
        }
        for (final Xtcpcb x : run.vnet().service(TcpPcblist.class).list()) {
            final boolean six = x.local().family() == SockAddr.AF_INET6
                && !In6.isV4Mapped(x.local().hi(), x.local().lo());
            final boolean port = v.ports.isEmpty() || v.ports.contains(x.local().port())
                || v.ports.contains(x.foreign().port());
            if (!port || !(six ? v.v6 : v.v4)) {
                continue;
            }
            final Conn owner = run.open().stream().filter(c -> c.so == x.so()).findFirst().orElse(null);
            out.append(owner == null ? "?        ?          ?     ?   "
                : "root     packetdril 1     " + owner.fd + "   ").append(six ? "tcp6   " : "tcp4   ")
                .append(endpoint(x.local())).append("  ").append(endpoint(x.foreign()))
                .append(v.states ? "  " + stateName(x) : "").append('\n');
        }
        return out.toString();
    }

    private static String endpoint(final SockAddr a) {
        final String host = a.isAny() ? "*" : a.toInetSocketAddress().getAddress().getHostAddress();
        return host + ":" + (a.port() == 0 ? "*" : a.port());
    }

    private static String stateName(final Xtcpcb x) {
        return switch (x.state()) {
            case SYN_RECEIVED -> "SYN_RCVD";
            default -> x.state().name();
        };
    }

    /** {@code -s STATE} drops all in a state, {@code -a} all. */
    Status tcpdrop(final List<String> args) {
        final boolean all = args.equals(List.of("-a"));
        if (!all && (args.size() != 2 || !args.get(0).equals("-s"))) {
            return Status.failed(1, "tcpdrop: only -a and -s STATE are known in process\n");
        }
        final TcpPcblist pcbs = run.vnet().service(TcpPcblist.class);
        for (final Xtcpcb x : pcbs.list()) {
            if (x.foreign().port() != 0 && (all || stateName(x).equals(args.get(1)))) {
                pcbs.drop(x.local(), x.foreign());
            }
        }
        return Status.ok("");
    }

    // ---- setkey(8), kldload(8) ------------------------------------------------------------

    /** Security associations for TCP-MD5. */
    Status setkey(final List<String> args, final String input) {
        return new Setkey(run.vnet().service(Sadb.class)).run(args, input);
    }

    /** All modules are there. */
    Status module(final String name, final List<String> args) {
        return Status.ok("");
    }
}
