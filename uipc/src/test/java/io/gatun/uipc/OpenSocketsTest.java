package io.gatun.uipc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpenSocketsTest {
    private static final int THREADS = 8;
    private static final int ROUNDS = 20_000;

    private static int enterAll(final OpenSockets open, final int limit) {
        int n = 0;
        while (open.enter(limit)) {
            n++;
        }
        return n;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void enter_upToTheLimit_isExact(final boolean shared) {
        for (final int limit : new int[] {0, 1, 15, 16, 17, 100}) {
            final OpenSockets open = new OpenSockets(shared);
            assertThat(enterAll(open, limit)).isEqualTo(limit);
            assertThat(open.count()).isEqualTo(limit);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void leave_thenEnter_hasThatRoomAgain(final boolean shared) {
        final OpenSockets open = new OpenSockets(shared);
        assertThat(enterAll(open, 100)).isEqualTo(100);
        for (int i = 0; i < 40; i++) {
            open.leave();
        }
        assertThat(open.count()).isEqualTo(60);
        assertThat(enterAll(open, 100)).isEqualTo(40);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void limit_lowered_holdsForTheNext(final boolean shared) {
        final OpenSockets open = new OpenSockets(shared);
        assertThat(enterAll(open, 50)).isEqualTo(50);
        open.leave();
        assertThat(open.enter(10)).isFalse();
        for (int i = 0; i < 39; i++) {
            open.leave();
        }
        assertThat(open.count()).isEqualTo(10);
        assertThat(open.enter(10)).isFalse();
        open.leave();
        assertThat(open.enter(10)).isTrue();
        assertThat(open.count()).isEqualTo(10);
    }

    /** What is in the hand of one that ended sockets is no loss to another. */
    @Test
    void leftByOneThread_enteredByAnother_allOfThem() throws InterruptedException {
        final OpenSockets open = new OpenSockets(true);
        assertThat(enterAll(open, 100)).isEqualTo(100);
        final List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                for (int n = 0; n < 10; n++) {
                    open.leave();
                }
            }));
        }
        for (final Thread t : threads) {
            t.join();
        }
        assertThat(open.count()).isEqualTo(20);
        assertThat(enterAll(open, 100)).isEqualTo(80);
        assertThat(open.count()).isEqualTo(100);
    }

    @Test
    void manyThreads_enterAndLeave_neverBeyondTheLimit() throws InterruptedException {
        final int limit = 20;
        final OpenSockets open = new OpenSockets(true);
        final AtomicInteger inBeing = new AtomicInteger();
        final AtomicInteger most = new AtomicInteger();
        final CountDownLatch begin = new CountDownLatch(1);
        final List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    begin.await();
                } catch (final InterruptedException e) {
                    return;
                }
                for (int n = 0; n < ROUNDS; n++) {
                    int mine = 0;
                    while (mine < 5 && open.enter(limit)) {
                        mine++;
                        most.accumulateAndGet(inBeing.incrementAndGet(), Math::max);
                    }
                    for (; mine > 0; mine--) {
                        inBeing.decrementAndGet();
                        open.leave();
                    }
                }
            }));
        }
        begin.countDown();
        for (final Thread t : threads) {
            t.join();
        }
        assertThat(most.get()).isPositive().isLessThanOrEqualTo(limit);
        assertThat(open.count()).isZero();
        assertThat(enterAll(open, limit)).isEqualTo(limit);
    }
}
