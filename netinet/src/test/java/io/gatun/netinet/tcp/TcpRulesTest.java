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

import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Rules of RFC 9293 that no other test states. */
class TcpRulesTest {
    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void whole() {
        fx.close();
    }

    private FakeSocket shut() {
        final FakeSocket so = fx.established();
        so.rcv.limit(3000);
        tcpcb(so).rcvAdv = tcpcb(so).rcvNxt + 3000;
        fx.seg(TH_ACK | TH_PUSH).on(so).seq(PEER_ISS + 1).data(pattern(0, 3000)).arrive();
        assertThat(fx.only().win).isZero();
        return so;
    }

    @Test
    @Tag("RFC9293-MUST-66")
    void zeroWindow_rst_resets() {
        final FakeSocket so = shut();
        fx.seg(TH_RST).on(so).seq(PEER_ISS + 3001).arrive();
        assertThat(so.error).isEqualTo(Errno.ECONNRESET);
    }

    @Test
    @Tag("RFC9293-MUST-66")
    void zeroWindow_urgent_isTold() {
        final FakeSocket so = shut();
        fx.seg(TH_ACK | TH_URG).on(so).seq(PEER_ISS + 3001).urp(10).arrive();
        assertThat(so.oobMark).isPositive();
    }

    private static TcpIsn isn(final VirtualClock clock, final long seed) {
        return new TcpIsn(Vnet.builder().name("isn").clock(clock).seed(seed).services(false).build());
    }

    @Test
    @Tag("RFC9293-MUST-8")
    void initialNumber_risesWithTheClock() {
        final VirtualClock clock = new VirtualClock();
        final TcpIsn isn = isn(clock, 1);
        final int first = isn.newIsn(1, 2, 3, 4);
        clock.advance(4_000_000L);
        assertThat(isn.newIsn(1, 2, 3, 4) - first).as("one every 4 us").isEqualTo(1000);
    }

    @Test
    @Tag("RFC9293-SHLD-1")
    @Tag("RFC9293-MUST-9")
    void initialNumber_dependsOnEndpointsAndSecret() {
        final VirtualClock clock = new VirtualClock();
        final Set<Integer> seen = new HashSet<>();
        for (int seed = 0; seed < 10; seed++) {
            final TcpIsn isn = isn(clock, seed);
            for (int i = 0; i < 10; i++) {
                seen.add(isn.newIsn(1 + i, 2, 3, 4));
                seen.add(isn.newIsn(1, 20 + i, 3, 4));
                seen.add(isn.newIsn(1, 2, 300 + i, 4));
                seen.add(isn.newIsn(1, 2, 3, 4000 + i));
            }
        }
        assertThat(seen).hasSize(400);
    }

    private List<Out> take() {
        final List<Out> all = new ArrayList<>(fx.sent);
        fx.sent.clear();
        return all;
    }

    private static Errno set(final FakeSocket so, final int name, final long value) {
        return new TcpCtloutput(null, null).ctloutput(tcpcb(so), SockOpt.set(InDefs.IPPROTO_TCP, name, value));
    }

    /** Three segments are out, and the peer takes its window back behind the first. */
    private void windowShrinks(final boolean sack) {
        fx.sysctl("tso", "0");
        final TcpFixture.In syn = fx.seg(TH_SYN).seq(PEER_ISS).mss(1000);
        final FakeSocket so = fx.established(sack ? syn.sackPerm() : syn);
        fx.send(so, pattern(0, 5000));
        final int first = take().getFirst().seq;
        fx.seg(TH_ACK).on(so).ack(first).data(1).win(1000).arrive();
        fx.pass(50); // the acknowledgment of that octet
        take();
        fx.pass(1200);
        final List<Out> again = take();
        assertThat(again).as("what the window still has goes again, and nothing beyond it").isNotEmpty()
            .allMatch(o -> o.seq == first && o.len == 1000);
        fx.seg(TH_ACK).on(so).ack(first + 1000).win(1000).arrive();
        assertThat(fx.only().data).isEqualTo(pattern(1000, 1000));
    }

