package io.gatun.protosw;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.Cv;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Clock;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * All timers of a vnet. Near ones lie in an exact heap, far ones in a timer wheel from which they are pulled into the
 * heap in time; see {@link VnetCallout} for why arming and disarming rarely come here.
 *
 * <p>Handlers run in the order of their deadlines, equal ones (without threads) in the order in which they were armed.
 * None runs early; without threads each runs at the first poll at or after its deadline.
 *
 * <p>Instants in here count from the vnet's creation, so they are never negative and compare by plain operators.
 *
 * <p>Locking key: (c) constant, (w) {@code lock}, (q) written under it, read by any, (v) volatile, (o) the one
 * thread that runs callouts.
 *
 * @bsd kern_timeout.c
 */
final class CalloutWheel {
    /** Not armed, not queued. */
    static final long NONE = Long.MAX_VALUE;
    /** A callout that is disarmed this long before it would be looked at is unqueued at once, to be collected. */
    private static final long FAR_OFF_NS = 10_000_000_000L;
    /** How long a callout may go without its place: what is armed anew for later than that need not be moved. */
    private static final long FRESH_NS = 10_000_000;
    /** Callouts queued in that time from which on the agent looks that often, so that nobody need wake it. */
    private static final int FEW = 16;
    /** So many have it find out. */
    private static final int MANY = 256;

    private final Mtx lock;
    private final Cv runnerGone; // null without threads
    private final Clock clock;
    private final long originNs;
    private final boolean shared;
    private final Runnable waker;
    private final Runnable afterEach;
    @GuardedBy("lock")
    private final CalloutHeap near = new CalloutHeap(); // (w)
    @GuardedBy("lock")
    private final FarCallouts far = new FarCallouts(near); // (w)
    private final FreshCallouts fresh; // (c)
    private volatile long wakeAtNs = NONE; // (q) the agent sleeps until then; MIN_VALUE: it does not sleep
    private final AtomicInteger drainers = new AtomicInteger(); // threads in awaitRunner
    private volatile boolean ticking;       // (q) the agent looks every FRESH_NS; without threads whoever asks does
    @GuardedBy("lock")
    private int arrived;                    // (w) callouts that were queued since countedNs
    @GuardedBy("lock")
    private long countedNs;                 // (w)
    private volatile long lastNowNs;        // (v) a recent reading of the clock
    private long armSeq;                    // (o)
    private boolean inRun;                  // (o) without threads only

    /**
     * @param shared whether more than one thread arms and runs callouts
     * @param waker called without the lock when an agent that sleeps must wake earlier
     * @param afterEach called after each handler, with no lock held
     */
    CalloutWheel(Clock clock, boolean shared, Runnable waker, Runnable afterEach) {
        this.clock = clock;
        this.originNs = clock.nanoTime();
        this.shared = shared;
        lock = new Mtx(LockClass.LEAF, "callout", shared);
        runnerGone = shared ? new Cv(lock) : null;
        fresh = new FreshCallouts(shared);
        ticking = !shared;
        this.waker = waker;
        this.afterEach = afterEach;
    }

    boolean shared() {
        return shared;
    }

    long nowNs() {
        return clock.nanoTime() - originNs;
    }

    long nextSeq() {
        return ++armSeq;
    }

    /** An instant of the clock in this wheel's time; what is too far to be told counts as the far end. */
    long fromClock(long clockNs) {
        long t = clockNs - originNs;
        boolean overflow = ((clockNs ^ originNs) & (clockNs ^ t)) < 0;
        return overflow || t == NONE ? NONE - 1 : t;
    }

    long toClock(long t) {
        long c = t + originNs;
        boolean overflow = originNs > 0 && c < originNs;
        return overflow || t == NONE ? NONE : c;
    }

    boolean farOff(long queuedNs) {
        return queuedNs - lastNowNs > FAR_OFF_NS;
    }

    /**
     * Queues a callout that is queued nowhere. Where there are many it gets its place when somebody looks, who often
     * finds it disarmed.
     */
    void queueFresh(VnetCallout c, long at) {
        long by = Math.min(at, lastNowNs + FRESH_NS);
        if (!ticking || !c.queuedBy(by)) {
            queue(c);
            return;
        }
        boolean full = c.becomeFresh() && fresh.add(c);
        if (full || shared && by < wakeAtNs) {
            place(by);
        }
    }

