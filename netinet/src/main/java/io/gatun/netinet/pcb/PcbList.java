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
 * such are taken out together, once there are half as many as live ones. No lock is taken, and who ends a block touches
 * no other. Without threads it is a list with both links, and a block goes at once, while all of it is at hand.
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
    /** Ended blocks that are left in any case; a power of two. */
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
        int ended;         // (b) blocks that these threads ended since the last sweep
    }

    private final boolean shared;                           // (c)
    private final Stripe[] stripes = new Stripe[STRIPES];   // (c)
    private int live;                                       // (b) blocks that the last sweep left

    /** @param shared whether the vnet has threads */
    PcbList(final boolean shared) {
        this.shared = shared;
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new Stripe();
        }
    }

    /** Takes in a fresh block. */
    void add(final Inpcb inp) {
        if (!shared) {
            link(stripes[0], inp);
            return;
        }
        final Stripe s = mine();
        Inpcb first;
        do {
            first = (Inpcb) HEAD.getOpaque(s);
            NEXT.set(inp, first);
        } while (!HEAD.compareAndSet(s, first, inp));
    }

    private Stripe mine() {
        return stripes[(int) Thread.currentThread().threadId() & STRIPES - 1];
    }

    private static void link(final Stripe s, final Inpcb inp) {
        final Inpcb first = s.head;
        NEXT.set(inp, first);
        if (first != null) {
            first.listPrev = inp;
        }
        s.head = inp;
    }

    /** Its own next stays: who walks the list may stand on it. */
    private static void unlink(final Stripe s, final Inpcb inp) {
        final Inpcb then = next(inp);
        if (then != null) {
            then.listPrev = inp.listPrev;
        }
        if (s.head == inp) {
            s.head = then;
        } else {
            NEXT.set(inp.listPrev, then);
        }
        inp.listPrev = null;
    }

    /** A block has ended. */
    void ended(final Inpcb inp) {
        if (!shared) {
            unlink(stripes[0], inp);
            return;
        }
        final Stripe s = mine();
        if (++s.ended % SLACK == 0 && left() > live / 2) {
            sweep();
        }
    }

    /** Ended blocks that are still in here. */
    private int left() {
        int n = 0;
        for (final Stripe s : stripes) {
            n += s.ended;
        }
        return n;
    }

    private void sweep() {
        int n = 0;
        for (final Stripe s : stripes) {
            s.ended = 0;
            n += sweep(s);
        }
        live = n;
    }

    /** Takes out those that have ended, but for the first, which who adds may be looking at. Answers how many stay. */
    private static int sweep(final Stripe s) {
        if (!SWEEPING.compareAndSet(s, false, true)) {
            return 0;
        }
        int n = 0;
        Inpcb last = (Inpcb) HEAD.getAcquire(s);
        Inpcb inp = last == null ? null : next(last);
        while (inp != null) {
            final Inpcb then = next(inp);
            if (inp.has(Inpcb.INP_FREED)) {
                NEXT.setRelease(last, then); // its own stays: somebody may stand on it
            } else {
                last = inp;
                n++;
            }
            inp = then;
        }
        SWEEPING.setRelease(s, false);
        return n;
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
