package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.Mmsghdr;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Datagrams that go straight next to packets, and next to a receiver who goes. */
class UdpFusionEdgesTest {
    private static final int MANY = 1 << 16;
    private static final int REOPENED = 5000;
    private static final int EACH = 4;

    private static int receive(final SocketFile so) throws ErrnoException {
        return so.receive(ByteBuffer.allocate(MANY), SocketDefs.MSG_DONTWAIT);
    }

    private static SocketFile at(final Vnet v, final int port) throws ErrnoException {
        final SocketFile so = Bed.udp(v);
        so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_REUSEPORT, 1);
        so.bind(SockAddr.of("127.0.0.1", port));
        return so;
    }

    /** A receiver that closes while a datagram is put into its buffer leaves none there. */
    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void receiversThatClose_underDatagrams_leaveNothing(final LockStrategy locks) throws Exception {
        try (Bed bed = new Bed(locks, true, 1)) {
            final Vnet v = bed.loopback();
            final AtomicBoolean done = new AtomicBoolean();
            final FutureTask<Void> sender = new FutureTask<>(() -> {
                final SocketFile out = Bed.udp(v);
                out.connect(SockAddr.of("127.0.0.1", 5353));
                final ByteBuffer b = ByteBuffer.allocateDirect(600);
                for (int i = 0; !done.get(); i++) {
                    try {
                        out.send(b.clear().limit(i % 2 == 0 ? 600 : 8));
                    } catch (final ErrnoException e) {
                        Thread.onSpinWait(); // nobody is there now
                    }
                }
                out.close();
                return null;
            });
            Thread.ofPlatform().daemon().start(sender);
            for (int i = 0; i < REOPENED; i++) {
                final SocketFile in = at(v, 5353);
                for (int k = i % 100; k > 0; k--) {
                    Thread.onSpinWait();
                }
                in.close();
            }
            done.set(true);
            sender.get();
        }
    }

    @Test
    void shutForReading_withoutAPeer_keepsNothingForTheNext() throws Exception {
        try (Bed bed = new Bed(LockStrategy.SPLIT, true, 1)) {
            final Vnet v = bed.loopback();
            final SocketFile in = at(v, 5353);
            final SocketFile out = Bed.udp(v);
            out.connect(SockAddr.of("127.0.0.1", 5353));
            for (int i = 0; i < 3; i++) {
                out.send(ByteBuffer.allocate(10));
            }
            assertThat(receive(in)).isEqualTo(10);
            assertThatThrownBy(() -> in.shutdown(SocketDefs.SHUT_RD)).hasMessageContaining("ENOTCONN");
            assertThat(in.available()).isZero();
            assertThat(receive(in)).isLessThanOrEqualTo(0);
            in.close();
            out.close();
        }
    }

    /** Of a burst without a peer the first is a packet, that waits for the end of the call. */
    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void datagramsOfABurst_keepTheirOrder(final LockStrategy locks) throws Exception {
        for (final boolean threads : new boolean[] {false, true}) {
            try (Bed bed = new Bed(locks, threads, 1)) {
                final Vnet v = bed.loopback();
                final SocketFile in = at(v, 5353);
                final SocketFile out = Bed.udp(v);
                final Mmsghdr[] vec = new Mmsghdr[EACH];
                for (int i = 0; i < EACH; i++) {
                    vec[i] = new Mmsghdr();
                    vec[i].hdr.uio.set(Arena.ofAuto().allocate(i + 1), 0, i + 1);
                    vec[i].hdr.from = SockAddr.of("127.0.0.1", 5353);
                }
                assertThat(out.sendmmsg(vec, EACH, 0)).isEqualTo(EACH);
                for (int i = 0; i < EACH; i++) {
                    assertThat(in.receive(ByteBuffer.allocate(EACH))).isEqualTo(i + 1);
                }
                in.close();
                out.close();
            }
        }
    }
}
