package io.gatun.netinet.ip;

import io.gatun.spi.vnet.VnetSide;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counters of identifications, each shared by the few destinations whose hash chooses it, and started anywhere (RFC
 * 7739 section 5.3).
 *
 * <p>Locking key: (c) constant, (v) VarHandle when shared, else of the one thread.
 */
public final class IdCounters {
    private static final VarHandle NEXT = MethodHandles.arrayElementVarHandle(int[].class);
    private static final int COUNTERS = 1024;

    private final boolean shared;                  // (c)
    private final int[] next = new int[COUNTERS];  // (v)

    public IdCounters(final VnetSide vnet) {
        shared = vnet.threaded();
        for (int i = 0; i < COUNTERS; i++) {
            next[i] = vnet.random().nextInt();
        }
    }

    /** The next number of the counter that the upper half of the hash chooses. */
    public int next(final long hash) {
        final int i = (int) (hash >>> Integer.SIZE) & COUNTERS - 1;
        return shared ? (int) NEXT.getAndAdd(next, i, 1) : next[i]++;
    }
}
