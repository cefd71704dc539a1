package io.gatun.drivers.linux;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts what a piece of work allocates on the calling thread once it is warm. */
public final class Allocation {
    private static final int WINDOWS = 10;

    private Allocation() {
    }

    /**
     * The octets {@code work} allocates in steady state: the least of several runs, because the compiler throwing
     * code away costs a few octets once, at any time, and the work itself costs the same in each.
     */
    public static long steadyOctets(Runnable work) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < WINDOWS && least != 0; i++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            work.run();
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }
}
