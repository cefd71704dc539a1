package io.gatun.spi.sys;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.ObjLongConsumer;

/**
 * All counters of one vnet by name. Look a counter up once, at attach time, and keep it.
 *
 * <p>Locking key: (l) {@code this}.
 */
public final class CounterSet {
    private final boolean shared;
    private final Map<String, Counter> counters = new ConcurrentSkipListMap<>();
    private CounterCells block; // (l) the present block of cells
    private int used;           // (l) cells of it that are taken

    /** @param shared whether more than one thread may run the stack */
    public CounterSet(final boolean shared) {
        this.shared = shared;
    }

    /**
     * The counter of that name, created at the first call.
     *
     * @param name protocol, dot, field of FreeBSD's statistics structure without its prefix, as in {@code ip.badsum}
     */
    public Counter counter(final String name) {
        final Counter c = counters.get(name);
        return c != null ? c : create(name);
    }

    private synchronized Counter create(final String name) {
        return counters.computeIfAbsent(name, n -> shared ? shared(n) : new Counter(n, null, 0));
    }

    private Counter shared(final String name) {
        if (block == null || used == CounterCells.BLOCK) {
            block = new CounterCells();
            used = 0;
        }
        used++;
        return new Counter(name, block, used - 1);
    }

    /** The value, or 0 when nobody has counted under that name. */
    public long get(final String name) {
        final Counter c = counters.get(name);
        return c == null ? 0 : c.get();
    }

    /** Visits all counters in the order of their names. */
    public void forEach(final ObjLongConsumer<String> consumer) {
        counters.forEach((name, c) -> consumer.accept(name, c.get()));
    }

    /** A copy of all values, by name. */
    public Map<String, Long> snapshot() {
        final Map<String, Long> out = new TreeMap<>();
        forEach(out::put);
        return out;
    }
}
