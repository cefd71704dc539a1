package io.gatun.netinet.tcp;

import static io.gatun.netinet.ip.IpHeader.IPTOS_ECN_CE;
import static io.gatun.netinet.ip.IpHeader.IPTOS_ECN_ECT0;
import static io.gatun.netinet.ip.IpHeader.IPTOS_ECN_ECT1;
import static io.gatun.netinet.tcp.TcpFixture.HERE;
import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_AE;
import static io.gatun.netinet.tcp.TcpHeader.TH_CWR;
import static io.gatun.netinet.tcp.TcpHeader.TH_ECE;
import static io.gatun.netinet.tcp.TcpHeader.TH_PUSH;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** AccECN, RFC 9768. */
class TcpAccEcnTest {
    private static final int ASKS = TH_SYN | TH_AE | TH_CWR | TH_ECE;
    private static final int MSS = 1000;

    private final TcpFixture fx = new TcpFixture();

    @BeforeEach
    void plain() {
        fx.sysctl("tso", "0");
        fx.sysctl("delayed_ack", "0");
        fx.sysctl("ecn.enable", "3");
    }

    @AfterEach
    void whole() {
        fx.close();
    }

    private static int ace(Out o) {
        return TcpEcn.ace(o.flags);
    }

    private static int plain(Out o) {
        return o.flags & ~TcpEcn.FLAGS;
    }

    private FakeSocket passive(int synTos, int ace) {
        final FakeSocket l = fx.listener();
        fx.seg(ASKS).seq(PEER_ISS).mss(MSS).tos(synTos).arrive();
        fx.seg(TH_ACK | TcpEcn.flags(ace)).ack(fx.only().seq + 1).arrive();
        final FakeSocket so = l.comp.getLast();
        assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        return so;
    }

    private FakeSocket active(int synAckFlags, int tos) {
        final FakeSocket so = fx.connect();
        final Out syn = fx.only();
        assertThat(syn.flags).isEqualTo(ASKS);
        assertThat(syn.tos).isZero();
        fx.seg(TH_SYN | TH_ACK | synAckFlags).to(HERE, syn.sport).seq(PEER_ISS).ack(syn.seq + 1).mss(MSS).tos(tos)
            .arrive();
        return so;
    }

    private void ack(FakeSocket so, int upTo, int ace) {
        fx.seg(TH_ACK | TcpEcn.flags(ace)).on(so).ack(upTo).arrive();
    }

