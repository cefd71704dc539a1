package io.gatun.netinet.tcp.cc;

import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/**
 * HyStart++ (RFC 9406) of one connection: leaves slow start when round trips grow, by way of conservative slow start
 * (CSS), which is taken back when they shrink again. Rounds are told by {@link #newround}. Every connection has one, so
 * it is small.
 *
 * <p>Locking key: (i) the pcb's lock.
 *
 * @bsd CCF_HYSTART_ALLOWED
 */
class HyStart {
    private static final long NS_PER_US = 1000;
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
        private static final int MOST_SAMPLES = Short.MAX_VALUE;
        private static final int MOST_ROUNDS = Byte.MAX_VALUE;

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
                t.addInt(base + "n_rttsamples", 8, 1, MOST_SAMPLES, "Samples of the round trip that a round needs"),
                t.addInt(base + "css_growth_div", 4, 1, LARGEST, "By how much slower conservative slow start is"),
                t.addInt(base + "css_rounds", 5, 1, MOST_ROUNDS, "Rounds of it before slow start is over"));
        }
    }

    private static final int NONE = Integer.MAX_VALUE;

    /** The first slow start. */
    private static final byte FIRST = 0;
    /** Conservative slow start. */
    private static final byte CSS = 1;
    /** It has ended; no other is watched. */
    private static final byte DONE = 2;

    private byte phase;               // (i) FIRST, CSS or DONE
    private byte cssRounds;           // (i)
    private short samples;            // (i) of this round
    private int lastRoundUs = NONE;   // (i) shortest round trip
    private int thisRoundUs = NONE;   // (i)
    private int baselineUs = NONE;    // (i) at the begin of CSS

    HyStart() {
        // waits for samples
    }

    /** Slow start has ended by other means; only the first one is watched. */
    void end() {
        phase = DONE;
    }

    /** Octets that the window grows by for what slow start would grow by {@code octets}. */
    int growth(final Tunables t, final int octets) {
        return phase == CSS ? octets / t.cssGrowthDiv.getInt() : octets;
    }

    /**
     * A round trip has begun.
     *
     * @return whether slow start is over: CSS has lasted its rounds
     */
    boolean newround(final Tunables t) {
        lastRoundUs = thisRoundUs;
        thisRoundUs = NONE;
        samples = 0;
        return phase == CSS && ++cssRounds >= t.cssRounds.getInt();
    }

    /** A round trip was measured in slow start. */
    void rttsample(final Tunables t, final long rttNs) {
        if (phase == DONE) {
            return;
        }
        thisRoundUs = (int) Math.min(thisRoundUs, rttNs / NS_PER_US);
        final int enough = t.rttSamples.getInt();
        if (samples < enough) {
            samples++;
        }
        if (samples < enough) {
            return;
        }
        if (phase == CSS) {
            if (thisRoundUs < baselineUs) {
                phase = FIRST; // the growth was a passing one
                baselineUs = NONE;
            }
        } else if (lastRoundUs != NONE && thisRoundUs >= lastRoundUs + threshold(t, lastRoundUs)) {
            phase = CSS;
            cssRounds = 0;
            baselineUs = thisRoundUs;
        }
    }

    private static long threshold(final Tunables t, final int rttUs) {
        return Math.min(Math.max(rttUs / MIN_RTT_DIVISOR, t.minRttThresh.get()), t.maxRttThresh.get());
    }
}
