package io.gatun.spi.sys;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that wait, oldest first. Grows when more wait at once than ever before, and never otherwise allocates: a
 * thread may wait on a data path.
 *
 * <p>Locking key: (v) VarHandle: held for a few instructions, never across a call that can block; (q) its holder.
 *
 * @bsd struct sleepqueue
 */
final class Sleepq {
    private static final VarHandle BUSY;
    private static final int FIRST = 4;
    private static final int SPINS = 64;

    static {
        try {
            BUSY = MethodHandles.lookup().findVarHandle(Sleepq.class, "busy", boolean.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused")
    private boolean busy;                          // (v)
    private Thread[] threads = new Thread[FIRST];  // (q)
    private int count;                             // (q)

    /** Puts a thread at the end. @bsd sleepq_add */
    void add(final Thread t) {
        enter();
        try {
            if (count == threads.length) {
                threads = Arrays.copyOf(threads, 2 * count);
            }
            threads[count] = t;
            count++;
        } finally {
            leave();
        }
    }

    /** Takes a thread out; false when it was not there. @bsd sleepq_remove */
    boolean remove(final Thread t) {
        enter();
        int i = 0;
        while (i < count && threads[i] != t) {
            i++;
        }
        final boolean found = i < count;
        if (found) {
            cut(i);
        }
        leave();
        return found;
    }

    /** Lets the oldest go on; it stays here until it takes itself out. */
    void wakeFirst() {
        enter();
        final Thread t = count == 0 ? null : threads[0];
        leave();
        LockSupport.unpark(t);
    }

    /** Takes the oldest out and lets it go on. @bsd sleepq_signal */
    void signal() {
        enter();
        final Thread t = count == 0 ? null : threads[0];
        if (t != null) {
            cut(0);
        }
        leave();
        LockSupport.unpark(t);
    }

    /** Takes all out and lets them go on. @bsd sleepq_broadcast */
    void broadcast() {
        enter();
        while (count > 0) {
            count--;
            LockSupport.unpark(threads[count]);
            threads[count] = null;
        }
        leave();
    }

    private void cut(final int i) {
        count--;
        System.arraycopy(threads, i + 1, threads, i, count - i);
        threads[count] = null;
    }

    private void enter() {
        for (int i = 0; !BUSY.compareAndSet(this, false, true); i++) {
            if (i < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
    }

    private void leave() {
        BUSY.setRelease(this, false);
    }
}
