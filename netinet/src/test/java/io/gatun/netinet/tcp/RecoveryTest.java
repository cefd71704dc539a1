package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_FIN;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.ip.IpHeader;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How losses are found and made good: RACK-TLP, F-RTO, PRR, limited transmit, duplicates, reneging. */
class RecoveryTest {
    private static final int MSS = 1000;
    private static final int RTT_MS = 100;
    private static final long RTT_NS = RTT_MS * Tcp.NS_PER_MS;

    private final TcpFixture fx = new TcpFixture();
    private FakeSocket so;
    private Tcpcb tp;
    private int base;

    @AfterEach
    void whole() {
        fx.close();
    }

    /** A connection that knows its round trip; without super-segments. */
    @SuppressWarnings("GuardedBy") // one thread
    private void open(boolean sack) {
        fx.sysctl("tso", "0");
        final TcpFixture.In syn = fx.seg(TH_SYN).seq(PEER_ISS).mss(MSS).wscale(4);
        so = fx.established(sack ? syn.sackPerm() : syn);
        tp = tcpcb(so);
        tp.srttNs = RTT_NS;
        tp.rttvarNs = RTT_NS / 10;
        tp.rttbestNs = RTT_NS;
        tp.rxtcurNs = TcpRtt.clamp(tp, TcpRtt.rexmtVal(tp), 0);
        tp.sndWnd = TcpFixture.WIN << 4;
        tp.maxSndwnd = tp.sndWnd;
        so.snd.limit(500_000);
        base = tp.sndNxt;
    }

    /** So many segments are sent, the window being so large. */
    private List<Out> send(int segments, int cwndSegments) {
        tp.sndCwnd = cwndSegments * MSS;
        fx.send(so, pattern(tp.sndMax - base, segments * MSS));
        return take();
    }

    private List<Out> take() {
        final List<Out> all = new ArrayList<>(fx.sent);
        fx.sent.clear();
        return all;
    }

    /** An acknowledgment of the first segments, with blocks in segments: [2, 4) is the third and fourth. */
    private List<Out> ack(int segments, int... blocks) {
        fx.seg(TH_ACK).on(so).ack(base + segments * MSS)
            .sack(IntStream.of(blocks).map(b -> base + b * MSS).toArray()).arrive();
        return take();
    }

    /** Which segment each of some is, counted from 0. */
    private List<Integer> numbers(List<Out> out) {
        return out.stream().map(o -> (o.seq - base) / MSS).toList();
    }

    @Nested
    class TailLossProbe {
        @Test
        @Tag("RFC8985-7.2")
        @Tag("RFC8985-7.3")
        @Tag("RFC8985-7.4.2")
        void lastLost_afterTwoRoundTrips_isSentAgain() {
            open(true);
            assertThat(send(3, 10)).hasSize(3);
            fx.pass(2 * RTT_MS - 1);
            fx.none();
            fx.pass(2);
            assertThat(numbers(take())).containsExactly(2);
            assertThat(fx.stat("tlpresends")).isEqualTo(1);
            fx.pass(RTT_MS);
            final int cwnd = tp.sndCwnd;
            ack(3);
            assertThat(fx.stat("tlp_recovered")).as("it made good a loss, which is congestion").isEqualTo(1);
            assertThat(tp.sndCwnd).isLessThan(cwnd);
            assertThat(fx.stat("rexmttimeo")).isZero();
        }

        /** A FIN that went along uncounted would be acknowledged for ever in vain. */
        @Test
        void finNotSentForWantOfMbufs_doesNotGoAlong() {
            open(true);
            assertThat(send(3, 10)).hasSize(3);
            fx.vnet.pool().refuse(1, 1);
            fx.shutdown(so, false);
            fx.vnet.pool().refuse(0, 0);
            fx.none();
            fx.pass(2 * RTT_MS + 1);
            final List<Out> out = take();
            assertThat(numbers(out)).as("the probe, then the FIN on its own").containsExactly(2, 3);
            assertThat(out.get(0).flags & TH_FIN).isZero();
            assertThat(out.get(1).flags & TH_FIN).isNotZero();
            assertThat(tp.sndMax).isEqualTo(base + 3 * MSS + 1);
        }

