package io.gatun.conformance.source;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.ImportTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.ProvidesTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.TreeScanner;
import io.gatun.conformance.source.SourceTree.Unit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.lang.model.element.Modifier;

/** The rules. Each answers the places that break it, as {@code path:line: what}; an empty list is a pass. */
final class SourceRules {
    /** The fields that hold a TCP sequence number, and so are compared through {@code Seq} alone. */
    static final Set<String> SEQUENCE_FIELDS = Set.of("sndUna", "sndNxt", "sndMax", "sndUp", "sndWl1", "sndWl2",
            "rcvNxt", "rcvAdv", "rcvUp", "iss", "irs", "lastAckSent");

    private static final Pattern MUTABLE_TYPE = Pattern.compile(
            "Atomic\\w+|Long(Adder|Accumulator)|(Concurrent|Linked|Weak|Identity)?Hash(Map|Set)|TreeMap|TreeSet"
                    + "|ArrayList|LinkedList|ArrayDeque|\\w+Queue|ThreadLocal|Random|ReentrantLock|StringBuilder");
    private static final Set<String> STACK_MODULES = Set.of("spi", "protosw", "uipc", "netinet", "drivers");
    private static final Pattern LOCK_LETTERS = Pattern.compile("\\(([a-z]{1,6}(?:[/,+ ]+[a-z]{1,6})*)\\)");

    private SourceRules() {
    }

    /** No state outside a vnet: no static field that is not final, none that holds something made to be changed. */
    static List<String> mutableStatics(Unit unit) {
        List<String> bad = new ArrayList<>();
        new TreePathScanner<Void, Void>() {
            @Override
            public Void visitVariable(VariableTree field, Void unused) {
                if (getCurrentPath().getParentPath().getLeaf() instanceof ClassTree owner
                        && field.getModifiers().getFlags().contains(Modifier.STATIC)) {
                    if (owner.getKind() != Tree.Kind.INTERFACE
                            && !field.getModifiers().getFlags().contains(Modifier.FINAL)) {
                        bad.add(unit.at(field) + ": static field " + field.getName() + " is not final");
                    } else if (field.getInitializer() instanceof NewClassTree made
                            && MUTABLE_TYPE.matcher(simpleName(made.getIdentifier())).matches()) {
                        bad.add(unit.at(field) + ": static field " + field.getName() + " holds mutable state");
                    }
                }
                return super.visitVariable(field, unused);
            }
        }.scan(unit.tree(), null);
        return bad;
    }

