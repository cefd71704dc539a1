package io.gatun.conformance;

import io.gatun.spi.mbuf.Mbuf;
import java.io.IOException;
import java.io.StringWriter;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * The Java that a page of the documentation shows: each block is a compilation unit with its imports. A block that
 * imports no more than {@code io.gatun.spi} sees no more of the project when it is compiled.
 */
public final class DocExamples implements AutoCloseable {
    private static final Pattern BLOCK = Pattern.compile("^```java\\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern TYPE = Pattern.compile("^(?:public )?(?:final )?(?:class|record|interface) (\\w+)",
        Pattern.MULTILINE);
    private static final Pattern BEYOND_SPI = Pattern.compile("^import (static )?io\\.gatun\\.(?!spi\\.)",
        Pattern.MULTILINE);

    private final List<String> blocks;
    private final Path classes;
    private final URLClassLoader loader;

    /** Compiles the blocks of a page, lint warnings being errors. */
    public DocExamples(final Path page) throws IOException {
        blocks = blocks(page);
        classes = Files.createTempDirectory("gatun-doc");
        final String whole = System.getProperty("java.class.path");
        compile(blocks.stream().filter(b -> !BEYOND_SPI.matcher(b).find()).toList(), spiOf(whole));
        compile(blocks.stream().filter(b -> BEYOND_SPI.matcher(b).find()).toList(), whole);
        loader = new URLClassLoader(new URL[] {classes.toUri().toURL()}, DocExamples.class.getClassLoader());
    }

    /** The blocks of a page. */
    static List<String> blocks(final Path page) throws IOException {
        final List<String> out = new ArrayList<>();
        final Matcher m = BLOCK.matcher(Files.readString(page));
        while (m.find()) {
            out.add(m.group(1));
        }
        return out;
    }

    List<String> blocks() {
        return blocks;
    }

    private static String spiOf(final String path) throws MalformedURLException {
        final URI spi = URI.create(
            Mbuf.class.getProtectionDomain().getCodeSource().getLocation().toString());
        return Stream.of(path.split(Pattern.quote(System.getProperty("path.separator"))))
            .filter(p -> Path.of(p).toUri().equals(spi)).findFirst().orElse(Path.of(spi).toString());
    }

    private void compile(final List<String> units, final String path) {
        if (units.isEmpty()) {
            return;
        }
        final JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        final StringWriter said = new StringWriter();
        final List<String> options = List.of("-d", classes.toString(), "-classpath", path + ":" + classes,
            "-proc:none", "-Xlint:all,-path,-classfile", "-Werror");
        if (!javac.getTask(said, null, null, options, null, units.stream().map(DocExamples::file).toList()).call()) {
            throw new AssertionError("an example does not compile: " + said);
        }
    }

    private static JavaFileObject file(final String text) {
        final Matcher m = TYPE.matcher(text);
        if (!m.find()) {
            throw new AssertionError("a block that declares no type: " + text);
        }
        return new SimpleJavaFileObject(URI.create("string:///" + m.group(1) + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(final boolean lenient) {
                return text;
            }
        };
    }

    /** A loader of the page's classes in which ServiceLoader finds one more implementation of a service. */
    ClassLoader providing(final Class<?> service, final String name) throws IOException {
        final Path services = Files.createDirectories(classes.resolve("META-INF/services"));
        Files.writeString(services.resolve(service.getName()), name + "\n");
        return loader;
    }

    /** A class of the page, by its full name. */
    public Class<?> load(final String name) throws ClassNotFoundException {
        return loader.loadClass(name);
    }

    /** An instance of a public class of the page. */
    public <T> T make(final Class<T> type, final String name) throws ReflectiveOperationException {
        return type.cast(load(name).getConstructor().newInstance());
    }

    @Override
    public void close() throws IOException {
        loader.close();
        try (Stream<Path> all = Files.walk(classes)) {
            all.sorted((a, b) -> b.compareTo(a)).forEach(p -> p.toFile().delete());
        }
    }
}
