package io.gatun.spi.ifnet;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Counts the calls under way in an interface's slots, so that detach can wait until the last has returned. Callers are
 * spread over stripes a cache line apart.
 *
 * <p>A caller enters and then reads the interface's flags; detach writes them and then reads the counts: one of the two
 * sees the other.
 */
final class SlotGate {
    private static final int STRIPES = 8;
    private static final int LINE_SHIFT = 5; // ints in 128 octets
    private static final int SPINS = 100;
    private static final long WAIT_NS = 50_000;

    private final AtomicIntegerArray calls = new AtomicIntegerArray(STRIPES + 1 << LINE_SHIFT);

    /** Begins a call; the answer goes to {@link #exit}. */
    int enter() {
        final int stripe = ((int) Thread.currentThread().threadId() & STRIPES - 1) + 1 << LINE_SHIFT;
        calls.getAndIncrement(stripe);
        return stripe;
    }

    void exit(final int stripe) {
        calls.getAndDecrement(stripe);
    }

    /** Waits until every call that entered before has returned. */
    void await() {
        for (int i = 1; i <= STRIPES; i++) {
            int turns = 0;
            while (calls.get(i << LINE_SHIFT) != 0) {
                if (turns++ < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(this, WAIT_NS);
                }
            }
        }
    }
}
