package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Probing of idle connections (RFC 1122 section 4.2.3.6), with two hours, 75 seconds and 8 probes as by default. */
class KeepaliveTest {
    private static final long IDLE_MS = TimeUnit.HOURS.toMillis(2);
    private static final long INTVL_MS = TimeUnit.SECONDS.toMillis(75);
    private static final int COUNT = 8;
    /** More than half of them. */
    private static final int LEAST = 5;

    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void close() {
        fx.close();
    }

    private FakeSocket idle() {
        return fx.established(fx.seg(TH_SYN).seq(PEER_ISS).mss(1460));
    }

    @Test
    void idle_noAnswer_isDroppedAfterTheLastProbesTime() {
        final FakeSocket so = idle();
        fx.pass(IDLE_MS + COUNT * INTVL_MS - 1);
        assertThat(fx.sent).hasSize(COUNT).allMatch(o -> o.seq == tcpcb(so).sndUna - 1 && o.len == 0);
        assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        fx.pass(1);
        assertThat(fx.stat("keepdrops")).isEqualTo(1);
        assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
    }

    /** Who has closed his own direction waits for the peer's, which may be gone. */
    @Test
    void finWait2_noAnswer_isDropped() {
        final FakeSocket so = idle();
        fx.shutdown(so, false);
        fx.seg(TH_ACK).on(so).ack(tcpcb(so).sndMax).arrive();
        assertThat(tcpcb(so).state).isEqualTo(TcpState.FIN_WAIT_2);
        fx.sent.clear();
        fx.pass(2 * IDLE_MS + COUNT * INTVL_MS);
        assertThat(fx.stat("keepdrops")).isEqualTo(1);
        assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
        fx.sent.clear();
    }

    @Test
    void probed_answered_startsAnew() {
        final FakeSocket so = idle();
        fx.pass(IDLE_MS + (COUNT - 1) * INTVL_MS);
        assertThat(fx.sent).hasSize(COUNT);
        fx.sent.clear();
        fx.seg(TH_ACK).on(so).arrive();
        fx.pass(IDLE_MS + COUNT * INTVL_MS - 1);
        assertThat(fx.sent).hasSize(COUNT);
        assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
    }

    /** The process stops with a probe under way, whose answer waits in some queue when it goes on. */
    @Test
    void timersHeldUp_withAProbeUnderWay_areNoReasonToDrop() {
        final FakeSocket so = idle();
        fx.pass(IDLE_MS);
        assertThat(fx.sent).hasSize(1);
        for (int probes = 2; probes <= LEAST; probes++) {
            fx.clock.advanceTo(fx.clock.nanoTime() + TimeUnit.HOURS.toNanos(10));
            fx.vnet.poll();
            assertThat(fx.sent).hasSize(probes);
        }
        fx.seg(TH_ACK).on(so).arrive();
        fx.pass(IDLE_MS - 1);
        assertThat(fx.sent).hasSize(LEAST);
        assertThat(fx.stat("keepdrops")).isZero();
    }

    /** Timers that are late do not keep the dead for much longer. */
    @Test
    void timersHeldUp_noAnswerToMostProbes_isDropped() {
        final FakeSocket so = idle();
        for (int i = 0; i <= LEAST; i++) {
            assertThat(fx.stat("keepdrops")).isZero();
            fx.clock.advanceTo(fx.clock.nanoTime() + TimeUnit.HOURS.toNanos(10));
            fx.vnet.poll();
        }
        assertThat(fx.stat("keepprobe")).isEqualTo(LEAST);
        assertThat(fx.stat("keepdrops")).isEqualTo(1);
        assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
    }

    @Test
    void timersHeldUp_forHours_areNoReasonToDrop() {
        final FakeSocket so = idle();
        fx.clock.advanceTo(fx.clock.nanoTime() + TimeUnit.HOURS.toNanos(10));
        fx.vnet.poll();
        assertThat(fx.only().seq).isEqualTo(tcpcb(so).sndUna - 1);
        fx.seg(TH_ACK).on(so).arrive();
        fx.pass(IDLE_MS - 1);
        fx.none();
        assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        assertThat(fx.stat("keepdrops")).isZero();
    }
}
