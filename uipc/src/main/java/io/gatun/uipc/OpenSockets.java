package io.gatun.uipc;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Counts sockets against their limit. With threads a few of them are in the hand of those who make and end them, so
 * that threads that do much of that do not wait for each other's line. What is in hand never keeps anybody else from
 * the last socket within the limit.
 *
 * <p>Locking key: (v) atomic when shared, else of the one thread.
 */
final class OpenSockets {
    /** Hands; a power of two. */
    private static final int STRIPES = 8;
    private static final int LINE_SHIFT = 5; // ints in 128 octets
    /** So many are taken at once. */
    private static final int BATCH = 16;

    private final boolean shared;                             // (c)
    private final AtomicInteger taken = new AtomicInteger();  // (v) in being or in hand
    private final AtomicIntegerArray hands;                   // (v)

    /** @param shared whether several threads count at once: {@code VnetSide.threaded()} */
    OpenSockets(final boolean shared) {
        this.shared = shared;
        hands = new AtomicIntegerArray(shared ? STRIPES + 1 << LINE_SHIFT : 0);
    }

    private static int hand(final int stripe) {
        return stripe + 1 << LINE_SHIFT;
    }

    private static int mine() {
        return hand((int) Thread.currentThread().threadId() & STRIPES - 1);
    }

    /** One more; false, and nothing has changed, when there are as many as there may be. */
    boolean enter(final int limit) {
        if (shared) {
            return taken.get() <= limit && fromHand(mine()) || claim(limit);
        }
        final int n = taken.getPlain();
        if (n >= limit) {
            return false;
        }
        taken.setPlain(n + 1);
        return true;
    }

    private boolean fromHand(final int hand) {
        int n = hands.get(hand);
        while (n > 0) {
            if (hands.compareAndSet(hand, n, n - 1)) {
                return true;
            }
            n = hands.get(hand);
        }
        return false;
    }

    private boolean claim(final int limit) {
        if (add(BATCH, limit)) {
            hands.getAndAdd(mine(), BATCH - 1);
            return true;
        }
        for (int i = 0; i < STRIPES; i++) {
            taken.getAndAdd(-hands.getAndSet(hand(i), 0));
        }
        return add(1, limit);
    }

    private boolean add(final int n, final int limit) {
        int before = taken.get();
        while (before <= limit - n) {
            if (taken.compareAndSet(before, before + n)) {
                return true;
            }
            before = taken.get();
        }
        return false;
    }

    /** One less. */
    void leave() {
        if (!shared) {
            taken.setPlain(taken.getPlain() - 1);
            return;
        }
        final int hand = mine();
        final int n = hands.incrementAndGet(hand);
        if (n >= 2 * BATCH && hands.compareAndSet(hand, n, n - BATCH)) {
            taken.getAndAdd(-BATCH);
        }
    }

    /** Sockets in being; exact while nobody makes or ends any. */
    int count() {
        int n = taken.get();
        for (int i = 0; shared && i < STRIPES; i++) {
            n -= hands.get(hand(i));
        }
        return n;
    }
}