    @Test
    @Tag("RFC9293-SHLD-16")
    void windowShrinks_withinIt_isSentAgain() {
        windowShrinks(false);
    }

    @Test
    @Tag("RFC9293-SHLD-16")
    void windowShrinks_withSack_withinIt_isSentAgain() {
        windowShrinks(true);
    }

    /** Text, a retransmission, acknowledgments, a window probe, a keepalive probe, FIN, a challenge, a reset. */
    @Test
    @Tag("RFC9293-MUST-65")
    @Tag("RFC2018-2")
    void mss_standsInSynsOnly_bothWays() {
        final int port = 99;
        final FakeSocket l = fx.listener();
        fx.seg(TH_SYN).from(TcpFixture.PEER, port).seq(PEER_ISS).mss(1000).arrive();
        final Out synAck = fx.only();
        assertThat(synAck.mss).isEqualTo(1460);
        final FakeSocket other = fx.connect();
        assertThat(fx.only().mss).isEqualTo(1460);
        fx.seg(TH_RST | TH_ACK).on(other).arrive();
        fx.seg(TH_ACK).from(TcpFixture.PEER, port).seq(PEER_ISS + 1).ack(synAck.seq + 1).arrive();
        final FakeSocket so = l.comp.getLast();
        fx.send(so, pattern(0, 3000));
        fx.pass(2000);
        fx.seg(TH_ACK).on(so).from(TcpFixture.PEER, port).mss(500).data(pattern(0, 10)).arrive();
        assertThat(tcpcb(so).maxseg).as("an MSS anywhere else is not heeded").isEqualTo(1000);
        fx.pass(100);
        fx.seg(TH_ACK).on(so).from(TcpFixture.PEER, port).data(1).win(0).arrive();
        fx.send(so, pattern(3000, 10));
        fx.pass(6000);
        fx.seg(TH_ACK).on(so).from(TcpFixture.PEER, port).win(5000).arrive();
        fx.seg(TH_ACK).on(so).from(TcpFixture.PEER, port).arrive();
        fx.pass(7_201_000);
        fx.seg(TH_SYN).on(so).from(TcpFixture.PEER, port).arrive();
        fx.shutdown(so, false);
        fx.seg(TH_ACK).from(TcpFixture.PEER, port).seq(1).ack(77).arrive();
        final List<Out> out = take();
        assertThat(out).hasSizeGreaterThan(8).anyMatch(o -> o.has(TH_FIN)).anyMatch(o -> o.len > 1)
            .anyMatch(o -> o.len == 1);
        assertThat(out.stream().filter(o -> !o.has(TH_SYN))).allMatch(o -> o.mss == -1);
    }

    @Test
    @Tag("RFC9293-SHLD-2")
    void established_rstWithText_resets_textIsNotTaken() {
        final FakeSocket so = fx.established();
        fx.seg(TH_RST | TH_ACK).on(so).data(pattern(0, 100)).arrive();
        assertThat(so.error).isEqualTo(Errno.ECONNRESET);
        assertThat(so.rcv.avail()).isZero();
        fx.none();
    }

    /** RFC 6191: of two incarnations the later timestamp is the newer, whatever the sequence numbers. */
    @Test
    @Tag("RFC9293-SHLD-4")
    void timeWait_timestamps_decideWhetherASynIsNew() {
        final FakeSocket so = fx.established(fx.seg(TH_SYN).seq(PEER_ISS).mss(1460).ts(100, 0));
        fx.shutdown(so, true);
        final Out fin = fx.only();
        fx.seg(TH_ACK | TH_FIN).on(so).ack(fin.seq + 1).ts(200, fin.tsval).arrive();
        assertThat(tcpcb(so).state).isEqualTo(TcpState.TIME_WAIT);
        take();
        final int next = tcpcb(so).rcvNxt;
        fx.seg(TH_SYN).seq(next + 100_000).mss(1460).ts(199, 0).arrive();
        assertThat(tcpcb(so).state).as("an old one, its number notwithstanding").isEqualTo(TcpState.TIME_WAIT);
        fx.seg(TH_SYN).seq(next - 100_000).mss(1460).ts(200, 0).arrive();
        assertThat(tcpcb(so).state).as("the same instant, and an older number").isEqualTo(TcpState.TIME_WAIT);
        take();
        fx.seg(TH_SYN).seq(next - 100_000).mss(1460).ts(201, 0).arrive();
        assertThat(fx.only().flags).isEqualTo(TH_SYN | TH_ACK);
        assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
        assertThat(fx.stat("tw_recycles")).isEqualTo(1);
    }