        /** The FIN goes along with each acknowledgment while it is on its way; one of them finds no mbuf. */
        @Test
        void finRepeated_forWantOfMbufs_isStillOut() {
            open(true);
            assertThat(send(1, 10)).hasSize(1);
            fx.shutdown(so, false);
            final Out fin = fx.only();
            assertThat(fin.flags & TH_FIN).isNotZero();
            ack(1);
            fx.none();
            final Mbuf old = fx.seg(TH_ACK).on(so).ack(fin.seq).seq(tp.rcvNxt - 10).data(10).mbuf();
            fx.vnet.pool().refuse(1, 1);
            fx.tcp.input.input(old, IpHeader.LEN, InDefs.IPPROTO_TCP);
            fx.vnet.pool().refuse(0, 0);
            fx.none();
            assertThat(tp.sndNxt).isEqualTo(fin.seq + 1);
            fx.seg(TH_ACK).on(so).ack(fin.seq + 1).arrive();
            assertThat(tp.state).isEqualTo(TcpState.FIN_WAIT_2);
        }

        @Test
        @Tag("RFC8985-7.4.1")
        void nothingLost_duplicateReported_isNoCongestion() {
            open(true);
            send(3, 10);
            fx.pass(2 * RTT_MS + 1);
            take();
            final int cwnd = tp.sndCwnd;
            ack(3, 2, 3);
            assertThat(fx.stat("tlp_recovered")).isZero();
            assertThat(tp.sndCwnd).isGreaterThanOrEqualTo(cwnd);
        }

        @Test
        @Tag("RFC8985-7.3")
        void newDataWaits_isTheProbe() {
            open(true);
            assertThat(send(5, 3)).hasSize(3);
            fx.pass(2 * RTT_MS + 1);
            assertThat(numbers(take())).containsExactly(3);
        }

        @Test
        @Tag("RFC8985-7.2")
        void loneSegment_waitsForADelayedAck() {
            open(true);
            tp.rxtcurNs = 10 * RTT_NS;
            send(1, 10);
            fx.pass(2 * RTT_MS + 199);
            fx.none();
            fx.pass(2);
            assertThat(numbers(take())).containsExactly(0);
        }

        @Test
        void finAlone_takesTheTextAlong() {
            open(true);
            send(2, 10);
            fx.shutdown(so, false);
            assertThat(fx.only().flags & TH_FIN).isNotZero();
            fx.pass(2 * RTT_MS + 1);
            final Out probe = fx.only();
            assertThat(probe.flags & TH_FIN).isNotZero();
            assertThat(probe.seq).isEqualTo(base + MSS);
            assertThat(probe.len).isEqualTo(MSS);
        }

        @Test
        @Tag("RFC8985-6.3")
        @Tag("RFC8985-7.3-one")
        void oneProbeOnly_thenTheTimer() {
            open(true);
            send(3, 10);
            fx.pass(2 * RTT_MS + 1);
            take();
            fx.pass(RTT_MS + 40 + 200 - 5);
            fx.none();
            fx.pass(10);
            assertThat(numbers(take())).containsExactly(0);
            assertThat(fx.stat("rexmttimeo")).isEqualTo(1);
        }
    }

    @Nested
    class Rack {
        @Test
        @Tag("RFC8985-6.2-2")
        void answerTooSoonForTheRetransmission_provesNothingLost() {
            open(true);
            send(6, 10);
            fx.pass(RTT_MS);
            assertThat(numbers(ack(0, 1, 4))).containsExactly(0);
            fx.pass(1);
            assertThat(numbers(ack(4))).as("the first was merely late").doesNotContain(4, 5);
            fx.pass(RTT_MS / 4);
            assertThat(numbers(take())).doesNotContain(4, 5);
            ack(6);
            take();
        }

        @Test
        @Tag("RFC8985-7.2-when")
        @SuppressWarnings("GuardedBy") // one thread
        void recoveryBegins_noProbeIsDue() {
            open(true);
            send(5, 10);
            assertThat(TcpTimers.active(tp, TcpTimers.TT_TLP)).isTrue();
            fx.pass(RTT_MS);
            assertThat(numbers(ack(0, 1, 4))).containsExactly(0);
            assertThat(tp.inFastRecovery()).isTrue();
            assertThat(TcpTimers.active(tp, TcpTimers.TT_TLP)).isFalse();
        }

