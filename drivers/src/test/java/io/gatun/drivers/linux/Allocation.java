package io.gatun.drivers.linux;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts what a piece of work allocates on the calling thread once it is warm. */
public final class Allocation {
    private static final long PATIENCE_NS = 120_000_000_000L;

    private Allocation() {
    }

    /**
     * The octets {@code work} allocates in steady state. When it is compiled depends on what else the machine does, so
     * no number of runs before it is enough: it is repeated until it has allocated nothing once, or for so long that
     * it never will.
     */
    public static long steadyOctets(Runnable work) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        long start = System.nanoTime();
        while (least != 0 && System.nanoTime() - start < PATIENCE_NS) {
            long before = threads.getCurrentThreadAllocatedBytes();
            work.run();
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }
}
