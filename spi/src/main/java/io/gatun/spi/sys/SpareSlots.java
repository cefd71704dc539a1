package io.gatun.spi.sys;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Spare objects, one for each of a few threads, for work that needs one for a moment: a thread takes its slot's and
 * gives it back. A thread that finds its slot empty, because another shares it, makes or finds an object elsewhere.
 *
 * <p>In a vnet with threads a slot is two: one is for good the first platform thread's that came, which needs no atomic
 * instruction, the other is shared by those who came later.
 *
 * <p>Locking key: (c) constant, (o) the owner of the slot, else VarHandle when shared, else of the one thread, (v)
 * VarHandle.
 */
public final class SpareSlots<T> {
    private static final VarHandle SLOTS = MethodHandles.arrayElementVarHandle(Object[].class);
    private static final VarHandle OWNERS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int COUNT = 8;
    /** References from one slot to the next: they may have 4 octets, and cache lines are fetched in pairs. */
    private static final int SPREAD = 32;

    private final boolean shared;                               // (c)
    // Null when not shared:
    private final Object[] slots;                               // (o) the first part keeps others away
    private final int[] taken;                                  // (o) not 0: what stands in the slot is in use
    private final long[] owners;                                // (v) thread ids, 0 for nobody
    // Used when not shared:
    private T only;                                             // (o) when not shared: the slot
    private boolean lent;                                       // (o) what stands in it is in use

    /** @param shared whether several threads use it at once: {@code VnetSide.threaded()} */
    public SpareSlots(final boolean shared) {
        this.shared = shared;
        slots = shared ? new Object[(2 * COUNT + 1) * SPREAD] : null;
        taken = shared ? new int[slot(COUNT)] : null;
        owners = shared ? new long[COUNT] : null;
    }

    private static int slot(final int number) {
        return number * SPREAD + SPREAD / 2;
    }

    /** The spare object of this thread's slot, which is empty then; or null. */
    public T take() {
        return exchange(null);
    }

    /** Gives an object to this thread's slot; the one that was in it, or null, is the caller's. */
    @SuppressWarnings("unchecked")
    public T exchange(final T object) {
        if (!shared) {
            final T old = lent ? null : only;
            putOnly(object);
            return old;
        }
        final int i = mine();
        if (i >= slot(COUNT)) {
            return (T) SLOTS.getAndSet(slots, i, object);
        }
        final T old = taken[i] != 0 ? null : (T) slots[i];
        put(i, object);
        return old;
    }

    /** Gives an object to this thread's slot; one that was in it is forgotten. */
    public void give(final T object) {
        if (!shared) {
            putOnly(object);
            return;
        }
        final int i = mine();
        if (i >= slot(COUNT)) {
            SLOTS.setRelease(slots, i, object);
        } else {
            put(i, object);
        }
    }

    /** Where this thread's slot is: below {@code slot(COUNT)} it is nobody else's. */
    private int mine() {
        final long me = Thread.currentThread().threadId();
        final int n = (int) me & COUNT - 1;
        return slot(owns(n, me) ? n : n + COUNT);
    }

    /** What is taken stays where it is, marked: that it comes back costs no store of a reference in old memory then. */
    private void put(final int i, final T object) {
        taken[i] = object == null ? 1 : 0;
        if (object != null && slots[i] != object) {
            slots[i] = object;
        }
    }

    private void putOnly(final T object) {
        lent = object == null;
        if (object != null && only != object) {
            only = object;
        }
    }

    private boolean owns(final int n, final long me) {
        final long owner = owners[n];
        return owner == me || owner == 0 && !Thread.currentThread().isVirtual()
            && OWNERS.compareAndSet(owners, n, 0L, me);
    }
}
