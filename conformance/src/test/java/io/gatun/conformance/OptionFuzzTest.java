package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * An embedder who sets every option there is, and many that are not, to every value that might break something, in all
 * kinds of sockets: what is refused is refused by name, and what was accepted breaks nothing that follows.
 */
class OptionFuzzTest {
    private static final int[] LEVELS = {SocketDefs.SOL_SOCKET, InDefs.IPPROTO_IP, InDefs.IPPROTO_IPV6,
        InDefs.IPPROTO_TCP, InDefs.IPPROTO_UDP, InDefs.IPPROTO_ICMPV6, 255, -1};
    private static final long[] VALUES = {Long.MIN_VALUE, Integer.MIN_VALUE, -2, -1, 0, 1, 2, 3, 7, 8, 63, 64, 127, 128,
        255, 256, 1279, 1280, 65_535, 65_536, 1 << 20, 1 << 30, Integer.MAX_VALUE, 1L << 32, Long.MAX_VALUE};
    private static final int NAMES = 1100;
    private static final int HIGHEST = 1 << 16;
    private static final long SECOND = 1_000_000_000L;
    private static final int ROUNDS = 8;

    static Stream<Arguments> ways() {
        return Arrays.stream(LockStrategy.values()).flatMap(s -> Arrays.stream(Family.values())
            .map(f -> Arguments.of(s, f)));
    }

    @ParameterizedTest
    @EnumSource
    void everyOptionEveryValue_isTakenOrRefused(final Family family) throws Exception {
        // Each refusal has a stack trace. On a thread of its own it is short, and a million of them take half the time.
        final FutureTask<Void> all = new FutureTask<>(() -> {
            everyOption(family);
            return null;
        });
        Thread.ofPlatform().start(all);
        all.get();
    }

    private static void everyOption(final Family family) throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet[] v = family.pair(bed, Bed.ETHERNET);
            final int af = family.left(0).family();
            for (final int type : new int[] {SocketDefs.SOCK_STREAM, SocketDefs.SOCK_DGRAM, SocketDefs.SOCK_RAW}) {
                for (final long value : VALUES) {
                    final int proto = type == SocketDefs.SOCK_RAW ? 200 : 0;
                    try (SocketFile so = SocketFile.socket(v[0], af, type, proto)) {
                        so.setNonBlocking(true);
                        each(so, value);
                        use(so, family);
                    }
                }
            }
            bed.advance(SECOND);
        }
    }

    private static void each(final SocketFile so, final long value) {
        for (final int level : LEVELS) {
            for (int name = -1; name <= HIGHEST; name = name < NAMES ? name + 1 : name * 2) {
                set(so, level, name, value);
                get(so, level, name);
            }
        }
    }

    private static void set(final SocketFile so, final int level, final int name, final long value) {
        try {
            so.setOption(level, name, value);
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isNotNull();
        } catch (final RuntimeException | AssertionError e) {
            throw new AssertionError("option " + name + " of " + level + " to " + value + " on " + so, e);
        }
    }

    private static void get(final SocketFile so, final int level, final int name) {
        try {
            so.getOption(level, name);
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isNotNull();
        } catch (final RuntimeException | AssertionError e) {
            throw new AssertionError("option " + name + " of " + level + " of " + so, e);
        }
    }

    private static void use(final SocketFile so, final Family family) {
        try {
            so.sendto(ByteBuffer.allocateDirect(100), 0, family.right(Bed.PORT));
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isNotNull();
        }
    }

    /** Random options of both ends while text flows. */
    @ParameterizedTest
    @MethodSource("ways")
    void randomOptionsOfAConnection_breakNothing(final LockStrategy strategy, final Family family) throws Exception {
        for (long seed = 1; seed <= ROUNDS; seed++) {
            try {
                connection(strategy, family, new SplittableRandom(seed));
            } catch (final RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + " " + strategy + " " + family, e);
            }
        }
    }

    private static void connection(final LockStrategy strategy, final Family family, final SplittableRandom r)
            throws Exception {
        try (Bed bed = new Bed(strategy, false, r.nextLong())) {
            final Vnet[] v = family.pair(bed, Bed.ETHERNET);
            final SocketFile[] c = bed.connection(v[0], v[1], family.right(Bed.PORT));
            final ByteBuffer in = ByteBuffer.allocateDirect(10_000);
            for (int i = 0; i < 60; i++) {
                final SocketFile so = c[r.nextInt(2)];
                set(so, LEVELS[r.nextInt(LEVELS.length)], r.nextInt(-1, NAMES), VALUES[r.nextInt(VALUES.length)]);
                transfer(c[r.nextInt(2)], r.nextInt(8000));
                receive(c[r.nextInt(2)], in);
                bed.advance(r.nextLong(SECOND / 10));
            }
            c[0].close();
            c[1].close();
            bed.advance(SECOND);
        }
    }

    private static void transfer(final SocketFile so, final int n) {
        try {
            so.send(ByteBuffer.allocateDirect(n), 0);
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isNotNull();
        }
    }

    private static void receive(final SocketFile so, final ByteBuffer in) {
        try {
            so.receive(in.clear());
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isNotNull();
        }
    }
}
