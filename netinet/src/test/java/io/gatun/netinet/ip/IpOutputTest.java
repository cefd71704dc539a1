package io.gatun.netinet.ip;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class IpOutputTest {
    private static final byte[] DATA = Packets.pattern(100);
    private final TestNet net = new TestNet().resolved();

    @AfterEach
    @AfterProperty
    void close() {
        net.close();
    }

    @Test
    @Tag("RFC1122-3.2.1.3-own")
    @Tag("RFC1122-3.3.1.1")
    void onLink_headerIsCompleted() {
        Mbuf m = net.packet(0, TestNet.PEER0, DATA);
        assertThat(net.output(m, 0)).isEqualTo(Errno.OK);
        byte[] f = net.wire0.next();
        assertThat(Packets.mac(f, 0)).isEqualTo(TestNet.PEER0_MAC);
        assertThat(Packets.mac(f, 6)).isEqualTo(EtherHeader.addr(net.wire0.ifp.lladdr()));
        byte[] p = Packets.tail(f, 14);
        assertThat(Packets.cksum(p, 0, 20)).isZero();
        assertThat(Packets.i32(p, 12)).isEqualTo(TestNet.US0);
        assertThat(Packets.tail(p, 20)).isEqualTo(DATA);
    }

    @Test
    @Tag("RFC1122-3.3.1.1")
    void byGateway_toTheGatewaysLinkAddress() throws ErrnoException {
        net.config.addDefault("10.0.1.2");
        assertThat(net.output(net.packet(0, Packets.addr("192.0.2.1"), DATA), 0)).isEqualTo(Errno.OK);
        byte[] f = net.wire1.next();
        assertThat(Packets.mac(f, 0)).isEqualTo(TestNet.PEER1_MAC);
        assertThat(Packets.i32(f, 14 + 12)).isEqualTo(TestNet.US1);
    }

    @Test
    void noRoute_unreachable() {
        assertThat(net.output(net.packet(0, Packets.addr("192.0.2.1"), DATA), 0)).isEqualTo(Errno.EHOSTUNREACH);
        assertThat(net.stat("ip.noroute")).isEqualTo(1);
        assertThat(net.outstanding()).isZero();
    }

    @Test
    void toOneself_goesByLoopback() {
        assertThat(net.output(net.packet(0, TestNet.US1, DATA), 0)).isEqualTo(Errno.OK);
        assertThat(net.output(net.packet(0, SockAddr.INADDR_LOOPBACK, DATA), 0)).isEqualTo(Errno.OK);
        assertThat(net.got).hasSize(2);
        assertThat(Packets.i32(net.got.getFirst(), 12)).isEqualTo(TestNet.US1);
        assertThat(net.wire1.next()).isNull();
    }

    @Test
    @Tag("RFC1122-3.2.1.3-127")
    void loopbackSource_doesNotLeaveTheHost() {
        Errno e = net.output(net.packet(SockAddr.INADDR_LOOPBACK, TestNet.PEER0, DATA), 0);
        assertThat(e).isEqualTo(Errno.EADDRNOTAVAIL);
        assertThat(net.drops(DropReason.IP_BADADDR)).isEqualTo(1);
    }

    @Test
    void broadcast_needsLeave_isHeardHereToo() {
        int all = Packets.addr("10.0.0.255");
        assertThat(net.output(net.packet(0, all, DATA), 0)).isEqualTo(Errno.EACCES);
        assertThat(net.output(net.packet(0, all, DATA), IpOutput.IP_ALLOWBROADCAST)).isEqualTo(Errno.OK);
        assertThat(Packets.mac(net.wire0.next(), 0)).isEqualTo(EtherHeader.BROADCAST);
        assertThat(net.got).hasSize(1);
        assertThat(net.output(net.packet(0, -1, DATA), IpOutput.IP_ALLOWBROADCAST)).isEqualTo(Errno.OK);
        assertThat(Packets.i32(net.wire0.next(), 14 + 16)).isEqualTo(-1);
        assertThat(net.output(net.packet(0, all, new byte[2000]), IpOutput.IP_ALLOWBROADCAST))
            .isEqualTo(Errno.EMSGSIZE);
    }

    @Test
    void group_goesToItsLinkAddress_andToMembersHere() {
        int group = Packets.addr("239.129.2.3");
        Moptions imo = new Moptions(net.inet.igmp.gmp);
        imo.multicastIfp = net.wire1.ifp;
        RouteCache ro = new RouteCache();
        assertThat(net.inet.ipOutput.output(net.packet(0, group, DATA), null, ro, 0, imo)).isEqualTo(Errno.OK);
        byte[] f = net.wire1.next();
        assertThat(Packets.mac(f, 0)).isEqualTo(0x01005e010203L);
        assertThat(f[14 + 8]).isEqualTo((byte) 1);
        assertThat(imo.join(SockAddr.in(group, 0), net.wire1.ifp)).isEqualTo(Errno.OK);
        net.inet.ipOutput.output(net.packet(0, group, DATA), null, ro, 0, imo);
        imo.multicastLoop = false;
        net.inet.ipOutput.output(net.packet(0, group, DATA), null, ro, 0, imo);
        net.vnet.runUntilIdle();
        assertThat(net.got).hasSize(1);
        imo.leave(SockAddr.in(group, 0), null);
        assertThat(net.output(net.packet(0, group, DATA), 0)).isEqualTo(Errno.ENETUNREACH);
    }

    @Test
    void routeToIf_linkOnly() throws ErrnoException {
        net.config.addDefault("10.0.1.2");
        int far = Packets.addr("192.0.2.1");
        assertThat(net.output(net.packet(0, far, DATA), IpOutput.IP_ROUTETOIF)).isEqualTo(Errno.ENETUNREACH);
        assertThat(net.output(net.packet(0, TestNet.PEER1, DATA), IpOutput.IP_ROUTETOIF)).isEqualTo(Errno.OK);
        assertThat(net.wire1.nextIp()[8]).isEqualTo((byte) 1);
    }

    @Test
    @Tag("RFC791-3.2-df")
    void dontFragment_tooLarge_isRefused_idIsZero() {
        Mbuf m = net.packet(0, TestNet.PEER0, new byte[3000]);
        IpHeader.off(m, 0, IpHeader.IP_DF);
        assertThat(net.output(m, 0)).isEqualTo(Errno.EMSGSIZE);
        assertThat(net.stat("ip.cantfrag")).isEqualTo(1);
        Mbuf small = net.packet(0, TestNet.PEER0, DATA);
        IpHeader.off(small, 0, IpHeader.IP_DF);
        net.output(small, 0);
        assertThat(Packets.u16(net.wire0.nextIp(), 4)).isZero();
    }

    @Property(tries = 60)
    @net.jqwik.api.Tag("RFC791-3.2-frag")
    void anySize_cutAndMadeWhole_equal(@ForAll @IntRange(min = 1, max = 60_000) int size,
            @ForAll @IntRange(min = 68, max = 1500) int mtu, @ForAll boolean options, @ForAll long seed) {
        int cut = size > 20 * mtu ? Math.max(mtu, 1000) : mtu;
        net.wire0.ifp.setMtu(cut);
        byte[] data = Packets.pattern(size);
        byte[] opt = {(byte) 148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0};
        Errno e = net.inet.ipOutput.output(net.packet(0, TestNet.PEER0, data), options ? opt : null, null, 0, null);
        assertThat(e).isEqualTo(Errno.OK);
        java.util.List<byte[]> frames = new java.util.ArrayList<>();
        for (byte[] p = net.wire0.nextIp(); p != null; p = net.wire0.nextIp()) {
            assertThat(p.length).isLessThanOrEqualTo(cut);
            int hlen = (p[0] & 0xf) * 4;
            assertThat(Packets.cksum(p, 0, hlen)).isZero();
            if ((Packets.u16(p, 6) & IpHeader.IP_OFFMASK) != 0) {
                assertThat(hlen).isEqualTo(options ? 24 : 20); // router alert is copied, record route is not
            }
            Packets.put(p, 12, TestNet.PEER0, 4);
            Packets.put(p, 16, TestNet.US0, 4);
            frames.add(Packets.fixIp(p));
        }
        java.util.Collections.shuffle(frames, new Random(seed));
        net.vnet.sysctl().set("net.inet.ip.maxfragsperpacket", "2000");
        net.vnet.sysctl().set("net.inet.ip.maxfrags", "2000");
        net.got.clear();
        frames.forEach(f -> net.wire0.receiveIp(TestNet.PEER0_MAC, f));
        assertThat(net.got).hasSize(1);
        assertThat(Packets.tail(net.got.getFirst(), options ? 32 : 20)).isEqualTo(data);
        assertThat(net.outstanding()).isZero();
        net.got.clear();
    }

    @Property(tries = 50)
    void delayedChecksum_isCompletedInSoftware(@ForAll @IntRange(max = 1400) int n, @ForAll boolean udp) {
        byte[] payload = Packets.pattern(20 + n);
        int field = udp ? 6 : 16;
        Packets.put(payload, field, InCksum.pseudo(TestNet.US0, TestNet.PEER0, TestNet.PROTO + payload.length), 2);
        Mbuf m = net.packet(TestNet.US0, TestNet.PEER0, payload);
        m.csumFlags(udp ? Csum.CSUM_IP_UDP : Csum.CSUM_IP_TCP);
        m.csumData(field);
        net.output(m, 0);
        byte[] p = net.wire0.nextIp();
        byte[] pseudo = new byte[12];
        Packets.put(pseudo, 0, TestNet.US0, 4);
        Packets.put(pseudo, 4, TestNet.PEER0, 4);
        pseudo[9] = (byte) TestNet.PROTO;
        Packets.put(pseudo, 10, payload.length, 2);
        byte[] all = new byte[12 + payload.length];
        System.arraycopy(pseudo, 0, all, 0, 12);
        System.arraycopy(p, 20, all, 12, payload.length);
        assertThat(Packets.cksum(all, 0, all.length)).isZero();
    }

    @Test
    void capableInterface_isLeftTheChecksums() {
        try (TestNet able = new TestNet(Ifnet.IFCAP_HWCSUM).resolved()) {
            Mbuf m = able.packet(TestNet.US0, TestNet.PEER0, DATA);
            m.csumFlags(Csum.CSUM_IP_TCP);
            m.csumData(16);
            able.output(m, 0);
            byte[] p = able.wire0.nextIp();
            assertThat(Packets.u16(p, 10)).isZero();
            assertThat(Packets.tail(p, 20)).isEqualTo(DATA);
            able.wire0.ifp.setMtu(80);
            able.output(able.packet(TestNet.US0, TestNet.PEER0, DATA), 0); // fragments too
            assertThat(able.wire0.sent).hasSize(2);
        }
    }

    @Test
    void superSegment_isCutForAnInterfaceThatCannot() {
        byte[] tcp = Packets.pattern(20 + 5300);
        tcp[12] = 0x50;
        tcp[13] = 0x18;
        Packets.put(tcp, 4, 1000, 4);
        Packets.put(tcp, 16, InCksum.pseudo(TestNet.US0, TestNet.PEER0, 6 + tcp.length), 2);
        Mbuf m = net.packet(TestNet.US0, TestNet.PEER0, tcp);
        IpHeader.p(m, 0, 6);
        IpHeader.off(m, 0, IpHeader.IP_DF);
        m = m.pullup(40);
        m.csumFlags(Csum.CSUM_IP_TCP | Csum.CSUM_IP_TSO);
        m.csumData(16);
        m.tsoSegsz(1000);
        assertThat(net.output(m, 0)).isEqualTo(Errno.OK);
        int at = 0;
        for (byte[] p = net.wire0.nextIp(); p != null; p = net.wire0.nextIp()) {
            assertThat(Packets.cksum(p, 0, 20)).isZero();
            int len = p.length - 20;
            byte[] sum = new byte[12 + len];
            System.arraycopy(p, 12, sum, 0, 8);
            sum[9] = 6;
            Packets.put(sum, 10, len, 2);
            System.arraycopy(p, 20, sum, 12, len);
            assertThat(Packets.cksum(sum, 0, sum.length)).isZero();
            assertThat(Packets.i32(p, 24)).isEqualTo(1000 + at);
            assertThat(Packets.tail(p, 40)).isEqualTo(java.util.Arrays.copyOfRange(tcp, 20 + at, 20 + at + len - 20));
            at += len - 20;
        }
        assertThat(at).isEqualTo(5300);
    }

    @Test
    void outOfMbufs_isAnErrorAndNoLeak() {
        Mbuf m = net.packet(0, TestNet.PEER0, Packets.pattern(20_000));
        java.util.List<Mbuf> hogs = new java.util.ArrayList<>();
        for (Mbuf h = net.vnet.pool().get(Mbuf.MT_DATA); h != null; h = net.vnet.pool().get(Mbuf.MT_DATA)) {
            hogs.add(h);
        }
        assertThat(net.output(m, 0)).isEqualTo(Errno.ENOBUFS);
        hogs.forEach(Mbuf::freeChain);
        assertThat(net.outstanding()).isZero();
        assertThat(net.stat("ip.odropped")).isPositive();
    }

    @Test
    void ids_differByDatagram_random_noneTwiceInARow() {
        for (String random : new String[] {"0", "1"}) {
            net.vnet.sysctl().set("net.inet.ip.random_id", random);
            java.util.Set<Integer> seen = new java.util.HashSet<>();
            for (int i = 0; i < 3000; i++) {
                net.output(net.packet(0, TestNet.PEER0, new byte[0]), 0);
                assertThat(seen.add(Packets.u16(net.wire0.nextIp(), 4))).isTrue();
            }
        }
    }

    @Test
    void addressRemoved_routesGo() throws ErrnoException {
        net.config.addDefault("10.0.1.2");
        int routes = net.config.routes().size();
        net.config.removeAddress(net.wire1.ifp, "10.0.1.1");
        assertThat(net.config.routes()).hasSize(routes - 4); // network, self, broadcast, default
        assertThat(net.output(net.packet(0, TestNet.PEER1, DATA), 0)).isEqualTo(Errno.EHOSTUNREACH);
    }
}
