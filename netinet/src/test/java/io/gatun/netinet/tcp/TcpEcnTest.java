package io.gatun.netinet.tcp;

import static io.gatun.netinet.ip.IpHeader.IPTOS_ECN_CE;
import static io.gatun.netinet.ip.IpHeader.IPTOS_ECN_ECT0;
import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_CWR;
import static io.gatun.netinet.tcp.TcpHeader.TH_ECE;
import static io.gatun.netinet.tcp.TcpHeader.TH_PUSH;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Classic ECN. */
class TcpEcnTest {
    private static final int ASKS = TH_SYN | TH_ECE | TH_CWR;
    private static final int GRANTS = TH_SYN | TH_ACK | TH_ECE;
    private static final int MSS = 1000;

    private final TcpFixture fx = new TcpFixture();

    @BeforeEach
    void plain() {
        fx.sysctl("tso", "0");
        fx.sysctl("delayed_ack", "0");
    }

    @AfterEach
    void whole() {
        fx.close();
    }

    /** Established at a listener with ECN, nothing left to see. */
    private FakeSocket passive() {
        final FakeSocket l = fx.listener();
        fx.seg(ASKS).seq(PEER_ISS).mss(MSS).arrive();
        final Out synAck = fx.only();
        assertThat(synAck.flags).isEqualTo(GRANTS);
        fx.seg(TH_ACK).ack(synAck.seq + 1).arrive();
        final FakeSocket so = l.comp.getLast();
        assertThat(tcpcb(so).has2(Tcpcb.TF2_ECN_PERMIT)).isTrue();
        return so;
    }

    private void ack(FakeSocket so, int upTo, int more) {
        fx.seg(TH_ACK | more).on(so).ack(upTo).arrive();
    }

    @Nested
    class Handshake {
        @Test
        @Tag("RFC3168-6.1.1")
        @Tag("RFC9293-SHLD-8")
        void connect_enabled_asks() {
            fx.sysctl("ecn.enable", "1");
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            assertThat(syn.flags).isEqualTo(ASKS);
            assertThat(syn.tos).isZero(); // a SYN is never marked
            answer(so, syn, GRANTS);
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            assertThat(tcpcb(so).has2(Tcpcb.TF2_ECN_PERMIT)).isTrue();
            assertThat(fx.stat("ecn_shs")).isEqualTo(1);
        }

        private void answer(FakeSocket so, Out syn, int flags) {
            fx.seg(flags).from(TcpFixture.PEER, TcpFixture.PPORT).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS)
                .ack(syn.seq + 1).mss(MSS).arrive();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        }

