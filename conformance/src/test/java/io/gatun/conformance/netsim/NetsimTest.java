package io.gatun.conformance.netsim;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NetsimTest {
    private static final int PACKET = 1500;
    /** 1500 octets take 1 ms. */
    private static final LinkSpec MS_A_PACKET = LinkSpec.rate(12_000_000);
    private static final long MS = 1_000_000;

    /** A packet that no protocol wants, with octets that say its number and how ECN-capable it is. */
    private static void send(final LinkWay way, final int octets, final int ecn) {
        final Mbuf m = way.from().vnet().pool().getcl(Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        m.len(LinkWay.ETHER_HDR_LEN + octets);
        m.pktLen(LinkWay.ETHER_HDR_LEN + octets);
        for (int i = 0; i < m.len(); i++) {
            m.put8(i, 0);
        }
        m.put16(LinkWay.ETHER_HDR_LEN - 2, 0x88b5); // for local experiments
        m.put8(LinkWay.ETHER_HDR_LEN, 0x45);
        m.put8(LinkWay.ETHER_HDR_LEN + 1, ecn);
        way.ifp().transmit(m);
    }

    private static List<Long> arrivals(final LinkSpec spec, final int packets) throws ErrnoException {
        try (Netsim net = Netsim.seed(1)) {
            final LinkWay way = net.link(net.host("a"), net.host("b"), spec).there();
            final Arrivals seen = new Arrivals(net, way);
            final long start = net.nowNs();
            for (int i = 0; i < packets; i++) {
                send(way, PACKET, 0);
            }
            net.run(Duration.ofSeconds(10));
            return seen.timesNs.stream().map(t -> t - start).toList();
        }
    }

    @Test
    void rate_packetsAtOnce_arriveOneServiceTimeApartAndOneDelayLater() throws ErrnoException {
        assertThat(arrivals(MS_A_PACKET, 5)).containsExactly(MS, 2 * MS, 3 * MS, 4 * MS, 5 * MS);
        assertThat(arrivals(MS_A_PACKET.delay(Duration.ofNanos(7)), 2)).containsExactly(MS + 7, 2 * MS + 7);
    }

    @Test
    void rate_thatDividesNothing_losesNoFractions() throws ErrnoException {
        final List<Long> at = arrivals(LinkSpec.rate(7_000_000), 2000);
        assertThat(at).hasSize(2000);
        for (int i = 0; i < at.size(); i++) {
            assertThat(at.get(i)).isEqualTo((i + 1) * 12_000L * 1_000_000_000L / 7_000_000);
        }
    }

    @Test
    void overhead_countsAgainstTheRate() throws ErrnoException {
        assertThat(arrivals(MS_A_PACKET.overhead(PACKET), 2)).containsExactly(2 * MS, 4 * MS);
    }

    @Test
    void queue_full_dropsTheNextAndTakesAgainWhenOneHasLeft() throws ErrnoException {
        try (Netsim net = Netsim.seed(1)) {
            final LinkWay way = net.link(net.host("a"), net.host("b"), MS_A_PACKET.queue(3)).there();
            for (int i = 0; i < 5; i++) {
                send(way, PACKET, 0);
            }
            net.run(Duration.ofMillis(1));
            send(way, PACKET, 0);
            send(way, PACKET, 0);
            net.run(Duration.ofSeconds(1));
            final LinkStats s = way.stats();
            assertThat(s.packets()).isEqualTo(7);
            assertThat(s.delivered()).isEqualTo(4);
            assertThat(s.overflowed()).isEqualTo(3);
            assertThat(s.longest()).isEqualTo(3);
            assertThat(way.from().vnet().drops(DropReason.IF_OQFULL)).isEqualTo(3);
        }
    }

    @Test
    void queueOctets_full_countsOctetsButAlwaysTakesOnePacket() throws ErrnoException {
        try (Netsim net = Netsim.seed(1)) {
            final LinkWay way = net.link(net.host("a"), net.host("b"), MS_A_PACKET.queueOctets(1000)).there();
            send(way, PACKET, 0);
            send(way, 100, 0);
            net.run(Duration.ofMillis(1));
            send(way, 600, 0);
            send(way, 400, 0);
            send(way, 400, 0);
            net.run(Duration.ofSeconds(1));
            assertThat(way.stats().delivered()).isEqualTo(3);
            assertThat(way.stats().overflowed()).isEqualTo(2);
        }
    }

    @Test
    void lose_byNumberAndByRule_losesThoseAndNoOthers() throws ErrnoException {
        try (Netsim net = Netsim.seed(1)) {
            final LinkSpec spec = MS_A_PACKET.lose(2, 4).lose((n, m, at) -> m.pktLen() - at == 99);
            final LinkWay way = net.link(net.host("a"), net.host("b"), spec).there();
            for (final int octets : new int[] {100, 101, 99, 103, 104}) {
                send(way, octets, 0);
            }
            net.run(Duration.ofSeconds(1));
            assertThat(way.stats().lost()).isEqualTo(3);
            assertThat(way.stats().octets()).isEqualTo(100 + 104);
        }
    }

    @Test
    void loss_random_isNearItsProbability() throws ErrnoException {
        assertThat(arrivals(LinkSpec.rate(1_000_000_000).loss(0.1), 3000)).hasSizeBetween(2600, 2800);
    }

    @Test
    void duplicate_always_deliversTwice() throws ErrnoException {
        assertThat(arrivals(MS_A_PACKET.duplicate(1), 2)).containsExactly(MS, MS, 2 * MS, 2 * MS);
    }

    @Test
    void reorder_atRandom_holdsBackNoLongerThanTold() throws ErrnoException {
        final List<Long> at = arrivals(MS_A_PACKET.reorder(0.3, Duration.ofMillis(5)), 200);
        assertThat(at).hasSize(200).isSorted();
        final long onTime = LongStream.rangeClosed(1, 200).filter(i -> at.contains(i * MS)).count();
        assertThat(onTime).isBetween(110L, 170L);
        assertThat(at.getLast()).isLessThanOrEqualTo(205 * MS);
    }

    @Test
    void jitter_atRandom_delaysButKeepsTheOrder() throws ErrnoException {
        final List<Long> at = arrivals(MS_A_PACKET.jitter(Duration.ofMillis(3)), 200);
        assertThat(at).hasSize(200).isSorted();
        for (int i = 0; i < at.size(); i++) {
            assertThat(at.get(i)).isBetween((i + 1) * MS, (i + 1 + 3) * MS);
        }
        assertThat(IntStream.range(0, 200).filter(i -> at.get(i) > (i + 2) * MS).count()).isGreaterThan(50);
    }

    @Test
    void mark_queueOverThreshold_marksTheCapableOnly() throws ErrnoException {
        try (Netsim net = Netsim.seed(1)) {
            final LinkWay way = net.link(net.host("a"), net.host("b"), MS_A_PACKET.mark(2)).there();
            final Arrivals seen = new Arrivals(net, way);
            for (final int ecn : new int[] {2, 2, 2, 1, 0, 3}) {
                send(way, PACKET, ecn);
            }
            net.run(Duration.ofSeconds(1));
            assertThat(seen.marks).containsExactly(2, 2, 3, 3, 0, 3);
            assertThat(way.stats().marked()).isEqualTo(3);
        }
    }

    /** What comes in at the receiver, over a link on which all goes wrong. */
    private static long digest(final long seed) throws ErrnoException {
        try (Netsim net = Netsim.seed(seed)) {
            final LinkSpec spec = LinkSpec.rate(10_000_000).delay(Duration.ofMillis(5)).queue(20).loss(0.01)
                .reorder(0.01, Duration.ofMillis(3)).duplicate(0.01);
            final SimHost a = net.host("a");
            final SimHost b = net.host("b");
            final Arrivals seen = new Arrivals(net, net.link(a, b, spec).there());
            final SimFlow f = net.flow(a, b, 500_000);
            net.run(f::done);
            assertThat(f.received()).isEqualTo(500_000);
            return seen.digest();
        }
    }

    @Test
    void run_sameSeed_sameOctetsAtTheSameInstants() throws ErrnoException {
        final long first = digest(42);
        assertThat(digest(42)).isEqualTo(first);
        assertThat(digest(43)).isNotEqualTo(first);
    }

    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void flow_overIpv6_arrivesWhole(final LockStrategy strategy) throws ErrnoException {
        try (Netsim net = Netsim.builder().seed(3).family(SockAddr.AF_INET6).lockStrategy(strategy).build()) {
            final SimHost a = net.host("a");
            final SimHost b = net.host("b");
            net.link(a, b, LinkSpec.rate(20_000_000).delay(Duration.ofMillis(5)).queue(20).loss(0.01));
            final SimFlow f = net.flow(a, b, 300_000);
            final SimFlow back = net.flow(b, a, 300_000);
            net.run(() -> f.done() && back.done());
            assertThat(b.vnet().counters().get("ip6.delivered")).isPositive();
            assertThat(b.vnet().counters().get("ip.delivered")).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void flow_acrossRouters_arrivesWhole(final LockStrategy strategy) throws ErrnoException {
        try (Netsim net = Netsim.builder().seed(3).lockStrategy(strategy).build()) {
            final LinkSpec fast = LinkSpec.rate(1_000_000_000).delay(Duration.ofMillis(1));
            final List<SimHost> hosts = IntStream.range(0, 6).mapToObj(i -> net.host("h" + i)).toList();
            final SimHost left = net.host("left");
            final SimHost right = net.host("right");
            for (int i = 0; i < 6; i++) {
                net.link(hosts.get(i), i < 3 ? left : right, fast);
            }
            final SimLink bottleneck = net.link(left, right, LinkSpec.rate(20_000_000).queue(50));
            final List<SimFlow> flows = List.of(net.flow(hosts.get(0), hosts.get(3), 300_000),
                net.flow(hosts.get(1), hosts.get(4), 300_000), net.flow(hosts.get(5), hosts.get(2), 300_000));
            net.run(() -> flows.stream().allMatch(SimFlow::done));
            assertThat(bottleneck.there().stats().octets()).isGreaterThan(600_000);
            assertThat(bottleneck.back().stats().octets()).isGreaterThan(300_000);
        }
    }

    @Test
    void after_actions_runAtTheirInstantsInOrder() throws ErrnoException {
        try (Netsim net = Netsim.seed(1)) {
            final StringBuilder done = new StringBuilder();
            net.after(Duration.ofMillis(2), () -> done.append("c").append(net.elapsed().toMillis()));
            net.after(Duration.ofMillis(1), () -> done.append("a").append(net.elapsed().toMillis()));
            net.after(Duration.ofMillis(1), () -> done.append("b"));
            net.run(Duration.ofMillis(1));
            assertThat(done).hasToString("a1b");
            net.run(Duration.ofSeconds(1));
            assertThat(done).hasToString("a1bc2");
            assertThat(net.elapsed()).isEqualTo(Duration.ofMillis(1001));
        }
    }
}
