package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.read;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A host between two cables. On the left one, checksums are left undone and super-segments cross whole; on the right
 * one every checksum is verified. What the sender left undone the router must do.
 */
final class RouterTest {
    private static final int OCTETS = 1 << 20;

    private final VirtualClock clock = new VirtualClock();
    private final Host left = new Host(LockStrategy.SPLIT, clock, "left");
    private final Host router = new Host(LockStrategy.SPLIT, clock, "router");
    private final Host right = new Host(LockStrategy.SPLIT, clock, "right");

    private void cables(int rightMtu) throws Exception {
        join(left, "10.1.0.1/24", router, "10.1.0.2/24", Map.of("tso", "true", "mtu", "1500"));
        join(router, "10.2.0.1/24", right, "10.2.0.2/24", Map.of("checksums", "true", "mtu", "" + rightMtu));
        left.config().addDefault("10.1.0.2");
        right.config().addDefault("10.2.0.1");
        router.config().setForwarding(true);
    }

    private static void join(Host a, String cidrA, Host b, String cidrB, Map<String, String> params) throws Exception {
        int unit = a.vnet.ifnets().all().size();
        Epair pair = Epair.join(a.vnet, b.vnet, unit, Epair.Config.parse(params));
        up(a, pair.a(), cidrA);
        up(b, pair.b(), cidrB);
    }

    private static void up(Host host, Ifnet ifp, String cidr) throws Exception {
        host.config().addAddress(ifp, cidr);
        Host.up(ifp);
    }

    private void settle(int ms) {
        for (int i = 0; i < ms; i++) {
            clock.advance(1_000_000);
            left.run();
            router.run();
            right.run();
        }
    }

    @AfterEach
    void stop() throws Exception {
        left.closeFiles();
        right.closeFiles();
        settle(200);
        assertThat(right.vnet.drops(DropReason.IP_BADSUM)).isZero();
        assertThat(right.vnet.drops(DropReason.TCP_BADSUM)).isZero();
        assertThat(right.vnet.drops(DropReason.UDP_BADSUM)).isZero();
        left.close();
        router.close();
        right.close();
    }

    @Test
    void superSegments_areCutOnTheWay_withGoodChecksums() throws Exception {
        cables(1500);
        stream();
    }

    @Test
    void superSegments_forASmallerMtu_arriveAllTheSame() throws Exception {
        cables(1000);
        stream();
    }

    /** Neither end knows of the narrow way, and timestamps make each segment longer than its text and least headers. */
    @Test
    void superSegments_thatFitButForTheirOptions_senderIsToldTheMtu_bothFamilies() throws Exception {
        cables(1500);
        Ifnet out = router.vnet.ifnets().byName("epair2a");
        router.config().addRoute("10.2.0.2/32", null, out, 1490);
        stream();
        assertThat(left.config().inet().hostCache.mtu(SockAddr.of("10.2.0.2", 0).in4())).isEqualTo(1490);
        SockAddr to = SockAddr.of("2001:db8:2::2", 80);
        up(left, left.vnet.ifnets().byName("epair1a"), "2001:db8:1::1/64");
        up(router, router.vnet.ifnets().byName("epair1b"), "2001:db8:1::2/64");
        up(router, out, "2001:db8:2::1/64");
        up(right, right.vnet.ifnets().byName("epair2b"), "2001:db8:2::2/64");
        left.config().addRoute("::/0", "2001:db8:1::2", null);
        right.config().addRoute("::/0", "2001:db8:2::1", null);
        router.config().setForwarding6(true);
        router.config().addRoute("2001:db8:2::2/128", null, out, 1490);
        stream(to);
        assertThat(left.config().inet().hostCache.mtu(to.hi(), to.lo())).isEqualTo(1490);
        for (String v : new String[] {"", "6"}) {
            long refused = router.vnet.counters().get("ip" + v + ".cantfrag");
            assertThat(router.vnet.counters().get("icmp" + v + ".error")).as("told of, IPv" + v).isEqualTo(refused)
                .isPositive();
        }
    }

    private void stream() throws Exception {
        stream(SockAddr.of("10.2.0.2", 80));
    }

    private void stream(SockAddr to) throws Exception {
        SocketFile listener = right.file(to.family(), SocketDefs.SOCK_STREAM, 0);
        listener.bind(to);
        listener.listen(1);
        SocketFile client = left.file(to.family(), SocketDefs.SOCK_STREAM, 0);
        client.connect(to);
        settle(10);
        SocketFile server = right.own(listener.accept());
        server.setNonBlocking(true);
        carry(client, server);
        carry(server, client);
    }

    private void carry(SocketFile from, SocketFile to) throws Exception {
        byte[] data = new byte[OCTETS];
        for (int i = 0; i < OCTETS; i++) {
            data[i] = (byte) (i * 31 + (i >>> 11));
        }
        ByteBuffer out = ByteBuffer.wrap(data);
        ByteBuffer in = ByteBuffer.allocate(OCTETS);
        for (int turn = 0; turn < 20_000 && in.hasRemaining(); turn++) {
            if (out.hasRemaining()) {
                from.send(out);
            }
            settle(1);
            to.receive(in);
        }
        assertThat(in.position()).isEqualTo(OCTETS);
        assertThat(Arrays.equals(in.array(), data)).isTrue();
    }

    @Test
    void datagram_withItsChecksumUndone_arrives() throws Exception {
        cables(1500);
        SocketFile server = right.udp();
        server.bind(SockAddr.of("10.2.0.2", 7));
        SocketFile client = left.udp();
        client.connect(SockAddr.of("10.2.0.2", 7));
        for (int octets : new int[] {1, 1472, 5000}) {
            client.send(ByteBuffer.wrap("x".repeat(octets).getBytes(StandardCharsets.US_ASCII)));
            settle(5);
            assertThat(read(server)).hasSize(octets);
        }
    }
}
