package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.GroupReq;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a host sends to a group or to all, and hears itself: the same octets as everybody else, whatever is cut. */
class McastLoopTest {
    private static final int PORT = 5001;

    static Stream<Arguments> sizes() {
        return Stream.of(false, true).flatMap(six -> Stream.of(1, 1473, 60_000).map(n -> Arguments.of(six, n)));
    }

    private static SocketFile listener(final Host h, final boolean six, final int index, final SockAddr group)
            throws Exception {
        final SocketFile so = Pair.udp(h, six);
        so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 100_000);
        so.bind(Pair.any(six, PORT));
        final int level = six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP;
        so.setOption(level, InDefs.MCAST_JOIN_GROUP, new GroupReq(index, group));
        return so;
    }

    private static ByteBuffer octets(final int n) {
        final ByteBuffer b = ByteBuffer.allocate(n);
        for (int i = 0; i < n; i++) {
            b.put((byte) (i * 31 + i / 256));
        }
        return b.flip();
    }

    private static ByteBuffer read(final SocketFile so) throws Exception {
        final ByteBuffer in = ByteBuffer.allocate(70_000);
        assertThat(so.receive(in)).as("what %s has heard", so).isPositive();
        return in.flip();
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void toGroup_senderHearsWhatOthersHear(final boolean six, final int n) throws Exception {
        final Pair p = new Pair(LockStrategy.SPLIT, Map.of("checksums", "true"));
        p.settled();
        final SockAddr group = SockAddr.of(six ? "ff15::77" : "239.7.7.7", PORT);
        final SocketFile here = listener(p.left, six, p.cable.a().index(), group);
        final SocketFile there = listener(p.right, six, p.cable.b().index(), group);
        if (six) {
            here.setOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF, p.cable.a().index());
        } else {
            here.setOption(InDefs.IPPROTO_IP, InDefs.IP_MULTICAST_IF, p.cable.a().index());
        }
        here.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_SNDBUF, 100_000);
        here.sendto(octets(n), 0, group);
        p.run();
        assertThat(read(there)).isEqualTo(octets(n));
        assertThat(read(here)).isEqualTo(octets(n));
        p.close();
    }
}
