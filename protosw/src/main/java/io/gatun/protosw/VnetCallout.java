package io.gatun.protosw;

import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One timer of a {@link CalloutWheel}. What it is armed for ({@code deadline}) and where it is queued ({@code
 * queuedNs}, never later) are two things, so moving a deadline later and disarming touch neither the wheel nor its
 * lock: the queue finds out when the earlier instant comes.
 *
 * <p>An armed callout is always queued, no later than it is due, or in the hands of the thread that expires it. Whoever
 * arms writes {@code deadline} and then reads {@code queuedNs}; whoever takes it from the queue writes {@code queuedNs}
 * and then reads {@code deadline}: one of the two sees the other.
 *
 * <p>One that was not queued is put among the {@link FreshCallouts} first, and gets its place when somebody looks. Most
 * timers of a short connection are disarmed before that, and cost the wheel and its lock nothing.
 *
 * <p>Locking key: (c) constant, (a) atomic or volatile when shared, else owned by the one thread of the vnet, (w) the
 * wheel's lock, (q) written under the wheel's lock, or from NONE by whoever arms, read by any, (f) of FreshCallouts.
 */
final class VnetCallout implements Callout {
    private static final VarHandle DEADLINE;
    private static final VarHandle QUEUED_NS;
    private static final VarHandle FRESH;

    static {
        try {
            MethodHandles.Lookup l = MethodHandles.lookup();
            DEADLINE = l.findVarHandle(VnetCallout.class, "deadline", long.class);
            QUEUED_NS = l.findVarHandle(VnetCallout.class, "queuedNs", long.class);
            FRESH = l.findVarHandle(VnetCallout.class, "fresh", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final String name;              // (c)
    final Mtx lock;                 // (c) or null
    final Runnable handler;         // (c)
    long queuedSeq;                 // (w) arm sequence when it was queued
    int heapIndex = -1;             // (w) -1: not in the heap
    long farId = -1;                // (w) -1: not in the wheel
    VnetCallout freshNext;          // (f) in the list it was put in
    private boolean fresh;          // (a) it is in one
    volatile Thread runner;         // (a) expires it now
    volatile boolean running;       // (a) its handler runs, and it was not stopped since
    private final CalloutWheel wheel;  // (c)
    private final boolean shared;      // (c)
    private long seq;                  // (a) arm sequence: orders equal deadlines in a vnet without threads
    // Plain where they begin: a volatile store would wait for all of a new connection to reach memory.
    private long deadline = CalloutWheel.NONE; // (a) by the wheel's time; NONE: not armed
    private long queuedNs = CalloutWheel.NONE; // (q) when the queue will look at it; NONE: not queued

    VnetCallout(CalloutWheel wheel, String name, Mtx lock, Runnable handler) {
        this.wheel = wheel;
        this.shared = wheel.shared();
        this.name = name;
        this.lock = lock;
        this.handler = handler;
    }

    @Override
    public boolean reset(long delayNs) {
        long now = wheel.nowNs();
        long at = now + Math.max(delayNs, 0);
        return arm(at < now || at == CalloutWheel.NONE ? CalloutWheel.NONE - 1 : at);
    }

    @Override
    public boolean resetAt(long deadlineNs) {
        return arm(wheel.fromClock(deadlineNs));
    }

    private boolean arm(long at) {
        if (!shared) {
            seq = wheel.nextSeq();
        }
        long before = exchange(at);
        long queued = queuedNs();
        if (queued == CalloutWheel.NONE) {
            wheel.queueFresh(this, at);
        } else if (queued > at) {
            wheel.queue(this);
        }
        return before != CalloutWheel.NONE;
    }

    @Override
    public boolean stop() {
        long before = disarm();
        if (running) {
            running = false;
        }
        long queued = queuedNs();
        if (queued != CalloutWheel.NONE && wheel.farOff(queued)) {
            wheel.requeue(this);
        }
        return before != CalloutWheel.NONE;
    }

    @Override
    public boolean drain() {
        assert lock == null || !lock.owned() || runner == Thread.currentThread() : name + " drained with its lock held";
        long before = disarm();
        if (running) {
            running = false;
        }
        if (!fresh() && queuedNs() != CalloutWheel.NONE) {
            wheel.requeue(this); // who meets a fresh one finds it disarmed
        }
        Thread r = runner;
        if (r != null && r != Thread.currentThread()) {
            wheel.awaitRunner(this);
        }
        return before != CalloutWheel.NONE;
    }

    private long disarm() {
        return due() == CalloutWheel.NONE ? CalloutWheel.NONE : exchange(CalloutWheel.NONE);
    }

    @Override
    public boolean pending() {
        return due() != CalloutWheel.NONE;
    }

    @Override
    public boolean active() {
        return running || pending();
    }

    @Override
    public long deadlineNs() {
        return wheel.toClock(due());
    }

    /** What it is armed for, or NONE. */
    long due() {
        return shared ? (long) DEADLINE.getVolatile(this) : deadline;
    }

    long seq() {
        return seq;
    }

    long queuedNs() {
        return shared ? (long) QUEUED_NS.getVolatile(this) : queuedNs;
    }

    /** Under the wheel's lock. */
    void setQueuedNs(long at) {
        if (shared) {
            QUEUED_NS.setVolatile(this, at);
        } else {
            queuedNs = at;
        }
    }

    /**
     * Says when to look at it: when it is due, NONE if it is not armed. It looks again after that, until what it has
     * said holds: who arms or disarms it meanwhile found it queued nowhere, and what he said of it is overwritten.
     * Under the wheel's lock.
     */
    long queueWhenDue() {
        long due = due();
        long at;
        do {
            at = due;
            queuedSeq = seq();
            setQueuedNs(at);
            due = due();
        } while (due < at || due == CalloutWheel.NONE && at != CalloutWheel.NONE);
        return at;
    }

    /** Has it looked at no later than an instant, which its caller sees to; false when somebody has done so. */
    boolean queuedBy(long at) {
        if (shared) {
            return QUEUED_NS.compareAndSet(this, CalloutWheel.NONE, at);
        }
        queuedNs = at;
        return true;
    }

    /** Whether it is among the fresh ones. */
    boolean fresh() {
        return shared ? (boolean) FRESH.getVolatile(this) : fresh;
    }

    /** True for the one who is to put it among the fresh ones. */
    boolean becomeFresh() {
        if (shared) {
            return !(boolean) FRESH.getVolatile(this) && FRESH.compareAndSet(this, false, true);
        }
        boolean was = fresh;
        fresh = true;
        return !was;
    }

    /** It has been taken out of there. What it is armed for is to be read after this. */
    void noLongerFresh() {
        if (shared) {
            FRESH.setVolatile(this, false);
        } else {
            fresh = false;
        }
    }

    /** Disarms it in order to run it. False when it was stopped or moved meanwhile. */
    boolean claim(long now) {
        long d = due();
        if (d > now || d == CalloutWheel.NONE) {
            return false;
        }
        if (shared) {
            return DEADLINE.compareAndSet(this, d, CalloutWheel.NONE);
        }
        deadline = CalloutWheel.NONE;
        return true;
    }

    /** Arms it for an instant, or disarms it, before the queue knows of it; answers what it was armed for. */
    long exchange(long at) {
        if (shared) {
            return (long) DEADLINE.getAndSet(this, at);
        }
        long before = deadline;
        deadline = at;
        return before;
    }

    @Override
    public String toString() {
        return "callout " + name;
    }
}
