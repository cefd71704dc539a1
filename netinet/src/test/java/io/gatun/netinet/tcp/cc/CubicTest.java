package io.gatun.netinet.tcp.cc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CubicTest {
    private static final int MSS = 1448;
    private static final long MS = 1_000_000;

    private final Cubic cubic = new Cubic();
    private final FakeCcVar v = new FakeCcVar(cubic, MSS);

    /** In congestion avoidance after a loss at that window, segments. */
    private void lossAt(final int segs) {
        v.cwnd = segs * MSS;
        v.pipe = v.cwnd;
        cubic.congSignal(v, CcAlgo.Signal.NDUPACK);
        v.leaveRecovery();
        cubic.postRecovery(v);
        v.pipe = v.cwnd;
        v.cwnd = v.ssthresh;
    }

    /** One round trip: everything in the window is acknowledged, two segments at a time. */
    private void round(final long rttNs) {
        final int acks = Math.max(v.cwnd / (2 * MSS), 1);
        v.srttNs = rttNs;
        for (int i = 0; i < acks; i++) {
            v.nowNs += rttNs / acks;
            v.bytesThisAck = 2 * MSS;
            cubic.ackReceived(v, CcAlgo.Ack.ACK);
        }
    }

    @Test
    @Tag("RFC9438-4.2")
    void k_afterReductionTo70Percent_isTheCubeRootOfTheRest() {
        assertThat(Cubic.k(1000, 700)).isCloseTo(Math.cbrt(300 / 0.4), within(1e-9));
        assertThat(Cubic.cubic(1000, Cubic.k(1000, 700), 0)).isCloseTo(700, within(1e-6));
        assertThat(Cubic.cubic(1000, Cubic.k(1000, 700), Cubic.k(1000, 700))).isCloseTo(1000, within(1e-6));
        assertThat(Cubic.k(700, 1000)).isZero();
    }

    @Test
    @Tag("RFC9438-4.6")
    void loss_reducesTo70PercentAndNeverBelowTwoSegments() {
        lossAt(1000);
        assertThat(v.ssthresh).isEqualTo((int) (1000 * MSS * 0.7));
        lossAt(2);
        assertThat(v.ssthresh).isEqualTo(2 * MSS);
    }

    @Test
    @Tag("RFC9438-4.2")
    void avoidance_afterLoss_isBackAtTheOldWindowAfterKSeconds() {
        lossAt(1000);
        final long start = v.nowNs;
        while (v.cwnd < 999 * MSS) {
            round(100 * MS);
        }
        // K is 9.09 s; the curve is flat there, so that a round trip or more early is in order.
        assertThat((v.nowNs - start) / 1e9).isBetween(7.0, 9.2);
        final long plateau = v.nowNs;
        while (v.nowNs < plateau + 2_000 * MS) {
            round(100 * MS);
        }
        assertThat(v.cwnd).isLessThan(1010 * MSS);
    }

    @Test
    @Tag("RFC9438-4.3")
    void avoidance_shortRoundTrip_growsAsReno() {
        lossAt(20);
        final int before = v.cwnd;
        for (int i = 0; i < 10; i++) {
            round(MS);
        }
        // alpha is 0.529 of a segment per round trip; the cubic gives next to nothing within 10 ms
        assertThat((v.cwnd - before) / (double) MSS).isBetween(4.5, 6.0);
    }

    @Test
    @Tag("RFC9438-4.7")
    void loss_belowTheLastMaximum_releasesMore() {
        lossAt(1000);
        v.cwnd = 800 * MSS;
        lossAt(800);
        final long start = v.nowNs;
        while (v.cwnd < 679 * MSS) {
            round(100 * MS);
        }
        assertThat((v.nowNs - start) / 1e9).as("the plateau is at 680 segments").isLessThan(Cubic.k(680, 560) + 0.2);
    }

    @Test
    @Tag("RFC5681-3.1-rto")
    @Tag("RFC5681-3.1-again")
    @Tag("RFC9438-4.8")
    void timeout_reducesToOneSegmentAndOnlyTheFirstLowersSsthresh() {
        v.cwnd = 100 * MSS;
        v.pipe = v.cwnd;
        v.rxtshift = 1;
        cubic.congSignal(v, CcAlgo.Signal.RTO);
        assertThat(v.cwnd).isEqualTo(MSS);
        assertThat(v.ssthresh).isEqualTo((int) (100 * MSS * 0.7));
        v.rxtshift = 2;
        cubic.congSignal(v, CcAlgo.Signal.RTO);
        assertThat(v.ssthresh).isEqualTo((int) (100 * MSS * 0.7));
    }

    @Test
    @Tag("RFC9438-4.2-most")
    void avoidance_farBelowTheCubic_growsByHalfARoundTripAtMost() {
        lossAt(1000);
        v.cwnd = 100 * MSS; // as after more losses
        v.nowNs += 60_000 * MS;
        cubic.afterIdle(v);
        v.cwnd = 100 * MSS;
        v.ssthresh = v.cwnd;
        round(100 * MS);
        v.nowNs += 30_000 * MS;
        final int before = v.cwnd;
        round(100 * MS);
        assertThat(v.cwnd).isGreaterThan(before * 14 / 10).isLessThanOrEqualTo(before * 15 / 10 + MSS);
    }

    @Test
    @Tag("RFC9438-4.6-flight")
    void loss_ofAWindowThatWasNotFilled_reducesWhatWasInFlight() {
        v.cwnd = 1000 * MSS;
        v.pipe = 100 * MSS;
        cubic.congSignal(v, CcAlgo.Signal.NDUPACK);
        assertThat(v.ssthresh).isEqualTo((int) (100 * MSS * 0.7));
    }

    @Test
    @Tag("RFC9438-4.9")
    void timeout_needless_theCubicIsAsBefore() {
        lossAt(1000);
        v.rxtshift = 1;
        v.pipe = v.cwnd;
        final int cwnd = v.cwnd;
        cubic.congSignal(v, CcAlgo.Signal.RTO);
        v.leaveRecovery();
        v.rxtshift = 0;
        v.cwnd = cwnd; // as the stack puts it back
        v.ssthresh = cwnd;
        cubic.congSignal(v, CcAlgo.Signal.RTO_ERR);
        final long start = v.nowNs;
        while (v.cwnd < 999 * MSS) {
            round(100 * MS);
        }
        assertThat((v.nowNs - start) / 1e9).as("K of the old maximum").isBetween(7.0, 9.2);
    }

    @Test
    @Tag("RFC9438-5.8")
    void window_thatIsNotFilled_doesNotGrow() {
        lossAt(100);
        v.cwndLimited = false;
        final int before = v.cwnd;
        for (int i = 0; i < 50; i++) {
            round(100 * MS);
        }
        assertThat(v.cwnd).isEqualTo(before);
    }

    @Test
    @Tag("RFC9406-4.2")
    @Tag("RFC9438-4.10")
    void slowStart_roundTripsGrow_goesConservativeThenStops() {
        v.cwnd = 100 * MSS;
        slowStartRound(100 * MS);
        slowStartRound(100 * MS);
        assertThat(growthOfAnAck()).isEqualTo(2 * MSS);
        for (int i = 0; i < 8; i++) {
            cubic.rttsample(v, 113 * MS); // 12.5 ms is the threshold
        }
        assertThat(growthOfAnAck()).isEqualTo(2 * MSS / 4);
        for (int i = 0; i < 5; i++) {
            assertThat(v.ssthresh).isGreaterThan(v.cwnd);
            slowStartRound(113 * MS);
        }
        assertThat(v.ssthresh).isEqualTo(v.cwnd);
    }

    @Test
    @Tag("RFC9406-4.2")
    void conservativeSlowStart_roundTripsShrink_isSlowStartAgain() {
        v.cwnd = 100 * MSS;
        slowStartRound(100 * MS);
        slowStartRound(120 * MS);
        assertThat(growthOfAnAck()).isEqualTo(2 * MSS / 4);
        slowStartRound(101 * MS);
        assertThat(growthOfAnAck()).isEqualTo(2 * MSS);
    }

    @Test
    @Tag("RFC9406-4.2")
    void slowStart_largeAck_growsByEightSegments() {
        v.bytesThisAck = 44 * MSS;
        final int before = v.cwnd;
        cubic.ackReceived(v, CcAlgo.Ack.ACK);
        assertThat(v.cwnd - before).isEqualTo(8 * MSS);
        v.rxtshift = 1; // what was lost is sent again
        cubic.ackReceived(v, CcAlgo.Ack.ACK);
        assertThat(v.cwnd - before).isEqualTo(9 * MSS);
    }

    @Test
    @Tag("RFC9406-4.3")
    void slowStart_sevenSamples_areNotEnough() {
        v.cwnd = 100 * MSS;
        slowStartRound(100 * MS);
        for (int i = 0; i < 7; i++) {
            cubic.rttsample(v, 500 * MS);
        }
        assertThat(growthOfAnAck()).isEqualTo(2 * MSS);
    }

    private void slowStartRound(final long rttNs) {
        for (int i = 0; i < 8; i++) {
            cubic.rttsample(v, rttNs);
        }
        cubic.newround(v, 0);
    }

    private int growthOfAnAck() {
        final int before = v.cwnd;
        v.bytesThisAck = 2 * MSS;
        cubic.ackReceived(v, CcAlgo.Ack.ACK);
        return v.cwnd - before;
    }

    /** Any history, any clock: the window stays within its bounds and never shrinks by an acknowledgment. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void anything_atRandom_keepsTheWindowInBounds(final long seed) {
        final SplittableRandom r = new SplittableRandom(seed);
        final long grain = seed % 2 == 0 ? 1 : 10 * MS;
        for (int i = 0; i < 200_000; i++) {
            final int before = v.cwnd;
            v.nowNs += r.nextInt(100) == 0 ? r.nextLong(1L << 45) : r.nextLong(20) * grain;
            v.srttNs = 1 + r.nextLong(1L << r.nextInt(1, 40));
            v.bytesThisAck = r.nextInt(1, 1 << r.nextInt(1, 30));
            v.pipe = r.nextInt(0, Math.max(v.cwnd, 1) + 1);
            if (r.nextInt(500) != 0) {
                cubic.ackReceived(v, CcAlgo.Ack.ACK);
                assertThat(v.cwnd).isBetween(before, Cubic.MAX_CWND);
            } else {
                v.rxtshift = r.nextInt(3);
                cubic.congSignal(v, CcAlgo.Signal.values()[r.nextInt(4)]);
                v.leaveRecovery();
                cubic.postRecovery(v);
            }
            assertThat(v.cwnd).isBetween(1, Cubic.MAX_CWND);
            assertThat(v.ssthresh).isGreaterThanOrEqualTo(2 * MSS);
        }
    }
}
