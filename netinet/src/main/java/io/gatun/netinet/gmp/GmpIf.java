package io.gatun.netinet.gmp;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.vnet.Callout;
import java.util.ArrayList;
import java.util.List;

/**
 * Group membership on one interface: who asks there in which version, and when what is to be said.
 *
 * <p>Locking key: (c) constant; (l) the lock of {@link Gmp}.
 *
 * @bsd struct igmp_ifsoftc
 */
final class GmpIf {
    private static final long SEC = 1_000_000_000L;
    private static final int DEFAULT_RV = 2;
    private static final int MAX_RV = 7;
    private static final long DEFAULT_QI = 125 * SEC;
    private static final long DEFAULT_QRI = 10 * SEC;
    private static final long UNSOLICITED = SEC;
    private static final long OLD_UNSOLICITED = 10 * SEC;
    private static final int MAX_QUERIED = 512;

    final Ifnet ifp;                   // (c)
    private final Gmp gmp;             // (c)
    private final Callout timer;       // (c)
    private final List<GmpGroup> groups = new ArrayList<>(); // (l)
    private final long[] olderUntil;   // (l) by version: until when a router of that version is taken to be there
    private int robustness = DEFAULT_RV; // (l)
    private long queryInterval = DEFAULT_QI; // (l)
    private long queryResponse = DEFAULT_QRI; // (l)
    private long generalNs;            // (l) when to answer a general query, 0 for never
    private long changeNs;             // (l) when to tell changes again, 0 for never
    private int spoken;                // (l) version last spoken
    private boolean up;                // (l) as last told

    GmpIf(final Gmp gmp, final Ifnet ifp) {
        this.gmp = gmp;
        this.ifp = ifp;
        olderUntil = new long[gmp.wire.version()];
        spoken = gmp.wire.version();
        up = (ifp.flags() & Ifnet.IFF_UP) != 0;
        timer = gmp.vnet.callout("gmp " + ifp.xname(), null, () -> gmp.timeout(this));
    }

    /** Between nothing and a span. @bsd IGMP_RANDOM_DELAY */
    private long within(final long spanNs) {
        return gmp.now() + 1 + gmp.vnet.random().nextLong(Math.max(1, spanNs));
    }

    /**
     * The version to speak now (RFC 3376 section 7.2.1); what waits is forgotten when it is another. Asked once for
     * each event, before anything is noted or the groups are walked: it may cancel changes and remove groups.
     */
    int version() {
        int v = gmp.wire.defaultVersion();
        final long now = gmp.now();
        for (int i = olderUntil.length - 1; i > 0; i--) {
            if (olderUntil[i] != 0 && olderUntil[i] - now > 0 && i < v) {
                v = i;
            }
        }
        if (v != spoken) {
            spoken = v;
            generalNs = 0;
            changeNs = 0;
            for (final GmpGroup g : groups) {
                g.cancel();
                g.oldNs = 0;
                g.oldCount = 0;
            }
            groups.removeIf(GmpGroup::dead);
        }
        return v;
    }

    private boolean newest() {
        return version() == gmp.wire.version();
    }

    private GmpGroup find(final long hi, final long lo) {
        for (final GmpGroup g : groups) {
            if (g.lo == lo && g.hi == hi) {
                return g;
            }
        }
        return null;
    }

    // What members do.

    /** One member's filter becomes another; NONE is no member. */
    void change(final long hi, final long lo, final InMfilter from, final InMfilter to) {
        final boolean newest = newest();
        GmpGroup g = find(hi, lo);
        if (g == null) {
            g = new GmpGroup(hi, lo);
            groups.add(g);
        }
        final boolean was = !g.state.isNone();
        g.filters.remove(from);
        if (!to.isNone()) {
            g.filters.add(to);
        }
        final boolean changed = g.update(robustness);
        if (!gmp.wire.reports(hi, lo) || !up) {
            g.cancel();
        } else if (!newest) {
            g.cancel();
            oldChange(g, was);
        } else if (changed) {
            final List<GmpRecord> out = new ArrayList<>();
            g.changes(out);
            gmp.send(ifp, out);
            if (g.pending() && changeNs == 0) {
                changeNs = within(UNSOLICITED);
            }
        }
        groups.removeIf(GmpGroup::dead);
        arm();
    }

    /** RFC 2236 section 3: reports when it becomes a member, leaves when it was the last to report. */
    private void oldChange(final GmpGroup g, final boolean was) {
        final boolean is = !g.state.isNone();
        if (is && !was) {
            g.oldCount = robustness;
            oldReport(g);
        } else if (was && !is) {
            g.oldNs = 0;
            g.oldCount = 0;
            if (g.lastReporter) {
                gmp.wire.oldLeave(ifp, spoken, g.hi, g.lo);
            }
        }
    }

    private void oldReport(final GmpGroup g) {
        gmp.wire.oldReport(ifp, spoken, g.hi, g.lo);
        g.lastReporter = true;
        g.oldCount = Math.max(0, g.oldCount - 1);
        g.oldNs = g.oldCount > 0 ? within(OLD_UNSOLICITED) : 0;
    }