        @Test
        @Tag("RFC8985-7.2-when")
        @SuppressWarnings("GuardedBy") // one thread
        void noRoundTripYet_noProbeIsDue() {
            open(true);
            tp.srttNs = 0;
            send(5, 10);
            assertThat(TcpTimers.active(tp, TcpTimers.TT_TLP)).isFalse();
        }

        @Test
        @Tag("RFC6675-5.1")
        void afterATimeout_blocksOfTheOldFlight_beginNoOtherRecovery() {
            fx.sysctl("frto", "0"); // which would take them for proof that it was needless
            open(true);
            send(10, 10);
            fx.pass(1000);
            assertThat(fx.stat("rexmttimeo")).isPositive();
            take();
            final int ssthresh = tp.sndSsthresh;
            ack(0, 1, 4);
            ack(1, 2, 8);
            assertThat(fx.stat("sack_recovery_episode")).isZero();
            assertThat(tp.inFastRecovery()).isFalse();
            assertThat(tp.sndSsthresh).isEqualTo(ssthresh);
            ack(10);
            take();
        }

        @Test
        @Tag("RFC8985-6.2-1")
        @Tag("RFC8985-6.2-4")
        @Tag("RFC8985-6.2-5")
        void oneReceivedBeyond_lostAfterTheReorderingWindow() {
            open(true);
            send(2, 10);
            fx.pass(RTT_MS);
            assertThat(ack(0, 1, 2)).isEmpty();
            fx.pass(RTT_MS / 4 - 1);
            fx.none();
            fx.pass(2);
            assertThat(numbers(take())).containsExactly(0);
        }

        @Test
        @Tag("RFC2018-5")
        @Tag("RFC6675-4-nextseg-1")
        @Tag("RFC6675-5-enter")
        @Tag("RFC8985-6.2-4")
        void threeReceivedBeyond_lostAtOnce() {
            open(true);
            send(4, 10);
            fx.pass(RTT_MS);
            ack(0, 1, 2);
            ack(0, 1, 3);
            assertThat(numbers(ack(0, 1, 4))).containsExactly(0);
            assertThat(fx.stat("sack_recovery_episode")).isEqualTo(1);
        }

        @Test
        @Tag("RFC8985-6.2-3")
        @Tag("RFC8985-6.2-4-dsack")
        void duplicatesReported_widenTheWindow_untilRecoveriesGoWithout() {
            open(true);
            send(4, 10);
            fx.pass(RTT_MS);
            assertThat(numbers(ack(0, 1, 4))).containsExactly(0);
            ack(4, 0, 1); // both arrived: it was reordering
            assertThat((int) tp.rackMult).isEqualTo(2);
            base = tp.sndNxt;
            send(4, 10);
            fx.pass(RTT_MS);
            assertThat(ack(0, 1, 4)).as("not at once any more").isEmpty();
            fx.pass(2 * RTT_MS / 4 - 1);
            fx.none();
            fx.pass(2);
            assertThat(numbers(take())).containsExactly(0);
            for (int i = 0; i < 16; i++) {
                ack(4);
                base = tp.sndNxt;
                send(4, 10);
                fx.pass(RTT_MS);
                ack(0, 1, 4);
                fx.pass(RTT_MS);
                take();
            }
            ack(4);
            assertThat((int) tp.rackMult).isEqualTo(1);
        }

        @Test
        @Tag("RFC8985-6.1")
        @Tag("RFC8985-6.2-rexmit")
        void retransmissionLost_isSentAThirdTime_withoutATimeout() {
            open(true);
            send(5, 5);
            fx.pass(RTT_MS);
            assertThat(numbers(ack(0, 1, 4))).containsExactly(0);
            fx.pass(1);
            tp.sndCwnd = 10 * MSS;
            fx.send(so, pattern(5 * MSS, MSS)); // after the retransmission
            assertThat(numbers(take())).containsExactly(5);
            fx.pass(RTT_MS);
            assertThat(numbers(ack(0, 1, 6))).containsExactly(0);
            assertThat(fx.stat("rexmttimeo")).isZero();
        }

