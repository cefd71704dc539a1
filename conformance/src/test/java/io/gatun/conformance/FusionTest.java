package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Connections within one stack whose text goes past the segments: nobody can tell but by the counters, whatever else
 * happens to them, and whoever listens on the interface sees segments.
 */
class FusionTest {
    private static final SockAddr FOUR = SockAddr.of("127.0.0.1", Bed.PORT);
    private static final SockAddr SIX = SockAddr.of("::1", Bed.PORT);
    private static final int MEGABYTES = 4 << 20;
    private static final int STEPS = 60;
    private static final int MOST_UNREAD = 12_000;
    private static final int MOST = 3000;
    private static final long SETTLE_NS = 700_000_000L;
    private static final long HOURS_NS = TimeUnit.HOURS.toNanos(3);

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values()).flatMap(s -> Stream.of(FOUR, SIX)
            .flatMap(at -> Stream.of(Arguments.of(s, false, at), Arguments.of(s, true, at))));
    }

    private static Vnet dual(final Bed bed) throws ErrnoException {
        final Vnet v = bed.loopback();
        Bed.config(v).addAddress(lo(v), "::1/128");
        return v;
    }

    private static Ifnet lo(final Vnet v) {
        return v.ifnets().byName("lo0");
    }

    private static long count(final Vnet v, final String counter) {
        return v.counters().get(counter);
    }

    private static void close(final SocketFile... sockets) throws ErrnoException {
        for (final SocketFile so : sockets) {
            so.close();
        }
    }

    // ---- what goes past the segments ------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("modes")
    void bothDirectionsAtOnce_goPastTheSegments(final LockStrategy locks, final boolean threads, final SockAddr at)
            throws Exception {
        try (Bed bed = new Bed(locks, threads, 1)) {
            final Vnet v = dual(bed);
            final SocketFile[] c = bed.connection(v, v, at);
            bed.transfer(new Flow(c[0], c[1], MEGABYTES, 100_000), new Flow(c[1], c[0], MEGABYTES, 1448));
            close(c);
            assertThat(count(v, "tcp.fused")).isPositive();
            assertThat(count(v, "tcp.fusedbyte") + count(v, "tcp.sndbyte")).isEqualTo(2L * MEGABYTES);
            if (!threads) {
                assertThat(count(v, "tcp.sndbyte")).as("octets in segments").isZero();
            }
        }
    }

    @Test
    void turnedOff_allIsSegments() throws Exception {
        try (Bed bed = new Bed(1).sysctl("net.inet.tcp.fusion", "0")) {
            final Vnet v = dual(bed);
            final SocketFile[] c = bed.connection(v, v, FOUR);
            bed.transfer(new Flow(c[0], c[1], MEGABYTES, 100_000));
            close(c);
            assertThat(count(v, "tcp.fused")).isZero();
            assertThat(count(v, "tcp.sndbyte")).isEqualTo(MEGABYTES);
        }
    }

    @Test
    void tcpInfo_countsWhatWentPast() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = dual(bed);
            final SocketFile[] c = bed.connection(v, v, FOUR);
            final TcpInfo before = c[0].getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class);
            send(c[0], 1000, 0);
            final TcpInfo after = c[0].getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class);
            final TcpInfo there = c[1].getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class);
            assertThat(after.sndNxt() - before.sndNxt()).isEqualTo(1000);
            assertThat(there.rcvNxt()).isEqualTo(after.sndNxt());
            close(c);
        }
    }

    @Test
    void whoListens_seesSegmentsFromThenOn() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = dual(bed);
            final SocketFile[] c = bed.connection(v, v, FOUR);
            send(c[0], 1000, 0);
            final long[] seen = new long[1];
            lo(v).setBpf((ifp, m, outbound) -> seen[0] += m.pktLen());
            send(c[0], 1000, 0);
            bed.run();
            assertThat(seen[0]).isGreaterThan(1000);
            assertThat(count(v, "tcp.sndbyte")).isEqualTo(1000);
            lo(v).setBpf(null);
            bed.advance(SETTLE_NS);
            send(c[0], 1000, 0);
            assertThat(count(v, "tcp.fused")).isEqualTo(2);
            assertThat(receive(c[1], 10_000, 0)).startsWith("3000 ");
            close(c);
        }
    }

    // ---- with threads ------------------------------------------------------------

    /** Buffers so small that each end waits for the other all the time, and directions joined and parted under way. */
    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void smallBuffers_tapComesAndGoes_nothingIsLost(final LockStrategy locks) throws Exception {
        try (Bed bed = new Bed(locks, true, 1)) {
            final Vnet v = dual(bed);
            final SocketFile[] c = bed.connection(v, v, FOUR);
            for (final SocketFile so : c) {
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_SNDBUF, 4096);
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 4096);
            }
            final Flow there = new Flow(c[0], c[1], MEGABYTES / 32, 3000);
            final Flow back = new Flow(c[1], c[0], MEGABYTES / 32, 500);
            final FutureTask<Void> both = new FutureTask<>(() -> {
                bed.transfer(there, back);
                return null;
            });
            Thread.ofPlatform().daemon().start(both);
            final SplittableRandom random = new SplittableRandom(7);
            while (!both.isDone()) {
                lo(v).setBpf(random.nextInt(3) == 0 ? (ifp, m, outbound) -> { } : null);
                for (int i = random.nextInt(2000); i > 0; i--) {
                    Thread.onSpinWait();
                }
            }
            lo(v).setBpf(null);
            both.get();
            close(c);
            assertThat(count(v, "tcp.fused")).isPositive();
        }
    }

    /** The writer waits for room that only the reader makes, and the reader for octets, with nothing to time out. */
    @ParameterizedTest
    @MethodSource("modes")
    void smallBuffers_waitersAreWoken(final LockStrategy locks, final boolean threads, final SockAddr at)
            throws Exception {
        try (Bed bed = new Bed(locks, threads, 1).sysctl("kern.ipc.spin_ns", "0")) {
            final Vnet v = dual(bed);
            final SocketFile[] c = bed.connection(v, v, at);
            for (final SocketFile so : c) {
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_SNDBUF, 4096);
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 4096);
            }
            bed.transfer(new Flow(c[0], c[1], MEGABYTES / 16, 4096).reads(4096));
            close(c);
        }
    }

    // ---- the same with and without ------------------------------------------------------------

    /** Random calls of both ends: what each answers is the same as in a stack where all is segments. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void anyCalls_answerAsWithSegments(final long seed) throws Exception {
        final StringBuilder with = new StringBuilder();
        final StringBuilder without = new StringBuilder();
        final LockStrategy locks = LockStrategy.values()[(int) (seed % LockStrategy.values().length)];
        for (int round = 0; round < 10; round++) {
            with.setLength(0);
            without.setLength(0);
            final long each = seed * 1000 + round;
            assertThat(calls(locks, each, "1", with)).as("joined").isPositive();
            assertThat(calls(locks, each, "0", without)).isZero();
            assertThat(with.toString()).as("seed " + each).isEqualTo(without.toString());
        }
    }

    /** Directions joined. */
    private static long calls(final LockStrategy locks, final long seed, final String fusion, final StringBuilder out)
            throws Exception {
        try (Bed bed = new Bed(locks, false, seed).sysctl("net.inet.tcp.fusion", fusion)) {
            final Vnet v = dual(bed);
            final SplittableRandom random = new SplittableRandom(seed);
            final SocketFile[] c = bed.connection(v, v, random.nextBoolean() ? FOUR : SIX);
            final boolean[] open = {true, true};
            send(c[0], 1, 0);
            for (int i = 0; i < STEPS; i++) {
                final int end = random.nextInt(2);
                if (open[end]) {
                    out.append(i).append(' ').append(end).append(": ").append(call(bed, v, c, end, open, random));
                }
                bed.advance(SETTLE_NS);
                for (int e = 0; e < 2; e++) {
                    out.append(open[e] ? " " + c[e].poll(0xffff) + " " + c[e].available() + " " + c[e].atMark() : " -");
                }
                out.append('\n');
            }
            lo(v).setBpf(null);
            for (int e = 0; e < 2; e++) {
                if (open[e]) {
                    c[e].close();
                }
            }
            return count(v, "tcp.fused");
        }
    }

    private static String call(final Bed bed, final Vnet v, final SocketFile[] c, final int end, final boolean[] open,
        final SplittableRandom random) throws ErrnoException {
        final SocketFile so = c[end];
        final SocketFile other = c[1 - end];
        final int n = 1 + random.nextInt(MOST);
        final boolean room = !open[1 - end] || other.available() + n <= MOST_UNREAD;
        try {
            switch (random.nextInt(24)) {
                case 0, 1, 2, 3, 4, 5, 6 -> {
                    return room ? "sent " + send(so, n, 0) : "no room";
                }
                case 7, 8, 9, 10, 11, 12 -> {
                    return receive(so, n, 0);
                }
                case 13 -> {
                    return "peek " + receive(so, n, SocketDefs.MSG_PEEK);
                }
                case 14 -> {
                    return room ? "urgent " + send(so, 1 + n % 5, SocketDefs.MSG_OOB) : "no room";
                }
                case 15 -> {
                    return "urgent " + receive(so, 1, SocketDefs.MSG_OOB);
                }
                case 16 -> lo(v).setBpf(random.nextBoolean() ? (ifp, m, outbound) -> { } : null);
                case 17 -> bed.advance(random.nextInt(8) == 0 ? HOURS_NS : random.nextLong(SETTLE_NS));
                case 18 -> so.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_NODELAY, random.nextInt(2));
                case 19 -> so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVLOWAT, 1 + random.nextInt(100));
                case 20 -> {
                    if (random.nextInt(4) == 0) {
                        so.shutdown(random.nextInt(3));
                    }
                }
                case 21 -> {
                    if (random.nextInt(8) == 0) {
                        if (random.nextBoolean()) {
                            so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
                        }
                        open[end] = false;
                        so.close();
                    }
                }
                case 22 -> {
                    final ByteBuffer in = ByteBuffer.allocate(n);
                    return "all " + so.receive(in, SocketDefs.MSG_DONTWAIT | SocketDefs.MSG_WAITALL) + " "
                        + in.flip().hashCode();
                }
                default -> {
                    return "peer " + so.peerAddress().equals(other.localAddress());
                }
            }
            return "done";
        } catch (final ErrnoException e) {
            return e.errno().toString();
        }
    }

    private static int send(final SocketFile so, final int n, final int flags) throws ErrnoException {
        final ByteBuffer out = ByteBuffer.allocate(n);
        for (int i = 0; i < n; i++) {
            out.put(i, (byte) (i * 31 + n));
        }
        return so.send(out, flags);
    }

    /** How many, and what. */
    private static String receive(final SocketFile so, final int n, final int flags) throws ErrnoException {
        final ByteBuffer in = ByteBuffer.allocate(n);
        return so.receive(in, flags | SocketDefs.MSG_DONTWAIT) + " " + in.flip().hashCode();
    }
}
