package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.conformance.inet.Host.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** IP options of a socket's datagrams, and what of them the other end is told. */
class IpOptionsTest {
    private static final int IP = InDefs.IPPROTO_IP;
    private static final byte[] RECORD_ROUTE = {7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0};

    private final VirtualClock clock = new VirtualClock();
    private final Host left = new Host(LockStrategy.SPLIT, clock, "left");
    private final Host right = new Host(LockStrategy.COALESCED, clock, "right");
    private SocketFile client;
    private SocketFile server;

    @BeforeEach
    void start() throws Exception {
        left.join(right, Map.of());
        client = left.udp();
        server = right.udp();
        server.bind(SockAddr.of("10.0.0.2", 7));
        client.connect(SockAddr.of("10.0.0.2", 7));
    }

    @AfterEach
    void stop() throws Exception {
        left.close();
        right.close();
    }

    private void send(final String what) throws Exception {
        client.send(bytes(what));
        left.run();
        right.run();
    }

    @Test
    @Tag("RFC1122-3.2.1.8-pass")
    void recordRoute_setHere_isRecordedAndToldThere() throws Exception {
        client.setOption(IP, InDefs.IP_OPTIONS, RECORD_ROUTE);
        assertThat(client.getOption(IP, InDefs.IP_OPTIONS, byte[].class)).isEqualTo(Arrays.copyOf(RECORD_ROUTE, 12));
        server.setOption(IP, InDefs.IP_RECVOPTS, 1);
        send("with options");
        final MsgControl control = new MsgControl();
        final ByteBuffer in = ByteBuffer.allocate(100);
        server.recvmsg(in, SocketDefs.MSG_DONTWAIT, null, control);
        assertThat(in.position()).isEqualTo("with options".length());
        assertThat(control.next()).isTrue();
        assertThat(control.level()).isEqualTo(IP);
        assertThat(control.type()).isEqualTo(InDefs.IP_RECVOPTS);
        assertThat(control.octets()).isEqualTo(new byte[] {7, 11, 8, 10, 0, 0, 2, 0, 0, 0, 0, 0});
        client.setOption(IP, InDefs.IP_OPTIONS, new byte[0]);
        send("without");
        in.clear();
        server.recvmsg(in, SocketDefs.MSG_DONTWAIT, null, control);
        assertThat(control.next()).isFalse();
    }

    @Test
    void everySize_withOptions_arrives() throws Exception {
        client.setOption(IP, InDefs.IP_OPTIONS, RECORD_ROUTE);
        for (final int n : new int[] {0, 1, 1459, 1460, 1461, 1472, 1473, 9000}) {
            send("x".repeat(n));
            assertThat(read(server)).hasSize(n);
        }
    }

    @Test
    void wrongOptions_areRefused() throws Exception {
        fails(client, new byte[41], Errno.OK); // 0 ends them, but they are too many
        fails(client, new byte[] {7}, Errno.EINVAL);
        fails(client, new byte[] {7, 1}, Errno.EINVAL);
        fails(client, new byte[] {7, 9, 4}, Errno.EINVAL);
        fails(client, new byte[] {(byte) 131, 7, 4, 10, 0, 0, 2}, Errno.EOPNOTSUPP);
        fails(client, "text", Errno.EINVAL);
        fails(left.tcp(), RECORD_ROUTE, Errno.EOPNOTSUPP);
    }

    private static void fails(final SocketFile f, final Object options, final Errno errno) {
        assertThatThrownBy(() -> f.setOption(IP, InDefs.IP_OPTIONS, options)).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno == Errno.OK ? Errno.EINVAL : errno));
    }
}
