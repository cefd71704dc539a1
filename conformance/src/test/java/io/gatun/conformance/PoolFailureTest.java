package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A pool that has nothing at the n-th request, for every n along the life of a connection, of datagrams and of errors:
 * what is asked for is done in the end or refused by name, nothing is thrown and nothing is lost.
 */
class PoolFailureTest {
    private static final int OCTETS = 9000;
    private static final int WRITE = 3000;
    private static final int DATAGRAM = 4000;
    private static final int CLOSED_PORT = 9;
    private static final int MOST_TRIES = 200;
    private static final long SECOND = 1_000_000_000L;
    private static final int MEGABYTE = 1 << 20;
    private static final int PAUSES = 20_000;
    private static final long SEED = 20_261_126;

    static Stream<Arguments> ways() {
        return Arrays.stream(LockStrategy.values()).flatMap(s -> Arrays.stream(Family.values())
            .flatMap(f -> Stream.of(1, 3).filter(n -> n == 1 || s == LockStrategy.SPLIT)
                .map(n -> Arguments.of(s, f, n))));
    }

    private static MbufPool pool() {
        return MbufPool.builder().name("scarce").nmbufs(1024).nmbclusters(256).nmbjumbop(16).nmbjumbo16(8).threads(1)
            .build();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void request_refused_isMadeGoodOrNamed(final LockStrategy strategy, final Family family, final int refusals)
            throws ErrnoException {
        long n = 1;
        try {
            while (life(strategy, family, n, refusals)) {
                n++;
            }
        } catch (final Throwable e) {
            throw new AssertionError(strategy + " " + family + ": " + refusals + " refused from request " + n, e);
        }
        assertThat(n).as("requests of a life").isGreaterThan(60);
    }

    /** One life; answers whether it asked the pool so often. */
    private static boolean life(final LockStrategy strategy, final Family family, final long n, final int refusals)
            throws ErrnoException {
        final MbufPool pool = pool();
        final boolean asked;
        try (Bed bed = new Bed(strategy, false, 1, pool)) {
            final Vnet[] v = family.pair(bed, Bed.ETHERNET);
            pool.refuse(n, refusals);
            datagrams(bed, v, family);
            stream(bed, v, family);
            asked = !pool.refusedAt().isEmpty();
            assertThat(pool.denied() > 0).isEqualTo(asked);
            pool.refuse(0, 0);
            bed.advance(SECOND);
        }
        return asked;
    }

    /** Connects, sends both ways and closes. */
    private static void stream(final Bed bed, final Vnet[] v, final Family family) throws ErrnoException {
        final SocketFile head = Bed.listener(v[1], family.right(Bed.PORT), 8);
        head.so().setNonBlocking(true);
        SocketFile a = null;
        int errors = -1;
        while (a == null) {
            errors++;
            assertThat(errors).isLessThan(MOST_TRIES);
            a = begin(v[0], family);
        }
        SocketFile b = null;
        while (b == null) {
            bed.run();
            b = head.accept();
            assertThat(b != null || bed.step()).as("the connection is made").isTrue();
        }
        b.so().setNonBlocking(true);
        head.close();
        final Flow there = new Flow(a, b, OCTETS, WRITE);
        final Flow back = new Flow(b, a, OCTETS, WRITE);
        boolean done = false;
        while (!done) {
            try {
                bed.drive(there, back);
                done = true;
            } catch (final ErrnoException e) {
                errors++;
                refusedFor(e);
                assertThat(errors).isLessThan(MOST_TRIES);
            }
        }
        a.close();
        b.close();
    }

    private static SocketFile begin(final Vnet v, final Family family) throws ErrnoException {
        final SocketFile so = Bed.tcp(v, family.left(0).family());
        so.so().setNonBlocking(true);
        try {
            so.connect(family.right(Bed.PORT));
            return so;
        } catch (final ErrnoException e) {
            refusedFor(e);
            so.close();
            return null;
        }
    }

    private static void refusedFor(final ErrnoException e) {
        if (e.errno() != Errno.ENOBUFS && e.errno() != Errno.ENOMEM) {
            throw new AssertionError("not what a pool says that is empty", e);
        }
    }

    /** Datagrams in fragments, one to a port where nobody is, until one has come whole. */
    private static void datagrams(final Bed bed, final Vnet[] v, final Family family) throws ErrnoException {
        try (SocketFile to = socket(v[1], family); SocketFile from = socket(v[0], family)) {
            to.bind(family.right(Bed.PORT));
            from.bind(family.left(Bed.PORT));
            final boolean four = family == Family.V4;
            to.setOption(four ? InDefs.IPPROTO_IP : InDefs.IPPROTO_IPV6,
                four ? InDefs.IP_RECVDSTADDR : InDefs.IPV6_RECVPKTINFO, 1);
            final ByteBuffer out = ByteBuffer.allocateDirect(DATAGRAM);
            boolean came = false;
            for (int i = 0; !came; i++) {
                assertThat(i).as("datagrams sent in vain").isLessThan(MOST_TRIES);
                send(from, out, family.right(CLOSED_PORT));
                send(from, out, family.right(Bed.PORT));
                bed.run();
                bed.advance(SECOND / 10);
                final ByteBuffer in = ByteBuffer.allocateDirect(DATAGRAM);
                came = to.receive(in) == DATAGRAM;
            }
        }
    }

    private static SocketFile socket(final Vnet v, final Family family) throws ErrnoException {
        final SocketFile so = SocketFile.socket(v, family.left(0).family(), SocketDefs.SOCK_DGRAM, 0);
        so.so().setNonBlocking(true);
        return so;
    }

    private static void send(final SocketFile from, final ByteBuffer out, final SockAddr to) {
        try {
            from.sendto(out.clear(), 0, to);
        } catch (final ErrnoException e) {
            refusedFor(e);
        }
    }

    static Stream<Arguments> modes() {
        return Arrays.stream(LockStrategy.values()).flatMap(s -> Arrays.stream(Family.values())
            .map(f -> Arguments.of(s, f)));
    }

    /** Threads send and read both ways while requests here and there find the pool empty. */
    @ParameterizedTest
    @MethodSource("modes")
    @Timeout(120)
    void threads_refusalsNowAndThen_allArrives(final LockStrategy strategy, final Family family) throws Exception {
        try (Bed bed = new Bed(strategy, true, 1)) {
            final long denied = bed.pool.denied();
            final Vnet[] v = family.pair(bed, Bed.ETHERNET);
            final SocketFile[] c = bed.connection(v[0], v[1], family.right(Bed.PORT));
            final Flow[] flows = {new Flow(c[0], c[1], MEGABYTE, WRITE), new Flow(c[1], c[0], MEGABYTE, 65_536)};
            final List<FutureTask<Void>> tasks = new ArrayList<>();
            for (final Flow f : flows) {
                tasks.add(new FutureTask<>(() -> untilDone(f::sendAll)));
                tasks.add(new FutureTask<>(() -> untilDone(f::receiveAll)));
            }
            tasks.forEach(Thread.ofPlatform().daemon()::start);
            final SplittableRandom r = new SplittableRandom(SEED);
            while (tasks.stream().anyMatch(t -> !t.isDone())) {
                bed.pool.refuse(r.nextInt(1, 200), r.nextInt(1, 4));
                final String site = bed.pool.refusedAt();
                for (int i = 0; site.equals(bed.pool.refusedAt()) && i < PAUSES; i++) {
                    Thread.yield();
                }
            }
            bed.pool.refuse(0, 0);
            for (final FutureTask<Void> t : tasks) {
                t.get();
            }
            c[0].close();
            c[1].close();
            assertThat(bed.pool.denied()).isGreaterThan(denied);
        }
    }

    private interface Work {
        void run() throws ErrnoException;
    }

    private static Void untilDone(final Work work) throws ErrnoException {
        while (true) {
            try {
                work.run();
                return null;
            } catch (final ErrnoException e) {
                refusedFor(e);
            }
        }
    }
}
