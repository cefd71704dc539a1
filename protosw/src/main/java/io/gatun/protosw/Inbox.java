package io.gatun.protosw;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Padded;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Packets of one protocol that senders leave to the thread that reads them, in the order in which they came.
 *
 * <p>Senders push onto a list by {@code nextPkt}; its head is the one cache line that they write and the reader looks
 * at. They count on a line of theirs. The reader takes the whole list, turns it round and works it off on a line of
 * its own, which senders read only when the queue seems full. One thread at a time works it off, under the running
 * bit: the reader, or who takes over from it.
 *
 * <p>No wake-up is lost: a sender pushes and then looks whether the {@link Lane} is open; who closes it does so and
 * then looks here. The holder of the running bit gives it up and then looks again.
 *
 * <p>Locking key: (v) atomic or volatile, (r) the holder of the running bit, (a) benign race: an old value makes a
 * sender look at {@code done} once more.
 */
final class Inbox {
    private static final VarHandle HEAD;
    private static final VarHandle PUSHED;
    private static final VarHandle BACKLOG;
    private static final VarHandle DONE;
    private static final VarHandle RUNNING;
    /** Turns that a sender waits before it hears that the queue is full. */
    private static final int FULL_PAUSE = 16;

    static {
        try {
            MethodHandles.Lookup l = MethodHandles.lookup();
            HEAD = l.findVarHandle(Front.class, "head", Mbuf.class);
            PUSHED = l.findVarHandle(Sent.class, "pushed", int.class);
            BACKLOG = l.findVarHandle(Back.class, "backlog", Mbuf.class);
            DONE = l.findVarHandle(Back.class, "done", int.class);
            RUNNING = l.findVarHandle(Back.class, "running", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The line that crosses. */
    private static final class Front extends Padded {
        private Mbuf head;   // (v) pushed, youngest first
    }

    /** The senders' line. */
    private static final class Sent extends Padded {
        private int pushed;  // (v) packets ever pushed
        private int seen;    // (a) done, as a sender last saw it
    }

    /** The reader's line. */
    private static final class Back extends Padded {
        private Mbuf backlog;   // (r) taken, oldest first; read by all
        private int done;       // (v) packets handled; written by (r)
        private Thread running; // (v) the running bit
    }

    private final SoftNetisr netisr;
    private final int proto;
    private final Sent sent = new Sent();
    private final Front front = new Front();
    private final Back back = new Back();

    Inbox(SoftNetisr netisr, int proto) {
        this.netisr = netisr;
        this.proto = proto;
    }

    /** Consumes m. False, with m untouched, when {@code limit} packets wait. Any thread, any lock. */
    boolean push(Mbuf m, int limit) {
        assert m.nextPkt() == null : "a packet with followers";
        int n = (int) PUSHED.getAndAdd(sent, 1);
        if (n - sent.seen >= limit && full(n, limit)) {
            var _ = (int) PUSHED.getAndAdd(sent, -1);
            return false;
        }
        Mbuf head;
        do {
            head = (Mbuf) HEAD.getOpaque(front);
            m.nextPkt(head);
        } while (!HEAD.compareAndSet(front, head, m));
        return true;
    }

    private boolean full(int n, int limit) {
        sent.seen = (int) DONE.getAcquire(back);
        if (n - sent.seen < limit) {
            return false;
        }
        for (int i = 0; i < FULL_PAUSE; i++) {
            Thread.onSpinWait(); // who comes again at once would take the reader's line from it at every packet
        }
        return true;
    }

    /** Packets pushed and not yet handled. 0: all that was pushed before has been handled. */
    int length() {
        int n = (int) PUSHED.getVolatile(sent);
        return n - (int) DONE.getVolatile(back);
    }

    /** Whether something waits. After one's own push, or after giving up the running bit, never wrong. */
    boolean pending() {
        return (Mbuf) HEAD.getVolatile(front) != null || (Mbuf) BACKLOG.getOpaque(back) != null;
    }

    private boolean claim() {
        return (Thread) RUNNING.getVolatile(back) == null
            && RUNNING.compareAndSet(back, (Thread) null, Thread.currentThread());
    }

    private void release() {
        RUNNING.setVolatile(back, (Thread) null);
    }

    /**
     * Handles what waits, until nothing does, the budget is spent or another is at it. No lock is held.
     *
     * @return packets handled
     */
    int run(int budget) {
        int n = 0;
        while (n < budget && pending() && claim()) {
            try {
                n += drain(budget - n);
            } finally {
                release();
            }
        }
        return n;
    }

    private int drain(int budget) {
        NetisrProto np = netisr.proto(proto);
        int n = 0;
        try {
            Mbuf m = next();
            while (m != null) {
                n++;
                if (np == null) {
                    netisr.noProto(m);
                } else {
                    np.handler.input(m);
                }
                m = n < budget ? next() : null;
            }
        } finally {
            DONE.setRelease(back, back.done + n);
            if (np != null) {
                np.queued.add(n);
            }
        }
        return n;
    }

    /** Takes the oldest packet, or null. */
    private Mbuf next() {
        Mbuf m = back.backlog;
        if (m == null) {
            m = takeAll();
            if (m == null) {
                return null;
            }
        }
        BACKLOG.setOpaque(back, m.nextPkt());
        m.nextPkt(null);
        return m;
    }

    /** The pushed packets, oldest first. */
    private Mbuf takeAll() {
        if ((Mbuf) HEAD.getOpaque(front) == null) {
            return null;
        }
        return Workstream.oldestFirst((Mbuf) HEAD.getAndSet(front, (Mbuf) null));
    }

    /** Frees what waits, for a protocol that has gone; waits for who is at it. May be called by a handler. */
    void flush() {
        boolean mine = (Thread) RUNNING.getOpaque(back) == Thread.currentThread();
        while (!mine && !claim()) {
            Thread.yield();
        }
        try {
            Mbuf left = back.backlog;
            BACKLOG.setOpaque(back, (Mbuf) null);
            free(left);
            flushPushed();
        } finally {
            if (!mine) {
                release();
            }
        }
    }

    /** Frees what was pushed for a protocol that has gone. Wants no running bit: the list is taken whole. */
    void flushPushed() {
        free(takeAll());
    }

    /** They count as never pushed: {@code done} is the runner's. */
    private void free(Mbuf first) {
        int n = 0;
        Mbuf m = first;
        while (m != null) {
            Mbuf next = m.nextPkt();
            m.nextPkt(null);
            n++;
            netisr.noProto(m);
            m = next;
        }
        var _ = (int) PUSHED.getAndAdd(sent, -n);
    }
}
