package io.gatun.spi.sys;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One event counter. Adding never blocks and never allocates; a counter of a single-threaded vnet is a plain field.
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

    private final String name;
    private final boolean shared;
    private long value; // (v) atomic when shared, else owned by the one thread of the vnet

    Counter(final String name, final boolean shared) {
        this.name = name;
        this.shared = shared;
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
        if (shared) {
            final long ignored = (long) VALUE.getAndAdd(this, n);
        } else {
            value += n;
        }
    }

    /** The sum so far; exact once the writers are quiet. @bsd counter_u64_fetch */
    public long get() {
        return (long) VALUE.getOpaque(this);
    }
}
