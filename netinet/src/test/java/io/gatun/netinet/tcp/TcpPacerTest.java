package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_FIN;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TcpPacerTest {
    private static final int MSS = 960;
    private static final int PACKET = MSS + 40;
    /** Ten packets of 1000 octets a second. */
    private static final int SLOW = 10_000;

    private final TcpFixture fx = new TcpFixture();
    private final TcpCtloutput options = new TcpCtloutput(null, null);

    @BeforeEach
    void plain() {
        fx.sysctl("tso", "0");
    }

    @AfterEach
    void whole() {
        fx.close();
    }

    private Errno rate(FakeSocket so, long octets) {
        return options.ctloutput(tcpcb(so), SockOpt.set(SocketDefs.SOL_SOCKET, SocketDefs.SO_MAX_PACING_RATE, octets));
    }

    private long rate(FakeSocket so) {
        final SockOpt get = SockOpt.get(SocketDefs.SOL_SOCKET, SocketDefs.SO_MAX_PACING_RATE);
        assertThat(options.ctloutput(tcpcb(so), get)).isEqualTo(Errno.OK);
        return get.value();
    }

    private FakeSocket open(long octets) {
        final FakeSocket so = fx.established(fx.seg(TH_SYN).seq(TcpFixture.PEER_ISS).mss(MSS));
        assertThat(rate(so, octets)).isEqualTo(Errno.OK);
        return so;
    }

    @Test
    void option_isKeptAndChecked() {
        final FakeSocket so = open(SLOW);
        assertThat(rate(so)).isEqualTo(SLOW);
        assertThat(rate(so, -1)).isEqualTo(Errno.EINVAL);
        assertThat(rate(so, 1L << 32)).isEqualTo(Errno.EINVAL);
        assertThat(rate(so, TcpPacer.UNLIMITED)).isEqualTo(Errno.OK);
        assertThat(rate(so)).isZero();
    }

    @Test
    void data_goesAtTheRateInOrder() {
        final FakeSocket so = open(SLOW);
        final int first = tcpcb(so).sndNxt;
        fx.send(so, pattern(0, 8 * MSS));
        final ByteArrayOutputStream got = new ByteArrayOutputStream();
        for (int i = 0; i < 8; i++) {
            final Out o = fx.only();
            assertThat(o.seq).isEqualTo(first + i * MSS);
            got.writeBytes(o.data);
            if (i < 7) {
                fx.pass(97); // the first may be early by the credit of a late timer
                fx.none();
                fx.pass(3);
            }
        }
        assertThat(got.toByteArray()).isEqualTo(pattern(0, 8 * MSS));
        fx.pass(100);
        fx.none();
    }

    @Test
    void superSegments_areBurstsOfAMillisecond() {
        fx.sysctl("tso", "1");
        final int rate = 8 * PACKET * 1000;
        final FakeSocket so = open(rate);
        tcpcb(so).flags |= Tcpcb.TF_TSO;
        tcpcb(so).sndCwnd = 30 * MSS;
        fx.send(so, pattern(0, 24 * MSS));
        long octets = 0;
        for (int ms = 0; ms < 4; ms++) {
            for (final Out o : fx.sent) {
                assertThat(o.len).isLessThanOrEqualTo(8 * MSS);
                octets += o.len;
            }
            fx.sent.clear();
            assertThat(octets).as("after %d ms", ms).isLessThanOrEqualTo((ms + 3L) * 8 * MSS);
            fx.pass(1);
        }
        fx.sent.clear();
        assertThat(tcpcb(so).sndNxt - tcpcb(so).sndUna).isEqualTo(24 * MSS);
    }

    @Test
    void ack_isNotHeldBack() {
        final FakeSocket so = open(SLOW);
        fx.sysctl("delayed_ack", "0");
        fx.send(so, pattern(0, 3 * MSS));
        fx.only();
        fx.seg(TH_ACK).on(so).ack(tcpcb(so).sndUna).data(10).arrive();
        final Out ack = fx.only();
        assertThat(ack.len).isZero();
        assertThat(ack.flags).isEqualTo(TH_ACK);
    }

    @Test
    void fin_waitsForTheData() {
        final FakeSocket so = open(SLOW);
        fx.send(so, pattern(0, 2 * MSS));
        assertThat(fx.only().has(TH_FIN)).isFalse();
        fx.shutdown(so, false);
        fx.none();
        fx.pass(100);
        final Out last = fx.only();
        assertThat(last.len).isEqualTo(MSS);
        assertThat(last.has(TH_FIN)).isTrue();
    }

    @Test
    void allAcknowledgedWhileMoreWaits_noWindowProbe() {
        final FakeSocket so = open(100); // ten seconds a packet
        fx.send(so, pattern(0, 2 * MSS));
        fx.only();
        fx.seg(TH_ACK).on(so).ack(tcpcb(so).sndMax).arrive();
        fx.pass(9_000);
        fx.none();
        assertThat(fx.stat("persisttimeo")).isZero();
        fx.pass(1_000);
        assertThat(fx.only().len).isEqualTo(MSS);
    }

    @Test
    void retransmission_waitsForItsTurnAndComes() {
        final FakeSocket so = open(1000); // a second a packet
        fx.send(so, pattern(0, 2 * MSS));
        final Out first = fx.only();
        fx.pass(10_000);
        assertThat(fx.sent).isNotEmpty().anyMatch(o -> o.seq == first.seq);
        fx.sent.clear();
        assertThat(fx.stat("sndbyte") + fx.stat("sndrexmitbyte")).isLessThanOrEqualTo(12L * MSS);
    }

    @Test
    void rateTakenAway_whatWaitedGoesAtOnce() {
        final FakeSocket so = open(SLOW);
        fx.send(so, pattern(0, 5 * MSS));
        fx.only();
        assertThat(rate(so, 0)).isEqualTo(Errno.OK);
        assertThat(fx.sent).hasSize(4);
        fx.sent.clear();
    }

    @Test
    void listenersRate_isItsChildrens() {
        final FakeSocket l = fx.listener();
        assertThat(rate(l, SLOW)).isEqualTo(Errno.OK);
        fx.seg(TH_SYN).seq(TcpFixture.PEER_ISS).mss(MSS).arrive();
        fx.seg(TH_ACK).ack(fx.only().seq + 1).arrive();
        assertThat(rate(l.comp.getLast())).isEqualTo(SLOW);
    }

    /** A sender that is always behind keeps the rate over any longer time, whatever the rate. */
    @ParameterizedTest
    @ValueSource(ints = {1500, 40_000, 1_000_000, 7_777_777})
    void rate_overSeconds_isKept(int octets) {
        final FakeSocket so = open(octets);
        final Tcpcb tp = tcpcb(so);
        long sent = 0;
        final int ms = Math.clamp(20_000_000L / octets, 500, 20_000);
        for (int t = 0; t < ms; t++) {
            while (so.snd.avail() < 32 * MSS) {
                fx.send(so, pattern(0, 16 * MSS));
            }
            fx.pass(1);
            for (final Out o : fx.sent) {
                sent += o.len + 40;
            }
            fx.sent.clear();
            fx.seg(TH_ACK).on(so).ack(tp.sndMax).win(65_535).arrive();
            for (final Out o : fx.sent) {
                sent += o.len + 40;
            }
            fx.sent.clear();
        }
        final double expected = (double) octets * ms / 1000;
        assertThat(sent).as("%d ms at %d", ms, octets).isBetween((long) (expected * 0.97 - PACKET),
            (long) (expected * 1.01 + octets / 250.0 + 3 * PACKET));
    }
}
