package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Several threads in UDP at once: each datagram arrives once, in the order of its flow, or is counted as
 * dropped for want of room: in the queue of the loopback, or in the socket. Sockets that one sender uses in turn are
 * flows of their own, which may overtake each other, as they may where a device has several queues.
 */
class UdpThreadsTest {
    private static final int SENDERS = 3;
    private static final int EACH = 5000;
    private static final int EACH_SOCKET = 1000;
    private static final int SOCKETS = EACH / EACH_SOCKET;
    private static final SockAddr SERVER = SockAddr.of("127.0.0.1", 5353);

    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void manySenders_nothingIsLostUncountedOrReordered(final LockStrategy locks) throws Exception {
        try (Vnet vnet = Vnet.builder().name("threads").lockStrategy(locks).strict(true).build()) {
            final Ifnet lo = vnet.ifnets().create("lo0");
            vnet.service(InetConfig.class).addAddress(lo, "127.0.0.1/8");
            lo.up();
            try (ExecutorService pool = Executors.newFixedThreadPool(SENDERS);
                 SocketFile server = SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_DGRAM, 0)) {
                server.bind(SERVER);
                final List<Future<?>> senders = new ArrayList<>();
                for (int s = 0; s < SENDERS; s++) {
                    final int sender = s;
                    senders.add(pool.submit(() -> send(vnet, sender)));
                }
                final int[] next = new int[SENDERS * SOCKETS];
                int got = 0;
                while (!done(senders)) {
                    got += receive(server, next);
                }
                for (final Future<?> f : senders) {
                    f.get();
                }
                int more = receive(server, next);
                while (more > 0) {
                    got += more;
                    more = receive(server, next);
                }
                final long noRoom = vnet.drops(DropReason.UDP_FULLSOCK) + vnet.drops(DropReason.NETISR_QLIMIT);
                assertThat(got + noRoom).isEqualTo(SENDERS * EACH);
                assertThat(got).isPositive();
            }
        }
    }

    private static boolean done(final List<Future<?>> all) {
        return all.stream().allMatch(Future::isDone);
    }

    /** Every thousandth time with a fresh socket, so that ports come and go. */
    private static Void send(final Vnet vnet, final int sender) throws Exception {
        final ByteBuffer b = ByteBuffer.allocateDirect(8);
        SocketFile f = null;
        for (int i = 0; i < EACH; i++) {
            if (i % EACH_SOCKET == 0) {
                if (f != null) {
                    f.close();
                }
                f = SocketFile.socket(vnet, SockAddr.AF_INET, SocketDefs.SOCK_DGRAM, 0);
                f.connect(SERVER);
            }
            b.clear().putInt(sender).putInt(i).flip();
            try {
                assertThat(f.send(b)).isEqualTo(8);
            } catch (final ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.ENOBUFS); // and counted
            }
        }
        f.close();
        return null;
    }

    /** 1 when there was a datagram; its number must be later than all before of its socket. */
    private static int receive(final SocketFile server, final int[] next) throws Exception {
        final ByteBuffer b = ByteBuffer.allocate(8);
        if (server.recvfrom(b, SocketDefs.MSG_DONTWAIT, null) != 8) {
            return 0;
        }
        b.flip();
        final int sender = b.getInt();
        final int number = b.getInt();
        final int flow = sender * SOCKETS + number / EACH_SOCKET;
        assertThat(number).isGreaterThanOrEqualTo(next[flow]);
        next[flow] = number + 1;
        return 1;
    }
}
