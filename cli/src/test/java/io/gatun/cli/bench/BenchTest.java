package io.gatun.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.cli.WholeMachine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import picocli.CommandLine;

/** {@code gatun bench} as a whole, with spans too short to mean anything. */
@ExtendWith(WholeMachine.class)
@Timeout(180)
class BenchTest {
    private static final Path CC = Path.of("/proc/sys/net/ipv4/tcp_congestion_control");
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]+[.][0-9]+");
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\": (\"[^\"]*\"|null|" + NUMBER + ")");

    private static String bench(final String... args) {
        final StringWriter out = new StringWriter();
        final StringWriter err = new StringWriter();
        final CommandLine cl = new CommandLine(new Bench());
        cl.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        assertThat(cl.execute(args)).as(err.toString()).isZero();
        return out.toString();
    }

    private static String congestionControl() throws IOException {
        return Files.isReadable(CC) ? Files.readString(CC) : "";
    }

    /** A field of the object of a workload; numbers as they stand there. */
    private static String field(final String json, final String workload, final String name) {
        final Matcher m =
            FIELD.matcher(json.lines().filter(l -> l.contains('"' + workload + '"')).findFirst().orElseThrow());
        while (m.find()) {
            if (m.group(1).equals(name)) {
                return m.group(2);
            }
        }
        throw new AssertionError("no " + name + " of " + workload + " in " + json);
    }

    @Test
    void json_eachSide_isThereWhereItHasAPart() throws IOException {
        final String before = congestionControl();
        final String json = bench("--json", "--rounds", "2", "--seconds", "0.05", "--only",
            "tcp-rtt-spin,tcp-rtt-block,forward-1");
        assertThat(json.strip()).startsWith("[").endsWith("]");
        for (final String side : List.of("gatun", "poll", "kernel", "gatun_min", "poll_max", "ratio")) {
            assertThat(field(json, "tcp-rtt-spin", side)).as(side).matches(NUMBER);
        }
        assertThat(field(json, "tcp-rtt-spin", "unit")).isEqualTo("\"us\"");
        assertThat(field(json, "tcp-rtt-block", "gatun")).matches(NUMBER);
        assertThat(field(json, "tcp-rtt-block", "poll")).isEqualTo("null");
        assertThat(field(json, "forward-1", "poll")).matches(NUMBER);
        assertThat(field(json, "forward-1", "kernel")).isEqualTo("null");
        assertThat(field(json, "forward-1", "ratio")).isEqualTo("null");
        assertThat(congestionControl()).isEqualTo(before);
    }

    @Test
    void side_chosen_aloneIsMeasured() {
        final String table = bench("--rounds", "1", "--seconds", "0.05", "--only", "udp-64", "--side", "poll");
        assertThat(table.lines().filter(l -> l.startsWith("udp-64")).findFirst().orElseThrow())
            .matches("udp-64 +Mpps +- +[0-9.]+ \\[.*\\] +- +- +-");
    }

    @Test
    void interrupted_inTheMidstOfARun_leavesNoChildAndTheCongestionControlAsItWas() throws Exception {
        final String before = congestionControl();
        final List<String> command = BenchJvm.command(io.gatun.cli.Gatun.class, "bench", "--rounds", "100", "--seconds",
            "0.2", "--only", "tcp-rtt-spin");
        command.addAll(0, List.of("env", "--default-signal=INT"));
        final Process parent = new ProcessBuilder(command).start();
        try (BufferedReader err = parent.errorReader(StandardCharsets.UTF_8)) {
            final StringBuilder said = new StringBuilder();
            int c = err.read();
            while (c >= 0 && said.indexOf("round 2 of") < 0) {
                said.append((char) c);
                c = err.read();
            }
            final List<ProcessHandle> children = parent.descendants().toList();
            assertThat(children).as(said.toString()).hasSize(3);
            assertThat(new ProcessBuilder("kill", "-INT", Long.toString(parent.pid())).start().waitFor()).isZero();
            assertThat(parent.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(children).noneMatch(ProcessHandle::isAlive);
            assertThat(err.lines().toList()).noneMatch(l -> l.contains("gatun:") || l.contains("Exception"));
        } finally {
            parent.destroyForcibly();
        }
        assertThat(congestionControl()).isEqualTo(before);
    }
}
