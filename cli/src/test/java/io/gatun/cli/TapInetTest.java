package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The network layer of {@code gatun serve} beside Linux, in a namespace of each test's own. Skipped, with one line that
 * says so, where namespaces or /dev/net/tun are not to be had.
 */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class TapInetTest {
    @TempDir
    private Path dir;
    private Netns ns;

    @BeforeEach
    void makeNamespace() throws IOException {
        final String why = Netns.unavailable();
        if (why != null) {
            System.out.println("SKIPPED: TAP network layer: " + why + " (it runs as root)");
            Assumptions.abort(why);
        }
        ns = Netns.create("gti-" + ProcessHandle.current().pid());
    }

    @AfterEach
    void removeNamespace() throws IOException {
        if (ns != null) {
            ns.close();
        }
    }

    private static void needs(final String program) {
        if (!Netns.has(program)) {
            System.out.println("SKIPPED: a test of the TAP network layer: " + program + " is not installed");
            Assumptions.abort(program + " is not installed");
        }
    }

    private ServeProcess serve(final String... options) throws IOException {
        return ServeProcess.start(ns, dir.resolve("run"), "gtap0", options);
    }

    private String prints(final int seconds, final String line) throws IOException {
        final Netns.Result r = ns.sh(seconds, "set -o pipefail; " + line);
        assertThat(r.status()).as("%s%n%s", line, r.out()).isZero();
        return r.out().trim();
    }

    @Test
    void addressesOfBothFamilies_setHereAndByCommand_areAnswered() throws IOException {
        needs("ping");
        needs("socat");
        try (ServeProcess gatun = serve("--host-address", "10.77.0.1/24", "--address", "10.77.0.2/24", "--address",
            "fd77::2/64", "--gateway", "10.77.0.1", "--gateway", "fd77::1", "--echo", "7")) {
            prints(10, "ip -6 addr add fd77::1/64 dev gtap0 nodad");
            prints(20, "ping -q -n -c 2 -i 0.1 -W 5 10.77.0.2");
            prints(20, "ping -q -n -c 2 -i 0.1 -W 5 fd77::2");
            assertThat(prints(20, "echo six | socat -t 2 - TCP6:[fd77::2]:7")).isEqualTo("six");
            assertThat(prints(20, "echo sixth | socat -t 2 - UDP6:[fd77::2]:7")).isEqualTo("sixth");
            assertThat(prints(20, "echo four | socat -t 2 - TCP4:10.77.0.2:7")).isEqualTo("four");
            assertThat(gatun.gatun("netstat -rn")).contains("\ndefault            10.77.0.1          UGS        tap0\n")
                .containsPattern("\ndefault +fd77::1 +UGS +tap0\n");
            assertThat(gatun.gatun("arp -an")).contains("(10.77.0.1) at ");
            gatun.gatun("ifconfig tap0 10.78.0.2/24 alias");
            assertThat(gatun.gatun("ifconfig tap0")).contains("inet 10.78.0.2 netmask 0xffffff00");
            prints(10, "ip addr add 10.78.0.1/24 dev gtap0");
            prints(20, "ping -q -n -c 2 -i 0.1 -W 5 10.78.0.2");
            gatun.gatun("ifconfig tap0 10.78.0.2 delete");
            assertThat(ns.sh(10, "ping -q -n -c 1 -W 1 10.78.0.2").status()).isNotZero();
        }
    }
}
