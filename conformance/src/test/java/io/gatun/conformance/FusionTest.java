package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
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

    /** Who sets a time-out before each read goes on past the segments; what segments may know of parts the ends. */
    @Test
    void optionsOfTheUsersCalls_partNothing_othersDo() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = dual(bed);
            final SocketFile[] c = bed.connection(v, v, FOUR);
            send(c[0], 1000, 0);
            for (final SocketFile so : c) {
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVTIMEO, 1_000_000);
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_SNDTIMEO, 1_000_000);
                so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
            }
            send(c[0], 1000, 0);
            assertThat(count(v, "tcp.fused")).as("joined once").isEqualTo(1);
            c[0].setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_DONTROUTE, 1);
            send(c[0], 1000, 0);
            bed.run();
            assertThat(count(v, "tcp.sndbyte")).isEqualTo(1000);
            assertThat(receive(c[1], 10_000, 0)).startsWith("3000 ");
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

    // ---- the handshake ------------------------------------------------------------

    /** Whatever is offered, both ends agree on what they would have agreed on by segments. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void handshake_agreesOnTheSame(final int rfc1323) throws Exception {
        for (final SockAddr at : List.of(FOUR, SIX)) {
            for (final String sack : List.of("0", "1")) {
                for (final int maxseg : List.of(0, 1000)) {
                    final String as = rfc1323 + " sack " + sack + " maxseg " + maxseg + " at " + at;
                    assertThat(agreed("1", rfc1323, sack, maxseg, at)).as(as)
                        .isEqualTo(agreed("0", rfc1323, sack, maxseg, at));
                }
            }
        }
    }

    private static String agreed(
            final String fusion, final int rfc1323, final String sack, final int maxseg, final SockAddr at)
            throws Exception {
        try (Bed bed = new Bed(1).sysctl("net.inet.tcp.fusion", fusion).sysctl("net.inet.tcp.sack.enable", sack)
            .sysctl("net.inet.tcp.rfc1323", String.valueOf(rfc1323))) {
            final Vnet v = dual(bed);
            final SocketFile from = Bed.tcp(v, at.family());
            if (maxseg != 0) {
                from.setOption(InDefs.IPPROTO_TCP, InDefs.TCP_MAXSEG, maxseg);
            }
            final SocketFile[] c = bed.connection(from, v, at);
            assertThat(count(v, "tcp.fusedopen")).isEqualTo(Long.parseLong(fusion));
            assertThat(count(v, "tcp.sndtotal") == 0).isEqualTo("1".equals(fusion));
            final StringBuilder out = new StringBuilder();
            for (final SocketFile so : c) {
                final TcpInfo i = so.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class);
                out.append(i.state()).append(' ').append(i.options()).append(' ').append(i.sndWscale()).append(' ')
                    .append(i.rcvWscale()).append(' ').append(i.sndMss()).append(' ').append(i.rcvMss()).append(' ')
                    .append(i.sndWnd()).append(' ').append(i.rcvSpace()).append(' ').append(i.sndCwnd()).append(' ')
                    .append(i.rcvAdv() - i.rcvNxt()).append(' ').append(i.inFlight()).append(' ')
                    .append(i.rttNs()).append(' ').append(i.rttvarNs()).append(' ').append(i.rtoNs()).append('\n');
            }
            final TcpInfo a = c[0].getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class);
            final TcpInfo b = c[1].getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class);
            assertThat(a.sndNxt()).isEqualTo(b.rcvNxt());
            assertThat(b.sndNxt()).isEqualTo(a.rcvNxt());
            // What follows by segments is taken.
            lo(v).setBpf((ifp, m, outbound) -> { });
            bed.transfer(new Flow(c[0], c[1], 100_000, 5000), new Flow(c[1], c[0], 100_000, 5000));
            assertThat(count(v, "tcp.sndbyte")).isEqualTo(200_000);
            assertThat(bed.drops()).isEmpty();
            close(c);
            return out.toString();
        }
    }

    @Test
    void handshake_whereItCannotBe_isSegments() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = dual(bed);
            final SocketFile head = Bed.listener(v, FOUR, 1);
            head.setNonBlocking(true);
            final List<SocketFile> clients = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                final SocketFile so = Bed.tcp(v);
                so.setNonBlocking(true);
                clients.add(so);
                so.so().connect(FOUR, Ucred.ROOT); // the last are reset, for want of room
            }
            bed.run();
            assertThat(count(v, "tcp.fusedopen")).as("as many as the backlog takes").isLessThan(4);
            assertThat(count(v, "tcp.sndtotal")).as("the others knock by segments").isPositive();
            for (final SocketFile so : clients) {
                so.close();
            }
            head.close();
            final SocketFile nobody = Bed.tcp(v);
            assertThatThrownBy(() -> nobody.connect(FOUR)).hasMessageContaining("ECONNREFUSED");
            nobody.close();
            bed.advance(HOURS_NS);
        }
    }

    /** A reset and an orderly end, each seen by the other end at once, and no packet was needed. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void end_reachesTheOtherWithoutPackets(final boolean reset) throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = dual(bed);
            final SocketFile[] c = bed.connection(v, v, FOUR);
            send(c[0], 10, 0);
            if (reset) {
                c[0].setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
            }
            c[0].close();
            assertThat(receive(c[1], 100, 0)).startsWith("10 ");
            if (reset) {
                assertThatThrownBy(() -> receive(c[1], 100, 0)).hasMessageContaining("ECONNRESET");
            } else {
                assertThat(receive(c[1], 100, 0)).startsWith("-1 ");
            }
            assertThat(count(v, "tcp.sndtotal")).as("segments").isZero();
            c[1].close();
            bed.advance(HOURS_NS);
            assertThat(v.sysctl().find("net.inet.tcp.pcbcount").get()).as("blocks left").isZero();
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
            send(c[0], 1, 0); // joined before anybody listens: later there may be no moment with nothing under way
            assertThat(receive(c[1], 1, 0)).startsWith("1 ");
            assertThat(count(v, "tcp.fused")).isPositive();
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
