package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.pcb.KeyedMix;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;
import java.util.Locale;

/**
 * The cookies that servers gave us, by path: our address, theirs, and their port. A path on which Fast Open failed is
 * off for {@code path_disable_time}. RFC 7413 section 4.1.3.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}; (v) volatile.
 *
 * @bsd struct tcp_fastopen_ccache
 */
final class TcpFastopenCache {
    /** @bsd TCP_FASTOPEN_MIN_COOKIE_LEN */
    private static final int MIN_COOKIE_LEN = 4;
    /** @bsd TCP_FASTOPEN_CCACHE_BUCKET_LIMIT_DEFAULT */
    private static final int BUCKET_LIMIT = 16;
    /** @bsd TCP_FASTOPEN_CCACHE_BUCKETS_DEFAULT */
    private static final int BUCKETS = 2048;
    /** @bsd TCP_FASTOPEN_PATH_DISABLE_TIME_DEFAULT */
    private static final int PATH_DISABLE_TIME = 900;
    private static final long SEC_NS = 1_000_000_000L;

    /** One path. @bsd struct tcp_fastopen_ccache_entry */
    private static final class Entry {
        final InConninfo inc = new InConninfo(); // (l) our port is 0
        int mss;            // (l) the server's
        int cookieLen;      // (l)
        long lo;            // (l) the cookie, its first octet lowest
        long hi;            // (l)
        boolean disabled;   // (l)
        long disabledNs;    // (l) since when
        Entry next;         // (l) older, in its bucket

        Entry() {
            // filled by create
        }
    }

    private final Mtx lock = new Mtx(LockClass.LEAF, "tfo_ccache_bucket");
    private final VnetSide vnet;        // (c)
    private final Sysctl pathDisableTime;
    private final Sysctl buckets;
    private final long secret;          // (c)
    private volatile boolean enabled;   // (v)
    @GuardedBy("lock")
    private int bucketLimit = BUCKET_LIMIT; // (l)
    @GuardedBy("lock")
    private Entry[] table;              // (l) null until something is put in

    TcpFastopenCache(VnetSide vnet) {
        this.vnet = vnet;
        secret = vnet.random().nextLong();
        final SysctlTree t = vnet.sysctl();
        final String base = TcpFastopen.BASE;
        pathDisableTime = t.addInt(base + "path_disable_time", PATH_DISABLE_TIME, 0, Integer.MAX_VALUE,
            "Seconds that a failure switches Fast Open off on a path");
        buckets = t.addTunable(base + "ccache_buckets", BUCKETS, v -> v > 0 && Long.bitCount(v) == 1 && v <= 1 << 24,
            "Buckets of the cookie cache, a power of 2");
        t.addProc(base + "ccache_bucket_limit", BUCKET_LIMIT, this::setBucketLimit, "Cookies in a bucket at most");
        t.addProc(base + "client_enable", 1, this::setEnabled, "Whether connect may use Fast Open");
        t.addText(base + "ccache_list", this::list, "All cookies");
    }

    /** @bsd V_tcp_fastopen_client_enable */
    boolean enabled() {
        return enabled;
    }

    /** What a cookie may have: an even number of octets from 4 to 16. */
    static boolean valid(int cookieLen) {
        return cookieLen >= MIN_COOKIE_LEN && cookieLen <= TcpOpt.MAX_COOKIE && cookieLen % 2 == 0;
    }

    // ---- what is asked when a connection begins ----------------------------------------------------

    /**
     * Fills in the cookie of a connection that begins, if there is one; takes TF_FASTOPEN from it where the path is
     * off. When the time of that is over a new cookie is asked for.
     *
     * @return the server's MSS, or 0 when it is not known
     * @bsd tcp_fastopen_connect
     */
    @GuardedBy("tp.inp.lock")
    int connect(Tcpcb tp) {
        final InConninfo inc = path(tp);
        final TcpFastopenCb cb = tp.tfo;
        lock.lock();
        try {
            final Entry e = find(inc);
            if (e == null) {
                return 0;
            }
            if (e.disabled) {
                if (vnet.clock().nanoTime() - e.disabledNs <= pathDisableTime.get() * SEC_NS) {
                    tp.flags &= ~Tcpcb.TF_FASTOPEN;
                } else {
                    e.disabled = false;
                }
                return 0;
            }
            cb.cookieLen = e.cookieLen;
            cb.cookieLo = e.lo;
            cb.cookieHi = e.hi;
            return e.mss;
        } finally {
            lock.unlock();
        }
    }

    // ---- what is learnt ------------------------------------------------------------

