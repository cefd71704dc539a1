package io.gatun.netinet.icmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.spi.socket.SockAddr;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Redirects: sent by a router to a neighbour that takes a detour, believed by a host for a time. */
class RedirectTest {
    private static final long SEC = 1_000_000_000L;
    private static final int ROUTER = TestNet.PEER0;
    private static final int BETTER = Packets.addr("10.0.0.3");
    private static final int FAR = Packets.addr("172.16.5.9");

    private final TestNet net = new TestNet().resolved();

    @BeforeEach
    void routes() throws Exception {
        net.config.addDefault("10.0.0.2");
        net.config.setArp(net.wire0.ifp, "10.0.0.3", "02:00:00:00:00:a3");
        net.wire0.sent.clear();
    }

    @AfterEach
    void close() {
        net.close();
    }

    private NextHop to(final int dst) {
        return net.inet.fibs[0].lookup(dst);
    }

    private void hear(final int from, final int gateway, final int innerSrc, final int innerDst) {
        final byte[] inner = Packets.ip(innerSrc, innerDst, TestNet.PROTO, 1, 0, new byte[8]);
        final byte[] m = Packets.icmp(5, 1, gateway, inner);
        net.wire0.receiveIp(TestNet.PEER0_MAC, Packets.ip(from, TestNet.US0, 1, 1, 0, m));
    }

    private void hear() {
        hear(ROUTER, BETTER, TestNet.US0, FAR);
    }

    @Test
    @Tag("RFC1122-3.2.2.2-take")
    void believed_hostRouteForTenMinutes() {
        hear();
        assertThat(net.stat("icmp.redirects")).isEqualTo(1);
        assertThat(to(FAR).gateway.in4()).isEqualTo(BETTER);
        assertThat(to(FAR).has(NextHop.NHF_REDIRECT)).isTrue();
        assertThat(to(FAR + 1).gateway.in4()).isEqualTo(ROUTER);
        net.output(net.packet(TestNet.US0, FAR, new byte[4]), 0);
        assertThat(Packets.mac(net.wire0.next(), 0)).isEqualTo(0x0200000000a3L);
        net.advance(600 * SEC - 1);
        assertThat(to(FAR).gateway.in4()).isEqualTo(BETTER);
        net.advance(1);
        assertThat(to(FAR).gateway.in4()).isEqualTo(ROUTER);
    }

    @Test
    void again_fromTheNewRouter_movesOn_andTheTimeBeginsAnew() {
        hear();
        net.advance(500 * SEC);
        hear(BETTER, ROUTER, TestNet.US0, FAR);
        assertThat(to(FAR).gateway.in4()).isEqualTo(ROUTER);
        assertThat(to(FAR).has(NextHop.NHF_REDIRECT)).isTrue();
        net.advance(599 * SEC);
        assertThat(to(FAR).has(NextHop.NHF_REDIRECT)).isTrue();
        net.advance(SEC);
        assertThat(to(FAR).has(NextHop.NHF_REDIRECT)).isFalse();
    }

    @Test
    @Tag("RFC1122-3.2.2.2-check")
    void fromAnyOtherThanItsRouter_orToNowhere_isRefused() {
        final int[][] wrong = {
            {BETTER, Packets.addr("10.0.0.9"), TestNet.US0, FAR}, // not the router in use
            {ROUTER, Packets.addr("10.0.9.9"), TestNet.US0, FAR}, // a gateway on no link
            {ROUTER, TestNet.PEER1, TestNet.US0, FAR},            // on another link
            {ROUTER, TestNet.US0, TestNet.US0, FAR},              // ourselves
            {ROUTER, ROUTER, TestNet.US0, FAR},                   // no change
            {ROUTER, Packets.addr("10.0.0.255"), TestNet.US0, FAR},
            {ROUTER, Packets.addr("224.0.0.1"), TestNet.US0, FAR},
            {ROUTER, BETTER, TestNet.US0, Packets.addr("10.0.0.77")}, // a neighbour needs no router
            {ROUTER, BETTER, TestNet.US0, Packets.addr("224.0.0.9")},
        };
        for (final int[] w : wrong) {
            hear(w[0], w[1], w[2], w[3]);
        }
        hear(ROUTER, BETTER, BETTER, FAR); // about no packet of ours
        net.vnet.sysctl().set("net.inet.icmp.drop_redirect", "1");
        hear();
        net.vnet.sysctl().set("net.inet.icmp.drop_redirect", "0");
        net.config.setForwarding(true);
        hear();
        net.config.setForwarding(false);
        assertThat(net.stat("icmp.redirects")).isZero();
        assertThat(net.config.routes()).extracting(Route::nextHop).noneMatch(n -> n.has(NextHop.NHF_REDIRECT));
        hear();
        assertThat(net.stat("icmp.redirects")).isEqualTo(1);
    }