    @Nested
    class Cookies {
        /** Not-ECT, ECT(1), ECT(0), CE: how our SYN|ACK came. And the count itself, where that ACK was lost. */
        @ParameterizedTest
        @ValueSource(ints = {2, 3, 4, 6, 5})
        void cookiesOnly_firstAck_tells(int ace) {
            fx.sysctl("syncookies_only", "1");
            final FakeSocket so = passive(0, ace);
            assertThat(fx.stat("sc_recvcookie")).isEqualTo(1);
            assertThat(tcpcb(so).has2(Tcpcb.TF2_ACE_PERMIT)).isTrue();
            fx.sent.clear();
            fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).data(pattern(0, 10)).tos(IPTOS_ECN_CE).arrive();
            assertThat(ace(fx.only())).as("one mark").isEqualTo(6);
            fx.send(so, pattern(0, 10));
            assertThat(fx.only().tos).isEqualTo(IPTOS_ECN_ECT0);
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 1})
        void cookiesOnly_classicAck_isNone(int ace) {
            fx.sysctl("syncookies_only", "1");
            final FakeSocket so = passive(0, ace);
            assertThat(tcpcb(so).has2(TcpEcn.IN_USE)).isFalse();
        }
    }

    @Nested
    class Handshake {
        @ParameterizedTest
        @CsvSource({"0, 2, ace_nect", "2, 4, ace_ect0", "1, 3, ace_ect1", "3, 6, ace_ce"})
        @Tag("RFC9768-3.1.1")
        void listen_asked_saysHowTheSynCame(int tos, int ace, String stat) {
            fx.listener();
            fx.seg(ASKS).seq(PEER_ISS).mss(MSS).tos(tos).arrive();
            final Out synAck = fx.only();
            assertThat(plain(synAck)).isEqualTo(TH_SYN | TH_ACK);
            assertThat(ace(synAck)).isEqualTo(ace);
            assertThat(synAck.tos).isZero();
            assertThat(fx.stat(stat)).isEqualTo(1);
        }

        @ParameterizedTest
        @CsvSource({"0, 2", "2, 4", "1, 3", "3, 6"})
        @Tag("RFC9768-3.2.2.1")
        void synSent_granted_firstAckSaysHowTheSynAckCame(int tos, int ace) {
            final FakeSocket so = active(TcpEcn.flags(2), tos);
            final Out ack = fx.only();
            assertThat(plain(ack)).isEqualTo(TH_ACK);
            assertThat(ace(ack)).isEqualTo(ace);
            fx.send(so, pattern(0, 10));
            assertThat(ace(fx.only())).isEqualTo(tos == IPTOS_ECN_CE ? 6 : 5); // the count from here on
        }

        @Test
        void synSent_ourSynMetCongestion_beginsSmall() {
            final FakeSocket so = active(TcpEcn.flags(6), 0);
            fx.only();
            assertThat(tcpcb(so).sndCwnd).isEqualTo(2 * MSS);
            assertThat(tcpcb(so).scep).isEqualTo(6);
        }

        @Test
        void synReceived_synAckMetCongestion_beginsSmall() {
            final Tcpcb tp = tcpcb(passive(0, 6));
            assertThat(tp.sndCwnd).isEqualTo(2 * MSS);
            assertThat(tp.scep).isEqualTo(6);
        }

        @Test
        @Tag("RFC9768-3.1.2")
        void synSent_classicGranted_fallsBack() {
            final FakeSocket so = active(TH_ECE, 0);
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            assertThat(tcpcb(so).flags2 & TcpEcn.IN_USE).isEqualTo(Tcpcb.TF2_ECN_PERMIT);
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 5, 7})
        void synSent_noneOrBroken_isWithoutEcn(int ace) {
            final FakeSocket so = active(TcpEcn.flags(ace), 0);
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            assertThat(tcpcb(so).flags2 & TcpEcn.IN_USE).isZero();
        }

        @Test
        void listen_classicAsked_grantsTheClassicKind() {
            fx.listener();
            fx.seg(TH_SYN | TH_ECE | TH_CWR).seq(PEER_ISS).mss(MSS).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_SYN | TH_ACK | TH_ECE);
        }

        @Test
        void listen_unknownVariant_isTakenForAccurate() {
            fx.listener();
            fx.seg(TH_SYN | TH_AE).seq(PEER_ISS).mss(MSS).arrive();
            assertThat(ace(fx.only())).isEqualTo(2);
        }

        @Test
        void connect_grantOnly_doesNotAsk() {
            fx.sysctl("ecn.enable", "4");
            fx.connect();
            assertThat(fx.only().flags).isEqualTo(TH_SYN);
        }

        @Test
        void connect_noAnswer_asksNoLonger() {
            fx.connect();
            assertThat(fx.only().flags).isEqualTo(ASKS);
            fx.pass(1000);
            assertThat(fx.only().flags).isEqualTo(ASKS);
            fx.pass(2200);
            assertThat(fx.only().flags).isEqualTo(TH_SYN);
        }

        @Test
        @Tag("RFC9768-3.2.2.1")
        void synReceived_flagsCleared_nothingIsMarked() {
            final FakeSocket so = passive(0, 0);
            fx.send(so, pattern(0, 10));
            final Out data = fx.only();
            assertThat(data.tos).isZero();
            assertThat(ace(data)).isEqualTo(5); // but what comes is still counted
        }

        @Test
        void synSent_synCrossing_bothSayHowItCame() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.seg(ASKS).to(HERE, syn.sport).seq(PEER_ISS).mss(MSS).tos(IPTOS_ECN_ECT0).arrive();
            final Out synAck = fx.only();
            assertThat(plain(synAck)).isEqualTo(TH_SYN | TH_ACK);
            assertThat(ace(synAck)).isEqualTo(4);
            fx.seg(TH_SYN | TH_ACK | TcpEcn.flags(6)).to(HERE, syn.sport).seq(PEER_ISS).ack(syn.seq + 1).mss(MSS)
                .arrive();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
            assertThat(tcpcb(so).scep).isEqualTo(6);
            fx.sent.clear();
            fx.send(so, pattern(0, 10));
            assertThat(fx.sent.getLast().tos).isEqualTo(IPTOS_ECN_ECT0);
            assertThat(ace(fx.sent.getLast())).isEqualTo(5);
            fx.sent.clear();
        }
    }

    @Nested
    class Receiver {
        @Test
        @Tag("RFC9768-3.2.2.2")
        void established_marked_countsEachPacket() {
            final FakeSocket so = passive(0, 2);
            for (int i = 1; i <= 12; i++) {
                fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).data(10).tos(IPTOS_ECN_CE).arrive();
                assertThat(ace(fx.only())).isEqualTo(5 + i & 7);
            }
            fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).data(10).tos(IPTOS_ECN_ECT1).arrive();
            assertThat(ace(fx.only())).isEqualTo(5 + 12 & 7);
            assertThat(tcpcb(so).rcep).isEqualTo(5 + 12);
            assertThat(fx.stat("ecn_rcvce")).isEqualTo(12);
            assertThat(fx.stat("ecn_rcvect1")).isEqualTo(1);
        }

        @Test
        @Tag("RFC9768-3.2.2.5.1")
        void established_firstMark_isToldAtOnce() {
            fx.sysctl("delayed_ack", "1");
            final FakeSocket so = passive(0, 2);
            fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).data(10).tos(IPTOS_ECN_ECT0).arrive();
            fx.none();
            fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).data(10).tos(IPTOS_ECN_ECT0).arrive();
            fx.only();
            fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).data(10).tos(IPTOS_ECN_CE).arrive();
            assertThat(ace(fx.only())).isEqualTo(6);
            fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).data(10).tos(IPTOS_ECN_CE).arrive();
            fx.none(); // no change: this one may wait for the next
            fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).data(10).tos(IPTOS_ECN_CE).arrive();
            assertThat(ace(fx.only())).isEqualTo(0);
        }

        @Test
        void established_markedOutsideTheWindow_isNotCounted() {
            final FakeSocket so = passive(0, 2);
            fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).seq(PEER_ISS + 1_000_000).data(10).tos(IPTOS_ECN_CE).arrive();
            assertThat(ace(fx.only())).isEqualTo(5);
        }
    }

    @Nested
    class Sender {
        @Test
        void established_count_reducesOncePerWindowAndNeverSaysCwr() {
            final FakeSocket so = passive(0, 2);
            final Tcpcb tp = tcpcb(so);
            fx.send(so, pattern(0, 10 * MSS));
            assertThat(fx.sent).hasSize(10).allMatch(o -> o.tos == IPTOS_ECN_ECT0 && ace(o) == 5);
            fx.sent.clear();
            final int una = tp.sndUna;
            final int cwnd = tp.sndCwnd;
            ack(so, una + MSS, 5);
            assertThat(tp.sndCwnd).isGreaterThan(cwnd);
            ack(so, una + 2 * MSS, 6);
            final int reduced = tp.sndCwnd;
            assertThat(reduced).isLessThan(cwnd);
            ack(so, una + 4 * MSS, 8);
            assertThat(tp.sndCwnd).isEqualTo(reduced);
            assertThat(tp.scep).isEqualTo(8);
            assertThat(fx.stat("ecn_rcwnd")).isEqualTo(1);
            ack(so, tp.sndMax, 8);
            fx.send(so, pattern(0, MSS));
            final Out next = fx.sent.getLast();
            assertThat(ace(next)).isEqualTo(5);
            assertThat(next.has(TH_PUSH)).isTrue();
            fx.sent.clear();
        }

        @Test
        void established_olderAckReordered_isNotTakenForSevenMarks() {
            final FakeSocket so = passive(0, 2);
            final Tcpcb tp = tcpcb(so);
            fx.send(so, pattern(0, 4 * MSS));
            fx.sent.clear();
            final int una = tp.sndUna;
            ack(so, una + 3 * MSS, 6);
            assertThat(tp.scep).isEqualTo(6);
            ack(so, una + MSS, 5);
            assertThat(tp.scep).isEqualTo(6);
        }

        @Test
        void established_nothingChanged_largeAckIsNoMark() {
            final FakeSocket so = passive(0, 2);
            final Tcpcb tp = tcpcb(so);
            fx.send(so, pattern(0, 10 * MSS));
            fx.sent.clear();
            ack(so, tp.sndMax, 5);
            assertThat(tp.scep).isEqualTo(5);
            assertThat(fx.stat("ecn_rcwnd")).isZero();
        }

        @Test
        @Tag("RFC9768-A.2")
        void established_countMayHaveGoneRound_takesTheMost() {
            final FakeSocket so = passive(0, 2);
            final Tcpcb tp = tcpcb(so);
            fx.send(so, pattern(0, 10 * MSS));
            fx.sent.clear();
            ack(so, tp.sndMax, 5 + 1); // one mark, or nine
            assertThat(tp.scep).isEqualTo(5 + 9);
        }

        @Test
        void established_countWithTheCwrBit_isNotCutFurtherDown() {
            fx.sysctl("tso", "1");
            final FakeSocket so = passive(0, 2);
            tcpcb(so).tsoMax = 65_535;
            tcpcb(so).flags |= Tcpcb.TF_TSO;
            fx.send(so, pattern(0, 4 * MSS));
            assertThat(fx.only().tso).isTrue();
            fx.seg(TH_ACK | TcpEcn.flags(5)).on(so).data(10).tos(IPTOS_ECN_CE).arrive();
            assertThat(ace(fx.only())).isEqualTo(6);
            fx.send(so, pattern(0, 4 * MSS));
            assertThat(fx.sent).hasSize(4).allMatch(o -> !o.tso && ace(o) == 6);
            fx.sent.clear();
        }
    }
}
