package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.HERE;
import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_PUSH;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Rules of RFC 5681, 6298 and 7323 that no other test states. */
class TcpRfcTest {
    private static final int MSS = 1000;
    private static final long MS = Tcp.NS_PER_MS;

    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void whole() {
        fx.close();
    }

    private TcpFixture.In syn() {
        return fx.seg(TH_SYN).seq(PEER_ISS).mss(MSS);
    }

    private List<Out> take() {
        final List<Out> all = new ArrayList<>(fx.sent);
        fx.sent.clear();
        return all;
    }

    // ---- RFC 7323 ------------------------------------------------------------

    @Test
    @Tag("RFC7323-2.3")
    void scale_aboveFourteen_isFourteen() {
        final FakeSocket so = fx.established(syn().wscale(15));
        assertThat((int) tcpcb(so).sndScale).isEqualTo(14);
        assertThat(tcpcb(so).sndWnd).isEqualTo(TcpFixture.WIN << 14);
    }

    @Test
    @Tag("RFC7323-2.2-syn-win")
    void scale_windowOfASyn_isNotScaled() {
        final FakeSocket so = fx.connect();
        final Out syn = fx.only();
        assertThat(syn.win).isEqualTo(Math.min(so.rcv.space(), TcpHeader.TCP_MAXWIN));
        fx.seg(TH_SYN | TH_ACK).to(HERE, syn.sport).seq(PEER_ISS).ack(syn.seq + 1).mss(MSS).wscale(7).win(900).arrive();
        assertThat((int) tcpcb(so).sndScale).isEqualTo(7);
        assertThat(tcpcb(so).sndWnd).isEqualTo(900);
        take();
    }

