package io.gatun.protosw;

import io.gatun.spi.sys.Padded;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Callouts that were armed and have no place yet: a list for some threads each, the latest first. Who adds one takes no
 * lock; whoever looks for what is due takes all of them out first, and so does who adds to a list that has become long.
 *
 * <p>Locking key: (c) constant; (v) VarHandle when shared, else of the one thread; (b) benign race: a hint that the
 * list is long.
 */
final class FreshCallouts {
    private static final VarHandle HEAD;
    /** A power of two. */
    private static final int LISTS = 8;
    /** Callouts in a list that call for a look. */
    private static final int LONG = 64;

    static {
        try {
            HEAD = MethodHandles.lookup().findVarHandle(FreshList.class, "head", VnetCallout.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** That of some threads. */
    private static final class FreshList extends Padded {
        private VnetCallout head; // (v)
        private int length;       // (b) since it was taken
    }

    private final boolean shared;                          // (c)
    private final FreshList[] lists = new FreshList[LISTS]; // (c)

    /** @param shared whether several threads arm callouts */
    FreshCallouts(boolean shared) {
        this.shared = shared;
        for (int i = 0; i < LISTS; i++) {
            lists[i] = new FreshList();
        }
    }

    /** Adds one that is in no list. True when the list is long. */
    boolean add(VnetCallout c) {
        FreshList l = lists[shared ? (int) Thread.currentThread().threadId() & LISTS - 1 : 0];
        if (shared) {
            VnetCallout first;
            do {
                first = (VnetCallout) HEAD.getOpaque(l);
                c.freshNext = first;
            } while (!HEAD.compareAndSet(l, first, c));
        } else {
            c.freshNext = l.head;
            l.head = c;
        }
        return ++l.length >= LONG;
    }

    /** How many lists there are. */
    int lists() {
        return shared ? LISTS : 1;
    }

    /** Takes out a list: its first, or null. The rest follows by {@code freshNext}. */
    VnetCallout take(int list) {
        FreshList l = lists[list];
        l.length = 0;
        if (shared) {
            return (VnetCallout) HEAD.getVolatile(l) == null ? null : (VnetCallout) HEAD.getAndSet(l, null);
        }
        VnetCallout first = l.head;
        l.head = null;
        return first;
    }
}
