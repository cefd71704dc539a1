package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.conformance.inet.Host.read;
import static io.gatun.spi.socket.InDefs.IPPROTO_IPV6;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.epair.Epair;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.GroupReq;
import io.gatun.spi.socket.GroupSourceReq;
import io.gatun.spi.socket.Icmp6Filter;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.MsFilterReq;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Groups over IPv6 between two hosts: who hears, whom, and how datagrams to groups leave. */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class Mcast6Test {
    private static final int PORT = 5353;
    private static final SockAddr GROUP = SockAddr.of("ff05::1:3", PORT);
    private static final SockAddr LINK_GROUP = SockAddr.of("ff02::1:3", PORT);
    private static final SockAddr LEFT = SockAddr.of("2001:db8::1", 0);

    @Parameter
    private LockStrategy locks;
    private Pair pair;
    private Host left;
    private Host right;
    private Epair cable;

    @BeforeEach
    void start() throws Exception {
        pair = new Pair(locks, Map.of()).settled();
        left = pair.left;
        right = pair.right;
        cable = pair.cable;
    }

    @AfterEach
    void stop() throws Exception {
        pair.close();
    }

    private static void fails(final ThrowingCallable call, final Errno errno) {
        assertThatThrownBy(call).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private static SocketFile bound(final Host h) throws Exception {
        final SocketFile f = h.udp6();
        f.setOption(SOL_SOCKET, SocketDefs.SO_REUSEPORT, 1);
        f.bind(SockAddr.in6(0, 0, PORT));
        return f;
    }

    private static SocketFile member(final Host h, final Ifnet ifp, final SockAddr group) throws Exception {
        final SocketFile f = bound(h);
        f.setOption(IPPROTO_IPV6, InDefs.IPV6_JOIN_GROUP, new GroupReq(ifp.index(), group));
        return f;
    }

    private SocketFile sender() throws Exception {
        final SocketFile f = left.udp6();
        f.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF, cable.a().index());
        return f;
    }

    private void send(final SocketFile f, final String text, final SockAddr to) throws Exception {
        f.sendto(bytes(text), 0, to);
        pair.run();
    }

    @Test
    @Tag("RFC3493-5.2")
    void members_eachGetsACopy_othersNone_untilTheyLeave() throws Exception {
        for (final SockAddr group : new SockAddr[] {GROUP, LINK_GROUP}) {
            final SocketFile one = member(right, cable.b(), group);
            final SocketFile two = member(right, cable.b(), group);
            final SocketFile other = member(right, cable.b(), SockAddr.of("ff05::77", 0));
            final SocketFile client = sender();
            send(client, "news", group);
            assertThat(read(one)).isEqualTo("news");
            assertThat(read(two)).isEqualTo("news");
            assertThat(read(one)).isEqualTo("-");
            assertThat(read(other)).isEqualTo("-");
            one.setOption(IPPROTO_IPV6, InDefs.IPV6_LEAVE_GROUP, new GroupReq(cable.b().index(), group));
            send(client, "more", group);
            assertThat(read(one)).isEqualTo("-");
            assertThat(read(two)).isEqualTo("more");
            two.close();
            other.close();
            send(client, "nobody", group);
            assertThat(read(one)).isEqualTo("-");
            one.close();
        }
    }

    @Test
    @Tag("RFC3493-5.2")
    void hopsLoopAndInterface_asAsked() throws Exception {
        final SocketFile here = member(left, cable.a(), GROUP);
        final SocketFile there = member(right, cable.b(), GROUP);
        there.setOption(IPPROTO_IPV6, InDefs.IPV6_RECVHOPLIMIT, 1);
        final SocketFile client = sender();
        final MsgControl control = new MsgControl();
        for (final int hops : new int[] {1, 7}) {
            client.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_HOPS, hops);
            send(client, "x", GROUP);
            there.recvmsg(ByteBuffer.allocate(9), 0, null, control);
            assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT)).isTrue();
            assertThat(control.value()).isEqualTo(hops);
            assertThat(read(here)).isEqualTo("x");
        }
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_LOOP, 0);
        send(client, "y", GROUP);
        assertThat(read(here)).isEqualTo("-");
        assertThat(read(there)).isEqualTo("y");
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_LOOP, 1);
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_HOPS, 0);
        send(client, "z", GROUP);
        assertThat(read(here)).isEqualTo("z");
        assertThat(read(there)).as("a hop limit of 0 stays on this host").isEqualTo("-");
    }

    /** Each interface has its hop limit, which its routers advertise; here the host's own default when it came. */
    @Test
    @Tag("RFC4861-6.3.4-hlim")
    void hopLimit_ofUnicast_isTheInterfacesUnlessChosen() throws Exception {
        left.vnet.sysctl().set("net.inet6.ip6.hlim", "33");
        final Epair other = Epair.join(left.vnet, right.vnet, 1, Epair.Config.parse(Map.of()));
        left.config().addAddress(other.a(), "2001:db8:1::1/64");
        right.config().addAddress(other.b(), "2001:db8:1::2/64");
        for (int i = 0; i < 30; i++) {
            left.clock.advance(100_000_000L);
            pair.run();
        }
        final SocketFile server = bound(right);
        server.setOption(IPPROTO_IPV6, InDefs.IPV6_RECVHOPLIMIT, 1);
        final SocketFile client = left.udp6();
        assertThat(hops(client, server, "2001:db8:1::2")).isEqualTo(33);
        // no router has named another for either interface, so both take what is set, whenever they came
        assertThat(hops(client, server, "2001:db8::2")).isEqualTo(33);
        left.vnet.sysctl().set("net.inet6.ip6.hlim", "34");
        assertThat(hops(client, server, "2001:db8::2")).isEqualTo(34);
        left.vnet.sysctl().set("net.inet6.ip6.hlim", "33");
        client.setOption(IPPROTO_IPV6, InDefs.IPV6_UNICAST_HOPS, 12);
        assertThat(hops(client, server, "2001:db8:1::2")).isEqualTo(12);
        final SocketFile ping = right.file(SockAddr.AF_INET6, SocketDefs.SOCK_RAW, InDefs.IPPROTO_ICMPV6);
        ping.setOption(IPPROTO_IPV6, InDefs.IPV6_RECVHOPLIMIT, 1);
        ping.setOption(InDefs.IPPROTO_ICMPV6, InDefs.ICMP6_FILTER, new Icmp6Filter().setBlockAll().setPass(129));
        ping.sendto(ByteBuffer.wrap(new byte[] {(byte) 128, 0, 0, 0, 0, 0, 0, 0}), 0, SockAddr.of("2001:db8:1::1", 0));
        pair.run();
        assertThat(hopLimit(ping)).as("of the echo reply").isEqualTo(33);
    }

    private int hops(final SocketFile client, final SocketFile server, final String to) throws Exception {
        send(client, "x", SockAddr.of(to, PORT));
        return hopLimit(server);
    }

    private static int hopLimit(final SocketFile f) throws Exception {
        final MsgControl control = new MsgControl();
        f.recvmsg(ByteBuffer.allocate(100), 0, null, control);
        assertThat(control.find(IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT)).isTrue();
        return control.value();
    }

    @Test
    void optionsAreKept_badOnesRefused() throws Exception {
        final SocketFile f = left.udp6();
        assertThat(f.getOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_HOPS)).isOne();
        assertThat(f.getOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_LOOP)).isOne();
        assertThat(f.getOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF)).isZero();
        f.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_HOPS, 9);
        assertThat(f.getOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_HOPS)).isEqualTo(9);
        f.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_HOPS, -1);
        assertThat(f.getOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_HOPS)).isOne();
        f.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF, cable.a().index());
        assertThat(f.getOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF)).isEqualTo(cable.a().index());
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_HOPS, 256), Errno.EINVAL);
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_LOOP, 2), Errno.EINVAL);
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF, 999), Errno.ENXIO);
        final GroupReq req = new GroupReq(cable.a().index(), GROUP);
        f.setOption(IPPROTO_IPV6, InDefs.IPV6_JOIN_GROUP, req);
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.IPV6_JOIN_GROUP, req), Errno.EADDRINUSE);
        f.setOption(IPPROTO_IPV6, InDefs.IPV6_LEAVE_GROUP, req);
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.IPV6_LEAVE_GROUP, req), Errno.EADDRNOTAVAIL);
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.IPV6_JOIN_GROUP, new GroupReq(999, GROUP)),
            Errno.EADDRNOTAVAIL);
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.IPV6_JOIN_GROUP, new GroupReq(0, LEFT)), Errno.EINVAL);
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.IPV6_JOIN_GROUP, 1), Errno.EINVAL);
    }

    @Test
    @Tag("RFC3678-5.1")
    void sources_asFiltered() throws Exception {
        final SocketFile f = bound(right);
        final int on = cable.b().index();
        f.setOption(IPPROTO_IPV6, InDefs.MCAST_JOIN_SOURCE_GROUP, new GroupSourceReq(on, GROUP, LEFT));
        final SocketFile client = sender();
        send(client, "heard", GROUP);
        assertThat(read(f)).isEqualTo("heard");
        f.setOption(IPPROTO_IPV6, InDefs.IPV6_MSFILTER, new MsFilterReq(on, GROUP, InDefs.MCAST_EXCLUDE,
            List.of(LEFT)));
        send(client, "blocked", GROUP);
        assertThat(read(f)).isEqualTo("-");
        f.setOption(IPPROTO_IPV6, InDefs.MCAST_UNBLOCK_SOURCE, new GroupSourceReq(on, GROUP, LEFT));
        send(client, "again", GROUP);
        assertThat(read(f)).isEqualTo("again");
        fails(() -> f.setOption(IPPROTO_IPV6, InDefs.MCAST_JOIN_SOURCE_GROUP, new GroupSourceReq(on, GROUP, GROUP)),
            Errno.EINVAL);
    }

    @Test
    void rawSocket_hearsItsGroupsAlone() throws Exception {
        final SocketFile raw = right.file(SockAddr.AF_INET6, SocketDefs.SOCK_RAW, 253);
        raw.setOption(IPPROTO_IPV6, InDefs.IPV6_JOIN_GROUP, new GroupReq(cable.b().index(), GROUP));
        final SocketFile all = right.udp6();
        all.setOption(IPPROTO_IPV6, InDefs.IPV6_JOIN_GROUP,
            new GroupReq(cable.b().index(), SockAddr.of("ff05::77", 0)));
        final SocketFile out = left.file(SockAddr.AF_INET6, SocketDefs.SOCK_RAW, 253);
        out.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF, cable.a().index());
        send(out, "mine", SockAddr.of("ff05::1:3", 0));
        send(out, "not mine", SockAddr.of("ff05::77", 0));
        assertThat(read(raw)).isEqualTo("mine");
        assertThat(read(raw)).isEqualTo("-");
    }

    @Test
    void interfaceGoes_membershipsGoWithIt() throws Exception {
        final SocketFile f = member(right, cable.b(), GROUP);
        f.setOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF, cable.b().index());
        cable.destroy();
        assertThat(f.getOption(IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF)).isZero();
    }
}
