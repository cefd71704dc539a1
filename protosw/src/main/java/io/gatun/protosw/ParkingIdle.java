package io.gatun.protosw;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.agrona.concurrent.IdleStrategy;

/**
 * Waits for work by spinning a while, then yielding, then parking until it is woken or a deadline comes.
 *
 * <p>No wake-up is lost: whoever wakes publishes the work, writes {@code signalled} and then reads {@code parked};
 * the waiter writes {@code parked} and then reads {@code signalled}.
 *
 * <p>Locking key: (o) the waiting thread, (v) volatile.
 */
final class ParkingIdle implements IdleStrategy {
    private final int spins;
    private final int yields;
    private final LongSupplier sleepNs;
    private int idled;                  // (o) turns without work
    private volatile boolean signalled; // (v)
    private volatile Thread parked;     // (v) the thread that parks or is about to
    private volatile boolean closing;   // (v) never park again

    /** @param sleepNs asked before parking: nanoseconds, or {@link CalloutWheel#NONE} */
    ParkingIdle(int spins, int yields, LongSupplier sleepNs) {
        this.spins = spins;
        this.yields = yields;
        this.sleepNs = sleepNs;
    }

    /** There is work. Any thread. */
    void wake() {
        signalled = true;
        Thread t = parked;
        if (t != null) {
            LockSupport.unpark(t);
        }
    }

    /** The thread is about to be told to end: it must be awake to hear it. */
    void close() {
        closing = true;
        wake();
    }

    @Override
    public void idle(int workCount) {
        if (workCount > 0) {
            reset();
        } else {
            idle();
            forgetInterrupt();
        }
    }

    /** An interrupt is no way to end an agent, which would end without a word; nor may it keep one from parking. */
    private static void forgetInterrupt() {
        if (Thread.currentThread().isInterrupted()) {
            var _ = Thread.interrupted();
        }
    }

    @Override
    public void idle() {
        if (signalled || closing) {
            signalled = false;
            idled = 0;
            Thread.onSpinWait();
            return;
        }
        if (idled < spins) {
            idled++;
            Thread.onSpinWait();
        } else if (idled < spins + yields) {
            idled++;
            Thread.yield();
        } else {
            park();
        }
    }

    private void park() {
        long ns = sleepNs.getAsLong();
        parked = Thread.currentThread();
        boolean stay = signalled || closing;
        if (!stay && ns == CalloutWheel.NONE) {
            LockSupport.park(this);
        } else if (!stay && ns > 0) {
            LockSupport.parkNanos(this, ns);
        }
        parked = null;
        if (signalled || ns == 0) {
            signalled = false;
            idled = 0;
        } // else the time was up: with nothing to do it parks again at once
    }

    @Override
    public void reset() {
        idled = 0;
    }
}
