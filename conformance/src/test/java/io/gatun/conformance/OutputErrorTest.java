package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.epair.Epair;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetSlots;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes out fails below the transport: the user is told, and what is to be tried again is tried again. */
class OutputErrorTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private static Errno errnoOf(final Throwable t) {
        return ((ErrnoException) t).errno();
    }

    /** An address goes that a connection has, and packets from it would leave by another interface. */
    @ParameterizedTest
    @EnumSource
    void tcp_itsAddressIsGoneForAWhile_textIsSentAgain(final LockStrategy strategy) throws ErrnoException {
        try (Bed bed = new Bed(strategy, false, 1)) {
            final Vnet v = bed.loopback();
            final Vnet other = bed.vnet("other");
            Bed.up(bed.cable(v, other, Bed.ETHERNET), "10.0.0.1/24", "10.0.0.2/24");
            final SocketFile[] c = bed.connection(v, v, SockAddr.of("127.0.0.1", Bed.PORT));
            final Ifnet lo = v.ifnets().byName("lo0");
            Bed.config(v).removeAddress(lo, "127.0.0.1");
            Bed.config(v).addDefault("10.0.0.2");
            assertThatThrownBy(() -> c[0].send(ByteBuffer.wrap(new byte[] {1, 2, 3}))).satisfies(
                e -> assertThat(errnoOf(e)).isEqualTo(Errno.EADDRNOTAVAIL));
            bed.advance(20 * SECOND);
            Bed.config(v).addAddress(lo, "127.0.0.1/8");
            bed.advance(60 * SECOND);
            assertThat(c[1].receive(ByteBuffer.allocate(8))).isEqualTo(3);
            c[0].close();
            c[1].close();
            bed.advance(200 * SECOND);
        }
    }

    /** The same for good: the connection ends. */
    @ParameterizedTest
    @EnumSource
    void tcp_itsAddressIsGoneForGood_timesOut(final LockStrategy strategy) throws ErrnoException {
        try (Bed bed = new Bed(strategy, false, 1)) {
            final Vnet v = bed.loopback();
            final Vnet other = bed.vnet("other");
            Bed.up(bed.cable(v, other, Bed.ETHERNET), "10.0.0.1/24", "10.0.0.2/24");
            final SocketFile[] c = bed.connection(v, v, SockAddr.of("127.0.0.1", Bed.PORT));
            Bed.config(v).removeAddress(v.ifnets().byName("lo0"), "127.0.0.1");
            Bed.config(v).addDefault("10.0.0.2");
            assertThatThrownBy(() -> c[0].send(ByteBuffer.wrap(new byte[] {1, 2, 3}))).satisfies(
                e -> assertThat(errnoOf(e)).isEqualTo(Errno.EADDRNOTAVAIL));
            bed.advance(TimeUnit.MINUTES.toNanos(30));
            assertThatThrownBy(() -> c[0].receive(ByteBuffer.allocate(8))).satisfies(
                e -> assertThat(errnoOf(e)).isEqualTo(Errno.ETIMEDOUT));
            c[0].close();
            c[1].close();
            bed.advance(TimeUnit.HOURS.toNanos(3));
        }
    }

    /** A device that has no room for a datagram: its sender hears of it, as in FreeBSD. */
    @ParameterizedTest
    @EnumSource
    void udp_deviceIsFull_senderIsTold(final Family family) throws ErrnoException {
        try (Bed bed = new Bed(1)) {
            final Vnet a = bed.vnet("left");
            final Vnet b = bed.vnet("right");
            final Epair cable = bed.cable(a, b, Bed.ETHERNET);
            family.up(cable);
            final SocketFile so = SocketFile.socket(a, family.left(0).family(), SocketDefs.SOCK_DGRAM, 0);
            so.sendto(ByteBuffer.allocate(9), 0, family.right(9));
            bed.advance(SECOND);
            final IfnetSlots.TransmitFn below = cable.a().transmitFn();
            cable.a().setTransmitFn((ifp, m) -> {
                m.freePkts();
                return Errno.ENOBUFS;
            });
            final ByteBuffer octets = ByteBuffer.allocate(9);
            assertThatThrownBy(() -> so.sendto(octets, 0, family.right(9))).satisfies(
                e -> assertThat(errnoOf(e)).isEqualTo(Errno.ENOBUFS));
            cable.a().setTransmitFn(below);
            so.close();
        }
    }
}
