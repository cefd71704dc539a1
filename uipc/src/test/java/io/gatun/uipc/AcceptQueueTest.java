package io.gatun.uipc;

import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AcceptQueueTest {
    private static long option(final Socket so, final int name) {
        final SockOpt opt = SockOpt.get(SOL_SOCKET, name);
        assertThat(so.getOpt(opt)).isEqualTo(Errno.OK);
        return opt.value();
    }

    private static void closeAll(final List<Socket> sockets) {
        sockets.forEach(Socket::close);
    }

    @ParameterizedTest
    @EnumSource
    void listener_complete_acceptsInOrderWithInheritance(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket head = s.listener(5);
        head.setOpt(SockOpt.set(SOL_SOCKET, SocketDefs.SO_KEEPALIVE, 1));
        head.setOpt(SockOpt.set(SOL_SOCKET, SocketDefs.SO_RCVBUF, 12_345));
        head.setOpt(SockOpt.set(SOL_SOCKET, SocketDefs.SO_RCVTIMEO, 77));
        head.setNonBlocking(true);
        assertThat(head.accept(null, 0).errno()).isEqualTo(Errno.EAGAIN);
        final List<Socket> clients = new ArrayList<>();
        for (int port = 100; port < 103; port++) {
            final Socket c = s.socket(SocketDefs.SOCK_STREAM);
            c.bind(SockAddr.in(0, port), Ucred.ROOT);
            assertThat(c.connect(SockAddr.in(0, Setting.PORT), Ucred.ROOT)).isEqualTo(Errno.OK);
            clients.add(c);
        }
        assertThat(option(head, SocketDefs.SO_LISTENQLEN)).isEqualTo(3);
        assertThat(head.poll(SocketDefs.POLLIN)).isEqualTo(SocketDefs.POLLIN);
        final SockAddr peer = new SockAddr();
        for (int port = 100; port < 103; port++) {
            final SoResult r = head.accept(peer, 0);
            assertThat(peer.port()).isEqualTo(port);
            assertThat(r.so().nonBlocking()).isTrue();
            assertThat(option(r.so(), SocketDefs.SO_KEEPALIVE)).isOne();
            assertThat(option(r.so(), SocketDefs.SO_RCVBUF)).isEqualTo(12_345);
            assertThat(option(r.so(), SocketDefs.SO_RCVTIMEO)).isEqualTo(77);
            r.so().close();
        }
        closeAll(clients);
        head.close();
        s.checkWhole();
    }

    /** Who polls waits a moment for a second child, and no longer where the clock stands still. */
    @ParameterizedTest
    @EnumSource
    void polledInVain_oneComesOrTwo_areTaken(final LockStrategy strategy) {
        for (final String gather : new String[] {"0", "1", "100000"}) {
            final Setting s = new Setting(strategy, true);
            s.vnet.sysctl().set("kern.ipc.soacceptgather_ns", gather);
            final Socket head = s.listener(5);
            head.setNonBlocking(true);
            final List<Socket> all = new ArrayList<>(List.of(head));
            for (int children = 1; children <= 2; children++) {
                assertThat(head.accept(null, 0).errno()).isEqualTo(Errno.EAGAIN);
                for (int i = 0; i < children; i++) {
                    all.add(s.connecting());
                }
                for (int i = 0; i < children; i++) {
                    final SoResult r = head.accept(null, 0);
                    assertThat(r.errno()).isEqualTo(Errno.OK);
                    all.add(r.so());
                }
            }
            closeAll(all);
            s.checkWhole();
        }
    }

    @ParameterizedTest
    @EnumSource
    void queue_beyondThreeHalves_refusesAndCounts(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket head = s.listener(4);
        final List<Socket> clients = new ArrayList<>();
        int accepted = 0;
        for (int i = 0; i < 10; i++) {
            final Socket c = s.socket(SocketDefs.SOCK_STREAM);
            accepted += c.connect(SockAddr.in(0, Setting.PORT), Ucred.ROOT) == Errno.OK ? 1 : 0;
            clients.add(c);
        }
        assertThat(accepted).as("refused when more than 3/2 of the backlog wait").isEqualTo(7);
        assertThat(head.sol().overcount()).isEqualTo(3);
        assertThat(s.vnet.counters().get("socket.listenoverflow")).isEqualTo(3);
        head.close();
        closeAll(clients);
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void incomplete_tooMany_oldestIsDropped(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        s.vnet.pair().slow = true;
        final Socket head = s.listener(2);
        final List<Socket> clients = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            clients.add(s.connecting());
        }
        assertThat(option(head, SocketDefs.SO_LISTENINCQLEN)).isEqualTo(3);
        assertThat(clients.get(0).error()).isEqualTo(Errno.ECONNRESET);
        assertThat(clients.get(1).error()).isEqualTo(Errno.ECONNRESET);
        assertThat(clients.get(2).error()).isEqualTo(Errno.OK);
        s.vnet.pair().finishHandshakes();
        assertThat(option(head, SocketDefs.SO_LISTENINCQLEN)).isZero();
        assertThat(option(head, SocketDefs.SO_LISTENQLEN)).isEqualTo(3);
        closeAll(clients);
        head.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void incomplete_disconnected_leavesTheQueue(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        s.vnet.pair().slow = true;
        final Socket head = s.listener(2);
        final Socket client = s.connecting();
        final PairDomain.Pcb child = PairDomain.pcb(client).peer;
        child.lock.lock();
        try {
            child.so.isDisconnected();
        } finally {
            child.lock.unlock();
        }
        s.vnet.netisr().swi();
        assertThat(option(head, SocketDefs.SO_LISTENINCQLEN)).isZero();
        assertThat(s.vnet.sockets().numOpen()).isEqualTo(2);
        client.close();
        head.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void listener_closed_abortsChildrenOfBothKinds(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket head = s.listener(5);
        final Socket done = s.connecting();
        s.vnet.pair().slow = true;
        final Socket half = s.connecting();
        head.close();
        assertThat(done.takeError()).isEqualTo(Errno.ECONNRESET);
        assertThat(half.takeError()).isEqualTo(Errno.ECONNRESET);
        assertThat(s.vnet.sockets().numOpen()).isEqualTo(2);
        s.vnet.pair().finishHandshakes();
        done.close();
        half.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void complete_goneBeforeAccept_answersEconnaborted(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket head = s.listener(5);
        final Socket client = s.connecting();
        PairDomain.pcb(client).so.proto().abort(client);
        client.close();
        assertThat(head.accept(null, 0).errno()).isEqualTo(Errno.ECONNABORTED);
        assertThat(head.accept(null, 0).errno()).isEqualTo(Errno.EAGAIN);
        head.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void listener_upcall_hearsOfConnections(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket head = s.listener(5);
        final AtomicInteger calls = new AtomicInteger();
        assertThat(head.listenUpcallSet((so, arg) -> calls.incrementAndGet() * 0, null)).isEqualTo(Errno.OK);
        final Socket client = s.connecting();
        assertThat(calls.get()).isOne();
        assertThat(client.listenUpcallSet(null, null)).isEqualTo(Errno.EINVAL);
        client.close();
        head.close();
        s.checkWhole();
    }

    @ParameterizedTest
    @EnumSource
    void listen_onConnected_isRefused(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket[] p = s.pair(SocketDefs.SOCK_STREAM);
        assertThat(p[0].listen(1, Ucred.ROOT)).isEqualTo(Errno.EINVAL);
        assertThat(p[0].accept(null, 0).errno()).isEqualTo(Errno.EINVAL);
        assertThat(p[0].connect(SockAddr.in(0, 5), Ucred.ROOT)).isEqualTo(Errno.EISCONN);
        final Socket head = s.listener(1);
        assertThat(head.listen(9, Ucred.ROOT)).isEqualTo(Errno.OK);
        assertThat(option(head, SocketDefs.SO_LISTENQLIMIT)).isEqualTo(9);
        assertThat(head.connect(SockAddr.in(0, 5), Ucred.ROOT)).isEqualTo(Errno.EOPNOTSUPP);
        assertThat(Setting.send(head, new byte[1], 0)).isEqualTo(Errno.ENOTCONN);
        assertThat(head.receive(Setting.msg(new byte[1], 0))).isEqualTo(Errno.ENOTCONN);
        p[0].close();
        p[1].close();
        head.close();
        s.checkWhole();
    }
}
