package io.gatun.conformance.inet;

import static io.gatun.conformance.inet.Host.read;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.spi.ifnet.EtherVlan;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetSlots;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The internet protocols over vlans: two hosts, one cable, vid 5 on both ends. */
final class VlanInetTest {
    private static final int OCTETS = 1 << 20;

    private final VirtualClock clock = new VirtualClock();
    private final Host left = new Host(LockStrategy.SPLIT, clock, "left");
    private final Host right = new Host(LockStrategy.SPLIT, clock, "right");

    @AfterEach
    void stop() throws Exception {
        left.closeFiles();
        right.closeFiles();
        settle(200);
        left.close();
        right.close();
    }

    private void settle(int ms) {
        for (int i = 0; i < ms; i++) {
            clock.advance(1_000_000);
            left.run();
            right.run();
        }
    }

    private Ifnet vlan(Host host, String parent, int vid, String cidr) throws Exception {
        Ifnet v = host.vnet.ifnets().create("vlan" + vid, Map.of("parent", parent, "vid", Integer.toString(vid)));
        host.config().addAddress(v, cidr);
        Host.up(v);
        return v;
    }

    private Epair cable(Map<String, String> params) throws Exception {
        Epair pair = left.join(right, params);
        vlan(left, "epair0a", 5, "10.5.0.1/24");
        vlan(right, "epair0b", 5, "10.5.0.2/24");
        return pair;
    }

    private static byte[] pattern(int octets) {
        byte[] out = new byte[octets];
        for (int i = 0; i < octets; i++) {
            out[i] = (byte) ('a' + i % 23);
        }
        return out;
    }

    private String ask(String to, int octets) throws Exception {
        SocketFile server = right.udp();
        server.bind(SockAddr.of(to, 7));
        SocketFile client = left.udp();
        client.connect(SockAddr.of(to, 7));
        client.send(ByteBuffer.wrap(pattern(octets)));
        settle(5);
        return read(server);
    }

    @ParameterizedTest
    @CsvSource({"10", "1472", "1473", "9000"})
    void datagrams_wholeAndInFragments_cross(int octets) throws Exception {
        cable(Map.of("checksums", "true"));
        assertThat(ask("10.5.0.2", octets)).hasSize(octets);
        assertThat(left.vnet.ifnets().byName("vlan5").counter(IfCounter.OPACKETS)).isGreaterThanOrEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"10", "1452", "1453", "9000"})
    void datagramsOverIpv6_wholeAndInFragments_cross(int octets) throws Exception {
        left.join(right, Map.of("checksums", "true"));
        vlan(left, "epair0a", 5, "2001:db8:5::1/64");
        vlan(right, "epair0b", 5, "2001:db8:5::2/64");
        SockAddr to = SockAddr.of("2001:db8:5::2", 7);
        SocketFile server = right.own(SocketFile.socket(right.vnet, SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0));
        server.bind(to);
        SocketFile client = left.own(SocketFile.socket(left.vnet, SockAddr.AF_INET6, SocketDefs.SOCK_DGRAM, 0));
        client.connect(to);
        client.send(ByteBuffer.wrap(pattern(octets)));
        settle(5);
        assertThat(read(server)).hasSize(octets);
        assertThat(left.vnet.ifnets().byName("vlan5").counter(IfCounter.OPACKETS)).isGreaterThanOrEqualTo(2);
    }

    @Test
    void vidThatTheOtherDoesNotCarry_isDroppedAndCounted() throws Exception {
        Epair pair = cable(Map.of());
        vlan(left, "epair0a", 6, "10.6.0.1/24");
        assertThat(ask("10.5.0.2", 10)).hasSize(10);
        SocketFile client = left.udp();
        client.connect(SockAddr.of("10.6.0.2", 7));
        long before = pair.b().counter(IfCounter.NOPROTO);
        client.send(ByteBuffer.wrap(pattern(10)));
        settle(5);
        assertThat(pair.b().counter(IfCounter.NOPROTO)).as("the ARP request for 10.6.0.2").isGreaterThan(before);
    }

    @Test
    void priorityTag_isNoVlan() throws Exception {
        Epair pair = left.join(right, Map.of());
        IfnetSlots.TransmitFn below = pair.a().transmitFn();
        pair.a().setTransmitFn((i, m) -> below.transmit(i, EtherVlan.encap(m, 7 << 13)));
        assertThat(ask("10.0.0.2", 1000)).hasSize(1000);
    }

    @ParameterizedTest
    @CsvSource({"1500,true,false", "1500,false,false", "1500,false,true", "9000,true,false"})
    void stream_bothWays_isWhole(int mtu, boolean checksums, boolean tso) throws Exception {
        cable(Map.of("mtu", "" + mtu, "checksums", "" + checksums, "tso", "" + tso));
        int wanted = tso ? Ifnet.IFCAP_TSO4 : 0;
        assertThat(left.vnet.ifnets().byName("vlan5").capenable() & Ifnet.IFCAP_TSO4).isEqualTo(wanted);
        SocketFile listener = right.tcp();
        listener.bind(SockAddr.of("10.5.0.2", 80));
        listener.listen(1);
        SocketFile client = left.tcp();
        client.connect(SockAddr.of("10.5.0.2", 80));
        settle(10);
        SocketFile server = right.own(listener.accept());
        server.setNonBlocking(true);
        carry(client, server);
        carry(server, client);
    }

    private void carry(SocketFile from, SocketFile to) throws Exception {
        ByteBuffer out = ByteBuffer.wrap(pattern(OCTETS));
        ByteBuffer in = ByteBuffer.allocate(OCTETS);
        for (int turn = 0; turn < 20_000 && in.hasRemaining(); turn++) {
            if (out.hasRemaining()) {
                from.send(out);
            }
            settle(1);
            to.receive(in);
        }
        assertThat(in.hasRemaining()).isFalse();
        assertThat(Arrays.equals(in.array(), out.array())).isTrue();
    }

    @Test
    void cablePulled_vlanHasNoLink_andTheSenderHears() throws Exception {
        Epair pair = cable(Map.of());
        assertThat(ask("10.5.0.2", 10)).hasSize(10);
        pair.destroy();
        Ifnet v = left.vnet.ifnets().byName("vlan5");
        assertThat(v.drvFlags() & Ifnet.IFF_DRV_RUNNING).isZero();
        assertThat(v.transmit(left.vnet.pool().gethdr(1))).isEqualTo(Errno.ENETDOWN);
    }
}
