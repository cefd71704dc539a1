package io.gatun.spi.sys;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One event counter. Adding never blocks. In a vnet with threads the first few platform threads that count get cells of
 * their own (see {@link CounterSet}), allocated when such a thread counts first and never again, to which they add
 * without an atomic instruction, as FreeBSD's processors do; everybody else shares one atomic cell. In a vnet without
 * threads it is a plain field.
 *
 * <p>Locking key: (c) constant, (v) VarHandle when shared, else of the one thread.
 *
 * @bsd counter_u64_t
 */
public final class Counter {
    private static final VarHandle VALUE;

    static {
        try {
            VALUE = MethodHandles.lookup().findVarHandle(Counter.class, "value", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;       // (c)
    private final CounterCells cells; // (c) null when not shared
    private final int index;         // (c) in the cells
    private long value;              // (v) what was not counted in cells

    Counter(final String name, final CounterCells cells, final int index) {
        this.name = name;
        this.cells = cells;
        this.index = index;
    }

    /**
     * Its name in {@code netstat -s} form: protocol, dot, field name of the statistics structure, as in {@code
     * tcp.sndpack}.
     */
    public String name() {
        return name;
    }

    /** Adds one. @bsd counter_u64_add */
    public void increment() {
        add(1);
    }

    /** @bsd counter_u64_add */
    public void add(final long n) {
        if (cells == null) {
            value += n;
            return;
        }
        final long[] mine = cells.mine();
        if (mine != null) {
            mine[index] += n;
        } else {
            final long ignored = (long) VALUE.getAndAdd(this, n);
        }
    }

    /** Takes one off a counter and adds it to another of the same set, for what is counted by its state. */
    public static void move(final Counter from, final Counter to) {
        final long[] mine = from.cells == null || from.cells != to.cells ? null : from.cells.mine();
        if (mine != null) {
            mine[from.index]--;
            mine[to.index]++;
        } else {
            from.add(-1);
            to.add(1);
        }
    }

    /** The sum so far; exact once the writers are quiet. @bsd counter_u64_fetch */
    public long get() {
        final long rest = (long) VALUE.getOpaque(this);
        return cells == null ? rest : rest + cells.sum(index);
    }
}
