package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.MSG_DONTWAIT;
import static io.gatun.spi.socket.SocketDefs.MSG_PEEK;
import static io.gatun.spi.socket.SocketDefs.MSG_TRUNC;
import static io.gatun.spi.socket.SocketDefs.SOCK_DGRAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DgramTest {
    private static Socket bound(final Setting s, final int port) {
        final Socket so = s.socket(SOCK_DGRAM);
        assertThat(so.bind(SockAddr.in(0, port), Ucred.ROOT)).isEqualTo(Errno.OK);
        return so;
    }

    private static Errno sendTo(final Socket so, final int port, final byte[] b) {
        return so.send(SockAddr.in(0, port), Setting.uio(b), null, null, 0);
    }

    @ParameterizedTest
    @EnumSource
    void messages_ofAllSizes_comeWholeWithTheirSender(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket a = bound(s, 1);
        final Socket b = bound(s, 2);
        for (final int n : new int[] {0, 1, 180, 181, 256, 2000, 2048, 9000, 16_000}) {
            final byte[] out = Setting.octets(n, n);
            assertThat(sendTo(a, 2, out)).isEqualTo(Errno.OK);
            assertThat(b.poll(SocketDefs.POLLIN)).isEqualTo(SocketDefs.POLLIN);
            final byte[] in = new byte[n + 1];
            final RecvMsg msg = Setting.msg(in, 0);
            msg.from = new SockAddr();
            assertThat(b.receive(msg)).isEqualTo(Errno.OK);
            assertThat(msg.uio.resid()).isEqualTo(1);
            assertThat(java.util.Arrays.copyOf(in, n)).isEqualTo(out);
            assertThat(msg.from).isEqualTo(SockAddr.in(0, 1));
            assertThat(msg.flags).isZero();
        }
        assertThat(sendTo(a, 2, new byte[17_000])).isEqualTo(Errno.EMSGSIZE);
        assertThat(Setting.send(a, new byte[1], 0)).isEqualTo(Errno.EDESTADDRREQ);
        assertThat(Setting.receive(b, 1, MSG_DONTWAIT)).isNull();
        a.close();
        b.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void message_longerThanTheBuffer_isCutAndMarked(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket a = bound(s, 1);
        final Socket b = bound(s, 2);
        sendTo(a, 2, Setting.ascii("hello"));
        sendTo(a, 2, Setting.ascii("again"));
        final byte[] in = new byte[3];
        RecvMsg msg = Setting.msg(in, MSG_PEEK);
        msg.from = new SockAddr();
        assertThat(b.receive(msg)).isEqualTo(Errno.OK);
        assertThat(msg.from.port()).isEqualTo(1);
        msg = Setting.msg(in, 0);
        assertThat(b.receive(msg)).isEqualTo(Errno.OK);
        assertThat(in).isEqualTo(Setting.ascii("hel"));
        assertThat(msg.flags).isEqualTo(MSG_TRUNC);
        msg.clear();
        msg.wantMbufs = true;
        msg.uio.limit(2);
        assertThat(b.receive(msg)).isEqualTo(Errno.OK);
        assertThat(msg.mbufs.length()).isEqualTo(2);
        assertThat(msg.flags).isEqualTo(MSG_TRUNC);
        msg.mbufs.freeChain();
        a.close();
        b.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void control_wantedOrNot_neverLeaks(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket a = bound(s, 1);
        final Socket b = bound(s, 2);
        assertThat(a.connect(SockAddr.in(0, 2), Ucred.ROOT)).isEqualTo(Errno.OK);
        for (int i = 0; i < 4; i++) {
            final Mbuf control = s.vnet.pool().get(Mbuf.MT_CONTROL);
            control.len(20);
            final RecvMsg msg = Setting.msg(new byte[10], 0);
            msg.wantControl = (i & 1) != 0;
            msg.wantMbufs = (i & 2) != 0;
            assertThat(a.send(null, Setting.uio(new byte[] {5, 6}), null, control, 0)).isEqualTo(Errno.OK);
            assertThat(b.receive(msg)).isEqualTo(Errno.OK);
            assertThat(msg.uio.resid()).isEqualTo(8);
            assertThat(msg.flags).isEqualTo(msg.wantControl ? 0 : SocketDefs.MSG_CTRUNC);
            if (msg.wantControl) {
                assertThat(msg.control.length()).isEqualTo(20);
                msg.control.freeChain();
            }
            if (msg.wantMbufs) {
                msg.mbufs.freeChain();
            }
        }
        a.close();
        b.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void buffer_full_dropsMessagesNotMemory(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket a = bound(s, 1);
        final Socket b = bound(s, 2);
        for (int i = 0; i < 100; i++) {
            assertThat(sendTo(a, 2, new byte[1000])).isEqualTo(Errno.OK);
        }
        assertThat(b.fionread()).isEqualTo(32_000);
        assertThat(b.rcv().check()).isTrue();
        a.close();
        b.close();
        s.checkWhole();
    }
}
