package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.SpareSlots;

/**
 * What the quiet connections of a vnet have given back, for those that wake. Each of a few threads has some at hand, in
 * a chain; those who give back more than they take leave whole chains to the others. Keeps {@link #MOST} of these; more
 * are left to the collector, so that a load spike is forgotten.
 *
 * <p>Locking key: (c) constant, (l) the lock.
 */
final class TcpActivities {
    static final int MOST = 256;
    /** In a whole chain. */
    static final int CHAIN = 8;

    private final Mtx lock;                     // (c)
    private final SpareSlots<TcpActivity> near; // (c) the first of a chain by nextFree
    @GuardedBy("lock")
    private TcpActivity free;        // (l) the first of a whole chain, others by nextChain
    @GuardedBy("lock")
    private int count;               // (l) of the free ones

    /** @param shared whether the vnet has threads */
    TcpActivities(boolean shared) {
        lock = new Mtx(LockClass.LEAF, "tcp activities", shared);
        near = new SpareSlots<>(shared);
    }

    /** One as new. */
    TcpActivity claim() {
        final TcpActivity mine = near.take();
        final TcpActivity a = mine != null ? mine : pop();
        if (a == null) {
            return new TcpActivity();
        }
        if (a.nextFree != null) {
            near.give(a.nextFree);
            a.nextFree = null;
            a.chained = 0;
        }
        return a;
    }

    private TcpActivity pop() {
        lock.lock();
        try {
            final TcpActivity a = free;
            if (a != null) {
                free = a.nextChain;
                a.nextChain = null;
                count -= CHAIN;
            }
            return a;
        } finally {
            lock.unlock();
        }
    }

    /** Takes one back. */
    void release(TcpActivity a) {
        a.reset();
        TcpActivity chain = near.take();
        if (chain != null && chain.chained + 1 == CHAIN) {
            push(chain);
            chain = null;
        }
        a.nextFree = chain;
        a.chained = chain == null ? 0 : chain.chained + 1;
        near.give(a);
    }

    private void push(TcpActivity chain) {
        lock.lock();
        try {
            if (count < MOST) {
                chain.nextChain = free;
                free = chain;
                count += CHAIN;
            }
        } finally {
            lock.unlock();
        }
    }
}
