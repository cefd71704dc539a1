package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code gatun serve} on a TAP device, and nmap does its worst. Skipped, with one line that says so, where namespaces,
 * /dev/net/tun or a program are not to be had.
 */
@Timeout(value = 400, unit = TimeUnit.SECONDS)
class TapNmapTest {
    private static final String GATUN = "10.78.0.2";
    private static final String GATUN6 = "2001:db8:78::2";
    private static final String NMAP = "nmap -n -Pn -T4 -sS -sU -sV --version-intensity 2 -O --max-retries 1 "
        + "--host-timeout 160s -p T:7,9,19,21-25,80,8080,U:7,53,67 ";

    @TempDir
    private Path dir;
    private Netns ns;

    @BeforeEach
    void makeNamespace() throws IOException {
        final String why = Netns.unavailable();
        if (why != null) {
            skip(why + " (it runs as root)");
        }
        for (final String program : new String[] {"nmap", "nc", "ping"}) {
            if (!Netns.has(program)) {
                skip(program + " is not installed");
            }
        }
        ns = Netns.create("gts-" + ProcessHandle.current().pid());
        ns.sh(10, "sysctl -q net.ipv4.tcp_sack=1 net.ipv4.tcp_timestamps=1 net.ipv4.tcp_ecn=1 net.ipv4.tcp_fastopen=1");
    }

    private static void skip(final String why) {
        System.out.println("SKIPPED: nmap over a TAP: " + why);
        Assumptions.abort(why);
    }

    @AfterEach
    void removeNamespace() throws IOException {
        if (ns != null) {
            ns.close();
        }
    }

    private String prints(final int seconds, final String line) throws IOException {
        final Netns.Result r = ns.sh(seconds, "set -o pipefail; " + line);
        assertThat(r.status()).as("%s%n%s", line, r.out()).isZero();
        return r.out().trim();
    }

    /** SYN and UDP scan, services and system by their fingerprints, both families at once: it ends, and all goes on. */
    @Test
    void everyScan_endsAndHarmsNothing() throws IOException {
        final Path file = Files.writeString(dir.resolve("file"), "a file of one line\n");
        try (ServeProcess gatun = ServeProcess.start(ns, dir.resolve("run"), "gtap2", "--host-address", "10.78.0.1/24",
            "--address", GATUN + "/24", "--address", GATUN6 + "/64", "--echo", "7", "--discard", "9", "--chargen", "19",
            "--file", file + ":8080", "--command", "sysctl net.inet.tcp.fastopen.server_enable=1")) {
            prints(10, "ip -6 addr add 2001:db8:78::1/64 dev gtap2 nodad");
            prints(30, "for i in $(seq 100); do ping -6 -c 1 -W 1 -n " + GATUN6
                + " >/dev/null && exit 0; done; exit 1");
            final Process four = ns.start("bash", "-c", NMAP + GATUN);
            final Process six = ns.start("bash", "-c", NMAP + "-6 " + GATUN6);
            for (final Process scan : new Process[] {four, six}) {
                final Netns.Result r = Netns.finish(scan, 170);
                assertThat(r.status()).as(r.out()).isZero();
                assertThat(r.out()).contains("Nmap done: 1 IP address (1 host up)").contains("7/tcp");
            }
            assertThat(prints(20, "echo still here | nc -q 2 -w 5 " + GATUN + " 7")).isEqualTo("still here");
            assertThat(prints(20, "echo here too | nc -q 2 -w 5 " + GATUN6 + " 7")).isEqualTo("here too");
            assertThat(gatun.gatun("netstat -an")).contains("LISTEN");
        }
    }
}
