package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code gatun serve} on a TAP device, in a network namespace of its own, driven by programs that were not written
 * here. Skipped, with one line that says so, where namespaces or /dev/net/tun are not to be had.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class TapPeersTest {
    private static final String GATUN = "10.77.0.2";
    private static final String HOST_CIDR = "10.77.0.1/24";
    private static final String CIDR = GATUN + "/24";
    private static final long GIB = 1L << 30;
    private static final int BLOCK = 1 << 20;

    @TempDir
    private static Path dir;
    private Netns ns;
    private ServeProcess server;
    private Process stalled;
    private String gibSha256;

    @BeforeAll
    void startServer() throws Exception {
        final String why = Netns.unavailable();
        if (why != null) {
            System.out.println("SKIPPED: TAP peers: " + why + " (they run as root)");
            Assumptions.abort(why);
        }
        ns = Netns.create("gt-" + ProcessHandle.current().pid());
        gibSha256 = writeRandomFile(dir.resolve("gib"), GIB);
        server = ServeProcess.start(ns, dir.resolve("run"), "gtap0", "--host-address", HOST_CIDR, "--address", CIDR,
            "--echo", "7", "--discard", "9", "--chargen", "19", "--file", dir.resolve("gib") + ":8080");
        // A reader that does not read for a minute: begun now, judged in its test.
        stalled = ns.start("python3", script("zero_window.py"), GATUN, "19", "60");
    }

    /** Ctrl-C: a clean end, nothing outstanding, no interface left. */
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

    private static String script(final String name) {
        return Path.of("src", "test", "resources", "io", "gatun", "cli", name).toAbsolutePath().toString();
    }

    /** A file of random octets, always the same; answers their SHA-256. */
    static String writeRandomFile(final Path file, final long octets)
            throws IOException, NoSuchAlgorithmException {
        final MessageDigest sha = MessageDigest.getInstance("SHA-256");
        final SplittableRandom random = new SplittableRandom(1);
        final byte[] block = new byte[BLOCK];
        try (OutputStream out = Files.newOutputStream(file)) {
            for (long done = 0; done < octets; done += BLOCK) {
                random.nextBytes(block);
                sha.update(block);
                out.write(block);
            }
        }
        return HexFormat.of().formatHex(sha.digest());
    }

    private void succeeds(final int seconds, final String line) throws IOException {
        final Netns.Result r = ns.sh(seconds, "set -o pipefail; " + line);
        assertThat(r.status()).as("%s%n%s", line, r.out()).isZero();
    }

    private String prints(final int seconds, final String line) throws IOException {
        final Netns.Result r = ns.sh(seconds, "set -o pipefail; " + line);
        assertThat(r.status()).as("%s%n%s", line, r.out()).isZero();
        return r.out().trim();
    }

    private void needs(final String program) {
        if (!Netns.has(program)) {
            System.out.println("SKIPPED: a test of TAP peers: " + program + " is not installed");
            Assumptions.abort(program + " is not installed");
        }
    }

    @Test
    void ping_allSizes_answered() throws IOException {
        needs("ping");
        final int[] sizes = {0, 1, 56, 1471, 1472, 1473, 2959, 2960, 2961, 8000, 16_000, 32_767, 60_000, 65_507};
        for (final int size : sizes) {
            succeeds(20, "ping -q -n -c 3 -i 0.01 -W 5 -s " + size + " " + GATUN);
        }
    }

    @Test
    void ping_flood_noneLost() throws IOException {
        needs("ping");
        assertThat(prints(30, "ping -q -n -f -c 2000 " + GATUN)).contains(" 0% packet loss");
    }

    @Test
    void nc_echo_answered() throws IOException {
        needs("nc");
        assertThat(prints(20, "echo hello | nc -q 2 -w 5 " + GATUN + " 7")).isEqualTo("hello");
    }

    @Test
    void socat_datagram_echoed() throws IOException {
        needs("socat");
        assertThat(prints(20, "echo datagram | socat -t 2 - UDP:" + GATUN + ":7")).isEqualTo("datagram");
    }

    @Test
    void curl_telnet_echoes() throws IOException {
        needs("curl");
        assertThat(prints(20, "(echo over telnet; sleep 1) | curl -s -m 3 telnet://" + GATUN + ":7; true"))
            .isEqualTo("over telnet");
    }

    @Test
    void socat_echoOneGib_sameSha256() throws IOException {
        needs("socat");
        assertThat(prints(240, "socat -t 60 -b 262144 - TCP:" + GATUN + ":7 < " + dir.resolve("gib") + " | sha256sum"))
            .startsWith(gibSha256);
    }

    @Test
    void socat_downloadOneGib_sameSha256() throws IOException {
        needs("socat");
        assertThat(prints(120, "socat -u -b 262144 TCP:" + GATUN + ":8080 - | sha256sum")).startsWith(gibSha256);
    }

    @Test
    void python_200Connections_allEchoed() throws IOException {
        succeeds(60, "python3 " + script("parallel.py") + " " + GATUN + " 7 200");
    }

    @Test
    void python_halfCloseResetAndKill_serverGoesOn() throws IOException {
        succeeds(60, "python3 " + script("rough.py") + " " + GATUN);
        assertThat(prints(20, "echo still here | nc -q 2 -w 5 " + GATUN + " 7")).isEqualTo("still here");
    }

    @Test
    void python_zeroWindowForAMinute_streamGoesOn() {
        final Netns.Result r = Netns.finish(stalled, 120);
        assertThat(r.status()).as(r.out()).isZero();
    }

    @Test
    void closedPort_refusedAtOnce() throws IOException {
        final Netns.Result r = ns.exec(10, "python3", "-c",
            "import socket; socket.create_connection(('" + GATUN + "', 4444), 5)");
        assertThat(r.out()).contains("Connection refused");
    }
}