    /** Sequence numbers wrap: ordering them with an operator, or with Math and Integer, is always a bug. */
    static List<String> sequenceComparisons(Unit unit) {
        List<String> bad = new ArrayList<>();
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitBinary(BinaryTree e, Void unused) {
                boolean orders = switch (e.getKind()) {
                    case LESS_THAN, LESS_THAN_EQUAL, GREATER_THAN, GREATER_THAN_EQUAL -> true;
                    default -> false;
                };
                if (orders && (isSequence(e.getLeftOperand()) || isSequence(e.getRightOperand()))) {
                    bad.add(unit.at(e) + ": sequence numbers are compared by Seq: " + e);
                }
                return super.visitBinary(e, unused);
            }

            @Override
            public Void visitMethodInvocation(MethodInvocationTree call, Void unused) {
                String called = call.getMethodSelect().toString();
                if (called.matches("Math\\.(max|min)|Integer\\.compare(Unsigned)?")
                        && call.getArguments().stream().anyMatch(SourceRules::isSequence)) {
                    bad.add(unit.at(call) + ": sequence numbers are compared by Seq: " + call);
                }
                return super.visitMethodInvocation(call, unused);
            }
        }.scan(unit.tree(), null);
        return bad;
    }

    /** Sequence plus or minus a length is a sequence; the difference of two sequences is a length. */
    private static boolean isSequence(ExpressionTree e) {
        return switch (e.getKind()) {
            case PARENTHESIZED -> isSequence(((ParenthesizedTree) e).getExpression());
            case PLUS -> isSequence(((BinaryTree) e).getLeftOperand())
                    || isSequence(((BinaryTree) e).getRightOperand());
            case MINUS -> isSequence(((BinaryTree) e).getLeftOperand())
                    && !isSequence(((BinaryTree) e).getRightOperand());
            default -> SEQUENCE_FIELDS.contains(simpleName(e));
        };
    }

    /** No test sleeps; conformance is a test kit, its main sources included. */
    static List<String> sleeps(Unit unit) {
        List<String> bad = new ArrayList<>();
        if (unit.isTest() || unit.name().startsWith("conformance/")) {
            calls(unit, "(Thread|(TimeUnit\\.)?(NANO|MICRO|MILLI)?SECONDS)\\.sleep", "a test never sleeps", bad);
        }
        return bad;
    }

    /** The stack takes time from its clock and randomness from its vnet, or a run could not be repeated. */
    static List<String> wildTime(Unit unit) {
        List<String> bad = new ArrayList<>();
        String module = unit.name().substring(0, Math.max(0, unit.name().indexOf('/')));
        String file = unit.name().substring(unit.name().lastIndexOf('/') + 1);
        if (unit.isMain() && STACK_MODULES.contains(module) && !file.contains("Clock")) {
            calls(unit, "System\\.(nanoTime|currentTimeMillis)|Instant\\.now|Math\\.random",
                    "time and randomness come from the vnet", bad);
        }
        return bad;
    }

    private static void calls(Unit unit, String pattern, String rule, List<String> bad) {
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitMethodInvocation(MethodInvocationTree call, Void unused) {
                if (call.getMethodSelect().toString().matches("(.*\\.)?(" + pattern + ")")) {
                    bad.add(unit.at(call) + ": " + rule + ": " + call);
                }
                return super.visitMethodInvocation(call, unused);
            }
        }.scan(unit.tree(), null);
    }

    /** A test that does not run is deleted or mended; one that cannot run here is skipped by an assumption. */
    static List<String> disabledTests(Unit unit) {
        List<String> bad = new ArrayList<>();
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitAnnotation(AnnotationTree a, Void unused) {
                if (simpleName(a.getAnnotationType()).equals("Disabled")) {
                    bad.add(unit.at(a) + ": @Disabled");
                }
                return super.visitAnnotation(a, unused);
            }

            @Override
            public Void visitMethod(MethodTree method, Void unused) {
                List<? extends AnnotationTree> all = method.getModifiers().getAnnotations();
                if (all.stream().anyMatch(a -> simpleName(a.getAnnotationType()).equals("Property"))) {
                    all.stream().filter(a -> fromJunit(unit, a.getAnnotationType().toString()))
                        .forEach(a -> bad.add(unit.at(a) + ": jqwik skips a @Property with an annotation of JUnit"));
                }
                return super.visitMethod(method, unused);
            }
        }.scan(unit.tree(), null);
        return bad;
    }

    private static boolean fromJunit(Unit unit, String annotation) {
        return annotation.startsWith("org.junit.") || unit.tree().getImports().stream()
            .map(i -> i.getQualifiedIdentifier().toString())
            .anyMatch(i -> i.startsWith("org.junit.") && i.endsWith("." + annotation));
    }

    /** In a class with a locking key, every field that can change ends with a letter of that key. */
    static List<String> lockLetters(Unit unit) {
        List<String> bad = new ArrayList<>();
        List<String> lines = unit.text().lines().toList();
        new TreePathScanner<Void, Void>() {
            @Override
            public Void visitClass(ClassTree type, Void unused) {
                String doc = unit.docs().getDocComment(getCurrentPath());
                if (doc != null && doc.toLowerCase(java.util.Locale.ROOT).contains("locking key")) {
                    Set<String> key = letters(doc);
                    for (Tree member : type.getMembers()) {
                        if (member instanceof VariableTree field && canChange(field)) {
                            check(field, key);
                        }
                    }
                }
                return super.visitClass(type, unused);
            }

            private void check(VariableTree field, Set<String> key) {
                String line = lines.get((int) unit.lastLine(field) - 1);
                int comment = line.indexOf("//");
                Set<String> used = comment < 0 ? Set.of() : letters(line.substring(comment));
                if (used.isEmpty()) {
                    bad.add(unit.at(field) + ": field " + field.getName() + " has no lock letter");
                } else if (!key.containsAll(used)) {
                    bad.add(unit.at(field) + ": letter of " + field.getName() + " is not in the locking key");
                }
            }
        }.scan(unit.tree(), null);
        return bad;
    }

    private static boolean canChange(VariableTree field) {
        Set<Modifier> flags = field.getModifiers().getFlags();
        return !flags.contains(Modifier.FINAL) && !flags.contains(Modifier.STATIC);
    }

    private static Set<String> letters(String text) {
        Set<String> found = new HashSet<>();
        Matcher m = LOCK_LETTERS.matcher(text);
        while (m.find()) {
            found.addAll(List.of(m.group(1).split("[/,+ ]+")));
        }
        return found;
    }

    /** What a module descriptor provides: service to implementations, both by full name. */
    static Map<String, List<String>> provided(Unit moduleInfo) {
        Map<String, List<String>> services = new LinkedHashMap<>();
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitProvides(ProvidesTree p, Void unused) {
                List<String> names = new ArrayList<>();
                p.getImplementationNames().forEach(n -> names.add(fullName(moduleInfo.tree(), n)));
                services.put(fullName(moduleInfo.tree(), p.getServiceName()), names);
                return null;
            }
        }.scan(moduleInfo.tree(), null);
        return services;
    }

    private static String fullName(CompilationUnitTree tree, ExpressionTree name) {
        for (ImportTree i : tree.getImports()) {
            String imported = i.getQualifiedIdentifier().toString();
            if (imported.endsWith("." + name)) {
                return imported;
            }
        }
        return name.toString();
    }

    private static String simpleName(Tree e) {
        return switch (e) {
            case IdentifierTree i -> i.getName().toString();
            case MemberSelectTree s -> s.getIdentifier().toString();
            case com.sun.source.tree.ParameterizedTypeTree p -> simpleName(p.getType());
            default -> "";
        };
    }
}
