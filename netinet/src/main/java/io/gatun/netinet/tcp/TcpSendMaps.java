package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The send maps of a vnet: handed out while something is in flight, and kept for the next. Bounded by {@code
 * net.inet.tcp.map_limit} records in all; a connection that gets none recovers without selective acknowledgments.
 *
 * <p>Locking key: (c) constant, (l) the lock, (v) atomic.
 */
final class TcpSendMaps {
    private static final int CUTS_A_HOLE = 2;
    private static final int SLOTS = 8;
    private static final int SPREAD = 4; // slots of neighbours share a cache line otherwise

    private final TcpSysctl sysctl; // (c)
    private final Mtx lock = new Mtx(LockClass.LEAF, "tcp send maps"); // (c)
    private final AtomicReferenceArray<TcpSendMap> near = new AtomicReferenceArray<>(SLOTS * SPREAD); // (v)
    private final AtomicInteger records = new AtomicInteger(); // (v) room in all maps there are
    private final AtomicInteger cuts = new AtomicInteger();    // (v) records cut off by SACK blocks
    @GuardedBy("lock")
    private TcpSendMap free;        // (l)

    TcpSendMaps(TcpSysctl sysctl) {
        this.sysctl = sysctl;
    }

    /** An empty map, or null beyond the limit. */
    TcpSendMap claim() {
        final TcpSendMap m = near.getAndSet(slot(), null);
        return m != null ? m : pop();
    }

    private TcpSendMap pop() {
        lock.lock();
        try {
            final TcpSendMap m = free;
            if (m != null) {
                free = m.nextFree;
                m.nextFree = null;
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
        cuts.addAndGet(-m.cuts());
        m.reset();
        final TcpSendMap old = near.getAndSet(slot(), m);
        if (old == null) {
            return;
        }
        lock.lock();
        try {
            old.nextFree = free;
            free = old;
        } finally {
            lock.unlock();
        }
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

    private static int slot() {
        return ((int) Thread.currentThread().threadId() & SLOTS - 1) * SPREAD;
    }
}
