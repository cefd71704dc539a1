package io.gatun.conformance.source;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.TreeScanner;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The page that says of each rule of an RFC where it is met and which tests show it. The rules stand in a resource, a
 * line each: the tag of its tests, what it asks for, the method that does it, and a remark where it is not simply met.
 */
final class RfcTable {
    private static final int COLUMNS = 3;

    /** One rule. */
    record Rule(String tag, String text, String method, String remark) {
    }

    private RfcTable() {
    }

    /** The tests of each tag, as {@code Class.method}, in order. */
    static Map<String, List<String>> tests(final List<SourceTree.Unit> units) {
        final Map<String, List<String>> found = new TreeMap<>();
        for (final SourceTree.Unit unit : units) {
            if (unit.isTest()) {
                final String name = unit.name().replaceAll(".*/|\\.java", "");
                unit.tree().accept(new TagScanner(name, found), null);
            }
        }
        return found;
    }

    private static final class TagScanner extends TreeScanner<Void, Void> {
        private final String unit;
        private final Map<String, List<String>> found;

        TagScanner(final String unit, final Map<String, List<String>> found) {
            this.unit = unit;
            this.found = found;
        }

        @Override
        public Void visitMethod(final MethodTree method, final Void none) {
            for (final AnnotationTree a : method.getModifiers().getAnnotations()) {
                if (a.getAnnotationType().toString().matches("Tag|net\\.jqwik\\.api\\.Tag")) {
                    final String test = unit + "." + method.getName();
                    a.accept(new TreeScanner<Void, Void>() {
                        @Override
                        public Void visitLiteral(final LiteralTree tag, final Void nothing) {
                            found.computeIfAbsent(tag.getValue().toString(), k -> new ArrayList<>()).add(test);
                            return null;
                        }
                    }, null);
                }
            }
            return super.visitMethod(method, none);
        }
    }

    /** A line of the list; null for a heading or an empty one. */
    static Rule rule(final String line) {
        if (line.isBlank() || line.startsWith("#")) {
            return null;
        }
        final String[] f = line.split(" \\| ", -1);
        if (f.length < COLUMNS) {
            throw new IllegalArgumentException("no rule: " + line);
        }
        return new Rule(f[0].strip(), f[1].strip(), f[2].strip(), f.length > COLUMNS ? f[COLUMNS].strip() : "");
    }

    /** The page of a list of rules. */
    static String page(
            final String title, final String file, final List<String> lines, final Map<String, List<String>> tests) {
        final StringBuilder out = new StringBuilder("# ").append(title)
            .append("\n\nMade from the list of rules in `conformance/src/test/resources/rfc/").append(file)
            .append("` and from the tags of the tests; do not\nedit it. A rule is *met* when at least one test ")
            .append("carries its tag; *untested* says nothing of whether it is met.\n");
        int met = 0;
        int all = 0;
        for (final String line : lines) {
            final Rule r = rule(line);
            if (r == null) {
                if (line.startsWith("#")) {
                    out.append("\n## ").append(line.substring(1).strip())
                        .append("\n\n| rule | asks that | by | shown by | verdict |\n")
                        .append("| --- | --- | --- | --- | --- |\n");
                }
                continue;
            }
            final List<String> by = tests.getOrDefault(r.tag(), List.of());
            final String verdict = !r.remark().isEmpty() ? r.remark() : by.isEmpty() ? "untested" : "met";
            met += verdict.equals("met") ? 1 : 0;
            all++;
            out.append("| ").append(r.tag()).append(" | ").append(r.text()).append(" | `").append(r.method())
                .append("` | ").append(String.join(", ", by.stream().map(t -> "`" + t + "`").toList()))
                .append(" | ").append(verdict).append(" |\n");
        }
        return out.append("\n").append(met).append(" of ").append(all).append(" rules are met and tested.\n")
            .toString();
    }
}