    /** R2: the time without progress, and (keepinit) that of a handshake. */
    @Test
    @Tag("RFC9293-MUST-21")
    void program_saysWhenAConnectionEnds() {
        final FakeSocket so = fx.established();
        assertThat(set(so, InDefs.TCP_MAXUNACKTIME, 7)).isEqualTo(Errno.OK);
        fx.send(so, pattern(0, 100));
        fx.pass(6900);
        assertThat(so.error).isEqualTo(Errno.OK);
        fx.pass(10_000);
        assertThat(so.error).isEqualTo(Errno.ETIMEDOUT);
        assertThat(fx.stat("progdrops")).isEqualTo(1);
        final FakeSocket opening = fx.connect();
        assertThat(set(opening, InDefs.TCP_KEEPINIT, 20)).isEqualTo(Errno.OK);
        fx.pass(19_900);
        assertThat(opening.error).isEqualTo(Errno.OK);
        fx.pass(200);
        assertThat(opening.error).isEqualTo(Errno.ETIMEDOUT);
        take();
    }

    @Test
    @Tag("RFC9293-MUST-21")
    void progress_keepsTheConnection_howeverSlow() {
        final FakeSocket so = fx.established();
        assertThat(set(so, InDefs.TCP_MAXUNACKTIME, 7)).isEqualTo(Errno.OK);
        fx.send(so, pattern(0, 50));
        final int first = fx.only().seq;
        for (int i = 1; i <= 10; i++) {
            fx.pass(5000);
            fx.seg(TH_ACK).on(so).ack(first + 5 * i).arrive();
        }
        assertThat(so.error).isEqualTo(Errno.OK);
        assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        take();
    }

    @Test
    @Tag("RFC9293-SHLD-10")
    @SuppressWarnings("GuardedBy") // one thread
    void threeRetransmissions_routeIsLookedUpAnew() {
        final FakeSocket so = fx.established();
        final Tcpcb tp = tcpcb(so);
        fx.send(so, pattern(0, 100));
        final int before = tp.act().route.lookups();
        while (tp.rxtshift < 3) {
            fx.pass(10);
        }
        assertThat(tp.act().route.lookups()).isEqualTo(before);
        while (tp.rxtshift < 4) {
            fx.pass(10);
        }
        assertThat(tp.act().route.lookups()).as("the next hop may be dead").isGreaterThan(before);
        take();
    }

    /** What ICMP said is the reason that a program is told when it comes to nothing. */
    @Test
    @Tag("RFC9293-SHLD-25")
    @Tag("RFC9293-MUST-47")
    void synSent_hostUnreachable_isToldInTheEnd() {
        final FakeSocket so = fx.connect();
        IcmpMaker.unreachable(fx, fx.only(), 1, 0);
        assertThat(so.error).as("it may be passing").isEqualTo(Errno.OK);
        assertThat(tcpcb(so).softerror).isEqualTo(Errno.EHOSTUNREACH);
        fx.pass(80_000);
        assertThat(so.error).isEqualTo(Errno.EHOSTUNREACH);
        take();
    }

    @Test
    @Tag("RFC9293-MUST-47")
    void established_routeGoneForGood_isToldInTheEnd() {
        final FakeSocket so = fx.established();
        fx.outputError = Errno.ENETUNREACH;
        fx.send(so, pattern(0, 100));
        assertThat(so.error).isEqualTo(Errno.OK);
        fx.pass(1_200_000);
        assertThat(so.error).as("not that it took too long").isEqualTo(Errno.ENETUNREACH);
    }
}
