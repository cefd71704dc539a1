package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class GatunTest {
    private static String errorOf(int status, String... args) {
        PrintStream before = System.err;
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        try {
            assertThat(Gatun.execute(args)).isEqualTo(status);
        } finally {
            System.setErr(before);
        }
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void wrongCommand_isOneLineAndStatus2() {
        assertThat(errorOf(2, "nonsense").lines()).hasSize(1).allMatch(line -> line.startsWith("gatun: "));
    }

    @Test
    void noCommand_saysWhereHelpIs() {
        assertThat(errorOf(2).lines()).hasSize(1).allMatch(line -> line.contains("gatun --help"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "nonsense", "--nonsense", "demo --nonsense", "demo --file", "demo --file /nonexistent", "demo --file /",
        "demo --seed x", "demo extra", "serve", "serve --tap gtx extra", "serve --tap gtx --mtu x",
        "serve --tap gtx --address 1.2.3", "serve --tap gtx --address 1.2.3.4/99",
        "serve --tap gtx --address fd00::/200", "serve --tap gtx --gateway 10.0.0.1/24",
        "serve --tap gtx --gateway nowhere", "serve --tap gtx --echo 0",
        "serve --tap gtx --echo 65536", "serve --tap gtx --chargen -1", "serve --tap gtx --file /nonexistent:80",
        "serve --tap gtx --file /etc:80", "serve --tap gtx --file /etc/hosts",
        "packetdrill", "packetdrill /nonexistent",
        "packetdrill /dev/null --report /nonexistent/report.html", "packetdrill /dev/null --report /",
        "bench --rounds 0", "bench --rounds 101", "bench --rounds 99999999999", "bench --seconds NaN",
        "bench --seconds -1", "bench --only nonsense", "bench --side nonsense"})
    void wrongWords_areOneLineAndStatus2(String line) {
        assertThat(errorOf(2, line.split(" ")).lines()).hasSize(1).allMatch(l -> l.startsWith("gatun: "));
    }

    @Test
    void wrongWords_areNamed() {
        assertThat(errorOf(2, "nonsense")).contains("there is no command 'nonsense'");
        assertThat(errorOf(2, "demo", "extra")).contains("'extra' is one word too many").contains("gatun demo --help");
        assertThat(errorOf(2, "serve", "--tap", "gtx", "--gateway", "10.0.0.1/24")).contains("10.0.0.1/24");
    }
}