    /** The server gave a cookie, of a valid length. @bsd tcp_fastopen_update_cache */
    @GuardedBy("tp.inp.lock")
    void update(Tcpcb tp, int mss, int cookieLen, long lo, long hi) {
        final InConninfo inc = path(tp);
        lock.lock();
        try {
            final Entry e = findOrAdd(inc);
            if (e != null) {
                e.mss = mss;
                e.cookieLen = cookieLen;
                e.lo = lo;
                e.hi = hi;
                e.disabled = false;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Fast Open fails on this path: off for a while, from the first failure on. @bsd tcp_fastopen_disable_path */
    @GuardedBy("tp.inp.lock")
    void disablePath(Tcpcb tp) {
        final InConninfo inc = path(tp);
        lock.lock();
        try {
            final Entry e = findOrAdd(inc);
            if (e == null) {
                return;
            }
            e.mss = 0;
            e.cookieLen = 0;
            if (!e.disabled) {
                e.disabled = true;
                e.disabledNs = vnet.clock().nanoTime();
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("tp.inp.lock")
    private static InConninfo path(Tcpcb tp) {
        final InConninfo inc = new InConninfo();
        inc.set(tp);
        inc.lport = 0;
        return inc;
    }

    // ---- the table ------------------------------------------------------------

    private int bucket(InConninfo inc) {
        final long z = KeyedMix.mix(inc.fhi ^ secret, inc.flo, inc.llo, inc.lhi ^ inc.fport);
        return (int) (z >>> 40) & buckets.getInt() - 1;
    }

    /** @bsd tcp_fastopen_ccache_lookup */
    @GuardedBy("lock")
    private Entry find(InConninfo inc) {
        Entry e = table == null ? null : table[bucket(inc)];
        while (e != null && !e.inc.same(inc)) {
            e = e.next;
        }
        return e;
    }

    /** In a full bucket the oldest gives way. Null while the client is off. @bsd tcp_fastopen_ccache_create */
    @GuardedBy("lock")
    private Entry findOrAdd(InConninfo inc) {
        final Entry old = find(inc);
        if (old != null || !enabled) {
            return old;
        }
        if (table == null) {
            table = new Entry[buckets.getInt()];
        }
        final int b = bucket(inc);
        trim(b, bucketLimit - 1);
        final Entry e = new Entry();
        e.inc.set(inc);
        e.next = table[b];
        table[b] = e;
        return e;
    }

    /** @bsd tcp_fastopen_ccache_bucket_trim */
    @GuardedBy("lock")
    private void trim(int b, int limit) {
        if (limit == 0) {
            table[b] = null;
            return;
        }
        Entry e = table[b];
        for (int i = 1; i < limit && e != null; i++) {
            e = e.next;
        }
        if (e != null) {
            e.next = null;
        }
    }

    // ---- sysctls ------------------------------------------------------------

    private boolean setBucketLimit(long v) {
        if (v <= 0) {
            return false;
        }
        lock.lock();
        try {
            bucketLimit = (int) v;
            for (int b = 0; table != null && b < table.length; b++) {
                trim(b, bucketLimit);
            }
        } finally {
            lock.unlock();
        }
        return true;
    }

    /** Switched off it forgets all cookies. */
    private boolean setEnabled(long v) {
        if (v < 0) {
            return false;
        }
        lock.lock();
        try {
            if (v == 0) {
                table = null;
            }
            enabled = v != 0;
        } finally {
            lock.unlock();
        }
        return true;
    }

    private String list() {
        final StringBuilder out =
            new StringBuilder("\nLocal IP address     Remote IP address     Port   MSS Disabled Cookie\n");
        lock.lock();
        try {
            for (int b = 0; table != null && b < table.length; b++) {
                for (Entry e = table[b]; e != null; e = e.next) {
                    line(out, e);
                }
            }
        } finally {
            lock.unlock();
        }
        return out.toString();
    }

    @GuardedBy("lock")
    private void line(StringBuilder out, Entry e) {
        final long left = e.disabled
            ? pathDisableTime.get() * SEC_NS - (vnet.clock().nanoTime() - e.disabledNs) : 0;
        out.append(String.format(Locale.ROOT, "%-20s %-20s %5d %5d %8s ", host(e.inc.v6, e.inc.lhi, e.inc.llo),
            host(e.inc.v6, e.inc.fhi, e.inc.flo), e.inc.fport, e.mss, left > 0 ? left / SEC_NS + "s" : "No"));
        for (int i = 0; i < e.cookieLen; i++) {
            final long word = i < Long.BYTES ? e.lo : e.hi;
            out.append(String.format(Locale.ROOT, "%02x", word >>> Byte.SIZE * (i % Long.BYTES) & 0xff));
        }
        out.append('\n');
    }

    private static String host(boolean v6, long hi, long lo) {
        return (v6 ? SockAddr.in6(hi, lo, 0) : SockAddr.in((int) lo, 0)).host();
    }
}
