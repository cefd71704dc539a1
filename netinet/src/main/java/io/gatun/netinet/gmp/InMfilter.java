package io.gatun.netinet.gmp;

import java.util.List;

/**
 * Which senders to a group are heard: those of a list, or all but those. Immutable.
 *
 * @param include whether {@code sources} are those heard (MCAST_INCLUDE), else those not heard (MCAST_EXCLUDE)
 * @bsd struct in_mfilter
 */
public record InMfilter(boolean include, SourceSet sources) {
    /** Nobody: not a member. @bsd MCAST_UNDEFINED */
    public static final InMfilter NONE = new InMfilter(true, SourceSet.EMPTY);
    /** Everybody. */
    public static final InMfilter ALL = new InMfilter(false, SourceSet.EMPTY);

    /** Whether a sender is heard. Allocates nothing. @bsd imo_multi_filter */
    public boolean allows(final long hi, final long lo) {
        return sources.contains(hi, lo) == include;
    }

    /** Whether nobody is heard. */
    public boolean isNone() {
        return include && sources.isEmpty();
    }

    /** What an interface must let in for all of these (RFC 3376 section 3.2). @bsd inm_merge */
    static InMfilter merge(final List<InMfilter> filters) {
        SourceSet in = SourceSet.EMPTY;
        SourceSet ex = null;
        for (final InMfilter f : filters) {
            if (f.include) {
                in = in.union(f.sources);
            } else {
                ex = ex == null ? f.sources : ex.intersection(f.sources);
            }
        }
        return ex == null ? new InMfilter(true, in) : new InMfilter(false, ex.minus(in));
    }

    @Override
    public String toString() {
        return (include ? "INCLUDE " : "EXCLUDE ") + sources;
    }
}
