package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.conformance.inet.Host.read;
import static io.gatun.spi.socket.InDefs.IPPROTO_TCP;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.netinet.tcp.TcpInfo;
import io.gatun.netinet.tcp.TcpState;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Socket;
import io.gatun.uipc.api.SocketFile;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The user calls of RFC 9293 section 3.10 through sockets over lo0, under each way of sharing locks. */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class TcpSocketTest {
    private static final SockAddr SERVER = SockAddr.of("127.0.0.1", 8080);
    /** More than keepidle, TIME-WAIT and FIN-WAIT-2 together. */
    private static final long LONG_MS = 300_000;

    @Parameter
    private LockStrategy locks;
    private Host host;
    private SocketFile listener;
    private SocketFile client;
    private SocketFile child;

    @BeforeEach
    void start() {
        host = new Host(locks);
    }

    @AfterEach
    void stop() throws Exception {
        host.closeFiles();
        host.run();
        host.pass(LONG_MS);
        assertThat(host.vnet.sysctl().find("net.inet.tcp.pcbcount").get()).as("blocks left").isZero();
        host.close();
    }

    private static void fails(final ThrowingCallable call, final Errno errno) {
        assertThatThrownBy(call).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private void listen() throws Exception {
        listener = host.tcp();
        listener.bind(SERVER);
        listener.listen(8);
    }

    private void connect() throws Exception {
        listen();
        client = host.tcp();
        assertThat(client.connect(SERVER)).isTrue();
        child = host.own(listener.accept());
        child.setNonBlocking(true);
    }

    private static TcpState state(final SocketFile f) throws Exception {
        return f.getOption(IPPROTO_TCP, InDefs.TCP_INFO, TcpInfo.class).state();
    }

    // ---- OPEN ------------------------------------------------------------

    @Test
    @Tag("RFC9293-MUST-43")
    @Tag("RFC9293-MUST-44")
    @Tag("RFC9293-MUST-45")
    void closed_connect_establishesBothEnds() throws Exception {
        connect();
        assertThat(client.peerAddress()).isEqualTo(SERVER);
        assertThat(child.localAddress()).isEqualTo(SERVER);
        assertThat(child.peerAddress()).isEqualTo(client.localAddress());
        assertThat(state(client)).isEqualTo(TcpState.ESTABLISHED);
        client.send(bytes("ping"));
        assertThat(read(child)).isEqualTo("ping");
        child.send(bytes("pong"));
        assertThat(read(client)).isEqualTo("pong");
        assertThat(read(client)).isEqualTo("-");
    }

    @Test
    void closed_connectWhereNobodyListens_refused() throws Exception {
        final SocketFile f = host.tcp();
        fails(() -> f.connect(SERVER), Errno.ECONNREFUSED);
    }

    @Test
    @Tag("RFC9293-MUST-46")
    void closed_connectNowhere_saysWhy() throws Exception {
        final SocketFile f = host.tcp();
        fails(() -> f.connect(SockAddr.of("192.0.2.1", 80)), Errno.ENETUNREACH);
        fails(() -> f.connect(SockAddr.of("224.0.0.1", 80)), Errno.EAFNOSUPPORT);
        fails(() -> f.connect(SockAddr.of("::1", 80)), Errno.EAFNOSUPPORT);
        fails(() -> f.connect(SockAddr.of("127.0.0.1", 0)), Errno.EADDRNOTAVAIL);
        fails(() -> f.bind(SockAddr.of("224.0.0.1", 80)), Errno.EAFNOSUPPORT);
        fails(() -> f.bind(SockAddr.of("10.9.9.9", 80)), Errno.EADDRNOTAVAIL);
        fails(f::peerAddress, Errno.ENOTCONN);
    }

    @Test
    void established_openAgain_isRefused() throws Exception {
        connect();
        fails(() -> client.connect(SERVER), Errno.EISCONN);
        fails(() -> client.listen(1), Errno.EINVAL);
        fails(() -> client.bind(SockAddr.of("127.0.0.1", 9)), Errno.EINVAL);
        fails(() -> listener.connect(SERVER), Errno.EOPNOTSUPP);
        listener.listen(2);
        fails(() -> listener.send(bytes("x")), Errno.ENOTCONN);
    }

    @Test
    void listen_withoutBind_getsAPort() throws Exception {
        final SocketFile l = host.tcp();
        l.listen(1);
        final int port = l.localAddress().port();
        assertThat(port).isGreaterThanOrEqualTo(10_000);
        assertThat(host.tcp().connect(SockAddr.in(SockAddr.INADDR_LOOPBACK, port))).isTrue();
        assertThat(host.own(l.accept()).localAddress().port()).isEqualTo(port);
    }

    @Test
    void bind_reservedPort_needsPrivilege() {
        final Socket so = host.socket(SOCK_STREAM, new Ucred(7, 7, "user"));
        assertThat(so.bind(SockAddr.of("127.0.0.1", 80), so.cred())).isEqualTo(Errno.EACCES);
        so.close();
    }

    @Test
    void port_inTimeWait_needsReuseAddr() throws Exception {
        connect();
        child.close();
        host.run();
        assertThat(read(client)).isEqualTo("$");
        client.close();
        listener.close();
        host.run();
        final SocketFile again = host.tcp();
        fails(() -> again.bind(SERVER), Errno.EADDRINUSE);
        again.setOption(SOL_SOCKET, SocketDefs.SO_REUSEADDR, 1);
        again.bind(SERVER);
        again.listen(1);
        assertThat(host.tcp().connect(SERVER)).isTrue();
    }

    // ---- CLOSE ------------------------------------------------------------

    @Test
    void established_shutdown_isAHalfClose() throws Exception {
        connect();
        client.shutdown(SocketDefs.SHUT_WR);
        assertThat(read(child)).isEqualTo("$");
        assertThat(state(client)).isEqualTo(TcpState.FIN_WAIT_2);
        assertThat(state(child)).isEqualTo(TcpState.CLOSE_WAIT);
        fails(() -> client.send(bytes("x")), Errno.EPIPE);
        child.send(bytes("still here"));
        assertThat(read(client)).isEqualTo("still here");
        child.close();
        host.run();
        assertThat(read(client)).isEqualTo("$");
    }

    @Test
    void established_shutdownRead_discards() throws Exception {
        connect();
        child.send(bytes("unread"));
        client.shutdown(SocketDefs.SHUT_RD);
        assertThat(read(client)).isEqualTo("$");
        client.send(bytes("writes go on"));
        assertThat(read(child)).isEqualTo("writes go on");
        fails(() -> host.tcp().shutdown(SocketDefs.SHUT_WR), Errno.ENOTCONN);
    }

    @Test
    void established_closeWithDataQueued_deliversItAll() throws Exception {
        connect();
        client.send(bytes("x".repeat(20_000)));
        client.close();
        host.run();
        assertThat(read(child)).hasSize(20_000);
        assertThat(read(child)).isEqualTo("$");
    }

    @Test
    void established_closeWithLingerZero_resets() throws Exception {
        connect();
        client.setOption(SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
        client.close();
        host.run();
        fails(() -> read(child), Errno.ECONNRESET);
        fails(() -> child.send(bytes("x")), Errno.EPIPE);
    }

    @Test
    void listenerCloses_waitingChildrenAreReset() throws Exception {
        listen();
        client = host.tcp();
        assertThat(client.connect(SERVER)).isTrue();
        listener.close();
        host.run();
        fails(() -> read(client), Errno.ECONNRESET);
        fails(() -> host.tcp().connect(SERVER), Errno.ECONNREFUSED);
    }

    @Test
    void child_resetBeforeAccept_isAborted() throws Exception {
        listen();
        client = host.tcp();
        client.setOption(SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
        assertThat(client.connect(SERVER)).isTrue();
        client.close();
        host.run();
        fails(() -> listener.accept(), Errno.ECONNABORTED);
    }

    // ---- SEND, RECEIVE ------------------------------------------------------------

    @Test
    void established_windowFullThenRead_goesOn() throws Exception {
        connect();
        long sent = 0;
        int n;
        do {
            n = client.send(bytes("x".repeat(50_000)));
            sent += Math.max(n, 0);
            host.run();
        } while (n > 0);
        long got = 0;
        String s = read(child);
        while (!"-".equals(s)) {
            got += s.length();
            host.run();
            s = read(child);
        }
        host.pass(LONG_MS);
        s = read(child);
        got += "-".equals(s) ? 0 : s.length();
        assertThat(got).isEqualTo(sent).isPositive();
        assertThat(client.send(bytes("more"))).isEqualTo(4);
        host.run();
        assertThat(read(child)).isEqualTo("more");
    }

    @Test
    @Tag("RFC9293-MUST-30")
    void established_urgent_comesOutOfBand() throws Exception {
        connect();
        client.send(bytes("normal"));
        client.send(bytes("!"), SocketDefs.MSG_OOB);
        host.run();
        final java.nio.ByteBuffer one = java.nio.ByteBuffer.allocate(1);
        assertThat(child.receive(one, SocketDefs.MSG_OOB)).isOne();
        assertThat(one.get(0)).isEqualTo((byte) '!');
        fails(() -> child.receive(java.nio.ByteBuffer.allocate(1), SocketDefs.MSG_OOB), Errno.EINVAL);
        assertThat(read(child)).isEqualTo("normal");
        client.send(bytes("after"));
        assertThat(read(child)).isEqualTo("after");
    }

    @Test
    void urgent_noRoomForMore_isRefusedAndNotTaken() throws Exception {
        connect();
        child.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_OOBINLINE, 1);
        child.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 1000);
        client.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_SNDBUF, 2000);
        int taken = 0;
        boolean refused = false;
        while (!refused && taken < 1_000_000) {
            try {
                final int n = client.send(bytes("0123456789".repeat(9)), SocketDefs.MSG_OOB);
                refused = n < 0;
                taken += Math.max(n, 0);
            } catch (final ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.ENOBUFS);
                refused = true;
            }
        }
        int got = 0;
        for (String s = read(child); got < taken && !"-".equals(s); s = read(child)) {
            got += s.length();
            host.pass(LONG_MS);
        }
        assertThat(got).as("all that was taken").isEqualTo(taken).isGreaterThan(2000);
        assertThat(read(child)).isEqualTo("-");
    }

    // ---- options ------------------------------------------------------------

    @Test
    @Tag("RFC9293-MUST-27")
    void options_areKeptOrRefused() throws Exception {
        connect();
        for (final int name : new int[] {InDefs.TCP_NODELAY, InDefs.TCP_NOPUSH, InDefs.TCP_NOOPT}) {
            client.setOption(IPPROTO_TCP, name, 1);
            assertThat(client.getOption(IPPROTO_TCP, name)).isOne();
            client.setOption(IPPROTO_TCP, name, 0);
            assertThat(client.getOption(IPPROTO_TCP, name)).isZero();
        }
        for (final int name : new int[] {InDefs.TCP_KEEPINIT, InDefs.TCP_KEEPIDLE, InDefs.TCP_KEEPINTVL,
            InDefs.TCP_KEEPCNT}) {
            client.setOption(IPPROTO_TCP, name, 17);
            assertThat(client.getOption(IPPROTO_TCP, name)).isEqualTo(17);
            fails(() -> client.setOption(IPPROTO_TCP, name, -1), Errno.EINVAL);
        }
        assertThat(client.getOption(IPPROTO_TCP, InDefs.TCP_CONGESTION, String.class)).isEqualTo("cubic");
        client.setOption(IPPROTO_TCP, InDefs.TCP_CONGESTION, "newreno");
        assertThat(client.getOption(IPPROTO_TCP, InDefs.TCP_CONGESTION, String.class)).isEqualTo("newreno");
        fails(() -> client.setOption(IPPROTO_TCP, InDefs.TCP_CONGESTION, "no such"), Errno.ENOENT);
        fails(() -> client.setOption(IPPROTO_TCP, 4711, 1), Errno.ENOPROTOOPT);
        fails(() -> client.getOption(IPPROTO_TCP, 4711), Errno.ENOPROTOOPT);
        client.setOption(InDefs.IPPROTO_IP, InDefs.IP_TTL, 9);
        assertThat(client.getOption(InDefs.IPPROTO_IP, InDefs.IP_TTL)).isEqualTo(9);
    }

    @Test
    void maxseg_mayOnlyShrink() throws Exception {
        connect();
        final long mss = client.getOption(IPPROTO_TCP, InDefs.TCP_MAXSEG);
        assertThat(mss).isEqualTo(host.lo.mtu() - 40);
        fails(() -> client.setOption(IPPROTO_TCP, InDefs.TCP_MAXSEG, mss + 1), Errno.EINVAL);
        fails(() -> client.setOption(IPPROTO_TCP, InDefs.TCP_MAXSEG, 10), Errno.EINVAL);
        client.setOption(IPPROTO_TCP, InDefs.TCP_MAXSEG, 1000);
        assertThat(client.getOption(IPPROTO_TCP, InDefs.TCP_MAXSEG)).isEqualTo(1000);
        final SocketFile small = host.tcp();
        small.setOption(IPPROTO_TCP, InDefs.TCP_MAXSEG, 600);
        assertThat(small.getOption(IPPROTO_TCP, InDefs.TCP_MAXSEG)).isEqualTo(600);
        assertThat(small.connect(SERVER)).isTrue();
        assertThat(host.own(listener.accept()).getOption(IPPROTO_TCP, InDefs.TCP_MAXSEG)).isEqualTo(600);
    }

    @Test
    void nopush_holdsBackUntilItIsOff() throws Exception {
        connect();
        client.setOption(IPPROTO_TCP, InDefs.TCP_NOPUSH, 1);
        client.send(bytes("corked"));
        host.run();
        assertThat(read(child)).isEqualTo("-");
        client.setOption(IPPROTO_TCP, InDefs.TCP_NOPUSH, 0);
        host.run();
        assertThat(read(child)).isEqualTo("corked");
    }

    @Test
    void options_afterTheEnd_sayReset() throws Exception {
        connect();
        client.setOption(SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
        client.close();
        host.run();
        fails(() -> child.setOption(IPPROTO_TCP, InDefs.TCP_NODELAY, 1), Errno.ECONNRESET);
    }

    @Test
    void loadBalanced_listenersShareTheConnections() throws Exception {
        final SocketFile[] group = new SocketFile[3];
        for (int i = 0; i < group.length; i++) {
            group[i] = host.tcp();
            group[i].setOption(SOL_SOCKET, SocketDefs.SO_REUSEPORT_LB, 1);
            group[i].bind(SERVER);
        }
        for (final SocketFile l : group) {
            l.listen(100);
        }
        for (int i = 0; i < 90; i++) {
            assertThat(host.tcp().connect(SERVER)).isTrue();
        }
        int total = 0;
        for (final SocketFile l : group) {
            int mine = 0;
            SocketFile c = l.accept();
            while (c != null) {
                host.own(c);
                mine++;
                c = l.accept();
            }
            assertThat(mine).isBetween(10, 60);
            total += mine;
        }
        assertThat(total).isEqualTo(90);
    }
}
