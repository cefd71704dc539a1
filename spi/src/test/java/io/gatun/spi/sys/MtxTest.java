package io.gatun.spi.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Mutexes, between platform threads and between virtual ones. */
@SuppressWarnings("LockNotBeforeTry") // what is tested is locking itself, misuse included
class MtxTest {
    private static final int THREADS = 8;
    private static final int ROUNDS = 20_000;

    private final Mtx mtx = new Mtx(LockClass.LEAF, "test");
    private int plain;

    @Test
    void held_takenAgain_isFreeAfterAsManyUnlocks() {
        mtx.lock();
        mtx.lock();
        assertThat(mtx.tryLock()).isTrue();
        mtx.unlock();
        mtx.unlock();
        assertThat(mtx.owned()).isTrue();
        mtx.unlock();
        assertThat(mtx.owned()).isFalse();
        assertThat(mtx.isLocked()).isFalse();
    }

    @Test
    void notHeld_unlock_throws() {
        assertThatThrownBy(mtx::unlock).isInstanceOf(IllegalMonitorStateException.class).hasMessageContaining("test");
    }

    @Test
    void heldByAnother_tryLock_fails() throws InterruptedException {
        mtx.lock();
        try {
            final boolean[] taken = {true};
            final Thread t = Thread.ofPlatform().start(() -> taken[0] = mtx.tryLock());
            t.join();
            assertThat(taken[0]).isFalse();
        } finally {
            mtx.unlock();
        }
    }

    @Test
    void manyThreads_count_noneIsLost() throws InterruptedException {
        assertThat(countWith(r -> Thread.ofPlatform().start(r))).isEqualTo(THREADS * ROUNDS);
    }

    @Test
    void manyVirtualThreads_count_noneIsLost() throws InterruptedException {
        assertThat(countWith(r -> Thread.ofVirtual().start(r))).isEqualTo(THREADS * ROUNDS);
    }

    private int countWith(final Function<Runnable, Thread> start) throws InterruptedException {
        final List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(start.apply(() -> {
                for (int n = 0; n < ROUNDS; n++) {
                    mtx.lock();
                    try {
                        plain++;
                    } finally {
                        mtx.unlock();
                    }
                    if (n % 64 == 0) {
                        Thread.yield();
                    }
                }
            }));
        }
        for (final Thread t : threads) {
            t.join();
        }
        assertThat(mtx.isLocked()).isFalse();
        return plain;
    }

    /** As when a waiter marks the lock between its owner's look and its owner's store. */
    @Test
    void waiterOverlooked_unlocked_getsTheLockByItself() throws Exception {
        final VarHandle word = MethodHandles.privateLookupIn(Mtx.class, MethodHandles.lookup())
            .findVarHandle(Mtx.class, "lock", long.class);
        mtx.lock();
        final long unmarked = (long) word.getVolatile(mtx);
        final boolean[] taken = new boolean[1];
        final Thread t = Thread.ofPlatform().start(() -> {
            mtx.lock();
            taken[0] = mtx.owned();
            mtx.unlock();
        });
        while ((long) word.getVolatile(mtx) == unmarked) {
            Thread.onSpinWait();
        }
        word.setVolatile(mtx, unmarked);
        mtx.unlock();
        t.join();
        assertThat(taken[0]).isTrue();
        assertThat(mtx.isLocked()).isFalse();
    }

    @Test
    void waiting_interrupted_getsTheLockAndStaysInterrupted() throws InterruptedException {
        mtx.lock();
        final CountDownLatch begun = new CountDownLatch(1);
        final boolean[] seen = new boolean[2];
        final Thread t = Thread.ofPlatform().start(() -> {
            begun.countDown();
            mtx.lock();
            seen[0] = mtx.owned();
            mtx.unlock();
            seen[1] = Thread.currentThread().isInterrupted();
        });
        begun.await();
        t.interrupt();
        mtx.unlock();
        t.join();
        assertThat(seen).containsExactly(true, true);
    }

    @Test
    void notShared_wantedByTwo_saysSo() throws InterruptedException {
        final Mtx alone = new Mtx(LockClass.LEAF, "alone", false);
        alone.lock();
        alone.lock();
        final Throwable[] thrown = new Throwable[1];
        final Thread t = Thread.ofPlatform().start(() -> {
            try {
                alone.lock();
            } catch (final IllegalStateException e) {
                thrown[0] = e;
            }
        });
        t.join();
        assertThat(thrown[0]).hasMessageContaining("alone");
        alone.unlock();
        alone.unlock();
        assertThat(alone.isLocked()).isFalse();
        assertThatThrownBy(() -> new Cv(alone)).isInstanceOf(IllegalArgumentException.class);
    }
}
