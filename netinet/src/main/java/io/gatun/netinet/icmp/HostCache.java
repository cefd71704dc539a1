package io.gatun.netinet.icmp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What has been learnt of other hosts and is worth more than one connection: path MTU, round-trip time, thresholds.
 * Bounded and hashed with a secret; reading takes no lock. An entry that was neither written nor asked for by {@link
 * #get} or {@link #mtu} for {@code net.inet.tcp.hostcache.expire} seconds is forgotten when old ones are looked for,
 * every {@code prune} seconds.
 *
 * <p>IPv6 addresses use both words, their zone put in; an IPv4 address the low 32 bits of {@code lo} and {@code hi} 0.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}; (w) written under it, read without it; (b) benign race: a count or a
 * time that may miss one of two events at once.
 *
 * @bsd tcp_hostcache
 */
public final class HostCache {
    private static final long SEC = 1_000_000_000L;
    private static final int MS_NS = 1_000_000;
    /** @bsd TCP_HOSTCACHE_HASHSIZE */
    private static final int HASHSIZE = 512;
    /** @bsd TCP_HOSTCACHE_BUCKETLIMIT */
    private static final int BUCKET_LIMIT = 30;
    /** @bsd TCP_HOSTCACHE_EXPIRE */
    private static final int EXPIRE_SEC = 3600;
    /** @bsd TCP_HOSTCACHE_PRUNE */
    private static final int PRUNE_SEC = 300;
    /** Nothing smaller is believed: an attacker would have us send dust. */
    private static final int MIN_MTU = 256;
    private static final long IN4 = 0xffff_ffffL;

    /** What a connection has learnt; 0 for what it has not. @bsd struct hc_metrics_lite */
    public static final class Metrics {
        /** Octets. */
        public int ssthresh;
        /** Smoothed round trip. */
        public long rttNs;
        /** Its mean deviation. */
        public long rttvarNs;
        /** Octets. */
        public int cwnd;
        /** Octets of send buffer that fill the path. */
        public int sendpipe;
        /** Octets of receive buffer that fill the path. */
        public int recvpipe;

        /** Nothing is known. */
        public Metrics() {
            // filled by its maker
        }
    }

    /** What is known of one host. Values of 0 are not known. @bsd struct hc_metrics */
    public static final class Entry {
        final long hi;              // (c)
        final long lo;              // (c)
        final boolean v6;           // (c)
        volatile Entry next;        // (w) not so lately written
        volatile int mtu;           // (w)
        volatile int ssthresh;      // (w) octets
        volatile int cwnd;          // (w) octets
        volatile int sendpipe;      // (w) octets
        volatile int recvpipe;      // (w) octets
        volatile long rttNs;        // (w)
        volatile long rttvarNs;     // (w)
        long usedNs;                // (b) written, or asked for
        int hits;                   // (b)
        int updates;                // (l)

        Entry(long hi, long lo) {
            this.hi = hi;
            this.lo = lo;
            v6 = hi != 0 || lo >>> Integer.SIZE != 0;
        }

        /** Path MTU, octets. */
        public int mtu() {
            return mtu;
        }

        /** Octets. */
        public int ssthresh() {
            return ssthresh;
        }

        /** Octets. */
        public int cwnd() {
            return cwnd;
        }

        /** Octets. */
        public int sendpipe() {
            return sendpipe;
        }

        /** Octets. */
        public int recvpipe() {
            return recvpipe;
        }

        public long rttNs() {
            return rttNs;
        }

        public long rttvarNs() {
            return rttvarNs;
        }
    }

    private final Mtx lock = new Mtx(LockClass.NET_LEAF, "tcp_hc_entry");
    private final VnetSide vnet;
    private final long key0;
    private final Sysctl enable;
    private final Sysctl expire;
    private final Sysctl limit;
    private final Sysctl bucketLimit;
    private final Sysctl pruneEvery;
    private final Sysctl purge;
    private final Callout prune;
    private final AtomicReferenceArray<Entry> buckets; // (w)
    private volatile int count;     // (w)
    @GuardedBy("lock")
    private boolean destroyed;      // (l)

