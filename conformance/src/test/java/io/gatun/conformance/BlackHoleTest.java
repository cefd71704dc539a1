package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.epair.Epair;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetSlots;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.SocketFile;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A path that swallows large packets and does not say so, plain and within UDP, over both families. */
class BlackHoleTest {
    private static final String DETECT = "net.inet.tcp.pmtud_blackhole_detection";
    private static final String TUNNEL = "net.inet.tcp.udp_tunneling_port";
    private static final int PORT = 9899;
    private static final int LARGEST = 1320;
    private static final int ETHER = 14;
    private static final long MS = 1_000_000;
    /** A search that could gain less is over. */
    private static final long THRESHOLD = 8;
    private static final int OCTETS = 200_000;

    static Stream<Arguments> ways() {
        return IntStream.of(SockAddr.AF_INET, SockAddr.AF_INET6).boxed()
            .flatMap(f -> Stream.of(Arguments.of(f, false), Arguments.of(f, true)));
    }

    /** Two hosts; what goes out at either end and fits {@code lost} is lost. */
    private static Vnet[] pair(final Bed bed, final int family, final boolean within, final Predicate<Mbuf> lost)
            throws ErrnoException {
        return pair(bed, family, within, lost, Bed.ETHERNET);
    }

    private static Vnet[] pair(final Bed bed, final int family, final boolean within, final Predicate<Mbuf> lost,
            final Epair.Config config) throws ErrnoException {
        final Vnet a = bed.sysctl(TUNNEL, within ? String.valueOf(PORT) : "0").vnet("left");
        final Vnet b = bed.vnet("right");
        final Epair cable = bed.cable(a, b, config);
        for (final Ifnet ifp : new Ifnet[] {cable.a(), cable.b()}) {
            final IfnetSlots.TransmitFn below = ifp.transmitFn();
            ifp.setTransmitFn((i, m) -> {
                if (lost.test(m)) {
                    m.freeChain();
                    return Errno.OK;
                }
                return below.transmit(i, m);
            });
        }
        final boolean four = family == SockAddr.AF_INET;
        Bed.up(cable, four ? "10.0.0.1/24" : "2001:db8::1/64", four ? "10.0.0.2/24" : "2001:db8::2/64");
        return new Vnet[] {a, b};
    }

    private static SocketFile[] connection(final Bed bed, final Vnet[] v, final int family, final boolean within)
            throws ErrnoException {
        final SocketFile so = Bed.tcp(v[0], family);
        if (within) {
            so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_REMOTE_UDP_ENCAPS_PORT, PORT);
        }
        return bed.connection(so, v[1],
            SockAddr.of(family == SockAddr.AF_INET ? "10.0.0.2" : "2001:db8::2", Bed.PORT));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void detected_transferEnds(final int family, final boolean within) throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet[] v = pair(bed, family, within, m -> m.pktLen() > LARGEST);
            assertThat(v[0].sysctl().set(DETECT, "1")).isEqualTo(Errno.OK);
            final SocketFile[] c = connection(bed, v, family, within);
            bed.drive(new Flow(c[0], c[1], OCTETS, 10_000));
            // over IPv6 the first size tried is the least one
            final String tried = family == SockAddr.AF_INET ? "activated" : "activated_min_mss";
            assertThat(v[0].counters().get("tcp.pmtud_blackhole_" + tried)).isPositive();
            assertThat(v[0].counters().get("tcp.pmtud_blackhole_failed")).isZero();
            assertThat(c[0].getOption(InDefs.IPPROTO_TCP, InDefs.TCP_MAXSEG)).isBetween(1000L, 1260L);
            c[0].close();
            c[1].close();
        }
    }

    /** What the path takes is found to a few octets: from below a black hole, or without ever meeting one. */
    @ParameterizedTest
    @CsvSource({"2,1,1500,1320", "2,2,1500,1320", "28,1,1500,1320", "28,2,1500,1320", "2,1,9000,6000", "2,2,9000,6000",
        "28,2,9000,6000", "2,2,9000,9014"})
    @Tag("RFC4821-7.3")
    void probed_segmentsAreAsLargeAsThePathTakes(final int family, final int mode, final int link, final int path)
            throws Exception {
        try (Bed bed = new Bed(1)) {
            final Epair.Config cable = new Epair.Config(link, 4096, true, false);
            final Vnet[] v = pair(bed, family, false, m -> m.pktLen() > path, cable);
            assertThat(v[0].sysctl().set(DETECT, "1")).isEqualTo(Errno.OK);
            assertThat(v[0].sysctl().set("net.inet.tcp.plpmtud.enable", String.valueOf(mode))).isEqualTo(Errno.OK);
            assertThat(v[0].sysctl().set("net.inet.tcp.sendbuf_max", "65536")).isEqualTo(Errno.OK);
            final SocketFile[] c = connection(bed, v, family, false);
            final Flow flow = new Flow(c[0], c[1], 500 * OCTETS, OCTETS);
            final long largest = (long) path - ETHER - (family == SockAddr.AF_INET ? 40 : 60);
            final long[] found = new long[1];
            bed.drive(() -> {
                bed.advance(MS); // so that there are round trips
                found[0] = maxseg(c[0]);
                return flow.ended() || found[0] >= largest - THRESHOLD && found[0] <= largest;
            }, flow);
            assertThat(found[0]).isBetween(largest - THRESHOLD, largest);
            assertThat(v[0].counters().get("tcp.plpmtud_raised")).isPositive();
            assertThat(v[0].counters().get("tcp.rexmttimeo")).as("of the black hole").isEqualTo(mode == 1 ? 2 : 0);
            assertThat(v[0].counters().get("tcp.fastrexmit")).as("a lost probe is no congestion").isZero();
            c[0].close();
            c[1].close();
        }
    }

    private static long maxseg(final SocketFile so) {
        try {
            return so.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_MAXSEG);
        } catch (final ErrnoException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void notDetected_connectionTimesOut(final int family, final boolean within) throws Exception {
        try (Bed bed = new Bed(2)) {
            final Vnet[] v = pair(bed, family, within, m -> m.pktLen() > LARGEST);
            final SocketFile[] c = connection(bed, v, family, within);
            final Flow flow = new Flow(c[0], c[1], OCTETS, 10_000);
            assertThatThrownBy(() -> bed.drive(flow)).isInstanceOf(ErrnoException.class);
            assertThat(v[0].counters().get("tcp.timeoutdrop")).isEqualTo(1);
            assertThat(flow.received()).isZero();
            c[0].close();
            c[1].close();
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void lossInBothDirections_transferEnds_whole(final int family, final boolean within) throws Exception {
        final long seed = Long.getLong("gatun.seed", 3);
        final SplittableRandom r = new SplittableRandom(seed);
        try (Bed bed = new Bed(seed)) {
            final Vnet[] v = pair(bed, family, within, m -> m.pktLen() > 60 && r.nextInt(20) == 0);
            final SocketFile[] c = connection(bed, v, family, within);
            final Flow flow = new Flow(c[0], c[1], OCTETS, 7000);
            final Flow back = new Flow(c[1], c[0], OCTETS, 3000);
            bed.drive(flow, back);
            assertThat(v[0].counters().get("tcp.sndrexmitpack")).as("seed=%d", seed).isPositive();
            c[0].close();
            c[1].close();
        }
    }
}
