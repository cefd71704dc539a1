package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.wrap.Fault;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.uipc.api.SocketFile;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Octets that depend on their place, over bad links on a virtual clock, both ways at once, with every kind of loss
 * recovery. {@code -Dgatun.seed=N} runs one seed.
 */
class LossTest {
    private static final SockAddr RIGHT = SockAddr.of("10.0.0.2", Bed.PORT);
    private static final long DELAY = TimeUnit.MILLISECONDS.toNanos(5);
    private static final int OCTETS = 1_000_000;
    private static final int SEEDS = 6;

    static LongStream seeds() {
        final String given = System.getProperty("gatun.seed");
        return given != null ? LongStream.of(Long.parseLong(given)) : LongStream.rangeClosed(1, SEEDS);
    }

    /** Loses, duplicates, reorders, corrupts. */
    private static Fault.Config weather(final long seed) {
        return new Fault.Config(seed, 0.03, 0.02, 0.05, 0.01, DELAY, TimeUnit.MILLISECONDS.toNanos(1),
            TimeUnit.MILLISECONDS.toNanos(2), 10_000);
    }

    /** A transfer each way; answers the counter of the left end. */
    private static long transfer(final Bed bed, final long seed, final Fault.Config there, final Fault.Config back,
        final String counter) throws Exception {
        try {
            final Vnet a = bed.vnet("left");
            final Vnet b = bed.vnet("right");
            final Epair cable = bed.cable(a, b, Bed.ETHERNET);
            Fault.wrap(cable.a(), there);
            Fault.wrap(cable.b(), back);
            Bed.up(cable, "10.0.0.1/24", "10.0.0.2/24");
            final SocketFile[] c = bed.connection(a, b, RIGHT);
            bed.drive(new Flow(c[0], c[1], OCTETS, 20_000), new Flow(c[1], c[0], OCTETS / 4, 7777));
            final long n = a.counters().get("tcp." + counter);
            c[0].close();
            c[1].close();
            bed.advance(TimeUnit.MINUTES.toNanos(3));
            return n;
        } catch (final Exception | AssertionError e) {
            throw new AssertionError("-Dgatun.seed=" + seed, e);
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void sack_badWeather_everyOctetArrives(final long seed) throws Exception {
        try (Bed bed = new Bed(seed)) {
            assertThat(transfer(bed, seed, weather(seed), weather(~seed), "sack_rexmits")).isPositive();
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void rackOff_badWeather_everyOctetArrives(final long seed) throws Exception {
        try (Bed bed = new Bed(seed).sysctl("net.inet.tcp.rack.enable", "0")) {
            assertThat(transfer(bed, seed, weather(seed), weather(~seed), "sack_rexmits")).isPositive();
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void noSack_badWeather_everyOctetArrives(final long seed) throws Exception {
        try (Bed bed = new Bed(seed).sysctl("net.inet.tcp.sack.enable", "0")) {
            assertThat(transfer(bed, seed, weather(seed), weather(~seed), "sndrexmitpack")).isPositive();
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void noMaps_badWeather_everyOctetArrives(final long seed) throws Exception {
        try (Bed bed = new Bed(seed).sysctl("net.inet.tcp.map_limit", "0")) {
            assertThat(transfer(bed, seed, weather(seed), weather(~seed), "sack_rexmits")).isZero();
        }
    }
}
