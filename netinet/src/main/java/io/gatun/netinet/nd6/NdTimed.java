package io.gatun.netinet.nd6;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** What neighbour discovery is to look at again at an instant of the vnet's clock. */
interface NdTimed {
    /** The instant, or NEVER. */
    long dueNs();

    /** The first instant of all, or NEVER. */
    static long next(final Collection<? extends NdTimed> all) {
        long next = Nd6.NEVER;
        for (final NdTimed t : all) {
            next = Math.min(next, t.dueNs());
        }
        return next;
    }

    /** Those whose instant has come, in their order; a list of its own, so that the others may change meanwhile. */
    static <T extends NdTimed> List<T> due(final Collection<T> all, final long now) {
        List<T> due = List.of();
        for (final T t : all) {
            if (t.dueNs() <= now) {
                due = due.isEmpty() ? new ArrayList<>() : due;
                due.add(t);
            }
        }
        return due;
    }
}
