package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Socket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A datagram costs no heap, on its way down and up, connected or not. */
class UdpAllocationTest {
    private static final int OCTETS = 64;

    @ParameterizedTest
    @CsvSource({"SPLIT,true", "SPLIT,false", "COALESCED,true", "VERTICAL,true"})
    void steadyState_sendAndReceive_allocateNothing(final LockStrategy locks, final boolean connected)
            throws Exception {
        final SockAddr to = SockAddr.of("127.0.0.1", 5353);
        try (Host host = new Host(locks); Arena arena = Arena.ofConfined()) {
            final Socket server = host.socket(SocketDefs.SOCK_DGRAM, Ucred.ROOT);
            final Socket client = host.socket(SocketDefs.SOCK_DGRAM, Ucred.ROOT);
            assertThat(server.bind(to, Ucred.ROOT)).isEqualTo(Errno.OK);
            if (connected) {
                assertThat(client.connect(to, Ucred.ROOT)).isEqualTo(Errno.OK);
            }
            final MemorySegment data = arena.allocate(OCTETS);
            final Uio uio = new Uio();
            final RecvMsg msg = new RecvMsg();
            final SockAddr from = new SockAddr();
            final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            final long self = Thread.currentThread().threadId();
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 10; round++) {
                final long before = threads.getThreadAllocatedBytes(self);
                for (int i = 0; i < 2000; i++) {
                    uio.set(data, 0, OCTETS);
                    final Errno sent = client.send(connected ? null : to, uio, null, null, 0);
                    msg.clear();
                    msg.uio.set(data, 0, OCTETS);
                    msg.from = from;
                    final Errno got = server.receive(msg);
                    if (sent != Errno.OK || got != Errno.OK || msg.uio.resid() != 0) {
                        throw new AssertionError(sent + " " + got + " left " + msg.uio.resid());
                    }
                }
                least = Math.min(least, threads.getThreadAllocatedBytes(self) - before);
            }
            assertThat(least).as("octets in 2000 datagrams").isZero();
            client.close();
            server.close();
        }
    }
}
