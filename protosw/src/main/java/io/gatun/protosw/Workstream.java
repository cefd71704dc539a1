package io.gatun.protosw;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.SwiTask;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import org.jctools.queues.atomic.MpscGrowableAtomicArrayQueue;

/**
 * One lane of netisr: a queue for each protocol, run by one thread at a time under the running bit.
 *
 * <p>Producers push onto a list by {@code nextPkt}; whoever holds the running bit takes the whole list, turns it round
 * and works it off, so packets of one protocol keep their order. What a budget leaves over stays in {@code backlog}.
 *
 * <p>No wake-up is lost: a producer pushes and then tries the running bit; its holder gives the bit up and then looks
 * at the lists again. Whoever finds the bit taken may go, even if it is taken by itself further up its stack.
 *
 * <p>Locking key: (v) atomic or volatile when shared, else owned by the one thread of the vnet; (r) the holder of the
 * running bit.
 *
 * @bsd struct netisr_workstream
 */
final class Workstream {
    private static final VarHandle HEADS = MethodHandles.arrayElementVarHandle(Mbuf[].class);
    private static final VarHandle LENS = MethodHandles.arrayElementVarHandle(int[].class);
    private static final VarHandle RUNNING;
    private static final VarHandle LEFT_OVER;
    private static final int TASKS_READY = 1; // no protocol has number 0
    private static final int TASKS_FIRST = 64;
    private static final int TASKS_MAX = 1 << 20;

