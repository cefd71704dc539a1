package io.gatun.spi.sys;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Counters of vnets with and without threads. */
class CounterTest {
    private static final int COUNTERS = 3 * CounterCells.BLOCK;
    private static final int THREADS = 3 * CounterCells.SLOTS;
    private static final int ROUNDS = 2_000;

    @Test
    void moreThreadsThanSlots_countAtOnce_sumsAreExact() throws InterruptedException {
        final CounterSet set = new CounterSet(true);
        final List<Counter> counters = new ArrayList<>();
        for (int i = 0; i < COUNTERS; i++) {
            counters.add(set.counter("c" + i));
        }
        final List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            final Runnable work = () -> {
                for (int r = 0; r < ROUNDS; r++) {
                    counters.get(r % COUNTERS).increment();
                    counters.get(7).add(2);
                }
            };
            threads.add(i % 4 == 0 ? Thread.ofVirtual().start(work) : Thread.ofPlatform().start(work));
        }
        for (final Thread t : threads) {
            t.join();
        }
        long sum = 0;
        for (final Counter c : counters) {
            sum += c.get();
        }
        assertThat(sum).isEqualTo(3L * THREADS * ROUNDS);
        assertThat(set.get("c7")).isGreaterThanOrEqualTo(2L * THREADS * ROUNDS);
        assertThat(set.counter("c0")).isSameAs(counters.get(0));
    }

    /** Within a block of cells, from one to another, and for threads that have none. */
    @Test
    void moved_sumsAreExact() throws InterruptedException {
        for (final boolean shared : new boolean[] {false, true}) {
            final CounterSet set = new CounterSet(shared);
            final List<Counter> counters = new ArrayList<>();
            for (int i = 0; i < COUNTERS; i++) {
                counters.add(set.counter("c" + i));
            }
            final Runnable work = () -> {
                for (int r = 0; r < ROUNDS; r++) {
                    Counter.move(counters.get(0), counters.get(1));
                    Counter.move(counters.get(1), counters.get(COUNTERS - 1));
                }
            };
            final int times = shared ? THREADS : 1;
            final List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                threads.add(i % 4 == 3 ? Thread.ofVirtual().start(work) : Thread.ofPlatform().start(work));
            }
            for (final Thread t : threads) {
                t.join();
            }
            assertThat(counters.get(0).get()).isEqualTo(-(long) times * ROUNDS);
            assertThat(counters.get(1).get()).isZero();
            assertThat(counters.get(COUNTERS - 1).get()).isEqualTo((long) times * ROUNDS);
        }
    }

    @Test
    void oneThread_counts() {
        final CounterSet set = new CounterSet(false);
        set.counter("a").add(5);
        set.counter("a").increment();
        assertThat(set.get("a")).isEqualTo(6);
        assertThat(set.get("nobody")).isZero();
        assertThat(set.snapshot()).containsEntry("a", 6L);
    }
}
