package io.gatun.spi.sys;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The cells of a block of counters: a row for each thread that has a slot, so that what one thread counts lies together
 * and no other thread writes to it.
 *
 * <p>A slot goes to the first platform thread whose id maps to it, for good: thread ids are never used again. Virtual
 * threads, which are many and short-lived, get none.
 *
 * <p>Locking key: (c) constant, (v) VarHandle: a row is made once by its thread.
 */
final class CounterCells {
    /** Counters in one block. */
    static final int BLOCK = 256;
    /** A power of two. */
    static final int SLOTS = 8;

    private static final VarHandle ROWS = MethodHandles.arrayElementVarHandle(long[][].class);
    private static final VarHandle OWNERS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle CELLS = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] owners = new long[SLOTS];     // (v) thread ids, 0 for nobody
    private final long[][] rows = new long[SLOTS][];   // (v) by slot

    /** The row of the calling thread, or null when it has to share. */
    long[] mine() {
        final long me = Thread.currentThread().threadId();
        final int slot = (int) me & SLOTS - 1;
        return owners[slot] == me ? rows[slot] : claim(me, slot);
    }

    private long[] claim(final long me, final int slot) {
        if ((long) OWNERS.getOpaque(owners, slot) != 0 || Thread.currentThread().isVirtual()
            || !OWNERS.compareAndSet(owners, slot, 0L, me)) {
            return null;
        }
        final long[] row = new long[BLOCK];
        ROWS.setRelease(rows, slot, row);
        return row;
    }

    long sum(final int index) {
        long sum = 0;
        for (int i = 0; i < SLOTS; i++) {
            final long[] row = (long[]) ROWS.getAcquire(rows, i);
            if (row != null) {
                sum += (long) CELLS.getOpaque(row, index);
            }
        }
        return sum;
    }
}
