package io.gatun.conformance.packetdrill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.gatun.protosw.Vnet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * FreeBSD's TCP test suite, one test a script. The folder is {@code -Dgatun.tcp-testsuite}, else {@code
 * ../../shared/tcp-testsuite}; without it there is one test that says so.
 *
 * <p>Two lists beside the sources can only shrink. {@code packetdrill/absent-sysctls.txt}: sysctls that the stack does
 * not have, so that setting one is passed over; one that the stack has fails a test. {@code
 * packetdrill/expected-failures.txt}: scripts that fail, each with why; one that passes fails its test until its line
 * is deleted. {@code -Dgatun.update} deletes them.
 */
class TcpTestsuiteTest {
    private static final Path RESOURCES = Path.of("src", "test", "resources", "packetdrill");
    private static final Path EXPECTED = RESOURCES.resolve("expected-failures.txt");
    private static final Path ABSENT = RESOURCES.resolve("absent-sysctls.txt");

    private static Path folder() {
        final String given = System.getProperty("gatun.tcp-testsuite");
        if (given != null) {
            return Path.of(given);
        }
        for (final String p : new String[] {"../../shared/tcp-testsuite", "../../../shared/tcp-testsuite"}) {
            if (Files.isDirectory(Path.of(p))) {
                return Path.of(p);
            }
        }
        return null;
    }

    /** First words and the rest of the lines of a list. */
    private static Map<String, String> list(final Path file) throws IOException {
        final Map<String, String> out = new LinkedHashMap<>();
        for (final String line : Files.readAllLines(file)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                final String[] parts = line.split("\\s+", 2);
                assertThat(parts).as("a reason in: %s", line).hasSize(2);
                out.put(parts[0], parts[1]);
            }
        }
        return out;
    }

    @Test
    void absentSysctls_areAbsent() throws IOException {
        try (Vnet vnet = Vnet.builder().name("absent").threads(false).build()) {
            for (final String name : list(ABSENT).keySet()) {
                assertThat(vnet.sysctl().find(name)).as("%s is there: delete its line in %s", name, ABSENT).isNull();
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> script_runsToItsEnd() throws IOException {
        final Path folder = folder();
        if (folder == null || !Files.isDirectory(folder)) {
            return Stream.of(dynamicTest("the suite is not there",
                () -> assumeTrue(false, "no -Dgatun.tcp-testsuite, no ../shared/tcp-testsuite")));
        }
        final Set<String> absent = list(ABSENT).keySet();
        final List<Path> scripts = Suite.scripts(List.of(folder));
        final Packetdrill drill = new Packetdrill(absent);
        if (System.getProperty("gatun.update") != null) {
            update(folder, scripts, drill);
        }
        final Map<String, String> expected = list(EXPECTED);
        final List<DynamicTest> tests = new ArrayList<>();
        for (final Path script : scripts) {
            final String name = folder.relativize(script).toString();
            tests.add(dynamicTest(name, () -> judge(drill.run(script), expected.get(name))));
        }
        return tests.stream();
    }

    private static void judge(final Result r, final String expected) {
        if (expected == null && r.outcome() != Result.Outcome.PASSED) {
            fail(r.message());
        }
        if (expected != null && r.outcome() == Result.Outcome.PASSED) {
            fail("it passes: delete its line in " + EXPECTED + " (or run with -Dgatun.update)");
        }
    }

    /** Deletes what passes; adds nothing, unless there is no list yet. Scripts that are not there keep their line. */
    private static void update(final Path folder, final List<Path> scripts, final Packetdrill drill)
            throws IOException {
        final boolean fresh = !Files.exists(EXPECTED) || list(EXPECTED).isEmpty();
        final Map<String, String> expected = Files.exists(EXPECTED) ? list(EXPECTED) : Map.of();
        final StringBuilder out = new StringBuilder("""
            # Scripts of FreeBSD's TCP test suite that the stack does not pass yet, each with why.
            # This list can only shrink: a script that passes fails its test until its line is deleted.
            """);
        expected.forEach((name, why) -> {
            if (!Files.exists(folder.resolve(name))) {
                out.append(name).append("  ").append(why).append('\n');
            }
        });
        for (final Path s : scripts) {
            final String name = folder.relativize(s).toString();
            final Result r = drill.run(s);
            if (r.outcome() != Result.Outcome.PASSED && (fresh || expected.containsKey(name))) {
                final String why = r.summary().replaceFirst("^[^ ]*: ", "");
                out.append(name).append("  ").append(why).append('\n');
            }
        }
        Files.writeString(EXPECTED, out, StandardCharsets.UTF_8);
    }
}
