package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What sockets promise holds under every lock strategy, with threads and without. */
class StrategiesTest {
    private static final SockAddr LOOPBACK = SockAddr.of("127.0.0.1", Bed.PORT);
    private static final SockAddr RIGHT = SockAddr.of("10.0.0.2", Bed.PORT);
    private static final int MEGABYTES = 4 << 20;
    private static final int CONNECTIONS = 50;
    private static final int EACH = 50_000;
    private static final long PATIENCE_S = 60;

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Arguments.of(s, false), Arguments.of(s, true)));
    }

    /** Past the segments, and in them. */
    static Stream<Arguments> loopbacks() {
        return modes().flatMap(a -> Stream.of("1", "0").map(f -> Arguments.of(a.get()[0], a.get()[1], f)));
    }

    static Stream<LockStrategy> strategies() {
        return Stream.of(LockStrategy.values());
    }

    @FunctionalInterface
    private interface Work {
        void run() throws Exception;
    }

    private static void close(final SocketFile... sockets) throws ErrnoException {
        for (final SocketFile so : sockets) {
            so.close();
        }
    }

    @ParameterizedTest
    @MethodSource("loopbacks")
    void loopback_bothDirectionsAtOnce(final LockStrategy strategy, final boolean threads, final String fusion)
            throws Exception {
        try (Bed bed = new Bed(strategy, threads, 1).sysctl("net.inet.tcp.fusion", fusion)) {
            final Vnet v = bed.loopback();
            final SocketFile[] c = bed.connection(v, v, LOOPBACK);
            bed.transfer(new Flow(c[0], c[1], MEGABYTES, 100_000), new Flow(c[1], c[0], MEGABYTES, 1448));
            close(c);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void ethernet_bothDirectionsAtOnce(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 2)) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            final SocketFile[] c = bed.connection(v[0], v[1], RIGHT);
            bed.transfer(new Flow(c[0], c[1], MEGABYTES, 65_536), new Flow(c[1], c[0], MEGABYTES, 9999));
            close(c);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    @Tag("RFC9293-MUST-41")
    @Tag("RFC9293-MUST-42")
    void manyConnections_atOnce(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 3)) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            final List<SocketFile> sockets = new ArrayList<>();
            final List<Flow> flows = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                final SocketFile[] c = bed.connection(v[0], v[1], SockAddr.of("10.0.0.2", Bed.PORT + i));
                sockets.addAll(List.of(c));
                flows.add(new Flow(c[i % 2], c[1 - i % 2], EACH, 4000 + i));
            }
            bed.transfer(flows.toArray(Flow[]::new));
            close(sockets.toArray(SocketFile[]::new));
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void halfClose_otherHalfGoesOn(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 4)) {
            final Vnet v = bed.loopback();
            final SocketFile[] c = bed.connection(v, v, LOOPBACK);
            bed.transfer(new Flow(c[0], c[1], 0, 1));
            assertThatThrownBy(() -> c[0].send(ByteBuffer.allocate(1))).isInstanceOf(ErrnoException.class)
                .hasMessageContaining("EPIPE");
            bed.transfer(new Flow(c[1], c[0], 300_000, 5000));
            close(c);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    @Tag("RFC9293-MUST-12")
    void reset_isTold(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 5)) {
            final Vnet v = bed.loopback();
            final SocketFile[] c = bed.connection(v, v, LOOPBACK);
            c[0].setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
            c[0].close();
            assertErrno(() -> c[1].receive(ByteBuffer.allocate(1)), Errno.ECONNRESET);
            assertErrno(() -> c[1].send(ByteBuffer.allocate(1)), Errno.EPIPE);
            c[1].close();
        }
    }

    private static void assertErrno(final Work work, final Errno errno) {
        assertThatThrownBy(work::run).isInstanceOf(ErrnoException.class).hasMessageContaining(errno.name());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void nobodyListens_refused(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 6)) {
            final Vnet v = bed.loopback();
            final SocketFile so = Bed.tcp(v);
            assertErrno(() -> so.connect(LOOPBACK), Errno.ECONNREFUSED);
            so.close();
        }
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void close_endsABlockedRead(final LockStrategy strategy) throws Exception {
        try (Bed bed = new Bed(strategy, true, 7)) {
            final Vnet v = bed.loopback();
            final SocketFile[] c = bed.connection(v, v, LOOPBACK);
            final Thread[] reader = new Thread[1];
            final FutureTask<Void> blocked = new FutureTask<>(() -> {
                assertErrno(() -> c[1].receive(ByteBuffer.allocate(1)), Errno.EBADF);
                return null;
            });
            reader[0] = Thread.ofPlatform().daemon().start(blocked);
            while (reader[0].getState() != Thread.State.WAITING && reader[0].isAlive()) {
                Thread.onSpinWait();
            }
            c[1].close();
            blocked.get(PATIENCE_S, TimeUnit.SECONDS);
            c[0].close();
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void acceptQueue_overflows_andRecovers(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 8)) {
            final Vnet v = bed.loopback();
            final SocketFile head = Bed.listener(v, LOOPBACK, 4);
            head.setNonBlocking(true);
            final List<SocketFile> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                final SocketFile so = Bed.tcp(v);
                so.setNonBlocking(true);
                connectOrReset(so);
                clients.add(so);
            }
            int accepted = 0;
            for (SocketFile child = head.accept(); child != null; child = head.accept()) {
                accepted++;
                child.close();
            }
            assertThat(accepted).isBetween(4, 8);
            assertThat(v.counters().get("socket.listenoverflow")).isPositive();
            final SocketFile late = Bed.tcp(v);
            late.connect(LOOPBACK);
            final SocketFile child = head.accept();
            assertThat(child).isNotNull();
            close(child, late, head);
            close(clients.toArray(SocketFile[]::new));
        }
    }

    /** Whoever completes a handshake that finds the queue full is reset (net.inet.tcp.syncache.rst_on_sock_fail). */
    private static void connectOrReset(final SocketFile so) {
        try {
            so.connect(LOOPBACK);
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isEqualTo(Errno.ECONNRESET);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void nonBlockingConnect_pollsWritable(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 9)) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            final SocketFile head = Bed.listener(v[1], RIGHT, 4);
            final SocketFile so = Bed.tcp(v[0]);
            so.setNonBlocking(true);
            so.connect(RIGHT);
            while ((so.poll(SocketDefs.POLLOUT) & SocketDefs.POLLOUT) == 0) {
                if (bed.threads) {
                    Thread.onSpinWait();
                } else {
                    assertThat(bed.run() || bed.step()).isTrue();
                }
            }
            assertThat(so.getOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_ERROR)).isZero();
            final SocketFile child = head.accept();
            assertThat(child.peerAddress()).isEqualTo(so.localAddress());
            close(child, so, head);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void udp_exchange(final LockStrategy strategy, final boolean threads) throws Exception {
        try (Bed bed = new Bed(strategy, threads, 10)) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            final SocketFile server = Bed.udp(v[1]);
            server.bind(RIGHT);
            final SocketFile client = Bed.udp(v[0]);
            client.connect(RIGHT);
            final SockAddr from = new SockAddr();
            for (int i = 0; i < 500; i++) {
                final ByteBuffer out = ByteBuffer.allocate(4 + i % 9000).putInt(0, i);
                client.send(out);
                final ByteBuffer in = ByteBuffer.allocate(10_000);
                assertThat(server.recvfrom(in, 0, from)).isEqualTo(out.capacity());
                server.sendto(in.flip(), 0, from);
                assertThat(client.receive(in.clear())).isEqualTo(out.capacity());
                assertThat(in.getInt(0)).isEqualTo(i);
            }
            close(server, client);
        }
    }
}
