package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.icmp.HostCache;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TcpHostcacheTest {
    private static final long PEER_LO = PEER & 0xffff_ffffL;

    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void whole() {
        fx.close();
    }

    /** Sends and has it acknowledged after 80 ms, so often. */
    private void exchanges(FakeSocket so, int n) {
        for (int i = 0; i < n; i++) {
            fx.send(so, pattern(0, 100));
            fx.pass(80);
            fx.sent.clear();
            fx.seg(TH_ACK).on(so).arrive();
        }
    }

    private void reset(FakeSocket so) {
        fx.seg(TH_RST).on(so).arrive();
        fx.sent.clear();
    }

    @Test
    void close_afterFewSamples_leavesNothing() {
        final FakeSocket so = fx.established();
        exchanges(so, 2);
        reset(so);
        assertThat(fx.hosts.count()).isZero();
    }

    @Test
    void close_afterEnoughSamples_roundTripIsUsedByTheNext() {
        final FakeSocket so = fx.established();
        exchanges(so, 12);
        final long srtt = tcpcb(so).srttNs;
        assertThat(srtt).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(50));
        reset(so);
        final HostCache.Entry e = fx.hosts.lookup(0, PEER_LO);
        assertThat(e.rttNs()).isEqualTo(srtt);
        assertThat(e.ssthresh()).as("nothing was lost").isZero();
        assertThat(e.cwnd()).isPositive();
        fx.sockets.getFirst().comp.clear();
        final FakeSocket next = fx.connect();
        fx.sent.clear();
        fx.seg(TcpHeader.TH_SYN | TH_ACK).on(next).seq(5).ack(tcpcb(next).iss + 1).mss(1460).arrive();
        fx.sent.clear();
        assertThat(fx.stat("usedrtt")).isEqualTo(1);
        assertThat(tcpcb(next).srttNs).as("the handshake took no time").isBetween(srtt / 8 * 7 - 8, srtt);
    }

    @Test
    void close_afterALoss_thresholdIsUsedByTheNext() {
        final FakeSocket so = fx.established();
        so.snd.limit(200_000);
        exchanges(so, 6);
        tcpcb(so).sndSsthresh = 14_600;
        reset(so);
        final HostCache.Entry e = fx.hosts.lookup(0, PEER_LO);
        assertThat(e.ssthresh()).isEqualTo(10 * 1500);
        fx.sockets.getFirst().comp.clear();
        final FakeSocket next = fx.connect();
        fx.sent.clear();
        fx.seg(TcpHeader.TH_SYN | TH_ACK).on(next).seq(5).ack(tcpcb(next).iss + 1).mss(1460).arrive();
        fx.sent.clear();
        assertThat(tcpcb(next).sndSsthresh).isEqualTo(15_000);
        assertThat(fx.stat("usedssthresh")).isEqualTo(1);
    }

    @Test
    void off_nothingIsUsed() {
        final HostCache.Metrics m = new HostCache.Metrics();
        m.rttNs = 5_000_000;
        m.ssthresh = 9000;
        fx.hosts.update(0, PEER_LO, m);
        fx.sysctl("hostcache.enable", "0");
        final FakeSocket so = fx.established();
        assertThat(fx.stat("usedrtt")).isZero();
        assertThat(tcpcb(so).sndSsthresh).isGreaterThan(1 << 20);
    }

    @Test
    void pipes_sizeTheBuffersOfTheNext() {
        final HostCache.Metrics m = new HostCache.Metrics();
        m.recvpipe = 100_000;
        fx.hosts.update(0, PEER_LO, m);
        fx.sysctl("recvspace", String.valueOf(fx.socket().rcv.hiwat()));
        final FakeSocket so = fx.established();
        assertThat(so.rcv.hiwat()).isGreaterThanOrEqualTo(100_000);
        assertThat(so.rcv.hiwat() % 1460).isZero();
    }
}
