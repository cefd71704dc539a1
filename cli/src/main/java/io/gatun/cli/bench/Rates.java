package io.gatun.cli.bench;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/** How rates and round trips are taken. */
final class Rates {
    private static final double NS_PER_S = 1e9;
    private static final int DIGITS = 3;
    private static final long HIGHEST_NS = 10_000_000_000L;
    private static final int CLOCK_EVERY = 64;

    private Rates() {
    }

    /** One unit of work. */
    @FunctionalInterface
    interface Step {
        void run() throws IOException;
    }

    /** Units of work, as many as it did. */
    @FunctionalInterface
    interface Batch {
        long run() throws IOException;
    }

    /** The growth of a counter, a second, while others raise it. */
    static double measure(final AtomicLong counter, final Stack.Span span) {
        pause(span.warmNs());
        final long n0 = counter.get();
        final long t0 = System.nanoTime();
        pause(span.runNs());
        final long n1 = counter.get();
        return (n1 - n0) * NS_PER_S / (System.nanoTime() - t0);
    }

    private static void pause(final long ns) {
        final long until = System.nanoTime() + ns;
        long left = ns;
        while (left > 0) {
            LockSupport.parkNanos(left);
            left = until - System.nanoTime();
        }
    }

    /** Runs a batch again and again on this thread: units a second. */
    static double run(final Stack.Span span, final Batch batch) throws IOException {
        spin(span.warmNs(), batch);
        final long t0 = System.nanoTime();
        final long units = spin(span.runNs(), batch);
        return units * NS_PER_S / (System.nanoTime() - t0);
    }

    private static long spin(final long ns, final Batch batch) throws IOException {
        final long until = System.nanoTime() + ns;
        long units = 0;
        do {
            for (int i = 0; i < CLOCK_EVERY; i++) {
                units += batch.run();
            }
        } while (until - System.nanoTime() > 0);
        return units;
    }

    /** Times single steps on this thread. */
    static Histogram roundTrips(final Stack.Span span, final Step step) throws IOException {
        final Histogram ns = new Histogram(HIGHEST_NS, DIGITS);
        long t0 = System.nanoTime();
        final long warmUntil = t0 + span.warmNs();
        while (warmUntil - t0 > 0) {
            step.run();
            t0 = System.nanoTime();
        }
        final long until = t0 + span.runNs();
        while (until - t0 > 0) {
            step.run();
            final long t1 = System.nanoTime();
            ns.recordValue(t1 - t0);
            t0 = t1;
        }
        return ns;
    }
}
