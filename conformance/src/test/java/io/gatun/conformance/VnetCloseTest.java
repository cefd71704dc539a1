package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.AcceptFilterArg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Sockets;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Vnets with threads are closed while segments are under way, timers run and netisr is at work: nothing stays in a
 * queue, on the wheel or in a buffer. What is outstanding is counted at the end of each round. {@code -Dgatun.seed=N}
 * begins with another seed, {@code -Dgatun.rounds=N} does more.
 */
class VnetCloseTest {
    private static final long SEED = Long.getLong("gatun.seed", 1L);
    private static final int ROUNDS = Integer.getInteger("gatun.rounds", 4);
    private static final int CONNECTIONS = 4;

    /** How the hosts are joined. */
    enum Net { CABLE, MERGING_CABLE, LOOPBACK, ROUTED }

    static Stream<Arguments> nets() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Net.values()).map(n -> Arguments.of(s, n)));
    }

    private static List<SocketFile[]> connections(final Bed bed, final Net net) throws ErrnoException {
        final Vnet from;
        final Vnet to;
        final String at;
        switch (net) {
            case LOOPBACK -> {
                from = bed.loopback();
                to = from;
                at = "127.0.0.1";
            }
            case ROUTED -> {
                final Vnet[] v = bed.routed(Bed.ETHERNET, Epair.Config.DEFAULT);
                from = v[0];
                to = v[2];
                at = "10.0.2.1";
            }
            default -> {
                final Vnet[] v = bed.pair(net == Net.CABLE ? Bed.ETHERNET : Epair.Config.DEFAULT);
                from = v[0];
                to = v[1];
                at = "10.0.0.2";
            }
        }
        final List<SocketFile[]> list = new ArrayList<>();
        for (int i = 0; i < CONNECTIONS; i++) {
            list.add(bed.connection(from, to, SockAddr.of(at, Bed.PORT)));
        }
        return list;
    }

    @ParameterizedTest
    @MethodSource("nets")
    void close_withSegmentsUnderWay_leavesNothing(final LockStrategy strategy, final Net net) throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            final long seed = SEED + round;
            try {
                once(strategy, net, seed);
            } catch (final AssertionError | RuntimeException e) {
                throw new AssertionError("seed=" + seed, e);
            }
        }
    }

    static Stream<Arguments> modes() {
        return Stream.of(LockStrategy.values())
            .flatMap(s -> Stream.of(Arguments.of(s, false), Arguments.of(s, true)));
    }

    /** A filter holds a connection back with what has come for it: no user will ever have it. */
    @ParameterizedTest
    @MethodSource("modes")
    void close_withARequestHeldBackByAFilter_leavesNothing(final LockStrategy strategy, final boolean threads)
            throws ErrnoException {
        try (Bed bed = new Bed(strategy, threads, SEED)) {
            final Vnet v = bed.loopback();
            final SockAddr at = SockAddr.of("127.0.0.1", Bed.PORT);
            final SocketFile head = Bed.listener(v, at, 8);
            head.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_ACCEPTFILTER, new AcceptFilterArg("httpready", ""));
            final SocketFile client = Bed.tcp(v);
            client.connect(at);
            client.send(ByteBuffer.wrap("GET / HT".getBytes(StandardCharsets.US_ASCII)));
            while (bed.pool.outstanding() == 0) {
                Thread.onSpinWait();
            }
            v.close();
            close(client);
            close(head);
            assertThat(Sockets.of(v).numOpen()).isZero();
        }
    }

    private static void once(final LockStrategy strategy, final Net net, final long seed) throws Exception {
        final SplittableRandom r = new SplittableRandom(seed);
        try (Bed bed = new Bed(strategy, true, seed).sysctl("net.inet.tcp.delacktime", "1")
                .sysctl("net.inet.tcp.rexmit_min", "1").sysctl("net.inet.tcp.rexmit_slop", "1")
                .sysctl("net.isr.budget", Integer.toString(1 + r.nextInt(40)))) {
            final List<SocketFile[]> connections = connections(bed, net);
            final List<FutureTask<Void>> tasks = new ArrayList<>();
            final int writes = 1 + r.nextInt(60);
            for (final SocketFile[] c : connections) {
                c[0].setNonBlocking(true);
                c[1].setNonBlocking(true);
                final Flow f = new Flow(c[0], c[1], Long.MAX_VALUE, 1 + r.nextInt(65_536));
                final boolean reads = r.nextInt(3) != 0;
                tasks.add(new FutureTask<>(() -> some(f, writes, reads)));
                Thread.ofPlatform().start(tasks.getLast());
            }
            for (final FutureTask<Void> t : tasks) {
                t.get();
            }
            final boolean vnetsFirst = r.nextInt(3) == 0;
            if (vnetsFirst) {
                close(connections.getFirst()[r.nextInt(2)]);
                ((Vnet) connections.getFirst()[0].so().vnet()).close();
                ((Vnet) connections.getFirst()[1].so().vnet()).close();
            }
            for (final SocketFile[] c : connections) {
                final int first = r.nextInt(2);
                close(c[first]);
                close(c[1 - first]);
            }
        }
    }

    /** As with close(2): whoever was reset meanwhile, or whose vnet has gone, may be told. */
    private static void close(final SocketFile so) {
        try {
            so.close();
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isIn(Errno.ECONNRESET, Errno.EBADF, Errno.ENOTCONN, Errno.ECONNABORTED);
        }
    }

    private static Void some(final Flow f, final int writes, final boolean reads) throws ErrnoException {
        for (int i = 0; i < writes; i++) {
            f.sendSome();
            if (reads) {
                f.receiveSome();
            }
        }
        return null;
    }
}