    @Test
    @Tag("RFC7323-3.2-both")
    @Tag("RFC7323-3.2-ecr")
    void timestamps_standInEverySegmentOnceAgreed() {
        final FakeSocket so = fx.connect();
        final Out syn = fx.only();
        assertThat(syn.tsval).isNotZero();
        assertThat(syn.tsecr).as("nothing to echo yet").isZero();
        fx.seg(TH_SYN | TH_ACK).to(HERE, syn.sport).seq(PEER_ISS).ack(syn.seq + 1).mss(MSS + 12).ts(77, syn.tsval)
            .arrive();
        assertThat(fx.only().tsecr).isEqualTo(77);
        fx.send(so, pattern(0, 100));
        assertThat(fx.only().tsecr).isEqualTo(77);
        fx.seg(TH_ACK | TH_PUSH).on(so).ack(syn.seq + 1).ts(78, syn.tsval).data(pattern(0, 10)).arrive();
        take();
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            TcpSubr.drop(tp, Errno.ECONNABORTED);
        } finally {
            tp.inp.lock.unlock();
        }
        final Out reset = fx.only();
        assertThat(reset.flags & TH_RST).isNotZero();
        assertThat(reset.tsecr).as("a reset too").isEqualTo(78);
    }

    @Test
    @Tag("RFC7323-3.2-both")
    void timestamps_peerHasNone_areLeftOut() {
        final FakeSocket so = fx.connect();
        final Out syn = fx.only();
        fx.seg(TH_SYN | TH_ACK).to(HERE, syn.sport).seq(PEER_ISS).ack(syn.seq + 1).mss(MSS).arrive();
        final Out ack = fx.only();
        assertThat(ack.tsval).isZero();
        assertThat(ack.tsecr).isZero();
        assertThat(tcpcb(so).timestamps()).isFalse();
    }

    @Test
    @Tag("RFC7323-4.1")
    @Tag("RFC6298-3")
    void timestamps_tellWhichTransmissionWasAnswered() {
        final FakeSocket so = fx.established(syn().mss(MSS + 12).ts(1, 0));
        fx.send(so, pattern(0, 10));
        final Out first = fx.only();
        fx.pass(1100); // sent again at one second and a little
        final List<Out> again = take();
        assertThat(again).isNotEmpty();
        fx.pass(20);
        final int samples = tcpcb(so).rttupdated;
        fx.seg(TH_ACK).on(so).ack(first.seq + 10).ts(2, again.getLast().tsval).arrive();
        assertThat(tcpcb(so).rttupdated).isEqualTo(samples + 1);
        assertThat(tcpcb(so).rttbestNs).isLessThanOrEqualTo(tcpcb(so).now() - again.getLast().tsval);
        assertThat(tcpcb(so).rxtshift).isZero();
    }

    @Test
    @Tag("RFC7323-5.4")
    void timestamps_tickOnceAMillisecond() {
        final Tcpcb tp = tcpcb(fx.established(syn().ts(1, 0)));
        final int before = tp.tsNow();
        fx.pass(1234);
        assertThat(tp.tsNow() - before).isEqualTo(1234);
    }

    @Test
    @Tag("RFC7323-7")
    void timestamps_ofTwoConnections_tellNothingOfEachOther() {
        fx.connect();
        fx.connect();
        final List<Out> syns = take();
        assertThat(syns.get(0).tsval).isNotEqualTo(syns.get(1).tsval);
        fx.sysctl("ts_offset_per_conn", "0");
        fx.connect();
        fx.connect();
        final List<Out> same = take();
        assertThat(same.get(0).tsval).as("by pair of hosts, if so set").isEqualTo(same.get(1).tsval);
        assertThat(same.get(0).tsval).as("and not from 0").isNotEqualTo((int) (fx.clock.nanoTime() / MS));
        fx.listener();
        syn().ts(1, 0).arrive();
        assertThat(fx.only().tsval).as("whoever begins").isEqualTo(same.get(0).tsval);
    }

    // ---- RFC 6298 ------------------------------------------------------------

    @Test
    @Tag("RFC6298-2.2")
    @SuppressWarnings("GuardedBy") // one thread
    void firstRoundTrip_isTheMean_halfTheDeviation_thenTheyFollow() {
        final Tcpcb tp = tcpcb(fx.established());
        tp.srttNs = 0;
        tp.rttvarNs = 0;
        TcpRtt.xmitTimer(tp, 100 * MS);
        assertThat(tp.srttNs).isEqualTo(100 * MS);
        assertThat(tp.rttvarNs).isEqualTo(50 * MS);
        assertThat(tp.rxtcurNs).as("SRTT + 4 RTTVAR, and the slop").isEqualTo(500 * MS);
        TcpRtt.xmitTimer(tp, 180 * MS);
        assertThat(tp.rttvarNs).isEqualTo((50 * 3 + 80) * MS / 4);
        assertThat((double) tp.srttNs).isCloseTo(110.0 * MS, within(1.0));
    }

    @Test
    @Tag("RFC6298-2.5")
    void backoff_isNeverBelowAMinuteAtItsBound() {
        final FakeSocket so = fx.established();
        fx.send(so, pattern(0, 10));
        final List<Long> at = new ArrayList<>();
        for (int i = 0; i < 4000; i++) {
            fx.pass(100);
            take().forEach(o -> at.add(fx.clock.nanoTime() / MS));
        }
        final long last = at.getLast() - at.get(at.size() - 2);
        assertThat(last).isBetween(60_000L, 64_300L);
        assertThat(at.get(at.size() - 2) - at.get(at.size() - 3)).isBetween(60_000L, 64_300L);
    }

    @Test
    @Tag("RFC6298-5.1")
    @Tag("RFC6298-5.2")
    @Tag("RFC6298-5.4")
    @SuppressWarnings("GuardedBy") // one thread
    void timer_runsWhileSomethingIsInFlight_andBeginsAnewWithEachAcknowledgment() {
        final FakeSocket so = fx.established(syn());
        final Tcpcb tp = tcpcb(so);
        assertThat(TcpTimers.active(tp, TcpTimers.TT_REXMT)).isFalse();
        fx.send(so, pattern(0, 3 * MSS));
        final int base = take().getFirst().seq;
        assertThat(TcpTimers.active(tp, TcpTimers.TT_REXMT)).isTrue();
        fx.pass(50);
        fx.seg(TH_ACK).on(so).ack(base + MSS).arrive();
        final long left = tp.act().timers[TcpTimers.TT_REXMT] - tp.now();
        assertThat(left).as("anew").isEqualTo(tp.rxtcurNs);
        fx.pass(left / MS + 1);
        assertThat(take().getFirst().seq).as("the oldest").isEqualTo(base + MSS);
        fx.seg(TH_ACK).on(so).ack(base + 3 * MSS).arrive();
        assertThat(TcpTimers.active(tp, TcpTimers.TT_REXMT)).isFalse();
        take();
    }

    // ---- RFC 5681 ------------------------------------------------------------

    @Test
    @Tag("RFC5681-3.1-iw")
    @Tag("RFC5681-3.1-wnd")
    void inFlight_isNoMoreThanTheInitialWindow() {
        final FakeSocket so = fx.established(syn());
        so.snd.limit(100_000);
        fx.send(so, pattern(0, 50_000));
        assertThat(take().stream().mapToInt(o -> o.len).sum()).as("ten segments").isEqualTo(10 * MSS);
    }

    @Test
    @Tag("RFC5681-3.1-wnd")
    void inFlight_isNoMoreThanThePeersWindow() {
        final FakeSocket so = fx.established(syn());
        so.snd.limit(100_000);
        fx.send(so, pattern(0, MSS));
        fx.seg(TH_ACK).on(so).win(2500).arrive();
        take();
        fx.send(so, pattern(MSS, 50_000));
        assertThat(take().stream().mapToInt(o -> o.len).sum()).isLessThanOrEqualTo(2500).isPositive();
    }

    @Test
    @Tag("RFC5681-3.1-count")
    void slowStart_growsByWhatIsAcknowledged() {
        fx.sysctl("cc.algorithm", "newreno");
        final FakeSocket so = fx.established(syn());
        final Tcpcb tp = tcpcb(so);
        so.snd.limit(100_000);
        fx.send(so, pattern(0, 20 * MSS));
        final int base = take().getFirst().seq;
        final int before = tp.sndCwnd;
        for (int i = 1; i <= 10; i++) {
            fx.seg(TH_ACK).on(so).ack(base + i * MSS / 10).arrive();
        }
        assertThat(tp.sndCwnd - before).as("one segment in ten parts").isEqualTo(MSS);
        final int then = tp.sndCwnd;
        fx.seg(TH_ACK).on(so).ack(base + 9 * MSS).arrive();
        assertThat(tp.sndCwnd - then).as("eight at once: two").isEqualTo(2 * MSS);
        take();
    }
}
