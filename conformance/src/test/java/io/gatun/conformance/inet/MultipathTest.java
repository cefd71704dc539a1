package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.bytes;
import static io.gatun.spi.socket.SocketDefs.SOCK_DGRAM;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InPrefix;
import io.gatun.netinet.RouteReq;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.api.SocketFile;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A host with two ways to one network: its flows divide between them, and each keeps its way. */
@ParameterizedClass
@EnumSource(LockStrategy.class)
class MultipathTest {
    private static final int FLOWS = 128;
    private static final int PORT = 7;

    @Parameter
    private LockStrategy locks;
    private Host host;
    private final Host[] router = new Host[2];
    private final Epair[] cable = new Epair[2];

    @BeforeEach
    void start() throws Exception {
        host = new Host(locks).dual();
        for (int i = 0; i < 2; i++) {
            router[i] = new Host(locks, host.clock, "router" + i).dual();
            cable[i] = Epair.join(host.vnet, router[i].vnet, i, Epair.Config.parse(Map.of()));
            host.config().addAddress(cable[i].a(), "10.0." + i + ".1/24");
            router[i].config().addAddress(cable[i].b(), "10.0." + i + ".2/24");
            host.config().addAddress(cable[i].a(), "2001:db8:" + i + "::1/64");
            router[i].config().addAddress(cable[i].b(), "2001:db8:" + i + "::2/64");
        }
        for (int i = 0; i < 30; i++) {
            host.clock.advance(100_000_000L);
            run();
        }
    }

    @AfterEach
    void stop() throws Exception {
        host.closeFiles();
        run();
        router[1].close();
        router[0].close();
        host.close();
    }

    private void run() {
        for (int i = 0; i < 3; i++) {
            host.run();
            router[0].run();
            router[1].run();
        }
    }

    private static SockAddr far(final boolean six) {
        return SockAddr.of(six ? "2001:db8:ffff::9" : "198.51.100.9", PORT);
    }

    private void ways(final boolean six, final int weight0, final int weight1) throws Exception {
        final String net = six ? "2001:db8:ffff::/48" : "198.51.100.0/24";
        for (int i = 0; i < 2; i++) {
            final String gateway = six ? "2001:db8:" + i + "::2" : "10.0." + i + ".2";
            final RouteReq req = new RouteReq(InPrefix.parse(net, null)).gateway(SockAddr.of(gateway, 0))
                .weight(i == 0 ? weight0 : weight1);
            assertThat(host.config().routing().add(req)).isEqualTo(Errno.OK);
            final SocketFile any = Pair.udp(host, six); // so that the link address is known
            any.sendto(bytes("x"), 0, SockAddr.of(gateway, PORT));
            run();
        }
    }

    private long sent(final int way) {
        return cable[way].a().counter(IfCounter.OPACKETS);
    }

    /** How many of many flows take the second way, each of them with all its packets. */
    private int onTheSecond(final boolean six, final int type, final int packets) throws Exception {
        int second = 0;
        for (int flow = 0; flow < FLOWS; flow++) {
            final SocketFile f = host.file(six ? SockAddr.AF_INET6 : SockAddr.AF_INET, type, 0);
            final long before0 = sent(0);
            final long before1 = sent(1);
            f.connect(far(six));
            for (int i = 0; type == SOCK_DGRAM && i < packets; i++) {
                f.send(bytes("x"));
                run();
            }
            run();
            assertThat(sent(0) - before0 + sent(1) - before1).isEqualTo(packets);
            assertThat(sent(1) - before1).as("all one way").isIn(0L, (long) packets);
            second += sent(1) > before1 ? 1 : 0;
        }
        return second;
    }

    @Test
    void datagramsAndConnections_divide_eachFlowKeepsItsWay() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            ways(six, 1, 1);
            assertThat(onTheSecond(six, SOCK_DGRAM, 3)).as("datagrams").isBetween(FLOWS / 3, 2 * FLOWS / 3);
            assertThat(onTheSecond(six, SOCK_STREAM, 1)).as("connections").isBetween(FLOWS / 3, 2 * FLOWS / 3);
        }
    }

    @Test
    void weights_divideTheFlows_andAWayThatGoesLeavesItsFlowsToTheOther() throws Exception {
        for (final boolean six : new boolean[] {false, true}) {
            ways(six, 1, 3);
            assertThat(onTheSecond(six, SOCK_DGRAM, 1)).isBetween(FLOWS * 3 / 5, FLOWS * 9 / 10);
        }
        cable[1].a().down();
        for (final boolean six : new boolean[] {false, true}) {
            final String net = six ? "2001:db8:ffff::/48" : "198.51.100.0/24";
            assertThat(host.config().routing().delete(new RouteReq(InPrefix.parse(net, null)).ifp(cable[1].a())))
                .isEqualTo(Errno.OK);
            assertThat(onTheSecond(six, SOCK_DGRAM, 2)).isZero();
        }
    }
}
