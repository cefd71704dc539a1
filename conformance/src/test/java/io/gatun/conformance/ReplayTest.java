package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.wrap.Fault;
import io.gatun.drivers.wrap.PcapTap;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.uipc.api.SocketFile;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Vnets on a virtual clock do the same every time: a seed gives the same packets at the same instants, in the worst
 * weather too. {@code -Dgatun.seed=N} runs another seed.
 */
class ReplayTest {
    private static final SockAddr RIGHT = SockAddr.of("10.0.0.2", Bed.PORT);
    private static final SockAddr RIGHT_UDP = SockAddr.of("10.0.0.2", 7);
    private static final int OCTETS = 300_000;
    private static final int DATAGRAMS = 40;
    private static final long DEFAULT_SEED = 1;
    private static final int SEEDS = 6;

    static LongStream seeds() {
        final String given = System.getProperty("gatun.seed");
        return given != null ? LongStream.of(Long.parseLong(given)) : LongStream.range(DEFAULT_SEED, SEEDS);
    }

    /** What both ends saw. */
    private static final class Trace {
        private final ByteArrayOutputStream left = new ByteArrayOutputStream();
        private final ByteArrayOutputStream right = new ByteArrayOutputStream();

        byte[] left() {
            return left.toByteArray();
        }

        byte[] right() {
            return right.toByteArray();
        }
    }

    private static Fault.Config weather(final long seed) {
        return new Fault.Config(seed, 0.02, 0.02, 0.05, 0.01, TimeUnit.MILLISECONDS.toNanos(2),
            TimeUnit.MICROSECONDS.toNanos(300), TimeUnit.MILLISECONDS.toNanos(1), 10_000);
    }

    private static Trace run(final long seed) throws Exception {
        final Trace trace = new Trace();
        try (Bed bed = new Bed(seed)) {
            final Vnet a = bed.vnet("left");
            final Vnet b = bed.vnet("right");
            final Epair cable = bed.cable(a, b, Bed.ETHERNET);
            final PcapTap tapA = tap(trace.left, cable.a());
            final PcapTap tapB = tap(trace.right, cable.b());
            Fault.wrap(cable.a(), weather(seed));
            Fault.wrap(cable.b(), weather(~seed));
            Bed.up(cable, "10.0.0.1/24", "10.0.0.2/24");
            traffic(bed, a, b);
            tapA.close();
            tapB.close();
        }
        return trace;
    }

    private static PcapTap tap(final ByteArrayOutputStream out, final Ifnet ifp) throws Exception {
        final PcapTap tap = new PcapTap(out, ifp);
        ifp.setBpf(tap);
        return tap;
    }

    private static void traffic(final Bed bed, final Vnet a, final Vnet b) throws Exception {
        final Pinger pinger = new Pinger(a);
        final SocketFile in = Bed.udp(b);
        in.bind(RIGHT_UDP);
        final SocketFile out = Bed.udp(a);
        out.connect(RIGHT_UDP);
        final SocketFile[] c = bed.connection(a, b, RIGHT);
        final ByteBuffer datagram = ByteBuffer.allocateDirect(500);
        for (int i = 0; i < DATAGRAMS; i++) {
            out.send(datagram.clear());
            pinger.ping("10.0.0.2", i * 50);
        }
        bed.drive(new Flow(c[0], c[1], OCTETS, 20_000), new Flow(c[1], c[0], OCTETS, 7777));
        int got = 0;
        while (in.receive(datagram.clear(), SocketDefs.MSG_DONTWAIT) >= 0) {
            got++;
        }
        assertThat(got).as("datagrams").isBetween(DATAGRAMS / 2, 2 * DATAGRAMS);
        assertThat(pinger.replies.size()).as("echo replies").isBetween(DATAGRAMS / 2, 2 * DATAGRAMS);
        c[0].close();
        c[1].close();
        in.close();
        out.close();
        bed.advance(TimeUnit.MINUTES.toNanos(3));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void sameSeed_sameOctets(final long seed) throws Exception {
        try {
            final Trace one = run(seed);
            final Trace two = run(seed);
            assertThat(one.left()).hasSizeGreaterThan(2 * OCTETS).isEqualTo(two.left());
            assertThat(one.right()).hasSizeGreaterThan(2 * OCTETS).isEqualTo(two.right());
        } catch (final Exception | AssertionError e) {
            throw new AssertionError("-Dgatun.seed=" + seed, e);
        }
    }

    @Test
    void otherSeed_otherOctets() throws Exception {
        assertThat(run(DEFAULT_SEED).left()).isNotEqualTo(run(DEFAULT_SEED + 1).left());
    }
}
