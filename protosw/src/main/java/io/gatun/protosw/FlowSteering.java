package io.gatun.protosw;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.Netisr;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Receive flow steering: a packet of a flow that a thread waits for in a loop is left to that thread, so that a
 * control block and its socket stay with one processor and only the packet crosses. All others are run by who queued
 * them.
 *
 * <p>A thread gets a {@link Lane} when it {@link #attend}s. The lane is open while the thread is known to come by: from
 * its first look inside a waiting call, or from some looks in quick succession, to {@link #leave}, which it says before
 * it parks. Each of its safe points is a look too. A thread that just stays away is found out by netisr's agent, which
 * looks every {@value #TICK_NS} ns while a lane is open, closes it and does what waits there. What a thread sends to
 * itself goes the usual way.
 *
 * <p>Packets of a flow keep their order: it moves to or from a lane only when all that was queued where it went before
 * has been handled, which who queues sees, since the packets of one flow are queued by one thread at a time. Flows that
 * share an entry of the table may reorder each other when both move at once.
 *
 * <p>Locking key: (l) {@code this}, (v) volatile, (a) benign race: see above.
 */
final class FlowSteering {
    /** A power of two. Threads that find theirs taken are not steered to. */
    private static final int LANES = 16;
    /** A power of two. */
    private static final int FLOWS = 1024;
    private static final long TICK_NS = 1_000_000;
    /** Ticks without an open lane before the agent sleeps for good: opening again costs a wake-up then. */
    private static final int LAST_TICKS = 100;
    /** Looks after which a flow is taken from another open lane. */
    private static final int TAKE_OVER = 64;
    /** Packets in closed lanes that a thread runs at a safe point. */
    private static final int HELP = 256;

    private static final VarHandle CELLS = MethodHandles.arrayElementVarHandle(byte[].class);
    private static final VarHandle SLOTS = MethodHandles.arrayElementVarHandle(Lane[].class);

    private final SoftNetisr netisr;
    private final Clock clock;
    private final Lane[] lanes = new Lane[LANES];    // (v) each set once, under (l)
    private final byte[] wanted = new byte[FLOWS];   // (a) number of the lane that waits for a flow, or 0
    private final byte[] last = new byte[FLOWS];     // (a) where its last packet went, 0 for a workstream
    private volatile boolean used;                   // (v) there is a lane
    private volatile boolean left;                   // (v) something came to a lane that was closed
    private volatile boolean ticking;                // (v) the agent looks again by itself
    private int idleTicks;                           // (v) of the agent alone

    FlowSteering(SoftNetisr netisr, Clock clock) {
        this.netisr = netisr;
        this.clock = clock;
    }

    private Lane lane(int number) {
        return (Lane) SLOTS.getAcquire(lanes, number - 1);
    }

    // ---- packets ------------------------------------------------------------

    /** Where a packet goes: to a lane, or (null) to its workstream. Borrows m. */
    Lane select(NetisrProto np, Mbuf m, Workstream ws) {
        if (!used || np.number != Netisr.NETISR_IP && np.number != Netisr.NETISR_IPV6) {
            return null;
        }
        int flow = m.flowid();
        if (flow == 0) {
            return null;
        }
        int cell = flow & FLOWS - 1;
        int was = (byte) CELLS.getOpaque(last, cell);
        int to = (byte) CELLS.getOpaque(wanted, cell);
        if (to != 0 && !lane(to).wants()) {
            to = 0;
        }
        if (to != was && (was == 0 ? ws.length(np.number) == 0 : lane(was).quiet())) {
            CELLS.setOpaque(last, cell, (byte) to);
            was = to;
        }
        return was == 0 ? null : lane(was);
    }

    // ---- threads that wait ------------------------------------------------------------

    /** The lane of the calling thread, or null when it has none and gets none. */
    private Lane mine() {
        Thread me = Thread.currentThread();
        int slot = (int) me.threadId() & LANES - 1;
        Lane l = (Lane) SLOTS.getAcquire(lanes, slot);
        return l != null && l.owner == me ? l : claim(slot, me, l);
    }

    private Lane claim(int slot, Thread me, Lane seen) {
        if (me.isVirtual() || seen != null && seen.owner.isAlive()) {
            return null;
        }
        synchronized (this) {
            Lane l = lanes[slot];
            if (l == null) {
                l = new Lane(netisr, slot + 1, me);
                SLOTS.setRelease(lanes, slot, l);
                used = true;
                return l;
            }
            if (l.owner.isAlive()) {
                return null;
            }
            l.owner = me; // what its last owner left, the agent or this one will do
            return l;
        }
    }

    /**
     * One look for packets of a flow by a thread that waits for them.
     *
     * @param waiting false when the thread may be about to do something else
     * @param most packets to handle now
     * @return packets handled
     */
    int attend(int flow, boolean waiting, int most) {
        Lane l = mine();
        if (l == null) {
            return 0;
        }
        int looks = l.look();
        if (!l.open && !(waiting || l.busy(looks, clock))) {
            return 0;
        }
        want(flow, l, looks);
        if (!l.open) {
            open(l);
        }
        return l.run(most);
    }

    private void want(int flow, Lane l, int looks) {
        if (flow == 0) {
            return;
        }
        int cell = flow & FLOWS - 1;
        int who = (byte) CELLS.getOpaque(wanted, cell);
        if (who != l.number && (who == 0 || !lane(who).open || looks % TAKE_OVER == 0)) {
            CELLS.setOpaque(wanted, cell, (byte) l.number);
        }
    }

    private void open(Lane l) {
        l.open = true;
        if (!ticking) {
            netisr.wakeAgent();
        }
    }

    /** The lane of the calling thread when it is open, or null. */
    private Lane mineOpen() {
        if (!used) {
            return null;
        }
        Thread me = Thread.currentThread();
        Lane l = (Lane) SLOTS.getAcquire(lanes, (int) me.threadId() & LANES - 1);
        return l != null && l.owner == me && l.open ? l : null;
    }

    /** A safe point: one packet, as each call takes in or causes about one. */
    void swi() {
        Lane l = mineOpen();
        if (l != null) {
            l.look();
            l.run(1);
        }
        // Who sends to a closed lane empties it: else it never moves away while it sends without a pause.
        if (left && runClosed(HELP) >= HELP) {
            left = true;
            netisr.wakeAgent();
        }
    }

    /** The calling thread waits no longer, or in another way. */
    void leave(int budget) {
        Lane l = mineOpen();
        if (l != null) {
            l.open = false;
            l.run(budget);
            told(l);
        }
    }

    /** After a push, or a budget: what nobody else will run is the agent's. */
    void told(Lane l) {
        if (!l.open && l.pending() && !left) {
            left = true;
            netisr.wakeAgent();
        }
    }

    // ---- netisr's agent ------------------------------------------------------------

    /** Runs what is left in lanes that are closed. What comes from now on is told of again. */
    int runClosed(int budget) {
        if (left) {
            left = false;
        }
        int n = 0;
        for (int i = 1; used && i <= LANES; i++) {
            Lane l = lane(i);
            if (l != null && !l.open && n < budget) {
                n += l.run(budget - n);
            }
        }
        return n;
    }

    /** Before the agent parks: closes the lanes whose threads stay away. Answers how long it may sleep. */
    long beforePark() {
        boolean any = false;
        boolean work = false;
        for (int i = 1; used && i <= LANES; i++) {
            Lane l = lane(i);
            if (l != null && l.open) {
                boolean stays = l.alive();
                if (!stays) {
                    l.open = false; // never the other way: the owner may have closed it meanwhile
                }
                any |= stays;
                work |= !stays && l.pending();
            }
        }
        idleTicks = any || !ticking ? 0 : idleTicks + 1;
        if (work) {
            return 0;
        }
        if (any || ticking && idleTicks < LAST_TICKS) {
            ticking = true;
            return TICK_NS;
        }
        return used ? lastTick() : CalloutWheel.NONE;
    }

    /** Stops ticking, unless a lane was opened by one who still saw it tick. */
    private long lastTick() {
        ticking = false;
        for (int i = 1; i <= LANES; i++) {
            Lane l = lane(i);
            if (l != null && l.open) {
                ticking = true;
                return TICK_NS;
            }
        }
        return CalloutWheel.NONE;
    }

    // ---- the end of a protocol ------------------------------------------------------------

    void flush(int proto) {
        for (int i = 1; used && i <= LANES; i++) {
            Lane l = lane(i);
            if (l != null) {
                l.flush(proto);
            }
        }
    }

    int length(int proto) {
        int n = 0;
        for (int i = 1; used && i <= LANES; i++) {
            Lane l = lane(i);
            n += l == null ? 0 : l.length(proto);
        }
        return n;
    }
}
