package io.gatun.uipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.vnet.LockStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code kern.ipc.maxsockets}, by the count alone. */
class SocketLimitTest {
    private static final int THREADS = 8;
    private static final int ROUNDS = 20_000;

    private static Sockets sockets(final boolean threaded, final int limit) {
        final Sockets open = new Setting(LockStrategy.SPLIT, threaded).vnet.sockets();
        limit(open, limit);
        return open;
    }

    private static void limit(final Sockets open, final int limit) {
        open.vnet.sysctl().find("kern.ipc.maxsockets").set(limit);
    }

    private static int enterAll(final Sockets open) {
        int n = 0;
        while (open.enter()) {
            n++;
        }
        return n;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void enter_upToTheLimit_isExact(final boolean threaded) {
        for (final int limit : new int[] {0, 1, 15, 16, 17, 100}) {
            final Sockets open = sockets(threaded, limit);
            assertThat(enterAll(open)).isEqualTo(limit);
            assertThat(open.numOpen()).isEqualTo(limit);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void leave_thenEnter_hasThatRoomAgain(final boolean threaded) {
        final Sockets open = sockets(threaded, 100);
        assertThat(enterAll(open)).isEqualTo(100);
        for (int i = 0; i < 40; i++) {
            open.leave();
        }
        assertThat(open.numOpen()).isEqualTo(60);
        assertThat(enterAll(open)).isEqualTo(40);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void limit_lowered_holdsForTheNext(final boolean threaded) {
        final Sockets open = sockets(threaded, 50);
        assertThat(enterAll(open)).isEqualTo(50);
        open.leave();
        limit(open, 10);
        assertThat(open.enter()).isFalse();
        for (int i = 0; i < 39; i++) {
            open.leave();
        }
        assertThat(open.numOpen()).isEqualTo(10);
        assertThat(open.enter()).isFalse();
        open.leave();
        assertThat(open.enter()).isTrue();
        assertThat(open.numOpen()).isEqualTo(10);
    }

    @Test
    void leftByOneThread_enteredByAnother_allOfThem() throws InterruptedException {
        final Sockets open = sockets(true, 100);
        assertThat(enterAll(open)).isEqualTo(100);
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
        assertThat(open.numOpen()).isEqualTo(20);
        assertThat(enterAll(open)).isEqualTo(80);
        assertThat(open.numOpen()).isEqualTo(100);
    }

    @Test
    void manyThreads_enterAndLeave_neverBeyondTheLimit() throws InterruptedException {
        final int limit = 20;
        final Sockets open = sockets(true, limit);
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
                    while (mine < 5 && open.enter()) {
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
        assertThat(open.numOpen()).isZero();
        assertThat(enterAll(open)).isEqualTo(limit);
    }
}
