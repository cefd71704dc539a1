package io.gatun.conformance.source;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** The repository as text and as parsed Java. Generated bindings and build output are left out. */
final class SourceTree {
    /** The folders of the modules, in the order of the build. */
    static final List<String> MODULES = List.of(
            "spi", "protosw", "uipc", "netinet", "drivers", "bpf", "nio", "conformance", "cli", "bench");

    private SourceTree() {
    }

    /** One parsed file. {@code name} is its path below the root, with slashes. */
    record Unit(String name, String text, CompilationUnitTree tree, DocTrees docs) {
        /** {@code name:line} of {@code node}. */
        String at(Tree node) {
            return name + ":" + line(node);
        }

        /** The line, from 1, on which {@code node} ends. */
        long lastLine(Tree node) {
            return tree.getLineMap().getLineNumber(docs.getSourcePositions().getEndPosition(tree, node));
        }

        private long line(Tree node) {
            return tree.getLineMap().getLineNumber(docs.getSourcePositions().getStartPosition(tree, node));
        }

        boolean isTest() {
            return name.contains("/src/test/");
        }

        boolean isMain() {
            return name.contains("/src/main/");
        }
    }

    /** The root of the repository: the nearest folder above the working directory that has {@code .mvn}. */
    static Path root() {
        Path dir = Path.of("").toAbsolutePath();
        while (dir != null && !Files.isDirectory(dir.resolve(".mvn"))) {
            dir = dir.getParent();
        }
        if (dir == null) {
            throw new IllegalStateException("no .mvn above " + Path.of("").toAbsolutePath());
        }
        return dir;
    }

    /** Every file of the repository whose name ends in one of {@code suffixes}, in order. */
    static List<Path> files(String... suffixes) {
        Path root = root();
        List<Path> found = new ArrayList<>();
        try (Stream<Path> all = Files.walk(root)) {
            all.filter(Files::isRegularFile)
                    .filter(p -> isOurs(root.relativize(p).toString().replace('\\', '/')))
                    .filter(p -> Stream.of(suffixes).anyMatch(s -> p.getFileName().toString().endsWith(s)))
                    .sorted()
                    .forEach(found::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static boolean isOurs(String name) {
        return !name.startsWith(".git/") && !name.contains("/target/") && !name.contains("/src/main/generated/");
    }

    /** Every Java file of the repository, parsed. */
    static List<Unit> units() {
        Path root = root();
        List<JavaFileObject> sources = new ArrayList<>();
        for (Path file : files(".java")) {
            sources.add(new Text(root.relativize(file).toString().replace('\\', '/'), read(file)));
        }
        return parse(sources);
    }

    /** {@code text} as a file {@code name}, parsed: for the tests of the rules. */
    static Unit unit(String name, String text) {
        return parse(List.of(new Text(name, text))).get(0);
    }

    static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Unit> parse(List<JavaFileObject> sources) {
        DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
        JavacTask task = (JavacTask) ToolProvider.getSystemJavaCompiler()
                .getTask(null, null, problems, List.of("-proc:none", "-Xlint:none"), null, sources);
        DocTrees docs = DocTrees.instance(task);
        List<Unit> units = new ArrayList<>();
        try {
            for (CompilationUnitTree tree : task.parse()) {
                JavaFileObject source = tree.getSourceFile();
                units.add(new Unit(source.toUri().getPath().substring(1), source.getCharContent(true).toString(),
                        tree, docs));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (Diagnostic<?> problem : problems.getDiagnostics()) {
            if (problem.getKind() == Diagnostic.Kind.ERROR) {
                throw new IllegalStateException(problem.toString());
            }
        }
        return units;
    }

    private static final class Text extends SimpleJavaFileObject {
        private final String text;

        Text(String path, String text) {
            super(URI.create("string:///" + path.replace(' ', '_')), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