    @Test
    void routeByHand_isNotReplaced_numberIsBounded() throws Exception {
        net.config.addRoute("172.16.5.9", "10.0.0.2", null);
        hear();
        assertThat(to(FAR).gateway.in4()).isEqualTo(ROUTER);
        net.vnet.sysctl().set("net.inet.icmp.redirmax", "3");
        for (int i = 1; i < 9; i++) {
            hear(ROUTER, BETTER, TestNet.US0, FAR + i);
        }
        assertThat(net.stat("icmp.redirects")).isEqualTo(3);
    }

    @Test
    void routeReplacedByHand_staysWhenTheTimeIsOver() {
        hear();
        final NextHop mine = new NextHop(net.wire0.ifp, NextHop.NHF_HOST, SockAddr.in(ROUTER, 0), null, 0);
        net.inet.fibs[0].change(SockAddr.in(FAR, 0), 32, mine);
        net.advance(700 * SEC);
        assertThat(to(FAR)).isSameAs(mine);
    }

    // Sending.

    private byte[] forward(final String src, final String dst, final byte... options) throws Exception {
        net.config.setForwarding(true);
        byte[] p = Packets.ip(Packets.addr(src), Packets.addr(dst), TestNet.PROTO, 7, 0, new byte[8]);
        p = options.length == 0 ? p : Packets.withOptions(p, options);
        net.wire0.receiveIp(0x0200000000a5L, p);
        return p;
    }

    /** Takes frames until an ICMP redirect; null for none. All others are what was forwarded or ARP. */
    private byte[] redirect() {
        byte[] ip = net.wire0.nextIp();
        while (ip != null && (ip[9] != 1 || ip[20] != 5)) {
            ip = net.wire0.nextIp();
        }
        return ip;
    }

    @Test
    @Tag("RFC1812-5.2.7.2")
    void outWhereItCameIn_senderIsToldOfTheRouter_packetGoesOn() throws Exception {
        net.config.setArp(net.wire0.ifp, "10.0.0.5", "02:00:00:00:00:a5");
        final byte[] p = forward("10.0.0.5", "172.16.5.9");
        final byte[] r = redirect();
        assertThat(Packets.i32(r, 16)).isEqualTo(Packets.addr("10.0.0.5"));
        assertThat(Packets.u8(r, 21)).as("for the host").isEqualTo(1);
        assertThat(Packets.i32(r, 24)).isEqualTo(ROUTER);
        assertThat(Packets.cksum(r, 20, r.length - 20)).isZero();
        assertThat(Packets.tail(r, 28)).isEqualTo(p);
        assertThat(net.stat("ip.forward")).isEqualTo(1);
        assertThat(net.stat("ip.redirectsent")).isEqualTo(1);
    }

    @Test
    void destinationOnTheLink_isNamedItself() throws Exception {
        net.config.setArp(net.wire0.ifp, "10.0.0.5", "02:00:00:00:00:a5");
        forward("10.0.0.5", "10.0.0.3");
        assertThat(Packets.i32(redirect(), 24)).isEqualTo(BETTER);
    }

    @Test
    void otherLink_strangeSource_sourceRouteOrSwitchedOff_nobodyIsTold() throws Exception {
        forward("10.0.0.5", "10.0.1.2");
        forward("172.16.1.1", "172.16.5.9");
        net.vnet.sysctl().set("net.inet.ip.redirect", "0");
        forward("10.0.0.5", "172.16.5.9");
        assertThat(redirect()).isNull();
        assertThat(net.stat("ip.redirectsent")).isZero();
    }

    /** A redirect that a thread took up before the vnet began to go. */
    @Test
    void vnetGoes_redirectMeanwhile_leavesNoTimer() {
        final int armed = net.vnet.calloutsArmed();
        net.inet.icmpInput.destroy();
        hear();
        assertThat(net.stat("icmp.badredirects")).isEqualTo(1);
        assertThat(net.vnet.calloutsArmed()).isEqualTo(armed);
    }
}
