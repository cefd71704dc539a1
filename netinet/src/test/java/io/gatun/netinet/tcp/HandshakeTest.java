package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_FIN;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class HandshakeTest {
    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void whole() {
        fx.close();
    }

    @Nested
    class Closed {
        @Test
        void closed_syn_isReset() {
            fx.seg(TH_SYN).seq(77).arrive();
            final Out rst = fx.only();
            assertThat(rst.flags).isEqualTo(TH_RST | TH_ACK);
            assertThat(rst.seq).isZero();
            assertThat(rst.ack).isEqualTo(78);
            assertThat(fx.drops(DropReason.TCP_NOPORT)).isEqualTo(1);
        }

        @Test
        void closed_ack_isResetWithItsNumber() {
            fx.seg(TH_ACK).ack(4242).data(10).arrive();
            final Out rst = fx.only();
            assertThat(rst.flags).isEqualTo(TH_RST);
            assertThat(rst.seq).isEqualTo(4242);
        }

        @Test
        void closed_dataAndFin_ackCountsBoth() {
            fx.seg(TH_FIN).seq(100).data(10).arrive();
            assertThat(fx.only().ack).isEqualTo(111);
        }

        @Test
        void closed_rst_isIgnored() {
            fx.seg(TH_RST).arrive();
            fx.none();
        }

        @Test
        @Tag("RFC9293-MUST-57")
        void closed_broadcast_isIgnored() {
            fx.seg(TH_SYN).mflags(Mbuf.M_BCAST).arrive();
            fx.none();
        }

        @Test
        void closed_blackhole_isSilent() {
            fx.sysctl("blackhole", "2");
            fx.seg(TH_ACK).arrive();
            fx.seg(TH_SYN).arrive();
            fx.none();
        }

        @Test
        void closed_blackhole_thisHostIsAnswered_unlessToldNotTo() {
            fx.sysctl("blackhole", "2");
            fx.seg(TH_SYN).from(TcpFixture.HERE, 7).arrive();
            assertThat(fx.only().flags & TH_RST).isNotZero();
            fx.sysctl("blackhole_local", "1");
            fx.seg(TH_SYN).from(TcpFixture.HERE, 7).arrive();
            fx.none();
        }

        @Test
        void closed_flood_resetsAreLimited() {
            fx.resetsLeft = 200; // the network layer counts
            for (int i = 0; i < 1000; i++) {
                fx.seg(TH_SYN).from(TcpFixture.PEER, 1 + i).arrive();
            }
            assertThat(fx.sent).hasSize(200);
            fx.sent.clear();
        }

        @Test
        @Tag("RFC9293-MUST-3")
        void closed_badChecksum_isDropped() {
            fx.seg(TH_SYN).badSum().arrive();
            fx.none();
            assertThat(fx.stat("rcvbadsum")).isEqualTo(1);
        }
    }

    @Nested
    class Listen {
        @Test
        @Tag("RFC9293-MUST-4")
        @Tag("RFC9293-MUST-14")
        @Tag("RFC9293-MUST-67")
        void listen_syn_answersSynAck() {
            final FakeSocket l = fx.listener();
            fx.seg(TH_SYN).seq(PEER_ISS).mss(1400).wscale(3).ts(5, 0).arrive();
            final Out out = fx.only();
            assertThat(out.flags).isEqualTo(TH_SYN | TH_ACK);
            assertThat(out.ack).isEqualTo(PEER_ISS + 1);
            assertThat(out.mss).isEqualTo(1460);
            assertThat(out.wscale).isEqualTo(6);
            assertThat(out.hasTs).isTrue();
            assertThat(out.tsecr).isEqualTo(5);
            assertThat(out.sackPerm).isFalse(); // the peer does not permit it
            assertThat(out.win).isEqualTo(65_535);
            assertThat(l.incomp).isEmpty(); // no socket yet
            assertThat(fx.tcp.syncache.count()).isEqualTo(1);
        }

        @Test
        @Tag("RFC9293-MUST-15")
        @Tag("RFC7323-2.2-syn")
        @Tag("RFC2018-2")
        void listen_synWithoutOptions_answersWithoutOptions() {
            fx.listener();
            fx.seg(TH_SYN).seq(PEER_ISS).arrive();
            final Out out = fx.only();
            assertThat(out.wscale).isEqualTo(-1);
            assertThat(out.hasTs).isFalse();
            fx.seg(TH_ACK).ack(out.seq + 1).arrive();
            assertThat(tcpcb(fx.sockets.get(1)).maxseg).isEqualTo(536);
        }

        @Test
        void listen_ack_isReset() {
            fx.listener();
            fx.seg(TH_ACK).ack(9).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_RST);
            fx.seg(TH_SYN | TH_ACK).ack(9).arrive();
            fx.none();
        }

        @Test
        void listen_rst_isIgnored() {
            fx.listener();
            fx.seg(TH_RST | TH_SYN).arrive();
            fx.none();
        }

        @Test
        void listen_noSyn_isIgnored() {
            fx.listener();
            fx.seg(TH_FIN).arrive();
            fx.none();
        }

        @Test
        @Tag("RFC9293-MUST-63")
        void listen_badSource_isIgnored() {
            final FakeSocket l = fx.listener();
            fx.seg(TH_SYN).from(0, 1).arrive();
            fx.seg(TH_SYN).from(0xe0000001, 1).arrive();
            fx.seg(TH_SYN).from(-1, 1).arrive();
            fx.seg(TH_SYN).from(TcpFixture.HERE, TcpFixture.LPORT).arrive();
            fx.seg(TH_SYN).from(TcpFixture.PEER, 0).arrive();
            fx.seg(TH_SYN).mflags(Mbuf.M_MCAST).arrive();
            fx.none();
            assertThat(l.incomp).isEmpty();
            assertThat(fx.drops(DropReason.TCP_BADADDR)).isEqualTo(6);
        }

        @Test
        void listen_queueFull_resetsTheThirdSegment() {
            final FakeSocket l = fx.listener();
            for (int i = 0; i < 6; i++) {
                fx.seg(TH_SYN).from(TcpFixture.PEER, 1 + i).seq(PEER_ISS).arrive();
                final Out synAck = fx.sent.removeLast();
                fx.seg(TH_ACK).from(TcpFixture.PEER, 1 + i).ack(synAck.seq + 1).arrive();
            }
            assertThat(l.comp).hasSize(4);
            assertThat(fx.sent).hasSize(2).allMatch(o -> o.flags == TH_RST);
            fx.sent.clear();
            assertThat(fx.stat("listendrop")).isEqualTo(2);
            assertThat(fx.stat("sc_aborted")).isEqualTo(2);
        }
    }

    @Nested
    class SynReceived {
        @Test
        void synReceived_ack_establishes() {
            final FakeSocket so = fx.established();
            assertThat(so.is(SocketDefs.SS_ISCONNECTED)).isTrue();
            assertThat(fx.sockets.getFirst().comp).containsExactly(so);
            assertThat(fx.stat("connects")).isEqualTo(1);
            assertThat(tcpcb(so).sndCwnd).isEqualTo(14_600);
        }

        @Test
        void synReceived_synAgain_answersAgain() {
            fx.listener();
            fx.seg(TH_SYN).seq(PEER_ISS).arrive();
            final Out first = fx.only();
            fx.seg(TH_SYN).seq(PEER_ISS).arrive();
            final Out again = fx.only();
            assertThat(again.flags).isEqualTo(TH_SYN | TH_ACK);
            assertThat(again.seq).isEqualTo(first.seq);
        }

        @Test
        void synReceived_silence_answersAgainAndGivesUp() {
            fx.listener();
            fx.seg(TH_SYN).seq(PEER_ISS).arrive();
            fx.pass(999);
            assertThat(fx.sent).hasSize(1);
            fx.pass(20_000);
            assertThat(fx.sent).hasSize(4).allMatch(o -> o.flags == (TH_SYN | TH_ACK));
            assertThat(fx.tcp.syncache.count()).isZero();
            assertThat(fx.stat("sc_stale")).isEqualTo(1);
            fx.sent.clear();
        }

        @Test
        void synReceived_badAck_isReset() {
            final FakeSocket l = fx.listener();
            fx.seg(TH_SYN).seq(PEER_ISS).arrive();
            final Out out = fx.only();
            fx.seg(TH_ACK).ack(out.seq + 2).arrive();
            final Out rst = fx.only();
            assertThat(rst.flags).isEqualTo(TH_RST);
            assertThat(rst.seq).isEqualTo(out.seq + 2);
            assertThat(l.comp).isEmpty();
        }

        @Test
        @Tag("RFC9293-MUST-11")
        void synReceived_rst_forgets() {
            final FakeSocket l = fx.listener();
            fx.seg(TH_SYN).seq(PEER_ISS).arrive();
            fx.only();
            fx.seg(TH_RST).arrive();
            fx.none();
            assertThat(l.incomp).isEmpty();
            assertThat(fx.tcp.syncache.count()).isZero();
        }

        @Test
        void synReceived_ackWithDataAndFin_takesAll() {
            final FakeSocket l = fx.listener();
            fx.seg(TH_SYN).seq(PEER_ISS).arrive();
            final Out out = fx.only();
            fx.seg(TH_ACK | TH_FIN).ack(out.seq + 1).data(100).arrive();
            final FakeSocket so = l.comp.getFirst();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSE_WAIT);
            assertThat(so.rcv.peek()).isEqualTo(TcpFixture.pattern(0, 100));
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 102);
        }
    }

    @Nested
    class SynSent {
        @Test
        void synSent_synAck_establishes() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            assertThat(syn.flags).isEqualTo(TH_SYN);
            assertThat(syn.mss).isEqualTo(1460);
            assertThat(syn.hasTs).isTrue();
            fx.seg(TH_SYN | TH_ACK).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS).ack(syn.seq + 1).mss(1000)
                .wscale(2).ts(9, syn.tsval).win(100).arrive();
            final Out ack = fx.only();
            assertThat(ack.flags).isEqualTo(TH_ACK);
            assertThat(ack.seq).isEqualTo(syn.seq + 1);
            assertThat(ack.ack).isEqualTo(PEER_ISS + 1);
            assertThat(ack.tsecr).isEqualTo(9);
            final Tcpcb tp = tcpcb(so);
            assertThat(tp.state).isEqualTo(TcpState.ESTABLISHED);
            assertThat(tp.maxseg).isEqualTo(1000);
            assertThat(tp.segData).isEqualTo(988);
            assertThat(tp.sndWnd).isEqualTo(100);
            assertThat((int) tp.sndScale).isEqualTo(2);
            assertThat(so.is(SocketDefs.SS_ISCONNECTED)).isTrue();
        }

        @Test
        @Tag("RFC9293-REC-1")
        @Tag("RFC7323-2")
        void windows_areScaledBothWays() {
            final FakeSocket so = fx.established(fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).wscale(5));
            final Tcpcb tp = tcpcb(so);
            assertThat((int) tp.rcvScale).isEqualTo(6);
            assertThat(tp.sndWnd).isEqualTo(TcpFixture.WIN << 5);
            fx.send(so, TcpFixture.pattern(0, 1));
            assertThat(fx.only().win).isEqualTo(so.rcv.space() >> 6);
            fx.seg(TH_ACK).on(so).win(7).arrive();
            assertThat(tp.sndWnd).isEqualTo(7 << 5);
        }

        @Test
        @Tag("RFC9293-MUST-1")
        @Tag("RFC7323-2")
        @Tag("RFC7323-2.2-off")
        void windows_ofPeerWithoutScale_areNotScaled() {
            final FakeSocket so = fx.established();
            assertThat((int) tcpcb(so).rcvScale).isZero();
            assertThat(tcpcb(so).sndWnd).isEqualTo(TcpFixture.WIN);
        }

        @Test
        void synSent_badAck_isReset() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.seg(TH_SYN | TH_ACK).to(TcpFixture.HERE, syn.sport).ack(syn.seq).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_RST);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.SYN_SENT);
        }

        @Test
        void synSent_rstWithAck_isRefused() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.seg(TH_RST | TH_ACK).to(TcpFixture.HERE, syn.sport).ack(syn.seq + 1).arrive();
            fx.none();
            assertThat(so.error).isEqualTo(Errno.ECONNREFUSED);
            assertThat(so.is(SocketDefs.SS_ISDISCONNECTED)).isTrue();
        }

        @Test
        void synSent_rstWithoutAck_isIgnored() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.seg(TH_RST).to(TcpFixture.HERE, syn.sport).arrive();
            assertThat(so.error).isEqualTo(Errno.OK);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.SYN_SENT);
        }

        @Test
        @Tag("RFC9293-MUST-10")
        void synSent_syn_opensSimultaneously() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.seg(TH_SYN).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS).arrive();
            final Out synAck = fx.only();
            assertThat(synAck.flags).isEqualTo(TH_SYN | TH_ACK);
            assertThat(synAck.seq).isEqualTo(syn.seq);
            assertThat(synAck.ack).isEqualTo(PEER_ISS + 1);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.SYN_RECEIVED);
            fx.seg(TH_SYN | TH_ACK).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS).ack(syn.seq + 1).arrive();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
            assertThat(so.is(SocketDefs.SS_ISCONNECTED)).isTrue();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
        }

        @Test
        void synSent_synWithTextAndFin_bothWaitForTheHandshake() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.seg(TH_SYN | TH_FIN).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS).data(30).arrive();
            assertThat(fx.only().ack).as("of the SYN alone").isEqualTo(PEER_ISS + 1);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.SYN_RECEIVED);
            assertThat(so.rcv.avail()).isZero();
            fx.seg(TH_ACK).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS + 32).ack(syn.seq + 1).arrive();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSE_WAIT);
            assertThat(so.rcv.peek()).isEqualTo(TcpFixture.pattern(0, 30));
            assertThat(fx.only().ack).isEqualTo(PEER_ISS + 32);
        }

        @Test
        void synSent_textOfTheSynIsHeld_aResetFreesIt() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.seg(TH_SYN).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS).data(30).arrive();
            final Out synAck = fx.only();
            assertThat(synAck.sacks).as("nothing but the SYN is received").isEmpty();
            fx.seg(TH_RST).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS + 1).arrive();
            assertThat(so.error).isEqualTo(Errno.ECONNREFUSED);
            assertThat(so.rcv.avail()).isZero();
        }

        @Test
        void synSent_textOfTheSyn_beyondTheWindowIsCut() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            final int window = so.rcv.hiwat();
            fx.seg(TH_SYN | TH_FIN).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS).data(window + 10).arrive();
            fx.sent.clear();
            fx.seg(TH_ACK).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS + 1).ack(syn.seq + 1).arrive();
            assertThat(tcpcb(so).state).as("the FIN lay beyond").isEqualTo(TcpState.ESTABLISHED);
            assertThat(so.rcv.avail()).isLessThanOrEqualTo(window);
            fx.sent.clear();
        }

        @Test
        void synSent_textOfTheSynComesAgain_isAckedAtOnceAndIsNoDuplicate() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.seg(TH_SYN).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS).mss(1460).sackPerm().data(30).arrive();
            fx.sent.clear();
            fx.seg(TH_ACK).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS + 1).ack(syn.seq + 1).data(30).arrive();
            final Out ack = fx.only();
            assertThat(ack.ack).isEqualTo(PEER_ISS + 31);
            assertThat(ack.sacks).isEmpty();
            assertThat(so.rcv.peek()).isEqualTo(TcpFixture.pattern(0, 30));
        }

        @Test
        @Tag("RFC9293-MUST-22")
        @Tag("RFC6298-2.1")
        void synSent_silence_repeatsThenTimesOut() {
            final FakeSocket so = fx.connect();
            fx.pass(76_000);
            assertThat(so.error).isEqualTo(Errno.ETIMEDOUT);
            assertThat(fx.sent).allMatch(o -> o.flags == TH_SYN).hasSizeBetween(6, 12);
            fx.sent.clear();
        }

        @Test
        @Tag("RFC5681-3.1-syn")
        void synSent_lostSyn_startsWithOneSegment() {
            final FakeSocket so = fx.connect();
            final Out syn = fx.only();
            fx.pass(1300);
            fx.only();
            fx.seg(TH_SYN | TH_ACK).to(TcpFixture.HERE, syn.sport).seq(PEER_ISS).ack(syn.seq + 1).mss(1460).arrive();
            fx.only();
            assertThat(tcpcb(so).sndCwnd).isEqualTo(1460);
        }
    }
}
