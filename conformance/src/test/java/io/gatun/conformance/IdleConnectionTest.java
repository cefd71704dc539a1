package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Socket;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What an established connection costs an end after data has gone both ways and all is quiet: Java heap, all objects
 * counted that live because of it, and nothing outside the heap.
 */
class IdleConnectionTest {
    private static final int WARM = 500;
    private static final int PAIRS = 4000;
    private static final int OCTETS = 20_000;
    private static final int WORST = 24;
    private static final long QUIET_NS = TimeUnit.MINUTES.toNanos(1);
    private static final double MOST = 1024;

    private final ByteBuffer octets = ByteBuffer.allocateDirect(OCTETS);

    private void exchange(final Bed bed, final SocketFile from, final SocketFile to) throws ErrnoException {
        assertThat(from.send(octets.clear())).isEqualTo(OCTETS);
        bed.run();
        assertThat(to.receive(octets.clear())).isEqualTo(OCTETS);
    }

    private void connect(final Bed bed, final Vnet v, final SockAddr at, final Socket[] ends, final int pairs)
            throws ErrnoException {
        final SocketFile head = Bed.listener(v, at, 8);
        for (int i = 0; i < pairs; i++) {
            final SocketFile a = Bed.tcp(v, at.family());
            a.connect(at);
            final SocketFile b = head.accept();
            a.setNonBlocking(true);
            b.setNonBlocking(true);
            exchange(bed, a, b);
            exchange(bed, b, a);
            ends[2 * i] = a.so();
            ends[2 * i + 1] = b.so();
        }
        head.close();
        bed.advance(QUIET_NS);
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, SPLIT", "::1, SPLIT", "127.0.0.1, COALESCED", "127.0.0.1, VERTICAL"})
    void established_quiet_costsLittle(final String host, final LockStrategy strategy, final TestReporter reporter)
            throws Exception {
        try (Bed bed = new Bed(strategy, false, 1)) {
            final Vnet v = bed.loopback();
            Bed.config(v).addAddress(v.ifnets().byName("lo0"), "::1/128");
            final Socket[] warm = new Socket[2 * WARM];
            final Socket[] ends = new Socket[2 * PAIRS];
            connect(bed, v, SockAddr.of(host, Bed.PORT), warm, WARM);
            final LiveHeap before = LiveHeap.now();
            connect(bed, v, SockAddr.of(host, Bed.PORT + 1), ends, PAIRS);
            final LiveHeap after = LiveHeap.now();
            final double each = (double) (after.octets() - before.octets()) / ends.length;
            final String of =
                after.growth(before, WORST, n -> String.format(Locale.ROOT, "%.1f", (double) n / ends.length));
            reporter.publishEntry("octets of heap an idle end, " + host + " " + strategy, each + ": " + of);
            assertThat(bed.pool.outstanding()).as("mbufs").isZero();
            assertThat(bed.pool.clustersOutstanding()).as("clusters").isZero();
            assertThat(each).as("octets of heap an end: %s", of).isLessThan(MOST);
            for (final Socket so : ends) {
                so.close();
            }
            for (final Socket so : warm) {
                so.close();
            }
        }
    }
}
