package io.gatun.netinet.tcp;

import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;

/**
 * A part of the syncache with a lock of its own: buckets, free entries, and the queues of those whose SYN|ACK is to be
 * sent again. All entries that were sent equally often wait equally long, so a queue for each number is in order of
 * time, and one callout for the first of them all will do. It is left armed when the queues run empty: it costs less to
 * find nothing once a second than to arm and disarm for each connection.
 *
 * <p>Locking key: (c) constant; (s) {@link #lock}.
 *
 * @bsd struct syncache_head
 */
final class SyncacheShard {
    private static final int LEVELS = TcpTimers.TCP_MAXRXTSHIFT + 2;

    final Mtx lock;                       // (c)
    final Callout callout;                // (c)
    private final SyncacheEntry[] heads;  // (s) newest
    private final SyncacheEntry[] tails;  // (s) oldest
    private final int[] lengths;          // (s)
    private final SyncacheEntry[] tqFirst = new SyncacheEntry[LEVELS]; // (s)
    private final SyncacheEntry[] tqLast = new SyncacheEntry[LEVELS];  // (s)
    private long lastOverflowNs = Long.MIN_VALUE; // (s) when one was thrown out for want of room
    private SyncacheEntry free;           // (s)
    private int made;                     // (s) entries in being
    private int count;                    // (s) entries in use
    private long armedNs = TcpTimers.OFF; // (s)

    SyncacheShard(Syncache sc, int buckets) {
        lock = new Mtx(LockClass.NET_LEAF, "tcp_sc_head", sc.tcp.vnet.threaded());
        heads = new SyncacheEntry[buckets];
        tails = new SyncacheEntry[buckets];
        lengths = new int[buckets];
        callout = sc.tcp.vnet.callout("tcp_sc", lock, () -> sc.timer(this));
    }

    /** The entry of a connection, or null. @bsd syncache_lookup */
    SyncacheEntry find(int bucket, InConninfo inc) {
        assert lock.owned();
        SyncacheEntry e = heads[bucket];
        while (e != null && !e.inc.same(inc)) {
            e = e.hashNext;
        }
        return e;
    }

    /** A blank entry, or null when {@code limit} are in use. */
    SyncacheEntry alloc(int limit) {
        assert lock.owned();
        if (count >= limit) {
            return null;
        }
        SyncacheEntry e = free;
        if (e == null) {
            e = new SyncacheEntry();
            made++;
        } else {
            free = e.hashNext;
            e.hashNext = null;
        }
        count++;
        return e;
    }

    /** Gives back an entry that is in no list. @bsd syncache_free */
    void free(SyncacheEntry e) {
        assert lock.owned();
        e.hashNext = free;
        free = e;
        count--;
    }

    /** An entry is thrown out for want of room. */
    void overflow(long nowNs) {
        assert lock.owned();
        lastOverflowNs = nowNs;
    }

    /** Whether that happened no longer ago than {@code withinNs}. */
    boolean overflowed(long nowNs, long withinNs) {
        assert lock.owned();
        return lastOverflowNs != Long.MIN_VALUE && nowNs - lastOverflowNs <= withinNs;
    }

    int length(int bucket) {
        assert lock.owned();
        return lengths[bucket];
    }

    SyncacheEntry oldest(int bucket) {
        assert lock.owned();
        return tails[bucket];
    }

    /** The newest of a bucket; the others follow by {@code hashNext}. */
    SyncacheEntry newest(int bucket) {
        assert lock.owned();
        return heads[bucket];
    }

    int buckets() {
        return heads.length;
    }

    int count() {
        assert lock.owned();
        return count;
    }

    /** Into its bucket; {@link #schedule} is due. @bsd syncache_insert */
    void link(SyncacheEntry e, int bucket) {
        assert lock.owned();
        e.bucket = bucket;
        e.hashPrev = null;
        e.hashNext = heads[bucket];
        if (e.hashNext == null) {
            tails[bucket] = e;
        } else {
            e.hashNext.hashPrev = e;
        }
        heads[bucket] = e;
        lengths[bucket]++;
    }

