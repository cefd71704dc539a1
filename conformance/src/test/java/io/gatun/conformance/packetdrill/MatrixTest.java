package io.gatun.conformance.packetdrill;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.vnet.LockStrategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Scripts that are made rather than written: one for every combination of what can be combined; and those of {@code
 * packetdrill-pairs}, each for both families. What differs between the families stands there as {@code ${mss}}, {@code
 * ${udpmss}} (within UDP), {@code ${window}} (the receive buffer once it is rounded up to whole segments) and {@code
 * ${v}}, or within {@code #ifdef IPV4} and {@code #ifdef IPV6}.
 */
class MatrixTest {
    private static final Path PAIRS = Path.of("src", "test", "resources", "packetdrill-pairs");

    private final Packetdrill drill = new Packetdrill();

    private Stream<DynamicTest> tests(final Map<String, String> scripts) {
        return scripts.entrySet().stream().map(e -> DynamicTest.dynamicTest(e.getKey(),
            () -> assertThat(drill.run(e.getKey() + ".pkt", e.getValue()).message()).isEmpty()));
    }

    @TestFactory
    Stream<DynamicTest> segmentInState_isAnsweredAsFreeBsdAnswersIt() {
        final Map<String, String> scripts = StateMatrix.scripts();
        assertThat(scripts).hasSizeGreaterThan(600);
        return tests(scripts);
    }

    /** IPv6's sockets with IPv4 peers: the same answers. */
    @TestFactory
    Stream<DynamicTest> ipv4ThroughAnIpv6Socket_isAnsweredTheSame() {
        final Map<String, String> scripts = new LinkedHashMap<>();
        for (final Map<String, String> m : List.of(StateMatrix.scripts(), FastOpenMatrix.scripts())) {
            m.forEach((name, text) -> {
                if (text.startsWith("--ip_version=ipv4")) {
                    scripts.put(name + "-mapped", text.replace("--ip_version=ipv4", "--ip_version=ipv4-mapped-ipv6"));
                }
            });
        }
        assertThat(scripts).hasSizeGreaterThan(400);
        return tests(scripts);
    }

    @TestFactory
    Stream<DynamicTest> textThatOverlapsOrIsReordered_isAcknowledgedSelectively() {
        final Map<String, String> scripts = ReceiveMatrix.scripts();
        assertThat(scripts).hasSizeGreaterThan(700);
        return tests(scripts);
    }

    @TestFactory
    Stream<DynamicTest> cookieOfAnyLength_isKeptWhenItIsValid() {
        final Map<String, String> scripts = FastOpenMatrix.scripts();
        assertThat(scripts).hasSizeGreaterThan(220);
        return tests(scripts);
    }

    @TestFactory
    Stream<DynamicTest> scriptForBothFamilies_passes() throws IOException {
        return tests(pairs());
    }

    /** The other ways to lock: the same answers. */
    @TestFactory
    Stream<DynamicTest> scriptForBothFamilies_otherLocks_passes() throws IOException {
        final Map<String, String> scripts = pairs();
        return Stream.of(LockStrategy.COALESCED, LockStrategy.VERTICAL).flatMap(locks -> {
            final Packetdrill other = new Packetdrill(Set.of(), locks);
            return scripts.entrySet().stream().map(e -> DynamicTest.dynamicTest(e.getKey() + " " + locks,
                () -> assertThat(other.run(e.getKey() + ".pkt", e.getValue()).message()).isEmpty()));
        });
    }

    private static Map<String, String> pairs() throws IOException {
        final Map<String, String> scripts = new LinkedHashMap<>();
        for (final Path p : Suite.scripts(List.of(PAIRS))) {
            final String text = Files.readString(p);
            final String name = PAIRS.relativize(p).toString().replace(".pkt", "");
            scripts.put(name + "-ipv4", "--ip_version=ipv4\n--define=IPV4=1\n" + text.replace("${mss}", "1460")
                .replace("${udpmss}", "1452").replace("${window}", "65700").replace("${v}", "4"));
            scripts.put(name + "-ipv6", "--ip_version=ipv6\n--define=IPV6=1\n" + text.replace("${mss}", "1440")
                .replace("${udpmss}", "1432").replace("${window}", "66240").replace("${v}", "6"));
        }
        assertThat(scripts).hasSizeGreaterThan(50);
        return scripts;
    }
}
