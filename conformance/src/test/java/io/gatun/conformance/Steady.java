package io.gatun.conformance;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * What work allocates on the heap once it is compiled. When that is depends on what else the machine does, so no
 * number of turns before it is enough: work is repeated until it has allocated nothing once, or for so long that it
 * never will.
 */
public final class Steady {
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(120);
    /** The part of a run that a short one is. */
    private static final int SHORT = 10;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Steady() {
    }

    /** One run of what is measured. */
    @FunctionalInterface
    public interface Work<E extends Exception> {
        /** Does it once. */
        void run() throws E;
    }

    /**
     * Octets that the calling thread allocates in the best run of {@code turns} turns. Short runs go before, until one
     * allocates nothing, since a long one would be spent on what is not compiled yet.
     */
    public static <E extends Exception> long octets(final int turns, final Work<E> turn) throws E {
        if (turns > SHORT) {
            octets(THREADS::getCurrentThreadAllocatedBytes, () -> repeat(turns / SHORT, turn));
        }
        return octets(THREADS::getCurrentThreadAllocatedBytes, () -> repeat(turns, turn));
    }

    private static <E extends Exception> void repeat(final int turns, final Work<E> turn) throws E {
        for (int i = 0; i < turns; i++) {
            turn.run();
        }
    }

    /** The same by another count of octets. */
    static <E extends Exception> long octets(final LongSupplier allocated, final Work<E> work) throws E {
        final long start = System.nanoTime();
        long least = Long.MAX_VALUE;
        while (least != 0 && System.nanoTime() - start < PATIENCE_NS) {
            final long before = allocated.getAsLong();
            work.run();
            least = Math.min(least, allocated.getAsLong() - before);
        }
        return least;
    }
}
