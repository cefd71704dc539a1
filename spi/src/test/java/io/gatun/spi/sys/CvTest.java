package io.gatun.spi.sys;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Condition variables. */
class CvTest {
    private static final int ROUNDS = 2_000;
    private static final int WAITERS = 4;
    private static final long SHORT_NS = 1_000_000;

    private final Mtx mtx = new Mtx(LockClass.LEAF, "test");
    private final Cv cv = new Cv(mtx);
    private int ball;
    private int gone;

    @Test
    void twoThreads_handABall_noSignalIsLost() throws InterruptedException {
        final Thread a = Thread.ofPlatform().start(() -> play(0));
        final Thread b = Thread.ofVirtual().start(() -> play(1));
        a.join();
        b.join();
        assertThat(ball).isEqualTo(2 * ROUNDS);
    }

    private void play(final int me) {
        mtx.lock();
        try {
            for (int i = 0; i < ROUNDS; i++) {
                hit(me);
            }
        } finally {
            mtx.unlock();
        }
    }

    /** With the mutex taken twice: waiting gives it up all the same. */
    private void hit(final int me) {
        mtx.lock();
        try {
            while (ball % 2 != me) {
                cv.await();
            }
            ball++;
            cv.signal();
        } finally {
            mtx.unlock();
        }
    }

    @Test
    void severalWait_broadcast_allGoOn() throws InterruptedException {
        final List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < WAITERS; i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                mtx.lock();
                try {
                    gone++;
                    while (ball == 0) {
                        cv.await();
                    }
                } finally {
                    mtx.unlock();
                }
            }));
        }
        boolean all = false;
        while (!all) {
            mtx.lock();
            try {
                all = gone == WAITERS;
                if (all) {
                    ball = 1;
                    cv.broadcast();
                }
            } finally {
                mtx.unlock();
            }
        }
        for (final Thread t : threads) {
            t.join();
        }
        assertThat(mtx.isLocked()).isFalse();
    }

    @Test
    void interrupted_awaitSig_answersEintr() {
        mtx.lock();
        try {
            Thread.currentThread().interrupt();
            assertThat(cv.awaitSig()).isEqualTo(Errno.EINTR);
            assertThat(cv.timedAwaitSig(SHORT_NS)).isEqualTo(Cv.EINTR);
            assertThat(cv.timedAwaitSig(Cv.FOREVER)).isEqualTo(Cv.EINTR);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(mtx.owned()).isTrue();
        } finally {
            mtx.unlock();
        }
    }

    @Test
    void nobodySignals_timedAwaitSig_ends() {
        mtx.lock();
        try {
            long left = SHORT_NS;
            while (left > 0) {
                left = cv.timedAwaitSig(left);
            }
            assertThat(left).isGreaterThan(Cv.EINTR);
        } finally {
            mtx.unlock();
        }
    }

    @Test
    void timeOut_limitAndOutcome_areThoseOfTheSocketOption() {
        assertThat(Cv.limit(0)).isEqualTo(Cv.FOREVER);
        assertThat(Cv.limit(SHORT_NS)).isEqualTo(SHORT_NS);
        assertThat(Cv.outcome(Cv.EINTR)).isEqualTo(Errno.EINTR);
        assertThat(Cv.outcome(0)).isEqualTo(Errno.EAGAIN);
        assertThat(Cv.outcome(-SHORT_NS)).isEqualTo(Errno.EAGAIN);
    }
}
