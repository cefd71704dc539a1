package io.gatun.spi.sys;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;

/**
 * A lock of the stack, which its owner may take again, and which knows its place in the lock order. Waiting for it
 * allocates nothing on a platform thread and frees the carrier of a virtual one. With assertions on, {@link Witness}
 * records every acquisition and fails on a reversal.
 *
 * <p>Letting go is a store and no locked instruction, as long as nobody was seen to wait. A thread that says just then
 * that it waits may be overlooked, so who waits looks again after a while by itself. What others are to see before the
 * next thing that this thread reads is not ordered by letting go: a flag read afterwards needs a fence of its own.
 *
 * <p>A mutex of a vnet without threads is no more than a count: such a vnet is driven by one thread at a time, and
 * whoever lets another take over sees to it that it sees what the first has done. With assertions on, a second thread
 * that comes while the first holds it is told so by an IllegalStateException.
 *
 * <p>{@link Lock} is implemented for the sake of checkers that know it; of its methods only {@link #lock},
 * {@link #tryLock()} and {@link #unlock} are supported. To wait under a mutex see {@link Cv}.
 *
 * <p>There are four to a connection, so it is small: owner and state are one word, as in FreeBSD.
 *
 * <p>Locking key: (c) constant, (v) VarHandle when shared, (t) the owner, (a) not shared, and assertions on.
 *
 * @bsd struct mtx
 * @see <a href="https://man.freebsd.org/mutex/9">mutex(9)</a>
 */
public final class Mtx implements Lock {
    private static final VarHandle LOCK;
    private static final VarHandle SLEEPQ;
    private static final long UNOWNED = 0;
    /** Somebody may be parked. @bsd MTX_CONTESTED */
    private static final long CONTESTED = 1;
    private static final LockClass[] CLASSES = LockClass.values();
    /** Turns of waiting for an owner who is about to let go; parking costs much more. */
    private static final int SPINS = Runtime.getRuntime().availableProcessors() > 1 ? 64 : 0;
    /** The first and the longest time after which who waits looks again, should its owner have overlooked it. */
    private static final long FIRST_NAP_NS = 100_000;
    private static final long LONGEST_NAP_NS = 10_000_000;

