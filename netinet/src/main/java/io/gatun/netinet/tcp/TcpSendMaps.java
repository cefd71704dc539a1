package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.SpareSlots;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The send maps of a vnet: handed out while something is in flight, and kept for the next. Bounded by {@code
 * net.inet.tcp.map_limit} records in all; a connection that gets none recovers without selective acknowledgments.
 * Those that nobody needed while {@link #PERIOD} others came back are let go, so that a load spike is forgotten.
 *
 * <p>Locking key: (c) constant, (l) the lock, (v) atomic.
 */
final class TcpSendMaps {
    static final int PERIOD = 256;
    private static final int CUTS_A_HOLE = 2;

    private final TcpSysctl sysctl; // (c)
    private final Mtx lock;         // (c)
    private final SpareSlots<TcpSendMap> near; // (c)
    private final AtomicInteger records = new AtomicInteger(); // (v) room in all maps there are
    private final AtomicInteger cuts = new AtomicInteger();    // (v) records cut off by SACK blocks
    @GuardedBy("lock")
    private TcpSendMap free;        // (l)
    @GuardedBy("lock")
    private int count;              // (l) of the free ones
    @GuardedBy("lock")
    private int fewest;             // (l) of them in the present period
    @GuardedBy("lock")
    private int back;               // (l) that came back in it

    /** @param shared whether the vnet has threads */
    TcpSendMaps(TcpSysctl sysctl, boolean shared) {
        this.sysctl = sysctl;
        lock = new Mtx(LockClass.LEAF, "tcp send maps", shared);
        near = new SpareSlots<>(shared);
    }

    /** An empty map, or null beyond the limit. */
    TcpSendMap claim() {
        final TcpSendMap m = near.take();
        return m != null ? m : pop();
    }

    private TcpSendMap pop() {
        lock.lock();
        try {
            final TcpSendMap m = free;
            if (m != null) {
                free = m.nextFree;
                m.nextFree = null;
                count--;
                fewest = Math.min(fewest, count);
                return m;
            }
        } finally {
            lock.unlock();
        }
        if (records.get() + TcpSendMap.FEWEST > sysctl.mapLimit.getInt()) {
            return null;
        }
        records.addAndGet(TcpSendMap.FEWEST);
        return new TcpSendMap(this);
    }

    /** Takes a map back. */
    void release(TcpSendMap m) {
        if (m.cuts() != 0) {
            cuts.addAndGet(-m.cuts());
        }
        m.reset();
        final TcpSendMap old = near.exchange(m);
        if (old == null) {
            return;
        }
        lock.lock();
        try {
            old.nextFree = free;
            free = old;
            count++;
            back++;
            if (back == PERIOD) {
                trimLocked();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets go of those that were free all through the period, and begins another. */
    @GuardedBy("lock")
    private void trimLocked() {
        assert lock.owned();
        for (int i = 0; i < fewest; i++) {
            records.addAndGet(-free.capacity());
            free = free.nextFree;
        }
        count -= fewest;
        fewest = count;
        back = 0;
    }

    /** Records there is room for in all maps there are, handed out or free. */
    int records() {
        return records.get();
    }

    /** Whether a SACK block may cut a record of {@code m}: limits on one connection, and on all. */
    boolean mayCut(TcpSendMap m) {
        return m.cuts() < CUTS_A_HOLE * sysctl.sackMaxholes.getInt()
            && cuts.get() < CUTS_A_HOLE * (long) sysctl.sackGlobalmaxholes.getInt();
    }

    /** Whether a map may have {@code more} records. */
    boolean mayGrow(int more) {
        return records.get() + more <= sysctl.mapLimit.getInt();
    }

    void grown(int more) {
        records.addAndGet(more);
    }

    void cut(int more) {
        cuts.addAndGet(more);
    }

    /** Holes that SACK blocks have left within what was sent at a time. @bsd V_tcp_sack_globalholes */
    long globalholes() {
        return Math.ceilDiv(cuts.get(), CUTS_A_HOLE);
    }
}
