package io.gatun.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A workload in a JVM of its own: what is asked and answered, and what becomes of one that fails. */
@Timeout(120)
class BenchJvmTest {
    private static final Stack.Span SHORT = new Stack.Span(1_000_000, 5_000_000);
    private static final Stack FAILS = new FailingStack();

    /** What the JVM would have printed, and whether it would go on. */
    private static String answer(final Workload w, final Stack stack, final String line, final boolean goesOn) {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(BenchChild.answer(w, stack, line, new PrintStream(out, true, StandardCharsets.UTF_8)))
            .isEqualTo(goesOn);
        return out.toString(StandardCharsets.UTF_8).stripTrailing();
    }

    private static BenchJvm shell(final String script) throws IOException {
        return BenchJvm.start("tcp-connect, kernel", List.of("/bin/sh", "-c", script));
    }

    @ParameterizedTest
    @EnumSource(Side.class)
    void answered_measurement_leavesNoThreadBehind(final Side side) {
        assertThat(answer(Workload.TCP_RTT_SPIN, side.stack(false), "1000000 5000000", true)).matches("= [0-9.E-]+");
        assertThat(Thread.getAllStackTraces().keySet().stream().map(Thread::getName).toList())
            .noneMatch(name -> name.startsWith("gatun") || name.startsWith("kernel") || name.contains("bench"));
    }

    @Test
    void answered_failure_isOneLineAndTheLast() {
        assertThat(answer(Workload.UDP_64, FAILS, "1 1", false)).isEqualTo("! no room here");
        assertThat(answer(Workload.TCP_CONNECT, FAILS, "1 1", false)).isEqualTo("! IllegalStateException");
    }

    @Test
    void jvm_askedTwice_answersTwiceAndEndsWhenClosed() throws IOException {
        final BenchJvm jvm = BenchJvm.start(Workload.FORWARD_1, Side.POLL, false);
        assertThat(jvm.measure(SHORT)).isPositive();
        assertThat(jvm.measure(SHORT)).isPositive();
        assertThat(jvm.process().isAlive()).isTrue();
        jvm.close();
        assertThat(jvm.process().isAlive()).isFalse();
        assertThat(jvm.process().exitValue()).as("ended by itself").isZero();
    }

    @Test
    void jvm_closedInTheMidstOfAMeasurement_ends() throws IOException {
        final BenchJvm jvm = BenchJvm.start(Workload.TCP_BULK_1448, Side.POLL, false);
        assertThat(jvm.measure(SHORT)).isPositive();
        jvm.ask("60000000000 60000000000\n");
        jvm.close();
        assertThat(jvm.process().exitValue()).as("ended by itself").isZero();
    }

    @Test
    void jvm_failing_saysWhichAndWhy() throws IOException {
        try (BenchJvm jvm = BenchJvm.start(Workload.FORWARD_1, Side.KERNEL, false)) {
            assertThatThrownBy(() -> jvm.measure(SHORT)).isInstanceOf(IOException.class)
                .hasMessage("forward-1, kernel: UnsupportedOperationException");
        }
    }

    @Test
    void jvm_dead_saysItsLastWords() throws IOException {
        try (BenchJvm jvm = shell("echo no such option; echo; exit 3")) {
            assertThatThrownBy(() -> jvm.measure(SHORT))
                .hasMessage("tcp-connect, kernel: its JVM ended with status 3: no such option");
        }
        try (BenchJvm jvm = shell("read x; exit 4")) {
            assertThatThrownBy(() -> jvm.measure(SHORT)).hasMessage("tcp-connect, kernel: its JVM ended with status 4");
        }
    }

    @Test
    void jvm_chatter_isPassedOver() throws IOException {
        try (BenchJvm jvm = shell("echo WARNING: a new option; read x; echo = 17.5; read x")) {
            assertThat(jvm.measure(SHORT)).isEqualTo(17.5);
        }
    }

    @Test
    void jvm_deafToItsEnd_isKilled() throws IOException {
        final BenchJvm jvm = shell("exec tail -f /dev/null");
        jvm.kill();
        assertThat(jvm.process().isAlive()).isFalse();
    }

    @Test
    void command_hasTheFlagsOfThisJvm() {
        final List<String> c = BenchJvm.command(BenchChild.class, "udp-64", "poll");
        assertThat(c).endsWith("io.gatun.cli.bench.BenchChild", "udp-64", "poll").contains("-ea")
            .noneMatch(word -> word.contains("jdk.module.main"));
    }

    @Test
    void command_ofOneThread_hasOneCollector() {
        final List<String> poll = BenchJvm.command(Side.POLL.flags(), BenchChild.class, "udp-64", "poll");
        assertThat(poll.stream().filter(BenchJvm::isCollector)).hasSize(1);
    }

    /** Fails in two ways. */
    private static final class FailingStack implements Stack {
        @Override
        public double bulk(final int writeOctets, final Span span) {
            return 0;
        }

        @Override
        public double roundTripNs(final boolean spin, final Span span) {
            return 0;
        }

        @Override
        public double udp64(final int burst, final Span span) throws IOException {
            throw new IOException("no room\n  here");
        }

        @Override
        public double connections(final Span span) {
            throw new IllegalStateException();
        }
    }
}
