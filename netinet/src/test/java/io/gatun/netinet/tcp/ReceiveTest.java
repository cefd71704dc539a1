package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_FIN;
import static io.gatun.netinet.tcp.TcpHeader.TH_PUSH;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static io.gatun.netinet.tcp.TcpHeader.TH_URG;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ReceiveTest {
    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void whole() {
        fx.close();
    }

    private TcpFixture.In text(FakeSocket so, int off, int n) {
        return fx.seg(TH_ACK | TH_PUSH).on(so).seq(PEER_ISS + 1 + off).data(pattern(off, n));
    }

    @Nested
    class Text {
        @Test
        @Tag("RFC9293-MUST-58")
        @Tag("RFC9293-SHLD-18")
        @Tag("RFC9293-MUST-40")
        @Tag("RFC5681-4.2")
        void established_oneSegment_ackWaitsFortyMs() {
            final FakeSocket so = fx.established();
            text(so, 0, 1000).arrive();
            fx.none();
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 1000));
            assertThat(so.readWakeups).isEqualTo(1);
            fx.pass(39);
            fx.none();
            fx.pass(1);
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 1001);
            assertThat(fx.stat("delack")).isEqualTo(1);
        }

        @Test
        @Tag("RFC9293-SHLD-19")
        @Tag("RFC5681-4.2")
        void established_twoSegments_ackGoesAtOnce() {
            final FakeSocket so = fx.established();
            text(so, 0, 1000).arrive();
            text(so, 1000, 1000).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 2001);
            fx.pass(100);
            fx.none();
        }

        @Test
        void established_answerInTime_carriesTheAck() {
            final FakeSocket so = fx.established();
            text(so, 0, 1).arrive();
            fx.send(so, pattern(0, 1));
            final Out out = fx.only();
            assertThat(out.ack).isEqualTo(PEER_ISS + 2);
            assertThat(out.len).isEqualTo(1);
            assertThat(out.flags).isEqualTo(TH_ACK | TH_PUSH);
        }

        @Test
        void established_answer_isPredictedAndAcknowledges() {
            final FakeSocket so = fx.established();
            answered(so, text(so, 0, 50));
            assertThat(fx.stat("preddat")).isEqualTo(1);
        }

        @Test
        void established_answerWithAnotherWindow_comesToTheSameWithoutPrediction() {
            final FakeSocket so = fx.established();
            answered(so, text(so, 0, 50).win(tcpcb(so).sndWnd - 1));
            assertThat(fx.stat("preddat")).isZero();
        }

        private void answered(final FakeSocket so, final TcpFixture.In answer) {
            fx.send(so, pattern(0, 100));
            fx.only();
            answer.ack(tcpcb(so).sndMax).arrive();
            fx.none();
            assertThat(so.snd.avail()).isZero();
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 50));
            assertThat(tcpcb(so).sndUna).isEqualTo(tcpcb(so).sndMax);
            assertThat(tcpcb(so).act().timers[TcpTimers.TT_REXMT]).isEqualTo(TcpTimers.OFF);
            assertThat(fx.stat("rcvackbyte")).isEqualTo(100);
            fx.pass(40);
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 51);
        }

        @Test
        void established_answerOfPartAfterLoss_isNotPredicted() {
            final FakeSocket so = fx.established();
            fx.send(so, pattern(0, 100));
            fx.only();
            tcpcb(so).act().dupacks = 1;
            text(so, 0, 50).ack(tcpcb(so).sndMax).arrive();
            assertThat(fx.stat("preddat")).isZero();
            assertThat(tcpcb(so).act().dupacks).isZero();
        }

        @Test
        @Tag("RFC9293-MUST-59")
        void established_superSegment_isAckedAtOnce() {
            final FakeSocket so = fx.established();
            text(so, 0, 8000).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 8001);
        }

        @Test
        @Tag("RFC9293-SHLD-31")
        @Tag("RFC9293-MAY-13")
        @Tag("RFC5681-3.2-ooo")
        @Tag("RFC5681-3.2-fill")
        void established_gap_isAnsweredAtOnceAndFilled() {
            final FakeSocket so = fx.established();
            text(so, 1000, 1000).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 1);
            text(so, 2000, 500).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 1);
            assertThat(so.rcv.avail()).isZero();
            text(so, 0, 1000).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 2501);
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 2500));
            assertThat(fx.stat("rcvoopack")).isEqualTo(2);
        }

        @Test
        void established_gapThenFin_finWaits() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK | TH_FIN).on(so).seq(PEER_ISS + 11).data(pattern(10, 10)).arrive();
            fx.only();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
            text(so, 0, 10).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 22);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSE_WAIT);
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 20));
        }

        @Test
        void established_duplicate_isAckedAndDropped() {
            final FakeSocket so = fx.established();
            text(so, 0, 100).arrive();
            text(so, 0, 100).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 101);
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 100));
            assertThat(fx.stat("rcvduppack")).isEqualTo(1);
        }

        @Test
        void established_partlyOld_newPartIsTaken() {
            final FakeSocket so = fx.established();
            text(so, 0, 100).arrive();
            text(so, 50, 100).arrive();
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 150));
            assertThat(fx.stat("rcvpartdupbyte")).isEqualTo(50);
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 151);
        }

        @Test
        void established_beyondWindow_isCut() {
            final FakeSocket so = fx.established();
            so.rcv.limit(3000);
            final Tcpcb tp = tcpcb(so);
            tp.rcvAdv = tp.rcvNxt + 3000;
            text(so, 0, 4000).arrive();
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 3000));
            final Out out = fx.only();
            assertThat(out.ack).isEqualTo(PEER_ISS + 3001);
            assertThat(out.win).isZero();
            assertThat(fx.stat("rcvbyteafterwin")).isEqualTo(1000);
        }

        @Test
        @Tag("RFC9293-MUST-35")
        void zeroWindow_probe_isAnswered() {
            final FakeSocket so = fx.established();
            so.rcv.limit(3000);
            tcpcb(so).rcvAdv = tcpcb(so).rcvNxt + 3000;
            text(so, 0, 3000).arrive();
            fx.only();
            text(so, 3000, 1).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 3001);
            assertThat(fx.stat("rcvwinprobe")).isEqualTo(1);
            assertThat(so.rcv.avail()).isEqualTo(3000);
        }

        @Test
        @Tag("RFC9293-MUST-39")
        void zeroWindow_reading_tellsThePeerOnce() {
            final FakeSocket so = fx.established();
            so.rcv.limit(6000);
            tcpcb(so).rcvAdv = tcpcb(so).rcvNxt + 6000;
            text(so, 0, 6000).arrive();
            assertThat(fx.only().win).isZero();
            fx.read(so, 500);
            fx.none(); // a silly window is not offered
            fx.read(so, 2500);
            assertThat(fx.only().win).isEqualTo(3000);
            fx.read(so, 1);
            fx.none();
        }

        @Test
        void established_outOfWindow_isAckedAndDropped() {
            final FakeSocket so = fx.established();
            text(so, 100_000, 10).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 1);
            assertThat(fx.drops(DropReason.TCP_OUT_OF_WINDOW)).isEqualTo(1);
        }

        @Test
        void established_wrap_textArrives() {
            final int iss = -500;
            final FakeSocket so = fx.established(fx.seg(TH_SYN).seq(iss).mss(1460));
            for (int off = 0; off < 3000; off += 100) {
                fx.seg(TH_ACK).on(so).seq(iss + 1 + off).data(pattern(off, 100)).arrive();
            }
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 3000));
            fx.sent.clear();
        }

        @Test
        void established_keepaliveProbe_isAnswered() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK).on(so).seq(PEER_ISS).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 1);
        }

        @Test
        void established_fullQueue_dropsButTakesTheNext() {
            fx.sysctl("reass.maxqueuelen", "5");
            final FakeSocket so = fx.established();
            for (int i = 1; i <= 8; i++) {
                text(so, 20 * i, 10).arrive();
            }
            assertThat(fx.stat("rcvreassfull")).as("runs beyond the limit").isEqualTo(3);
            text(so, 110, 10).arrive();
            assertThat(fx.stat("rcvreassfull")).as("what continues a run begins none").isEqualTo(3);
            text(so, 0, 20).arrive();
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 30));
            fx.sent.clear();
        }

        @Test
        @Tag("RFC9293-SHLD-3")
        void established_afterReaderHasGone_textIsReset() {
            final FakeSocket so = fx.established();
            fx.shutdown(so, true);
            fx.only();
            text(so, 0, 10).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_RST);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
            assertThat(so.refs).isEqualTo(1);
        }
    }

    @Nested
    class Ack {
        @Test
        void established_ackOfUnsent_isAcked() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK).on(so).ack(tcpcb(so).sndMax + 1).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            assertThat(fx.stat("rcvacktoomuch")).isEqualTo(1);
        }

        @Test
        @Tag("RFC5961-5.2")
        void established_ancientAck_isChallenged() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK).on(so).ack(tcpcb(so).sndUna - 70_000).data(5).arrive();
            fx.only();
            assertThat(fx.stat("challengeacks")).isEqualTo(1);
            assertThat(so.rcv.avail()).isZero();
        }

        @Test
        void established_noAck_isDropped() {
            final FakeSocket so = fx.established();
            fx.seg(0).on(so).data(5).arrive();
            fx.none();
            assertThat(so.rcv.avail()).isZero();
            assertThat(fx.drops(DropReason.TCP_NO_ACK)).isEqualTo(1);
        }
    }

    @Nested
    class Rst {
        @Test
        @Tag("RFC5961-3.2")
        void established_rstExact_resets() {
            final FakeSocket so = fx.established();
            fx.seg(TH_RST).on(so).arrive();
            fx.none();
            assertThat(so.error).isEqualTo(Errno.ECONNRESET);
            assertThat(so.is(SocketDefs.SS_ISDISCONNECTED)).isTrue();
        }

        @Test
        @Tag("RFC9293-MAY-12")
        @Tag("RFC5961-3.2")
        void established_rstInWindow_sendsChallengeAck() {
            final FakeSocket so = fx.established();
            fx.seg(TH_RST).on(so).seq(PEER_ISS + 100).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        }

        @Test
        @Tag("RFC5961-3.2")
        void established_rstOutOfWindow_isIgnored() {
            final FakeSocket so = fx.established();
            fx.seg(TH_RST).on(so).seq(PEER_ISS).arrive();
            fx.seg(TH_RST).on(so).seq(PEER_ISS + 1_000_000).arrive();
            fx.none();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        }

        @Test
        @Tag("RFC9293-MAY-12")
        @Tag("RFC5961-4.2")
        @Tag("RFC5961-4.2-num")
        void established_syn_sendsChallengeAckWhereverItLies() {
            final FakeSocket so = fx.established();
            fx.seg(TH_SYN).on(so).arrive();
            fx.seg(TH_SYN).on(so).seq(PEER_ISS).arrive();
            fx.seg(TH_SYN).on(so).seq(PEER_ISS + 10_000_000).arrive();
            assertThat(fx.sent).hasSize(3).allMatch(o -> o.flags == TH_ACK && o.ack == PEER_ISS + 1);
            fx.sent.clear();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        }

        @Test
        @Tag("RFC5961-7")
        void established_challenges_areLimited() {
            final FakeSocket so = fx.established();
            for (int i = 0; i < 100; i++) {
                fx.seg(TH_SYN).on(so).arrive();
            }
            assertThat(fx.sent).hasSize(5);
            fx.pass(1000);
            fx.seg(TH_SYN).on(so).arrive();
            assertThat(fx.sent).hasSize(6);
            assertThat(fx.stat("challengelimited")).isEqualTo(95);
            fx.sent.clear();
        }
    }

    @Nested
    class Timestamps {
        private FakeSocket open() {
            return fx.established(fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).ts(1000, 0));
        }

        @Test
        @Tag("RFC7323-5.3")
        @Tag("RFC7323-5.3-ack")
        void established_olderTimestamp_isDroppedByPaws() {
            final FakeSocket so = open();
            text(so, 0, 100).ts(2000, 0).arrive();
            text(so, 100, 100).ts(1500, 0).arrive();
            assertThat(so.rcv.avail()).isEqualTo(100);
            assertThat(fx.only().tsecr).isEqualTo(2000);
            assertThat(fx.stat("pawsdrop")).isEqualTo(1);
        }

        @Test
        @Tag("RFC7323-5.5")
        void established_timestampAfterTwentyFourDays_isTaken() {
            final FakeSocket so = open();
            tcpcb(so).user = tcpcb(so).user.withKeepidle(Long.MAX_VALUE / 4);
            fx.pass(25L * 24 * 3600 * 1000);
            text(so, 0, 100).ts(500, 0).arrive();
            assertThat(so.rcv.avail()).isEqualTo(100);
            fx.sent.clear();
        }

        @Test
        @Tag("RFC7323-5.3")
        void established_rstWithOldTimestamp_resets() {
            final FakeSocket so = open();
            fx.seg(TH_RST).on(so).ts(1, 0).arrive();
            assertThat(so.error).isEqualTo(Errno.ECONNRESET);
        }

        @Test
        @Tag("RFC7323-3.2")
        void established_missingTimestamp_followsTheSysctl() {
            final FakeSocket so = open();
            text(so, 0, 100).arrive();
            assertThat(so.rcv.avail()).isEqualTo(100);
            fx.sysctl("tolerate_missing_ts", "0");
            text(so, 100, 100).arrive();
            assertThat(so.rcv.avail()).isEqualTo(100);
            fx.sent.clear();
        }

        @Test
        @Tag("RFC9293-MUST-5")
        @Tag("RFC7323-4.3")
        void established_echo_isThatOfTheSegmentAtTheEdge() {
            final FakeSocket so = open();
            text(so, 0, 100).ts(1100, 0).arrive();
            text(so, 100, 100).ts(1200, 0).arrive();
            assertThat(fx.only().tsecr).as("RFC 7323 4.3: of the first unacknowledged").isEqualTo(1100);
            text(so, 300, 100).ts(1300, 0).arrive();
            assertThat(fx.only().tsecr).as("a gap does not move it").isEqualTo(1200 - 100);
        }
    }

    @Nested
    class Urgent {
        @Test
        @Tag("RFC9293-MUST-30")
        void established_urgent_octetIsTakenOut() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK | TH_URG).on(so).urp(5).data(pattern(0, 10)).arrive();
            assertThat(so.oobSignalled).isTrue();
            assertThat(so.oobMark).isEqualTo(4);
            assertThat((int) tcpcb(so).oobflags).isEqualTo(Tcpcb.TCPOOB_HAVEDATA);
            assertThat((int) tcpcb(so).iobc).isEqualTo(pattern(0, 10)[4] & 0xff);
            final byte[] expected = new byte[9];
            System.arraycopy(pattern(0, 10), 0, expected, 0, 4);
            System.arraycopy(pattern(0, 10), 5, expected, 4, 5);
            assertThat(so.rcv.peek()).isEqualTo(expected);
            assertThat(tcpcb(so).rcvNxt).isEqualTo(PEER_ISS + 11);
        }

        @Test
        @Tag("RFC9293-MUST-62")
        void established_urgentInline_octetStays() {
            final FakeSocket so = fx.established();
            so.options |= SocketDefs.SO_OOBINLINE;
            fx.seg(TH_ACK | TH_URG).on(so).urp(5).data(pattern(0, 10)).arrive();
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 10));
            assertThat(so.oobMark).isEqualTo(4);
        }

        @Test
        @Tag("RFC9293-MUST-31")
        @Tag("RFC9293-MUST-32")
        @Tag("RFC9293-MUST-33")
        void established_urgentAhead_marksThePlace() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK | TH_URG).on(so).urp(1000).data(pattern(0, 10)).arrive();
            assertThat(so.oobMark).isEqualTo(999);
            assertThat((int) tcpcb(so).oobflags).isZero();
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 10));
        }

        @Test
        void established_urgentOutOfOrder_octetIsTakenOutAndOrderKept() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK | TH_URG).on(so).seq(PEER_ISS + 11).urp(1).data(pattern(10, 10)).arrive();
            text(so, 0, 10).arrive();
            text(so, 20, 10).arrive();
            final byte[] all = pattern(0, 30);
            final byte[] expected = new byte[29];
            System.arraycopy(all, 0, expected, 0, 10);
            System.arraycopy(all, 11, expected, 10, 19);
            assertThat(so.rcv.peek()).isEqualTo(expected);
            assertThat(tcpcb(so).rcvNxt).isEqualTo(PEER_ISS + 31);
            fx.sent.clear();
        }
    }

    @Test
    void established_urgentInOverlap_orderIsKept() {
        final FakeSocket so = fx.established();
        text(so, 10, 10).arrive();
        // Covers the queued text from both sides; the urgent octet lies where it is cut off.
        fx.seg(TH_ACK | TH_URG).on(so).seq(PEER_ISS + 16).urp(2).data(pattern(15, 15)).arrive();
        text(so, 0, 10).arrive();
        assertThat(so.rcv.peek()).isEqualTo(pattern(0, 30));
        fx.sent.clear();
    }

    @Nested
    class Fin {
        @Test
        void established_fin_closesTheirSide() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK | TH_FIN).on(so).data(pattern(0, 3)).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 5);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSE_WAIT);
            assertThat(so.rcv.state() & SocketDefs.SBS_CANTRCVMORE).isNotZero();
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 3));
            fx.send(so, pattern(0, 7));
            assertThat(fx.only().len).isEqualTo(7);
        }

        @Test
        void closeWait_finAgain_isAckedAgain() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK | TH_FIN).on(so).arrive();
            fx.only();
            fx.seg(TH_ACK | TH_FIN).on(so).seq(PEER_ISS + 1).arrive();
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 2);
        }
    }

    /** Two ends that were set apart answer each other's bare segments; not for ever, as fast as they can. */
    @Test
    void established_oldBareSegments_areAnsweredAFewTimesASecond() {
        final FakeSocket so = fx.established();
        for (int second = 0; second < 2; second++) {
            for (int i = 0; i < 50; i++) {
                fx.seg(TH_ACK | (i % 2 == 0 ? TH_FIN : 0)).on(so).seq(PEER_ISS - 100).arrive();
            }
            assertThat(fx.sent).hasSize(5);
            fx.sent.clear();
            fx.pass(1001);
        }
    }

    @Test
    void established_bufferNearlyFilledPerRoundTrip_grows() {
        final FakeSocket so = fx.established();
        fx.pass(10);
        fx.send(so, pattern(0, 1));
        fx.only();
        fx.pass(10);
        fx.seg(TH_ACK).on(so).arrive();
        final int before = so.rcv.hiwat();
        int off = 0;
        for (int i = 0; i < 40; i++) {
            text(so, off, 1400).arrive();
            off += 1400;
            if (i % 20 == 19) {
                fx.pass(6);
            }
            assertThat(fx.read(so, 1 << 20)).isEqualTo(Arrays.copyOf(pattern(off - 1400, 1400), 1400));
        }
        text(so, off, 1400).arrive();
        assertThat(so.rcv.hiwat()).isGreaterThan(before);
        fx.sent.clear();
    }
}
