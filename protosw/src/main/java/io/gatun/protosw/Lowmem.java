package io.gatun.protosw;

import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.SwiTask;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Asks the protocols to give up what they can spare once the pool has refused a request. Not again within a second:
 * under a flood every other packet may be refused, and to look at all connections for each would do the flood's work.
 *
 * <p>A vnet without threads may share its pool with others, whose threads are refused something too: it is told no more
 * than that, and finds out at its next {@link Vnet#poll}.
 *
 * <p>Locking key: (c) constant; (a) atomic; (v) volatile.
 *
 * @bsd mb_reclaim
 */
final class Lowmem implements Runnable {
    private static final long INTERVAL_NS = 1_000_000_000L;

    private final Clock clock;                                          // (c)
    private final Netisr netisr;                                        // (c)
    private final List<Runnable> drains = new CopyOnWriteArrayList<>(); // (a)
    private final AtomicLong notBeforeNs;                               // (a)
    private final boolean threaded;                                     // (c) whether the vnet has threads
    private volatile boolean refused;                                   // (v) since the last look, without threads
    private final SwiTask task = new SwiTask() {                        // (c)
        @Override
        protected void run() {
            for (Runnable drain : drains) {
                drain.run();
            }
        }
    };

    Lowmem(Clock clock, Netisr netisr, boolean threaded) {
        this.clock = clock;
        this.netisr = netisr;
        this.threaded = threaded;
        notBeforeNs = new AtomicLong(clock.nanoTime());
    }

    void add(Runnable drain) {
        drains.add(drain);
    }

    /** The pool has refused something, under whatever locks. */
    @Override
    public void run() {
        if (threaded) {
            ask();
        } else {
            refused = true;
        }
    }

    /** For a vnet without threads, at each poll. */
    void look() {
        if (refused) {
            refused = false;
            ask();
        }
    }

    private void ask() {
        long at = notBeforeNs.get();
        long now = clock.nanoTime();
        if (now - at >= 0 && notBeforeNs.compareAndSet(at, now + INTERVAL_NS)) {
            netisr.schedule(task);
        }
    }
}