    /** Out of its bucket and its timer queue; whoever asks owns it now. */
    void unlink(SyncacheEntry e) {
        assert lock.owned();
        dequeue(e);
        final int b = e.bucket;
        if (e.hashPrev == null) {
            heads[b] = e.hashNext;
        } else {
            e.hashPrev.hashNext = e.hashNext;
        }
        if (e.hashNext == null) {
            tails[b] = e.hashPrev;
        } else {
            e.hashNext.hashPrev = e.hashPrev;
        }
        e.hashNext = null;
        e.hashPrev = null;
        lengths[b]--;
    }

    /** Its next SYN|ACK is due at {@code rxttimeNs}, after {@code rxmits} of them. @bsd syncache_timeout */
    void schedule(SyncacheEntry e) {
        assert lock.owned();
        final int level = Math.min(e.rxmits, LEVELS - 1);
        e.level = level;
        e.tqNext = null;
        e.tqPrev = tqLast[level];
        if (e.tqPrev == null) {
            tqFirst[level] = e;
        } else {
            e.tqPrev.tqNext = e;
        }
        tqLast[level] = e;
        if (e.rxttimeNs < armedNs) {
            armedNs = e.rxttimeNs;
            callout.resetAt(armedNs);
        }
    }

    /** Out of its timer queue. */
    void dequeue(SyncacheEntry e) {
        assert lock.owned();
        if (e.tqPrev == null) {
            tqFirst[e.level] = e.tqNext;
        } else {
            e.tqPrev.tqNext = e.tqNext;
        }
        if (e.tqNext == null) {
            tqLast[e.level] = e.tqPrev;
        } else {
            e.tqNext.tqPrev = e.tqPrev;
        }
        e.tqNext = null;
        e.tqPrev = null;
    }

    /** The callout runs, and is not armed: should this run fail, {@link #schedule} arms it again. */
    void fired() {
        assert lock.owned();
        armedNs = TcpTimers.OFF;
    }

    /** An entry that is due by now, still in its queue; or null. */
    SyncacheEntry due(long nowNs) {
        assert lock.owned();
        for (int i = 0; i < LEVELS; i++) {
            final SyncacheEntry e = tqFirst[i];
            if (e != null && e.rxttimeNs <= nowNs) {
                return e;
            }
        }
        return null;
    }

    /** After the callout ran: arms it for the first entry there is. */
    void rearm() {
        assert lock.owned();
        armedNs = TcpTimers.OFF;
        for (int i = 0; i < LEVELS; i++) {
            if (tqFirst[i] != null) {
                armedNs = Math.min(armedNs, tqFirst[i].rxttimeNs);
            }
        }
        if (armedNs != TcpTimers.OFF) {
            callout.resetAt(armedNs);
        }
    }

    /** Recounts everything; for assertions. */
    boolean check() {
        lock.lock();
        try {
            int linked = 0;
            for (int b = 0; b < heads.length; b++) {
                int n = 0;
                for (SyncacheEntry e = heads[b]; e != null; e = e.hashNext) {
                    assert e.bucket == b : "entry in the wrong bucket";
                    n++;
                }
                assert n == lengths[b] : n + " entries, counted " + lengths[b];
                linked += n;
            }
            int queued = 0;
            for (int i = 0; i < LEVELS; i++) {
                for (SyncacheEntry e = tqFirst[i]; e != null; e = e.tqNext) {
                    assert e.tqNext == null || e.tqNext.rxttimeNs >= e.rxttimeNs : "timer queue out of order";
                    queued++;
                }
            }
            int spare = 0;
            for (SyncacheEntry e = free; e != null; e = e.hashNext) {
                spare++;
            }
            assert linked == queued && linked == count : linked + " linked, " + queued + " queued, " + count;
            assert made == count + spare : made + " made, " + count + " in use, " + spare + " free";
            return true;
        } finally {
            lock.unlock();
        }
    }
}
