package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * TCP beside Linux over a TAP device, over both families and both ways: the kernel connects to the stack and the stack
 * to the kernel, with the kernel's SACK, timestamps and ECN on. Skipped, with one line that says so, where namespaces
 * or /dev/net/tun are not to be had.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 400, unit = TimeUnit.SECONDS)
class TapTcpTest {
    private static final String GATUN = "10.78.0.2";
    private static final String GATUN6 = "2001:db8:78::2";
    private static final String HOST6 = "2001:db8:79::1";
    private static final long GIB = 1L << 30;

    @TempDir
    private static Path dir;
    private Netns ns;
    private ServeProcess server;
    private String gibSha256;

    @BeforeAll
    void startServer() throws Exception {
        final String why = Netns.unavailable();
        if (why != null) {
            System.out.println("SKIPPED: TCP over a TAP: " + why + " (it runs as root)");
            Assumptions.abort(why);
        }
        ns = Netns.create("gtt-" + ProcessHandle.current().pid());
        ns.sh(10, "sysctl -q net.ipv4.tcp_sack=1 net.ipv4.tcp_timestamps=1 net.ipv4.tcp_ecn=1 net.ipv4.tcp_fastopen=1");
        gibSha256 = TapPeersTest.writeRandomFile(dir.resolve("gib"), GIB);
        server = ServeProcess.start(ns, dir.resolve("run"), "gtap2", "--host-address", "10.78.0.1/24", "--address",
            GATUN + "/24", "--address", GATUN6 + "/64", "--echo", "7", "--discard", "9", "--chargen", "19",
            "--file", dir.resolve("gib") + ":8080", "--command", "sysctl net.inet.tcp.fastopen.server_enable=1");
        prints(10, "ip -6 addr add 2001:db8:78::1/64 dev gtap2 nodad");
        prints(30, "for i in $(seq 100); do ping -6 -c 1 -W 1 -n " + GATUN6 + " >/dev/null && exit 0; done; exit 1");
    }

    /** A clean end: nothing outstanding. */
    @AfterAll
    void stopServer() throws Exception {
        if (ns == null) {
            return;
        }
        try (Netns closing = ns) {
            assertThat(closing).isNotNull();
            if (server != null) {
                server.close();
            }
        }
    }

    private String prints(final int seconds, final String line) throws IOException {
        final Netns.Result r = ns.sh(seconds, "set -o pipefail; " + line);
        assertThat(r.status()).as("%s%n%s", line, r.out()).isZero();
        return r.out().trim();
    }

    private static void needs(final String program) {
        if (!Netns.has(program)) {
            System.out.println("SKIPPED: a test of TCP over a TAP: " + program + " is not installed");
            Assumptions.abort(program + " is not installed");
        }
    }

    @Test
    void nc_bothFamilies_echoed() throws IOException {
        needs("nc");
        for (final String to : new String[] {GATUN, GATUN6}) {
            assertThat(prints(20, "echo hello | nc -q 2 -w 5 " + to + " 7")).isEqualTo("hello");
        }
    }

    /** Both ends' SYNs: the kernel asks for marks, and the stack agrees; and to timestamps and SACK. */
    @Test
    void tcpdump_handshakes_agreeOnSackTimestampsAndEcn() throws IOException {
        needs("tcpdump");
        needs("nc");
        for (final String to : new String[] {GATUN, GATUN6}) {
            final String said = prints(30, "timeout 20 tcpdump -n -l -c 2 -i gtap2 'host " + to + " and tcp port 7' "
                + "& sleep 2; echo x | nc -q 1 -w 5 " + to + " 7; wait");
            assertThat(said).containsPattern("Flags \\[SEW\\].*sackOK,TS val.*wscale")
                .containsPattern("Flags \\[S.E\\].*wscale.*sackOK,TS val");
        }
    }

    /** The kernel asks for a cookie, gets one, and its next SYN has text that the stack takes. */
    @Test
    void python_fastOpen_secondSynHasText_bothFamilies() throws IOException {
        for (final String to : new String[] {GATUN, GATUN6}) {
            final Path script = Path.of("src", "test", "resources", "io", "gatun", "cli", "fast_open.py");
            assertThat(prints(30, "python3 " + script.toAbsolutePath() + " " + to + " 7")).isEqualTo(
                "the first asks for a cookie\nthe second has one\ntaken 1");
        }
    }

    @Test
    void curl6_downloadsOneGib_sameSha256() throws IOException {
        needs("curl");
        assertThat(prints(240, "curl -6 -s --http0.9 'http://[" + GATUN6 + "]:8080/' | sha256sum"))
            .startsWith(gibSha256);
    }

    @Test
    void socat6_echoes256Mib_sameSha256() throws IOException {
        needs("socat");
        final String head = "head -c 268435456 " + dir.resolve("gib");
        final String sha = prints(60, head + " | sha256sum");
        assertThat(prints(240, head + " | socat -t 60 -b 262144 - TCP6:[" + GATUN6 + "]:7 | sha256sum")).isEqualTo(sha);
    }

    private Process client(final String tap, final String way, final int port, final long octets) throws IOException {
        return ns.start(ServeProcess.java("io.gatun.cli.TapClient", tap, "10.79.0.1/24", "2001:db8:79::2/64", way,
            HOST6, Integer.toString(port), Long.toString(octets)));
    }

    /** Gives the kernel its address once the client has made the device. */
    private void address(final String tap) throws IOException {
        prints(60, "for i in $(seq 300); do ip link show " + tap + " >/dev/null 2>&1 && ip -6 addr add " + HOST6
            + "/64 dev " + tap + " nodad && exit 0; sleep 0.1; done; exit 1");
    }

    @Test
    void stackConnects_toTheKernel_sendsOneGib_sameSha256() throws IOException {
        needs("socat");
        final Process sink = ns.start("bash", "-c",
            "socat -u -b 262144 TCP6-LISTEN:5001,reuseaddr - | sha256sum");
        final Process client = client("gtap3", "put", 5001, GIB);
        address("gtap3");
        final Netns.Result sent = Netns.finish(client, 240);
        assertThat(sent.out()).contains(gibSha256).contains("mbufs outstanding 0");
        assertThat(Netns.finish(sink, 30).out()).startsWith(gibSha256);
    }

    @Test
    void stackConnects_toTheKernel_takesOneGib_sameSha256() throws IOException {
        needs("socat");
        final Process source = ns.start("bash", "-c",
            "socat -u -b 262144 FILE:" + dir.resolve("gib") + " TCP6-LISTEN:5002,reuseaddr");
        final Process client = client("gtap4", "get", 5002, 0);
        address("gtap4");
        final Netns.Result got = Netns.finish(client, 240);
        assertThat(got.out()).contains(gibSha256).contains("mbufs outstanding 0");
        assertThat(Netns.finish(source, 30).status()).isZero();
    }
}
