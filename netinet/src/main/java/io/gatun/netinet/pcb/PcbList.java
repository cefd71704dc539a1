package io.gatun.netinet.pcb;

import io.gatun.spi.sys.Padded;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * All control blocks of one protocol, for those who watch. It is written with each socket and read by hardly anybody,
 * so a block is put in front of the list of its maker's thread, and one that has ended (INP_FREED) is left in there:
 * who adds takes such out again, once there may be as many as live ones. No lock is taken, and who ends a block
 * touches no other.
 *
 * <p>Locking key: (c) constant; (v) VarHandle when shared, else of the one thread; (b) benign race: when to look.
 *
 * @bsd ipi_listhead
 */
final class PcbList {
    private static final VarHandle HEAD;
    private static final VarHandle NEXT;
    private static final VarHandle SWEEPING;
    /** A power of two. */
    private static final int STRIPES = 8;
    /** Ended blocks that are left in one list, beside as many as there were live ones. */
    private static final int SLACK = 64;

    static {
        try {
            final MethodHandles.Lookup l = MethodHandles.lookup();
            HEAD = l.findVarHandle(Stripe.class, "head", Inpcb.class);
            SWEEPING = l.findVarHandle(Stripe.class, "sweeping", boolean.class);
            NEXT = l.findVarHandle(Inpcb.class, "listNext", Inpcb.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The list of some threads, newest first. */
    private static final class Stripe extends Padded {
        Inpcb head;        // (v)
        boolean sweeping;  // (v) somebody takes ended blocks out
        int added;         // (b) since the last sweep
        int left;          // (b) blocks that it left
    }

    private final boolean shared;                           // (c)
    private final Stripe[] stripes = new Stripe[STRIPES];   // (c)

    /** @param shared whether the vnet has threads */
    PcbList(final boolean shared) {
        this.shared = shared;
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new Stripe();
        }
    }

    /** Takes in a fresh block. */
    void add(final Inpcb inp) {
        final Stripe s = stripes[shared ? (int) Thread.currentThread().threadId() & STRIPES - 1 : 0];
        Inpcb first;
        do {
            first = (Inpcb) HEAD.getOpaque(s);
            NEXT.set(inp, first);
        } while (!put(s, first, inp));
        if (++s.added > s.left + SLACK) {
            sweep(s);
        }
    }

    private boolean put(final Stripe s, final Inpcb first, final Inpcb inp) {
        if (shared) {
            return HEAD.compareAndSet(s, first, inp);
        }
        s.head = inp;
        return true;
    }

    /** Takes out those that have ended, but for the first, which who adds may be looking at. */
    private static void sweep(final Stripe s) {
        if (!SWEEPING.compareAndSet(s, false, true)) {
            return;
        }
        int live = 0;
        Inpcb last = (Inpcb) HEAD.getAcquire(s);
        Inpcb inp = last == null ? null : next(last);
        while (inp != null) {
            final Inpcb then = next(inp);
            if (inp.has(Inpcb.INP_FREED)) {
                NEXT.setRelease(last, then); // its own stays: somebody may stand on it
            } else {
                last = inp;
                live++;
            }
            inp = then;
        }
        s.left = live;
        s.added = 0;
        SWEEPING.setRelease(s, false);
    }

    private static Inpcb next(final Inpcb inp) {
        return (Inpcb) NEXT.getAcquire(inp);
    }

    /** Visits those in being, in no order. What comes or goes meanwhile may be missed. */
    void forEach(final Consumer<Inpcb> visitor) {
        for (final Stripe s : stripes) {
            for (Inpcb inp = (Inpcb) HEAD.getAcquire(s); inp != null; inp = next(inp)) {
                if (!inp.has(Inpcb.INP_FREED)) {
                    visitor.accept(inp);
                }
            }
        }
    }

    /** How many are in being. Walks them all. */
    int count() {
        final int[] n = new int[1];
        forEach(inp -> n[0]++);
        return n[0];
    }

    /** All at this moment. */
    List<Inpcb> snapshot() {
        final List<Inpcb> all = new ArrayList<>();
        forEach(all::add);
        return all;
    }
}
