package io.gatun.conformance.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code docs/bsd-names.md} is what the {@code @bsd} tags say. Run with {@code -Dgatun.update} to write it anew. */
final class BsdNamesTest {
    @Test
    void page_checkedIn_isUpToDate() throws IOException {
        Path file = SourceTree.root().resolve("docs/bsd-names.md");
        String page = BsdNames.page(SourceTree.units());
        if (System.getProperty("gatun.update") != null) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, page);
        }
        assertThat(file).as("made from the @bsd tags; CONTRIBUTING.md says how to make it again").exists();
        List<String> written = SourceTree.read(file).lines().toList();
        List<String> made = page.lines().toList();
        String hint = "docs/bsd-names.md is stale; CONTRIBUTING.md says how to make it again; lines it ";
        assertThat(made.stream().filter(line -> !written.contains(line))).as(hint + "lacks").isEmpty();
        assertThat(written.stream().filter(line -> !made.contains(line))).as(hint + "has too many").isEmpty();
        assertThat(written).isEqualTo(made);
    }

    @Test
    void page_tags_areFoundOnTypesMethodsAndFields() {
        String page = BsdNames.page(List.of(SourceTree.unit("uipc/src/main/java/A.java", """
                /** So. @bsd struct socket */
                final class A {
                    /** Hi.
                     * @bsd sb_hiwat */
                    int hiwat;
                    /** Send.
                     *
                     * @bsd sosend, sosend_generic
                     */
                    void send() { }
                }
                """)));
        assertThat(page).contains("| `struct socket` | `A` | uipc/src/main/java/A.java |\n")
                .contains("| `sb_hiwat` | `A.hiwat` |").contains("| `sosend` | `A.send` |")
                .contains("| `sosend_generic` | `A.send` |");
    }
}
