package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Neighbour discovery of {@code gatun serve} beside Linux, in a namespace of each test's own. Skipped, with one line
 * that says so, where namespaces, /dev/net/tun or a program are not to be had.
 */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class TapNd6Test {
    private static final int TRIES = 40;

    @TempDir
    private Path dir;
    private Netns ns;

    @BeforeEach
    void makeNamespace() throws IOException {
        final String why = Netns.unavailable();
        if (why != null) {
            skip(why + " (they run as root)");
        }
        ns = Netns.create("gtn-" + ProcessHandle.current().pid());
    }

    @AfterEach
    void removeNamespace() throws IOException {
        if (ns != null) {
            ns.close();
        }
    }

    private static void skip(final String why) {
        System.out.println("SKIPPED: TAP neighbour discovery: " + why);
        Assumptions.abort(why);
    }

    private static void needs(final String... programs) {
        for (final String p : programs) {
            if (!Netns.has(p) && !Files.isExecutable(Path.of("/usr/sbin", p))) {
                skip(p + " is not installed");
            }
        }
    }

    private ServeProcess serve(final String... options) throws IOException {
        final String[] all = java.util.Arrays.copyOf(options, options.length + 4);
        all[options.length] = "--host-address";
        all[options.length + 1] = "10.79.0.1/24";
        all[options.length + 2] = "--echo";
        all[options.length + 3] = "7";
        return ServeProcess.start(ns, dir.resolve("run"), "gtap0", all);
    }

    private String prints(final int seconds, final String line) throws IOException {
        final Netns.Result r = ns.sh(seconds, "set -o pipefail; " + line);
        assertThat(r.status()).as("%s%n%s", line, r.out()).isZero();
        return r.out().trim();
    }

    /** Asks until the answer has a pattern in it; what its first group is. */
    private static String until(final ServeProcess gatun, final String command, final String pattern)
            throws IOException {
        String shown = "";
        for (int i = 0; i < TRIES; i++) {
            shown = gatun.gatun(command);
            final Matcher m = Pattern.compile(pattern).matcher(shown);
            if (m.find()) {
                return m.group(1);
            }
        }
        throw new AssertionError(command + " never showed " + pattern + " but\n" + shown);
    }

    @Test
    void radvd_configuresAHost_whichAnswers() throws IOException {
        needs("radvd", "ping", "socat");
        try (ServeProcess gatun = serve("--command", "ifconfig tap0 inet6 accept_rtadv")) {
            prints(10, "ip -6 addr add fd78::1/64 dev gtap0 nodad && sysctl -q -w net.ipv6.conf.all.forwarding=1");
            final Path conf = dir.resolve("radvd.conf");
            Files.writeString(conf, """
                interface gtap0 {
                    AdvSendAdvert on;
                    MinRtrAdvInterval 3;
                    MaxRtrAdvInterval 4;
                    AdvDefaultPreference high;
                    AdvLinkMTU 1400;
                    prefix fd78::/64 { AdvValidLifetime 7200; AdvPreferredLifetime 3600; };
                    route fd99::/48 { AdvRouteLifetime 600; };
                    RDNSS fd78::53 { };
                    DNSSL example.org { };
                };
                """);
            ns.start("radvd", "-n", "-m", "stderr", "-C", conf.toString(), "-p", dir.resolve("radvd.pid").toString());
            assertThat(gatun.await("names on")).contains("servers [fd78::53]");
            final String own = until(gatun, "ifconfig tap0 inet6",
                "inet6 (fd78::[0-9a-f:]+) prefixlen 64 autoconf pltime");
            prints(20, "ping -q -n -c 3 -i 0.2 -W 5 " + own);
            assertThat(prints(20, "echo configured | socat -t 2 - TCP6:[" + own + "]:7")).isEqualTo("configured");
            assertThat(gatun.gatun("ndp -r"))
                .containsPattern("fe80::[0-9a-f:]+%tap0 if=tap0, flags=I, pref=high, expire=")
                .contains("to=fd99::/48");
            assertThat(gatun.gatun("ndp -p")).contains("fd78::/64 if=tap0");
            assertThat(gatun.gatun("ndp -i tap0")).contains("linkmtu=1400").contains("accept_rtadv");
            assertThat(gatun.gatun("netstat -rn")).containsPattern("\ndefault +fe80::[0-9a-f:]+%tap0 +UG");
            // From beyond the router: the answer goes by the default route.
            prints(10, "ip -6 addr add fd88::1/64 dev lo");
            prints(20, "ping -q -n -c 2 -i 0.2 -W 5 -I fd88::1 " + own);
        }
    }

    @Test
    void oneAddressTwice_bothNotice_whoeverComesFirst() throws IOException {
        needs("ping");
        try (ServeProcess gatun = serve()) {
            prints(10, "ip -6 addr add fd79::5/64 dev gtap0 nodad");
            gatun.gatun("ifconfig tap0 inet6 fd79::5/64");
            assertThat(gatun.await("fd79::5 on tap0 is also used by")).isNotEmpty();
            until(gatun, "ifconfig tap0 inet6", "(fd79::5) prefixlen 64 duplicated");
            gatun.gatun("ifconfig tap0 inet6 fd79::6/64");
            until(gatun, "ifconfig tap0 inet6", "(fd79::6) prefixlen 64\n");
            prints(10, "ip -6 addr add fd79::6/64 dev gtap0");
            assertThat(gatun.await("fd79::6 on tap0 is wanted by another")).isNotEmpty();
            prints(20, "until ip -6 addr show dev gtap0 dadfailed | grep -q fd79::6; do read -r -t 0.2 < <(:) || :; "
                + "done");
            prints(20, "ip -6 addr del fd79::6/64 dev gtap0 && ip -6 addr add fd79::1/64 dev gtap0 nodad"
                + " && ping -q -n -c 2 -i 0.2 -W 5 -I fd79::1 fd79::6");
        }
    }

    @Test
    void tenThousandFakeNeighbours_theRealOneIsAnswered() throws IOException {
        needs("ping", "python3");
        try (ServeProcess gatun = serve("--address", "fd79::2/64")) {
            prints(10, "ip -6 addr add fd79::1/64 dev gtap0 nodad");
            prints(20, "ping -q -n -c 3 -i 0.2 -W 5 fd79::2");
            final String mac = until(gatun, "ifconfig tap0", "ether ([0-9a-f:]+)");
            final String script = Path.of("src", "test", "resources", "io", "gatun", "cli", "fake_neighbours.py")
                .toAbsolutePath().toString();
            prints(60, "python3 " + script + " gtap0 " + mac + " fd79::2 fd79:: 10000");
            prints(20, "ping -q -n -c 5 -i 0.2 -W 5 fd79::2");
            final long known = gatun.gatun("ndp -an").lines().filter(l -> l.contains(" 02:66:")).count();
            assertThat(known).isBetween(1L, 8192L);
        }
    }

    private void everything(final String to) throws IOException {
        for (final int size : new int[] {0, 56, 1448, 1452, 1453, 8000, 65_507}) {
            prints(30, "ping -q -n -c 3 -i 0.05 -W 5 -s " + size + " " + to);
        }
        assertThat(prints(20, "head -c 1000000 /dev/zero | socat -t 5 - TCP6:[" + to + "]:7 | wc -c"))
            .isEqualTo("1000000");
    }

    @Test
    void tap_allSizes_bothWays() throws IOException {
        needs("ping", "socat");
        try (ServeProcess gatun = serve("--address", "fd79::2/64")) {
            prints(10, "ip -6 addr add fd79::1/64 dev gtap0 nodad");
            everything("fd79::2");
            final String own = until(gatun, "ifconfig tap0 inet6", "inet6 (fe80::[0-9a-f:]+)%tap0 prefixlen 64 s");
            prints(20, "ping -q -n -c 2 -i 0.2 -W 5 " + own + "%gtap0");
        }
    }

    @Test
    void vlanOnTap_allSizes_bothWays() throws IOException {
        needs("ping", "socat");
        try (ServeProcess gatun = serve()) {
            if (ns.sh(10, "ip link add link gtap0 name gtap0.5 type vlan id 5").status() != 0) {
                skip("this kernel has no vlan");
            }
            gatun.gatun("ifconfig vlan5 create parent tap0 vid 5");
            gatun.gatun("ifconfig vlan5 inet6 fd80::2/64");
            prints(10, "ip link set gtap0.5 up && ip -6 addr add fd80::1/64 dev gtap0.5 nodad");
            until(gatun, "ifconfig vlan5 inet6", "(fd80::2) prefixlen 64\n");
            everything("fd80::2");
        }
    }
}
