package io.gatun.protosw;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.vnet.Clock;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** One reading of the clock for several questions, within a user's call alone. */
class TickClockTest {
    private static final int USES = 16;

    private final AtomicLong source = new AtomicLong();
    private final TickClock clock = new TickClock(source::incrementAndGet);

    @Test
    void noCall_asked_readsEachTime() {
        assertThat(clock.nanoTime()).isEqualTo(1);
        assertThat(clock.nanoTime()).isEqualTo(2);
    }

    @Test
    void call_asked_readsOnceInSixteen() {
        clock.callBegins();
        for (int i = 0; i < USES; i++) {
            assertThat(clock.nanoTime()).isEqualTo(1);
        }
        assertThat(clock.nanoTime()).isEqualTo(2);
    }

    @Test
    void call_notAsked_readsNothing() {
        clock.callBegins();
        clock.callEnds();
        assertThat(source.get()).isZero();
    }

    @Test
    void nextCall_asked_readsAnew() {
        clock.callBegins();
        assertThat(clock.nanoTime()).isEqualTo(1);
        clock.callEnds();
        clock.callBegins();
        assertThat(clock.nanoTime()).isEqualTo(2);
        clock.callBegins(); // the one before was left by an exception
        assertThat(clock.nanoTime()).isEqualTo(3);
    }

    @Test
    void callEnded_asked_readsEachTime() {
        clock.callBegins();
        assertThat(clock.nanoTime()).isEqualTo(1);
        clock.callEnds();
        assertThat(clock.nanoTime()).isEqualTo(2);
        assertThat(clock.nanoTime()).isEqualTo(3);
    }

    @Test
    void vnet_withoutThreadsOnTheMachinesClock_hasOne() {
        final Clock virtual = () -> 7;
        try (Vnet poll = vnet(false, Clock.SYSTEM); Vnet threads = vnet(true, Clock.SYSTEM);
             Vnet simulated = vnet(false, virtual)) {
            assertThat(poll.clock()).isInstanceOf(TickClock.class);
            assertThat(threads.clock()).isSameAs(Clock.SYSTEM);
            assertThat(simulated.clock()).isSameAs(virtual);
        }
    }

    private static Vnet vnet(final boolean threads, final Clock clock) {
        return Vnet.builder().name("t").services(false).threads(threads).clock(clock).pool(MbufPool.builder().small())
            .build();
    }
}
