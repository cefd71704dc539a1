package io.gatun.netinet.nd6;

import static io.gatun.netinet.nd6.Nd6Net.MS;
import static io.gatun.netinet.nd6.Nd6Net.PEER_MAC;
import static io.gatun.netinet.nd6.Nd6Net.SEC;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.Packets6;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class Nd6RtrTest {
    private static final String ACCEPT = "net.inet6.ip6.accept_rtadv";
    private static final String ONE = "fe80::1";
    private static final String TWO = "fe80::2";
    private static final String FAR = "2001:db8:ffff::1";

    /** Where a packet to an address goes: the router, "link", or "none". */
    private static String way(final Nd6Net net, final String to) {
        final SockAddr a = SockAddr.of(to, 0);
        final NextHop nh = net.config.inet().fib(0).lookup6(a.hi(), a.lo());
        return nh == null ? "none" : nh.gateway == null ? "link"
            : In6.text(nh.gateway.hi(), nh.gateway.lo()).replaceAll("%.*", "");
    }

    private static void asksFor(final Nd6Net net, final String router) {
        final SockAddr a = SockAddr.of(router, 0);
        final Mbuf m = net.vnet.pool().gethdr(Mbuf.MT_DATA);
        m.len(40);
        m.pktLen(40);
        net.nd.output(net.ifp, m, In6.embed(a.hi(), net.ifp.index()), a.lo());
    }

    // Solicitations.

    @Test
    @Tag("RFC4861-6.3.7")
    @Tag("RFC7559-2")
    void comesUp_asksForRouters_untilOneAnswers() {
        try (Nd6Net net = new Nd6Net(ACCEPT, "1", "net.inet6.ip6.auto_linklocal", "0")) {
            final List<Long> at = new ArrayList<>();
            net.ifp.up();
            final long began = net.clock.nanoTime();
            while (at.size() < 12) {
                net.advanceTo(net.vnet.nextDeadlineNs());
                final byte[] f = net.next(Packets6.RS);
                assertThat(Packets6.addr(f, 14 + 8)).isEqualTo("::");
                assertThat(Packets6.addr(f, 14 + 24)).isEqualTo("ff02::2");
                assertThat(f).hasSize(Packets6.ICMP + 8);
                at.add(net.clock.nanoTime());
            }
            assertThat(at.get(0) - began).isBetween(0L, SEC);
            long last = at.get(1) - at.get(0);
            assertThat(last).isBetween(3600 * MS, 4400 * MS);
            for (int i = 2; i < at.size(); i++) {
                final long span = at.get(i) - at.get(i - 1);
                if (2 * last < 3200 * SEC) {
                    assertThat(span).isBetween(2 * last - last / 10, 2 * last + last / 10);
                }
                assertThat(span).isLessThanOrEqualTo(3960 * SEC);
                last = span;
            }
            assertThat(last).isBetween(3240 * SEC, 3960 * SEC);
            Ra.router(0).to(net);
            assertThat(net.vnet.nextDeadlineNs()).as("no router yet").isNotEqualTo(Long.MAX_VALUE);
            Ra.router(1800).to(net);
            net.advance(1700 * SEC);
            assertThat(net.next(Packets6.RS)).isNull();
        }
    }

    @Test
    @Tag("RFC4861-4.1")
    void solicitation_fromReadyAddress_namesTheLinkAddress() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.nd.setFlags(net.ifp, Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV, 0);
            net.advance(SEC);
            final byte[] f = net.next(Packets6.RS);
            assertThat(Packets.mac(f, 0)).isEqualTo(0x333300000002L);
            assertThat(Packets6.addr(f, 14 + 8)).isEqualTo(Nd6Net.text(net.linkLocal()));
            assertThat(Packets.mac(f, Packets6.ICMP + 10)).isEqualTo(net.mac());
            net.nd.setFlags(net.ifp, 0, Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV);
            assertThat(net.vnet.nextDeadlineNs()).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Test
    void notAccepting_asksNobody_takesNothing() {
        try (Nd6Net net = Nd6Net.settled()) {
            Ra.router(1800).prefix("2001:db8::", 64, 0xc0, 3600, 1800).to(net);
            assertThat(net.nd.routers()).isEmpty();
            assertThat(net.globals()).isEmpty();
            assertThat(net.stat("nd6.ra.unwanted")).isEqualTo(1);
        }
    }

    @Test
    @Tag("RFC4861-6.2.1")
    void forwarding_takesNothing_unlessToldTo() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            net.vnet.sysctl().set("net.inet6.ip6.forwarding", "1");
            Ra.router(1800).to(net);
            assertThat(net.nd.routers()).isEmpty();
            net.vnet.sysctl().set("net.inet6.ip6.rfc6204w3", "1");
            Ra.router(1800).to(net);
            assertThat(net.nd.routers()).hasSize(1);
        }
    }

    // Default routers.

    @Test
    @Tag("RFC4861-6.3.4")
    void router_isDefaultForItsLifetime_toTheMillisecond() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(100).mac(PEER_MAC).by(net, ONE);
            assertThat(way(net, FAR)).isEqualTo(ONE);
            assertThat(net.nd.state(net.ifp, In6.embed(In6.LINKLOCAL_HI, net.ifp.index()), 1))
                .isEqualTo(Nd6State.STALE);
            net.advance(99_999 * MS);
            assertThat(way(net, FAR)).isEqualTo(ONE);
            net.advance(MS);
            assertThat(way(net, FAR)).isEqualTo("none");
            assertThat(net.nd.routers()).isEmpty();
        }
    }

    @Test
    @Tag("RFC4861-6.3.4")
    void lifetimeZero_endsItAtOnce_andAnotherTakesOver() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(1800).mac(PEER_MAC).by(net, ONE);
            Ra.router(1800).mac(PEER_MAC).by(net, TWO);
            assertThat(way(net, FAR)).isEqualTo(ONE);
            Ra.router(0).by(net, ONE);
            assertThat(way(net, FAR)).isEqualTo(TWO);
            Ra.router(0).by(net, TWO);
            assertThat(way(net, FAR)).isEqualTo("none");
        }
    }

    @Test
    @Tag("RFC4191-3.2")
    void preferred_isUsed_asLongAsItMayBeReachable() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(1800).low().mac(PEER_MAC).by(net, ONE);
            assertThat(way(net, FAR)).isEqualTo(ONE);
            Ra.router(1800).mac(PEER_MAC).by(net, TWO);
            assertThat(way(net, FAR)).as("medium before low").isEqualTo(TWO);
            Ra.router(1800).high().mac(PEER_MAC).by(net, "fe80::3");
            assertThat(way(net, FAR)).as("high before medium").isEqualTo("fe80::3");
            Ra.router(1800).low().by(net, "fe80::3");
            assertThat(way(net, FAR)).as("low now").isEqualTo(TWO);
            assertThat(net.nd.routers()).extracting(Nd6Router::preference).containsExactly(-1, 0, -1);
        }
    }

    @Test
    @Tag("RFC4861-6.3.6")
    void routerThatDoesNotAnswer_givesWayToTheNext_inTurns() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(9000).mac(PEER_MAC).by(net, ONE);
            Ra.router(9000).mac(PEER_MAC).by(net, TWO);
            asksFor(net, ONE); // stale: it is used, in five seconds it is asked, three times
            net.advance(7999 * MS);
            assertThat(way(net, FAR)).isEqualTo(ONE);
            net.advance(MS);
            assertThat(way(net, FAR)).isEqualTo(TWO);
            asksFor(net, TWO);
            net.advance(8 * SEC);
            assertThat(way(net, FAR)).as("none is reachable: the other's turn").isEqualTo(ONE);
            asksFor(net, ONE);
            net.advance(3 * SEC);
            assertThat(way(net, FAR)).isEqualTo(TWO);
            net.hear(ONE, Nd6Net.ALL_NODES, Packets6.RA, Ra.router(9000).mac(PEER_MAC).body());
            assertThat(way(net, FAR)).as("it is there again").isEqualTo(ONE);
        }
    }

    @Test
    @Tag("RFC4861-7.2.5")
    void neighbourThatIsNoRouterAnyMore_isNotUsed() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(9000).mac(PEER_MAC).by(net, ONE);
            final byte[] na = Packets6.nbr(0xa0, ONE, Packets6.six(2, PEER_MAC));
            net.hear(ONE, Nd6Net.ALL_NODES, Packets6.NA, na);
            assertThat(way(net, FAR)).isEqualTo(ONE);
            net.hear(ONE, Nd6Net.ALL_NODES, Packets6.NA, Packets6.nbr(0x20, ONE, Packets6.six(2, PEER_MAC)));
            assertThat(way(net, FAR)).isEqualTo("none");
        }
    }

    @Test
    void routeByHand_staysUntilItIsDeleted() throws Exception {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            net.add("2001:db8::1/64");
            net.config.addRoute("::/0", "2001:db8::99", null);
            Ra.router(9000).mac(PEER_MAC).by(net, ONE);
            assertThat(way(net, FAR)).isEqualTo("2001:db8::99");
            net.config.deleteRoute("::/0");
            Ra.router(9000).by(net, ONE);
            assertThat(way(net, FAR)).isEqualTo(ONE);
        }
    }

    @Test
    void noRadr_takesPrefixesButNoDefaultRoute() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1", "net.inet6.ip6.no_radr", "1")) {
            Ra.router(9000).mac(PEER_MAC).prefix("2001:db8::", 64, 0xc0, 3600, 1800).by(net, ONE);
            assertThat(way(net, FAR)).isEqualTo("none");
            assertThat(way(net, "2001:db8::5")).isEqualTo("link");
            net.nd.setFlags(net.ifp, 0, Nd6Ifinfo.ND6_IFF_NO_RADR);
            Ra.router(9000).by(net, ONE);
            assertThat(way(net, FAR)).isEqualTo(ONE);
        }
    }

    @Test
    void limits_ofRoutersAndPrefixes() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            for (int i = 1; i <= 20; i++) {
                Ra.router(9000).mac(PEER_MAC).prefix("2001:db8:" + i + "::", 64, 0xc0, 3600, 1800)
                    .route("2001:db8:1" + i + "::", 48, 0, 600).by(net, "fe80::" + i);
            }
            assertThat(net.nd.routers().stream().filter(r -> r.prefixLen() == 0)).hasSize(16);
            assertThat(net.nd.routers().stream().filter(r -> r.prefixLen() != 0)).hasSize(16);
            assertThat(net.nd.prefixes()).hasSize(16);
            assertThat(net.globals()).hasSize(16);
            assertThat(net.stat("nd6.ra.overflow")).isEqualTo(16);
        }
    }

    // Routes, prefixes, parameters.

    @Test
    @Tag("RFC4191-2.3")
    void routeInformation_isARouteForItsLifetime_byPreference() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(9000).mac(PEER_MAC).by(net, ONE);
            Ra.router(0).mac(PEER_MAC).route("2001:db8:ffff::", 48, 0, 60).by(net, TWO);
            assertThat(way(net, FAR)).isEqualTo(TWO);
            assertThat(way(net, "2001:db8:eeee::1")).isEqualTo(ONE);
            Ra.router(9000).route("2001:db8:ffff::", 48, 8, 30).by(net, ONE);
            assertThat(way(net, FAR)).as("high").isEqualTo(ONE);
            net.advance(30 * SEC);
            assertThat(way(net, FAR)).isEqualTo(TWO);
            net.advance(30 * SEC);
            assertThat(way(net, FAR)).as("the default router").isEqualTo(ONE);
            Ra.router(9000).route("2001:db8:ffff::", 48, 0x10, 60).by(net, TWO);
            assertThat(net.nd.routers()).as("reserved preference").noneMatch(r -> r.prefixLen() == 48);
            Ra.router(0).route("::", 0, 8, 50).by(net, TWO);
            assertThat(way(net, FAR)).as("a route to :: overrides the lifetime").isEqualTo(TWO);
        }
    }

    @Test
    @Tag("RFC4861-6.3.4")
    void prefixOnTheLink_isReachedDirectly_whileValid() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(9000).mac(PEER_MAC).prefix("2001:db8:1::", 64, 0x80, 50, 20)
                .prefix("2001:db8:2::", 64, 0, 50, 20).prefix("fe80::", 64, 0x80, 50, 20).by(net, ONE);
            assertThat(way(net, "2001:db8:1::9")).isEqualTo("link");
            assertThat(way(net, "2001:db8:2::9")).as("not said to be on the link").isEqualTo(ONE);
            assertThat(net.nd.prefixes()).hasSize(1);
            assertThat(net.globals()).isEmpty();
            net.advance(49_999 * MS);
            assertThat(way(net, "2001:db8:1::9")).isEqualTo("link");
            net.advance(MS);
            assertThat(way(net, "2001:db8:1::9")).isEqualTo(ONE);
            Ra.router(9000).prefix("2001:db8:1::", 64, 0x80, -1, -1).by(net, ONE);
            net.advance(8000 * SEC);
            assertThat(way(net, "2001:db8:1::9")).isEqualTo("link");
            Ra.router(9000).prefix("2001:db8:1::", 64, 0x80, 0, 0).by(net, ONE);
            assertThat(way(net, "2001:db8:1::9")).as("valid for no longer").isEqualTo(ONE);
        }
    }

    @Test
    void prefixOfAnAddressByHand_routeSurvivesTheAddress() throws Exception {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            net.add("2001:db8:1::1/64");
            Ra.router(9000).prefix("2001:db8:1::", 64, 0x80, 50, 20).by(net, ONE);
            net.config.removeAddress(net.ifp, "2001:db8:1::1");
            assertThat(way(net, "2001:db8:1::9")).isEqualTo("link");
            net.advance(50 * SEC);
            assertThat(way(net, "2001:db8:1::9")).isEqualTo(ONE);
        }
    }

    @Test
    @Tag("RFC4861-6.3.2")
    void parameters_areTheLinks() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(9000).mac(PEER_MAC).hops(200).times(5000, 250).mtu(1400).prefix("2001:db8:1::", 64, 0x80, 50, 20)
                .by(net, ONE);
            final Nd6Ifinfo info = net.nd.info(net.ifp);
            assertThat(info.chlim()).isEqualTo(200);
            assertThat(info.baseReachableMs()).isEqualTo(5000);
            assertThat(info.retransMs()).isEqualTo(250);
            final SockAddr a = SockAddr.of("2001:db8:1::9", 0);
            assertThat(net.config.inet().fib(0).lookup6(a.hi(), a.lo()).mtu()).isEqualTo(1400);
            Ra.router(9000).hops(9).times(0, 0).mtu(1279).by(net, ONE);
            Ra.router(9000).times(3_600_001, 0).mtu(1501).by(net, ONE);
            assertThat(info.chlim()).as("not lowered").isEqualTo(200);
            assertThat(info.baseReachableMs()).isEqualTo(5000);
            assertThat(info.linkMtu()).isEqualTo(1400);
            assertThat(net.config.inet().fib(0).lookup6(a.hi(), a.lo()).mtu()).isEqualTo(1400);
            net.wire.sent.clear();
            asksFor(net, "fe80::77");
            net.advance(749 * MS);
            assertThat(net.targets(Packets6.NS)).hasSize(3);
            assertThat(net.stat("nd6.timeouts")).isZero();
            net.advance(MS);
            assertThat(net.stat("nd6.timeouts")).as("a retransmission every 250 ms").isEqualTo(1);
        }
    }

    @Test
    @Tag("RFC8106-5.3")
    void dns_listenersHearOfEachChange() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            final byte[] names = Packets6.octets(7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'o', 'r', 'g', 0, 1, 'x', 0);
            Ra.router(9000).rdnss(100, "2001:db8::53", "fe80::53")
                .option(Packets6.octets(31, 3, 0, 0), Packets6.word(50), names).by(net, ONE);
            assertThat(net.heard.getLast()).isEqualTo("dns [2001:db8::53, fe80::53%1] [example.org, x]");
            final int heard = net.heard.size();
            Ra.router(9000).rdnss(100, "2001:db8::53", "fe80::53").by(net, ONE);
            assertThat(net.heard).as("nothing new").hasSize(heard);
            net.advance(50 * SEC);
            assertThat(net.heard.getLast()).isEqualTo("dns [2001:db8::53, fe80::53%1] []");
            Ra.router(9000).rdnss(0, "2001:db8::53").by(net, ONE);
            assertThat(net.nd.dnsServers(net.ifp)).containsExactly("fe80::53%1");
            net.advance(50 * SEC);
            assertThat(net.heard.getLast()).isEqualTo("dns [] []");
        }
    }

    @Test
    @Tag("RFC4861-6.1.2")
    void malformed_areDropped() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            final long mac = 0x333300000001L;
            final byte[] ra = Ra.router(1800).body();
            final long bad = net.stat("nd6.bad");
            Ra.router(1800).by(net, "2001:db8::1");
            net.receive(Packets6.frame(mac, PEER_MAC, ONE, "ff02::1", new int[] {64, Packets6.RA, 0}, ra));
            net.receive(Packets6.frame(mac, PEER_MAC, ONE, "ff02::1", new int[] {255, Packets6.RA, 1}, ra));
            net.hear(ONE, Nd6Net.ALL_NODES, Packets6.RA, new byte[8]);
            Ra.router(1800).option(new byte[8]).by(net, ONE);
            Ra.router(1800).option(Packets6.octets(3, 9, 64, 0xc0, 0, 0, 0, 0)).by(net, ONE);
            Ra.router(1800).mac(0x333300000001L).by(net, ONE);
            assertThat(net.stat("nd6.bad") - bad).isEqualTo(7);
            assertThat(net.nd.routers()).isEmpty();
        }
    }

    @Test
    void goesDownAndUp_allIsForgotten_andAskedForAgain() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(9000).mac(PEER_MAC).prefix("2001:db8:1::", 64, 0xc0, 50, 20).rdnss(60, FAR).by(net, ONE);
            net.ifp.down();
            assertThat(net.nd.routers()).isEmpty();
            assertThat(net.nd.prefixes()).isEmpty();
            assertThat(net.nd.dnsServers(net.ifp)).isEmpty();
            assertThat(way(net, FAR)).isEqualTo("none");
            net.wire.sent.clear();
            net.ifp.up();
            net.advance(SEC);
            assertThat(net.next(Packets6.RS)).isNotNull();
        }
    }

    @Test
    void flagsByHand_areChecked() {
        try (Nd6Net net = Nd6Net.settled()) {
            assertThat(net.nd.setFlags(net.ifp, 0x10000, 0)).isEqualTo(Errno.EINVAL);
            final Ifnet gone = Ifnet.alloc(net.vnet, Ifnet.IFT_ETHER, "none", 0, null);
            assertThat(net.nd.setFlags(gone, 0, 0)).isEqualTo(Errno.ENXIO);
        }
    }

    @Test
    void retransTimerOfDays_isNotTaken_addressesAreStillChecked() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(1800).times(0, Integer.MAX_VALUE).to(net);
            net.add("2001:db8:1::7/64");
            net.advance(3 * SEC);
            assertThat(net.ia("2001:db8:1::7").ready()).isTrue();
            assertThat(net.nd.info(net.ifp).retransMs()).isEqualTo(1000);
        }
    }

    @Test
    void interfaceDown_whatRoutersSaidOfTheLink_isForgotten() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            net.add("2001:db8:1::7/64");
            Ra.router(9000).hops(200).times(5000, 3_000_000).mtu(1400).prefix("2001:db8:2::", 64, 0x80, 50, 20).to(net);
            final SockAddr a = SockAddr.of("2001:db8:1::9", 0);
            assertThat(net.config.inet().fib(0).lookup6(a.hi(), a.lo()).mtu()).isEqualTo(1400);
            net.ifp.down();
            net.ifp.up();
            final Nd6Ifinfo info = net.nd.info(net.ifp);
            assertThat(info.linkMtu()).isZero();
            assertThat(info.chlim()).isEqualTo(64);
            assertThat(info.baseReachableMs()).isZero();
            assertThat(info.retransMs()).isEqualTo(1000);
            assertThat(net.config.inet().fib(0).lookup6(a.hi(), a.lo()).mtu()).isEqualTo(1500);
            net.advance(3 * SEC);
            assertThat(net.ia("2001:db8:1::7").ready()).isTrue();
        }
    }
}
