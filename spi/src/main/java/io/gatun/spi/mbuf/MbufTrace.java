package io.gatun.spi.mbuf;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What tests want of a pool: where each mbuf was taken last, and refusals before the limit is reached. Entries are
 * written by the taker; a report reads them when the rest stands still.
 *
 * <p>Locking key: (a) atomic; (c) constant; (o) element i by the owner of mbuf i; (v) volatile.
 */
final class MbufTrace {
    private static final int DEPTH = 12;
    private static final Set<String> POOL = Set.of(MbufTrace.class.getName(), MbufPool.class.getName(),
            Mbuf.class.getName(), MbufCopy.class.getName(), MbufShape.class.getName());

    private final Throwable[] sites;    // (o)
    private final AtomicLong left;      // (a) requests until the first refusal
    private final long refusals;        // (c)
    private volatile Throwable refused; // (v) where the last one was

    /** Records the sites of so many mbufs. */
    MbufTrace(int mbufs) {
        sites = new Throwable[mbufs];
        left = new AtomicLong();
        refusals = 0;
    }

    /** Refuses so many requests, from the {@code n}-th on. */
    MbufTrace(long n, long refusals) {
        sites = new Throwable[0];
        left = new AtomicLong(n);
        this.refusals = refusals;
    }

    /** A request: whether it is to be refused. */
    boolean refuses() {
        if (refusals == 0) {
            return false;
        }
        final long after = -left.decrementAndGet();
        if (after < 0 || after >= refusals) {
            return false;
        }
        refused = new Throwable();
        return true;
    }

    void taken(Mbuf m) {
        if (sites.length != 0) {
            sites[m.id] = new Throwable();
        }
    }

    /** The frames of the last request that was refused, as {@link #site}. */
    String refusedAt() {
        return frames(refused);
    }

    /** The frames that took this mbuf last, from the first outside of the pool on; empty when unknown. */
    String site(Mbuf m) {
        return sites.length == 0 ? "" : frames(sites[m.id]);
    }

    private static String frames(Throwable t) {
        if (t == null) {
            return "";
        }
        StringBuilder sb = new StringBuilder(256);
        int frames = 0;
        boolean outside = false;
        for (StackTraceElement e : t.getStackTrace()) {
            outside |= !POOL.contains(e.getClassName());
            if (outside && frames++ < DEPTH) {
                sb.append("\n    at ").append(e);
            }
        }
        return sb.toString();
    }

    static String report(MbufTrace trace, Mbuf[] mbufs) {
        Map<String, Integer> count = new LinkedHashMap<>();
        Map<String, Mbuf> example = new LinkedHashMap<>();
        int total = 0;
        for (Mbuf m : mbufs) {
            if (m.live()) {
                String site = trace == null ? "" : trace.site(m);
                count.merge(site, 1, Integer::sum);
                example.putIfAbsent(site, m);
                total++;
            }
        }
        if (total == 0) {
            return "";
        }
        StringBuilder sb = new StringBuilder(256);
        sb.append(mbufs[0].pool.name()).append(": ").append(total).append(" mbufs in use");
        count.forEach((site, n) -> sb.append("\n  ").append(n).append(" x, e.g. ").append(example.get(site).describe())
                .append(site.isEmpty() ? " (site not recorded)" : site));
        return sb.append('\n').toString();
    }
}
