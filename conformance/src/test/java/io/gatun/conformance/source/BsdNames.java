package io.gatun.conformance.source;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.TreePathScanner;
import io.gatun.conformance.source.SourceTree.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes {@code docs/bsd-names.md} out of the {@code @bsd} tags in the Javadoc of main sources. */
final class BsdNames {
    private static final String SYMBOL = "(?:(?:struct|union|enum)[ \\t]+)?\\w+(?:[./]\\w+)*";
    private static final Pattern TAG = Pattern.compile("@bsd[ \\t]+(" + SYMBOL + "(?:[ \\t]*,[ \\t]*" + SYMBOL + ")*)");

    private BsdNames() {
    }

    /** The page, from every unit in {@code units} that is not a test. */
    static String page(List<Unit> units) {
        TreeSet<String> rows = new TreeSet<>();
        for (Unit unit : units) {
            if (unit.isMain()) {
                rows.addAll(rows(unit));
            }
        }
        StringBuilder page = new StringBuilder("""
                # FreeBSD names

                Where each name of FreeBSD lives here. Made from the `@bsd` tags; see CONTRIBUTING.md.

                | FreeBSD | Java | file |
                | --- | --- | --- |
                """);
        rows.forEach(row -> page.append(row).append('\n'));
        return page.toString();
    }

    private static List<String> rows(Unit unit) {
        List<String> rows = new ArrayList<>();
        new TreePathScanner<Void, String>() {
            @Override
            public Void visitCompilationUnit(CompilationUnitTree tree, String owner) {
                String name = unit.name();
                if (name.endsWith("package-info.java") && tree.getPackage() != null) {
                    add(tree.getPackage().getPackageName().toString());
                }
                return super.visitCompilationUnit(tree, "");
            }

            @Override
            public Void visitClass(ClassTree type, String owner) {
                String name = owner.isEmpty() ? type.getSimpleName().toString() : owner + "." + type.getSimpleName();
                add(name);
                return super.visitClass(type, name);
            }

            @Override
            public Void visitMethod(MethodTree method, String owner) {
                boolean constructor = method.getName().contentEquals("<init>");
                add(constructor ? "new " + owner : owner + "." + method.getName());
                return super.visitMethod(method, owner);
            }

            @Override
            public Void visitVariable(VariableTree field, String owner) {
                Tree parent = getCurrentPath().getParentPath().getLeaf();
                if (parent instanceof ClassTree) {
                    add(owner + "." + field.getName());
                }
                return super.visitVariable(field, owner);
            }

            private void add(String member) {
                String doc = unit.docs().getDocComment(getCurrentPath());
                Matcher m = TAG.matcher(doc == null ? "" : doc);
                while (m.find()) {
                    for (String symbol : m.group(1).split("\\s*,\\s*", -1)) {
                        rows.add("| `" + symbol + "` | `" + member + "` | " + unit.name() + " |");
                    }
                }
            }
        }.scan(unit.tree(), "");
        return rows;
    }
}
