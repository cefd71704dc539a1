package io.gatun.conformance.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.conformance.source.SourceTree.Unit;
import io.gatun.spi.sys.DropReason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules of {@link SourceRules} on the whole repository, and each rule on a planted fault. */
final class SourceRulesTest {
    private static final List<Unit> ALL = SourceTree.units();
    private static final Pattern UNFINISHED = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|X" + "XX)\\b");

    private static List<String> broken(Function<Unit, List<String>> rule) {
        List<String> bad = new ArrayList<>();
        ALL.forEach(unit -> bad.addAll(rule.apply(unit)));
        return bad;
    }

    @Test
    void sources_statics_areConstant() {
        assertThat(broken(unit -> unit.isMain() ? SourceRules.mutableStatics(unit) : List.of())).isEmpty();
    }

    @Test
    void sources_sequenceNumbers_areComparedBySeq() {
        assertThat(broken(SourceRules::sequenceComparisons)).isEmpty();
    }

    @Test
    void sources_tests_neverSleep() {
        assertThat(broken(SourceRules::sleeps)).isEmpty();
    }

    @Test
    void sources_stack_takesTimeFromItsVnet() {
        assertThat(broken(SourceRules::wildTime)).isEmpty();
    }

    @Test
    void sources_tests_areNeverDisabled() {
        assertThat(broken(SourceRules::disabledTests)).isEmpty();
    }

    @Test
    void sources_lockingKeys_coverTheirFields() {
        assertThat(broken(SourceRules::lockLetters)).isEmpty();
    }

    @Test
    void repository_text_hasNoUnfinishedMarks() {
        List<String> bad = new ArrayList<>();
        for (Path file : SourceTree.files(".java", ".md", ".xml", ".sh", ".h", ".symbols", "gatun", "run")) {
            int number = 0;
            for (String line : SourceTree.read(file).lines().toList()) {
                number++;
                if (UNFINISHED.matcher(line).find()) {
                    bad.add(SourceTree.root().relativize(file) + ":" + number + ": " + line.strip());
                }
            }
        }
        assertThat(bad).isEmpty();
    }

    @Test
    void packages_main_haveTheirPage() {
        List<String> bad = new ArrayList<>();
        for (Unit unit : ALL) {
            Path file = SourceTree.root().resolve(unit.name());
            if (unit.isMain() && !unit.name().endsWith("module-info.java")
                    && !Files.exists(file.resolveSibling("package-info.java"))) {
                bad.add(unit.name());
            }
        }
        assertThat(bad).isEmpty();
    }

    /** The stack runs on the class path as well as on the module path, so each service is announced twice. */
    @Test
    void services_onTheClassPath_areThoseOfTheModule() {
        List<String> bad = new ArrayList<>();
        for (Unit unit : ALL) {
            if (unit.name().endsWith("src/main/java/module-info.java")) {
                SourceRules.provided(unit).forEach((service, names) -> {
                    Path file = SourceTree.root().resolve(unit.name())
                            .resolveSibling("../resources/META-INF/services/" + service).normalize();
                    if (!Files.exists(file) || !SourceTree.read(file).lines().toList().containsAll(names)) {
                        bad.add(SourceTree.root().relativize(file) + " must name " + names);
                    }
                });
            }
        }
        assertThat(bad).isEmpty();
    }

    @Test
    void modules_listed_areAllThere() {
        assertThat(SourceTree.MODULES).allMatch(m -> Files.exists(SourceTree.root().resolve(m).resolve("pom.xml")));
        assertThat(ALL).hasSizeGreaterThan(SourceTree.MODULES.size());
    }

    /** A reason that nothing counts would be 0 for ever. IF_IQFULL is for drivers from outside. */
    @Test
    void dropReasons_areAllCounted() {
        StringBuilder main = new StringBuilder();
        for (Path file : SourceTree.files(".java")) {
            if (file.toString().contains("/src/main/") && !file.endsWith("DropReason.java")) {
                main.append(SourceTree.read(file));
            }
        }
        assertThat(DropReason.values()).filteredOn(r -> r != DropReason.IF_IQFULL)
                .allMatch(r -> main.indexOf("DropReason." + r) >= 0);
    }

    /** A rule that cannot fail proves nothing. */
    @Nested
    final class Planted {
        private Unit unit(String name, String body) {
            return SourceTree.unit(name, "final class A {\n" + body + "\n}\n");
        }

        private Unit main(String body) {
            return unit("uipc/src/main/java/A.java", body);
        }

        @Test
        void mutableStatics_planted_areFound() {
            assertThat(SourceRules.mutableStatics(main("static int n;"))).hasSize(1);
            assertThat(SourceRules.mutableStatics(main("static final List<X> L = new ArrayList<>();"))).hasSize(1);
            assertThat(SourceRules.mutableStatics(main("static final int[] T = {1}; int n; // static int m;")))
                    .isEmpty();
        }

        @Test
        void sequenceComparisons_planted_areFound() {
            String[] wrong = {"tp.sndUna < ack", "ack >= (tp.sndNxt)", "tp.rcvNxt + tp.rcvWnd > seq",
                "sndMax - 1 <= ack", "Math.max(tp.rcvAdv, x) == 0"};
            for (String e : wrong) {
                assertThat(SourceRules.sequenceComparisons(main("boolean f() { return " + e + "; }")))
                        .as(e).hasSize(1);
            }
            String[] right = {"tp.sndNxt - tp.sndUna > 0", "Seq.lt(tp.sndUna, ack)", "tp.sndWnd < 4", "issue < 3",
                "tp.sndUna == ack"};
            for (String e : right) {
                assertThat(SourceRules.sequenceComparisons(main("boolean f() { return " + e + "; }")))
                        .as(e).isEmpty();
            }
        }

        @Test
        void sleepsAndTime_planted_areFound() {
            String sleep = "void f() throws Exception { Thread.sleep(1); }";
            assertThat(SourceRules.sleeps(unit("uipc/src/test/java/A.java", sleep))).hasSize(1);
            assertThat(SourceRules.sleeps(unit("conformance/src/main/java/A.java", sleep))).hasSize(1);
            assertThat(SourceRules.sleeps(main(sleep))).isEmpty();
            assertThat(SourceRules.wildTime(main("long t() { return System.nanoTime(); }"))).hasSize(1);
            assertThat(SourceRules.wildTime(unit("cli/src/main/java/A.java", "long t = System.nanoTime();")))
                    .isEmpty();
        }

        @Test
        void disabledTests_planted_areFound() {
            assertThat(SourceRules.disabledTests(main("@Disabled(\"later\") void f() { }"))).hasSize(1);
            String tagged = ".api.Tag;\nclass A { @Property @Tag(\"RFC1-1\") void f() { } }";
            assertThat(SourceRules.disabledTests(SourceTree.unit("A.java", "import org.junit.jupiter" + tagged)))
                    .hasSize(1);
            assertThat(SourceRules.disabledTests(SourceTree.unit("A.java", "import net.jqwik" + tagged))).isEmpty();
        }

        @Test
        void lockLetters_planted_areFound() {
            String doc = "/** Locking key: (i) the lock, (c) constant. */\nfinal class A {\n";
            assertThat(SourceRules.lockLetters(SourceTree.unit("A.java", doc + "int n; // (i)\n}"))).isEmpty();
            assertThat(SourceRules.lockLetters(SourceTree.unit("A.java", doc + "int n;\n}"))).hasSize(1);
            assertThat(SourceRules.lockLetters(SourceTree.unit("A.java", doc + "int n; // (q)\n}"))).hasSize(1);
            assertThat(SourceRules.lockLetters(SourceTree.unit("A.java", doc + "final int n;\n}"))).isEmpty();
        }

        @Test
        void provided_imported_isNamedInFull() {
            assertThat(SourceRules.provided(SourceTree.unit("module-info.java",
                    "import a.b.Svc;\nmodule m { provides Svc with a.c.Impl; }")))
                    .containsEntry("a.b.Svc", List.of("a.c.Impl"));
        }
    }
}
