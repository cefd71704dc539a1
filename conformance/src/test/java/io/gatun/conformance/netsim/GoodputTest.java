package io.gatun.conformance.netsim;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What TCP makes of links: rate, round trip, loss, queue. The table is {@code docs/goodput.md}; a run that differs from
 * it by more than a little fails. {@code -Dgatun.update} writes it anew; {@code -Dgatun.goodput=large} prints one with
 * more rows.
 */
class GoodputTest {
    private static final Path PAGE = Path.of("..", "docs", "goodput.md");
    private static final long SEED = Long.getLong("gatun.seed", 1L);
    private static final boolean LARGE = "large".equals(System.getProperty("gatun.goodput"));
    private static final double DRIFT = 0.05;
    /** Where a response function gives more than the link carries, the window is cut at the top: so much is wanted. */
    private static final double MOST_OF_A_LOSSY_LINK = 0.9;
    private static final double MOST_OF_A_LINK = 0.95;
    /** Bits that a row may cost to simulate. */
    private static final double BITS = 1.5e9;
    private static final int LONGEST_S = 30;
    private static final int V4 = SockAddr.AF_INET;
    private static final int V6 = SockAddr.AF_INET6;

    private static List<Goodput> rows() {
        final List<Goodput> all = new ArrayList<>();
        for (final int mbits : LARGE ? new int[] {1, 10, 50, 100, 300, 1000} : new int[] {10, 100, 1000}) {
            for (final int rtt : LARGE ? new int[] {1, 5, 10, 40, 100, 200} : new int[] {1, 10, 100}) {
                final int family = all.size() % 2 == 0 ? V4 : V6;
                all.add(new Goodput(family, mbits, rtt, 0, 1, "cubic"));
                all.add(new Goodput(V4 + V6 - family, mbits, rtt, 0.001, 1, "cubic"));
                all.add(new Goodput(family, mbits, rtt, 0.01, 1, "cubic"));
                if (LARGE) {
                    all.add(new Goodput(family, mbits, rtt, 0, 0.25, "cubic"));
                    all.add(new Goodput(family, mbits, rtt, 0, 0.5, "newreno"));
                }
                all.add(new Goodput(V4 + V6 - family, mbits, rtt, 0.01, 1, "newreno"));
            }
        }
        return all;
    }

    private static Duration span(final Goodput g) {
        final double s = Math.min(LONGEST_S, BITS / Math.min(g.most(), 1.5 * g.response()));
        return Duration.ofMillis((long) (1000 * s));
    }

    /** A row's key is its cells up to the goodput. */
    private static String key(final String row) {
        return row.substring(0, nth(row, 7));
    }

    private static double mbits(final String row) {
        return Double.parseDouble(row.substring(nth(row, 7) + 1, nth(row, 8)).trim());
    }

    private static int nth(final String row, final int n) {
        int at = -1;
        for (int i = 0; i < n; i++) {
            at = row.indexOf('|', at + 1);
        }
        return at;
    }

    @Test
    void table_everyRow_isAsKept_andAsGoodAsItMust() throws IOException, ErrnoException {
        final List<String> made = new ArrayList<>();
        for (final Goodput g : rows()) {
            final Goodput.Result r = g.run(SEED, span(g));
            final String row = g.row(r);
            made.add(row);
            final double clean = g.queue() >= 1 ? MOST_OF_A_LINK * g.most() : 0; // less queue, less to go on with
            final double least = g.loss() == 0 ? clean : Math.min(g.response(), MOST_OF_A_LOSSY_LINK * g.most());
            if (LARGE) {
                System.out.println(row + (r.bitsPerSecond() < least || r.timeouts() > 0 ? " falls short" : ""));
                continue;
            }
            assertThat(r.bitsPerSecond()).as("%s wants %.3f Mbit/s", row, least / 1e6).isGreaterThanOrEqualTo(least);
            assertThat(r.timeouts()).as("timeouts: %s", row).isZero();
        }
        if (!LARGE) {
            compare(made);
        }
    }

    private static void compare(final List<String> made) throws IOException {
        if (System.getProperty("gatun.update") != null) {
            Files.writeString(PAGE, HEAD + String.join("\n", made) + "\n");
        }
        final Map<String, Double> kept = Files.readString(PAGE).lines().filter(l -> l.startsWith("| IPv"))
            .collect(Collectors.toMap(GoodputTest::key, GoodputTest::mbits));
        assertThat(kept).as("rows of " + PAGE).hasSize(made.size());
        for (final String row : made) {
            final double was = kept.getOrDefault(key(row), 0.0);
            assertThat(mbits(row)).as("docs/goodput.md has %s Mbit/s: %s", was, row).isBetween(was * (1 - DRIFT),
                was * (1 + DRIFT));
        }
    }

    /** Whichever packet is lost, data, the last, or the FIN: it is made good without a retransmit timeout. */
    @ParameterizedTest
    @ValueSource(ints = {V4, V6})
    void singleLoss_anywhere_costsNoTimeout(final int family) throws ErrnoException {
        final int octets = 60_000;
        for (int lost = 1; lost <= 48; lost++) {
            for (final int rtt : new int[] {1, 30, 200}) {
                assertThat(timeouts(family, rtt, octets, lost)).as("packet %d of data lost, %d ms", lost, rtt)
                    .isZero();
            }
        }
    }

    /** As above, of short exchanges, in which nearly every packet is the last. */
    @ParameterizedTest
    @ValueSource(ints = {V4, V6})
    void singleLoss_ofAShortFlow_costsNoTimeout(final int family) throws ErrnoException {
        for (final int octets : new int[] {1, 1000, 2000, 5000, 14_000}) {
            for (int lost = 1; lost <= octets / 1400 + 2; lost++) {
                assertThat(timeouts(family, 40, octets, lost)).as("packet %d of %d octets lost", lost, octets).isZero();
            }
        }
    }

