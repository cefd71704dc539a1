package io.gatun.conformance.packetdrill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** That one script holds up neither the others nor their verdicts. */
class SuiteTest {
    private static List<Path> paths(final String... names) {
        final List<Path> out = new ArrayList<>();
        for (final String n : names) {
            out.add(Path.of(n));
        }
        return out;
    }

    private static Result passed(final Path p) {
        return new Result(p.toString(), Result.Outcome.PASSED, 0, "", 1);
    }

    @Test
    void scriptWithoutEnd_isGivenUpAndTheOthersRun() throws IOException {
        final CountDownLatch never = new CountDownLatch(1);
        final AtomicLong clockNs = new AtomicLong();
        final List<String> told = new ArrayList<>();
        final List<Result> results = new Suite.Workers(paths("a", "endless", "b", "endless", "c"), () -> p -> {
            if (p.toString().equals("endless")) {
                clockNs.addAndGet((Suite.LIMIT_S + 1) * 1_000_000_000);
                awaitQuietly(never);
            }
            return passed(p);
        }, r -> told.add(r.file()), clockNs::get).run(1);
        never.countDown();
        assertThat(results).extracting(Result::outcome).containsExactly(Result.Outcome.PASSED, Result.Outcome.FAILED,
            Result.Outcome.PASSED, Result.Outcome.FAILED, Result.Outcome.PASSED);
        assertThat(results.get(1).message()).isEqualTo("endless:1:1: still running after 60 s: given up");
        assertThat(told).containsExactly("a", "endless", "b", "endless", "c");
    }

    private static void awaitQuietly(final CountDownLatch latch) {
        try {
            latch.await();
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void threads_shareTheScripts() throws IOException {
        final CountDownLatch both = new CountDownLatch(2);
        final List<Result> results = new Suite.Workers(paths("a", "b"), () -> p -> {
            both.countDown();
            awaitQuietly(both);
            return passed(p);
        }, r -> { }, System::nanoTime).run(2);
        assertThat(results).extracting(Result::file).containsExactly("a", "b");
    }

    @Test
    void runnerThatThrows_endsTheRun() {
        assertThatThrownBy(() -> new Suite.Workers(paths("a", "b"), () -> p -> {
            throw new IllegalArgumentException("no " + p);
        }, r -> { }, System::nanoTime).run(2)).isInstanceOf(IllegalStateException.class)
            .hasRootCauseInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void noScripts_noResults() throws IOException {
        assertThat(Suite.run(List.of(), Set.of(), 2, r -> { })).isEmpty();
    }
}
