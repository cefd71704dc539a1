package io.gatun.protosw;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.agrona.DeadlineTimerWheel;

/**
 * The callouts that are at least a tick away, in Agrona's timer wheel: arming one costs the same however many there
 * are. Before a tick begins its callouts are {@link #pull}ed into the {@link CalloutHeap}, which orders them exactly;
 * the
 * wheel only keeps the many that are far off out of it.
 *
 * <p>Everything queued here is due at or after {@link #horizonNs}. A spoke that is full refuses, and the callout goes
 * to
 * the heap instead: the wheel grows all spokes at once, so its largest must stay small.
 *
 * <p>Locking key: (w) the wheel's lock.
 */
final class FarCallouts implements DeadlineTimerWheel.TimerHandler {
    /** 2^21 ns: 2.1 ms. One turn takes 4.3 s. */
    private static final int TICK_BITS = 21;
    private static final int TICKS = 2048;
    private static final int SPOKE_FIRST = 4;
    private static final int SPOKE_MAX = 64;
    /** 146 years; what is due later is never due. Keeps the arithmetic of ticks clear of overflow. */
    private static final long LAST_NS = 1L << Long.SIZE - 2;

    private final DeadlineTimerWheel wheel =
        new DeadlineTimerWheel(TimeUnit.NANOSECONDS, 0, 1L << TICK_BITS, TICKS, SPOKE_FIRST);
    private final VnetCallout[][] spokes = new VnetCallout[TICKS][SPOKE_FIRST]; // (w) by the two halves of a timer id
    private final int[] counts = new int[TICKS];                     // (w) callouts on each spoke
    private final long[] busy = new long[TICKS / Long.SIZE];         // (w) bit set: the spoke has callouts
    private final CalloutHeap near;
    private long tick;  // (w) the next to be pulled
    private int pulled; // (w) by the pull under way

    FarCallouts(CalloutHeap near) {
        this.near = near;
    }

    /** Everything before this instant has been pulled, and may not be added any more. */
    long horizonNs() {
        return tick << TICK_BITS;
    }

    boolean isEmpty() {
        return wheel.timerCount() == 0;
    }

    /** Takes a callout by its {@code queuedNs}, not before the horizon. False when there is no room for it. */
    boolean add(VnetCallout c) {
        int spoke = spokeOf(c.queuedNs >> TICK_BITS);
        if (counts[spoke] >= SPOKE_MAX || c.queuedNs >= LAST_NS) {
            return false;
        }
        long id = wheel.scheduleTimer(c.queuedNs);
        int slot = (int) id;
        VnetCallout[] row = spokes[spoke];
        if (slot >= row.length) {
            row = Arrays.copyOf(row, 2 * row.length);
            spokes[spoke] = row;
        }
        row[slot] = c;
        c.farId = id;
        if (counts[spoke]++ == 0) {
            busy[spoke / Long.SIZE] |= 1L << spoke;
        }
        return true;
    }

    void remove(VnetCallout c) {
        wheel.cancelTimer(c.farId);
        forget(c.farId);
    }

    private VnetCallout forget(long id) {
        int spoke = (int) (id >>> Integer.SIZE);
        VnetCallout[] row = spokes[spoke];
        VnetCallout c = row[(int) id];
        row[(int) id] = null;
        c.farId = -1;
        if (--counts[spoke] == 0) {
            busy[spoke / Long.SIZE] &= ~(1L << spoke);
        }
        return c;
    }

    /** Pulls all that are due at or before {@code limitNs}, and some more of the same tick. */
    void pullThrough(long limitNs) {
        long last = limitNs >> TICK_BITS;
        while (tick <= last && !isEmpty()) {
            long next = nextBusyTick();
            if (next > last) {
                break;
            }
            pull(next);
        }
        if (tick <= last) {
            advance(last + 1);
        }
    }

    /** Pulls the earliest. The wheel must not be empty. */
    void pullEarliest() {
        long start = tick;
        while (tick - start < TICKS) {
            if (pull(nextBusyTick()) > 0) {
                return;
            }
        }
        long least = CalloutWheel.NONE;
        for (int spoke = 0; spoke < TICKS; spoke++) {
            for (int i = 0; counts[spoke] > 0 && i < spokes[spoke].length; i++) {
                VnetCallout c = spokes[spoke][i];
                least = c == null ? least : Math.min(least, c.queuedNs);
            }
        }
        pull(least >> TICK_BITS);
    }

    /** No callout here is due before this instant; NONE when there is none. Cheap, and may be too early. */
    long earliestBoundNs() {
        return isEmpty() ? CalloutWheel.NONE : nextBusyTick() << TICK_BITS;
    }

    private int pull(long atTick) {
        pulled = 0;
        wheel.currentTickTime(atTick << TICK_BITS);
        wheel.poll((atTick + 1 << TICK_BITS) - 1, this, Integer.MAX_VALUE);
        advance(atTick + 1);
        return pulled;
    }

    private void advance(long toTick) {
        tick = toTick;
        wheel.currentTickTime(toTick << TICK_BITS);
    }

    /** The next tick, this turn, whose spoke has callouts (of this turn or a later one). There must be one. */
    private long nextBusyTick() {
        int from = spokeOf(tick);
        int word = from / Long.SIZE;
        long bits = busy[word] & -1L << from;
        while (bits == 0) {
            word = word + 1 & busy.length - 1;
            bits = busy[word];
        }
        int spoke = word * Long.SIZE + Long.numberOfTrailingZeros(bits);
        return tick + (spoke - from & TICKS - 1);
    }

    private static int spokeOf(long atTick) {
        return (int) atTick & TICKS - 1;
    }

    /** For the wheel, inside {@link #pull}. */
    @Override
    public boolean onTimerExpiry(TimeUnit unit, long now, long id) {
        near.add(forget(id));
        pulled++;
        return true;
    }

    int size() {
        return (int) wheel.timerCount();
    }

    /** Visits all, in no order. */
    void forEach(Consumer<VnetCallout> visitor) {
        for (VnetCallout[] row : spokes) {
            for (int i = 0; i < row.length; i++) {
                if (row[i] != null) {
                    visitor.accept(row[i]);
                }
            }
        }
    }
}
