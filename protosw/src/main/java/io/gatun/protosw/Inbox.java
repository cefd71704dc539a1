package io.gatun.protosw;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Padded;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Packets of one protocol that senders leave to the thread that reads them, in the order in which they came: a ring of
 * references.
 *
 * <p>A sender claims a place, on a line of the senders, and puts its packet there, on a line that crosses. The reader
 * empties the ring on a line of its own, which senders read only when the ring seems full. One thread at a time does
 * so, under the running bit: the reader, or who takes over from it. The packets lie in the senders' caches; before the
 * reader works on the first of a group it reads the front of each, so that they come together and not one after the
 * other.
 *
 * <p>No wake-up is lost: a sender puts its packet and then looks whether the {@link Lane} is open; who closes it does
 * so and then looks here. The holder of the running bit gives it up and then looks again. A place that is claimed and
 * still empty ends a look: its sender will look at the lane once it is not.
 *
 * <p>Locking key: (c) constant, (v) atomic or volatile, (r) the holder of the running bit, (a) benign race: an old
 * value makes a sender look at {@code done} once more.
 */
final class Inbox {
    private static final VarHandle SLOTS = MethodHandles.arrayElementVarHandle(Mbuf[].class);
    private static final VarHandle CLAIMED;
    private static final VarHandle TAKEN;
    private static final VarHandle DONE;
    private static final VarHandle RUNNING;
    /** Turns that a sender waits before it hears that the ring is full. */
    private static final int FULL_PAUSE = 16;
    /** Packets whose fronts are read together. */
    private static final int GROUP = 16;
    /** Octets of a packet that are read: headers, and all of a small one. */
    private static final int FRONT = 128;
    private static final int LINE = 64;

    static {
        try {
            MethodHandles.Lookup l = MethodHandles.lookup();
            CLAIMED = l.findVarHandle(Front.class, "claimed", int.class);
            TAKEN = l.findVarHandle(Back.class, "taken", int.class);
            DONE = l.findVarHandle(Back.class, "done", int.class);
            RUNNING = l.findVarHandle(Back.class, "running", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The senders' line. */
    private static final class Front extends Padded {
        private int claimed; // (v) places ever claimed
        private int seen;    // (a) done, as a sender last saw it
    }

    /** The reader's line. */
    private static final class Back extends Padded {
        private int taken;      // (v) packets ever taken out; written by (r)
        private int done;       // (v) packets handled; written by (r)
        private Thread running; // (v) the running bit
        private int touched;    // (r) packets whose front was read
        private int octets;     // (r) what was read, so that it counts as used
    }

    private final Mbuf[] slots; // (v) a power of two
    private final int mask;     // (c)
    private final SoftNetisr netisr;
    private final int proto;
    private final Front front = new Front();
    private final Back back = new Back();

    /** @param places packets it can hold, a power of two */
    Inbox(SoftNetisr netisr, int proto, int places) {
        this.netisr = netisr;
        this.proto = proto;
        slots = new Mbuf[places];
        mask = places - 1;
    }

    /** Consumes m. False, with m untouched, when {@code limit} packets wait. Any thread, any lock. */
    boolean push(Mbuf m, int limit) {
        assert m.nextPkt() == null : "a packet with followers";
        int most = Math.min(limit, slots.length);
        int n;
        do {
            n = (int) CLAIMED.getOpaque(front);
            if (n - front.seen >= most && full(n, most)) {
                return false;
            }
        } while (!CLAIMED.compareAndSet(front, n, n + 1));
        SLOTS.setVolatile(slots, n & mask, m);
        return true;
    }

    private boolean full(int n, int most) {
        front.seen = (int) DONE.getAcquire(back);
        if (n - front.seen < most) {
            return false;
        }
        for (int i = 0; i < FULL_PAUSE; i++) {
            Thread.onSpinWait(); // who comes again at once would take the reader's line from it at every packet
        }
        return true;
    }

    /** Packets pushed and not yet handled. 0: all that was pushed before has been handled. */
    int length() {
        int n = (int) CLAIMED.getVolatile(front);
        return n - (int) DONE.getVolatile(back);
    }

    /** Whether something waits. After one's own push, or after giving up the running bit, never wrong. */
    boolean pending() {
        return (Mbuf) SLOTS.getVolatile(slots, (int) TAKEN.getOpaque(back) & mask) != null;
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
        while (pending() && (n < budget || netisr.proto(proto) == null) && claim()) {
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
            Mbuf m = take();
            while (m != null) {
                n++;
                if (np == null) {
                    netisr.noProto(m);
                } else {
                    np.handler.input(m);
                }
                m = n < budget || np == null ? take() : null;
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
    private Mbuf take() {
        int at = back.taken;
        Mbuf m = (Mbuf) SLOTS.getAcquire(slots, at & mask);
        if (m == null) {
            return null;
        }
        if (at - back.touched >= 0) {
            touch(at);
        }
        SLOTS.setOpaque(slots, at & mask, (Mbuf) null);
        TAKEN.setOpaque(back, at + 1);
        return m;
    }

    /** Reads the packets from {@code at} on that are there: each line of their mbufs, and what headers take. */
    private void touch(int at) {
        int n = at;
        int octets = 0;
        while (n - at < GROUP) {
            Mbuf m = (Mbuf) SLOTS.getAcquire(slots, n & mask);
            if (m == null) {
                break;
            }
            int len = Math.min(m.len(), FRONT);
            octets += m.pktLen() + m.type() + (m.rcvif() == null ? 0 : 1);
            for (int k = 0; k < len; k += LINE) {
                octets += m.getU8(k);
            }
            octets += len > 0 ? m.getU8(len - 1) : 0;
            n++;
        }
        back.touched = n;
        back.octets = octets;
    }

    /**
     * Frees what waits, for a protocol that has gone. Who is at it already does so too before it leaves, and is not
     * waited for: it may want a lock of the caller's.
     */
    void flushPushed() {
        var _ = run(1);
    }

    /** Frees what waits, for a protocol that has gone; waits for who is at it. May be called by a handler. */
    void flush() {
        boolean mine = (Thread) RUNNING.getOpaque(back) == Thread.currentThread();
        while (!mine && !claim()) {
            Thread.yield();
        }
        int n = 0;
        try {
            Mbuf m = take();
            while (m != null) {
                n++;
                netisr.noProto(m);
                m = take();
            }
        } finally {
            DONE.setRelease(back, back.done + n);
            if (!mine) {
                release();
            }
        }
    }
}
