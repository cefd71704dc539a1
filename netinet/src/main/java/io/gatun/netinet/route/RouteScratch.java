package io.gatun.netinet.route;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A few route caches for those who have none of their own: forwarding, ICMP, ARP. A claim takes one; when all are taken
 * a new one is made, which is rare.
 */
public final class RouteScratch {
    private static final int SLOTS = 16;

    private final AtomicReferenceArray<RouteCache> slots = new AtomicReferenceArray<>(SLOTS); // (v) null while taken

    /** All slots filled. */
    public RouteScratch() {
        for (int i = 0; i < SLOTS; i++) {
            slots.set(i, new RouteCache());
        }
    }

    /** Takes one; give it back by {@link #release}. */
    public RouteCache claim() {
        int at = (int) Thread.currentThread().threadId();
        for (int i = 0; i < SLOTS; i++) {
            RouteCache ro = slots.getAndSet(at + i & SLOTS - 1, null);
            if (ro != null) {
                return ro;
            }
        }
        return new RouteCache();
    }

    /** Gives one back. */
    public void release(RouteCache ro) {
        int at = (int) Thread.currentThread().threadId();
        for (int i = 0; i < SLOTS; i++) {
            if (slots.compareAndSet(at + i & SLOTS - 1, null, ro)) {
                return;
            }
        }
    }
}
