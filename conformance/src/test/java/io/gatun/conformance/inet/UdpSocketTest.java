package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.conformance.inet.Host.read;
import static io.gatun.spi.socket.SocketDefs.SOCK_DGRAM;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static io.gatun.spi.socket.SocketDefs.SO_BROADCAST;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEADDR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.epair.Epair;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpMreq;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Socket;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** UDP through its sockets, under each way of sharing locks. */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class UdpSocketTest {
    private static final SockAddr SERVER = SockAddr.of("127.0.0.1", 5353);

    @Parameter
    private LockStrategy locks;
    private Host host;
    private Epair cable;

    @BeforeEach
    void start() {
        host = new Host(locks);
    }

    @AfterEach
    void stop() throws Exception {
        host.close();
    }

    private SocketFile server() throws Exception {
        final SocketFile f = host.udp();
        f.bind(SERVER);
        return f;
    }

    private static void fails(final ThrowingCallable call, final Errno errno) {
        assertThatThrownBy(call).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void unbound_sendto_getsAPortAndAnAnswer() throws Exception {
        final SocketFile server = server();
        final SocketFile client = host.udp();
        assertThat(client.sendto(bytes("question"), 0, SERVER)).isEqualTo(8);
        final SockAddr from = new SockAddr();
        assertThat(read(server, from)).isEqualTo("question");
        assertThat(from.in4()).isEqualTo(SockAddr.INADDR_LOOPBACK);
        assertThat(from.port()).isEqualTo(client.localAddress().port()).isGreaterThanOrEqualTo(10_000);
        assertThat(client.localAddress().isAny()).isTrue();
        server.sendto(bytes("answer"), 0, from);
        assertThat(read(client, from)).isEqualTo("answer");
        assertThat(from).isEqualTo(SERVER);
        assertThat(read(client)).isEqualTo("-");
    }

    @Test
    void connected_hearsItsPeerAlone() throws Exception {
        final SocketFile server = server();
        final SocketFile client = host.udp();
        client.connect(SERVER);
        assertThat(client.peerAddress()).isEqualTo(SERVER);
        assertThat(client.localAddress().in4()).isEqualTo(SockAddr.INADDR_LOOPBACK);
        final SocketFile stranger = host.udp();
        stranger.sendto(bytes("hello"), 0, client.localAddress());
        assertThat(read(client)).isEqualTo("-");
        client.send(bytes("ping"));
        final SockAddr from = new SockAddr();
        assertThat(read(server, from)).isEqualTo("ping");
        assertThat(from).isEqualTo(client.localAddress());
        server.sendto(bytes("pong"), 0, from);
        assertThat(read(client)).isEqualTo("pong");
        fails(() -> client.sendto(bytes("x"), 0, SERVER), Errno.EISCONN);
    }

    @Test
    void connected_connectAgain_changesThePeer() throws Exception {
        final SocketFile server = server();
        final SocketFile other = host.udp();
        other.bind(SockAddr.of("127.0.0.1", 5354));
        final SocketFile client = host.udp();
        client.connect(SERVER);
        final int port = client.localAddress().port();
        client.connect(SockAddr.of("127.0.0.1", 5354));
        assertThat(client.localAddress().port()).isEqualTo(port);
        client.send(bytes("there"));
        assertThat(read(server)).isEqualTo("-");
        assertThat(read(other)).isEqualTo("there");
    }

    @Test
    void disconnected_sendsAndHearsAllAgain() throws Exception {
        server();
        final Socket so = host.socket(SOCK_DGRAM, Ucred.ROOT);
        assertThat(so.disconnect()).isEqualTo(Errno.ENOTCONN);
        assertThat(so.connect(SERVER, Ucred.ROOT)).isEqualTo(Errno.OK);
        assertThat(so.disconnect()).isEqualTo(Errno.OK);
        final SockAddr mine = new SockAddr();
        assertThat(so.sockaddr(mine)).isEqualTo(Errno.OK);
        assertThat(mine.isAny()).isTrue();
        assertThat(so.peeraddr(new SockAddr())).isEqualTo(Errno.ENOTCONN);
        final SocketFile stranger = host.udp();
        stranger.sendto(bytes("hello"), 0, SockAddr.in(SockAddr.INADDR_LOOPBACK, mine.port()));
        assertThat(so.poll(SocketDefs.POLLIN)).isEqualTo(SocketDefs.POLLIN);
        so.close();
    }

    @Test
    void unconnected_sendWithoutAddress_needsOne() throws Exception {
        final SocketFile f = host.udp();
        fails(() -> f.send(bytes("x")), Errno.EDESTADDRREQ);
        fails(() -> f.sendto(bytes("x"), 0, SockAddr.of("127.0.0.1", 0)), Errno.EADDRNOTAVAIL);
        fails(() -> f.sendto(bytes("x"), 0, SockAddr.of("::1", 5)), Errno.EAFNOSUPPORT);
        fails(() -> f.sendto(bytes("x"), 0, SockAddr.of("192.0.2.1", 5)), Errno.ENETUNREACH);
        fails(() -> f.connect(SockAddr.of("192.0.2.1", 5)), Errno.ENETUNREACH);
        assertThat(host.vnet.counters().get("udp.opackets")).isZero();
    }

    @Test
    @Tag("RFC1122-4.1.3.1")
    void closedPort_connectedLearnsUnconnectedDoesNot() throws Exception {
        final SocketFile loose = host.udp();
        loose.sendto(bytes("x"), 0, SERVER);
        assertThat(read(loose)).isEqualTo("-");
        final SocketFile client = host.udp();
        client.connect(SERVER);
        client.send(bytes("x"));
        fails(() -> read(client), Errno.ECONNREFUSED);
        assertThat(read(client)).isEqualTo("-");
        assertThat(host.vnet.counters().get("udp.noport")).isEqualTo(2);
        assertThat(host.vnet.drops(DropReason.UDP_NOPORT)).isEqualTo(2);
    }

    @Test
    void closedPort_blackhole_staysSilent() throws Exception {
        host.vnet.sysctl().set("net.inet.udp.blackhole", "1");
        host.vnet.sysctl().set("net.inet.udp.blackhole_local", "1");
        final SocketFile client = host.udp();
        client.connect(SERVER);
        client.send(bytes("x"));
        assertThat(read(client)).isEqualTo("-");
    }

    @Test
    void sizes_fromNothingToTheLargest() throws Exception {
        final SocketFile server = server();
        server.setOption(SOL_SOCKET, SocketDefs.SO_RCVBUF, 200_000);
        final SocketFile client = host.udp();
        client.connect(SERVER);
        for (final int n : new int[] {0, 1, 100, 228, 229, 1472, 2048, 16_000, 65_507}) {
            assertThat(client.send(bytes("x".repeat(n)))).isEqualTo(n);
            assertThat(read(server)).hasSize(n);
        }
        fails(() -> client.send(bytes("x".repeat(65_508))), Errno.EMSGSIZE);
        host.vnet.sysctl().set("net.inet.udp.maxdgram", "1000");
        fails(() -> client.send(bytes("x".repeat(1001))), Errno.EMSGSIZE);
        assertThat(client.send(bytes("x".repeat(1000)))).isEqualTo(1000);
        assertThat(read(server)).hasSize(1000);
    }

    @Test
    void shortBuffer_restOfTheDatagramIsGone() throws Exception {
        final SocketFile server = server();
        final SocketFile client = host.udp();
        client.sendto(bytes("long message"), 0, SERVER);
        client.sendto(bytes("next"), 0, SERVER);
        final ByteBuffer four = ByteBuffer.allocate(4);
        assertThat(server.recvfrom(four, 0, new SockAddr())).isEqualTo(4);
        assertThat(read(server)).isEqualTo("next");
    }

    @Test
    void nobodyReads_bufferFills_dropsAreCounted() throws Exception {
        final SocketFile server = server();
        server.setOption(SOL_SOCKET, SocketDefs.SO_RCVBUF, 4096);
        final SocketFile client = host.udp();
        client.connect(SERVER);
        for (int i = 0; i < 100; i++) {
            client.send(bytes("x".repeat(200)));
        }
        final long full = host.vnet.counters().get("udp.fullsock");
        assertThat(full).isPositive().isEqualTo(host.vnet.drops(DropReason.UDP_FULLSOCK));
        int got = 0;
        while (!"-".equals(read(server))) {
            got++;
        }
        assertThat(got + full).isEqualTo(100);
    }

    @Test
    void bufferFills_whoAskedIsTold_onceAndAfterWhatIsThere() throws Exception {
        final SocketFile server = server();
        server.setOption(SOL_SOCKET, SocketDefs.SO_RCVBUF, 4096);
        server.setOption(SOL_SOCKET, SocketDefs.SO_RERROR, 1);
        final SocketFile client = host.udp();
        client.connect(SERVER);
        client.send(bytes("y".repeat(5000)));
        assertThat(server.poll(SocketDefs.POLLIN)).as("lost at once").isEqualTo(SocketDefs.POLLIN);
        fails(() -> server.recvfrom(ByteBuffer.allocate(9), SocketDefs.MSG_PEEK, new SockAddr()), Errno.ENOBUFS);
        fails(() -> server.receive(ByteBuffer.allocate(9)), Errno.ENOBUFS);
        assertThat(server.poll(SocketDefs.POLLIN)).isZero();
        assertThat(read(server)).isEqualTo("-");
        for (int i = 0; i < 100; i++) {
            client.send(bytes("x".repeat(200)));
        }
        final ByteBuffer in = ByteBuffer.allocate(400);
        int got = 0;
        while (server.poll(SocketDefs.POLLIN) != 0 && host.vnet.counters().get("udp.fullsock") + got < 101) {
            assertThat(server.receive(in.clear())).isEqualTo(200);
            got++;
        }
        fails(() -> server.receive(in.clear()), Errno.ENOBUFS);
        client.send(bytes("after"));
        assertThat(read(server)).isEqualTo("after");
    }

    @Test
    void shutdown_eachDirection() throws Exception {
        final SocketFile server = server();
        final SocketFile client = host.udp();
        client.connect(SERVER);
        client.shutdown(SocketDefs.SHUT_WR);
        fails(() -> client.send(bytes("x")), Errno.EPIPE);
        server.sendto(bytes("still"), 0, client.localAddress());
        assertThat(read(client)).isEqualTo("still");
        client.shutdown(SocketDefs.SHUT_RD);
        server.sendto(bytes("late"), 0, client.localAddress());
        assertThat(host.vnet.drops(DropReason.SO_SHUTDOWN)).isOne();
        fails(() -> host.udp().shutdown(SocketDefs.SHUT_WR), Errno.ENOTCONN);
    }

    @Test
    @Tag("RFC1122-3.2.1.7")
    void options_ofIp_areKept() throws Exception {
        final SocketFile f = host.udp();
        final int ip = InDefs.IPPROTO_IP;
        assertThat(f.getOption(ip, InDefs.IP_TTL)).isEqualTo(64);
        for (final int name : new int[] {InDefs.IP_TTL, InDefs.IP_TOS, InDefs.IP_MINTTL, InDefs.IP_DONTFRAG,
            InDefs.IP_MULTICAST_TTL, InDefs.IP_MULTICAST_LOOP, InDefs.IP_PORTRANGE, InDefs.IP_BINDANY,
            InDefs.IP_RECVDSTADDR, InDefs.IP_RECVIF, InDefs.IP_RECVTTL, InDefs.IP_RECVTOS, InDefs.IP_ORIGDSTADDR}) {
            f.setOption(ip, name, 1);
            assertThat(f.getOption(ip, name)).isOne();
        }
        fails(() -> f.setOption(ip, InDefs.IP_TTL, 256), Errno.EINVAL);
        fails(() -> f.setOption(ip, InDefs.IP_TTL, 0), Errno.EINVAL);
        fails(() -> f.setOption(ip, 12345, 1), Errno.ENOPROTOOPT);
        fails(() -> f.getOption(ip, 12345), Errno.ENOPROTOOPT);
        fails(() -> f.getOption(InDefs.IPPROTO_UDP, 1), Errno.ENOPROTOOPT);
        final Socket user = host.socket(SOCK_DGRAM, new Ucred(1, 1, "user"));
        assertThat(user.setOpt(SockOpt.set(ip, InDefs.IP_BINDANY, 1))).isEqualTo(Errno.EPERM);
        user.close();
    }

    @Test
    @Tag("RFC1122-3.2.1.7")
    @Tag("RFC9293-MUST-49")
    void defaultTtl_canBeSet() throws Exception {
        host.vnet.sysctl().set("net.inet.ip.ttl", "77");
        assertThat(host.udp().getOption(InDefs.IPPROTO_IP, InDefs.IP_TTL)).isEqualTo(77);
        assertThat(host.vnet.sysctl().set("net.inet.ip.ttl", "0")).isEqualTo(Errno.EINVAL);
        final SocketFile server = server();
        server.setOption(InDefs.IPPROTO_IP, InDefs.IP_MINTTL, 77);
        host.udp().sendto(bytes("seen"), 0, SERVER);
        assertThat(read(server)).isEqualTo("seen");
    }

    @Test
    void minttl_dropsWhatComesFromFar() throws Exception {
        final SocketFile server = server();
        server.setOption(InDefs.IPPROTO_IP, InDefs.IP_MINTTL, 100);
        final SocketFile client = host.udp();
        client.sendto(bytes("far"), 0, SERVER);
        assertThat(read(server)).isEqualTo("-");
        client.setOption(InDefs.IPPROTO_IP, InDefs.IP_TTL, 100);
        client.sendto(bytes("near"), 0, SERVER);
        assertThat(read(server)).isEqualTo("near");
    }

    // ---- over a cable ------------------------------------------------------------

    private void onCable(final Map<String, String> params, final Pair test) throws Exception {
        try (Host other = new Host(locks, host.clock, "other")) {
            cable = host.join(other, params);
            test.run(other, cable.b());
            host.closeFiles();
            other.closeFiles();
            host.run();
        }
    }

    @FunctionalInterface
    private interface Pair {
        void run(Host other, Ifnet there) throws Exception;
    }

    @Test
    void cable_checksumsComputedAndVerified() throws Exception {
        onCable(Map.of("mtu", "1500"), (other, there) -> {
            final SocketFile server = other.udp();
            server.bind(SockAddr.in(0, 7));
            final SocketFile client = host.udp();
            client.sendto(bytes("over the wire"), 0, SockAddr.of("10.0.0.2", 7));
            host.run();
            final SockAddr from = new SockAddr();
            assertThat(read(server, from)).isEqualTo("over the wire");
            assertThat(from.in4()).isEqualTo(0x0a000001);
            host.vnet.sysctl().set("net.inet.udp.checksum", "0");
            client.sendto(bytes("unsummed"), 0, SockAddr.of("10.0.0.2", 7));
            host.run();
            assertThat(read(server)).isEqualTo("unsummed");
            assertThat(other.vnet.counters().get("udp.nosum")).isOne();
        });
    }

    @Test
    void broadcast_needsTheOptionAndReachesAll() throws Exception {
        onCable(Map.of(), (other, there) -> {
            final SocketFile[] all = new SocketFile[3];
            for (int i = 0; i < all.length; i++) {
                all[i] = other.udp();
                all[i].setOption(SOL_SOCKET, SocketDefs.SO_REUSEPORT, 1);
                all[i].bind(SockAddr.in(0, 68));
            }
            final SocketFile client = host.udp();
            final SockAddr net = SockAddr.of("10.0.0.255", 68);
            fails(() -> client.sendto(bytes("x"), 0, net), Errno.EACCES);
            client.setOption(SOL_SOCKET, SO_BROADCAST, 1);
            client.sendto(bytes("all"), 0, net);
            client.sendto(bytes("again"), 0, SockAddr.of("255.255.255.255", 68));
            host.run();
            for (final SocketFile f : all) {
                assertThat(read(f)).isEqualTo("all");
                assertThat(read(f)).isEqualTo("again");
                assertThat(read(f)).isEqualTo("-");
            }
            client.sendto(bytes("nobody"), 0, SockAddr.of("10.0.0.255", 69));
            host.run();
            assertThat(other.vnet.drops(DropReason.UDP_NOPORT_BCAST)).isOne();
        });
    }

    @Test
    @Tag("RFC1122-3.3.7")
    void multicast_reachesMembersOnly() throws Exception {
        onCable(Map.of(), (other, there) -> {
            final SockAddr group = SockAddr.of("224.1.2.3", 9875);
            final SocketFile member = other.udp();
            final SocketFile elsewhere = other.udp();
            for (final SocketFile f : new SocketFile[] {member, elsewhere}) {
                f.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
                f.bind(SockAddr.in(SockAddr.INADDR_ANY, f == member ? 9875 : 9876));
            }
            final int ip = InDefs.IPPROTO_IP;
            final IpMreq mreq = new IpMreq(group, SockAddr.of("10.0.0.2", 0), 0);
            member.setOption(ip, InDefs.IP_ADD_MEMBERSHIP, mreq);
            fails(() -> member.setOption(ip, InDefs.IP_ADD_MEMBERSHIP, mreq), Errno.EADDRINUSE);
            elsewhere.setOption(ip, InDefs.IP_ADD_MEMBERSHIP, new IpMreq(SockAddr.of("224.9.9.9", 0), null,
                there.index()));
            final SocketFile client = host.udp();
            client.setOption(ip, InDefs.IP_MULTICAST_IF, (Object) SockAddr.of("10.0.0.1", 0));
            client.sendto(bytes("news"), 0, group);
            client.sendto(bytes("not for you"), 0, SockAddr.of("224.1.2.3", 9876));
            host.run();
            final SockAddr from = new SockAddr();
            assertThat(read(member, from)).isEqualTo("news");
            assertThat(from.in4()).isEqualTo(0x0a000001);
            assertThat(read(elsewhere)).isEqualTo("-");
            member.setOption(ip, InDefs.IP_DROP_MEMBERSHIP, mreq);
            fails(() -> member.setOption(ip, InDefs.IP_DROP_MEMBERSHIP, mreq), Errno.EADDRNOTAVAIL);
            client.sendto(bytes("more"), 0, group);
            host.run();
            assertThat(read(member)).isEqualTo("-");
        });
    }

    @Test
    void interfaceGoes_membershipsGoWithIt() throws Exception {
        onCable(Map.of(), (other, there) -> {
            final SocketFile member = other.udp();
            final int ip = InDefs.IPPROTO_IP;
            final IpMreq mreq = new IpMreq(SockAddr.of("224.1.2.3", 0), null, there.index());
            member.setOption(ip, InDefs.IP_ADD_MEMBERSHIP, mreq);
            member.setOption(ip, InDefs.IP_MULTICAST_IF, there.index());
            assertThat(member.getOption(ip, InDefs.IP_MULTICAST_IF)).isEqualTo(there.index());
            cable.destroy();
            assertThat(member.getOption(ip, InDefs.IP_MULTICAST_IF)).isZero();
            fails(() -> member.setOption(ip, InDefs.IP_DROP_MEMBERSHIP, new IpMreq(mreq.group(), null, 0)),
                Errno.EADDRNOTAVAIL);
        });
    }

    @Test
    @Tag("RFC1122-3.2.2.1-send")
    void unreachableFromAfar_connectedLearns() throws Exception {
        onCable(Map.of(), (other, there) -> {
            final SocketFile client = host.udp();
            client.connect(SockAddr.of("10.0.0.2", 7));
            client.send(bytes("x"));
            host.run();
            fails(() -> read(client), Errno.ECONNREFUSED);
        });
    }
}
