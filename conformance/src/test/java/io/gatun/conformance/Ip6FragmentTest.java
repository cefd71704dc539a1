package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Datagrams over IPv6 that are larger than the link takes. */
class Ip6FragmentTest {
    private static final SockAddr RIGHT = SockAddr.of("2001:db8::2", Bed.PORT);
    private static final int[] SIZES = {1452, 1453, 2900, 9000, 65_507};

    private static SocketFile[] sockets(final Bed bed) throws Exception {
        bed.sysctl("net.inet.udp.maxdgram", "65535");
        final Vnet a = bed.vnet("left");
        final Vnet b = bed.vnet("right");
        Bed.up(bed.cable(a, b, Bed.ETHERNET), "2001:db8::1/64", "2001:db8::2/64");
        bed.advance(3_000_000_000L);
        final SocketFile in = SocketFile.socket(b, SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0);
        in.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 200_000);
        in.bind(RIGHT);
        in.so().setNonBlocking(true);
        final SocketFile out = SocketFile.socket(a, SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0);
        out.connect(RIGHT);
        out.send(ByteBuffer.allocate(1)); // neighbours get to know each other
        bed.run();
        in.receive(ByteBuffer.allocate(1));
        return new SocketFile[] {in, out};
    }

    @ParameterizedTest
    @EnumSource
    void anySize_arrivesAsItWas(final LockStrategy strategy) throws Exception {
        try (Bed bed = new Bed(strategy, false, 1)) {
            final SocketFile[] s = sockets(bed);
            for (final int octets : SIZES) {
                final byte[] sent = new byte[octets];
                new SplittableRandom(octets).nextBytes(sent);
                assertThat(s[1].send(ByteBuffer.wrap(sent))).isEqualTo(octets);
                bed.run();
                final ByteBuffer got = ByteBuffer.allocate(70_000);
                assertThat(s[0].receive(got)).isEqualTo(octets);
                assertThat(got.flip()).isEqualTo(ByteBuffer.wrap(sent));
            }
            s[0].close();
            s[1].close();
        }
    }

    @Test
    void dontFrag_tooLarge_refused() throws Exception {
        try (Bed bed = new Bed(2)) {
            final SocketFile[] s = sockets(bed);
            s[1].setOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_DONTFRAG, 1);
            assertThat(s[1].getOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_DONTFRAG)).isEqualTo(1);
            assertThatThrownBy(() -> s[1].send(ByteBuffer.allocate(1453))).hasMessageContaining("EMSGSIZE");
            assertThat(s[1].send(ByteBuffer.allocate(1452))).isEqualTo(1452);
            s[1].setOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_DONTFRAG, 0);
            assertThat(s[1].send(ByteBuffer.allocate(1453))).isEqualTo(1453);
            bed.run();
            s[0].close();
            s[1].close();
        }
    }

    @Test
    void autoFlowlabelSysctl_isWhatNewSocketsHave() throws Exception {
        for (final int on : new int[] {0, 1}) {
            try (Bed bed = new Bed(3)) {
                final SocketFile[] s = sockets(bed.sysctl("net.inet6.ip6.auto_flowlabel", "" + on));
                assertThat(s[1].getOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_AUTOFLOWLABEL)).isEqualTo(on);
                s[0].close();
                s[1].close();
            }
        }
    }

    /** Headers of the sender's that leave no fragment room for data: that is said, and is no want of mbufs. */
    @Test
    void optionsFillTheLink_refused() throws Exception {
        try (Bed bed = new Bed(3)) {
            final SocketFile[] s = sockets(bed);
            final byte[] header = new byte[1456];
            header[1] = (byte) (header.length / 8 - 1);
            for (int at = 2; at < header.length; at += 2 + (header[at + 1] & 0xff)) {
                header[at] = 1;
                header[at + 1] = (byte) Math.min(255, header.length - at - 2);
            }
            s[1].setOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_HOPOPTS, header);
            assertThatThrownBy(() -> s[1].send(ByteBuffer.allocate(100))).hasMessageContaining("EMSGSIZE");
            assertThat(bed.drops()).containsEntry("IP_CANTFRAG", 1L).doesNotContainKey("MBUF_NOMEM");
            s[0].close();
            s[1].close();
        }
    }
}
