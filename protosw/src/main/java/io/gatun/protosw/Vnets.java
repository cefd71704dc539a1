package io.gatun.protosw;

import io.gatun.spi.vnet.VirtualClock;
import java.util.function.BooleanSupplier;

/** Drives several vnets without threads that share one virtual clock. */
public final class Vnets {
    private Vnets() {
    }

    /** Polls all, in the order given, until none has anything left to do at this instant. */
    public static void runUntilIdle(Vnet... vnets) {
        boolean busy = true;
        while (busy) {
            busy = false;
            for (Vnet v : vnets) {
                busy |= v.poll();
            }
        }
    }

    /** The earliest instant at which one of them has a callout due; {@link Long#MAX_VALUE} when none has. */
    public static long nextDeadlineNs(Vnet... vnets) {
        long least = Long.MAX_VALUE;
        for (Vnet v : vnets) {
            least = Math.min(least, v.nextDeadlineNs());
        }
        return least;
    }

    /** Lets a span pass: runs all until idle, and steps from deadline to deadline to the end of the span. */
    public static void advance(VirtualClock clock, long spanNs, Vnet... vnets) {
        runUntil(clock, spanNs, () -> false, vnets);
    }

    /**
     * Lets time pass, from deadline to deadline, until a condition holds that is asked whenever all are idle.
     *
     * @param spanNs how long to go on for at most, in virtual time
     * @return whether the condition came true; if so the clock stands where it did
     */
    public static boolean runUntil(VirtualClock clock, long spanNs, BooleanSupplier done, Vnet... vnets) {
        long end = clock.nanoTime() + spanNs;
        runUntilIdle(vnets);
        while (!done.getAsBoolean()) {
            long next = nextDeadlineNs(vnets);
            if (next > end) {
                clock.advanceTo(end);
                runUntilIdle(vnets);
                return done.getAsBoolean();
            }
            clock.advanceTo(next);
            runUntilIdle(vnets);
        }
        return true;
    }
}
