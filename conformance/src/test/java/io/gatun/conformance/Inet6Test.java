package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
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
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** TCP and UDP over IPv6 on lo and epair, under every lock strategy, with threads and without. */
class Inet6Test {
    private static final SockAddr LOOPBACK = SockAddr.of("::1", Bed.PORT);
    private static final SockAddr RIGHT = SockAddr.of("2001:db8::2", Bed.PORT);
    private static final int MEGABYTES = 2 << 20;

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Arguments.of(s, false), Arguments.of(s, true)));
    }

    private static Vnet loopback(final Bed bed) throws ErrnoException {
        final Vnet v = bed.loopback();
        Bed.config(v).addAddress(v.ifnets().byName("lo0"), "::1/128");
        return v;
    }

    private static Vnet[] pair(final Bed bed) throws ErrnoException {
        final Vnet a = bed.vnet("left");
        final Vnet b = bed.vnet("right");
        Bed.up(bed.cable(a, b, Bed.ETHERNET), "2001:db8::1/64", "2001:db8::2/64");
        return new Vnet[] {a, b};
    }

    private static SocketFile socket(final Vnet v, final int type) throws ErrnoException {
        return SocketFile.socket(v, SockAddr.AF_INET6, type, 0);
    }

    private static SocketFile[] connection(final Bed bed, final Vnet from, final Vnet to, final SockAddr at)
            throws ErrnoException {
        return connection(bed, socket(from, SocketDefs.SOCK_STREAM), socket(to, SocketDefs.SOCK_STREAM), at, at);
    }

    private static SocketFile[] connection(
            final Bed bed, final SocketFile a, final SocketFile head, final SockAddr at, final SockAddr to)
            throws ErrnoException {
        head.bind(at);
        head.listen(8);
        a.so().setNonBlocking(!bed.threads);
        head.so().setNonBlocking(!bed.threads);
        a.connect(to);
        SocketFile b = head.accept();
        while (b == null) {
            bed.run();
            b = head.accept();
            assertThat(b != null || bed.step()).as("the connection is made").isTrue();
        }
        b.so().setNonBlocking(!bed.threads);
        head.close();
        return new SocketFile[] {a, b};
    }

    private static void transfer(final Bed bed, final Flow f) throws Exception {
        if (!bed.threads) {
            bed.drive(f);
            return;
        }
        final FutureTask<Void> send = new FutureTask<>(() -> {
            f.sendAll();
            return null;
        });
        Thread.ofPlatform().daemon().start(send);
        f.receiveAll();
        send.get(60, TimeUnit.SECONDS);
    }

    private static void close(final SocketFile... all) throws ErrnoException {
        for (final SocketFile f : all) {
            f.close();
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void tcp_loopback(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 1)) {
            final Vnet v = loopback(bed);
            final SocketFile[] c = connection(bed, v, v, LOOPBACK);
            assertThat(c[1].peerAddress()).isEqualTo(c[0].localAddress());
            transfer(bed, new Flow(c[0], c[1], MEGABYTES, 100_000));
            close(c);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void tcp_ethernet_resolvedCutAndSummed(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 2)) {
            final Vnet[] v = pair(bed);
            final SocketFile[] c = connection(bed, v[0], v[1], RIGHT);
            transfer(bed, new Flow(c[0], c[1], MEGABYTES, 65_536));
            assertThat(c[0].getOption(InDefs.IPPROTO_TCP, InDefs.TCP_MAXSEG)).isLessThanOrEqualTo(1440);
            close(c);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void dualListener_takesIpv4AsMapped(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 3)) {
            final Vnet v = loopback(bed);
            final SocketFile head = socket(v, SocketDefs.SOCK_STREAM);
            head.setOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_V6ONLY, 0);
            final SocketFile[] c = connection(bed, Bed.tcp(v), head, SockAddr.of("::", Bed.PORT),
                SockAddr.of("127.0.0.1", Bed.PORT));
            assertThat(c[1].localAddress()).isEqualTo(SockAddr.of("::ffff:127.0.0.1", Bed.PORT));
            transfer(bed, new Flow(c[0], c[1], MEGABYTES, 100_000));
            close(c);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void udp_ethernet_exchange(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 4)) {
            final Vnet[] v = pair(bed);
            final SocketFile server = socket(v[1], SocketDefs.SOCK_DGRAM);
            server.bind(RIGHT);
            final SocketFile client = socket(v[0], SocketDefs.SOCK_DGRAM);
            client.connect(RIGHT);
            final SockAddr from = new SockAddr();
            for (int i = 0; i < 200; i++) {
                client.send(ByteBuffer.allocate(4 + i * 7).putInt(0, i));
                final ByteBuffer in = ByteBuffer.allocate(2000);
                assertThat(server.recvfrom(in, 0, from)).isEqualTo(4 + i * 7);
                server.sendto(in.flip(), 0, from);
                assertThat(client.receive(in.clear())).isEqualTo(4 + i * 7);
                assertThat(in.getInt(0)).isEqualTo(i);
            }
            close(server, client);
        }
    }

    @Test
    void linkLocal_withZone_reachesTheNeighbour() throws Exception {
        try (Bed bed = new Bed(5)) {
            final Vnet[] v = pair(bed);
            final Ifnet out = v[0].ifnets().byName("epair0a");
            final String peer = v[1].ifnets().byName("epair0b").addrs().stream().map(a -> a.addr())
                .filter(a -> a.hi() >>> 48 == 0xfe80).findFirst().orElseThrow().host().replaceAll("%.*", "");
            final SocketFile[] c = connection(bed, socket(v[0], SocketDefs.SOCK_STREAM),
                socket(v[1], SocketDefs.SOCK_STREAM), SockAddr.of("::", Bed.PORT),
                SockAddr.of(peer + "%epair0a", Bed.PORT, v[0].ifnets()));
            assertThat(c[0].peerAddress()).isEqualTo(SockAddr.of(peer + "%" + out.index(), Bed.PORT));
            transfer(bed, new Flow(c[0], c[1], 100_000, 10_000));
            close(c);
        }
    }

    @Test
    void nobodyThere_refusedByResetAndByIcmp6() throws Exception {
        try (Bed bed = new Bed(6)) {
            final Vnet v = loopback(bed);
            final SocketFile tcp = socket(v, SocketDefs.SOCK_STREAM);
            assertThatThrownBy(() -> tcp.connect(LOOPBACK)).hasMessageContaining("ECONNREFUSED");
            final SocketFile udp = socket(v, SocketDefs.SOCK_DGRAM);
            udp.connect(LOOPBACK);
            udp.send(ByteBuffer.allocate(1));
            bed.run();
            assertThatThrownBy(() -> udp.receive(ByteBuffer.allocate(1))).hasMessageContaining("ECONNREFUSED");
            assertThat(v.drops(DropReason.UDP_NOPORT)).isEqualTo(1);
            close(tcp, udp);
        }
    }

    /** The address has no owner: three solicitations a second apart, then what waited is dropped. */
    @Test
    @Tag("RFC4861-7.2.2")
    void noNeighbour_threeSolicitationsThenDropped_toTheMillisecond() throws Exception {
        try (Bed bed = new Bed(7)) {
            final Vnet[] v = pair(bed);
            final SocketFile udp = socket(v[0], SocketDefs.SOCK_DGRAM);
            udp.connect(SockAddr.of("2001:db8::99", 9));
            udp.send(ByteBuffer.allocate(1));
            bed.advance(2_999_000_000L);
            assertThat(v[0].drops(DropReason.ND6_TIMEOUT)).isZero();
            bed.advance(1_000_000L);
            assertThat(v[0].drops(DropReason.ND6_TIMEOUT)).isEqualTo(1);
            udp.close();
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void steadyState_allocatesNothing(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 8)) {
            final Vnet[] v = pair(bed);
            final SocketFile[] c = connection(bed, v[0], v[1], RIGHT);
            c[0].so().setNonBlocking(true);
            c[1].so().setNonBlocking(true);
            final Flow flow = new Flow(c[0], c[1], Long.MAX_VALUE, 16_384);
            final SocketFile in = socket(v[1], SocketDefs.SOCK_DGRAM);
            in.bind(RIGHT);
            final SocketFile out = socket(v[0], SocketDefs.SOCK_DGRAM);
            out.connect(RIGHT);
            final MemorySegment octets = Arena.ofAuto().allocate(64);
            final long[] moved = new long[1];
            measure(bed, () -> {
                flow.sendSome();
                flow.receiveSome();
                moved[0] += out.send(octets, 0, 64, 0);
                long n = in.receive(octets, 0, 64, SocketDefs.MSG_DONTWAIT);
                while (n < 0 && threads) {
                    Thread.yield(); // another thread has it; sent without end, they would fill its queue
                    n = in.receive(octets, 0, 64, SocketDefs.MSG_DONTWAIT);
                }
                moved[0] += Math.max(0, n);
            });
            assertThat(flow.received()).isPositive();
            assertThat(moved[0]).isPositive();
            close(c);
            close(in, out);
        }
    }

    @FunctionalInterface
    private interface Round {
        void run() throws ErrnoException;
    }

    private static void measure(final Bed bed, final Round round) throws ErrnoException {
        assertThat(Steady.octets(8000, () -> {
            round.run();
            if (!bed.threads) {
                bed.clock.advance(20_000);
                bed.run();
            }
        })).as("octets of heap in 8000 rounds").isZero();
    }
}
