package io.gatun.bench.fib;

import io.gatun.netinet.route.NextHop;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Random;

/**
 * Structures against each other where other work goes on, so by processor time, and what they take of the heap:
 * {@code java -Xmx4g -cp ... io.gatun.bench.fib.FibCompare 4 DXR} prints one line, medians of several runs in
 * nanoseconds. One structure a process, lest one's calls spoil the other's code. {@link FibBench} is for a quiet
 * machine.
 */
public final class FibCompare {
    private static final int RUNS = 9;
    private static final int LOOKUPS = FibTable.QUESTIONS;
    private static final int CHANGES = 1 << 15;
    private static final int RUNS_OF_GC = 3;
    private static final double MB = 1e6;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final FibTable table;
    private long found;

    private FibCompare(final FibTable table) {
        this.table = table;
    }

    private static long used() {
        final Runtime r = Runtime.getRuntime();
        for (int i = 0; i < RUNS_OF_GC; i++) {
            System.gc();
        }
        return r.totalMemory() - r.freeMemory();
    }

    private void lookUp(final long[] asked) {
        final Lpm lpm = table.lpm;
        for (final long addr : asked) {
            final NextHop nh = lpm.lookup(addr);
            if (nh != null) {
                found++;
            }
        }
    }

    private void change(final int[] victims, final int from) {
        final Lpm lpm = table.lpm;
        for (int n = from; n < from + CHANGES / 2; n++) {
            final int i = victims[n];
            lpm.put(table.prefixes[i], table.lengths[i], null);
            lpm.put(table.prefixes[i], table.lengths[i], table.hop(i));
        }
    }

    /** Nanoseconds of processor time for one of {@code n}, the median of runs after a first that does not count. */
    private static double median(final int n, final Runnable work) {
        final double[] ns = new double[RUNS];
        work.run();
        for (int i = 0; i < RUNS; i++) {
            final long t0 = THREADS.getCurrentThreadCpuTime();
            work.run();
            ns[i] = (double) (THREADS.getCurrentThreadCpuTime() - t0) / n;
        }
        Arrays.sort(ns);
        return ns[RUNS / 2];
    }

    private void print(final FibTable.Kind kind, final boolean six) {
        final long[] random = table.random();
        final long[] skewed = table.skewed();
        final int[] victims = new Random(1).ints((RUNS + 1) * CHANGES / 2, 0, table.prefixes.length).toArray();
        final double asked = median(LOOKUPS, () -> lookUp(random));
        final double askedSkewed = median(LOOKUPS, () -> lookUp(skewed));
        final int[] run = new int[1];
        final double changed = median(CHANGES, () -> change(victims, run[0]++ * (CHANGES / 2)));
        final long with = used();
        table.lpm = null;
        final long without = used();
        // Prefixes and questions are used here, so they were there both times.
        final double share = (double) found / (RUNS + 1) / (random.length + skewed.length);
        System.out.printf("IPv%d %-12s look-up %6.1f ns, skewed %6.1f ns; change %8.0f ns; %6.1f MB; %d routes, %f%n",
            six ? 6 : 4, kind, asked, askedSkewed, changed, (with - without) / MB, table.prefixes.length, share);
    }

    /** IP version and structure. */
    public static void main(final String[] args) {
        final boolean six = "6".equals(args[0]);
        final FibTable.Kind kind = FibTable.Kind.valueOf(args[1]);
        final FibTable table = new FibTable(kind, six);
        table.check();
        new FibCompare(table).print(kind, six);
    }
}
