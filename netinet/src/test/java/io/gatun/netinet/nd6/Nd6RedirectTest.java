package io.gatun.netinet.nd6;

import static io.gatun.netinet.nd6.Nd6Net.MS;
import static io.gatun.netinet.nd6.Nd6Net.PEER_MAC;
import static io.gatun.netinet.nd6.Nd6Net.SEC;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.Packets6;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class Nd6RedirectTest {
    private static final String ROUTER = "fe80::1";
    private static final String BETTER = "fe80::2";
    private static final String FAR = "2001:db8:ffff::1";

    private static Nd6Net host(final String... more) {
        final String[] all = java.util.Arrays.copyOf(more, more.length + 2);
        all[more.length] = "net.inet6.ip6.accept_rtadv";
        all[more.length + 1] = "1";
        final Nd6Net net = Nd6Net.settled(all);
        Ra.router(9000).mac(PEER_MAC).prefix("2001:db8:1::", 64, 0xc0, 9000, 9000).by(net, ROUTER);
        net.advance(3 * SEC);
        net.wire.sent.clear();
        return net;
    }

    private static byte[] redirect(final String target, final String dst, final byte[]... options) {
        return Packets6.join(Packets6.word(0), Packets6.addr(target), Packets6.addr(dst), Packets6.join(options));
    }

    private static void hear(final Nd6Net net, final String from, final String target, final String dst) {
        net.hear(from, net.globals().getFirst(), Packets6.REDIRECT, redirect(target, dst,
            Packets6.six(2, PEER_MAC)));
    }

    private static String way(final Nd6Net net, final String to) {
        final SockAddr a = SockAddr.of(to, 0);
        final NextHop nh = net.config.inet().fib(0).lookup6(a.hi(), a.lo());
        return nh == null ? "none" : nh.gateway == null ? "link"
            : In6.text(nh.gateway.hi(), nh.gateway.lo()).replaceAll("%.*", "");
    }

    @Test
    @Tag("RFC4861-8.3")
    void byTheFirstHop_isFollowed_forItsTime_toTheMillisecond() {
        try (Nd6Net net = host()) {
            hear(net, ROUTER, BETTER, FAR);
            assertThat(way(net, FAR)).isEqualTo(BETTER);
            assertThat(way(net, "2001:db8:ffff::2")).isEqualTo(ROUTER);
            assertThat(net.nd.state(net.ifp, In6.embed(In6.LINKLOCAL_HI, net.ifp.index()), 2))
                .isEqualTo(Nd6State.STALE);
            hear(net, BETTER, "fe80::3", FAR);
            assertThat(way(net, FAR)).as("the first hop is another now").isEqualTo("fe80::3");
            net.advance(599_999 * MS);
            assertThat(way(net, FAR)).isEqualTo("fe80::3");
            net.advance(MS);
            assertThat(way(net, FAR)).isEqualTo(ROUTER);
        }
    }

    @Test
    @Tag("RFC4861-8.3")
    void toTheDestinationItself_itIsOnTheLink() {
        try (Nd6Net net = host()) {
            hear(net, ROUTER, FAR, FAR);
            assertThat(way(net, FAR)).isEqualTo("link");
        }
    }

    @Test
    @Tag("RFC4861-8.1")
    void invalid_areDropped() {
        try (Nd6Net net = host()) {
            hear(net, "fe80::9", BETTER, FAR);
            hear(net, ROUTER, "2001:db8:1::9", FAR);
            hear(net, ROUTER, BETTER, "ff05::1");
            hear(net, ROUTER, BETTER, "2001:db8:1::5");
            final String us = net.globals().getFirst();
            final byte[] body = redirect(BETTER, FAR);
            net.receive(Packets6.frame(net.mac(), PEER_MAC, ROUTER, us, new int[] {254, Packets6.REDIRECT, 0}, body));
            net.receive(Packets6.frame(net.mac(), PEER_MAC, ROUTER, us, new int[] {255, Packets6.REDIRECT, 1}, body));
            net.hear(ROUTER, us, Packets6.REDIRECT, java.util.Arrays.copyOf(body, 35));
            net.hear(ROUTER, us, Packets6.REDIRECT, redirect(BETTER, FAR, new byte[8]));
            assertThat(way(net, FAR)).isEqualTo(ROUTER);
            assertThat(net.stat("nd6.bad")).isEqualTo(8);
            assertThat(net.stat("nd6.redirect.received")).isEqualTo(8);
        }
    }

    @Test
    void notAccepting_orForwarding_doesNotFollow() {
        try (Nd6Net net = host("net.inet6.icmp6.rediraccept", "0")) {
            hear(net, ROUTER, BETTER, FAR);
            assertThat(way(net, FAR)).isEqualTo(ROUTER);
            net.vnet.sysctl().set("net.inet6.icmp6.rediraccept", "1");
            net.vnet.sysctl().set("net.inet6.ip6.forwarding", "1");
            hear(net, ROUTER, BETTER, FAR);
            assertThat(way(net, FAR)).isEqualTo(ROUTER);
        }
    }

    @Test
    void flood_isBounded_theOldestMakesRoom() {
        try (Nd6Net net = host("net.inet6.ip6.maxdynroutes", "100")) {
            for (int i = 1; i <= 1000; i++) {
                hear(net, ROUTER, BETTER, "2001:db8:ffff::" + Integer.toHexString(i));
            }
            assertThat(net.config.inet().fib(0).routes().stream()
                .filter(r -> r.nextHop().has(NextHop.NHF_REDIRECT))).hasSize(100);
            assertThat(way(net, "2001:db8:ffff::1")).isEqualTo(ROUTER);
            assertThat(way(net, "2001:db8:ffff::3e8")).isEqualTo(BETTER);
        }
    }

    @Test
    @Tag("RFC4861-7.3.3")
    void targetDoesNotAnswer_packetsGoTheUsualWay() {
        try (Nd6Net net = host()) {
            hear(net, ROUTER, BETTER, FAR);
            final Mbuf m = net.vnet.pool().gethdr(Mbuf.MT_DATA);
            m.len(40);
            m.pktLen(40);
            net.nd.output(net.ifp, m, In6.embed(In6.LINKLOCAL_HI, net.ifp.index()), 2);
            net.advance(8 * SEC);
            assertThat(way(net, FAR)).isEqualTo(ROUTER);
        }
    }

    @Test
    @Tag("RFC4861-6.3.5")
    void targetIsNoRouterAnyMore_packetsGoTheUsualWay() {
        try (Nd6Net net = host()) {
            Ra.router(9000).low().mac(PEER_MAC).by(net, BETTER);
            hear(net, ROUTER, BETTER, FAR);
            Ra.router(0).by(net, BETTER);
            assertThat(way(net, FAR)).isEqualTo(ROUTER);
        }
    }

    // Sent.

    private static Mbuf packet(final Nd6Net net, final String src, final String dst, final int octets) {
        final Mbuf m = net.vnet.pool().gethdr(Mbuf.MT_DATA);
        assertThat(m.append(new byte[40 + octets], 0, 40 + octets)).isTrue();
        Ip6Header.init(m, octets, 17, 63, 0);
        final SockAddr s = SockAddr.of(src, 0);
        final SockAddr d = SockAddr.of(dst, 0);
        Ip6Header.addr(m, s.hi(), s.lo(), d.hi(), d.lo());
        return m;
    }

    @Test
    @Tag("RFC4861-8.2")
    void forwardedBackToItsLink_senderIsTold() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add("2001:db8:1::1/64");
            net.advance(SEC);
            net.hear(BETTER, "ff02::1:ff00:1", Packets6.NS, Packets6.nbr(0, "2001:db8:1::1", Packets6.six(1, 0x99)));
            net.hear("2001:db8:1::5", "2001:db8:1::1", Packets6.NS,
                Packets6.nbr(0, "2001:db8:1::1", Packets6.six(1, PEER_MAC)));
            net.wire.sent.clear();
            final SockAddr gw = SockAddr.in6(In6.embed(In6.LINKLOCAL_HI, net.ifp.index()), 2, 0);
            final Mbuf m = packet(net, "2001:db8:1::5", FAR, 1400);
            net.nd.redirect(m, new NextHop(net.ifp, 0, gw, null, 0));
            m.freeChain();
            final byte[] f = net.next(Packets6.REDIRECT);
            assertThat(Packets.mac(f, 0)).isEqualTo(PEER_MAC);
            assertThat(Packets6.addr(f, 14 + 8)).isEqualTo(Nd6Net.text(net.linkLocal()));
            assertThat(Packets6.addr(f, 14 + 24)).isEqualTo("2001:db8:1::5");
            assertThat(Packets6.addr(f, Packets6.ICMP + 8)).isEqualTo(BETTER);
            assertThat(Packets6.addr(f, Packets6.ICMP + 24)).isEqualTo(FAR);
            assertThat(Packets.mac(f, Packets6.ICMP + 42)).isEqualTo(0x99);
            assertThat(f.length - 14).isBetween(1273, 1280);
            final int quote = Packets6.ICMP + 48;
            assertThat(Packets.u8(f, quote)).isEqualTo(4);
            assertThat(Packets.u8(f, quote + 1) * 8).isEqualTo(f.length - quote);
            assertThat(Packets6.addr(f, quote + 8 + 8)).isEqualTo("2001:db8:1::5");
        }
    }

    @Test
    @Tag("RFC4861-8.2")
    void router_packetGoesBackToItsLink_isSentOnAndTheSenderIsTold() throws Exception {
        try (Nd6Net net = Nd6Net.settled("net.inet6.ip6.forwarding", "1")) {
            net.add("2001:db8:1::1/64");
            net.advance(SEC);
            net.config.addRoute("2001:db8:ffff::/48", BETTER, net.ifp);
            net.hear(BETTER, "ff02::1:ff00:1", Packets6.NS, Packets6.nbr(0, "2001:db8:1::1", Packets6.six(1, 0x99)));
            net.hear("2001:db8:1::5", "2001:db8:1::1", Packets6.NS,
                Packets6.nbr(0, "2001:db8:1::1", Packets6.six(1, PEER_MAC)));
            net.wire.sent.clear();
            net.hear("2001:db8:1::5", FAR, 128, new byte[8]);
            final byte[] f = net.wire.sent.poll();
            assertThat(Packets6.type(f)).isEqualTo(Packets6.REDIRECT);
            assertThat(Packets6.addr(f, Packets6.ICMP + 8)).isEqualTo(BETTER);
            final byte[] on = net.wire.sent.poll();
            assertThat(Packets.mac(on, 0)).isEqualTo(0x99);
            assertThat(Packets.u8(on, 14 + 7)).isEqualTo(254);
            assertThat(net.stat("nd6.redirect.sent")).isEqualTo(1);
        }
    }

    @Test
    @Tag("RFC4861-8.2")
    void senderNotOnTheLink_orSwitchedOff_isNotTold_andTheRestIsLimited() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add("2001:db8:1::1/64");
            net.advance(SEC);
            net.hear("2001:db8:1::5", "2001:db8:1::1", Packets6.NS,
                Packets6.nbr(0, "2001:db8:1::1", Packets6.six(1, PEER_MAC)));
            net.wire.sent.clear();
            final NextHop nh = new NextHop(net.ifp, 0, null, null, 0);
            final Mbuf away = packet(net, "2001:db8:9::5", FAR, 8);
            net.nd.redirect(away, nh);
            away.freeChain();
            final Mbuf m = packet(net, "2001:db8:1::5", FAR, 8);
            net.vnet.sysctl().set("net.inet6.ip6.redirect", "0");
            net.nd.redirect(m, nh);
            assertThat(net.wire.sent).isEmpty();
            net.vnet.sysctl().set("net.inet6.ip6.redirect", "1");
            for (int i = 0; i < 1000; i++) {
                net.nd.redirect(m, nh);
            }
            m.freeChain();
            assertThat(net.wire.sent.size()).isBetween(50, 250);
        }
    }
}
