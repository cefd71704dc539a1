package io.gatun.protosw;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.agrona.DeadlineTimerWheel;

/**
 * The callouts that are at least a tick away, in Agrona's timer wheel: arming one costs the same however many there
 * are. Before a tick begins its callouts are {@link #pull}ed into the {@link CalloutHeap}, which orders them exactly;
 * the wheel only keeps the many that are far off out of it.
 *
 * <p>Everything queued here is due at or after {@link #horizonNs}. A spoke that is full refuses, and the callout goes
 * to the heap instead: the wheel grows all spokes at once, so its largest must stay small. A turn in which no spoke
 * held a quarter of what it has room for ends with a smaller wheel, so that a load spike is forgotten.
 *
 * <p>Locking key: (w) the wheel's lock.
 */
final class FarCallouts implements DeadlineTimerWheel.TimerHandler {
    /** 2^21 ns: 2.1 ms. One turn takes 4.3 s. */
    private static final int TICK_BITS = 21;
    private static final int TICK_COUNT_BITS = 11;
    private static final int TICKS = 1 << TICK_COUNT_BITS;
    private static final int SPOKE_FIRST = 4;
    private static final int SPOKE_MAX = 64;
    /** Room that is never given up. */
    private static final int SPOKE_KEPT = 2 * SPOKE_FIRST;
    /** More room is given up when less than this part of it was used for a turn. */
    private static final int SPARSE = 4;
    /** 146 years; what is due later is never due. Keeps the arithmetic of ticks clear of overflow. */
    private static final long LAST_NS = 1L << Long.SIZE - 2;

    private DeadlineTimerWheel wheel = newWheel(SPOKE_FIRST); // (w)
    private VnetCallout[][] spokes = new VnetCallout[TICKS][SPOKE_FIRST]; // (w) by the two halves of a timer id
    private final int[] counts = new int[TICKS];                     // (w) callouts on each spoke
    private final long[] busy = new long[TICKS / Long.SIZE];         // (w) bit set: the spoke has callouts
    private final CalloutHeap near;
    private long tick;  // (w) the next to be pulled
    private int pulled; // (w) by the pull under way
    private int room = SPOKE_FIRST; // (w) the most that any spoke has had room for
    private int most;   // (w) that were on one spoke in the present turn

    FarCallouts(CalloutHeap near) {
        this.near = near;
    }

    private static DeadlineTimerWheel newWheel(int perSpoke) {
        return new DeadlineTimerWheel(TimeUnit.NANOSECONDS, 0, 1L << TICK_BITS, TICKS, perSpoke);
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
        int spoke = spokeOf(c.queuedNs() >> TICK_BITS);
        if (counts[spoke] >= SPOKE_MAX || c.queuedNs() >= LAST_NS) {
            return false;
        }
        long id = wheel.scheduleTimer(c.queuedNs());
        int slot = (int) id;
        VnetCallout[] row = spokes[spoke];
        if (slot >= row.length) {
            row = Arrays.copyOf(row, 2 * row.length);
            spokes[spoke] = row;
            room = Math.max(room, row.length);
        }
        row[slot] = c;
        c.farId = id;
        if (counts[spoke]++ == 0) {
            busy[spoke / Long.SIZE] |= 1L << spoke;
        }
        most = Math.max(most, counts[spoke]);
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
                least = c == null ? least : Math.min(least, c.queuedNs());
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
        boolean turned = toTick >>> TICK_COUNT_BITS != tick >>> TICK_COUNT_BITS;
        tick = toTick;
        wheel.currentTickTime(toTick << TICK_BITS);
        if (turned) {
            endTurn();
        }
    }

    private void endTurn() {
        int used = most;
        most = 0;
        for (int n : counts) {
            most = Math.max(most, n);
        }
        if (room > SPOKE_KEPT && used < room / SPARSE) {
            rebuild(Math.max(SPOKE_KEPT, SPARSE * Integer.highestOneBit(used)));
        }
    }

    private void rebuild(int perSpoke) {
        VnetCallout[][] old = spokes;
        wheel = newWheel(perSpoke);
        wheel.currentTickTime(tick << TICK_BITS);
        spokes = new VnetCallout[TICKS][SPOKE_FIRST];
        room = perSpoke;
        Arrays.fill(counts, 0);
        Arrays.fill(busy, 0);
        for (VnetCallout[] row : old) {
            for (VnetCallout c : row) {
                if (c != null) {
                    boolean added = add(c);
                    assert added : c + " had a place";
                }
            }
        }
    }

    /** Room on the widest spoke. */
    int room() {
        return room;
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

    /** Visits all, in no order. Without the lock it may miss what moves, or meet it twice. */
    void forEach(Consumer<VnetCallout> visitor) {
        for (VnetCallout[] row : spokes) {
            for (VnetCallout c : row) {
                if (c != null) {
                    visitor.accept(c);
                }
            }
        }
    }
}
