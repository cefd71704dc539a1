package io.gatun.netinet.tcp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/**
 * When the syncache leaves all to cookies: by order, or for a while after a bucket has overflowed.
 *
 * <p>Locking key: (c) constant; (v) volatile, written under this object's monitor.
 *
 * @bsd syncache_pause
 */
final class SyncachePause {
    private static final int MAX_BACKOFF = 6;
    private static final long NOT_PAUSED = Long.MIN_VALUE;

    private final Clock clock;            // (c)
    private final Counter bucketoverflow; // (c)
    private final Sysctl syncookies;      // (c)
    private final Sysctl syncookiesOnly;  // (c)
    private volatile long pausedUntilNs = NOT_PAUSED; // (v)
    private volatile int pauseBackoff;                // (v)

    SyncachePause(Tcp tcp, Counter bucketoverflow) {
        clock = tcp.clock;
        this.bucketoverflow = bucketoverflow;
        final SysctlTree t = tcp.vnet.sysctl();
        syncookies = t.addBool("net.inet.tcp.syncookies", true, "Use SYN cookies if the syncache overflows");
        syncookiesOnly = t.addBool("net.inet.tcp.syncookies_only", false, "Use only SYN cookies");
    }

    /** Whether there are cookies at all. */
    boolean cookies() {
        return syncookies.getBool();
    }

    /** Only cookies are used: by order, or because of an attack. @bsd syncache_cookiesonly */
    boolean only() {
        return syncookies.getBool() && (syncookiesOnly.getBool() || paused());
    }

    boolean paused() {
        final long until = pausedUntilNs;
        return until != NOT_PAUSED && clock.nanoTime() - until < 0;
    }

    /** A bucket has overflowed: give the cache a rest, longer if it was so lately. @bsd syncache_pause */
    synchronized void begin(long nowNs) {
        if (!syncookies.getBool()) {
            bucketoverflow.increment();
            return;
        }
        if (paused()) {
            return;
        }
        bucketoverflow.increment();
        final long until = pausedUntilNs;
        long delta = Syncookie.LIFETIME_NS << pauseBackoff;
        if (until != NOT_PAUSED && until + delta - nowNs > 0) {
            if (pauseBackoff < MAX_BACKOFF) {
                delta <<= 1;
                pauseBackoff++;
            }
        } else {
            delta = Syncookie.LIFETIME_NS;
            pauseBackoff = 0;
        }
        pausedUntilNs = nowNs + delta;
    }
}