        @Test
        void connect_byDefault_doesNotAskNorTakesAnAnswer() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            assertThat(syn.flags).isEqualTo(TH_SYN);
            answer(so, syn, GRANTS);
            fx.only();
            assertThat(tcpcb(so).has2(Tcpcb.TF2_ECN_PERMIT)).isFalse();
        }

        @Test
        void connect_plainAnswer_isWithoutEcn() {
            fx.sysctl("ecn.enable", "1");
            final FakeSocket so = fx.connect();
            answer(so, fx.only(), TH_SYN | TH_ACK);
            fx.only();
            assertThat(tcpcb(so).has2(Tcpcb.TF2_ECN_PERMIT)).isFalse();
        }

        @Test
        void connect_reflectedFlags_isWithoutEcn() {
            fx.sysctl("ecn.enable", "1");
            final FakeSocket so = fx.connect();
            answer(so, fx.only(), TH_SYN | TH_ACK | TH_ECE | TH_CWR);
            fx.only();
            assertThat(tcpcb(so).has2(Tcpcb.TF2_ECN_PERMIT)).isFalse();
        }

        @Test
        @Tag("RFC3168-6.1.1.1")
        void connect_noAnswer_asksNoLonger() {
            fx.sysctl("ecn.enable", "1");
            fx.connect();
            assertThat(fx.only().flags).isEqualTo(ASKS);
            fx.pass(1000);
            assertThat(fx.only().flags).isEqualTo(ASKS);
            fx.pass(2200);
            assertThat(fx.only().flags).isEqualTo(TH_SYN);
        }

        @Test
        void connect_noRetries_asksOnce() {
            fx.sysctl("ecn.enable", "1");
            fx.sysctl("ecn.maxretries", "0");
            fx.connect();
            assertThat(fx.only().flags).isEqualTo(ASKS);
            fx.pass(1000);
            assertThat(fx.only().flags).isEqualTo(TH_SYN);
        }

        @ParameterizedTest
        @ValueSource(strings = {"1", "2"})
        void listen_asked_grants(String enable) {
            fx.sysctl("ecn.enable", enable);
            final Out first = asked(ASKS);
            assertThat(first.flags).isEqualTo(GRANTS);
            assertThat(first.tos).isZero();
        }

        private Out asked(int flags) {
            fx.listener();
            fx.seg(flags).seq(PEER_ISS).mss(MSS).arrive();
            return fx.only();
        }

        @Test
        void listen_disabled_doesNotGrant() {
            fx.sysctl("ecn.enable", "0");
            assertThat(asked(ASKS).flags).isEqualTo(TH_SYN | TH_ACK);
        }

        @Test
        void listen_oneFlag_doesNotGrant() {
            assertThat(asked(TH_SYN | TH_ECE).flags).isEqualTo(TH_SYN | TH_ACK);
        }

        @Test
        void listen_accurateAsked_grantsTheClassicKind() {
            assertThat(asked(ASKS | TcpHeader.TH_AE).flags).isEqualTo(GRANTS);
        }

        @Test
        void synReceived_noAnswer_grantsNoLonger() {
            asked(ASKS);
            fx.pass(1000);
            assertThat(fx.only().flags).isEqualTo(GRANTS);
            fx.pass(2200);
            assertThat(fx.only().flags).isEqualTo(TH_SYN | TH_ACK);
        }

        @Test
        void synReceived_plainSynAgain_grantsNoLonger() {
            asked(ASKS);
            fx.seg(TH_SYN).seq(PEER_ISS).mss(MSS).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_SYN | TH_ACK);
        }

        private FakeSocket fromCookie(int asks) {
            fx.sysctl("syncookies_only", "1");
            final FakeSocket l = fx.listener();
            fx.seg(asks).seq(PEER_ISS).mss(MSS).arrive();
            final Out synAck = fx.only();
            assertThat(synAck.flags).isEqualTo(asks == ASKS ? GRANTS : TH_SYN | TH_ACK);
            fx.seg(TH_ACK).ack(synAck.seq + 1).arrive();
            assertThat(fx.stat("sc_recvcookie")).isEqualTo(1);
            return l.comp.getLast();
        }

        /** The cookie forgets it, the peer does not: its first packet that may be marked tells. */
        @Test
        void cookiesOnly_asked_grants_andGoesByTheFirstMark() {
            final FakeSocket so = fromCookie(ASKS);
            fx.send(so, pattern(0, 10));
            final Out before = fx.only();
            assertThat(before.tos).as("not known yet").isZero();
            fx.seg(TH_ACK).on(so).ack(before.seq + 10).data(pattern(0, 10)).tos(IPTOS_ECN_CE).arrive();
            assertThat(fx.only().flags).as("the mark is echoed").isEqualTo(TH_ACK | TH_ECE);
            fx.send(so, pattern(10, 10));
            assertThat(fx.only().tos).isEqualTo(IPTOS_ECN_ECT0);
        }

        @Test
        void cookiesOnly_notAsked_neverMarks() {
            final FakeSocket so = fromCookie(TH_SYN);
            fx.seg(TH_ACK).on(so).data(pattern(0, 10)).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            fx.send(so, pattern(0, 10));
            assertThat(fx.only().tos).isZero();
            assertThat(tcpcb(so).has2(TcpEcn.IN_USE)).isFalse();
        }

        @Test
        void cookiesOnly_switchedOff_marksMeanNothing() {
            fx.sysctl("ecn.enable", "0");
            final FakeSocket so = fromCookie(TH_SYN);
            fx.seg(TH_ACK).on(so).data(pattern(0, 10)).tos(IPTOS_ECN_CE).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
        }

        @Test
        void synSent_synCrossing_grantsOnEverySynAck() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.seg(ASKS).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS).mss(MSS).arrive();
            assertThat(fx.only().flags).isEqualTo(GRANTS);
            fx.pass(1000);
            assertThat(fx.only().flags).isEqualTo(GRANTS);
            fx.seg(TH_ACK).to(TcpFixture.HERE, syn.sport).ack(syn.seq + 1).arrive();
            assertThat(tcpcb(so).has2(Tcpcb.TF2_ECN_PERMIT)).isTrue();
            fx.send(so, pattern(0, 10));
            final Out data = fx.only();
            assertThat(data.flags).isEqualTo(TH_ACK | TH_PUSH);
            assertThat(data.tos).isEqualTo(IPTOS_ECN_ECT0);
        }
    }

    @Nested
    class Receiver {
        @Test
        @Tag("RFC3168-6.1.3")
        void established_marked_echoesUntilCwr() {
            final FakeSocket so = passive();
            fx.seg(TH_ACK).on(so).data(10).tos(IPTOS_ECN_ECT0).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            fx.seg(TH_ACK).on(so).data(10).tos(IPTOS_ECN_CE).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK | TH_ECE);
            fx.seg(TH_ACK).on(so).data(10).tos(IPTOS_ECN_ECT0).arrive();
            final Out still = fx.only();
            assertThat(still.flags).isEqualTo(TH_ACK | TH_ECE);
            assertThat(still.tos).isZero(); // RFC 3168 section 6.1.4: an acknowledgment is not marked
            fx.seg(TH_ACK | TH_CWR).on(so).data(10).tos(IPTOS_ECN_ECT0).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            assertThat(fx.stat("ecn_rcvce")).isEqualTo(1);
            assertThat(tcpcb(so).rcep).isEqualTo(1);
            assertThat(fx.stat("ecn_rcvect0")).isEqualTo(3);
        }

        @Test
        void established_markedWithCwr_echoes() {
            final FakeSocket so = passive();
            fx.seg(TH_ACK | TH_CWR).on(so).data(10).tos(IPTOS_ECN_CE).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK | TH_ECE);
        }

        @Test
        void established_markedOutsideTheWindow_isIgnored() {
            final FakeSocket so = passive();
            fx.seg(TH_ACK).on(so).seq(PEER_ISS + 1_000_000).data(10).tos(IPTOS_ECN_CE).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            assertThat(fx.stat("ecn_rcvce")).isZero();
        }

        @Test
        void established_notAgreed_marksMeanNothing() {
            final FakeSocket so = fx.established();
            fx.seg(TH_ACK).on(so).data(10).tos(IPTOS_ECN_CE).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            fx.send(so, pattern(0, 10));
            assertThat(fx.only().tos).isZero();
        }

        @Test
        void established_marked_challengeAckEchoesToo() {
            final FakeSocket so = passive();
            fx.seg(TH_ACK).on(so).data(10).tos(IPTOS_ECN_CE).arrive();
            fx.only();
            fx.seg(TH_RST).on(so).seq(tcpcb(so).rcvNxt + 1).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK | TH_ECE);
        }
    }

    @Nested
    class Sender {
        @Test
        @Tag("RFC3168-6.1.2")
        @Tag("RFC9293-SHLD-8")
        void established_echo_reducesOncePerWindow() {
            final FakeSocket so = passive();
            final Tcpcb tp = tcpcb(so);
            fx.send(so, pattern(0, 10 * MSS));
            assertThat(fx.sent).hasSize(10).allMatch(o -> o.tos == IPTOS_ECN_ECT0 && !o.has(TH_CWR));
            fx.sent.clear();
            assertThat(fx.stat("ecn_sndect0")).isEqualTo(10);
            final int una = tp.sndUna;
            final int cwnd = tp.sndCwnd;
            ack(so, una + MSS, TH_ECE);
            assertThat(tp.sndCwnd).isLessThan(cwnd).isEqualTo(tp.sndSsthresh);
            assertThat(tp.inCongRecovery()).isTrue();
            final int reduced = tp.sndCwnd;
            for (int i = 2; i <= 8; i++) {
                ack(so, una + i * MSS, TH_ECE);
            }
            assertThat(tp.sndCwnd).isEqualTo(reduced);
            assertThat(fx.stat("ecn_rcwnd")).isEqualTo(1);
        }

        @Test
        void established_reduced_nextNewDataSaysCwrOnce() {
            final FakeSocket so = passive();
            final Tcpcb tp = tcpcb(so);
            fx.send(so, pattern(0, MSS));
            fx.only();
            ack(so, tp.sndMax, TH_ECE);
            fx.send(so, pattern(MSS, MSS));
            final Out cwr = fx.only();
            assertThat(cwr.flags).isEqualTo(TH_ACK | TH_PUSH | TH_CWR);
            assertThat(cwr.tos).isEqualTo(IPTOS_ECN_ECT0);
            fx.send(so, pattern(2 * MSS, MSS));
            assertThat(fx.only().flags).isEqualTo(TH_ACK | TH_PUSH);
            // What comes before the acknowledgment of CWR is still the old news.
            ack(so, cwr.seq, TH_ECE);
            assertThat(fx.stat("ecn_rcwnd")).isEqualTo(1);
            ack(so, cwr.seq + MSS, TH_ECE);
            assertThat(fx.stat("ecn_rcwnd")).isEqualTo(2);
        }

        @Test
        void established_noBuffer_cwrIsSaidLater() {
            final FakeSocket so = passive();
            final Tcpcb tp = tcpcb(so);
            fx.send(so, pattern(0, MSS));
            fx.only();
            ack(so, tp.sndMax, TH_ECE);
            assertThat(tp.has2(Tcpcb.TF2_ECN_SND_CWR)).isTrue();
            fx.output(so); // nothing to send: it stays
            fx.none();
            assertThat(tp.has2(Tcpcb.TF2_ECN_SND_CWR)).isTrue();
        }

        @Test
        @Tag("RFC3168-6.1.5")
        void established_retransmission_isNotMarked() {
            final FakeSocket so = passive();
            fx.send(so, pattern(0, MSS));
            final Out first = fx.only();
            fx.pass(1500);
            final Out again = fx.sent.getFirst();
            fx.sent.clear();
            assertThat(again.seq).isEqualTo(first.seq);
            assertThat(again.tos).isZero();
            assertThat(again.has(TH_CWR)).isFalse(); // section 6.1.2: on new data
            ack(so, first.seq + MSS, 0);
            fx.send(so, pattern(MSS, MSS));
            assertThat(fx.only().flags).isEqualTo(TH_ACK | TH_PUSH | TH_CWR);
        }

        @Test
        void established_echoOfUnsentData_isIgnored() {
            final FakeSocket so = passive();
            fx.send(so, pattern(0, MSS));
            fx.only();
            ack(so, tcpcb(so).sndMax + 1, TH_ECE);
            fx.only();
            assertThat(fx.stat("ecn_rcwnd")).isZero();
        }

        @Test
        @Tag("RFC9293-MUST-48")
        @Tag("RFC9293-SHLD-21")
        @Tag("RFC9293-SHLD-22")
        void established_userTos_keepsItsClass() {
            final FakeSocket so = passive();
            tcpcb(so).inp.tos = 0xb8;
            fx.send(so, pattern(0, 10));
            assertThat(fx.only().tos).isEqualTo(0xb8 | IPTOS_ECN_ECT0);
        }

        @Test
        void established_echoThenThreeDuplicates_stillRetransmitsFast() {
            final FakeSocket so = passive();
            final Tcpcb tp = tcpcb(so);
            fx.send(so, pattern(0, 10 * MSS));
            fx.sent.clear();
            final int una = tp.sndUna;
            ack(so, una + MSS, TH_ECE);
            for (int i = 0; i < 3; i++) {
                ack(so, una + MSS, TH_ECE);
            }
            assertThat(fx.sent).anyMatch(o -> o.seq == una + MSS && o.tos == 0);
            fx.sent.clear();
            assertThat(tp.inFastRecovery()).isTrue();
        }
    }
}
