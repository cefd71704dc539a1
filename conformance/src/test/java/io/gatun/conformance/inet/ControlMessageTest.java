package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.conformance.inet.Host.read;
import static io.gatun.spi.socket.InDefs.IPPROTO_IP;
import static io.gatun.spi.socket.InDefs.IPPROTO_IPV6;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.epair.Epair;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.In6Pktinfo;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.RecvMsg;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.Uio;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Socket;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Control messages beside datagrams of both families, both ways, under each way of sharing locks. */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class ControlMessageTest {
    private static final int PORT = 5353;
    private static final SockAddr SERVER = SockAddr.of("127.0.0.1", PORT);
    private static final SockAddr SERVER6 = SockAddr.of("::1", PORT);
    private static final int[] RECV4 = {InDefs.IP_RECVDSTADDR, InDefs.IP_RECVIF, InDefs.IP_RECVTTL,
        InDefs.IP_RECVTOS, InDefs.IP_ORIGDSTADDR};
    private static final int[] RECV6 = {InDefs.IPV6_RECVPKTINFO, InDefs.IPV6_RECVHOPLIMIT, InDefs.IPV6_RECVTCLASS,
        InDefs.IPV6_ORIGDSTADDR};

    @Parameter
    private LockStrategy locks;
    private Host host;
    private final MsgControl control = new MsgControl();
    private final SockAddr addr = new SockAddr();

    @BeforeEach
    void start() throws Exception {
        host = new Host(locks).dual();
    }

    @AfterEach
    void stop() throws Exception {
        host.close();
    }

    private static void fails(final ThrowingCallable call, final Errno errno) {
        assertThatThrownBy(call).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private SocketFile server() throws Exception {
        final SocketFile f = host.udp();
        f.bind(SockAddr.in(0, PORT));
        return f;
    }

    private SocketFile server6() throws Exception {
        final SocketFile f = host.udp6();
        f.bind(SockAddr.in6(0, 0, PORT));
        return f;
    }

    private static void set(final SocketFile f, final int level, final int... names) throws Exception {
        for (final int name : names) {
            f.setOption(level, name, 1);
        }
    }

    /** Receives into {@link #control}; answers the data. */
    private String recv(final SocketFile f) throws Exception {
        final ByteBuffer in = ByteBuffer.allocate(2000);
        final int n = f.recvmsg(in, 0, addr, control);
        return n < 0 ? "-" : StandardCharsets.US_ASCII.decode(in.flip()).toString();
    }

    private int value(final int level, final int type) {
        assertThat(control.find(level, type)).as("message " + type).isTrue();
        return control.value();
    }

    private void send(final SocketFile f, final SockAddr to) throws Exception {
        assertThat(f.sendmsg(bytes("x"), 0, to, control)).isEqualTo(1);
        host.run();
    }

    // ---- IPv4 ------------------------------------------------------------

    @Test
    @Tag("RFC1122-3.2.1.6")
    @Tag("RFC1122-4.1.3.5")
    void received4_tellsWhereItWentAndHow() throws Exception {
        final SocketFile server = server();
        set(server, IPPROTO_IP, RECV4);
        final SocketFile client = host.udp();
        client.setOption(IPPROTO_IP, InDefs.IP_TTL, 17);
        client.setOption(IPPROTO_IP, InDefs.IP_TOS, 0x28);
        client.sendto(bytes("data"), 0, SockAddr.of("127.0.0.1", PORT));
        assertThat(recv(server)).isEqualTo("data");
        assertThat(value(IPPROTO_IP, InDefs.IP_RECVDSTADDR)).isEqualTo(SockAddr.INADDR_LOOPBACK);
        assertThat(control.address(addr).in4()).isEqualTo(SockAddr.INADDR_LOOPBACK);
        assertThat(value(IPPROTO_IP, InDefs.IP_RECVTTL)).isEqualTo(17);
        assertThat(value(IPPROTO_IP, InDefs.IP_RECVTOS)).isEqualTo(0x28);
        assertThat(value(IPPROTO_IP, InDefs.IP_RECVIF)).isEqualTo(host.lo.index());
        assertThat(control.find(IPPROTO_IP, InDefs.IP_ORIGDSTADDR)).isTrue();
        assertThat(control.address(addr)).isEqualTo(SERVER);
        assertThat(control.flags() & SocketDefs.MSG_CTRUNC).isZero();
    }

    @Test
    void received4_nothingAsked_nothingComes() throws Exception {
        final SocketFile server = server();
        host.udp().sendto(bytes("data"), 0, SERVER);
        assertThat(recv(server)).isEqualTo("data");
        assertThat(control.next()).isFalse();
        set(server, IPPROTO_IP, RECV4);
        host.udp().sendto(bytes("again"), 0, SERVER);
        assertThat(read(server)).as("a plain read leaves the messages out").isEqualTo("again");
    }

    @Test
    void peek_showsTheMessagesAndLeavesThem() throws Exception {
        final SocketFile server = server();
        set(server, IPPROTO_IP, RECV4);
        host.udp().sendto(bytes("data"), 0, SERVER);
        for (int i = 0; i < 3; i++) {
            final int flags = i < 2 ? SocketDefs.MSG_PEEK : 0;
            assertThat(server.recvmsg(ByteBuffer.allocate(10), flags, null, control)).isEqualTo(4);
            assertThat(value(IPPROTO_IP, InDefs.IP_RECVDSTADDR)).isEqualTo(SockAddr.INADDR_LOOPBACK);
            assertThat(value(IPPROTO_IP, InDefs.IP_RECVTTL)).isEqualTo(64);
            assertThat(control.flags() & SocketDefs.MSG_CTRUNC).isZero();
        }
        assertThat(recv(server)).isEqualTo("-");
    }

    @Test
    void received4_roomForTheFirstOnly_saysSo() throws Exception {
        final SocketFile server = server();
        set(server, IPPROTO_IP, RECV4);
        host.udp().sendto(bytes("data"), 0, SERVER);
        final MsgControl small = new MsgControl(24);
        server.recvmsg(ByteBuffer.allocate(10), 0, null, small);
        assertThat(small.next()).isTrue();
        assertThat(small.type()).isEqualTo(InDefs.IP_RECVDSTADDR);
        assertThat(small.next()).isFalse();
        assertThat(small.flags() & SocketDefs.MSG_CTRUNC).isNotZero();
    }

    @Test
    void timestamp_isTheClockOfTheVnet() throws Exception {
        final SocketFile four = server();
        final SocketFile six = server6();
        four.setOption(SOL_SOCKET, SocketDefs.SO_TIMESTAMP, 1);
        six.setOption(SOL_SOCKET, SocketDefs.SO_TIMESTAMP, 1);
        host.clock.advance(7_000_123_456L);
        final long us = host.clock.nanoTime() / 1000;
        host.udp().sendto(bytes("x"), 0, SERVER);
        host.udp6().sendto(bytes("x"), 0, SERVER6);
        host.run();
        host.clock.advance(1_000_000_000L);
        for (final SocketFile f : new SocketFile[] {four, six}) {
            assertThat(recv(f)).isEqualTo("x");
            assertThat(control.find(SOL_SOCKET, SocketDefs.SCM_TIMESTAMP)).isTrue();
            assertThat(control.getLong(0) * 1_000_000 + control.getLong(8)).isEqualTo(us);
        }
    }

    @Test
    @Tag("RFC1122-3.3.4.3")
    @Tag("RFC1122-4.1.3.5")
    void sendsrcaddr_choosesAmongOurs() throws Exception {
        host.config().addAddress(host.lo, "127.0.0.9/8");
        final SocketFile server = server();
        final SocketFile client = host.udp();
        client.bind(SockAddr.in(0, 7000));
        control.clear().add(IPPROTO_IP, InDefs.IP_SENDSRCADDR, 4, 0x7f000009);
        send(client, SERVER);
        final SockAddr from = new SockAddr();
        assertThat(read(server, from)).isEqualTo("x");
        assertThat(from).isEqualTo(SockAddr.of("127.0.0.9", 7000));
        client.sendto(bytes("y"), 0, SERVER);
        assertThat(read(server, from)).isEqualTo("y");
        assertThat(from).as("for that datagram alone").isEqualTo(SockAddr.of("127.0.0.1", 7000));
        control.clear().add(IPPROTO_IP, InDefs.IP_SENDSRCADDR, 4, 0x01020304);
        fails(() -> send(client, SERVER), Errno.EADDRNOTAVAIL);
        client.setOption(IPPROTO_IP, InDefs.IP_BINDANY, 1);
        host.config().addRoute("1.2.3.0/24", null, host.lo);
        send(client, SERVER);
    }

    @Test
    void sendsrcaddr_boundToAnAddressOrNotAtAll_isInvalid() throws Exception {
        control.clear().add(IPPROTO_IP, InDefs.IP_SENDSRCADDR, 4, SockAddr.INADDR_LOOPBACK);
        fails(() -> send(host.udp(), SERVER), Errno.EINVAL);
        final SocketFile bound = host.udp();
        bound.bind(SockAddr.of("127.0.0.1", 7000));
        fails(() -> send(bound, SERVER), Errno.EINVAL);
        final SocketFile connected = host.udp();
        connected.connect(SERVER);
        fails(() -> send(connected, null), Errno.EINVAL);
    }

    @Test
    @Tag("RFC1122-3.2.1.6")
    void tosAndTtl_ofOneDatagram() throws Exception {
        final SocketFile server = server();
        set(server, IPPROTO_IP, RECV4);
        final SocketFile client = host.udp();
        control.clear().add(IPPROTO_IP, InDefs.IP_TOS, 1, 0xb8).add(IPPROTO_IP, InDefs.IP_TTL, 1, 3)
            .add(SOL_SOCKET, 99, 4, 1);
        send(client, SERVER);
        recv(server);
        assertThat(value(IPPROTO_IP, InDefs.IP_RECVTOS)).isEqualTo(0xb8);
        assertThat(value(IPPROTO_IP, InDefs.IP_RECVTTL)).isEqualTo(3);
        client.sendto(bytes("x"), 0, SERVER);
        recv(server);
        assertThat(value(IPPROTO_IP, InDefs.IP_RECVTOS)).isZero();
        assertThat(value(IPPROTO_IP, InDefs.IP_RECVTTL)).isEqualTo(64);
    }

    @Test
    void malformed4_isRefusedAndNothingLeaks() throws Exception {
        final SocketFile client = host.udp();
        for (final int type : new int[] {InDefs.IP_SENDSRCADDR, InDefs.IP_TOS, InDefs.IP_TTL}) {
            control.clear().add(IPPROTO_IP, type, 8, 1);
            fails(() -> send(client, SERVER), Errno.EINVAL);
        }
        control.clear().add(IPPROTO_IP, 12345, 4, 1);
        fails(() -> send(client, SERVER), Errno.ENOPROTOOPT);
        assertThat(host.vnet.pool().outstanding()).isZero();
    }

    @Test
    void garbage_neverThrows_neverLeaks() throws Exception {
        final long seed = Long.getLong("gatun.seed", new Random().nextLong());
        System.out.println("seed=" + seed);
        final Random random = new Random(seed);
        final Socket[] sockets = {host.udp().so(), host.udp6().so()};
        final SockAddr[] to = {SERVER, SERVER6, SockAddr.of("::ffff:127.0.0.1", PORT)};
        sockets[1].setOpt(SockOpt.set(IPPROTO_IPV6, InDefs.IPV6_V6ONLY, 0));
        server();
        server6();
        try (Arena arena = Arena.ofConfined()) {
            final Uio uio = new Uio();
            for (int i = 0; i < 5_000; i++) {
                final Mbuf m = host.vnet.pool().get(Mbuf.MT_CONTROL);
                m.len(random.nextInt(Mbuf.MLEN + 1));
                for (int j = 0; j + 4 <= m.len(); j += 4) {
                    m.putInt(j, switch (random.nextInt(4)) {
                        case 0 -> random.nextInt();
                        case 1 -> random.nextInt(64);
                        case 2 -> 16 + random.nextInt(40);
                        default -> random.nextBoolean() ? IPPROTO_IPV6 : InDefs.IPV6_PKTINFO;
                    });
                }
                final int six = random.nextInt(2);
                uio.set(arena.allocate(8), 0, 8);
                sockets[six].send(to[six == 0 ? 0 : 1 + random.nextInt(2)], uio, null, m, SocketDefs.MSG_DONTWAIT);
                host.run();
            }
        }
    }

    // ---- IPv6 ------------------------------------------------------------

    @Test
    @Tag("RFC3542-6.2")
    void received6_tellsWhereItWentAndHow() throws Exception {
        final SocketFile server = server6();
        set(server, IPPROTO_IPV6, RECV6);
        final SocketFile client = host.udp6();
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_UNICAST_HOPS, 17);
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_TCLASS, 0x28);
        client.sendto(bytes("data"), 0, SERVER6);
        assertThat(recv(server)).isEqualTo("data");
        assertThat(value(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT)).isEqualTo(17);
        assertThat(value(IPPROTO_IPV6, InDefs.IPV6_TCLASS)).isEqualTo(0x28);
        assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_PKTINFO)).isTrue();
        assertThat(control.address(addr).host()).isEqualTo("::1");
        assertThat(control.getInt(16)).isEqualTo(host.lo.index());
        assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_ORIGDSTADDR)).isTrue();
        assertThat(control.address(addr)).isEqualTo(SERVER6);
    }

    @Test
    @Tag("RFC3542-6.3")
    void hopLimit_nobodyChoseOne_isTheSysctls() throws Exception {
        final SocketFile server = server6();
        set(server, IPPROTO_IPV6, RECV6);
        final SocketFile client = host.udp6();
        assertThat(host.vnet.sysctl().set("net.inet6.ip6.hlim", "99")).isEqualTo(Errno.OK);
        assertThat(client.getOption(IPPROTO_IPV6, InDefs.IPV6_UNICAST_HOPS)).isEqualTo(99);
        client.sendto(bytes("data"), 0, SERVER6);
        recv(server);
        assertThat(value(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT)).isEqualTo(99);
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_UNICAST_HOPS, 3);
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_UNICAST_HOPS, -1);
        assertThat(client.getOption(IPPROTO_IPV6, InDefs.IPV6_UNICAST_HOPS)).as("chosen no more").isEqualTo(99);
    }

    @Test
    void portRange_ofIpv6_isTakenFrom() throws Exception {
        final SocketFile high = host.udp6();
        assertThat(high.getOption(IPPROTO_IPV6, InDefs.IPV6_PORTRANGE)).isZero();
        high.setOption(IPPROTO_IPV6, InDefs.IPV6_PORTRANGE, InDefs.IP_PORTRANGE_LOW);
        assertThat(high.getOption(IPPROTO_IPV6, InDefs.IPV6_PORTRANGE)).isEqualTo(InDefs.IP_PORTRANGE_LOW);
        high.sendto(bytes("data"), 0, SERVER6);
        assertThat(high.localAddress().port()).isBetween(600, 1023);
        assertThatThrownBy(() -> high.setOption(IPPROTO_IPV6, InDefs.IPV6_PORTRANGE, 3))
            .hasMessageContaining("EINVAL");
    }

    @Test
    void received4OnDualSocket_addressIsMapped() throws Exception {
        final SocketFile server = host.udp6();
        server.setOption(IPPROTO_IPV6, InDefs.IPV6_V6ONLY, 0);
        server.bind(SockAddr.in6(0, 0, PORT));
        set(server, IPPROTO_IPV6, RECV6);
        final SocketFile client = host.udp();
        client.setOption(IPPROTO_IP, InDefs.IP_TTL, 17);
        client.sendto(bytes("data"), 0, SERVER);
        assertThat(recv(server)).isEqualTo("data");
        assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_PKTINFO)).isTrue();
        assertThat(control.address(addr).lo()).isEqualTo(0xffff_7f00_0001L);
        assertThat(value(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT)).isEqualTo(17);
    }

    @Test
    @Tag("RFC3542-6.3")
    @Tag("RFC3542-6.5")
    void hopLimitAndClass_ofOneDatagram() throws Exception {
        final SocketFile server = server6();
        set(server, IPPROTO_IPV6, RECV6);
        final SocketFile client = host.udp6();
        control.clear().add(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT, 4, 9).add(IPPROTO_IPV6, InDefs.IPV6_TCLASS, 4, 0xb8);
        send(client, SERVER6);
        recv(server);
        assertThat(value(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT)).isEqualTo(9);
        assertThat(value(IPPROTO_IPV6, InDefs.IPV6_TCLASS)).isEqualTo(0xb8);
        client.sendto(bytes("x"), 0, SERVER6);
        recv(server);
        assertThat(value(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT)).isEqualTo(64);
        control.clear().add(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT, 4, 256);
        fails(() -> send(client, SERVER6), Errno.EINVAL);
        control.clear().add(IPPROTO_IPV6, InDefs.IPV6_RTHDR, 8, 0);
        fails(() -> send(client, SERVER6), Errno.EINVAL);
        control.clear().add(IPPROTO_IPV6, InDefs.IPV6_NEXTHOP, 8, 0);
        fails(() -> send(client, SERVER6), Errno.ENOPROTOOPT);
    }

    @Test
    @Tag("RFC3542-6.2")
    @Tag("RFC3542-11")
    void pktinfo_choosesAddressAndInterface() throws Exception {
        try (Host other = new Host(locks, host.clock, "other").dual()) {
            final Epair cable = host.join(other, Map.of());
            host.config().addAddress(cable.a(), "2001:db8::1/64");
            host.config().addAddress(cable.a(), "2001:db8::11/64");
            other.config().addAddress(cable.b(), "2001:db8::2/64");
            final SocketFile server = other.udp6();
            server.bind(SockAddr.in6(0, 0, PORT));
            final SockAddr to = SockAddr.of("2001:db8::2", PORT);
            final SocketFile client = host.udp6();
            client.bind(SockAddr.in6(0, 0, 7000));
            final SockAddr wanted = SockAddr.of("2001:db8::11", 0);
            control.clear().addPktinfo(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, wanted, 0);
            send(client, to);
            assertFrom(server, "2001:db8::11");
            client.setOption(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, new In6Pktinfo(wanted, cable.a().index()));
            client.sendto(bytes("x"), 0, to);
            host.run();
            assertFrom(server, "2001:db8::11");
            assertThat(client.getOption(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, In6Pktinfo.class).ifindex())
                .isEqualTo(cable.a().index());
            client.setOption(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, new In6Pktinfo(null, 0));
            pktinfoErrors(client, to, cable);
            sizes(client, to);
            host.closeFiles();
            other.closeFiles();
            host.run();
        }
    }

    private void assertFrom(final SocketFile server, final String text) throws Exception {
        final SockAddr from = new SockAddr();
        assertThat(read(server, from)).isEqualTo("x");
        assertThat(from.host()).isEqualTo(text);
    }

    private void pktinfoErrors(final SocketFile client, final SockAddr to, final Epair cable) {
        final SockAddr none = SockAddr.of("::", 0);
        control.clear().addPktinfo(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, SockAddr.of("2001:db8::99", 0), 0);
        fails(() -> send(client, to), Errno.EADDRNOTAVAIL);
        control.clear().addPktinfo(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, none, 999);
        fails(() -> send(client, to), Errno.ENXIO);
        control.clear().addPktinfo(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, SockAddr.of("ff02::1", 0), 0);
        fails(() -> send(client, to), Errno.EINVAL);
        control.clear().addPktinfo(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, none, host.lo.index());
        fails(() -> send(client, to), Errno.EHOSTUNREACH);
        control.clear().addPktinfo(IPPROTO_IPV6, InDefs.IPV6_PKTINFO, SockAddr.of("::1", 0), cable.a().index());
        fails(() -> send(client, to), Errno.EADDRNOTAVAIL);
    }

    /** What is longer than 1280 octets is cut, is not, or is refused, as the sender says. */
    private void sizes(final SocketFile client, final SockAddr to) throws Exception {
        final ByteBuffer large = ByteBuffer.allocate(1400);
        client.sendto(large, 0, to);
        assertThat(host.vnet.counters().get("ip6.fragmented")).isZero();
        control.clear().add(IPPROTO_IPV6, InDefs.IPV6_USE_MIN_MTU, 4, 1);
        client.sendmsg(large.clear(), 0, to, control);
        assertThat(host.vnet.counters().get("ip6.fragmented")).isOne();
        control.clear().add(IPPROTO_IPV6, InDefs.IPV6_DONTFRAG, 4, 1);
        client.sendmsg(large.clear(), 0, to, control);
        assertThat(host.vnet.counters().get("ip6.fragmented")).isOne();
        fails(() -> client.sendmsg(ByteBuffer.allocate(2000), 0, to, control), Errno.EMSGSIZE);
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_RECVPATHMTU, 1);
        fails(() -> client.sendmsg(ByteBuffer.allocate(2000), 0, to, control), Errno.EMSGSIZE);
        assertThat(client.recvmsg(ByteBuffer.allocate(9), 0, addr, control)).isZero();
        assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_PATHMTU)).isTrue();
        assertThat(control.getInt(28)).isEqualTo(1500);
        assertThat(control.address(new SockAddr())).isEqualTo(to);
        assertThat(addr).isEqualTo(to);
        client.sendto(ByteBuffer.allocate(2000), 0, to);
        assertThat(host.vnet.counters().get("ip6.fragmented")).isEqualTo(2);
    }

    @Test
    @Tag("RFC3542-8")
    void optionHeaders_goOutAndAreToldOf() throws Exception {
        final SocketFile server = server6();
        set(server, IPPROTO_IPV6, InDefs.IPV6_RECVHOPOPTS, InDefs.IPV6_RECVDSTOPTS);
        final SocketFile client = host.udp6();
        final byte[] hop = {0, 0, 1, 4, 0, 0, 0, 0};
        final byte[] dst = {0, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_DSTOPTS, dst);
        control.clear().add(IPPROTO_IPV6, InDefs.IPV6_HOPOPTS, hop);
        send(client, SERVER6);
        assertThat(recv(server)).isEqualTo("x");
        assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_HOPOPTS)).isTrue();
        assertThat(control.octets()).hasSize(8).startsWith(60).endsWith(1, 4, 0, 0, 0, 0);
        assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_DSTOPTS)).isTrue();
        assertThat(control.octets()).hasSize(16).startsWith(17, 1, 1, 12);
        assertThat(client.getOption(IPPROTO_IPV6, InDefs.IPV6_DSTOPTS, byte[].class)).isEqualTo(dst);
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_DSTOPTS, new byte[0]);
        fails(() -> client.setOption(IPPROTO_IPV6, InDefs.IPV6_DSTOPTS, new byte[9]), Errno.EINVAL);
        fails(() -> client.setOption(IPPROTO_IPV6, InDefs.IPV6_RTHDR, new byte[8]), Errno.EINVAL);
        final Socket user = host.socket6(new Ucred(1, 1, "user"));
        assertThat(user.setOpt(SockOpt.set(IPPROTO_IPV6, InDefs.IPV6_HOPOPTS, hop))).isEqualTo(Errno.EPERM);
        assertThat(user.setOpt(SockOpt.set(IPPROTO_IPV6, InDefs.IPV6_RECVHOPOPTS, 1))).isEqualTo(Errno.EPERM);
        user.close();
    }

    @Test
    void pathMtu_toThePeer() throws Exception {
        server6();
        final SocketFile client = host.udp6();
        fails(() -> client.getOption(IPPROTO_IPV6, InDefs.IPV6_PATHMTU), Errno.ENOTCONN);
        client.connect(SERVER6);
        assertThat(client.getOption(IPPROTO_IPV6, InDefs.IPV6_PATHMTU)).isEqualTo(Math.min(host.lo.mtu(), 65_535));
    }

    @Test
    void options6_areKept() throws Exception {
        final SocketFile f = host.udp6();
        for (final int name : new int[] {InDefs.IPV6_RECVPKTINFO, InDefs.IPV6_RECVHOPLIMIT, InDefs.IPV6_RECVTCLASS,
            InDefs.IPV6_RECVHOPOPTS, InDefs.IPV6_RECVDSTOPTS, InDefs.IPV6_RECVRTHDR, InDefs.IPV6_RECVPATHMTU,
            InDefs.IPV6_ORIGDSTADDR, InDefs.IPV6_BINDANY, InDefs.IPV6_DONTFRAG, InDefs.IPV6_USE_MIN_MTU}) {
            f.setOption(IPPROTO_IPV6, name, 1);
            assertThat(f.getOption(IPPROTO_IPV6, name)).as("option " + name).isOne();
            f.setOption(IPPROTO_IPV6, name, 0);
            assertThat(f.getOption(IPPROTO_IPV6, name)).as("option " + name).isZero();
        }
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.IPV6_USE_MIN_MTU, 2), Errno.EINVAL);
        fails(() -> f.setOption(IPPROTO_IPV6, 12345, 1), Errno.ENOPROTOOPT);
        fails(() -> f.getOption(IPPROTO_IPV6, 12345), Errno.ENOPROTOOPT);
        final SocketFile tcp = host.file(SockAddr.AF_INET6, SocketDefs.SOCK_STREAM, 0);
        tcp.setOption(IPPROTO_IPV6, InDefs.IPV6_USE_MIN_MTU, 1);
        assertThat(tcp.getOption(IPPROTO_IPV6, InDefs.IPV6_USE_MIN_MTU)).isEqualTo(1);
        fails(() -> tcp.setOption(IPPROTO_IPV6, InDefs.IPV6_HOPOPTS, 1), Errno.ENOPROTOOPT);
    }

    // ---- allocation is in UdpAllocationTest ------------------------------------------------------------

    @Test
    void mbufsOfControl_areTheReceivers() throws Exception {
        final SocketFile server = server();
        set(server, IPPROTO_IP, RECV4);
        host.udp().sendto(bytes("data"), 0, SERVER);
        final RecvMsg msg = new RecvMsg();
        msg.uio.limit(100);
        msg.wantMbufs = true;
        msg.wantControl = true;
        server.receive(msg);
        assertThat(msg.control.length()).isEqualTo(24 + 32 + 24 + 24 + 32);
        assertThat(msg.mbufs.length()).isEqualTo(4);
        msg.control.freeChain();
        msg.mbufs.freeChain();
    }
}
