package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.MSG_DONTWAIT;
import static io.gatun.spi.socket.SocketDefs.MSG_OOB;
import static io.gatun.spi.socket.SocketDefs.MSG_PEEK;
import static io.gatun.spi.socket.SocketDefs.MSG_WAITALL;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Streams on one thread. */
class StreamTest {
    @ParameterizedTest
    @EnumSource
    void stream_anySizes_arriveInOrder(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final long seed = System.identityHashCode(s);
        final Random random = new Random(seed);
        final Socket[] p = s.pair(SOCK_STREAM);
        final ByteArrayOutputStream sent = new ByteArrayOutputStream();
        final ByteArrayOutputStream got = new ByteArrayOutputStream();
        for (int i = 0; i < 2000; i++) {
            final byte[] b = Setting.octets(random.nextInt(random.nextBoolean() ? 10 : 20_000), i);
            final Uio uio = Setting.uio(b);
            final Errno e = p[0].send(null, uio, null, null, MSG_DONTWAIT);
            assertThat(e).isIn(Errno.OK, Errno.EAGAIN);
            sent.write(b, 0, (int) (b.length - uio.resid()));
            final byte[] in = Setting.receive(p[1], random.nextInt(20_000), MSG_DONTWAIT);
            if (in != null) {
                got.writeBytes(in);
            }
        }
        byte[] in = Setting.receive(p[1], 50_000, MSG_DONTWAIT);
        while (in != null) {
            got.writeBytes(in);
            in = Setting.receive(p[1], 50_000, MSG_DONTWAIT);
        }
        assertThat(got.toByteArray()).as("seed " + seed).isEqualTo(sent.toByteArray());
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void stream_mbufs_passWithoutCopy(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket[] p = s.pair(SOCK_STREAM);
        final byte[] b = Setting.octets(10_000, 1);
        final Mbuf top = s.packet(b);
        final long where = top.data();
        assertThat(p[0].send(null, null, top, null, MSG_DONTWAIT)).isEqualTo(Errno.OK);
        final RecvMsg msg = new RecvMsg();
        final ByteArrayOutputStream got = new ByteArrayOutputStream();
        for (final int n : new int[] {100, 4000, 50_000}) {
            msg.clear();
            msg.wantMbufs = true;
            msg.uio.limit(n);
            assertThat(p[1].receive(msg)).isEqualTo(Errno.OK);
            final byte[] part = new byte[msg.mbufs.length()];
            msg.mbufs.copyData(0, part.length, part, 0);
            assertThat(msg.uio.resid()).isEqualTo(n - part.length);
            if (got.size() == 0) {
                assertThat(msg.mbufs.data()).isEqualTo(where);
            }
            got.writeBytes(part);
            msg.mbufs.freeChain();
        }
        assertThat(got.toByteArray()).isEqualTo(b);
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void stream_peeked_staysThere(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket[] p = s.pair(SOCK_STREAM);
        Setting.send(p[0], Setting.ascii("hello"), 0);
        assertThat(Setting.receive(p[1], 3, MSG_PEEK)).isEqualTo(Setting.ascii("hel"));
        assertThat(p[1].fionread()).isEqualTo(5);
        final RecvMsg msg = new RecvMsg();
        msg.wantMbufs = true;
        msg.flags = MSG_PEEK;
        msg.uio.limit(10);
        assertThat(p[1].receive(msg)).isEqualTo(Errno.OK);
        assertThat(msg.mbufs.length()).isEqualTo(5);
        msg.mbufs.freeChain();
        assertThat(Setting.receive(p[1], 5, MSG_WAITALL)).isEqualTo(Setting.ascii("hello"));
        assertThat(Setting.receive(p[1], 5, MSG_PEEK)).as("nothing to wait for without threads").isNull();
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void stream_shutDown_endsAfterTheLastOctet(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket[] p = s.pair(SOCK_STREAM);
        Setting.send(p[0], new byte[] {1, 2}, 0);
        assertThat(p[0].shutdown(SocketDefs.SHUT_WR)).isEqualTo(Errno.OK);
        assertThat(Setting.send(p[0], new byte[1], 0)).isEqualTo(Errno.EPIPE);
        assertThat(Setting.receive(p[1], 9, 0)).containsExactly(1, 2);
        assertThat(Setting.receive(p[1], 9, 0)).isEmpty();
        assertThat(Setting.receive(p[1], 9, 0)).isEmpty();
        Setting.send(p[1], new byte[] {3}, 0);
        assertThat(p[0].shutdown(SocketDefs.SHUT_RD)).isEqualTo(Errno.OK);
        assertThat(Setting.receive(p[0], 9, 0)).as("what was not read is gone").isEmpty();
        assertThat(p[0].shutdown(9)).isEqualTo(Errno.EINVAL);
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void stream_peerGone_saysWhy(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket[] p = s.pair(SOCK_STREAM);
        Setting.send(p[1], new byte[] {9}, 0);
        p[1].setOpt(io.gatun.spi.socket.SockOpt.set(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER,
            new io.gatun.spi.socket.Linger(true, 0)));
        p[1].close();
        assertThat(Setting.receive(p[0], 5, 0)).as("what had come").containsExactly(9);
        assertThat(p[0].receive(Setting.msg(new byte[5], 0))).isEqualTo(Errno.ECONNRESET);
        assertThat(Setting.receive(p[0], 5, 0)).as("once").isEmpty();
        assertThat(Setting.send(p[0], new byte[5], 0)).isEqualTo(Errno.EPIPE);
        p[0].close();
        assertThat(p[0].close()).isEqualTo(Errno.EBADF);
        assertThat(Setting.send(p[0], new byte[5], 0)).isEqualTo(Errno.EBADF);
        assertThat(p[0].poll(-1)).isEqualTo(SocketDefs.POLLNVAL);
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void stream_urgentOctet_stopsTheReaderAtTheMark(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket[] p = s.pair(SOCK_STREAM);
        Setting.send(p[0], Setting.ascii("abc"), 0);
        Setting.send(p[0], Setting.ascii("!"), MSG_OOB);
        Setting.send(p[0], Setting.ascii("def"), 0);
        assertThat(p[1].poll(SocketDefs.POLLPRI)).isEqualTo(SocketDefs.POLLPRI);
        assertThat(Setting.receive(p[1], 10, MSG_OOB)).isEqualTo(Setting.ascii("!"));
        assertThat(p[1].receive(Setting.msg(new byte[1], MSG_OOB))).isEqualTo(Errno.EINVAL);
        assertThat(Setting.receive(p[1], 2, 0)).isEqualTo(Setting.ascii("ab"));
        assertThat(p[1].atMark()).isFalse();
        assertThat(Setting.receive(p[1], 10, MSG_WAITALL)).isEqualTo(Setting.ascii("c"));
        assertThat(p[1].atMark()).isTrue();
        assertThat(Setting.receive(p[1], 10, 0)).isEqualTo(Setting.ascii("!def"));
        assertThat(p[1].atMark()).isFalse();
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void stream_poolExhausted_sendsWhatItCanThenSaysSo(final LockStrategy strategy) {
        final MbufPool pool = MbufPool.builder().nmbufs(40).nmbclusters(4).nmbjumbop(1).nmbjumbo9(1).nmbjumbo16(1)
            .build();
        final TestVnet vnet = new TestVnet(strategy, false, pool);
        final Socket[] p = new Socket[2];
        vnet.sockets().createPair(PairDomain.AF_PAIR, SOCK_STREAM, 0, Ucred.ROOT, p);
        p[0].reserve(200_000, 200_000);
        p[1].reserve(200_000, 200_000);
        final List<Mbuf> hogs = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            hogs.add(pool.get(Mbuf.MT_DATA));
        }
        final byte[] b = Setting.octets(100_000, 3);
        final Uio uio = Setting.uio(b);
        assertThat(p[0].send(null, uio, null, null, 0)).as("progress hides ENOBUFS").isEqualTo(Errno.OK);
        final int sent = (int) (b.length - uio.resid());
        assertThat(sent).isBetween(30_000, 60_000);
        assertThat(Setting.send(p[0], b, 0)).isEqualTo(Errno.ENOBUFS);
        hogs.forEach(Mbuf::free);
        p[0].shutdown(SocketDefs.SHUT_WR);
        final ByteArrayOutputStream got = new ByteArrayOutputStream();
        while (got.size() < sent) {
            got.writeBytes(Setting.receive(p[1], 1000, 0));
        }
        assertThat(got.toByteArray()).isEqualTo(java.util.Arrays.copyOf(b, sent));
        p[0].close();
        p[1].close();
        vnet.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void seqpacket_partsOfRecords_endWithEor(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket[] p = s.pair(SocketDefs.SOCK_SEQPACKET);
        Setting.send(p[0], Setting.ascii("hello"), SocketDefs.MSG_EOR);
        Setting.send(p[0], Setting.ascii("world"), SocketDefs.MSG_EOR);
        final byte[] b = new byte[4];
        RecvMsg msg = Setting.msg(b, 0);
        assertThat(p[1].receive(msg)).isEqualTo(Errno.OK);
        assertThat(b).isEqualTo(Setting.ascii("hell"));
        assertThat(msg.flags & SocketDefs.MSG_EOR).isZero();
        msg = Setting.msg(b, MSG_WAITALL);
        assertThat(p[1].receive(msg)).isEqualTo(Errno.OK);
        assertThat(msg.uio.resid()).isEqualTo(3);
        assertThat(msg.flags & SocketDefs.MSG_EOR).isNotZero();
        assertThat(Setting.receive(p[1], 10, 0)).isEqualTo(Setting.ascii("world"));
        assertThat(p[1].rcv().check()).isTrue();
        p[0].close();
        p[1].close();
        s.checkWhole();
    }
}
