package io.gatun.spi.vnet;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Work of a device that {@link Netisr#swi} runs without any lock held, such as draining a ring. Owned by whoever made
 * it.
 *
 * @bsd struct task
 */
public abstract class SwiTask {
    private final AtomicBoolean scheduled = new AtomicBoolean(); // set by schedule, cleared just before run

    /** For subclasses. */
    protected SwiTask() {
        // starts unscheduled
    }

    /** Does the work. May schedule itself again. Throws nothing. */
    protected abstract void run();

    /** For netisr: claims the right to enqueue. False when it is queued already. */
    public final boolean claim() {
        return !scheduled.get() && scheduled.compareAndSet(false, true);
    }

    /** For netisr: runs it, after which it may be scheduled again. */
    public final void runClaimed() {
        scheduled.set(false);
        run();
    }
}
