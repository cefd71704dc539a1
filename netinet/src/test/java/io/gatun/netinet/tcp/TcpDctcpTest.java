package io.gatun.netinet.tcp;

import static io.gatun.netinet.ip.IpHeader.IPTOS_ECN_CE;
import static io.gatun.netinet.ip.IpHeader.IPTOS_ECN_ECT0;
import static io.gatun.netinet.ip.IpHeader.IPTOS_ECN_ECT1;
import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_CWR;
import static io.gatun.netinet.tcp.TcpHeader.TH_ECE;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** DCTCP on a connection: the echo of RFC 8257 section 3.2, and what marks do to the window. */
class TcpDctcpTest {
    private static final int MSS = 1000;

    private final TcpFixture fx = new TcpFixture();

    @BeforeEach
    void dctcp() {
        fx.sysctl("tso", "0");
        fx.sysctl("cc.algorithm", "dctcp");
    }

    @AfterEach
    void whole() {
        fx.close();
    }

    private FakeSocket open() {
        final FakeSocket l = fx.listener();
        fx.seg(TH_SYN | TH_ECE | TH_CWR).seq(PEER_ISS).mss(MSS).arrive();
        fx.seg(TH_ACK).ack(fx.only().seq + 1).arrive();
        return l.comp.getLast();
    }

    private void text(FakeSocket so, int tos) {
        fx.seg(TH_ACK).on(so).data(MSS).tos(tos).arrive();
    }

    @Test
    @Tag("RFC8257-3.2")
    void received_markWhileAnAckWaits_acknowledgesBothKindsApart() {
        final FakeSocket so = open();
        text(so, IPTOS_ECN_ECT0);
        fx.none(); // delayed
        text(so, IPTOS_ECN_CE);
        assertThat(fx.sent).hasSize(2);
        final Out before = fx.sent.remove();
        assertThat(before.flags).isEqualTo(TH_ACK);
        assertThat(before.ack).isEqualTo(PEER_ISS + 1 + MSS);
        final Out now = fx.sent.remove();
        assertThat(now.flags).isEqualTo(TH_ACK | TH_ECE);
        assertThat(now.ack).isEqualTo(PEER_ISS + 1 + 2 * MSS);
    }

    @Test
    @Tag("RFC8257-3.2")
    void received_noMoreMarks_echoEndsWithoutCwr() {
        final FakeSocket so = open();
        text(so, IPTOS_ECN_CE);
        assertThat(fx.only().flags).isEqualTo(TH_ACK | TH_ECE);
        text(so, IPTOS_ECN_CE);
        fx.none();
        text(so, IPTOS_ECN_ECT0);
        assertThat(fx.sent).hasSize(2);
        assertThat(fx.sent.remove().flags).isEqualTo(TH_ACK | TH_ECE);
        assertThat(fx.sent.remove().flags).isEqualTo(TH_ACK);
        text(so, IPTOS_ECN_ECT0);
        text(so, IPTOS_ECN_ECT0);
        assertThat(fx.only().flags).isEqualTo(TH_ACK);
    }

    @Test
    void received_sameKind_ackIsDelayedAsEver() {
        final FakeSocket so = open();
        text(so, IPTOS_ECN_CE);
        fx.only();
        text(so, IPTOS_ECN_CE);
        fx.none();
        text(so, IPTOS_ECN_CE);
        assertThat(fx.only().flags).isEqualTo(TH_ACK | TH_ECE);
    }

    @Test
    void sent_someMarked_windowShrinksByHalfTheShare() {
        final FakeSocket so = open();
        final Tcpcb tp = tcpcb(so);
        tp.sndSsthresh = 10 * MSS; // out of slow start
        for (int round = 0; round < 60; round++) {
            fx.send(so, pattern(0, 10 * MSS));
            fx.sent.clear();
            while (tp.sndUna != tp.sndMax) {
                fx.seg(TH_ACK).on(so).ack(tp.sndUna + MSS).arrive();
                fx.sent.clear();
            }
        }
        final int cwnd = tp.sndCwnd;
        fx.send(so, pattern(0, 10 * MSS));
        fx.sent.clear();
        fx.seg(TH_ACK | TH_ECE).on(so).ack(tp.sndUna + MSS).arrive();
        assertThat(tp.sndSsthresh).isLessThan(cwnd).isGreaterThan(cwnd * 95 / 100);
        assertThat(tp.sndCwnd - tp.sndSsthresh).isIn(0, MSS); // growth goes on
        assertThat(fx.stat("ecn_rcwnd")).isEqualTo(1);
        fx.sent.clear();
    }

    @Test
    void sent_ect1Wanted_isEct1() {
        fx.sysctl("cc.dctcp.ect1", "1");
        final FakeSocket so = open();
        fx.send(so, pattern(0, 10));
        assertThat(fx.only().tos).isEqualTo(IPTOS_ECN_ECT1);
        assertThat(fx.stat("ecn_sndect1")).isEqualTo(1);
    }

    @Test
    void otherAlgorithmChosen_isEct0Again() {
        fx.sysctl("cc.dctcp.ect1", "1");
        final FakeSocket so = open();
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            TcpSubr.setCongestion(tp, "cubic");
        } finally {
            tp.inp.lock.unlock();
        }
        fx.send(so, pattern(0, 10));
        assertThat(fx.only().tos).isEqualTo(IPTOS_ECN_ECT0);
    }
}
