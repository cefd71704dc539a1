package io.gatun.spi.sys;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;

/**
 * A lock of the stack, which its owner may take again, and which knows its place in the lock order. Waiting for it
 * allocates nothing and frees the carrier of a virtual thread. With assertions on, {@link Witness} records every
 * acquisition and fails on a reversal.
 *
 * <p>A mutex of a vnet without threads is no more than a count: such a vnet is driven by one thread at a time, and
 * whoever lets another take over sees to it that it sees what the first has done.
 *
 * <p>{@link Lock} is implemented for the sake of checkers that know it; of its methods only {@link #lock},
 * {@link #tryLock()} and {@link #unlock} are supported. To wait under a mutex see {@link Cv}.
 *
 * <p>Locking key: (c) constant, (v) VarHandle when shared, else of the one thread, (t) the owner, others see garbage.
 *
 * @bsd struct mtx
 * @see <a href="https://man.freebsd.org/mutex/9">mutex(9)</a>
 */
public final class Mtx implements Lock {
    private static final VarHandle STATE;
    private static final VarHandle SLEEPQ;
    private static final int FREE = 0;
    private static final int HELD = 1;
    /** Held, and somebody may be parked. */
    private static final int WANTED = 2;
    private static final long NOBODY = 0;
    /** Turns of waiting for an owner who is about to let go; parking costs much more. */
    private static final int SPINS = Runtime.getRuntime().availableProcessors() > 1 ? 64 : 0;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATE = lookup.findVarHandle(Mtx.class, "state", int.class);
            SLEEPQ = lookup.findVarHandle(Mtx.class, "sleepq", Sleepq.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;           // (c)
    private final LockClass lockClass;   // (c)
    private final boolean shared;        // (c)
    private int state;                   // (v)
    private int holds;                   // (t) beyond the first
    private long owner;                  // (t) thread id
    private Sleepq sleepq;               // (v) made by the first waiter

    /**
     * A mutex that threads share.
     *
     * @param lockClass its place in the order
     * @param name what Witness prints, as in {@code so_rcv}
     */
    public Mtx(final LockClass lockClass, final String name) {
        this(lockClass, name, true);
    }

    /**
     * @param lockClass its place in the order
     * @param name what Witness prints, as in {@code so_rcv}
     * @param shared whether several threads may want it at once: {@code VnetSide.threaded()}
     */
    public Mtx(final LockClass lockClass, final String name, final boolean shared) {
        this.lockClass = lockClass;
        this.name = name;
        this.shared = shared;
    }

    public LockClass lockClass() {
        return lockClass;
    }

    public String name() {
        return name;
    }

    /** Takes it; spins for a moment, then parks. Deaf to interrupts, which stay pending. @bsd mtx_lock */
    @Override
    public void lock() {
        assert Witness.checkOrder(this);
        final long me = Thread.currentThread().threadId();
        if (owner == me) {
            holds++;
        } else {
            acquire();
            owner = me;
        }
        assert Witness.acquired(this);
    }

    private void acquire() {
        if (!shared) {
            claimAlone();
        } else if (!STATE.compareAndSet(this, FREE, HELD) && !spin()) {
            park();
        }
    }

    private void claimAlone() {
        if (state != FREE) {
            throw new IllegalStateException(name + " of a vnet without threads is held by thread " + owner
                + " and wanted by " + Thread.currentThread().threadId());
        }
        state = HELD;
    }

    private boolean spin() {
        for (int i = 0; i < SPINS; i++) {
            Thread.onSpinWait();
            if ((int) STATE.getOpaque(this) == FREE && STATE.compareAndSet(this, FREE, HELD)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Every waiter stands in the queue before it marks the state, and marks it again when it gets the lock, so the
     * owner that frees a marked state finds somebody to wake as long as anybody waits.
     */
    private void park() {
        final Thread t = Thread.currentThread();
        final Sleepq q = queue();
        boolean interrupted = false;
        q.add(t);
        while ((int) STATE.getAndSet(this, WANTED) != FREE) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        q.remove(t);
        if (interrupted) {
            t.interrupt();
        }
    }

    private Sleepq queue() {
        final Sleepq q = (Sleepq) SLEEPQ.getAcquire(this);
        if (q != null) {
            return q;
        }
        final Sleepq made = new Sleepq();
        final Sleepq other = (Sleepq) SLEEPQ.compareAndExchange(this, null, made);
        return other == null ? made : other;
    }

    /** @bsd mtx_trylock */
    @Override
    public boolean tryLock() {
        final long me = Thread.currentThread().threadId();
        if (owner == me) {
            holds++;
        } else if (shared ? STATE.compareAndSet(this, FREE, HELD) : state == FREE) {
            if (!shared) {
                state = HELD;
            }
            owner = me;
        } else {
            return false;
        }
        assert Witness.acquired(this);
        return true;
    }

    /** @bsd mtx_unlock */
    @Override
    public void unlock() {
        if (owner != Thread.currentThread().threadId()) {
            throw new IllegalMonitorStateException(name + " is not held by this thread");
        }
        assert Witness.released(this);
        if (holds > 0) {
            holds--;
        } else {
            release();
        }
    }

    private void release() {
        owner = NOBODY;
        if (!shared) {
            state = FREE;
        } else if ((int) STATE.getAndSet(this, FREE) == WANTED) {
            ((Sleepq) SLEEPQ.getAcquire(this)).wakeFirst();
        }
    }

    /** Gives it up however often it was taken; answers what {@link #takeBack} wants. */
    int letGo() {
        assert owned();
        final int n = holds;
        for (int i = 0; i <= n; i++) {
            assert Witness.released(this);
        }
        holds = 0;
        release();
        return n;
    }

    void takeBack(final int n) {
        acquire();
        owner = Thread.currentThread().threadId();
        holds = n;
        for (int i = 0; i <= n; i++) {
            assert Witness.acquired(this);
        }
    }

    /** For the first line of a {@code ...Locked} method: {@code assert lock.owned();}. @bsd mtx_assert */
    public boolean owned() {
        return owner == Thread.currentThread().threadId();
    }

    /** Whether anybody holds it; for diagnosis. */
    public boolean isLocked() {
        return (int) STATE.getOpaque(this) != FREE;
    }

    /** Whether several threads may want it at once. */
    boolean isShared() {
        return shared;
    }

    @Override
    public void lockInterruptibly() {
        throw new UnsupportedOperationException("a mutex is not waited for interruptibly");
    }

    @Override
    public boolean tryLock(final long time, final TimeUnit unit) {
        throw new UnsupportedOperationException("a mutex is not waited for with a time-out");
    }

    @Override
    public Condition newCondition() {
        throw new UnsupportedOperationException("use Cv");
    }

    @Override
    public String toString() {
        return name + " (" + lockClass + ")" + (isLocked() ? ", held by thread " + owner : "");
    }
}
