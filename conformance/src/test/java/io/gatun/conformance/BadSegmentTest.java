package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Memory of the caller that cannot be touched: closed, another thread's, or a piece that does not lie in it. The
 * caller hears of it by an exception of Java's; locks, mbufs and what was received are as before.
 */
class BadSegmentTest {
    private static final int N = 5000;

    static Stream<Arguments> ways() {
        return Arrays.stream(LockStrategy.values()).flatMap(s -> Arrays.stream(Family.values())
            .map(f -> Arguments.of(s, f)));
    }

    private static MemorySegment closed() {
        try (Arena arena = Arena.ofShared()) {
            return arena.allocate(N);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void stream_closedSegment_nothingIsLost(final LockStrategy strategy, final Family family) throws Exception {
        try (Bed bed = new Bed(strategy, false, 1)) {
            final Vnet[] v = family.pair(bed, Bed.ETHERNET);
            final SocketFile[] c = bed.connection(v[0], v[1], family.right(Bed.PORT));
            final MemorySegment bad = closed();
            final MemorySegment good = Arena.ofAuto().allocate(N);
            good.fill((byte) 7);
            assertThatThrownBy(() -> c[0].send(bad, 0, N, 0)).isInstanceOf(IllegalStateException.class);
            assertThat(c[0].send(good, 0, N, 0)).isEqualTo(N);
            bed.advance(1_000_000_000L);
            for (final int flags : new int[] {SocketDefs.MSG_PEEK, 0}) {
                assertThatThrownBy(() -> c[1].receive(bad, 0, N, flags)).isInstanceOf(IllegalStateException.class);
                try (Arena mine = Arena.ofConfined()) {
                    final MemorySegment m = mine.allocate(N);
                    final FutureTask<Long> call = new FutureTask<>(() -> c[1].receive(m, 0, N, flags));
                    Thread.ofPlatform().start(call);
                    assertThatThrownBy(call::get).hasCauseInstanceOf(WrongThreadException.class);
                }
            }
            final long[][] pieces = {{-1, 1}, {0, -1}, {1, N}, {Long.MAX_VALUE, 1}, {1, Long.MAX_VALUE}};
            for (final long[] piece : pieces) {
                assertThatThrownBy(() -> c[1].receive(good, piece[0], piece[1], 0))
                    .isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> c[0].send(good, piece[0], piece[1], 0))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            }
            good.fill((byte) 0);
            long n = c[1].receive(good, 0, N, 0);
            while (n < N) {
                bed.advance(1_000_000_000L);
                n += c[1].receive(good, n, N - n, 0);
            }
            for (int i = 0; i < N; i++) {
                assertThat(good.get(ValueLayout.JAVA_BYTE, i)).isEqualTo((byte) 7);
            }
            c[0].close();
            c[1].close();
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void datagram_closedSegment_theNextIsWhole(final LockStrategy strategy, final Family family) throws Exception {
        try (Bed bed = new Bed(strategy, false, 1)) {
            final Vnet[] v = family.pair(bed, Bed.ETHERNET);
            final int af = family.left(0).family();
            final MemorySegment bad = closed();
            final MemorySegment good = Arena.ofAuto().allocate(N);
            try (SocketFile a = SocketFile.socket(v[0], af, SocketDefs.SOCK_DGRAM, 0);
                 SocketFile b = SocketFile.socket(v[1], af, SocketDefs.SOCK_DGRAM, 0)) {
                b.bind(family.right(Bed.PORT));
                a.connect(family.right(Bed.PORT));
                a.setNonBlocking(true);
                b.setNonBlocking(true);
                assertThatThrownBy(() -> a.send(bad, 0, N, 0)).isInstanceOf(IllegalStateException.class);
                for (int i = 1; i <= 3; i++) {
                    assertThat(a.send(good, 0, i, 0)).isEqualTo(i);
                }
                bed.advance(1_000_000_000L);
                assertThatThrownBy(() -> b.receive(bad, 0, N, SocketDefs.MSG_PEEK))
                    .isInstanceOf(IllegalStateException.class);
                assertThat(b.receive(good, 0, N, 0)).isEqualTo(1);
                assertThatThrownBy(() -> b.receive(bad, 0, N, 0)).isInstanceOf(IllegalStateException.class);
                assertThat(b.receive(good, 0, N, 0)).isEqualTo(3);
                assertThat(b.receive(good, 0, N, 0)).isEqualTo(SocketFile.WOULD_BLOCK);
            }
        }
    }
}
