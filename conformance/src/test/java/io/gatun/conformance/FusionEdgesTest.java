package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.AcceptFilterArg;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connections whose text has gone past the segments, and goes as segments again. */
class FusionEdgesTest {
    private static final SockAddr FOUR = SockAddr.of("127.0.0.1", Bed.PORT);
    private static final int BUFFER = 8192;
    private static final int MANY = 1 << 16;
    private static final int MINTTL = 255;

    private static Ifnet lo(final Vnet v) {
        return v.ifnets().byName("lo0");
    }

    private static void tap(final Vnet v) {
        lo(v).setBpf((ifp, m, outbound) -> { });
    }

    private static TcpInfo info(final SocketFile so) throws ErrnoException {
        return so.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class);
    }

    private static int receive(final SocketFile so) throws ErrnoException {
        return so.receive(ByteBuffer.allocate(MANY), SocketDefs.MSG_DONTWAIT);
    }

    /** A window that is shut when text begins to go past it is not open when segments come again. */
    @Test
    void joinedWithTheWindowShut_segmentsGoOnAtOnce() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            final SocketFile[] c = bed.connection(v, v, FOUR);
            Bed.nodelay(c[0]);
            c[1].setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, BUFFER);
            tap(v);
            int window = info(c[0]).sndWnd();
            while (window > 0) {
                c[0].send(ByteBuffer.allocate(Math.min(window, BUFFER)));
                bed.advance(TimeUnit.SECONDS.toNanos(1));
                window = info(c[0]).sndWnd();
            }
            lo(v).setBpf(null);
            c[0].send(ByteBuffer.allocate(1));
            while (receive(c[1]) > 0) {
                bed.run();
            }
            tap(v);
            assertThat(c[0].send(ByteBuffer.allocate(1000))).isEqualTo(1000);
            bed.run();
            assertThat(c[1].available()).isEqualTo(1000);
            lo(v).setBpf(null);
            c[0].close();
            c[1].close();
        }
    }

    /** Half the sequence space went past: what the other end's window is, is heard of all the same. */
    @Test
    void halfTheSequenceSpacePast_windowUpdatesCount() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            final SocketFile[] c = bed.connection(v, v, FOUR);
            final ByteBuffer out = ByteBuffer.allocateDirect(MANY);
            final ByteBuffer in = ByteBuffer.allocateDirect(MANY);
            for (long n = 0; n <= 1L << 31; n += MANY) {
                assertThat(c[0].send(out.clear())).isEqualTo(MANY);
                assertThat(c[1].receive(in.clear())).isEqualTo(MANY);
            }
            assertThat(v.counters().get("tcp.sndbyte")).isZero();
            tap(v);
            bed.transfer(new Flow(c[1], c[0], 1 << 22, MANY), new Flow(c[0], c[1], MANY, 1000));
            assertThat(v.counters().get("tcp.persisttimeo")).isZero();
            lo(v).setBpf(null);
            c[0].close();
            c[1].close();
        }
    }

    @Test
    void leastTtlOfTheReceiver_isAskedOfWhatFollows() throws Exception {
        try (Bed bed = new Bed(1)) {
            final Vnet v = bed.loopback();
            final SocketFile[] c = bed.connection(v, v, FOUR);
            c[0].send(ByteBuffer.allocate(10));
            c[1].setOption(InDefs.IPPROTO_IP, InDefs.IP_MINTTL, MINTTL);
            c[0].send(ByteBuffer.allocate(10));
            bed.run();
            assertThat(c[1].available()).isEqualTo(10);
            c[1].setOption(InDefs.IPPROTO_IP, InDefs.IP_MINTTL, 0);
            c[0].close();
            c[1].close();
        }
    }

    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void firstTextOfAChildWithAFilter_isAccepted(final LockStrategy locks) throws Exception {
        for (final boolean threads : new boolean[] {false, true}) {
            try (Bed bed = new Bed(locks, threads, 1)) {
                final Vnet v = bed.loopback();
                final SocketFile head = Bed.listener(v, FOUR, 8);
                head.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_ACCEPTFILTER, AcceptFilterArg.of("dataready"));
                final SocketFile c = Bed.tcp(v);
                c.connect(FOUR);
                assertThat(c.send(ByteBuffer.allocate(10))).isEqualTo(10);
                if (!threads) {
                    head.setNonBlocking(true);
                }
                final SocketFile child = head.accept();
                assertThat(child).isNotNull();
                assertThat(child.available()).isEqualTo(10);
                child.close();
                c.close();
                head.close();
            }
        }
    }
}
