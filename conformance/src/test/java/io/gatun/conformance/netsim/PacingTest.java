package io.gatun.conformance.netsim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** SO_MAX_PACING_RATE across a fast link with hardly a queue. */
class PacingTest {
    private static final LinkSpec LINK = LinkSpec.rate(100_000_000).delay(Duration.ofMillis(10)).queue(12);
    /** 20 Mbit/s. */
    private static final int RATE = 2_500_000;
    private static final int SECONDS = 10;

    private static void pace(final SimFlow f, final int rate) throws ErrnoException {
        f.sender().setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_MAX_PACING_RATE, rate);
    }

    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void flow_paced_keepsTheRateAndLosesNothing(final LockStrategy strategy) throws ErrnoException {
        try (Netsim net = Netsim.builder().seed(5).lockStrategy(strategy).build()) {
            final SimHost a = net.host("a");
            final SimHost b = net.host("b");
            final LinkWay way = net.link(a, b, LINK).there();
            final SimFlow f = net.flow(a, b, SimFlow.ENDLESS);
            pace(f, RATE);
            net.run(Duration.ofSeconds(SECONDS));
            assertThat(way.stats().octets() / (double) SECONDS).isCloseTo(RATE, within(RATE * 0.03));
            assertThat(way.stats().overflowed()).isZero();
            assertThat(way.stats().longest()).as("packets of the longest burst").isLessThanOrEqualTo(8);
        }
    }

    @Test
    void flow_notPaced_overflowsThatQueue() throws ErrnoException {
        try (Netsim net = Netsim.seed(5)) {
            final SimHost a = net.host("a");
            final SimHost b = net.host("b");
            final LinkWay way = net.link(a, b, LINK).there();
            net.flow(a, b, SimFlow.ENDLESS);
            net.run(Duration.ofSeconds(SECONDS));
            assertThat(way.stats().overflowed()).isPositive();
        }
    }

    @Test
    void flow_pacedOverALossyLink_arrivesWhole() throws ErrnoException {
        try (Netsim net = Netsim.seed(6)) {
            final SimHost a = net.host("a");
            final SimHost b = net.host("b");
            net.link(a, b, LINK.loss(0.02).reorder(0.02, Duration.ofMillis(3)));
            final SimFlow f = net.flow(a, b, 3_000_000);
            pace(f, RATE);
            net.run(f::done);
            assertThat(f.received()).isEqualTo(3_000_000);
            assertThat(f.goodput()).isLessThan(RATE * 8.0);
        }
    }

    @Test
    void rate_changedUnderWay_isKept() throws ErrnoException {
        try (Netsim net = Netsim.seed(7)) {
            final SimHost a = net.host("a");
            final SimHost b = net.host("b");
            final LinkWay way = net.link(a, b, LINK).there();
            final SimFlow f = net.flow(a, b, SimFlow.ENDLESS);
            pace(f, RATE);
            net.run(Duration.ofSeconds(2));
            pace(f, RATE / 10);
            final long before = way.stats().octets();
            net.run(Duration.ofSeconds(SECONDS));
            assertThat((way.stats().octets() - before) / (double) SECONDS).isCloseTo(RATE / 10.0, within(RATE * 0.005));
        }
    }

    @Test
    void datagramSocket_hasNoRate() throws ErrnoException {
        try (Netsim net = Netsim.seed(8)) {
            final SimHost a = net.host("a");
            try (SocketFile so = SocketFile.socket(a.vnet(), SockAddr.AF_INET, SocketDefs.SOCK_DGRAM, 0)) {
                assertThatThrownBy(() -> so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_MAX_PACING_RATE, RATE))
                    .isInstanceOf(ErrnoException.class).hasMessageContaining("ENOPROTOOPT");
            }
        }
    }
}