    /** Gives the fresh ones their places, and wakes the agent if it sleeps beyond an instant. */
    private void place(long by) {
        boolean wake;
        lock.lock();
        try {
            wake = oversleepsLocked(Math.min(by, placeLocked()));
        } finally {
            lock.unlock();
        }
        if (wake) {
            waker.run();
        }
    }

    /**
     * Gives the fresh ones their places. One may be armed for earlier than its armer has said, who then finds it
     * queued: whoever places sees to it that the agent wakes.
     *
     * @return when the first of them is to be looked at, NONE for no one
     */
    @GuardedBy("lock")
    private long placeLocked() {
        assert lock.owned();
        long first = NONE;
        for (int i = 0; i < fresh.lists(); i++) {
            VnetCallout c = fresh.take(i);
            while (c != null) {
                arrived++;
                VnetCallout next = c.freshNext;
                c.freshNext = null;
                c.noLongerFresh();
                if (c.heapIndex < 0 && c.farId < 0) {
                    c.setQueuedNs(NONE);
                    queueLocked(c);
                    first = Math.min(first, c.queuedNs());
                }
                c = next;
            }
        }
        return first;
    }

    /** Queues a callout that is armed for earlier than it is queued. */
    void queue(VnetCallout c) {
        boolean wake = false;
        lock.lock();
        try {
            if (c.due() < c.queuedNs()) {
                unqueueLocked(c);
                queueLocked(c);
                arrived++;
                wake = oversleepsLocked(c.queuedNs()) || arrived == MANY && !ticking;
            }
        } finally {
            lock.unlock();
        }
        if (wake) {
            waker.run();
        }
    }

    /**
     * Queues a callout for exactly what it is armed for, or not at all. Who stops a callout may find that somebody has
     * armed it again, who then finds it queued and leaves it at that: so the agent is woken from here too.
     */
    void requeue(VnetCallout c) {
        boolean wake;
        lock.lock();
        try {
            unqueueLocked(c);
            queueLocked(c);
            wake = oversleepsLocked(c.queuedNs());
        } finally {
            lock.unlock();
        }
        if (wake) {
            waker.run();
        }
    }

    /** Whether the agent sleeps beyond an instant; true for one caller only, who wakes it. */
    @GuardedBy("lock")
    private boolean oversleepsLocked(long at) {
        assert lock.owned();
        boolean late = shared && at < wakeAtNs;
        if (late) {
            wakeAtNs = at;
        }
        return late;
    }

    @GuardedBy("lock")
    private void unqueueLocked(VnetCallout c) {
        assert lock.owned();
        if (c.heapIndex >= 0) {
            near.remove(c);
        } else if (c.farId >= 0) {
            far.remove(c);
        }
        c.setQueuedNs(NONE);
    }

    @GuardedBy("lock")
    private void queueLocked(VnetCallout c) {
        assert lock.owned();
        long at = c.queueWhenDue();
        if (at != NONE && (at < far.horizonNs() || !far.add(c))) {
            near.add(c);
        }
    }

    /** The first of the heap, after what has been disarmed or moved is where it belongs. Null when it is empty. */
    @GuardedBy("lock")
    private VnetCallout settledLocked() {
        assert lock.owned();
        placeLocked();
        VnetCallout c = near.peek();
        while (c != null && (c.due() != c.queuedNs() || c.seq() != c.queuedSeq)) {
            unqueueLocked(c);
            queueLocked(c);
            c = near.peek();
        }
        return c;
    }