    public HostCache(VnetSide vnet) {
        this.vnet = vnet;
        long k = 0;
        for (byte b : vnet.secret()) {
            k = mix(k ^ b & 0xff);
        }
        key0 = k;
        final SysctlTree tree = vnet.sysctl();
        final String base = "net.inet.tcp.hostcache.";
        enable = tree.addBool(base + "enable", true, "Whether anything is remembered");
        final Sysctl hashsize = tree.addTunable(base + "hashsize", HASHSIZE,
            v -> v > 0 && v <= 1 << 20 && Long.bitCount(v) == 1, "Buckets, a power of 2");
        bucketLimit = tree.addTunable(base + "bucketlimit", BUCKET_LIMIT, v -> v > 0, "Entries in a bucket at most");
        buckets = new AtomicReferenceArray<>(hashsize.getInt());
        limit = tree.addTunable(base + "cachelimit", hashsize.getInt() * BUCKET_LIMIT, v -> v >= 0, "Entries at most");
        expire = tree.addInt(base + "expire", EXPIRE_SEC, 1, Integer.MAX_VALUE,
            "Seconds until an unused entry is forgotten");
        pruneEvery = tree.addInt(base + "prune", PRUNE_SEC, 1, Integer.MAX_VALUE,
            "Seconds between two looks for old entries");
        purge = tree.addBool(base + "purge", false, "Forget all entries at the next look for old ones");
        tree.addProc(base + "purgenow", 0, this::purgeNow, "Forget all entries now");
        tree.addReading(base + "count", this::count, "Entries now");
        tree.addText(base + "list", this::list, "All entries");
        prune = vnet.callout("tcp_hc_purge", null, this::pruneOld);
    }

