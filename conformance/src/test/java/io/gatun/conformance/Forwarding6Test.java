package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Hosts in a row that speak IPv6, those in the middle routers. */
class Forwarding6Test {
    private static final Epair.Config NARROW = new Epair.Config(1300, 4096, true, false);
    private static final SockAddr RIGHT = SockAddr.of("2001:db8:2::1", Bed.PORT);
    private static final int MEGABYTE = 1 << 20;
    private static final int ROUNDS = 10_000;

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Arguments.of(s, false), Arguments.of(s, true)));
    }

    /** Left, router, router, right; the link between the routers is the one given. */
    private static Vnet[] row(final Bed bed, final Epair.Config middle) throws ErrnoException {
        final Vnet a = bed.vnet("left");
        final Vnet r = bed.vnet("router");
        final Vnet r2 = bed.vnet("far router");
        final Vnet b = bed.vnet("right");
        Bed.up(bed.cable(a, r, Bed.ETHERNET), "2001:db8:1::1/64", "2001:db8:1::fe/64");
        Bed.up(bed.cable(r, r2, middle), "2001:db8:3::1/64", "2001:db8:3::2/64");
        Bed.up(bed.cable(r2, b, Bed.ETHERNET), "2001:db8:2::fe/64", "2001:db8:2::1/64");
        Bed.config(r).setForwarding6(true);
        Bed.config(r2).setForwarding6(true);
        Bed.config(a).addRoute("::/0", "2001:db8:1::fe", null);
        Bed.config(r).addRoute("2001:db8:2::/64", "2001:db8:3::2", null);
        Bed.config(r2).addRoute("2001:db8:1::/64", "2001:db8:3::1", null);
        Bed.config(b).addRoute("::/0", "2001:db8:2::fe", null);
        if (!bed.threads) {
            bed.advance(3_000_000_000L);
        }
        return new Vnet[] {a, r, r2, b};
    }

    private static SocketFile[] connection(final Bed bed, final Vnet from, final Vnet to) throws ErrnoException {
        final SocketFile head = SocketFile.socket(to, SockAddr.AF_INET6, SocketDefs.SOCK_STREAM, 0);
        final SocketFile a = SocketFile.socket(from, SockAddr.AF_INET6, SocketDefs.SOCK_STREAM, 0);
        head.bind(RIGHT);
        head.listen(8);
        a.so().setNonBlocking(!bed.threads);
        head.so().setNonBlocking(!bed.threads);
        a.connect(RIGHT);
        SocketFile b = head.accept();
        while (b == null) {
            bed.run();
            b = head.accept();
            assertThat(b != null || bed.step()).as("the connection is made").isTrue();
        }
        b.so().setNonBlocking(true);
        a.so().setNonBlocking(true);
        head.close();
        return new SocketFile[] {a, b};
    }

    private static int mss(final SocketFile so) throws ErrnoException {
        return so.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class).sndMss();
    }

    @Test
    void tcp_narrowLinkInTheMiddle_pathMtuIsLearnt_allArrives() throws ErrnoException {
        try (Bed bed = new Bed(1)) {
            final Vnet[] v = row(bed, NARROW);
            final SocketFile[] c = connection(bed, v[0], v[3]);
            assertThat(mss(c[0])).isBetween(1380, 1440);
            final Flow there = new Flow(c[0], c[1], 2 * MEGABYTE, 65_536);
            final Flow back = new Flow(c[1], c[0], 2 * MEGABYTE, 65_536);
            bed.drive(() -> there.received() > MEGABYTE && back.received() > MEGABYTE, there, back);
            assertThat(mss(c[0])).isBetween(1200, 1240);
            assertThat(mss(c[1])).isBetween(1200, 1240);
            assertThat(v[1].drops(DropReason.IP_CANTFRAG)).isPositive();
            bed.drive(there, back);
            assertThat(v[1].counters().get("ip6.forward")).isGreaterThan(2 * MEGABYTE / 1500);
            c[0].close();
            c[1].close();
        }
    }

    /** The first datagram finds the path out and is lost; the next is cut to it. */
    @Test
    void udp_largeDatagrams_cutToThePath() throws ErrnoException {
        try (Bed bed = new Bed(2)) {
            bed.sysctl("net.inet.udp.maxdgram", "65535");
            final Vnet[] v = row(bed, NARROW);
            final SocketFile in = SocketFile.socket(v[3], SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0);
            in.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 200_000);
            in.bind(RIGHT);
            in.so().setNonBlocking(true);
            final SocketFile out = SocketFile.socket(v[0], SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0);
            final byte[] sent = new byte[60_000];
            new SplittableRandom(2).nextBytes(sent);
            final ByteBuffer got = ByteBuffer.allocate(70_000);
            out.sendto(ByteBuffer.allocate(1), 0, RIGHT); // neighbours get to know each other
            bed.run();
            assertThat(in.receive(got.clear())).isEqualTo(1);
            out.sendto(ByteBuffer.allocate(1400), 0, RIGHT);
            bed.run();
            assertThat(in.receive(got.clear())).isLessThan(0);
            out.sendto(ByteBuffer.wrap(sent), 0, RIGHT);
            bed.run();
            assertThat(in.receive(got.clear())).isEqualTo(sent.length);
            assertThat(got.flip()).isEqualTo(ByteBuffer.wrap(sent));
            assertThat(v[1].drops(DropReason.IP_CANTFRAG)).isEqualTo(1);
            in.close();
            out.close();
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void steadyState_allocatesNothing(final LockStrategy strategy, final boolean threads) throws ErrnoException {
        try (Bed bed = new Bed(strategy, threads, 3)) {
            final Vnet[] v = row(bed, Bed.ETHERNET);
            final SocketFile[] c = connection(bed, v[0], v[3]);
            final Flow flow = new Flow(c[0], c[1], Long.MAX_VALUE, 16_384);
            final SocketFile in = SocketFile.socket(v[3], SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0);
            in.bind(RIGHT);
            final SocketFile out = SocketFile.socket(v[0], SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0);
            out.connect(RIGHT);
            final MemorySegment octets = Arena.ofAuto().allocate(64);
            final boolean[] under = new boolean[1];
            assertThat(Steady.octets(ROUNDS, () -> {
                flow.sendSome();
                flow.receiveSome();
                // One at a time: with threads the others may not have had a processor for as long as a queue takes.
                if (!under[0]) {
                    out.send(octets, 0, 64, 0);
                }
                under[0] = in.receive(octets, 0, 64, SocketDefs.MSG_DONTWAIT) < 0;
                if (!threads) {
                    bed.clock.advance(20_000);
                    bed.run();
                }
            })).as("octets of heap in %d rounds", ROUNDS).isZero();
            assertThat(v[1].counters().get("ip6.forward")).isGreaterThan(ROUNDS);
            c[0].close();
            c[1].close();
            in.close();
            out.close();
        }
    }
}
