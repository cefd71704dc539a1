package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.conformance.inet.Host.read;
import static io.gatun.spi.socket.SocketDefs.SOL_SOCKET;
import static io.gatun.spi.socket.SocketDefs.SO_SETFIB;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InPrefix;
import io.gatun.netinet.RouteConfig;
import io.gatun.netinet.RouteReq;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteEvent;
import io.gatun.netinet.route.RouteListener;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A host with two forwarding tables, and behind each of them another host of one and the same address. */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class FibsTest {
    private static final int PORT = 7;
    private static final SockAddr FAR = SockAddr.of("10.0.0.2", PORT);
    private static final SockAddr FAR6 = SockAddr.of("2001:db8::2", PORT);

    @Parameter
    private LockStrategy locks;
    private Host host;
    private final Host[] far = new Host[2];
    private final Epair[] cable = new Epair[2];

    @BeforeEach
    void start() throws Exception {
        host = new Host(locks).dual();
        assertThat(host.vnet.sysctl().set("net.fibs", "2")).isEqualTo(Errno.OK);
        for (int i = 0; i < 2; i++) {
            far[i] = new Host(locks, host.clock, "far" + i).dual();
            cable[i] = Epair.join(host.vnet, far[i].vnet, i, Epair.Config.parse(Map.of()));
            cable[i].a().setFibnum(i);
            host.config().addAddress(cable[i].a(), i == 0 ? "10.0.0.1/24" : "10.0.0.11/24");
            host.config().addAddress(cable[i].a(), i == 0 ? "2001:db8::1/64" : "2001:db8::11/64");
            far[i].config().addAddress(cable[i].b(), "10.0.0.2/24");
            far[i].config().addAddress(cable[i].b(), "2001:db8::2/64");
        }
        for (int i = 0; i < 30; i++) {
            host.clock.advance(100_000_000L);
            run();
        }
    }

    @AfterEach
    void stop() throws Exception {
        for (final Host h : new Host[] {host, far[0], far[1]}) {
            h.closeFiles();
        }
        run();
        far[1].close();
        far[0].close();
        host.close();
    }

    private void run() {
        for (int i = 0; i < 4; i++) {
            host.run();
            far[0].run();
            far[1].run();
        }
    }

    private static void fails(final ThrowingCallable call, final Errno errno) {
        assertThatThrownBy(call).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private RouteConfig routing() {
        return host.config().routing();
    }

    // ---- tables ------------------------------------------------------------

    @Test
    void tables_onlyGrow_andOnlyOneThatIsThereIsTaken() throws Exception {
        assertThat(host.vnet.sysctl().set("net.fibs", "1")).isEqualTo(Errno.EINVAL);
        assertThat(host.vnet.sysctl().set("net.fibs", "65536")).isEqualTo(Errno.EINVAL);
        final SocketFile f = host.udp();
        fails(() -> f.setOption(SOL_SOCKET, SO_SETFIB, 2), Errno.EINVAL);
        fails(() -> f.setOption(SOL_SOCKET, SO_SETFIB, -1), Errno.EINVAL);
        f.setOption(SOL_SOCKET, SO_SETFIB, 1);
        assertThat(f.getOption(SOL_SOCKET, SO_SETFIB)).isOne();
        assertThat(host.vnet.sysctl().set("net.fibs", "3")).isEqualTo(Errno.OK);
        f.setOption(SOL_SOCKET, SO_SETFIB, 2);
        fails(() -> f.sendto(bytes("x"), 0, FAR), Errno.ENETUNREACH);
        assertThat(routing().fibs()).isEqualTo(3);
    }

    @Test
    void addresses_goToTheTableOfTheirInterface_orToAll() throws Exception {
        assertThat(routing().get(FAR, 0).nextHop().ifp).isSameAs(cable[0].a());
        assertThat(routing().get(FAR, 1).nextHop().ifp).isSameAs(cable[1].a());
        assertThat(routing().get(FAR6, 1).nextHop().ifp).isSameAs(cable[1].a());
        assertThat(routing().get(SockAddr.of("127.0.0.1", 0), 1)).isNull();
        host.config().addAddress(cable[0].a(), "10.5.0.1/24");
        assertThat(routing().get(SockAddr.of("10.5.0.9", 0), 1)).isNull();
        host.vnet.sysctl().set("net.add_addr_allfibs", "1");
        host.config().addAddress(cable[0].a(), "10.6.0.1/24");
        host.config().addAddress(cable[0].a(), "2001:db8:6::1/64");
        for (int fib = 0; fib < 2; fib++) {
            assertThat(routing().get(SockAddr.of("10.6.0.9", 0), fib).nextHop().ifp).isSameAs(cable[0].a());
            assertThat(routing().get(SockAddr.of("2001:db8:6::9", 0), fib).nextHop().ifp).isSameAs(cable[0].a());
        }
        host.config().removeAddress(cable[0].a(), "10.6.0.1");
        host.config().removeAddress(cable[0].a(), "2001:db8:6::1");
        for (int fib = 0; fib < 2; fib++) {
            assertThat(routing().get(SockAddr.of("10.6.0.9", 0), fib)).isNull();
            assertThat(routing().get(SockAddr.of("2001:db8:6::9", 0), fib)).isNull();
        }
    }

    // ---- sockets ------------------------------------------------------------

    @Test
    void datagrams_goAndComeByTheSocketsTable() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            for (int i = 0; i < 2; i++) {
                final SocketFile server = six ? far[i].udp6() : far[i].udp();
                server.bind(six ? SockAddr.in6(0, 0, PORT) : SockAddr.in(0, PORT));
                final SocketFile client = six ? host.udp6() : host.udp();
                client.setOption(SOL_SOCKET, SO_SETFIB, i);
                final SockAddr to = six ? FAR6 : FAR;
                client.sendto(bytes("by " + i), 0, to);
                run();
                final SockAddr from = new SockAddr();
                assertThat(read(server, from)).isEqualTo("by " + i);
                assertThat(from.host()).isEqualTo((six ? "2001:db8::1" : "10.0.0.1") + (i == 0 ? "" : "1"));
                server.sendto(bytes("back"), 0, from);
                run();
                assertThat(read(client)).isEqualTo("back");
                client.connect(to);
                assertThat(client.localAddress().host()).isEqualTo(from.host());
                client.close();
                server.close();
            }
        }
    }

    @Test
    void connections_goByTheSocketsTable_childrenInheritIt() throws Exception {
        for (int i = 0; i < 2; i++) {
            final SocketFile head = far[i].tcp();
            head.bind(SockAddr.in(0, PORT));
            head.listen(1);
            final SocketFile client = host.tcp();
            client.setOption(SOL_SOCKET, SO_SETFIB, i);
            client.connect(FAR);
            run();
            final SocketFile child = far[i].own(head.accept());
            child.send(bytes("hello " + i));
            run();
            assertThat(read(client)).isEqualTo("hello " + i);
        }
        final SocketFile head = host.tcp();
        head.setOption(SOL_SOCKET, SO_SETFIB, 1);
        head.bind(SockAddr.in(0, 80));
        head.listen(1);
        final SocketFile peer = far[1].tcp();
        peer.connect(SockAddr.of("10.0.0.11", 80));
        run();
        final SocketFile child = host.own(head.accept());
        assertThat(child.getOption(SOL_SOCKET, SO_SETFIB)).isOne();
        child.send(bytes("served"));
        run();
        assertThat(read(peer)).isEqualTo("served");
    }

    @Test
    void closedPort_errorGoesBackTheWayItCame() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            final SocketFile peer = six ? far[1].udp6() : far[1].udp();
            peer.connect(six ? SockAddr.of("2001:db8::11", 99) : SockAddr.of("10.0.0.11", 99));
            peer.send(bytes("x"));
            run();
            fails(() -> read(peer), Errno.ECONNREFUSED);
        }
    }

    // ---- reject and blackhole ------------------------------------------------------------

    private void special(final String prefix, final int flags, final int fib) {
        final RouteReq req = new RouteReq(InPrefix.parse(prefix, host.vnet.ifnets())).flags(flags).fib(fib);
        assertThat(routing().add(req)).isEqualTo(Errno.OK);
    }

    @Test
    void rejectAndBlackhole_sendersHearOneAndNotTheOther() throws Exception {
        special("192.0.2.0/25", NextHop.NHF_REJECT, 1);
        special("192.0.2.128/25", NextHop.NHF_BLACKHOLE, 1);
        special("2001:db8:a::/48", NextHop.NHF_REJECT, 1);
        special("2001:db8:b::/48", NextHop.NHF_BLACKHOLE, 1);
        for (final String[] to : new String[][] {{"192.0.2.1", "192.0.2.129"}, {"2001:db8:a::1", "2001:db8:b::1"}}) {
            final boolean six = to[0].indexOf(':') >= 0;
            final SocketFile f = six ? host.udp6() : host.udp();
            fails(() -> f.sendto(bytes("x"), 0, SockAddr.of(to[0], 9)), Errno.ENETUNREACH);
            f.setOption(SOL_SOCKET, SO_SETFIB, 1);
            fails(() -> f.sendto(bytes("x"), 0, SockAddr.of(to[0], 9)), Errno.EHOSTUNREACH);
            assertThat(f.sendto(bytes("x"), 0, SockAddr.of(to[1], 9))).isOne();
            final SocketFile bound = six ? host.udp6() : host.udp();
            bound.setOption(SOL_SOCKET, SO_SETFIB, 1);
            bound.bind(six ? SockAddr.of("2001:db8::11", 77) : SockAddr.of("10.0.0.11", 77));
            fails(() -> bound.sendto(bytes("x"), 0, SockAddr.of(to[0], 9)), Errno.EHOSTUNREACH);
            assertThat(bound.sendto(bytes("x"), 0, SockAddr.of(to[1], 9))).isOne();
            final SocketFile t = host.file(six ? SockAddr.AF_INET6 : SockAddr.AF_INET, 1, 0);
            t.setOption(SOL_SOCKET, SO_SETFIB, 1);
            fails(() -> t.connect(SockAddr.of(to[0], 9)), Errno.EHOSTUNREACH);
        }
    }

    @Test
    void rejectAndBlackhole_forwardedPacketsByTheTableOfTheirInterface() throws Exception {
        host.config().setForwarding(true);
        special("192.0.2.0/25", NextHop.NHF_REJECT, 1);
        special("192.0.2.128/25", NextHop.NHF_BLACKHOLE, 1);
        far[1].config().addRoute("192.0.2.0/24", "10.0.0.11", null);
        final SocketFile f = far[1].udp();
        f.connect(SockAddr.of("192.0.2.1", 9));
        f.send(bytes("x"));
        run();
        fails(() -> read(f), Errno.EHOSTUNREACH);
        f.connect(SockAddr.of("192.0.2.129", 9));
        f.send(bytes("x"));
        run();
        assertThat(read(f)).isEqualTo("-");
        f.connect(SockAddr.of("192.0.2.1", 9));
        special("192.0.2.1/32", NextHop.NHF_BLACKHOLE, 0);
        f.send(bytes("x"));
        run();
        fails(() -> read(f), Errno.EHOSTUNREACH);
    }

    // ---- listeners ------------------------------------------------------------

    @Test
    void listener_hearsOfRoutesAddressesAndInterfaces() throws Exception {
        final List<String> heard = new ArrayList<>();
        final RouteListener listener = new RouteListener() {
            @Override
            public void changed(final RouteEvent e) {
                heard.add(e.kind() + " " + e.fib() + " " + e.route().dst().host() + "/" + e.route().prefixLen());
            }

            @Override
            public void addressChanged(final Ifnet ifp, final IfAddr addr, final boolean added) {
                heard.add((added ? "NEWADDR " : "DELADDR ") + ifp.xname() + " " + addr.addr().host());
            }

            @Override
            public void interfaceChanged(final Ifnet ifp) {
                heard.add("IFINFO " + ifp.xname());
            }

            @Override
            public void interfaceAnnounced(final Ifnet ifp, final boolean arrived) {
                heard.add((arrived ? "ARRIVED " : "DEPARTING ") + ifp.xname());
            }
        };
        routing().addListener(listener);
        final Ifnet ifp = cable[1].a();
        host.config().addAddress(ifp, "10.7.0.1/24");
        assertThat(heard).containsExactly("NEWADDR " + ifp.xname() + " 10.7.0.1", "ADD 1 10.7.0.0/24",
            "ADD 1 10.7.0.255/32", "ADD 1 10.7.0.1/32");
        heard.clear();
        host.config().removeAddress(ifp, "10.7.0.1");
        assertThat(heard).contains("DELADDR " + ifp.xname() + " 10.7.0.1", "DELETE 1 10.7.0.0/24");
        heard.clear();
        host.config().addAddress(ifp, "2001:db8:7::1/64");
        assertThat(heard).containsExactlyInAnyOrder("NEWADDR " + ifp.xname() + " 2001:db8:7::1",
            "ADD 1 2001:db8:7::/64", "ADD 1 2001:db8:7::1/128");
        heard.clear();
        host.config().removeAddress(ifp, "2001:db8:7::1");
        assertThat(heard).contains("DELADDR " + ifp.xname() + " 2001:db8:7::1", "DELETE 1 2001:db8:7::/64");
        heard.clear();
        host.vnet.sysctl().set("net.fibs", "3");
        special("192.0.2.0/24", NextHop.NHF_REJECT, 2);
        assertThat(heard).as("tables that come later too").containsExactly("ADD 2 192.0.2.0/24");
        heard.clear();
        ifp.setMtu(1400);
        ifp.down();
        assertThat(heard).contains("IFINFO " + ifp.xname());
        heard.clear();
        cable[1].destroy();
        assertThat(heard).contains("DEPARTING " + ifp.xname());
        routing().removeListener(listener);
        heard.clear();
        host.config().addBlackhole("192.0.3.0/24");
        assertThat(heard).isEmpty();
    }
}
