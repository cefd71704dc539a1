package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What README.md shows compiles, runs, and is what it shows. */
class EmbeddingExampleTest {
    private static final Path SOURCE =
        Path.of("src", "test", "java", "io", "gatun", "conformance", "EmbeddingExample.java");

    @Test
    void example_run_greets() throws Exception {
        assertThat(EmbeddingExample.greet()).isEqualTo("hello from example");
    }

    @Test
    void readme_showsTheExample() throws IOException {
        final String source = Files.readString(SOURCE);
        final int from = source.indexOf('\n', source.indexOf("// README begins")) + 1;
        final String body = source.substring(from, source.indexOf("    // README ends")).stripTrailing().stripIndent();
        assertThat(Files.readString(Path.of("..", "README.md"))).contains(body);
    }
}
