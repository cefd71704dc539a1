package io.gatun.uipc.api;

import static io.gatun.spi.socket.SocketDefs.SOCK_DGRAM;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VnetSide;
import io.gatun.uipc.Fixture;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SocketFileTest {
    private final Fixture fixture = new Fixture(LockStrategy.SPLIT);
    private final VnetSide vnet = fixture.vnet();

    @AfterEach
    void poolIsWhole() {
        fixture.checkWhole();
    }

    @Test
    void buffers_ofEveryKind_moveTheirPositions() throws Exception {
        final SocketFile[] p = SocketFile.socketpair(vnet, Fixture.AF_PAIR, SOCK_STREAM, 0);
        final ByteBuffer slice = ByteBuffer.wrap(new byte[] {0, 0, 0, 0, 1, 2, 3}).position(4).slice();
        final ByteBuffer[] outs = {
            ByteBuffer.wrap(new byte[] {9, 1, 2, 3, 9}).position(1).limit(4),
            ByteBuffer.allocateDirect(8).put(2, (byte) 1).put(3, (byte) 2).put(4, (byte) 3).position(2).limit(5), slice,
            slice.duplicate().rewind().asReadOnlyBuffer()};
        for (final ByteBuffer out : outs) {
            assertThat(p[0].send(out)).isEqualTo(3);
            assertThat(out.hasRemaining()).isFalse();
            final ByteBuffer in = ByteBuffer.allocateDirect(10).position(5);
            assertThat(p[1].receive(in)).isEqualTo(3);
            assertThat(in.position()).isEqualTo(8);
            assertThat(new byte[] {in.get(5), in.get(6), in.get(7)}).containsExactly(1, 2, 3);
        }
        assertThatThrownBy(() -> p[1].receive(outs[3])).isInstanceOf(ReadOnlyBufferException.class);
        p[0].close();
        assertThat(p[1].receive(ByteBuffer.allocate(1))).isEqualTo(SocketFile.END);
        p[1].close();
        p[1].close();
    }

    @Test
    void nonBlocking_nothingToDo_answersWouldBlock() throws Exception {
        final SocketFile[] p = SocketFile.socketpair(vnet, Fixture.AF_PAIR, SOCK_STREAM, 0);
        p[0].setNonBlocking(true);
        assertThat(p[0].receive(ByteBuffer.allocate(1))).isEqualTo(SocketFile.WOULD_BLOCK);
        final ByteBuffer big = ByteBuffer.allocate(1 << 20);
        final int n = p[0].send(big);
        assertThat(n).isPositive().isEqualTo(big.position());
        assertThat(p[0].send(big)).isEqualTo(SocketFile.WOULD_BLOCK);
        assertThat(p[1].available()).isPositive();
        p[1].close();
        p[0].close();
    }

    @Test
    void segments_mbufs_andAddresses_passThrough() throws Exception {
        try (SocketFile a = SocketFile.socket(vnet, Fixture.AF_PAIR, SOCK_DGRAM, 0);
            SocketFile b = SocketFile.socket(vnet, Fixture.AF_PAIR, SOCK_DGRAM, 0);
            Arena arena = Arena.ofConfined()) {
            a.bind(SockAddr.in(0, 1));
            b.bind(SockAddr.in(0, 2));
            assertThat(b.localAddress().port()).isEqualTo(2);
            final MemorySegment seg = arena.allocate(100);
            assertThat(a.sendto(seg, 10, 50, 0, SockAddr.in(0, 2))).isEqualTo(50);
            final SockAddr from = new SockAddr();
            assertThat(b.recvfrom(seg, 0, 100, 0, from)).isEqualTo(50);
            assertThat(from.port()).isEqualTo(1);
            final Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
            m.len(3);
            m.pktLen(3);
            a.sendMbufs(m, 0, SockAddr.in(0, 2));
            final Mbuf got = b.receiveMbufs(100, 0, from);
            assertThat(got).isSameAs(m);
            got.freeChain();
            assertThat(b.receiveMbufs(100, SocketDefs.MSG_DONTWAIT, from)).isNull();
            assertThatThrownBy(() -> a.send(ByteBuffer.allocate(1))).isInstanceOf(ErrnoException.class)
                .hasMessageContaining("EDESTADDRREQ");
        }
    }

    @Test
    void segment_closedMeanwhile_leaksNothing() throws Exception {
        final SocketFile[] p = SocketFile.socketpair(vnet, Fixture.AF_PAIR, SOCK_STREAM, 0);
        final MemorySegment gone;
        try (Arena arena = Arena.ofConfined()) {
            gone = arena.allocate(10);
        }
        assertThatThrownBy(() -> p[0].send(gone, 0, 10, 0)).isInstanceOf(IllegalStateException.class);
        p[0].send(ByteBuffer.allocate(5));
        assertThatThrownBy(() -> p[1].receive(gone, 0, 10, 0)).isInstanceOf(IllegalStateException.class);
        assertThat(p[0].send(ByteBuffer.allocate(5))).as("locks are free").isEqualTo(5);
        p[0].close();
        p[1].close();
    }

    @Test
    void connections_overTheFacade_work() throws Exception {
        try (SocketFile head = SocketFile.socket(vnet, Fixture.AF_PAIR, SOCK_STREAM, 0);
            SocketFile client = SocketFile.socket(vnet, Fixture.AF_PAIR, SOCK_STREAM, 0)) {
            head.bind(SockAddr.in(0, 80));
            head.listen(5);
            assertThat(head.accept()).isNull();
            assertThat(client.connect(SockAddr.in(0, 80))).isTrue();
            try (SocketFile server = head.accept()) {
                server.setOption(SOL_SOCKET, SocketDefs.SO_KEEPALIVE, 1);
                assertThat(server.getOption(SOL_SOCKET, SocketDefs.SO_KEEPALIVE)).isOne();
                client.shutdown(SocketDefs.SHUT_WR);
                assertThat(server.poll(SocketDefs.POLLIN)).isEqualTo(SocketDefs.POLLIN);
                assertThat(server.receive(ByteBuffer.allocate(1))).isEqualTo(SocketFile.END);
            }
            assertThatThrownBy(() -> client.bind(SockAddr.in(0, 80))).isInstanceOf(ErrnoException.class)
                .extracting(e -> ((ErrnoException) e).errno()).isEqualTo(Errno.EADDRINUSE);
        }
    }
}
