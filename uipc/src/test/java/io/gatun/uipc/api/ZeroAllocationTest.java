package io.gatun.uipc.api;

import static io.gatun.spi.socket.SocketDefs.SOCK_DGRAM;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Fixture;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sending and receiving leave nothing for the collector. */
class ZeroAllocationTest {
    private static final long PATIENCE_NS = 120_000_000_000L;
    private static final int MEASURED = 20_000;
    private static final com.sun.management.ThreadMXBean THREADS =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    @FunctionalInterface
    private interface Round {
        void run() throws Exception;
    }

    /** The best run: until it is compiled, which takes as long as the machine lets it, work may well allocate. */
    private static long allocated(final Round round) throws Exception {
        long least = Long.MAX_VALUE;
        final long start = System.nanoTime();
        while (least != 0 && System.nanoTime() - start < PATIENCE_NS) {
            final long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < MEASURED; i++) {
                round.run();
            }
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }

    @ParameterizedTest
    @EnumSource
    void stream_sendAndReceive_allocatesNothing(final LockStrategy strategy) throws Exception {
        final Fixture fixture = new Fixture(strategy);
        final SocketFile[] p = SocketFile.socketpair(fixture.vnet(), Fixture.AF_PAIR, SOCK_STREAM, 0);
        for (final int n : new int[] {1, 1448, 9000}) {
            final ByteBuffer out = ByteBuffer.allocateDirect(n);
            final ByteBuffer in = ByteBuffer.allocate(n);
            assertThat(allocated(() -> {
                p[0].send(out.clear());
                if (p[1].receive(in.clear()) != n) {
                    throw new AssertionError("received " + in);
                }
            })).as(n + " octets").isZero();
        }
        p[0].close();
        p[1].close();
        fixture.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void dgram_sendAndReceive_allocatesNothing(final LockStrategy strategy) throws Exception {
        final Fixture fixture = new Fixture(strategy);
        final SocketFile so = SocketFile.socket(fixture.vnet(), Fixture.AF_PAIR, SOCK_DGRAM, 0);
        final SockAddr self = SockAddr.in(0, 9);
        final SockAddr from = new SockAddr();
        so.bind(self);
        final ByteBuffer out = ByteBuffer.allocateDirect(64);
        final ByteBuffer in = ByteBuffer.allocateDirect(64);
        so.so().connect(self, so.so().cred());
        assertThat(allocated(() -> {
            so.send(out.clear());
            if (so.recvfrom(in.clear(), 0, from) != 64 || from.port() != 9) {
                throw new AssertionError("received " + in + " from " + from);
            }
        })).isZero();
        so.close();
        fixture.checkWhole();
    }
}