        @Test
        @Tag("RFC6675-4-islost")
        void rackOff_dupThreshOnly() {
            open(true);
            fx.sysctl("rack.enable", "0");
            send(4, 10);
            fx.pass(RTT_MS);
            ack(0, 1, 2);
            fx.pass(RTT_MS);
            fx.none();
            assertThat(numbers(ack(0, 1, 4))).containsExactly(0);
        }
    }

    @Nested
    class Frto {
        private void timeout() {
            fx.pass(2 * RTT_MS + 1); // the probe, an eleventh
            take();
            fx.pass(600);
            assertThat(numbers(take())).containsExactly(0);
            assertThat(fx.stat("rexmttimeo")).isEqualTo(1);
            assertThat(tp.sndCwnd).isEqualTo(MSS);
        }

        @Test
        @Tag("RFC6675-5.1-keep")
        @Tag("RFC5682-3.1")
        void lateAcks_ofWhatWasSentOnce_undoTheTimeout() {
            open(true);
            assertThat(send(20, 10)).hasSize(10);
            timeout();
            assertThat(numbers(ack(1))).as("two new ones").containsExactly(11, 12);
            ack(2);
            assertThat(fx.stat("sndrexmitbad")).isEqualTo(1);
            assertThat(tp.sndCwnd).isGreaterThanOrEqualTo(10 * MSS);
            assertThat(fx.stat("sndrexmitpack")).as("nothing else was sent again").isEqualTo(1);
        }

        @Test
        @Tag("RFC6675-5.1")
        @Tag("RFC8985-6.3")
        @Tag("RFC5682-3.1")
        void onlyNewDataArrives_theRestIsLost() {
            open(true);
            send(20, 10);
            timeout();
            assertThat(numbers(ack(1))).containsExactly(11, 12);
            assertThat(numbers(ack(1, 11, 12))).contains(1);
            assertThat(fx.stat("sndrexmitbad")).isZero();
        }
    }

    @Nested
    class Undo {
        private int cwnd;
        private int ssthresh;

        /** The first of ten is late by more than anybody would wait: it is sent again. */
        private void needless() {
            open(true);
            assertThat(send(10, 10)).hasSize(10);
            tp.sndSsthresh = 8 * MSS;
            cwnd = tp.sndCwnd;
            ssthresh = tp.sndSsthresh;
            fx.pass(RTT_MS);
            ack(0, 1, 2);
            ack(0, 1, 3);
            assertThat(numbers(ack(0, 1, 4))).contains(0);
            assertThat(tp.inFastRecovery()).isTrue();
            assertThat(tp.sndSsthresh).isLessThan(ssthresh);
        }

        @Test
        @Tag("RFC3708-3")
        void allWereDuplicates_windowsAreAsBefore() {
            needless();
            ack(0, 1, 10);
            ack(10);
            assertThat(tp.inFastRecovery()).isFalse();
            assertThat(tp.sndCwnd).isLessThan(cwnd);
            assertThat(send(2, tp.sndCwnd / MSS)).hasSize(2);
            ack(10, 0, 1);
            assertThat(fx.stat("dsack_undo")).isEqualTo(1);
            assertThat(tp.sndCwnd).isGreaterThanOrEqualTo(cwnd);
            assertThat(tp.sndSsthresh).isEqualTo(ssthresh);
            ack(10, 0, 1);
            assertThat(fx.stat("dsack_undo")).as("once").isEqualTo(1);
        }

        @Test
        void nothingInFlightAnyMore_windowsAreAsBefore() {
            needless();
            ack(10);
            assertThat(tp.map).isNull();
            ack(10, 0, 1);
            assertThat(fx.stat("dsack_undo")).isEqualTo(1);
            assertThat(tp.sndCwnd).isGreaterThanOrEqualTo(cwnd);
        }

        @Test
        @Tag("RFC3708-3")
        void duringRecovery_itEnds() {
            needless();
            ack(5, 0, 1, 6, 8);
            assertThat(fx.stat("dsack_undo")).isEqualTo(1);
            assertThat(tp.inFastRecovery()).isFalse();
            assertThat(tp.sndCwnd).isGreaterThanOrEqualTo(cwnd);
            assertThat(tp.sndSsthresh).isEqualTo(ssthresh);
            ack(10);
            assertThat(fx.stat("sack_recovery_episode")).isEqualTo(1);
        }

