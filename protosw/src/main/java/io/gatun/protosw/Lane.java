package io.gatun.protosw;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Padded;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.Netisr;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A thread that looks at its sockets again and again, and what others have left to it. While it is open the thread runs
 * it, afterwards whoever closed it, and the agent what came too late for that.
 *
 * <p>Locking key: (v) volatile, (w) written by {@link FlowSteering} under its monitor, (o) the owner, (x) the owner
 * writes, the agent reads, (n) netisr's agent.
 */
final class Lane extends Padded {
    private static final VarHandle POLLS;
    /** Packets that a lane holds of a protocol at most; a power of two. */
    private static final int PLACES = 4096;
    /** Looks between two readings of the clock, which tell whether a thread does nothing else. */
    private static final int LOOKS = 16;
    /** So many looks in so much time are a loop that waits. */
    private static final long BUSY_NS = 50_000;

    static {
        try {
            POLLS = MethodHandles.lookup().findVarHandle(Habit.class, "polls", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** What only the owner writes, on a line of its own. */
    private static final class Habit extends Padded {
        private int polls;    // (x) looks so far
        private long sinceNs; // (o) when the present LOOKS began
    }

    final int number;             // from 1 on
    private final Inbox ip;
    private final Inbox ip6;
    private final Habit habit = new Habit();
    volatile Thread owner;        // (w)
    volatile boolean open;        // (v) the owner runs it
    private int seen;             // (n) polls, when the agent last looked

    Lane(SoftNetisr netisr, int number, Thread owner) {
        this.number = number;
        this.owner = owner;
        ip = new Inbox(netisr, Netisr.NETISR_IP, PLACES);
        ip6 = new Inbox(netisr, Netisr.NETISR_IPV6, PLACES);
    }

    /** Whether packets of others are to be left here; what the owner queues itself is not. */
    boolean wants() {
        return open && owner != Thread.currentThread();
    }

    /** Consumes m. False, with m untouched, when {@code limit} packets wait. */
    boolean push(int proto, Mbuf m, int limit) {
        return inbox(proto).push(m, limit);
    }

    private Inbox inbox(int proto) {
        return proto == Netisr.NETISR_IP ? ip : ip6;
    }

    /** One more look; answers how many there were. For the owner. */
    int look() {
        int n = habit.polls + 1;
        POLLS.setOpaque(habit, n);
        return n;
    }

    /** Whether the owner does nothing but look. Asked at every look. */
    boolean busy(int looks, Clock clock) {
        if (looks % LOOKS != 0) {
            return false;
        }
        long now = clock.nanoTime();
        boolean quick = now - habit.sinceNs < BUSY_NS;
        habit.sinceNs = now;
        return quick && looks > LOOKS;
    }

    /** For the agent: whether the owner has looked since the agent last asked. */
    boolean alive() {
        int now = (int) POLLS.getOpaque(habit);
        boolean looked = now != seen;
        seen = now;
        return looked;
    }

    boolean pending() {
        return ip.pending() || ip6.pending();
    }

    int length(int proto) {
        return proto == Netisr.NETISR_IP || proto == Netisr.NETISR_IPV6 ? inbox(proto).length() : 0;
    }

    /** Nothing that was pushed before is still to be handled. */
    boolean quiet() {
        return ip.length() == 0 && ip6.length() == 0;
    }

    int run(int budget) {
        int n = ip.run(budget);
        return n + (n < budget ? ip6.run(budget - n) : 0);
    }

    void flush(int proto) {
        if (proto == Netisr.NETISR_IP || proto == Netisr.NETISR_IPV6) {
            inbox(proto).flush();
        }
    }

    void flushPushed(int proto) {
        inbox(proto).flushPushed();
    }
}
