package io.gatun.conformance.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@code docs/rfc-ip.md} is what the tags of the tests say. Run with {@code -Dgatun.update} to write it anew. */
final class RfcTableTest {
    private static final String LIST = "conformance/src/test/resources/rfc/";

    private static List<String> lines(final String file) {
        return SourceTree.read(SourceTree.root().resolve(LIST + file)).lines().toList();
    }

    @Test
    void page_ofIp_isUpToDate() throws IOException {
        final String page = RfcTable.page("The rules of IP, ICMP and their neighbours", "ip.txt", lines("ip.txt"),
            RfcTable.tests(SourceTree.units()));
        final Path file = SourceTree.root().resolve("docs/rfc-ip.md");
        if (System.getProperty("gatun.update") != null) {
            Files.writeString(file, page);
        }
        assertThat(SourceTree.read(file).lines().toList())
            .as("docs/rfc-ip.md is stale: run this test with -Dgatun.update").isEqualTo(page.lines().toList());
    }

    /** The method that a rule names is there, so that the page leads somewhere. */
    @Test
    void methods_ofAllRules_exist() {
        final List<SourceTree.Unit> main = SourceTree.units().stream().filter(SourceTree.Unit::isMain).toList();
        assertThat(lines("ip.txt").stream().map(RfcTable::rule).filter(r -> r != null).map(RfcTable.Rule::method)
            .filter(m -> main.stream().noneMatch(u -> declares(u, m.split("\\."))))).isEmpty();
    }

    private static boolean declares(final SourceTree.Unit unit, final String[] name) {
        return unit.name().endsWith("/" + name[0] + ".java") && unit.text().contains(" " + name[1] + "(");
    }

    @Test
    void tags_areUnique_byRule() {
        assertThat(lines("ip.txt").stream().map(RfcTable::rule).filter(r -> r != null).map(RfcTable.Rule::tag))
            .doesNotHaveDuplicates();
    }

    @Test
    void page_verdicts_followTheTags() {
        final Map<String, List<String>> tests = RfcTable.tests(List.of(SourceTree.unit("x/src/test/java/ATest.java", """
            class ATest {
                @Test
                @Tag("RFC1-2")
                void one() { }

                @Nested
                class Inner {
                    @Test
                    @Tag("RFC1-2")
                    @Tag("RFC1-4")
                    void two() { }
                }
            }
            """)));
        assertThat(tests).containsOnlyKeys("RFC1-2", "RFC1-4");
        final String page = RfcTable.page("T", "t.txt", List.of("# One", "RFC1-2 | this | A.b", "RFC1-3 | that | A.c",
            "RFC1-4 | more | A.d | **no**: why"), tests);
        assertThat(page).contains("\n## One\n")
            .contains("| RFC1-2 | this | `A.b` | `ATest.one`, `ATest.two` | met |\n")
            .contains("| RFC1-3 | that | `A.c` |  | untested |\n")
            .contains("| RFC1-4 | more | `A.d` | `ATest.two` | **no**: why |\n")
            .contains("\n1 of 3 rules are met and tested.\n");
    }
}
