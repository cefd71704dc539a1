package io.gatun.netinet.tcp.cc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gatun.protosw.Vnet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DctcpTest {
    private static final int MSS = 1000;

    private final Dctcp dctcp = new Dctcp();
    private final FakeCcVar v = new FakeCcVar(dctcp, MSS);

    /** A window of acknowledgments, of which some say that all they acknowledge was marked. */
    private void window(final int acks, final int marked) {
        for (int i = 0; i < acks; i++) {
            v.bytesThisAck = MSS;
            v.markedBytes = i < marked ? MSS : 0;
            if (i == acks - 1) {
                dctcp.newround(v, 0);
            }
            dctcp.ackReceived(v, CcAlgo.Ack.ACK);
        }
    }

    private void avoidance(final int segs) {
        v.ecn = true;
        v.cwnd = segs * MSS;
        v.pipe = v.cwnd;
        v.ssthresh = v.cwnd - 1;
    }

    @Test
    @Tag("RFC8257-3.3")
    void alpha_noMarks_decaysByOneSixteenthAWindow() {
        avoidance(20);
        assertThat(Dctcp.alpha(v)).isEqualTo(1);
        double expected = 1;
        for (int i = 0; i < 30; i++) {
            window(20, 0);
            expected *= 15.0 / 16;
            assertThat(Dctcp.alpha(v)).isCloseTo(expected, within(1e-12));
        }
    }

    @Test
    @Tag("RFC8257-3.3")
    void alpha_steadyMarks_isTheirShare() {
        avoidance(20);
        for (int i = 0; i < 200; i++) {
            window(20, 5);
        }
        assertThat(Dctcp.alpha(v)).isCloseTo(0.25, within(1e-4));
    }

    @Test
    @Tag("RFC8257-3.3")
    void mark_reducesByHalfTheShareOncePerWindow() {
        avoidance(100);
        for (int i = 0; i < 200; i++) {
            window(20, 5);
        }
        v.cwnd = 100 * MSS;
        dctcp.congSignal(v, CcAlgo.Signal.ECN);
        assertThat(v.cwnd).isCloseTo((int) (100 * MSS * (1 - 0.125)), within(20)).isEqualTo(v.ssthresh);
        final int reduced = v.cwnd;
        dctcp.congSignal(v, CcAlgo.Signal.ECN);
        assertThat(v.cwnd).isEqualTo(reduced);
    }

    @Test
    void mark_tinyWindow_keepsTwoSegments() {
        avoidance(2);
        dctcp.congSignal(v, CcAlgo.Signal.ECN);
        assertThat(v.cwnd).isEqualTo(2 * MSS);
    }

    @Test
    @Tag("RFC8257-3.5")
    void loss_isHalvedAlsoAfterAMark() {
        avoidance(100);
        for (int i = 0; i < 200; i++) {
            window(20, 0);
        }
        v.cwnd = 100 * MSS;
        v.pipe = v.cwnd;
        dctcp.congSignal(v, CcAlgo.Signal.ECN);
        assertThat(v.cwnd).isGreaterThan(99 * MSS);
        dctcp.congSignal(v, CcAlgo.Signal.NDUPACK);
        assertThat(v.ssthresh).isEqualTo(50 * MSS);
        assertThat(v.inFastRecovery()).isTrue();
    }

    @Test
    void recoveryFromAMark_windowStillGrows() {
        avoidance(10);
        dctcp.congSignal(v, CcAlgo.Signal.ECN);
        v.ssthresh = 100 * MSS;
        final int before = v.cwnd;
        window(1, 0);
        assertThat(v.cwnd).isEqualTo(before + MSS);
    }

    @Test
    @Tag("RFC8257-3.2")
    void segments_eachChangeIsTold() {
        v.ecn = true;
        for (final boolean ce : new boolean[] {false, true, true, false}) {
            v.ce = ce;
            dctcp.ecnpktHandler(v);
        }
        assertThat(v.echoes).hasToString("00 01 11 10 ");
    }

    @Test
    void withoutEcn_isNewReno() {
        avoidance(100);
        v.ecn = false;
        dctcp.congSignal(v, CcAlgo.Signal.NDUPACK);
        assertThat(v.ssthresh).isEqualTo(50 * MSS);
        dctcp.ackReceived(v, CcAlgo.Ack.ACK);
        assertThat(Dctcp.alpha(v)).isEqualTo(1);
    }

    @Test
    void sysctls_alphaShiftSlowstartEct1_areHeeded() {
        try (Vnet vnet = Vnet.builder().name("dctcp").threads(false).build()) {
            final Dctcp tuned = new Dctcp();
            tuned.modInit(vnet.sysctl());
            vnet.sysctl().set("net.inet.tcp.cc.dctcp.alpha", "512");
            vnet.sysctl().set("net.inet.tcp.cc.dctcp.shift_g", "1");
            vnet.sysctl().set("net.inet.tcp.cc.dctcp.ect1", "1");
            vnet.sysctl().set("net.inet.tcp.cc.dctcp.slowstart", "1");
            final FakeCcVar w = new FakeCcVar(tuned, MSS);
            w.ecn = true;
            assertThat(w.ect1).isTrue();
            assertThat(Dctcp.alpha(w)).isEqualTo(0.5);
            w.bytesThisAck = MSS;
            tuned.newround(w, 0);
            tuned.ackReceived(w, CcAlgo.Ack.ACK);
            assertThat(Dctcp.alpha(w)).isEqualTo(0.25);
            w.cwnd = 100 * MSS;
            tuned.congSignal(w, CcAlgo.Signal.ECN);
            assertThat(w.cwnd).isEqualTo(50 * MSS); // the first mark, as in slow start
            assertThat(Dctcp.alpha(w)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void anything_atRandom_keepsAlphaAndWindowInBounds(final long seed) {
        final SplittableRandom r = new SplittableRandom(seed);
        v.ecn = true;
        for (int i = 0; i < 100_000; i++) {
            v.bytesThisAck = r.nextInt(1 << r.nextInt(1, 30));
            v.markedBytes = r.nextInt(v.bytesThisAck + 1);
            v.pipe = r.nextInt(0, Math.max(v.cwnd, 1) + 1);
            if (r.nextInt(20) == 0) {
                dctcp.newround(v, i);
            }
            if (r.nextInt(100) != 0) {
                dctcp.ackReceived(v, CcAlgo.Ack.values()[r.nextInt(4)]);
            } else {
                v.rxtshift = r.nextInt(3);
                dctcp.congSignal(v, CcAlgo.Signal.values()[r.nextInt(4)]);
                v.leaveRecovery();
                dctcp.postRecovery(v);
            }
            assertThat(Dctcp.alpha(v)).isBetween(0.0, 1.0);
            assertThat(v.cwnd).isBetween(1, Cubic.MAX_CWND);
        }
    }
}
