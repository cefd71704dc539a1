package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A vlan over a TAP device. Its neighbour is a program on a packet socket of Linux that makes tagged frames itself,
 * since not every kernel has 802.1Q. Skipped, with one line that says so, where namespaces or /dev/net/tun are not to
 * be had.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class TapVlanTest {
    private Netns ns;

    @BeforeEach
    void start() throws IOException {
        final String why = Netns.unavailable();
        if (why != null) {
            System.out.println("SKIPPED: vlan over a TAP: " + why + " (it runs as root)");
            Assumptions.abort(why);
        }
        ns = Netns.create("gtv-" + ProcessHandle.current().pid());
    }

    @AfterEach
    void stop() throws IOException {
        if (ns != null) {
            ns.close();
        }
    }

    /** Neighbours are found, echoes and datagrams up to the MTU answered, on the vlan and on no other. */
    @Test
    void taggedFrames_bothFamilies_answeredTagged_othersAreNot() throws IOException {
        final Process stack = ns.start(ServeProcess.java("io.gatun.cli.TapVlan", "gtap5", "10.77.0.1/24", "5",
            "10.5.0.2/24", "2001:db8:5::2/64"));
        try (BufferedReader out = new BufferedReader(
            new InputStreamReader(stack.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(out.readLine()).isEqualTo("ready");
            final Path script = Path.of("src", "test", "resources", "io", "gatun", "cli", "vlan_peer.py");
            final Netns.Result r = ns.exec(60, "python3", script.toAbsolutePath().toString(), "gtap5", "5", "10.5.0.1",
                "10.5.0.2", "2001:db8:5::1", "2001:db8:5::2");
            assertThat(r.out()).contains("all answered on vlan 5");
            assertThat(r.status()).isZero();
        }
    }
}
