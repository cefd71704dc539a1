package io.gatun.spi.mbuf;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Where each mbuf was taken last. Entries are written by the taker; a report reads them when the rest stands still.
 *
 * <p>Locking key: (o) element i by the owner of mbuf i.
 */
final class MbufTrace {
    private static final int DEPTH = 12;
    private static final Set<String> POOL = Set.of(MbufTrace.class.getName(), MbufPool.class.getName(),
            Mbuf.class.getName(), MbufCopy.class.getName(), MbufShape.class.getName());

    private final Throwable[] sites;    // (o)

    MbufTrace(int mbufs) {
        sites = new Throwable[mbufs];
    }

    void taken(Mbuf m) {
        sites[m.id] = new Throwable();
    }

    /** The frames that took this mbuf last, from the first outside of the pool on; empty when unknown. */
    String site(Mbuf m) {
        Throwable t = sites[m.id];
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
