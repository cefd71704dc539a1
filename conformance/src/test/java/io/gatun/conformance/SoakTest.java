package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.netinet.tcp.TcpState;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.Sockets;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Connections by the thousand leave nothing behind. */
class SoakTest {
    private static final SockAddr LOOPBACK = SockAddr.of("127.0.0.1", Bed.PORT);
    private static final int CONNECTIONS = 20_000;
    /** So many at a time that the ephemeral ports do not run out in TIME-WAIT. */
    private static final int BATCH = 5000;
    private static final long MINUTE_NS = TimeUnit.MINUTES.toNanos(1);

    @Test
    void shortConnections_leaveNothing() throws ErrnoException {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            final SocketFile head = Bed.listener(v, LOOPBACK, 128);
            head.so().setNonBlocking(true);
            final int pcbs = pcbs(v);
            final int sockets = Sockets.of(v).numOpen();
            final int callouts = v.calloutsArmed();
            final ByteBuffer octets = ByteBuffer.allocateDirect(100);
            for (int done = 0; done < CONNECTIONS; done += BATCH) {
                for (int i = 0; i < BATCH; i++) {
                    one(bed, v, head, octets);
                }
                bed.advance(MINUTE_NS);
                assertThat(Sockets.of(v).numOpen()).as("sockets after %d", done + BATCH).isEqualTo(sockets);
                assertThat(pcbs(v)).as("pcbs after %d", done + BATCH).isEqualTo(pcbs);
                assertThat(v.calloutsArmed()).as("callouts after %d", done + BATCH).isEqualTo(callouts);
                assertThat(bed.pool.outstanding()).as("mbufs after %d", done + BATCH).isZero();
            }
            head.close();
        }
    }

    private static void one(final Bed bed, final Vnet v, final SocketFile head, final ByteBuffer octets)
            throws ErrnoException {
        final SocketFile a = Bed.tcp(v);
        a.connect(LOOPBACK);
        final SocketFile b = head.accept();
        a.send(octets.clear());
        assertThat(b.receive(octets.clear())).isEqualTo(octets.capacity());
        a.close();
        assertThat(b.receive(octets.clear())).isEqualTo(SocketFile.END);
        b.close();
        bed.clock.advance(TimeUnit.MICROSECONDS.toNanos(10));
    }

    private static int pcbs(final Vnet v) {
        return Integer.parseInt(v.sysctl().find("net.inet.tcp.pcbcount").getString());
    }

    @Test
    void timeWait_endsAfterTwiceTheSegmentLifetime() throws ErrnoException {
        try (Bed bed = new Bed(2)) {
            final Vnet[] v = bed.pair(Bed.ETHERNET);
            final SocketFile[] c = bed.connection(v[0], v[1], SockAddr.of("10.0.0.2", Bed.PORT));
            c[0].shutdown(SocketDefs.SHUT_WR);
            bed.run();
            c[1].close();
            bed.run();
            assertThat(state(c[0])).isEqualTo(TcpState.TIME_WAIT);
            c[0].close();
            assertThat(pcbs(v[0])).isEqualTo(1);
            bed.advance(MINUTE_NS - TimeUnit.SECONDS.toNanos(1));
            assertThat(pcbs(v[0])).isEqualTo(1);
            bed.advance(TimeUnit.SECONDS.toNanos(2));
            assertThat(pcbs(v[0])).isZero();
            assertThat(pcbs(v[1])).isZero();
        }
    }

    private static TcpState state(final SocketFile so) throws ErrnoException {
        return so.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class).state();
    }
}
