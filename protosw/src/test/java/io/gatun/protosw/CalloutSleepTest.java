package io.gatun.protosw;

import static io.gatun.protosw.TestVnets.MS;
import static io.gatun.protosw.TestVnets.SEC;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.vnet.VirtualClock;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * The agent of a vnet with threads, step by step on a virtual clock: it runs what is due, asks how long it may sleep,
 * and sleeps for that long unless it is woken. Whatever is armed, moved and stopped meanwhile, and however many there
 * were a while ago, nothing is left that was due.
 */
final class CalloutSleepTest {
    private static final int STEPS = 600;
    private static final int SPIKE = 400;

    private final VirtualClock clock = new VirtualClock();
    private final CalloutWheel wheel = new CalloutWheel(clock, true, () -> woken = true, () -> { });
    private boolean woken;
    private long sleepsUntil;

    private void work() {
        long ns;
        do {
            woken = false;
            wheel.runDue();
            ns = wheel.sleepNs();
        } while (ns <= 0);
        sleepsUntil = ns == CalloutWheel.NONE ? Long.MAX_VALUE : clock.nanoTime() + ns;
    }

    private void pass(final long ns) {
        final long end = clock.nanoTime() + ns;
        while (sleepsUntil <= end) {
            clock.advanceTo(sleepsUntil);
            work();
        }
        clock.advanceTo(end);
    }

    private static long span(final Random r) {
        return r.nextLong(1L << 1 + r.nextInt(36));
    }

    @Property(tries = 200)
    void anySequence_nothingIsOverslept(@ForAll final long seed) {
        final Random r = new Random(seed);
        final VnetCallout[] c = new VnetCallout[r.nextBoolean() ? SPIKE : 1 + r.nextInt(20)];
        for (int i = 0; i < c.length; i++) {
            final boolean again = r.nextInt(50) == 0;
            final VnetCallout[] self = new VnetCallout[1];
            self[0] = new VnetCallout(wheel, "c" + i, null, () -> {
                if (again) {
                    self[0].reset(span(r));
                }
            });
            c[i] = self[0];
        }
        work();
        for (int i = 0; i < STEPS; i++) {
            final VnetCallout one = c[r.nextInt(c.length)];
            switch (r.nextInt(10)) {
                case 0 -> one.stop();
                case 1 -> one.drain();
                case 2, 3 -> pass(span(r));
                case 4 -> spike(r, c);
                default -> one.reset(span(r));
            }
            if (woken) {
                work();
            }
            for (final VnetCallout v : c) {
                assertThat(v.due()).as("%s, seed %d, step %d", v, seed, i).isGreaterThan(wheel.nowNs() - 1);
            }
        }
        for (final VnetCallout v : c) {
            v.drain();
        }
        assertThat(wheel.armed()).isZero();
    }

    /** Many at nearly one time, so that a spoke grows; at times all stop again, so that it gives up its room. */
    private static void spike(final Random r, final VnetCallout[] c) {
        if (r.nextInt(4) != 0) {
            return;
        }
        final long at = r.nextInt(2) * SEC + MS;
        for (final VnetCallout v : c) {
            v.reset(at + r.nextInt(3));
        }
        if (r.nextBoolean()) {
            for (final VnetCallout v : c) {
                v.stop();
            }
        }
    }
}
