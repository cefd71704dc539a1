package io.gatun.spi.sys;

import io.gatun.spi.vnet.Clock;
import java.util.concurrent.locks.LockSupport;

/**
 * A condition variable under a {@link Mtx}. Waiting allocates nothing and frees the carrier of a virtual thread. Each
 * wait may end for no reason, so callers wait in a loop on what they wait for.
 *
 * <p>All methods want the mutex held; waiting gives it up, however often it was taken, and has it back at the end.
 *
 * @bsd struct cv
 * @see <a href="https://man.freebsd.org/condvar/9">condvar(9)</a>
 */
public final class Cv {
    /** The answer of {@link #timedAwaitSig} to an interrupt. */
    public static final long EINTR = Long.MIN_VALUE;
    /** A limit that is never reached. */
    public static final long FOREVER = Long.MAX_VALUE;

    private final Mtx mtx;
    private final Sleepq waiters = new Sleepq();

    /** @throws IllegalArgumentException for a mutex of a vnet without threads: there nobody could wake a waiter */
    public Cv(final Mtx mtx) {
        if (!mtx.isShared()) {
            throw new IllegalArgumentException("nobody can wait under " + mtx.name());
        }
        this.mtx = mtx;
    }

    /** Waits, deaf to interrupts, which stay pending. @bsd cv_wait */
    public void await() {
        final boolean interrupted = Thread.interrupted();
        sleep(0);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Waits.
     *
     * @return OK, or EINTR when the thread is interrupted, which it stays
     * @bsd cv_wait_sig
     */
    public Errno awaitSig() {
        return Thread.currentThread().isInterrupted() ? Errno.EINTR : sleep(0);
    }

    /** What to begin a loop of {@link #timedAwaitSig} with, for a time-out of which 0 is none, as SO_RCVTIMEO is. */
    public static long limit(final long timeoNs) {
        return timeoNs == 0 ? FOREVER : timeoNs;
    }

    /** What a loop of {@link #timedAwaitSig} ended with that has nothing left: EINTR, or EAGAIN for the time-out. */
    public static Errno outcome(final long left) {
        return left == EINTR ? Errno.EINTR : Errno.EAGAIN;
    }

    /**
     * Waits for at most so long by the system's clock: a park knows no other. A wait with a time-out is
     *
     * <pre>{@code
     *   long left = Cv.limit(timeoNs);
     *   while (!what is waited for) {
     *       if (left <= 0) {
     *           return Cv.outcome(left);
     *       }
     *       left = cv.timedAwaitSig(left);
     *   }
     * }</pre>
     *
     * @param ns above 0; {@link #FOREVER} is no limit
     * @return what is left of ns, 0 or less when the time is over; {@link #EINTR} when the thread is interrupted, which
     *     it stays
     * @bsd cv_timedwait_sig
     */
    public long timedAwaitSig(final long ns) {
        assert ns > 0 : ns;
        if (ns == FOREVER) {
            return awaitSig() == Errno.OK ? FOREVER : EINTR;
        }
        final long start = Clock.SYSTEM.nanoTime();
        if (Thread.currentThread().isInterrupted() || sleep(ns) != Errno.OK) {
            return EINTR;
        }
        return ns - (Clock.SYSTEM.nanoTime() - start);
    }

    private Errno sleep(final long ns) {
        final Thread t = Thread.currentThread();
        waiters.add(t);
        final int holds = mtx.letGo();
        if (ns == 0) {
            LockSupport.park(this);
        } else {
            LockSupport.parkNanos(this, ns);
        }
        mtx.takeBack(holds);
        // A signal that came with an interrupt is not lost: who gets it passes it on by not being in the queue.
        final boolean signalled = !waiters.remove(t);
        return !signalled && t.isInterrupted() ? Errno.EINTR : Errno.OK;
    }

    /** Lets the thread go on that has waited longest. @bsd cv_signal */
    public void signal() {
        assert mtx.owned();
        waiters.signal();
    }

    /** Lets all go on. @bsd cv_broadcast */
    public void broadcast() {
        assert mtx.owned();
        waiters.broadcast();
    }
}
