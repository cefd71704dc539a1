package io.gatun.netinet.tcp.cc;

import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/**
 * HyStart++ (RFC 9406) of one connection: leaves slow start when round trips grow, by way of conservative slow start
 * (CSS), which is taken back when they shrink again. Rounds are told by {@link #newround}.
 *
 * @bsd CCF_HYSTART_ALLOWED
 */
final class HyStart {
    private static final long US = 1000;
    /** RFC 9406 section 4.3: segments that an acknowledgment may let the window grow by, without pacing. */
    static final int L = 8;
    /** RFC 9406 section 4.3: MIN_RTT_DIVISOR. */
    private static final int MIN_RTT_DIVISOR = 8;

    /**
     * The tunables, of which the vnet has sysctls below {@code net.inet.tcp.cc.hystartplusplus}. Times are us.
     *
     * @param minRttThresh least growth of the round trip that counts
     * @param maxRttThresh growth that always counts
     * @param rttSamples samples that a round needs
     * @param cssGrowthDiv by how much slower CSS is
     * @param cssRounds rounds of CSS before slow start is over
     */
    record Tunables(
        Sysctl minRttThresh, Sysctl maxRttThresh, Sysctl rttSamples, Sysctl cssGrowthDiv, Sysctl cssRounds) {
        private static final int LARGEST = 1 << 20;

        /** RFC 9406 section 4.3. */
        static Tunables defaults() {
            return new Tunables(fixed(4000), fixed(16_000), fixed(8), fixed(4), fixed(5));
        }

        private static Sysctl fixed(final long value) {
            final Sysctl s = new Sysctl("", Sysctl.Type.INT, false, "", null);
            s.set(value);
            return s;
        }

        static Tunables of(final SysctlTree t) {
            final String base = "net.inet.tcp.cc.hystartplusplus.";
            return new Tunables(
                t.addInt(base + "minrtt_thresh", 4000, 0, LARGEST, "Least growth of the round trip that counts, us"),
                t.addInt(base + "maxrtt_thresh", 16_000, 0, LARGEST, "Growth of the round trip that always counts, us"),
                t.addInt(base + "n_rttsamples", 8, 1, LARGEST, "Samples of the round trip that a round needs"),
                t.addInt(base + "css_growth_div", 4, 1, LARGEST, "By how much slower conservative slow start is"),
                t.addInt(base + "css_rounds", 5, 1, LARGEST, "Rounds of it before slow start is over"));
        }
    }

    private static final long NONE = Long.MAX_VALUE;

    private final Tunables t;
    private boolean done;
    private boolean css;
    private int cssRounds;
    private int samples;
    private long lastRoundNs = NONE;
    private long thisRoundNs = NONE;
    private long baselineNs = NONE;

    HyStart(final Tunables t) {
        this.t = t;
    }

    /** Starts afresh: after a timeout, or when slow start begins again. */
    void reset() {
        done = false;
        css = false;
        cssRounds = 0;
        samples = 0;
        lastRoundNs = NONE;
        thisRoundNs = NONE;
        baselineNs = NONE;
    }

    /** Slow start has ended by other means; only the first one is watched. */
    void end() {
        done = true;
        css = false;
    }

    /** In conservative slow start. */
    boolean conservative() {
        return css;
    }

    /** Octets that the window grows by for what slow start would grow by {@code octets}. */
    int growth(final int octets) {
        return css ? octets / t.cssGrowthDiv.getInt() : octets;
    }

    /**
     * A round trip has begun.
     *
     * @return whether slow start is over: CSS has lasted its rounds
     */
    boolean newround() {
        lastRoundNs = thisRoundNs;
        thisRoundNs = NONE;
        samples = 0;
        return !done && css && ++cssRounds >= t.cssRounds.getInt();
    }

    /** A round trip was measured in slow start. */
    void rttsample(final long rttNs) {
        if (done) {
            return;
        }
        thisRoundNs = Math.min(thisRoundNs, rttNs);
        if (++samples < t.rttSamples.getInt()) {
            return;
        }
        if (css) {
            if (thisRoundNs < baselineNs) {
                css = false; // the growth was a passing one
                baselineNs = NONE;
            }
        } else if (lastRoundNs != NONE && thisRoundNs >= lastRoundNs + threshold(lastRoundNs)) {
            css = true;
            cssRounds = 0;
            baselineNs = thisRoundNs;
        }
    }

    private long threshold(final long rttNs) {
        return Math.min(Math.max(rttNs / MIN_RTT_DIVISOR, t.minRttThresh.get() * US), t.maxRttThresh.get() * US);
    }
}