    /** The interface came up or went down; when up, its groups are told anew. */
    void stateChanged() {
        final boolean was = up;
        up = (ifp.flags() & Ifnet.IFF_UP) != 0;
        if (!up || was) {
            generalNs = up ? generalNs : 0;
            return;
        }
        final boolean newest = newest();
        final List<GmpRecord> out = new ArrayList<>();
        for (final GmpGroup g : groups) {
            if (!gmp.wire.reports(g.hi, g.lo) || g.state.isNone()) {
                continue;
            }
            if (newest) {
                g.restate(robustness);
                g.changes(out);
            } else {
                oldChange(g, false);
            }
        }
        gmp.send(ifp, out);
        changeNs = out.isEmpty() || robustness < 2 ? 0 : within(UNSOLICITED);
        arm();
    }

    // What routers and others say.

    /** @bsd igmp_input_v3_query, igmp_input_v2_query, igmp_input_v1_query */
    void query(final GmpQuery q) {
        if (q.version() < gmp.wire.version()) {
            olderUntil[q.version()] = gmp.now() + robustness * queryInterval + queryResponse;
            version();
            oldQuery(q);
        } else {
            robustness = q.robustness() == 0 ? DEFAULT_RV : Math.min(q.robustness(), MAX_RV);
            queryInterval = q.intervalNs() == 0 ? DEFAULT_QI : q.intervalNs();
            queryResponse = q.general() ? q.maxRespNs() : queryResponse;
            if (newest()) {
                newQuery(q);
            } else {
                oldQuery(q);
            }
        }
        arm();
    }

    private void newQuery(final GmpQuery q) {
        final long when = within(q.maxRespNs());
        if (generalNs != 0 && generalNs - when <= 0) {
            return; // what is to be said then answers this too
        }
        if (q.general()) {
            generalNs = when;
            return;
        }
        final GmpGroup g = find(q.hi(), q.lo());
        if (g == null || g.state.isNone() || !gmp.wire.reports(g.hi, g.lo)) {
            return;
        }
        final boolean wholeAsked = g.queryNs != 0 && g.queried.isEmpty();
        final SourceSet both = wholeAsked || q.sources().isEmpty() ? SourceSet.EMPTY : g.queried.union(q.sources());
        g.queried = both.size() > MAX_QUERIED ? SourceSet.EMPTY : both;
        g.queryNs = g.queryNs != 0 && g.queryNs - when < 0 ? g.queryNs : when;
    }

    private void oldQuery(final GmpQuery q) {
        for (final GmpGroup g : groups) {
            final boolean asked = q.general() || g.hi == q.hi() && g.lo == q.lo();
            if (!asked || g.state.isNone() || !gmp.wire.reports(g.hi, g.lo)) {
                continue;
            }
            final long when = within(q.maxRespNs());
            if (g.oldNs == 0 || g.oldNs - when > 0) {
                g.oldNs = when;
            }
        }
    }

    /** Another host has reported a group in an older version: one report is enough. @bsd igmp_input_v2_report */
    void heard(final long hi, final long lo) {
        final GmpGroup g = find(hi, lo);
        if (g != null && !newest()) {
            g.oldNs = 0;
            g.oldCount = 0;
            g.lastReporter = false;
            arm();
        }
    }

    // Time.

    /** Says what is due. @bsd igmp_fasttimo */
    void timeout() {
        final long now = gmp.now();
        final boolean newest = newest();
        final List<GmpRecord> out = new ArrayList<>();
        if (due(generalNs, now)) {
            generalNs = 0;
            for (final GmpGroup g : groups) {
                if (gmp.wire.reports(g.hi, g.lo)) {
                    g.current(out);
                }
            }
        }
        for (final GmpGroup g : groups) {
            if (due(g.queryNs, now)) {
                g.answer(out);
            }
            if (due(g.oldNs, now) && !newest) {
                oldReport(g);
            }
        }
        gmp.send(ifp, out);
        if (due(changeNs, now)) {
            again();
        }
        groups.removeIf(GmpGroup::dead);
        arm();
    }

    private static boolean due(final long deadline, final long now) {
        return deadline != 0 && deadline - now <= 0;
    }

    private void again() {
        changeNs = 0;
        final List<GmpRecord> out = new ArrayList<>();
        for (final GmpGroup g : groups) {
            if (g.pending()) {
                g.changes(out);
                changeNs = g.pending() && changeNs == 0 ? within(UNSOLICITED) : changeNs;
            }
        }
        gmp.send(ifp, out);
    }

    private void arm() {
        long next = sooner(generalNs, changeNs);
        for (final GmpGroup g : groups) {
            next = sooner(next, sooner(g.queryNs, g.oldNs));
        }
        if (next == 0 || !up) {
            timer.stop();
        } else {
            timer.resetAt(next);
        }
    }

    private static long sooner(final long a, final long b) {
        return a == 0 || b != 0 && b - a < 0 ? b : a;
    }

    /** Ends the timer. Without the lock. */
    void drain() {
        timer.drain();
    }

    /** A member's view of the interface's sum, for tests and listings; NONE for no member. */
    InMfilter state(final long hi, final long lo) {
        final GmpGroup g = find(hi, lo);
        return g == null ? InMfilter.NONE : g.state;
    }
}
