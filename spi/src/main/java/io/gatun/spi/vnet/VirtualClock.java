package io.gatun.spi.vnet;

import java.util.concurrent.atomic.AtomicLong;

/** A clock that stands still until it is told to move: for tests and simulations. */
public final class VirtualClock implements Clock {
    private final AtomicLong nowNs = new AtomicLong();

    /** Starts at 1 s, so that a forgotten zero shows. */
    public VirtualClock() {
        this(1_000_000_000L);
    }

    /** Begins at that instant. */
    public VirtualClock(final long startNs) {
        nowNs.set(startNs);
    }

    @Override
    public long nanoTime() {
        return nowNs.get();
    }

    /** Moves forward by a span of nanoseconds, not negative. */
    public void advance(final long spanNs) {
        if (spanNs < 0) {
            throw new IllegalArgumentException("time cannot go back by " + -spanNs + " ns");
        }
        nowNs.addAndGet(spanNs);
    }

    /** Moves forward to an instant; does nothing when that has passed. */
    public void advanceTo(final long instantNs) {
        nowNs.accumulateAndGet(instantNs, (a, b) -> b - a > 0 ? b : a);
    }
}
