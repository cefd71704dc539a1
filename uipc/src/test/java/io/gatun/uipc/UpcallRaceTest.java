package io.gatun.uipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.LockStrategy;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Who sets an upcall and then looks, and who changes what no lock of the buffer guards and then looks for upcalls: one
 * of them sees the other, whatever order the processor gives to a store and the load behind it.
 */
class UpcallRaceTest {
    private static final int ROUNDS = 300_000;
    private static final long PATIENCE_S = 60;

    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private volatile int called;
    private boolean seen; // by done

    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void upcallSet_errorSetMeanwhile_isSeenOrTold(final LockStrategy strategy) throws Exception {
        final Setting s = new Setting(strategy, true);
        final Socket[] p = s.pair(SocketDefs.SOCK_STREAM);
        final FutureTask<Void> other = new FutureTask<>(() -> {
            for (int i = 1; i <= ROUNDS; i++) {
                meet(i);
                p[0].setError(Errno.EPIPE);
                done.getAndIncrement();
            }
            return null;
        });
        Thread.ofPlatform().daemon().start(other);
        int missed = 0;
        for (int i = 1; i <= ROUNDS; i++) {
            called = 0;
            meet(i);
            p[0].upcallSet(false, (so, arg) -> {
                called = 1;
                return SocketDefs.SU_OK;
            }, null);
            seen = p[0].error() != Errno.OK;
            done.getAndIncrement();
            while (done.get() != 2 * i) {
                Thread.onSpinWait();
            }
            missed += seen || called != 0 ? 0 : 1;
            p[0].upcallSet(false, null, null);
            p[0].setError(Errno.OK);
        }
        other.get(PATIENCE_S, TimeUnit.SECONDS);
        assertThat(missed).as("neither seen nor told, of " + ROUNDS).isZero();
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    /** Both go on from here at the same moment. */
    private void meet(final int round) {
        begun.getAndIncrement();
        while (begun.get() < 2 * round) {
            Thread.onSpinWait();
        }
    }
}
