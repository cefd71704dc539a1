package io.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

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
}
