package io.gatun.netinet.tcp.cc;

/**
 * HyStart++ (RFC 9406) of one connection: leaves slow start when round trips grow, by way of conservative slow start
 * (CSS), which is taken back when they shrink again. Rounds are told by {@link #newround}.
 *
 * @bsd CCF_HYSTART_ALLOWED
 */
final class HyStart {
    private static final long MS = 1_000_000;
    /** RFC 9406 section 4.3: MIN_RTT_THRESH, MAX_RTT_THRESH, MIN_RTT_DIVISOR, N_RTT_SAMPLE and so on. */
    private static final long MIN_RTT_THRESH_NS = 4 * MS;
    private static final long MAX_RTT_THRESH_NS = 16 * MS;
    private static final int MIN_RTT_DIVISOR = 8;
    private static final int N_RTT_SAMPLE = 8;
    private static final int CSS_GROWTH_DIVISOR = 4;
    private static final int CSS_ROUNDS = 5;
    private static final long NONE = Long.MAX_VALUE;

    private boolean done;
    private boolean css;
    private int cssRounds;
    private int samples;
    private long lastRoundNs = NONE;
    private long thisRoundNs = NONE;
    private long baselineNs = NONE;

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
        return css ? octets / CSS_GROWTH_DIVISOR : octets;
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
        return !done && css && ++cssRounds >= CSS_ROUNDS;
    }

    /** A round trip was measured in slow start. */
    void rttsample(final long rttNs) {
        if (done) {
            return;
        }
        thisRoundNs = Math.min(thisRoundNs, rttNs);
        if (++samples < N_RTT_SAMPLE) {
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

    private static long threshold(final long rttNs) {
        return Math.clamp(rttNs / MIN_RTT_DIVISOR, MIN_RTT_THRESH_NS, MAX_RTT_THRESH_NS);
    }
}
