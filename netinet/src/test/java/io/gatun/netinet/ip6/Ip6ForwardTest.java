package io.gatun.netinet.ip6;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.TestNet6;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.ErrnoException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class Ip6ForwardTest {
    private static final SockAddr FAR = SockAddr.of("2001:db8:77::9", 0);
    private static final SockAddr LINK = SockAddr.of("fe80::2", 0);
    private static final int UNREACH = 1;
    private static final int TOO_BIG = 2;
    private static final int TIME = 3;

    private final TestNet6 six = new TestNet6();
    private final TestNet net = six.net;

    @BeforeEach
    void router() {
        net.config.setForwarding6(true);
        net.vnet.sysctl().set("net.inet.icmp.icmplim_jitter", "0");
    }

    @AfterEach
    void close() {
        six.close();
    }

    private static byte[] packet(final SockAddr src, final SockAddr dst, final int octets) {
        return TestNet6.ip6(src, dst, TestNet.PROTO, Packets.pattern(octets));
    }

    private void expectError(final int type, final int code, final int word, final byte[] about) {
        assertThat(six.sent1).isEmpty();
        assertThat(six.sent0).hasSize(1);
        final byte[] e = six.sent0.removeFirst();
        assertThat(TestNet6.addr(e, 8)).isEqualTo(TestNet6.US0);
        assertThat(Packets.u8(e, 40)).isEqualTo(type);
        assertThat(Packets.u8(e, 41)).isEqualTo(code);
        assertThat(Packets.i32(e, 44)).isEqualTo(word);
        assertThat(TestNet6.cksum6(e, 40, 58)).isZero();
        final int n = Math.min(about.length, 1280 - 48);
        assertThat(Packets.tail(e, 48)).isEqualTo(java.util.Arrays.copyOf(about, n));
    }

    private void expectNothing(final DropReason reason) {
        assertThat(six.sent0).isEmpty();
        assertThat(six.sent1).isEmpty();
        assertThat(net.drops(reason)).isEqualTo(1);
    }

    @Test
    void packetForAnother_sentOn_oneHopLess() {
        final byte[] p = packet(TestNet6.PEER0, TestNet6.PEER1, 100);
        six.receive0(p);
        p[7]--;
        assertThat(six.sent1).containsExactly(p);
        assertThat(net.stat("ip6.forward")).isEqualTo(1);
    }

    @Test
    void extensionHeadersAndFragments_passUntouched() {
        final byte[] p = TestNet6.with(packet(TestNet6.PEER0, TestNet6.PEER1, 64), 44,
            TestNet6.fragHeader(TestNet.PROTO, 1280, true, 7));
        final byte[] q = TestNet6.with(packet(TestNet6.PEER0, TestNet6.PEER1, 64), 60,
            new byte[] {(byte) TestNet.PROTO, 0, (byte) 0xc1, 4, 0, 0, 0, 0});
        six.receive0(p);
        six.receive0(q);
        p[7]--;
        q[7]--;
        assertThat(six.sent1).containsExactly(p, q);
    }

    @Test
    void notARouter_dropped() {
        net.config.setForwarding6(false);
        six.receive0(packet(TestNet6.PEER0, TestNet6.PEER1, 100));
        expectNothing(DropReason.IP_NOFORWARD);
    }

    @Test
    @Tag("RFC4443-3.3-hops")
    void hopsUsedUp_timeExceeded() {
        for (int hops = 0; hops < 2; hops++) {
            final byte[] p = packet(TestNet6.PEER0, TestNet6.PEER1, 100);
            p[7] = (byte) hops;
            six.receive0(p);
            expectError(TIME, 0, 0, p);
        }
        assertThat(net.drops(DropReason.IP_TTL)).isEqualTo(2);
    }

    @Test
    void noRoute_reject_blackhole_eachItsOwnWay() throws ErrnoException {
        final byte[] p = packet(TestNet6.PEER0, FAR, 100);
        six.receive0(p);
        expectError(UNREACH, 0, 0, p);
        net.inet.fib(0).add(FAR, 64, new NextHop(null, NextHop.NHF_REJECT, null, null, 0));
        six.receive0(p);
        expectError(UNREACH, 6, 0, p);
        net.inet.fib(0).change(FAR, 64, new NextHop(null, NextHop.NHF_BLACKHOLE, null, null, 0));
        six.receive0(p);
        assertThat(six.sent0).isEmpty();
        assertThat(net.drops(DropReason.IP_NOROUTE)).isEqualTo(3);
    }

    @Test
    void largerThanTheLink_packetTooBig_withItsMtu_andNeverCut() {
        net.wire1.ifp.setMtu(1300);
        final byte[] p = packet(TestNet6.PEER0, TestNet6.PEER1, 1261);
        six.receive0(p);
        expectError(TOO_BIG, 0, 1300, p);
        assertThat(net.drops(DropReason.IP_CANTFRAG)).isEqualTo(1);
        six.receive0(packet(TestNet6.PEER0, TestNet6.PEER1, 1260));
        assertThat(six.sent1).hasSize(1);
    }

    @Test
    void routeMtu_isTheLimit() {
        net.inet.fib(0).add(FAR, 64, new NextHop(net.wire1.ifp, 0, TestNet6.PEER1, null, 1280));
        final byte[] p = packet(TestNet6.PEER0, FAR, 1241);
        six.receive0(p);
        expectError(TOO_BIG, 0, 1280, p);
    }

    @Test
    void gateway_isAskedForByDiscovery_notTheDestination() {
        net.inet.fib(0).add(FAR, 64, new NextHop(net.wire1.ifp, 0, TestNet6.PEER1, null, 0));
        six.receive0(packet(TestNet6.PEER0, FAR, 10));
        assertThat(six.sent1).hasSize(1);
        assertThat(six.inet6.nd6.state(net.wire1.ifp, TestNet6.PEER1.hi(), TestNet6.PEER1.lo())).isNotNull();
        assertThat(six.inet6.nd6.state(net.wire1.ifp, FAR.hi(), FAR.lo())).isNull();
    }

    @Test
    void linkLocalSource_toAnotherLink_beyondScope() {
        final byte[] p = packet(LINK, TestNet6.PEER1, 100);
        six.receive0(p);
        assertThat(six.sent1).isEmpty();
        assertThat(six.sent0).hasSize(1);
        assertThat(Packets.u16(six.sent0.getFirst(), 40)).isEqualTo(UNREACH << 8 | 2);
        assertThat(Packets.tail(six.sent0.getFirst(), 48)).isEqualTo(p);
    }

    @Test
    void linkLocalDestination_neverForwarded() {
        six.receive0(packet(TestNet6.PEER0, LINK, 100));
        expectNothing(DropReason.IP_CANTFORWARD);
    }

    @Test
    void unspecifiedSource_neverForwarded() {
        six.receive0(packet(SockAddr.of("::", 0), TestNet6.PEER1, 100));
        expectNothing(DropReason.IP_CANTFORWARD);
    }

    @Test
    void group_neverForwarded() {
        six.receive0(packet(TestNet6.PEER0, SockAddr.of("ff0e::1", 0), 100));
        expectNothing(DropReason.IP_MCAST_NOGROUP);
    }

    @Test
    void errors_areLimited_soManyASecond() {
        final byte[] p = packet(TestNet6.PEER0, FAR, 10);
        six.receive0(p);
        six.sent0.clear();
        six.advance(1_000_000_000L);
        final int limit = net.vnet.sysctl().find("net.inet6.icmp6.errppslimit").getInt();
        for (int i = 0; i < 3 * limit; i++) {
            six.receive0(p);
        }
        assertThat(six.sent0).hasSize(limit);
        six.advance(1_000_000_000L);
        six.receive0(p);
        assertThat(six.sent0).hasSize(limit + 1);
    }

    @Test
    void noErrorAboutAnError() {
        six.receive0(TestNet6.icmp6(TestNet6.PEER0, FAR, UNREACH << 8, 0, packet(FAR, TestNet6.PEER0, 8)));
        expectNothing(DropReason.IP_NOROUTE);
    }

    @Test
    void manyWays_aFlowKeepsItsOwn() {
        net.inet.fib(0).add(FAR, 64, new NextHop(net.wire0.ifp, 0, TestNet6.PEER0, null, 0));
        net.inet.fib(0).append(FAR, 64, new NextHop(net.wire1.ifp, 0, TestNet6.PEER1, null, 0), 1);
        six.receive0(packet(TestNet6.PEER0, FAR, 10));
        for (int flow = 0; flow < 64; flow++) {
            final int before = six.sent1.size();
            for (int i = 0; i < 4; i++) {
                final byte[] p = packet(TestNet6.PEER0, FAR, 10);
                p[3] = (byte) flow;
                six.receive0(p);
            }
            assertThat(six.sent1.size() - before).isIn(0, 4);
        }
        assertThat(six.sent1.size()).isBetween(64, 192);
    }

    @Test
    void backToTheLinkItCameFrom_sentOn_andTheSenderIsTold() {
        final SockAddr gw = SockAddr.in6(0xfe80L << 48 | (long) net.wire0.ifp.index() << 32, 9, 0);
        net.inet.fib(0).add(FAR, 64, new NextHop(net.wire0.ifp, 0, gw, null, 0));
        final byte[] p = packet(TestNet6.PEER0, FAR, 100);
        six.receive0(p);
        six.receive0(p);
        p[7]--;
        assertThat(six.sent0).contains(p);
        assertThat(six.sent0).anyMatch(b -> b[6] == 58 && Packets.u8(b, 40) == 137 && Packets.u8(b, 79) == 9);
    }
}
