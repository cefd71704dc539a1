package io.gatun.conformance.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The pages {@code docs/rfc-*.md} are what the tags of the tests say. {@code -Dgatun.update} writes them anew. */
final class RfcTableTest {
    private static final Pattern TAG = Pattern.compile("@Tag\\(\"(RFC[^\"]+)\"\\)");
    private static final String LIST = "conformance/src/test/resources/rfc/";

    private static List<String> lines(final String file) {
        return SourceTree.read(SourceTree.root().resolve(LIST + file)).lines().toList();
    }

    private static List<RfcTable.Rule> rules(final String file) {
        return lines(file).stream().map(RfcTable::rule).filter(r -> r != null).toList();
    }

    @ParameterizedTest
    @CsvSource({"ip.txt,docs/rfc-ip.md,'The rules of IP, ICMP and their neighbours'",
        "tcp.txt,docs/rfc-9293.md,The rules of TCP"})
    void page_isUpToDate(final String list, final String page, final String title) throws IOException {
        final String made = RfcTable.page(title, list, lines(list), RfcTable.tests(SourceTree.units()));
        final Path file = SourceTree.root().resolve(page);
        if (System.getProperty("gatun.update") != null) {
            Files.writeString(file, made);
        }
        assertThat(SourceTree.read(file).lines().toList())
            .as(page + " is stale: run this test with -Dgatun.update").isEqualTo(made.lines().toList());
    }

    /** The method that a rule names is there, so that the page leads somewhere. */
    @ParameterizedTest
    @ValueSource(strings = {"ip.txt", "tcp.txt"})
    void methods_ofAllRules_exist(final String list) {
        final List<SourceTree.Unit> main = SourceTree.units().stream().filter(SourceTree.Unit::isMain).toList();
        assertThat(rules(list).stream().map(RfcTable.Rule::method)
            .filter(m -> main.stream().noneMatch(u -> declares(u, m.split("\\."))))).isEmpty();
    }

    private static boolean declares(final SourceTree.Unit unit, final String[] name) {
        return unit.name().endsWith("/" + name[0] + ".java") && unit.text().contains(" " + name[1] + "(");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ip.txt", "tcp.txt"})
    void tags_areUnique_byRule(final String list) {
        assertThat(rules(list).stream().map(RfcTable.Rule::tag)).doesNotHaveDuplicates();
    }

    /** What a test shows stands on a page. */
    @Test
    void tags_ofTests_areRules() {
        final Set<String> rules = new TreeSet<>();
        for (final String list : new String[] {"ip.txt", "tcp.txt"}) {
            rules(list).forEach(r -> rules.add(r.tag()));
        }
        final Set<String> tags = new TreeSet<>();
        for (final Path file : SourceTree.files("Test.java")) {
            if (!file.endsWith("RfcTableTest.java")) {
                TAG.matcher(SourceTree.read(file)).results().forEach(m -> tags.add(m.group(1)));
            }
        }
        assertThat(tags).hasSizeGreaterThan(200);
        tags.removeAll(rules);
        assertThat(tags).isEmpty();
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