    static {
        try {
            MethodHandles.Lookup l = MethodHandles.lookup();
            RUNNING = l.findVarHandle(Workstream.class, "running", boolean.class);
            LEFT_OVER = l.findVarHandle(Workstream.class, "leftOver", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final SoftNetisr netisr;
    private final boolean shared;
    private final Queue<SwiTask> tasks;
    private final Mbuf[] heads = new Mbuf[Netisr.NETISR_MAXPROT];   // (v) pushed, youngest first
    private final int[] lens = new int[Netisr.NETISR_MAXPROT];      // (v) packets pushed and not yet handled
    private final Mbuf[] backlog = new Mbuf[Netisr.NETISR_MAXPROT]; // (r) taken, oldest first
    private boolean running;  // (v) the running bit
    private boolean leftOver; // (v) written by (r): some backlog is not empty; only when shared
    private int ready;        // (v) bit p: something waits for protocol p, bit 0: a task; only when not shared
    private Thread owner;     // (r)

    Workstream(SoftNetisr netisr, boolean shared) {
        this.netisr = netisr;
        this.shared = shared;
        this.tasks =
            shared ? new MpscGrowableAtomicArrayQueue<>(TASKS_FIRST, TASKS_MAX) : new ArrayDeque<>(TASKS_FIRST);
    }

    /** Consumes m. False, with m untouched, when the queue holds {@code limit} packets. */
    boolean push(int proto, Mbuf m, int limit) {
        assert m.nextPkt() == null : "a packet with followers";
        if (!shared) {
            if (lens[proto] >= limit) {
                return false;
            }
            lens[proto]++;
            m.nextPkt(heads[proto]);
            heads[proto] = m;
            ready |= 1 << proto;
            return true;
        }
        if ((int) LENS.getAndAdd(lens, proto, 1) >= limit) {
            var _ = (int) LENS.getAndAdd(lens, proto, -1);
            return false;
        }
        Mbuf head;
        do {
            head = (Mbuf) HEADS.getOpaque(heads, proto);
            m.nextPkt(head);
        } while (!HEADS.compareAndSet(heads, proto, head, m));
        return true;
    }

    void push(SwiTask task) {
        if (!tasks.offer(task)) {
            throw new IllegalStateException("more than " + TASKS_MAX + " tasks scheduled");
        }
        if (!shared) {
            ready |= TASKS_READY;
        }
    }

    /** The oldest task, or null. For the holder of the running bit. */
    private SwiTask pollTask() {
        SwiTask t = tasks.poll();
        if (!shared && tasks.isEmpty()) {
            ready &= ~TASKS_READY;
        }
        return t;
    }

    int length(int proto) {
        return (int) LENS.getOpaque(lens, proto);
    }

    /** Whether there is anything to run. After one's own push, or after giving up the running bit, never wrong. */
    boolean pending() {
        return shared ? pendingShared() : ready != 0;
    }

    /** Volatile reads: they must not move before the push or the release that precedes them. */
    private boolean pendingShared() {
        if ((boolean) LEFT_OVER.getVolatile(this)) {
            return true;
        }
        for (int left = netisr.ever(); left != 0; left &= left - 1) {
            if ((Mbuf) HEADS.getVolatile(heads, Integer.numberOfTrailingZeros(left)) != null) {
                return true;
            }
        }
        return !tasks.isEmpty();
    }

    /** Takes the running bit. */
    boolean claim() {
        if (shared) {
            if ((boolean) RUNNING.getVolatile(this) || !RUNNING.compareAndSet(this, false, true)) {
                return false;
            }
            owner = Thread.currentThread();
            return true;
        }
        if (running) {
            return false;
        }
        running = true;
        return true;
    }

    /** Gives the running bit up; {@link #pending} must be asked after it. */
    void release() {
        if (shared) {
            owner = null;
            RUNNING.setVolatile(this, false);
        } else {
            running = false;
        }
    }

    /** Whether the running bit is the caller's. */
    boolean mine() {
        return shared ? owner == Thread.currentThread() : running;
    }

    /**
     * Runs what waits, until nothing does, the budget is spent or another has the running bit.
     *
     * @return packets and tasks run
     */
    int run(int budget) {
        int done = 0;
        while (done < budget && pending() && claim()) {
            try {
                done += drain(budget - done);
            } finally {
                release();
            }
        }
        return done;
    }

    /** {@link #run} for the holder of the running bit. */
    int drain(int budget) {
        int done = 0;
        boolean whole = false;
        try {
            SwiTask t = done < budget ? pollTask() : null;
            while (t != null) {
                done++;
                t.runClaimed();
                t = done < budget ? pollTask() : null;
            }
            int waiting = shared ? waitingShared() : ready & ~TASKS_READY;
            while (waiting != 0 && done < budget) {
                done += drain(Integer.numberOfTrailingZeros(waiting), budget - done);
                waiting &= waiting - 1;
            }
            whole = done < budget;
        } finally {
            if (shared && (leftOver || !whole)) {
                noteLeftOver();
            }
        }
        return done;
    }

    /** Bit p: something waits for protocol p. */
    private int waitingShared() {
        int waiting = 0;
        for (int left = netisr.ever(); left != 0; left &= left - 1) {
            int p = Integer.numberOfTrailingZeros(left);
            if (backlog[p] != null || heads[p] != null) {
                waiting |= 1 << p;
            }
        }
        return waiting;
    }

    private int drain(int proto, int budget) {
        NetisrProto np = netisr.proto(proto);
        int done = 0;
        try {
            while (done < budget) {
                Mbuf m = backlog[proto];
                if (m == null) {
                    m = takeAll(proto);
                    if (m == null) {
                        break;
                    }
                }
                backlog[proto] = m.nextPkt();
                m.nextPkt(null);
                done++;
                if (np == null) {
                    netisr.noProto(m);
                } else {
                    np.handler.input(m);
                }
            }
        } finally {
            shorten(proto, done);
            if (np != null) {
                np.queued.add(done);
            }
        }
        return done;
    }

    private void shorten(int proto, int n) {
        if (shared) {
            var _ = (int) LENS.getAndAdd(lens, proto, -n);
        } else {
            lens[proto] -= n;
            if (lens[proto] == 0) {
                ready &= ~(1 << proto);
            }
        }
    }

    /** The pushed packets, oldest first. */
    private Mbuf takeAll(int proto) {
        Mbuf young;
        if (shared) {
            if ((Mbuf) HEADS.getOpaque(heads, proto) == null) {
                return null;
            }
            young = (Mbuf) HEADS.getAndSet(heads, proto, (Mbuf) null);
        } else {
            young = heads[proto];
            heads[proto] = null;
        }
        return oldestFirst(young);
    }

    /** Turns a list by {@code nextPkt} round. */
    static Mbuf oldestFirst(Mbuf young) {
        Mbuf out = null;
        Mbuf m = young;
        while (m != null) {
            Mbuf older = m.nextPkt();
            m.nextPkt(out);
            out = m;
            m = older;
        }
        return out;
    }

    private void noteLeftOver() {
        boolean any = false;
        for (int left = netisr.ever(); left != 0; left &= left - 1) {
            any |= backlog[Integer.numberOfTrailingZeros(left)] != null;
        }
        if (any != leftOver) {
            LEFT_OVER.setVolatile(this, any);
        }
    }

    /** Frees what waits for a protocol. For the holder of the running bit. */
    void flush(int proto) {
        Mbuf left = backlog[proto];
        backlog[proto] = null;
        free(proto, left);
        flushPushed(proto);
        noteLeftOver();
    }

    /** Frees what was pushed for a protocol that has gone. Wants no running bit: the list is taken whole. */
    void flushPushed(int proto) {
        free(proto, takeAll(proto));
    }

    private void free(int proto, Mbuf first) {
        Mbuf m = first;
        while (m != null) {
            Mbuf next = m.nextPkt();
            m.nextPkt(null);
            shorten(proto, 1);
            netisr.noProto(m);
            m = next;
        }
    }

    /** Runs the tasks that wait, whatever one of them throws. For the holder of the running bit. */
    void runTasks(Consumer<Throwable> thrown) {
        SwiTask t = pollTask();
        while (t != null) {
            try {
                t.runClaimed();
            } catch (Throwable e) {
                thrown.accept(e);
            }
            t = pollTask();
        }
    }
}
