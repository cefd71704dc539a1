package io.gatun.spi.sys;

import java.util.ArrayList;
import java.util.List;

/**
 * The lock order checker. Runs only where assertions are on: each thread remembers what it holds, in order, and an
 * acquisition that goes against {@link LockClass} fails at once, whether or not it would have deadlocked this time.
 *
 * @bsd WITNESS
 */
public final class Witness {
    private static final ThreadLocal<List<Mtx>> HELD = ThreadLocal.withInitial(ArrayList::new);

    private Witness() {
    }

    /** Called before a lock is waited for. Always true, so that it can stand in an assert. */
    static boolean checkOrder(final Mtx lock) {
        final List<Mtx> held = HELD.get();
        if (held.contains(lock)) {
            return true;
        }
        for (int i = 0; i < held.size(); i++) {
            final Mtx other = held.get(i);
            final int order = other.lockClass().compareTo(lock.lockClass());
            if (order > 0 || order == 0 && !lock.lockClass().nestable()) {
                throw new AssertionError("lock order reversal: " + lock.name() + " (" + lock.lockClass()
                    + ") wanted while holding " + describe(held));
            }
        }
        return true;
    }

    static boolean acquired(final Mtx lock) {
        return HELD.get().add(lock);
    }

    static boolean released(final Mtx lock) {
        final List<Mtx> held = HELD.get();
        final int at = held.lastIndexOf(lock);
        if (at >= 0) {
            held.remove(at);
        }
        return true;
    }

    /**
     * For safe points, where a thread is about to run input processing: {@code assert Witness.safePoint();}. A socket's
     * I/O lock may be held there, a pcb, socket or buffer lock may not.
     *
     * @return true; fails if the thread holds a lock of {@link LockClass#INPCB} or later
     */
    public static boolean safePoint() {
        final List<Mtx> held = HELD.get();
        for (int i = 0; i < held.size(); i++) {
            if (held.get(i).lockClass().compareTo(LockClass.INPCB) >= 0) {
                throw new AssertionError("locks held at a safe point: " + describe(held));
            }
        }
        return true;
    }

    private static String describe(final List<Mtx> held) {
        final StringBuilder out = new StringBuilder();
        for (final Mtx m : held) {
            out.append(out.isEmpty() ? "" : ", ").append(m.name()).append(" (").append(m.lockClass()).append(')');
        }
        return out.toString();
    }
}
