package io.gatun.conformance;

import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.mbuf.MbufPoolBuilder;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Pools of mbufs that tests use one after another: to make one touches all of its memory, which takes longer than most
 * tests do. Only a whole pool comes back. What is written to its mbufs between two tests fails the second, as what is
 * written after a free always does.
 */
public final class Pools {
    /** As the first Ethernet interface of a pool would have it; so that the second user finds what the first found. */
    private static final int LINK_HEADER = 18;
    private static final Map<String, Queue<MbufPool>> FREE = new ConcurrentHashMap<>();

    private Pools() {
    }

    /**
     * A whole pool; all that are asked for by the same name are alike.
     *
     * @param limits of a pool that has to be made
     */
    public static MbufPool take(final String name, final MbufPoolBuilder limits) {
        final MbufPool used = free(name).poll();
        if (used != null) {
            return used;
        }
        final MbufPool made = limits.name(name).build();
        made.maxLinkhdrGrow(LINK_HEADER);
        return made;
    }

    /** Takes back a pool of which nobody uses anything any more. */
    public static void giveBack(final MbufPool pool) {
        if (pool.outstanding() != 0 || pool.clustersOutstanding() != 0) {
            throw new IllegalStateException(pool.leakReport());
        }
        pool.refuse(0, 0);
        free(pool.name()).add(pool);
    }

    private static Queue<MbufPool> free(final String name) {
        return FREE.computeIfAbsent(name, n -> new ConcurrentLinkedQueue<>());
    }
}