    private static long mix(long v) {
        long z = (v ^ v >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    private int bucket(long hi, long lo) {
        return (int) (mix(mix(key0 ^ hi) ^ lo) >>> 32) & buckets.length() - 1;
    }

    // ---- what is known ------------------------------------------------------------

    /** What is known of a host, or null. Takes no lock, and leaves its age alone. @bsd tcp_hc_lookup */
    public Entry lookup(long hi, long lo) {
        if (count == 0 || !enable.getBool()) {
            return null;
        }
        Entry e = buckets.getAcquire(bucket(hi, lo));
        while (e != null && (e.lo != lo || e.hi != hi)) {
            e = e.next;
        }
        return e;
    }

    /** As {@link #lookup}, for a connection that begins: it will be kept longer. @bsd tcp_hc_get */
    public Entry get(long hi, long lo) {
        final Entry e = lookup(hi, lo);
        if (e != null) {
            e.hits++;
            e.usedNs = vnet.clock().nanoTime();
        }
        return e;
    }

    /** The path MTU to an IPv4 host, or 0 when none is known. @bsd tcp_hc_getmtu */
    public int mtu(int dst) {
        return mtu(0, dst & IN4);
    }

    /** The path MTU to a host, or 0 when none is known. @bsd tcp_hc_getmtu */
    public int mtu(long hi, long lo) {
        final Entry e = get(hi, lo);
        return e == null ? 0 : e.mtu;
    }

    // ---- what is learnt ------------------------------------------------------------

    /** Notes a path MTU, in octets; one below 256 is not believed. @bsd tcp_hc_updatemtu */
    public void updateMtu(int dst, int mtu) {
        updateMtu(0, dst & IN4, mtu);
    }

    /** Notes a path MTU, in octets; one below 256 is not believed. @bsd tcp_hc_updatemtu */
    public void updateMtu(long hi, long lo, int mtu) {
        if (mtu < MIN_MTU || !enable.getBool()) {
            return;
        }
        lock.lock();
        try {
            final Entry e = findOrAdd(hi, lo);
            if (e != null) {
                e.mtu = mtu;
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Notes what a connection has learnt; values of 0 change nothing, others are averaged with what is known.
     *
     * @bsd tcp_hc_update
     */
    public void update(long hi, long lo, Metrics m) {
        if (!enable.getBool()) {
            return;
        }
        lock.lock();
        try {
            final Entry e = findOrAdd(hi, lo);
            if (e != null) {
                e.rttNs = average(e.rttNs, m.rttNs);
                e.rttvarNs = average(e.rttvarNs, m.rttvarNs);
                e.ssthresh = (int) average(e.ssthresh, m.ssthresh);
                e.cwnd = (int) average(e.cwnd, m.cwnd);
                e.sendpipe = (int) average(e.sendpipe, m.sendpipe);
                e.recvpipe = (int) average(e.recvpipe, m.recvpipe);
            }
        } finally {
            lock.unlock();
        }
    }

    private static long average(long old, long now) {
        return now == 0 ? old : old == 0 ? now : (old + now) / 2;
    }

    /**
     * The entry, made when it is not there, and first of its bucket from now on; in a full bucket, or a full cache, the
     * last of the bucket gives way. Null when not allowed.
     *
     * @bsd tcp_hc_insert
     */
    @GuardedBy("lock")
    private Entry findOrAdd(long hi, long lo) {
        if (destroyed || limit.getInt() == 0) {
            return null;
        }
        Entry e = lookup(hi, lo);
        final int b = bucket(hi, lo);
        if (e == null) {
            if (!room(b)) {
                return null;
            }
            e = new Entry(hi, lo);
            e.next = buckets.get(b);
            buckets.setRelease(b, e);
            final int before = count;
            count = before + 1;
            if (!prune.pending()) {
                prune.reset(pruneEvery.get() * SEC);
            }
        }
        e.updates++;
        e.usedNs = vnet.clock().nanoTime();
        return e;
    }

    @GuardedBy("lock")
    private boolean room(int b) {
        Entry oldest = null;
        int n = 0;
        for (Entry e = buckets.get(b); e != null; e = e.next) {
            n++;
            if (oldest == null || e.usedNs - oldest.usedNs < 0) {
                oldest = e;
            }
        }
        if (n < bucketLimit.getInt() && count < limit.getInt()) {
            return true;
        }
        if (oldest != null) {
            unlink(b, oldest);
        }
        return oldest != null;
    }

    @GuardedBy("lock")
    private void unlink(int b, Entry gone) {
        Entry at = buckets.get(b);
        if (at == gone) {
            buckets.setRelease(b, gone.next);
        } else {
            while (at.next != gone) {
                at = at.next;
            }
            at.next = gone.next;
        }
        final int before = count;
        count = before - 1;
    }

    // ---- forgetting ------------------------------------------------------------

    /** Forgets what is old. @bsd tcp_hc_purge */
    private void pruneOld() {
        lock.lock();
        try {
            if (purge.getBool()) {
                purge.set(0);
                clear();
            }
            final long old = vnet.clock().nanoTime() - expire.get() * SEC;
            for (int b = 0; b < buckets.length(); b++) {
                for (Entry e = buckets.get(b); e != null; e = e.next) {
                    if (e.usedNs - old <= 0) {
                        unlink(b, e);
                    }
                }
            }
            if (count > 0 && !destroyed) {
                prune.reset(pruneEvery.get() * SEC);
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void clear() {
        for (int b = 0; b < buckets.length(); b++) {
            buckets.set(b, null);
        }
        count = 0;
    }

    /** @bsd sysctl_tcp_hc_purgenow */
    private boolean purgeNow(long v) {
        if (v != 0) {
            lock.lock();
            try {
                clear();
                prune.stop(); // nothing is left to look for
            } finally {
                lock.unlock();
            }
        }
        return true;
    }

    /** Entries now. */
    public int count() {
        return count;
    }

    /** @bsd sysctl_tcp_hc_list */
    private String list() {
        final StringBuilder out = new StringBuilder("\nIP address        MTU  SSTRESH      RTT   RTTVAR     CWND "
            + "SENDPIPE RECVPIPE HITS  UPD  EXP\n");
        lock.lock();
        try {
            final long now = vnet.clock().nanoTime();
            for (int b = 0; b < buckets.length(); b++) {
                for (Entry e = buckets.get(b); e != null; e = e.next) {
                    line(out, e, now);
                }
            }
        } finally {
            lock.unlock();
        }
        return out.toString();
    }

    private void line(StringBuilder out, Entry e, long now) {
        final SockAddr a = e.v6 ? SockAddr.in6(e.hi, e.lo, 0) : SockAddr.in((int) e.lo, 0);
        out.append(String.format(Locale.ROOT, "%-15s %5d %8d %6dms %6dms %8d %8d %8d %4d %4d %4d%n", a.host(), e.mtu,
            e.ssthresh, e.rttNs / MS_NS, e.rttvarNs / MS_NS, e.cwnd, e.sendpipe, e.recvpipe, e.hits, e.updates,
            expire.get() - (now - e.usedNs) / SEC));
    }

    /** Forgets all and stops. */
    public void destroy() {
        lock.lock();
        try {
            destroyed = true;
            clear();
        } finally {
            lock.unlock();
        }
        prune.drain();
    }
}
