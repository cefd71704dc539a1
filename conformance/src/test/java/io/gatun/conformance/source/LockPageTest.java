package io.gatun.conformance.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/LOCKING.md names every lock with its class and the class that has it, and no other. */
class LockPageTest {
    private static final Pattern MADE = Pattern.compile("LockClass\\.(\\w+), \"([^\"]+)\"");
    /** A table of neighbours hands the name of its lock to its superclass. */
    private static final Pattern HANDED_ON = Pattern.compile("super\\(ifp, \"(lltable\\w*)\"");
    private static final Pattern ROW =
        Pattern.compile("^\\| `([^`]+)` \\| `(\\w+)` \\| `(\\w+)` \\|", Pattern.MULTILINE);
    private static final List<String> MODULES = List.of("spi", "protosw", "uipc", "netinet", "drivers", "bpf", "nio");

    private static Set<String> found() throws IOException {
        final Set<String> out = new TreeSet<>();
        for (final String module : MODULES) {
            try (Stream<Path> files = Files.walk(Path.of("..", module, "src", "main", "java"))) {
                for (final Path f : files.filter(p -> p.toString().endsWith(".java")).toList()) {
                    final String text = Files.readString(f);
                    final String type = f.getFileName().toString().replace(".java", "");
                    final Matcher m = MADE.matcher(text);
                    while (m.find()) {
                        // under VERTICAL a socket's lock stands for its pcb's, which the socket makes otherwise
                        out.add(m.group(2) + " " + m.group(1) + " " + ("inp".equals(m.group(2)) ? "Inpcb" : type));
                    }
                    final Matcher handed = HANDED_ON.matcher(text);
                    while (handed.find()) {
                        out.add(handed.group(1) + " NET_LEAF " + type);
                    }
                }
            }
        }
        return out;
    }

    @Test
    void page_namesEveryLock() throws IOException {
        final Set<String> named = new TreeSet<>();
        final Matcher m = ROW.matcher(Files.readString(Path.of("..", "docs", "LOCKING.md")));
        while (m.find()) {
            named.add(m.group(1) + " " + m.group(2) + " " + m.group(3));
        }
        assertThat(named).hasSizeGreaterThan(30).isEqualTo(found());
    }
}
