package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER;
import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** SYN-RECEIVED as the syncache has it, and SYN cookies. */
class SyncacheTest {
    private static final int WND = 65_535;

    private final TcpFixture fx = new TcpFixture();
    private FakeSocket listener;

    @AfterEach
    void whole() {
        fx.close();
    }

    private Out syn() {
        listener = fx.listener();
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).arrive();
        return fx.only();
    }

    private int entries() {
        return fx.tcp.syncache.count();
    }

    @Test
    void synReceived_synAgain_startsTheTimerAfresh() {
        final Out first = syn();
        fx.pass(900);
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).arrive();
        assertThat(fx.only().seq).isEqualTo(first.seq);
        fx.pass(990);
        fx.none();
        fx.pass(20);
        assertThat(fx.only().flags).isEqualTo(TH_SYN | TH_ACK);
        assertThat(fx.stat("sc_dupsyn")).isEqualTo(1);
    }

    @Test
    @Tag("RFC5961-3.2")
    void synReceived_rstAtTheRightEdge_isChallenged() {
        final Out synAck = syn();
        fx.seg(TH_RST).seq(PEER_ISS + WND).arrive();
        final Out ack = fx.only();
        assertThat(ack.flags).isEqualTo(TH_ACK);
        assertThat(ack.seq).isEqualTo(synAck.seq + 1);
        assertThat(ack.ack).isEqualTo(PEER_ISS + 1);
        assertThat(entries()).isEqualTo(1);
    }

    @Test
    void synReceived_rstAtTheRightEdgeInsecure_ends() {
        fx.sysctl("insecure_rst", "1");
        syn();
        fx.seg(TH_RST | TH_ACK).seq(PEER_ISS + WND).ack(77).arrive();
        fx.none();
        assertThat(entries()).isZero();
    }

    @Test
    void synReceived_rstOutside_isIgnored() {
        fx.sysctl("insecure_rst", "1");
        syn();
        fx.seg(TH_RST).seq(PEER_ISS).arrive();
        fx.seg(TH_RST).seq(PEER_ISS + 1 + WND).arrive();
        fx.none();
        assertThat(entries()).isEqualTo(1);
        assertThat(fx.stat("badrst")).isEqualTo(2);
    }

    @Test
    void synReceived_ackWithoutAgreedTimestamp_isDroppedWhenNotTolerated() {
        fx.sysctl("tolerate_missing_ts", "0");
        listener = fx.listener();
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).ts(5, 0).arrive();
        final Out synAck = fx.only();
        fx.seg(TH_ACK).ack(synAck.seq + 1).arrive();
        fx.none();
        fx.seg(TH_ACK).ack(synAck.seq + 1).ts(4, synAck.tsval).arrive();
        fx.none();
        assertThat(fx.drops(DropReason.TCP_PAWS)).isEqualTo(1);
        assertThat(entries()).isEqualTo(1);
        fx.seg(TH_ACK).ack(synAck.seq + 1).ts(6, synAck.tsval).arrive();
        assertThat(tcpcb(listener.comp.getFirst()).timestamps()).isTrue();
    }

    @Test
    void cookiesOnly_handshake_needsNoEntry() {
        fx.sysctl("syncookies_only", "1");
        final Out synAck = syn();
        assertThat(entries()).isZero();
        fx.pass(14_000);
        fx.seg(TH_ACK).ack(synAck.seq + 1).arrive();
        fx.none();
        final Tcpcb tp = tcpcb(listener.comp.getFirst());
        assertThat(tp.state).isEqualTo(TcpState.ESTABLISHED);
        assertThat(tp.maxseg).isEqualTo(1460);
        assertThat(fx.stat("sc_recvcookie")).isEqualTo(1);
    }

    /** A cookie has classes of MSS and scale: the largest that is not above what was said. */
    @ParameterizedTest
    @CsvSource({"100, 216, 0, 0", "536, 536, 1, 1", "1199, 536, 2, 2", "1390, 1360, 3, 2", "1460, 1460, 14, 8"})
    void cookiesOnly_options_areThoseOfTheSyn(int mss, int classOfMss, int scale, int classOfScale) {
        fx.sysctl("syncookies_only", "1");
        listener = fx.listener();
        fx.seg(TH_SYN).seq(PEER_ISS).mss(mss).wscale(scale).sackPerm().ts(100, 0).arrive();
        final Out synAck = fx.only();
        assertThat(synAck.sackPerm).isTrue();
        assertThat(synAck.hasTs).isTrue();
        fx.seg(TH_ACK).ack(synAck.seq + 1).ts(101, synAck.tsval).win(500).arrive();
        final Tcpcb tp = tcpcb(listener.comp.getFirst());
        assertThat(tp.maxseg).isEqualTo(classOfMss);
        assertThat((int) tp.sndScale).isEqualTo(classOfScale);
        assertThat((int) tp.rcvScale).isEqualTo(synAck.wscale);
        assertThat(tp.has(Tcpcb.TF_SACK_PERMIT)).isTrue();
        assertThat(tp.timestamps()).isTrue();
        assertThat(tp.tsRecent).isEqualTo(101);
        assertThat(tp.tsNow() - synAck.tsval).as("our timestamps go on from those of the SYN|ACK").isZero();
    }

    @Test
    void cookiesOnly_oldOrForged_isReset() {
        fx.sysctl("syncookies_only", "1");
        final Out synAck = syn();
        fx.seg(TH_ACK).ack(synAck.seq + 257).arrive();
        assertThat(fx.only().flags).isEqualTo(TH_RST);
        fx.seg(TH_ACK).from(PEER, 4322).ack(synAck.seq + 1).arrive();
        assertThat(fx.only().flags).isEqualTo(TH_RST);
        fx.pass(31_000);
        fx.seg(TH_ACK).ack(synAck.seq + 1).arrive();
        assertThat(fx.only().flags).isEqualTo(TH_RST);
        assertThat(listener.comp).isEmpty();
    }

    @Test
    void cookie_withoutOverflow_isNotBelieved() {
        final Out synAck = syn();
        fx.pass(20_000);
        fx.sent.clear();
        assertThat(entries()).isZero();
        fx.seg(TH_ACK).ack(synAck.seq + 1).arrive();
        assertThat(fx.only().flags).isEqualTo(TH_RST);
    }

    @Test
    void synReceived_tcpdrop_isResetAndForgotten() {
        final Out synAck = syn();
        final TcpPcblist list = new TcpPcblist(fx.tcp);
        final SockAddr here = SockAddr.in(TcpFixture.HERE, TcpFixture.LPORT);
        assertThat(list.drop(here, SockAddr.in(PEER, TcpFixture.PPORT + 1))).isEqualTo(Errno.ENOENT);
        assertThat(list.drop(here, SockAddr.in(PEER, TcpFixture.PPORT))).isEqualTo(Errno.OK);
        final Out rst = fx.only();
        assertThat(rst.flags).isEqualTo(TH_RST | TH_ACK);
        assertThat(rst.seq).isEqualTo(synAck.seq + 1);
        assertThat(rst.ack).isEqualTo(PEER_ISS + 1);
        assertThat(entries()).isZero();
        assertThat(list.drop(here, SockAddr.in(PEER, TcpFixture.PPORT))).isEqualTo(Errno.ENOENT);
    }

    @Test
    void flood_entriesStayBounded_andARealPeerGetsThrough() {
        listener = fx.listener();
        for (int i = 0; i < 100_000; i++) {
            fx.seg(TH_SYN).from(0x0b000000 + i, 1024 + i % 50_000).seq(i).mss(1460).arrive();
            fx.sent.clear();
        }
        assertThat(entries()).isLessThanOrEqualTo(15_360);
        assertThat(fx.stat("sc_bucketoverflow")).isPositive();
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).arrive();
        final Out synAck = fx.only();
        fx.seg(TH_ACK).ack(synAck.seq + 1).data(100).arrive();
        assertThat(listener.comp.getFirst().rcv.peek()).isEqualTo(TcpFixture.pattern(0, 100));
        fx.sent.clear();
        assertThat(fx.stat("sc_recvcookie")).isEqualTo(1);
    }

    @Test
    void synReceived_forgedAck_isReset_andTheRealOneStillCounts() {
        final Out synAck = syn();
        fx.seg(TH_ACK).ack(synAck.seq + 2).arrive();
        assertThat(fx.only().flags).isEqualTo(TH_RST);
        fx.seg(TH_ACK).seq(PEER_ISS + 2 + WND).ack(synAck.seq + 1).arrive();
        assertThat(fx.only().flags).isEqualTo(TH_RST);
        assertThat(fx.drops(DropReason.TCP_BAD_ACK)).isEqualTo(2);
        assertThat(entries()).isEqualTo(1);
        fx.seg(TH_ACK).ack(synAck.seq + 1).arrive();
        assertThat(tcpcb(listener.comp.getFirst()).state).isEqualTo(TcpState.ESTABLISHED);
    }

    @Test
    void synReceived_forgedSynAck_isIgnored() {
        final Out synAck = syn();
        fx.seg(TH_SYN | TH_ACK).seq(77).ack(synAck.seq + 2).arrive();
        fx.none();
        assertThat(entries()).isEqualTo(1);
        fx.seg(TH_SYN | TH_ACK).seq(77).ack(synAck.seq + 1).arrive();
        assertThat(entries()).isZero();
    }

    @Test
    void synReceived_forgedSyn_changesNothingThatWasAgreed() {
        listener = fx.listener();
        fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).ts(5, 0).arrive();
        final Out synAck = fx.only();
        fx.pass(900);
        fx.seg(TH_SYN).seq(PEER_ISS + 9).mss(1460).ts(1_000_000, 0).arrive();
        fx.seg(TH_SYN).seq(PEER_ISS + 9).mss(1460).arrive();
        assertThat(fx.sent).allSatisfy(o -> assertThat(o.ack).isEqualTo(PEER_ISS + 1)).hasSize(2);
        fx.sent.clear();
        fx.pass(200); // the timer of the first SYN|ACK still runs
        final Out again = fx.only();
        assertThat(again.tsecr).isEqualTo(5);
        fx.seg(TH_ACK).ack(synAck.seq + 1).ts(6, synAck.tsval).arrive();
        assertThat(tcpcb(listener.comp.getFirst()).timestamps()).isTrue();
    }

    /** A thread that took the SYN up before the vnet began to go. */
    @Test
    void vnetGoes_synMeanwhile_leavesNoTimer() {
        final int armed = fx.vnet.calloutsArmed();
        fx.listener();
        final FakeSocket other = fx.connect();
        other.whenDisconnected = () -> {
            final Thread t = Thread.ofPlatform().start(() -> fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).arrive());
            try {
                t.join();
            } catch (final InterruptedException e) {
                throw new AssertionError(e);
            }
            assertThat(entries()).isEqualTo(1);
        };
        fx.tcp.destroy();
        assertThat(other.is(SocketDefs.SS_ISDISCONNECTED)).isTrue();
        assertThat(entries()).isZero();
        assertThat(fx.vnet.calloutsArmed()).isEqualTo(armed);
    }
}