    static {
        try {
            final MethodHandles.Lookup lookup = MethodHandles.lookup();
            LOCK = lookup.findVarHandle(Mtx.class, "lock", long.class);
            SLEEPQ = lookup.findVarHandle(Mtx.class, "sleepq", Sleepq.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;           // (c)
    private final byte lockClass;        // (c) ordinal
    private final boolean shared;        // (c)
    private short holds;                 // (t) beyond the first; all when not shared
    private long lock;                   // (v,a) UNOWNED, or the owner's id above CONTESTED
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
        this.lockClass = (byte) lockClass.ordinal();
        this.name = name;
        this.shared = shared;
    }

    public LockClass lockClass() {
        return CLASSES[lockClass];
    }

    public String name() {
        return name;
    }

    /** The word of this thread as owner. */
    private static long me() {
        return Thread.currentThread().threadId() << 1;
    }

    private long word() {
        return (long) LOCK.getOpaque(this);
    }

    /** Whether a thread has it: only its owner writes its own id, so for oneself the answer is never out of date. */
    private boolean ownedBy(final long thread) {
        return (word() & ~CONTESTED) == thread;
    }

    /** Takes it; spins for a moment, then parks. Deaf to interrupts, which stay pending. @bsd mtx_lock */
    @Override
    public void lock() {
        assert Witness.checkOrder(this);
        if (shared) {
            acquire(me());
        } else {
            assert alone();
            holds++;
        }
        assert Witness.acquired(this);
    }

    /** Tries before it looks: who has read a line that another has written waits for it twice. */
    private void acquire(final long me) {
        if (!LOCK.compareAndSet(this, UNOWNED, me)) {
            acquireHeld(me);
        }
    }

    private void acquireHeld(final long me) {
        if (ownedBy(me)) {
            holds++;
        } else if (!spin(me)) {
            park(me);
        }
    }

    /** Not shared: no other thread holds it. Notes that this one is about to. */
    private boolean alone() {
        final long me = me();
        if (holds != 0 && lock != me) {
            throw new IllegalStateException(name + " of a vnet without threads is held by thread " + (lock >>> 1)
                + " and wanted by " + (me >>> 1));
        }
        lock = me;
        return true;
    }

    private boolean spin(final long me) {
        for (int i = 0; i < SPINS; i++) {
            Thread.onSpinWait();
            if (word() == UNOWNED && LOCK.compareAndSet(this, UNOWNED, me)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Every waiter stands in the queue before it marks the word, and marks it again when it gets the lock, so the
     * owner that frees a marked word finds somebody to wake as long as anybody waits. A mark that falls between an
     * owner's look at the word and its store is lost: it is made again after a nap. Naps grow while the mark is found
     * standing, for then it was not lost; after each new one they begin anew, so that a long wait does not end with a
     * long nap before a lock that is free.
     */
    private void park(final long me) {
        final Thread t = Thread.currentThread();
        final Sleepq q = queue();
        boolean interrupted = false;
        q.add(t);
        long nap = 0;
        boolean stood = false;
        while (!claimOrMark(me)) {
            nap = stood ? Math.min(2 * nap, LONGEST_NAP_NS) : FIRST_NAP_NS;
            LockSupport.parkNanos(this, nap);
            interrupted |= Thread.interrupted();
            stood = (word() & CONTESTED) != 0;
        }
        q.remove(t);
        if (interrupted) {
            t.interrupt();
        }
    }

    /** Takes it when it is free, and marks it in either case. */
    private boolean claimOrMark(final long me) {
        while (true) {
            final long w = (long) LOCK.getVolatile(this);
            final long next = w == UNOWNED ? me | CONTESTED : w | CONTESTED;
            if (w == next || LOCK.compareAndSet(this, w, next)) {
                return w == UNOWNED;
            }
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
        if (shared) {
            final long me = me();
            if (!LOCK.compareAndSet(this, UNOWNED, me)) {
                if (!ownedBy(me)) {
                    return false;
                }
                holds++;
            }
        } else {
            assert alone();
            holds++;
        }
        assert Witness.acquired(this);
        return true;
    }

    /** @bsd mtx_unlock */
    @Override
    public void unlock() {
        if (!owned()) {
            throw new IllegalMonitorStateException(name + " is not held by this thread");
        }
        assert Witness.released(this);
        if (!shared || holds > 0) {
            holds--;
        } else {
            release();
        }
    }

    private void release() {
        final boolean contested = ((long) LOCK.getAcquire(this) & CONTESTED) != 0; // who marked it made the queue first
        LOCK.setRelease(this, UNOWNED);
        if (contested) {
            ((Sleepq) SLEEPQ.getAcquire(this)).wakeFirst();
        }
    }

    /** Gives it up however often it was taken; answers what {@link #takeBack} wants. Shared. */
    int letGo() {
        assert shared && owned();
        final int n = holds;
        for (int i = 0; i <= n; i++) {
            assert Witness.released(this);
        }
        holds = 0;
        release();
        return n;
    }

    void takeBack(final int n) {
        acquire(me());
        holds = (short) n;
        for (int i = 0; i <= n; i++) {
            assert Witness.acquired(this);
        }
    }

    /** For the first line of a {@code ...Locked} method: {@code assert lock.owned();}. @bsd mtx_assert */
    public boolean owned() {
        return shared ? ownedBy(me()) : holds != 0;
    }

    /** Whether anybody holds it; for diagnosis. */
    public boolean isLocked() {
        return shared ? word() != UNOWNED : holds != 0;
    }

    /** Whether several threads may want it at once. */
    public boolean isShared() {
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
        final long w = word();
        final String by = shared && w != UNOWNED ? " by thread " + (w >>> 1) : "";
        return name + " (" + lockClass() + ")" + (isLocked() ? ", held" + by : "");
    }
}
