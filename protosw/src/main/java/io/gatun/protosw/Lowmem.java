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
 * <p>Locking key: (c) constant; (a) atomic.
 *
 * @bsd mb_reclaim
 */
final class Lowmem implements Runnable {
    private static final long INTERVAL_NS = 1_000_000_000L;

    private final Clock clock;                                          // (c)
    private final Netisr netisr;                                        // (c)
    private final List<Runnable> drains = new CopyOnWriteArrayList<>(); // (a)
    private final AtomicLong notBeforeNs;                               // (a)
    private final SwiTask task = new SwiTask() {                        // (c)
        @Override
        protected void run() {
            for (Runnable drain : drains) {
                drain.run();
            }
        }
    };

    Lowmem(Clock clock, Netisr netisr) {
        this.clock = clock;
        this.netisr = netisr;
        notBeforeNs = new AtomicLong(clock.nanoTime());
    }

    void add(Runnable drain) {
        drains.add(drain);
    }

    /** The pool has refused something, under whatever locks. */
    @Override
    public void run() {
        long at = notBeforeNs.get();
        long now = clock.nanoTime();
        if (now - at >= 0 && notBeforeNs.compareAndSet(at, now + INTERVAL_NS)) {
            netisr.schedule(task);
        }
    }
}
