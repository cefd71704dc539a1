package io.gatun.protosw;

import io.gatun.spi.vnet.Clock;

/**
 * The clock of a vnet without threads: while a user's call lasts, one reading serves several that ask for the time, for
 * a reading costs as much as half of what is done with it. Outside of calls each has a reading of its own. Time never
 * goes back, and what is told lags behind by what the stack does for {@link #USES} packets at most.
 *
 * <p>Locking key: (c) constant, (t) the thread that drives the vnet.
 */
final class TickClock implements Clock {
    private static final int USES = 16;

    private final Clock source; // (c)
    private boolean inCall;     // (t)
    private int left;           // (t) how often the last reading may still be told
    private long lastNs;        // (t)

    TickClock(final Clock source) {
        this.source = source;
    }

    @Override
    public void callBegins() {
        inCall = true;
        left = 0;
    }

    @Override
    public void callEnds() {
        inCall = false;
        left = 0;
    }

    @Override
    public long nanoTime() {
        if (left > 0) {
            left--;
            return lastNs;
        }
        final long now = source.nanoTime();
        if (inCall) {
            lastNs = now;
            left = USES - 1;
        }
        return now;
    }
}
