package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.SpareSlots;

/**
 * What the quiet connections of a vnet have given back, for those that wake. Keeps {@link #MOST}; more are left to the
 * collector, so that a load spike is forgotten.
 *
 * <p>Locking key: (c) constant, (l) the lock.
 */
final class TcpActivities {
    static final int MOST = 256;

    private final Mtx lock;                     // (c)
    private final SpareSlots<TcpActivity> near; // (c)
    @GuardedBy("lock")
    private TcpActivity free;        // (l)
    @GuardedBy("lock")
    private int count;               // (l) of the free ones

    /** @param shared whether the vnet has threads */
    TcpActivities(boolean shared) {
        lock = new Mtx(LockClass.LEAF, "tcp activities", shared);
        near = new SpareSlots<>(shared);
    }

    /** One as new. */
    TcpActivity claim() {
        final TcpActivity a = near.take();
        return a != null ? a : pop();
    }

    private TcpActivity pop() {
        lock.lock();
        try {
            final TcpActivity a = free;
            if (a != null) {
                free = a.nextFree;
                a.nextFree = null;
                count--;
                return a;
            }
        } finally {
            lock.unlock();
        }
        return new TcpActivity();
    }

    /** Takes one back. */
    void release(TcpActivity a) {
        a.reset();
        final TcpActivity old = near.exchange(a);
        if (old == null) {
            return;
        }
        lock.lock();
        try {
            if (count < MOST) {
                old.nextFree = free;
                free = old;
                count++;
            }
        } finally {
            lock.unlock();
        }
    }
}