    /** Timeouts of a transfer of which the n-th packet with data or a FIN is lost. */
    private static long timeouts(final int family, final int rttMs, final int octets, final int n)
            throws ErrnoException {
        final int[] seen = new int[1];
        final PacketRule rule = (number, m, at) -> {
            final boolean v6 = m.getU8(at) >> 4 == 6;
            final int th = at + (v6 ? 40 : 20);
            if (m.pktLen() < th + 20 || m.getU16(at - 2) == 0x806 || m.getU8(v6 ? at + 6 : at + 9) != 6) {
                return false;
            }
            final int hlen = (m.getU8(th + 12) >> 4) * 4;
            return (m.pktLen() > th + hlen || (m.getU8(th + 13) & 1) != 0) && ++seen[0] == n;
        };
        try (Netsim net = Netsim.builder().seed(SEED).family(family).build()) {
            final SimHost a = net.host("a");
            final LinkSpec both = LinkSpec.rate(100_000_000).delay(Duration.ofMillis(rttMs).dividedBy(2));
            net.link(a, net.host("b"), both.lose(rule), both);
            final SimFlow f = net.flow(a, net.hosts().get(1), octets);
            net.run(f::done);
            net.run(Duration.ofSeconds(3));
            final long again = a.vnet().counters().get("tcp.sndrexmitpack")
                + a.vnet().counters().get("tcp.tlpresends");
            assertThat(again > 0).as("packet %d lost", n).isEqualTo(seen[0] >= n);
            return a.vnet().counters().get("tcp.rexmttimeo");
        }
    }

    /** Packets held back by up to a quarter of the round trip: once RACK has seen it, none is sent again. */
    @ParameterizedTest
    @ValueSource(ints = {V4, V6})
    void reordering_byAQuarterRoundTrip_onceLearnt_costsNoRetransmission(final int family) throws ErrnoException {
        try (Netsim net = Netsim.builder().seed(SEED).family(family).sysctl("net.inet.tcp.recvbuf_max", "200000")
            .build()) {
            final SimHost a = net.host("a");
            final LinkSpec both = LinkSpec.rate(50_000_000).delay(Duration.ofMillis(20));
            net.link(a, net.host("b"), both.reorder(0.05, Duration.ofMillis(10)), both);
            final SimFlow f = net.flow(a, net.hosts().get(1), SimFlow.ENDLESS);
            net.run(Duration.ofSeconds(10));
            final long before = a.vnet().counters().get("tcp.sndrexmitpack");
            assertThat(before).as("what it took to learn").isBetween(1L, 20L);
            final long received = f.received();
            net.run(Duration.ofSeconds(60));
            assertThat(a.vnet().counters().get("tcp.sndrexmitpack") - before).as("sent again, of %d segments",
                (f.received() - received) / 1448).isZero();
            assertThat(a.vnet().counters().get("tcp.rexmttimeo")).isZero();
        }
    }

    /** Two flows over one bottleneck, the second begun later: each has its half within a fifth. */
    @ParameterizedTest
    @ValueSource(strings = {"cubic", "newreno"})
    void twoFlows_shareABottleneck(final String cc) throws ErrnoException {
        for (final int family : new int[] {V4, V6}) {
            try (Netsim net = Netsim.builder().seed(SEED).family(family).build()) {
                final SimHost a = net.host("a");
                final SimHost b = net.host("b");
                final LinkSpec both = LinkSpec.rate(20_000_000).delay(Duration.ofMillis(10))
                    .jitter(Duration.ofMillis(1)); // two clocks in step would drop the same flow's packets for ever
                net.link(a, b, both.queue(33), both);
                final SimFlow one = net.flow(a, b, SimFlow.ENDLESS).congestion(cc);
                net.run(Duration.ofSeconds(5));
                final SimFlow two = net.flow(a, b, SimFlow.ENDLESS).congestion(cc);
                net.run(Duration.ofSeconds(20));
                final long before1 = one.received();
                final long before2 = two.received();
                net.run(Duration.ofSeconds(60));
                final double first = one.received() - before1;
                final double all = first + two.received() - before2;
                assertThat(first / all).as("share of the first of two, %s", cc).isBetween(0.4, 0.6);
                assertThat(all * Byte.SIZE / 60).as("bits per second in all").isGreaterThan(20e6 * 0.9);
            }
        }
    }

    private static final String HEAD = """
        # Goodput

        What one bulk transfer makes of one link, on the network simulator's virtual clock: the production stack at both
        ends, super-segments on, buffers tuned by themselves (`kern.ipc.maxsockbuf` and the two maxima of TCP raised to
        64 MiB), a packet of 1,500 octets at most, losses at random with a fixed seed. Measured once the transfer has
        settled. The queue is given as a share of what fits into link and round trip, at least 10 packets.
        Goodput is in Mbit/s. *Share* is of
        the payload that the link can carry; *response* is the goodput as a multiple of what the higher of the response
        functions of CUBIC and Reno (RFC 9438 section 5.1) gives for the loss, or of the link if that is less. The last
        three columns count from the connection's begin: packets that queue and link lost, segments sent again,
        retransmit timeouts (RTOs).

        `GoodputTest` makes this table, and fails where a row differs by more than 5 % from what stands here, falls
        below 95 % of a link without loss, below the response function (or nine tenths of the link) with loss, or has a
        timeout at all. After a change that is meant, run it with `-Dgatun.update`; `-Dgatun.goodput=large` prints more
        rows.

        | family | control | Mbit/s | RTT, ms | loss | queue | goodput | share | response | lost | again | RTOs |
        | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
        """;
}
