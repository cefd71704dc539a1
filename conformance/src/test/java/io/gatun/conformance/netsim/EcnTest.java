package io.gatun.conformance.netsim;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** ECN across links that mark: full links without a loss, and short queues with DCTCP. */
class EcnTest {
    private static final long RATE = 50_000_000;
    private static final Duration DELAY = Duration.ofMillis(5);
    private static final int MSS = 1448;
    private static final int PACKET = 1500;
    private static final long PACKET_NS = PACKET * 8 * 1_000_000_000L / RATE;
    /** Packets of 1500 octets that the path of {@link #RATE} and twice {@link #DELAY} holds. */
    private static final int BDP = 42;

    private static LinkSpec link(final int queue, final int mark) {
        return LinkSpec.rate(RATE).delay(DELAY).queue(queue).mark(mark);
    }

    private static long stat(final SimHost h, final String name) {
        return h.vnet().counters().get("tcp." + name);
    }

    private static Netsim net(final LockStrategy strategy, final int ecn, final String cc) {
        return net(SockAddr.AF_INET, strategy, ecn, cc);
    }

    private static Netsim net(final int family, final LockStrategy strategy, final int ecn, final String cc) {
        return Netsim.builder().seed(7).family(family).lockStrategy(strategy)
            .sysctl("net.inet.tcp.ecn.enable", "" + ecn)
            .sysctl("net.inet.tcp.cc.algorithm", cc).sysctl("net.inet.tcp.recvspace", "1000000")
            .sysctl("net.inet.tcp.sendspace", "1000000").build(); // so that the link alone holds the sender back
    }

    @ParameterizedTest
    @CsvSource({"false, 1, cubic, SPLIT", "true, 1, newreno, COALESCED", "true, 3, cubic, VERTICAL",
        "false, 3, newreno, SPLIT", "true, 1, dctcp, COALESCED", "false, 3, dctcp, VERTICAL", "true, 3, dctcp, SPLIT"})
    void link_thatMarks_isFullWithoutALoss(
        final boolean six, final int ecn, final String cc, final LockStrategy strategy) throws ErrnoException {
        try (Netsim net = net(six ? SockAddr.AF_INET6 : SockAddr.AF_INET, strategy, ecn, cc)) {
            final SimHost a = net.host("a");
            final SimHost b = net.host("b");
            final LinkWay way = net.link(a, b, link(1000, BDP)).there();
            final SimFlow f = net.flow(a, b, 30_000_000);
            net.run(f::done);
            final LinkStats s = way.stats();
            assertThat(s.marked()).as("marks").isPositive();
            assertThat(s.overflowed()).isZero();
            assertThat(stat(a, "ecn_rcwnd")).as("reductions").isPositive();
            assertThat(stat(b, "ecn_rcvce")).isEqualTo(s.marked());
            assertThat(stat(a, "sndrexmitpack")).as("sent again").isZero();
            assertThat(f.goodput()).isGreaterThan(RATE * 0.95 * MSS / PACKET);
        }
    }

    @Test
    void withoutEcn_sameLink_loses() throws ErrnoException {
        try (Netsim net = net(LockStrategy.SPLIT, 0, "cubic")) {
            final SimHost a = net.host("a");
            final SimHost b = net.host("b");
            final LinkWay way = net.link(a, b, link(2 * BDP, BDP)).there();
            final SimFlow f = net.flow(a, b, 30_000_000);
            net.run(f::done);
            assertThat(way.stats().marked()).isZero();
            assertThat(way.stats().overflowed()).isPositive();
        }
    }

    /** RFC 8257 section 4: a threshold of a seventh of the path's packets is enough to keep it full. */
    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void dctcp_lowThreshold_linkIsFullAndItsQueueShort(final LockStrategy strategy) throws ErrnoException {
        for (final int ecn : new int[] {1, 3}) {
            try (Netsim net = net(strategy, ecn, "dctcp")) {
                final SimHost a = net.host("a");
                final SimHost b = net.host("b");
                final int threshold = 12;
                final LinkWay way = net.link(a, b, link(1000, threshold)).there();
                final SimFlow f = net.flow(a, b, SimFlow.ENDLESS);
                net.run(Duration.ofSeconds(2)); // slow start, and alpha settles
                final long before = way.stats().octets();
                long longest = 0;
                for (int i = 0; i < 30; i++) {
                    net.run(Duration.ofMillis(100));
                    longest = Math.max(longest, f.info().rttNs() - 2 * DELAY.toNanos());
                }
                final double use = (way.stats().octets() - before) * 8.0 / 3 / RATE;
                assertThat(use).as("use of the link with ecn.enable=%d", ecn).isGreaterThan(0.95);
                assertThat(longest).as("longest queue, ns").isLessThan(2 * threshold * PACKET_NS);
                assertThat(stat(a, "sndrexmitpack")).isZero();
                assertThat(f.received()).isPositive();
            }
        }
    }

    /** Two senders on one marking link, the second two seconds later. */
    @ParameterizedTest
    @CsvSource({"1, cubic", "1, dctcp", "3, dctcp"})
    void twoFlows_shareTheLink(final int ecn, final String cc) throws ErrnoException {
        try (Netsim net = net(LockStrategy.SPLIT, ecn, cc)) {
            final SimHost left = net.host("left");
            final SimHost right = net.host("right");
            final LinkSpec access = LinkSpec.rate(1_000_000_000).delay(Duration.ofNanos(100_000));
            final SimHost[] hosts = new SimHost[4];
            for (int i = 0; i < hosts.length; i++) {
                hosts[i] = net.host("h" + i);
                net.link(hosts[i], i < 2 ? left : right, access);
            }
            final LinkWay way = net.link(left, right, link(1000, "dctcp".equals(cc) ? 15 : BDP)).there();
            final SimFlow a = net.flow(hosts[0], hosts[2], SimFlow.ENDLESS);
            net.run(Duration.ofSeconds(2));
            final SimFlow b = net.flow(hosts[1], hosts[3], SimFlow.ENDLESS);
            net.run(Duration.ofSeconds(5));
            final long first = a.received();
            final long second = b.received();
            net.run(Duration.ofSeconds(8));
            final double share = (double) (a.received() - first) / (a.received() - first + b.received() - second);
            assertThat(share).isBetween(0.4, 0.6);
            assertThat(way.stats().overflowed()).isZero();
            assertThat(way.stats().marked()).isPositive();
        }
    }
}
