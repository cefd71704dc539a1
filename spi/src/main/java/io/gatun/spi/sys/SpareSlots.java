package io.gatun.spi.sys;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Spare objects, one for each of a few threads, for work that needs one for a moment: a thread takes its slot's and
 * gives it back. A thread that finds its slot empty, because another shares it, makes or finds an object elsewhere.
 *
 * <p>Locking key: (c) constant, (v) VarHandle when shared, else of the one thread.
 */
public final class SpareSlots<T> {
    private static final VarHandle SLOTS = MethodHandles.arrayElementVarHandle(Object[].class);
    private static final int COUNT = 8;
    /** References from one slot to the next: they may have 4 octets, and cache lines are fetched in pairs. */
    private static final int SPREAD = 32;

    private final boolean shared;                               // (c)
    private final Object[] slots = new Object[(COUNT + 1) * SPREAD]; // (v) the first part keeps others away

    /** @param shared whether several threads use it at once: {@code VnetSide.threaded()} */
    public SpareSlots(final boolean shared) {
        this.shared = shared;
    }

    private static int slot() {
        return ((int) Thread.currentThread().threadId() & COUNT - 1) * SPREAD + SPREAD / 2;
    }

    /** The spare object of this thread's slot, which is empty then; or null. */
    public T take() {
        return exchange(null);
    }

    /** Gives an object to this thread's slot; the one that was in it, or null, is the caller's. */
    @SuppressWarnings("unchecked")
    public T exchange(final T object) {
        final int i = slot();
        if (shared) {
            return (T) SLOTS.getAndSet(slots, i, object);
        }
        final T old = (T) slots[i];
        slots[i] = object;
        return old;
    }

    /** Gives an object to this thread's slot; one that was in it is forgotten. */
    public void give(final T object) {
        SLOTS.setRelease(slots, slot(), object);
    }
}
