package io.gatun.netinet.gmp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A group on an interface: the filters of its members, their sum, and what of it is yet to be told. It stays after the
 * last member has left until that has been told often enough.
 *
 * <p>Locking key: (c) constant; (l) the lock of {@link Gmp}.
 *
 * @bsd struct in_multi
 */
final class GmpGroup {
    final long hi;                         // (c)
    final long lo;                         // (c)
    /** One for each member. */
    final List<InMfilter> filters = new ArrayList<>(); // (l)
    /** The sum of the filters. */
    InMfilter state = InMfilter.NONE;      // (l)
    /** When to answer a question about this group, 0 for none. */
    long queryNs;                          // (l)
    /** The senders asked about; empty for the group as a whole. */
    SourceSet queried = SourceSet.EMPTY;   // (l)
    /** When to report in an older version, 0 for never. */
    long oldNs;                            // (l)
    /** Reports of an older version that are still to be repeated. */
    int oldCount;                          // (l)
    /** Whether this host was the last to report it in an older version. */
    boolean lastReporter;                  // (l)
    private int modeCount;                 // (l) times a change of mode is still to be told
    private final Map<SourceSet, Integer> changed = new TreeMap<>(GmpGroup::order); // (l) the same for single senders

    GmpGroup(final long hi, final long lo) {
        this.hi = hi;
        this.lo = lo;
    }

    private static int order(final SourceSet a, final SourceSet b) {
        final int c = Long.compareUnsigned(a.hi(0), b.hi(0));
        return c != 0 ? c : Long.compareUnsigned(a.lo(0), b.lo(0));
    }

    /** Adds the filters up again; whether the sum is another (RFC 3376 section 5.1). @bsd igmp_handle_state_change */
    boolean update(final int robustness) {
        final InMfilter before = state;
        state = InMfilter.merge(filters);
        if (before.include() != state.include()) {
            modeCount = robustness;
            changed.clear();
            return true;
        }
        final SourceSet differ = before.sources().minus(state.sources()).union(state.sources().minus(before.sources()));
        for (int i = 0; i < differ.size(); i++) {
            changed.put(differ.slice(i, 1), robustness);
        }
        return !differ.isEmpty();
    }

    /** Everything is to be told anew: the link came up. */
    void restate(final int robustness) {
        changed.clear();
        modeCount = state.include() ? 0 : robustness;
        for (int i = 0; state.include() && i < state.sources().size(); i++) {
            changed.put(state.sources().slice(i, 1), robustness);
        }
    }

    /** Nothing of the newest version waits any more. */
    void cancel() {
        modeCount = 0;
        changed.clear();
        queryNs = 0;
        queried = SourceSet.EMPTY;
    }

    boolean pending() {
        return modeCount > 0 || !changed.isEmpty();
    }

    /** Whether nothing keeps it. */
    boolean dead() {
        return filters.isEmpty() && !pending();
    }

    /** Tells what is still to be told once more. */
    void changes(final List<GmpRecord> out) {
        if (modeCount > 0) {
            modeCount--;
            out.add(new GmpRecord(state.include() ? GmpRecord.CHANGE_TO_INCLUDE_MODE
                : GmpRecord.CHANGE_TO_EXCLUDE_MODE, hi, lo, state.sources()));
        } else {
            SourceSet all = SourceSet.EMPTY;
            for (final SourceSet s : changed.keySet()) {
                all = all.union(s);
            }
            final SourceSet in = all.intersection(state.sources());
            final SourceSet rest = all.minus(state.sources());
            add(out, GmpRecord.ALLOW_NEW_SOURCES, state.include() ? in : rest);
            add(out, GmpRecord.BLOCK_OLD_SOURCES, state.include() ? rest : in);
        }
        changed.replaceAll((s, n) -> n - 1);
        changed.values().removeIf(n -> n == 0);
    }

    private void add(final List<GmpRecord> out, final int type, final SourceSet sources) {
        if (!sources.isEmpty()) {
            out.add(new GmpRecord(type, hi, lo, sources));
        }
    }

    /** The answer to a question about all groups. */
    void current(final List<GmpRecord> out) {
        if (!state.isNone()) {
            out.add(new GmpRecord(state.include() ? GmpRecord.MODE_IS_INCLUDE : GmpRecord.MODE_IS_EXCLUDE, hi, lo,
                state.sources()));
        }
    }

    /** The answer to the question about this group (RFC 3376 section 5.2). */
    void answer(final List<GmpRecord> out) {
        if (queried.isEmpty()) {
            current(out);
        } else {
            add(out, GmpRecord.MODE_IS_INCLUDE, state.include() ? state.sources().intersection(queried)
                : queried.minus(state.sources()));
        }
        queryNs = 0;
        queried = SourceSet.EMPTY;
    }
}
