package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.wrap.Fault;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * In steady state no octet of heap is allocated for a segment or a datagram: on its way down, over the link, up, and
 * out of the socket, all by the thread that is measured.
 */
class ZeroAllocationTest {
    private static final int BURST = 2;
    private static final int ROUNDS = 10_000;
    /** Round trips between two threads, each of which parks. */
    private static final int PARKS = 2_000;
    /** Virtual time that a round takes, so that timers run as they do in life. */
    private static final long ROUND_NS = 20_000;
    private static final SockAddr LOOPBACK = SockAddr.of("127.0.0.1", Bed.PORT);
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @FunctionalInterface
    private interface Round {
        void run() throws ErrnoException;
    }

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Arguments.of(s, false), Arguments.of(s, true)));
    }

    /** On the loopback past the packets, and in them. */
    static Stream<Arguments> loopbacks() {
        return modes().flatMap(a -> Stream.of("1", "0").map(f -> Arguments.of(a.get()[0], a.get()[1], f)));
    }

    static Stream<Arguments> parks() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Arguments.of(s, "1"), Arguments.of(s, "0")));
    }

    private static Bed bed(final LockStrategy strategy, final boolean threads, final String fusion) {
        return new Bed(strategy, threads, 1).sysctl("net.inet.tcp.fusion", fusion)
            .sysctl("net.inet.udp.fusion", fusion);
    }

    /** Nothing at all, with threads too: to wait for a lock, or under one, allocates nothing. */
    private static void measure(final Bed bed, final Round round) throws ErrnoException {
        assertThat(Steady.octets(ROUNDS, () -> once(bed, round))).as("octets of heap in %d rounds", ROUNDS).isZero();
    }

    private static void once(final Bed bed, final Round round) throws ErrnoException {
        round.run();
        if (!bed.threads) {
            bed.clock.advance(ROUND_NS);
            bed.run();
        }
    }

    private static void bulk(final Bed bed, final SocketFile[] c, final int write) throws ErrnoException {
        bulk(bed, c, write, write / 2);
    }

    /** @param least octets a round on the average */
    private static void bulk(final Bed bed, final SocketFile[] c, final int write, final int least)
            throws ErrnoException {
        c[0].so().setNonBlocking(true);
        c[1].so().setNonBlocking(true);
        final Flow flow = new Flow(c[0], c[1], Long.MAX_VALUE, write);
        try {
            measure(bed, () -> {
                while (!moves(flow) && bed.threads) {
                    Thread.yield(); // another thread has what is to move; a turn in which nothing did is no round
                }
            });
            assertThat(flow.received()).isGreaterThan((long) least * ROUNDS);
        } finally {
            c[0].close();
            c[1].close();
        }
    }

    private static boolean moves(final Flow flow) throws ErrnoException {
        final boolean sent = flow.sendSome();
        return flow.receiveSome() || sent;
    }

    @ParameterizedTest
    @MethodSource("loopbacks")
    void tcpBulk_loopback_64KiB(final LockStrategy strategy, final boolean threads, final String fusion)
            throws ErrnoException {
        try (Bed bed = bed(strategy, threads, fusion)) {
            final Vnet v = bed.loopback();
            bulk(bed, bed.connection(v, v, LOOPBACK), 65_536);
        }
    }

    @ParameterizedTest
    @MethodSource("loopbacks")
    void tcpBulk_loopback_1448(final LockStrategy strategy, final boolean threads, final String fusion)
            throws ErrnoException {
        try (Bed bed = bed(strategy, threads, fusion)) {
            final Vnet v = bed.loopback();
            bulk(bed, bed.connection(v, v, LOOPBACK), 1448);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void tcpBulk_ethernet_cutAndSummed(final LockStrategy strategy, final boolean threads) throws ErrnoException {
        try (Bed bed = new Bed(strategy, threads, 1)) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            bulk(bed, bed.connection(v[0], v[1], SockAddr.of("10.0.0.2", Bed.PORT)), 65_536);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void tcpBulk_ethernet_mergedOnInput(final LockStrategy strategy, final boolean threads) throws ErrnoException {
        try (Bed bed = new Bed(strategy, threads, 1)) {
            final Vnet[] v = bed.pair(Epair.Config.DEFAULT);
            bulk(bed, bed.connection(v[0], v[1], SockAddr.of("10.0.0.2", Bed.PORT)), 65_536);
            assertThat(v[1].counters().get("tcp.lro_queued")).isPositive();
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void tcpBulk_accurateEcnAndDctcp(final LockStrategy strategy, final boolean threads) throws ErrnoException {
        try (Bed bed = new Bed(strategy, threads, 1).sysctl("net.inet.tcp.ecn.enable", "3")
                .sysctl("net.inet.tcp.cc.algorithm", "dctcp")) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            bulk(bed, bed.connection(v[0], v[1], SockAddr.of("10.0.0.2", Bed.PORT)), 65_536);
            assertThat(v[1].counters().get("tcp.ecn_rcvect0")).isPositive();
        }
    }

    static Stream<Arguments> families() {
        return Stream.of(LockStrategy.values()).flatMap(s -> Stream.of(Family.values()).map(f -> Arguments.of(s, f)));
    }

    /** Loss, reordering and duplicates: recovery, timers and reassembly allocate no more than all else. */
    @ParameterizedTest
    @MethodSource("families")
    void tcpBulk_lossy(final LockStrategy strategy, final Family family) throws ErrnoException {
        try (Bed bed = new Bed(strategy, false, 1)) {
            final Vnet a = bed.vnet("left");
            final Vnet b = bed.vnet("right");
            final Epair cable = bed.cable(a, b, Bed.ETHERNET);
            final long delay = 10 * ROUND_NS;
            final Fault.Config weather = new Fault.Config(1, 0.02, 0.005, 0.02, 0, delay, 0, delay / 2, 10_000);
            Fault.wrap(cable.a(), weather);
            Fault.wrap(cable.b(), weather);
            family.up(cable);
            bulk(bed, bed.connection(a, b, family.right(Bed.PORT)), 16_384, 200);
            assertThat(a.counters().get("tcp.sack_rexmits")).as("segments sent again").isGreaterThan(100);
            assertThat(b.counters().get("tcp.rcvoopack")).as("segments out of order").isGreaterThan(500);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void tcpBulk_forwarded(final LockStrategy strategy, final boolean threads) throws ErrnoException {
        try (Bed bed = new Bed(strategy, threads, 1)) {
            final Vnet[] v = bed.routed(Bed.ETHERNET, Bed.ETHERNET);
            bulk(bed, bed.connection(v[0], v[2], SockAddr.of("10.0.2.1", Bed.PORT)), 16_384);
        }
    }

    @ParameterizedTest
    @MethodSource("loopbacks")
    void tcpRoundTrip_oneOctet(final LockStrategy strategy, final boolean threads, final String fusion)
            throws ErrnoException {
        try (Bed bed = bed(strategy, threads, fusion)) {
            final Vnet v = bed.loopback();
            final SocketFile[] c = bed.connection(v, v, LOOPBACK);
            Bed.nodelay(c[0]);
            Bed.nodelay(c[1]);
            final MemorySegment octet = Arena.ofAuto().allocate(1);
            measure(bed, () -> {
                move(c[0], c[1], octet);
                move(c[1], c[0], octet);
            });
            c[0].close();
            c[1].close();
        }
    }

    /** Both ends wait for each other without spinning first. */
    @ParameterizedTest
    @MethodSource("parks")
    void tcpRoundTrip_twoThreadsThatPark(final LockStrategy strategy, final String fusion) throws Exception {
        try (Bed bed = bed(strategy, true, fusion)) {
            final Vnet v = bed.loopback();
            final SocketFile[] c = bed.connection(v, v, LOOPBACK);
            ErrnoException.check(v.sysctl().set("kern.ipc.spin_ns", "0"), "sysctl");
            Bed.nodelay(c[0]);
            Bed.nodelay(c[1]);
            final Thread echo = Thread.ofPlatform().start(() -> echo(c[1]));
            final MemorySegment octet = Arena.ofAuto().allocate(1);
            assertThat(Steady.octets(() -> allocated(echo), () -> pingPong(c[0], octet, PARKS)))
                .as("octets of heap in %d round trips", PARKS).isZero();
            c[0].close();
            echo.join();
            c[1].close();
        }
    }

    private static long allocated(final Thread other) {
        return THREADS.getCurrentThreadAllocatedBytes() + THREADS.getThreadAllocatedBytes(other.threadId());
    }

    private static void pingPong(final SocketFile so, final MemorySegment octet, final int times)
            throws ErrnoException {
        for (int i = 0; i < times; i++) {
            if (so.send(octet, 0, 1, 0) != 1 || so.receive(octet, 0, 1, 0) != 1) {
                throw new AssertionError("it did not come back");
            }
        }
    }

    private static void echo(final SocketFile so) {
        final MemorySegment octet = Arena.ofAuto().allocate(1);
        try {
            while (so.receive(octet, 0, 1, 0) == 1) {
                so.send(octet, 0, 1, 0);
            }
        } catch (final ErrnoException e) {
            throw new AssertionError(e);
        }
    }

    private static void move(final SocketFile from, final SocketFile to, final MemorySegment octets)
            throws ErrnoException {
        final long n = octets.byteSize();
        if (from.send(octets, 0, n, 0) != n || to.receive(octets, 0, n, 0) != n) {
            throw new AssertionError("it did not arrive");
        }
    }

    @ParameterizedTest
    @MethodSource("loopbacks")
    void udp_64Octets(final LockStrategy strategy, final boolean threads, final String fusion)
            throws ErrnoException {
        try (Bed bed = bed(strategy, threads, fusion)) {
            final Vnet v = bed.loopback();
            datagrams(bed, v, v, LOOPBACK);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void udp_forwarded(final LockStrategy strategy, final boolean threads) throws ErrnoException {
        try (Bed bed = new Bed(strategy, threads, 1)) {
            final Vnet[] v = bed.routed(Bed.ETHERNET, Bed.ETHERNET);
            datagrams(bed, v[0], v[2], SockAddr.of("10.0.2.1", Bed.PORT));
        }
    }

    /** Connected and, every other round, with an address. */
    private static void datagrams(final Bed bed, final Vnet from, final Vnet to, final SockAddr at)
            throws ErrnoException {
        final SocketFile in = Bed.udp(to);
        in.bind(at);
        final SocketFile out = Bed.udp(from);
        out.connect(at);
        final SocketFile unconnected = Bed.udp(from);
        final MemorySegment octets = Arena.ofAuto().allocate(64);
        final SockAddr sender = new SockAddr();
        final Mmsghdr[] burst = new Mmsghdr[BURST];
        for (int i = 0; i < BURST; i++) {
            burst[i] = new Mmsghdr();
        }
        measure(bed, () -> {
            move(out, in, octets);
            for (final Mmsghdr m : burst) {
                m.hdr.uio.set(octets, 0, 64);
            }
            if (out.sendmmsg(burst, BURST, 0) != BURST) {
                throw new AssertionError("not all went");
            }
            for (final Mmsghdr m : burst) {
                m.hdr.uio.set(octets, 0, 64);
            }
            if (in.recvmmsg(burst, BURST, 0) != BURST) {
                throw new AssertionError("not all arrived");
            }
            if (unconnected.sendto(octets, 0, 64, 0, at) != 64
                    || in.recvfrom(octets, 0, 64, 0, sender) != 64) { // it waits: another thread may be at it
                throw new AssertionError("it did not arrive");
            }
        });
        in.close();
        out.close();
        unconnected.close();
    }
}