    private VnetCallout nextDue(long now, long seqLimit) {
        lock.lock();
        try {
            wakeAtNs = Long.MIN_VALUE;
            far.pullThrough(now);
            VnetCallout c = settledLocked();
            if (c == null || c.queuedNs() > now || c.queuedSeq > seqLimit) {
                return null;
            }
            unqueueLocked(c);
            return c;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Runs what is due. What a handler arms for at once waits for the next call. Does nothing inside a handler.
     *
     * @return how many ran
     */
    int runDue() {
        if (!shared) {
            if (inRun) {
                return 0;
            }
            inRun = true;
        }
        int ran = 0;
        try {
            long now = nowNs();
            lastNowNs = now;
            long limit = shared ? Long.MAX_VALUE : armSeq;
            VnetCallout c = nextDue(now, limit);
            while (c != null) {
                if (expire(c, now)) {
                    ran++;
                    afterEach.run();
                }
                c = nextDue(now, limit);
            }
        } finally {
            if (!shared) {
                inRun = false;
            }
        }
        return ran;
    }

    private boolean expire(VnetCallout c, long now) {
        boolean claimed = false;
        c.runner = Thread.currentThread();
        if (c.lock != null) {
            c.lock.lock();
        }
        try {
            claimed = c.claim(now);
            if (claimed) {
                c.running = true;
                c.handler.run();
            }
        } finally {
            c.running = false;
            if (c.lock != null) {
                c.lock.unlock();
            }
            if (!claimed) {
                requeue(c);
            }
            c.runner = null;
            if (drainers.get() != 0) {
                tellDrainers();
            }
        }
        return claimed;
    }

    private void tellDrainers() {
        lock.lock();
        try {
            runnerGone.broadcast();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the thread that expires a callout has let go of it. */
    void awaitRunner(VnetCallout c) {
        lock.lock();
        try {
            drainers.getAndIncrement();
            try {
                while (c.runner != null) {
                    runnerGone.await();
                }
            } finally {
                drainers.getAndDecrement();
            }
        } finally {
            lock.unlock();
        }
    }

    /** When the next callout is due, exactly, in the wheel's time; NONE when none is armed. */
    long nextDeadlineNs() {
        boolean wake;
        long at;
        lock.lock();
        try {
            VnetCallout c = settledLocked();
            while (!far.isEmpty() && (c == null || c.queuedNs() >= far.horizonNs())) {
                far.pullEarliest();
                c = settledLocked();
            }
            at = c == null ? NONE : c.queuedNs();
            wake = c != null && oversleepsLocked(c.queuedNs());
        } finally {
            lock.unlock();
        }
        if (wake) {
            waker.run();
        }
        return at;
    }

    /** Whether the agent is to look again soon, for that many callouts come. */
    @GuardedBy("lock")
    private boolean tickingLocked() {
        long span = lastNowNs - countedNs;
        if (span >= FRESH_NS / 2) {
            ticking = arrived * FRESH_NS >= FEW * span;
            arrived = 0;
            countedNs = lastNowNs;
        }
        return ticking;
    }

    /** For the agent that is about to sleep: for how long, ns; NONE until it is woken. Zero or less: not at all. */
    long sleepNs() {
        lock.lock();
        try {
            wakeAtNs = NONE; // who adds a fresh one from here on sees that; those from before are met below
            VnetCallout c = settledLocked();
            long at = Math.min(c == null ? NONE : c.queuedNs(), far.earliestBoundNs());
            if (tickingLocked()) {
                at = Math.min(at, lastNowNs + FRESH_NS);
            }
            wakeAtNs = at;
            return at == NONE ? NONE : at - nowNs();
        } finally {
            lock.unlock();
        }
    }

    /** How many are armed; see {@link #forEachArmed}. */
    int armed() {
        int[] n = new int[1];
        forEachArmed(c -> n[0]++);
        return n[0];
    }

    /** The names of those armed, with their number. */
    String describeArmed() {
        TreeMap<String, Integer> names = new TreeMap<>();
        forEachArmed(c -> names.merge(c.name, 1, Integer::sum));
        return names.toString();
    }

    /** When the agent that sleeps wakes by itself; for tests. */
    long wakeAtNs() {
        return wakeAtNs;
    }

    /** Callouts there is room for, nearly; for tests. */
    int room() {
        lock.lock();
        try {
            return near.room() + far.room();
        } finally {
            lock.unlock();
        }
    }

    /**
     * For those who watch: holds the lock for no longer than it takes to get it, however many there are and however
     * often somebody asks. Exact when nobody arms, disarms or runs one; one that moves meanwhile may be missed or met
     * twice.
     */
    void forEachArmed(Consumer<VnetCallout> visitor) {
        Consumer<VnetCallout> armedOnly = c -> {
            if (c.pending()) {
                visitor.accept(c);
            }
        };
        CalloutHeap heap;
        FarCallouts wheel;
        boolean wake;
        lock.lock(); // so that all that was done under it is seen
        try {
            wake = oversleepsLocked(placeLocked());
            heap = near;
            wheel = far;
        } finally {
            lock.unlock();
        }
        if (wake) {
            waker.run();
        }
        heap.forEach(armedOnly);
        wheel.forEach(armedOnly);
    }
}