        @Test
        @Tag("RFC3708-3")
        void oneOfTwoWasADuplicate_staysReduced() {
            open(true);
            send(10, 10);
            fx.pass(RTT_MS);
            ack(0, 2, 3);
            ack(0, 2, 4);
            ack(0, 2, 5);
            ack(0, 2, 8);
            fx.pass(RTT_MS / 2);
            assertThat(fx.stat("sndrexmitpack")).isEqualTo(2);
            final int reduced = tp.sndSsthresh;
            ack(10);
            ack(10, 1, 2);
            assertThat(fx.stat("dsack_undo")).isZero();
            assertThat(tp.sndSsthresh).isEqualTo(reduced);
        }

        @Test
        void networkDuplicates_proveNothing() {
            needless();
            ack(10);
            ack(10, 4, 6);
            ack(10, 0, 1);
            assertThat(fx.stat("dsack_undo")).isZero();
        }

        @Test
        void timeoutSince_staysReduced() {
            needless();
            fx.pass(3000);
            assertThat(fx.stat("rexmttimeo")).isPositive();
            ack(10);
            ack(10, 0, 1);
            assertThat(fx.stat("dsack_undo")).isZero();
        }

        @Test
        void switchedOff_staysReduced() {
            fx.sysctl("dsack_undo", "0");
            needless();
            ack(10);
            ack(10, 0, 1);
            assertThat(fx.stat("dsack_undo")).isZero();
        }
    }

    @Nested
    class ProportionalRateReduction {
        @Test
        @Tag("RFC2018-5.1")
        @Tag("RFC6675-4-nextseg-2")
        @Tag("RFC6675-5-c")
        @Tag("RFC6937-3")
        void windowShrinks_inProportion_withoutBursts() {
            open(true);
            assertThat(send(60, 20)).hasSize(20);
            fx.pass(RTT_MS);
            int sent = 0;
            for (int i = 2; i <= 20; i++) {
                final int now = ack(0, 1, i).size();
                assertThat(now).as("segments after block to %d", i).isLessThanOrEqualTo(i == 4 ? 1 : 2);
                sent += now;
            }
            // 19 delivered of 20, seven tenths of which may be replaced, and what limited transmit let out before.
            assertThat(sent).isBetween(12, 16);
            assertThat(tp.inFastRecovery()).isTrue();
            ack(22); // two of them before recovery began
            assertThat(tp.inFastRecovery()).isFalse();
            assertThat(tp.sndCwnd).isBetween((sent - 3) * MSS, tp.sndSsthresh + MSS);
        }
    }

    @Nested
    @Tag("RFC3042-2")
    class LimitedTransmit {
        @Test
        @Tag("RFC6675-5-limited")
        void sack_eachDuplicate_letsOneOut() {
            open(true);
            send(20, 10);
            fx.pass(RTT_MS);
            assertThat(numbers(ack(0, 1, 2))).containsExactly(10);
            assertThat(numbers(ack(0, 1, 3))).containsExactly(11);
        }

        @Test
        void sack_off_letsNothingOut() {
            open(true);
            fx.sysctl("rfc3042", "0");
            send(20, 10);
            fx.pass(RTT_MS);
            assertThat(ack(0, 1, 2)).isEmpty();
            assertThat(ack(0, 1, 3)).isEmpty();
        }

        @Test
        @Tag("RFC3042-2")
        void noSack_twoDuplicates_letTwoOut_theThirdRecovers() {
            open(false);
            send(20, 10);
            fx.pass(RTT_MS);
            assertThat(numbers(ack(0))).containsExactly(10);
            assertThat(numbers(ack(0))).containsExactly(11);
            assertThat(numbers(ack(0))).containsExactly(0);
        }
    }

    @Nested
    @Tag("RFC2018-8")
    class Reneging {
        @Test
        @Tag("RFC2018-5-rto")
        void receivedTextIsAcknowledgedNoFurther_countsAsLost() {
            open(true);
            send(10, 10);
            fx.pass(RTT_MS);
            ack(0, 1, 10);
            fx.pass(RTT_MS);
            take();
            final List<Integer> again = numbers(ack(1)); // and nothing beyond: it is gone
            assertThat(fx.stat("sack_reneged")).isEqualTo(1);
            assertThat(again).first().isEqualTo(1);
            assertThat(tp.map.sacked()).isZero();
        }
    }
}
