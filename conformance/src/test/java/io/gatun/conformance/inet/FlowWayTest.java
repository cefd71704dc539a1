package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.conformance.inet.Host.read;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InPrefix;
import io.gatun.netinet.RouteReq;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A host with two cables to another one, of different MTU. Two ways lead to the other's own address, so the flow of
 * each connection chooses, and with the way goes the source address.
 */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class FlowWayTest {
    private static final int PORT = 7;
    private static final int FLOWS = 24;
    private static final int[] MTU = {1500, 1400};

    @Parameter
    private LockStrategy locks;
    private Host host;
    private Host far;
    private final Epair[] cable = new Epair[2];

    @BeforeEach
    void start() throws Exception {
        host = new Host(locks).dual();
        far = new Host(locks, host.clock, "far").dual();
        far.config().addAddress(far.lo, "198.51.100.1/32");
        far.config().addAddress(far.lo, "2001:db8:f::1/128");
        for (int i = 0; i < 2; i++) {
            cable[i] = Epair.join(host.vnet, far.vnet, i, Epair.Config.parse(Map.of()));
            cable[i].a().setMtu(MTU[i]);
            cable[i].b().setMtu(MTU[i]);
            host.config().addAddress(cable[i].a(), "10.0." + i + ".1/24");
            host.config().addAddress(cable[i].a(), "2001:db8:a" + i + "::1/64");
            far.config().addAddress(cable[i].b(), "10.0." + i + ".2/24");
            far.config().addAddress(cable[i].b(), "2001:db8:a" + i + "::2/64");
            way("198.51.100.0/24", "10.0." + i + ".2");
            way("2001:db8:f::/48", "2001:db8:a" + i + "::2");
        }
        for (int i = 0; i < 30; i++) {
            host.clock.advance(100_000_000L);
            run();
        }
        for (int i = 0; i < 2; i++) { // so that neighbours know each other
            host.udp().sendto(bytes("x"), 0, SockAddr.of("10.0." + i + ".2", 9));
            host.udp6().sendto(bytes("x"), 0, SockAddr.of("2001:db8:a" + i + "::2", 9));
        }
        run();
    }

    private void way(final String prefix, final String gateway) {
        final RouteReq req = new RouteReq(InPrefix.parse(prefix, host.vnet.ifnets()));
        assertThat(host.config().routing().add(req.gateway(SockAddr.of(gateway, 0)))).isEqualTo(Errno.OK);
    }

    @AfterEach
    void stop() throws Exception {
        host.closeFiles();
        far.closeFiles();
        run();
        far.close();
        host.close();
    }

    private void run() {
        for (int i = 0; i < 4; i++) {
            host.run();
            far.run();
        }
    }

    private static SockAddr far(final boolean six) {
        return SockAddr.of(six ? "2001:db8:f::1" : "198.51.100.1", PORT);
    }

    /** The cable a source address belongs to. */
    private static int cableOf(final SockAddr src, final boolean six) {
        for (int i = 0; i < 2; i++) {
            if (src.host().equals(six ? "2001:db8:a" + i + "::1" : "10.0." + i + ".1")) {
                return i;
            }
        }
        throw new AssertionError(src);
    }

    private long[] sent() {
        return new long[] {cable[0].a().counter(IfCounter.OPACKETS), cable[1].a().counter(IfCounter.OPACKETS)};
    }

    /** One cable alone has carried something since: answers which. */
    private int carried(final long[] before) {
        final long[] now = sent();
        assertThat(now[0] == before[0]).as("both cables, or none").isNotEqualTo(now[1] == before[1]);
        return now[0] == before[0] ? 1 : 0;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void connect_sourceAddressIsThatOfTheWayThePacketsTake(final boolean six) throws Exception {
        final SocketFile udp = six ? far.udp6() : far.udp();
        udp.bind(far(six));
        final SocketFile head = far.file(six ? SockAddr.AF_INET6 : SockAddr.AF_INET, 1, 0);
        head.bind(far(six));
        head.listen(FLOWS);
        final int[] taken = new int[2];
        for (int i = 0; i < 2 * FLOWS; i++) {
            final boolean tcp = i % 2 == 0;
            final SocketFile f = tcp ? host.file(six ? SockAddr.AF_INET6 : SockAddr.AF_INET, 1, 0)
                : six ? host.udp6() : host.udp();
            final long[] before = sent();
            f.connect(far(six));
            run();
            f.send(bytes("hello"));
            run();
            final int way = cableOf(f.localAddress(), six);
            assertThat(carried(before)).as("%s %d", tcp ? "TCP" : "UDP", i).isEqualTo(way);
            assertThat(read(tcp ? far.own(head.accept()) : udp)).isEqualTo("hello");
            taken[way]++;
            f.close();
            run();
        }
        assertThat(taken[0]).isPositive();
        assertThat(taken[1]).isPositive();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void accept_synAckAndTextTakeOneWay_withItsMss(final boolean six) throws Exception {
        final SocketFile head = host.file(six ? SockAddr.AF_INET6 : SockAddr.AF_INET, 1, 0);
        head.bind(six ? SockAddr.in6(0, 0, PORT) : SockAddr.in(0, PORT));
        head.listen(FLOWS);
        final int[] taken = new int[2];
        for (int i = 0; i < FLOWS; i++) {
            final SocketFile f = far.file(six ? SockAddr.AF_INET6 : SockAddr.AF_INET, 1, 0);
            f.bind(SockAddr.of(far(six).host(), 0));
            final long[] before = sent();
            f.connect(SockAddr.of(six ? "2001:db8:a0::1" : "10.0.0.1", PORT)); // by the larger MTU
            run();
            final SocketFile child = host.own(head.accept());
            child.send(bytes("hello"));
            run();
            assertThat(read(f)).isEqualTo("hello");
            final int way = carried(before);
            taken[way]++;
            final long mss = f.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_MAXSEG);
            assertThat(mss).isEqualTo(child.getOption(InDefs.IPPROTO_TCP, InDefs.TCP_MAXSEG));
            assertThat(mss).isBetween(MTU[way] - (six ? 60L : 40L) - 12, MTU[way] - (six ? 60L : 40L));
        }
        assertThat(taken[0]).isPositive();
        assertThat(taken[1]).isPositive();
    }
}
