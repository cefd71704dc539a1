package io.gatun.netinet.nd6;

import static io.gatun.netinet.nd6.Nd6Net.ALL_NODES;
import static io.gatun.netinet.nd6.Nd6Net.MS;
import static io.gatun.netinet.nd6.Nd6Net.PEER_MAC;
import static io.gatun.netinet.nd6.Nd6Net.SEC;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.spi.socket.SockAddr;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class Nd6AddrsTest {
    private static final String ACCEPT = "net.inet6.ip6.accept_rtadv";
    private static final String NET = "2001:db8:1::";
    private static final long NET_HI = 0x20010db800010000L;
    private static final long HOUR = 3600;
    private static final long DAY = 24 * HOUR;
    private static final long FOREVER = 0xffff_ffffL;

    private static void advertise(final Nd6Net net, final long valid, final long preferred) {
        Ra.router(9000).mac(PEER_MAC).prefix(NET, 64, 0xc0, valid, preferred).to(net);
    }

    /** With an address made in NET that is ready. */
    private static Nd6Net configured(final long valid, final long preferred, final String... sysctls) {
        final String[] all = java.util.Arrays.copyOf(sysctls, sysctls.length + 2);
        all[all.length - 2] = ACCEPT;
        all[all.length - 1] = "1";
        final Nd6Net net = Nd6Net.settled(all);
        advertise(net, valid, preferred);
        net.advance(3 * SEC);
        net.wire.sent.clear();
        net.heard.clear();
        return net;
    }

    private static List<In6Ifaddr> made(final Nd6Net net, final int with) {
        return net.inet6.addrs.all().stream().filter(i -> i.hi == NET_HI
            && (i.flags() & In6Ifaddr.IN6_IFF_TEMPORARY) == with).toList();
    }

    private static In6Ifaddr ours(final Nd6Net net) {
        return made(net, 0).getFirst();
    }

    private static List<In6Ifaddr> temporary(final Nd6Net net) {
        return made(net, In6Ifaddr.IN6_IFF_TEMPORARY);
    }

    private static long left(final Nd6Net net, final long deadline) {
        return (deadline - net.clock.nanoTime()) / SEC;
    }

    @Test
    @Tag("RFC4862-5.5.3")
    void prefix_makesAnAddress_checkedAfterADelay() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            advertise(net, 3600, 1800);
            final In6Ifaddr ia = ours(net);
            assertThat(ia.flags()).isEqualTo(In6Ifaddr.IN6_IFF_AUTOCONF | In6Ifaddr.IN6_IFF_TENTATIVE);
            assertThat(ia.lo).isEqualTo(Nd6Iid.stable(net.vnet.secret(), NET_HI, net.ifp, 0));
            assertThat(net.next(Packets6.NS)).as("not at once").isNull();
            net.advance(2 * SEC);
            assertThat(net.targets(Packets6.NS)).containsExactly(Nd6Net.text(ia));
            assertThat(ia.flags()).isEqualTo(In6Ifaddr.IN6_IFF_AUTOCONF);
            assertThat(net.heard).containsExactly("ready " + Nd6Net.text(ia));
            final SockAddr src = new SockAddr();
            final SockAddr far = SockAddr.of("2001:db8:9::9", 0);
            net.inet6.laddr.source(far.hi(), far.lo(), 0, src);
            assertThat(src.lo()).isEqualTo(ia.lo);
        }
    }

    /** Which network a packet to far away comes from. */
    private static String network(final Nd6Net net) {
        final SockAddr src = new SockAddr();
        final SockAddr far = SockAddr.of("2001:db8:2:8000::9", 0);
        net.inet6.laddr.source(far.hi(), far.lo(), 0, src);
        return SockAddr.in6(src.hi(), 0, 0).host();
    }

    @Test
    @Tag("RFC6724-5-5.5")
    void twoRouters_sourceIsOfThePrefixOfTheOneInUse() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1", "net.inet6.ip6.use_tempaddr", "1",
            "net.inet6.ip6.prefer_tempaddr", "1")) {
            final String other = "2001:db8:2::"; // has more in common with the destination
            Ra.router(9000).high().mac(PEER_MAC).prefix(NET, 64, 0xc0, HOUR, HOUR).by(net, "fe80::1");
            Ra.router(9000).mac(PEER_MAC).prefix(other, 64, 0xc0, HOUR, HOUR).by(net, "fe80::2");
            net.advance(5 * SEC);
            assertThat(network(net)).isEqualTo(NET);
            Ra.router(9000).low().mac(PEER_MAC).by(net, "fe80::1");
            assertThat(network(net)).isEqualTo(other);
            Ra.router(9000).high().mac(PEER_MAC).by(net, "fe80::1");
            assertThat(network(net)).isEqualTo(NET);
            Ra.router(9000).high().mac(PEER_MAC).prefix(other, 64, 0xc0, HOUR, HOUR).by(net, "fe80::1");
            assertThat(network(net)).as("it advertises both now").isEqualTo(other);
            Ra.router(0).by(net, "fe80::1");
            Ra.router(9000).high().mac(PEER_MAC).prefix(NET, 64, 0xc0, HOUR, HOUR).by(net, "fe80::1");
            assertThat(network(net)).as("it came back with one").isEqualTo(NET);
            Ra.router(9000).high().mac(PEER_MAC).prefix(NET, 64, 0xc0, 0, 0).by(net, "fe80::1");
            assertThat(network(net)).as("deprecated").isEqualTo(other);
        }
    }

    @Test
    void eui64_whenStableIsOff() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1", "net.inet6.ip6.use_stableaddr", "0")) {
            advertise(net, 3600, 1800);
            assertThat(net.globals()).containsExactly("2001:db8:1::ff:fe00:0");
        }
    }

    @Test
    @Tag("RFC4862-5.5.3")
    void prefixesThatAreNotForAddresses_makeNone() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            Ra.router(9000).prefix(NET, 64, 0x80, 3600, 1800).prefix("2001:db8:2::", 64, 0x40, 1800, 3600)
                .prefix("2001:db8:3::", 48, 0x40, 3600, 1800).prefix("2001:db8:4::", 64, 0x40, 0, 0)
                .prefix("fe80::", 64, 0x40, 3600, 1800).prefix("ff05::", 64, 0x40, 3600, 1800).to(net);
            assertThat(net.globals()).isEmpty();
        }
    }

    @Test
    @Tag("RFC4862-5.5.4")
    void lifetimesEnd_deprecatedThenGone_toTheMillisecond() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            advertise(net, 100, 40);
            final In6Ifaddr ia = ours(net);
            net.advance(39_999 * MS);
            assertThat(ia.has(In6Ifaddr.IN6_IFF_DEPRECATED)).isFalse();
            net.advance(MS);
            assertThat(ia.has(In6Ifaddr.IN6_IFF_DEPRECATED)).isTrue();
            assertThat(ia.ready()).isTrue();
            net.advance(59_999 * MS);
            assertThat(net.globals()).hasSize(1);
            net.advance(MS);
            assertThat(net.globals()).isEmpty();
            assertThat(net.ifp.addrs()).as("that of link scope alone").hasSize(1);
            assertThat(net.heard).contains("expired " + Nd6Net.text(ia));
        }
    }

    @Test
    @Tag("RFC4862-5.5.3-e")
    void newLifetimes_twoHourRule() {
        try (Nd6Net net = configured(DAY, HOUR)) {
            final In6Ifaddr ia = ours(net);
            advertise(net, 3 * HOUR, 60);
            assertThat(left(net, ia.validNs())).as("more than two hours: taken").isEqualTo(3 * HOUR);
            assertThat(left(net, ia.preferredNs())).isEqualTo(60);
            advertise(net, 60, 30);
            assertThat(left(net, ia.validNs())).as("cut to two hours").isEqualTo(2 * HOUR);
            assertThat(left(net, ia.preferredNs())).as("always taken").isEqualTo(30);
            net.advance(HOUR * SEC);
            advertise(net, 60, 0);
            assertThat(left(net, ia.validNs())).as("less than two hours left: ignored").isEqualTo(HOUR);
            assertThat(ia.has(In6Ifaddr.IN6_IFF_DEPRECATED)).isTrue();
            advertise(net, HOUR + 60, 60);
            assertThat(left(net, ia.validNs())).as("more than is left: taken").isEqualTo(HOUR + 60);
            assertThat(ia.has(In6Ifaddr.IN6_IFF_DEPRECATED)).as("preferred again").isFalse();
            advertise(net, FOREVER, FOREVER);
            assertThat(ia.validNs()).isEqualTo(In6Ifaddr.INFINITE);
            assertThat(ia.preferredNs()).isEqualTo(In6Ifaddr.INFINITE);
            assertThat(made(net, 0)).hasSize(1);
        }
    }

    @Test
    @Tag("RFC7217-6")
    void duplicate_anotherIsTried_withTheSameLifetimes() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1")) {
            advertise(net, 3600, 1800);
            final In6Ifaddr first = ours(net);
            net.advanceTo(net.vnet.nextDeadlineNs());
            final String a = Nd6Net.text(first);
            net.hear(a, ALL_NODES, Packets6.NA, Packets6.nbr(0x20, a, Packets6.six(2, PEER_MAC)));
            final In6Ifaddr second = ours(net);
            assertThat(second.lo).isEqualTo(Nd6Iid.stable(net.vnet.secret(), NET_HI, net.ifp, 1));
            assertThat(second.validNs()).isEqualTo(first.validNs());
            net.advance(3 * SEC);
            assertThat(second.flags()).isEqualTo(In6Ifaddr.IN6_IFF_AUTOCONF);
            assertThat(net.heard).containsExactly("duplicate " + a + " of 02:00:00:00:00:a0",
                "ready " + Nd6Net.text(second));
        }
    }

    // Temporary addresses.

    @Test
    @Tag("RFC8981-3.4")
    void temporary_besideTheStable_shorterLived() {
        try (Nd6Net net = configured(30 * DAY, 20 * DAY, "net.inet6.ip6.use_tempaddr", "1")) {
            assertThat(temporary(net)).hasSize(1);
            final In6Ifaddr t = temporary(net).getFirst();
            assertThat(t.flags()).isEqualTo(In6Ifaddr.IN6_IFF_AUTOCONF | In6Ifaddr.IN6_IFF_TEMPORARY);
            assertThat(left(net, t.validNs()) + 3).isBetween(2 * DAY - 1, 2 * DAY);
            assertThat(left(net, t.preferredNs()) + 3).isBetween(DAY * 6 / 10, DAY);
            advertise(net, 30 * DAY, 20 * DAY);
            assertThat(temporary(net)).as("no second one").hasSize(1);
            assertThat(left(net, t.validNs())).as("not beyond its own").isLessThanOrEqualTo(2 * DAY);
        }
    }

    @Test
    @Tag("RFC8981-3.6")
    void temporary_isSucceededInTime_thenDeprecated_thenGone() {
        try (Nd6Net net = configured(FOREVER, FOREVER, "net.inet6.ip6.use_tempaddr", "1")) {
            final In6Ifaddr first = temporary(net).getFirst();
            final long succession = first.preferredNs() - 5 * SEC; // 2 s and three checks of a second each
            net.advanceTo(succession - MS);
            assertThat(temporary(net)).hasSize(1);
            net.advanceTo(succession);
            assertThat(temporary(net)).hasSize(2);
            final In6Ifaddr second = temporary(net).getLast();
            assertThat(second.lo).isNotEqualTo(first.lo);
            net.advanceTo(first.preferredNs() - MS);
            assertThat(second.ready()).as("ready before it is needed").isTrue();
            assertThat(first.has(In6Ifaddr.IN6_IFF_DEPRECATED)).isFalse();
            net.advanceTo(first.preferredNs());
            assertThat(first.has(In6Ifaddr.IN6_IFF_DEPRECATED)).isTrue();
            net.advanceTo(first.validNs());
            assertThat(temporary(net)).doesNotContain(first).isNotEmpty();
            net.advance(30 * DAY * SEC);
            assertThat(temporary(net).size()).as("old ones go as new ones come").isBetween(2, 4);
            assertThat(temporary(net).stream().filter(i -> !i.has(In6Ifaddr.IN6_IFF_DEPRECATED)).count())
                .isBetween(1L, 2L);
        }
    }

    @Test
    @Tag("RFC8981-3.4")
    void temporaryDuplicate_threeMoreAreTried() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1", "net.inet6.ip6.use_tempaddr", "1",
                "net.inet6.ip6.stableaddr_maxretries", "0")) {
            advertise(net, 30 * DAY, 20 * DAY);
            int tries = 0;
            while (!temporary(net).isEmpty() && !temporary(net).getFirst().has(In6Ifaddr.IN6_IFF_DUPLICATED)) {
                final In6Ifaddr t = temporary(net).getFirst();
                final String a = Nd6Net.text(t);
                net.hear(a, ALL_NODES, Packets6.NA, Packets6.nbr(0x20, a, Packets6.six(2, PEER_MAC)));
                tries++;
            }
            assertThat(tries).isEqualTo(4);
        }
    }

    @Test
    @Tag("RFC8981-3.4")
    void temporary_tooShortLived_isNotMade() {
        try (Nd6Net net = configured(60, 5, "net.inet6.ip6.use_tempaddr", "1")) {
            assertThat(made(net, 0)).hasSize(1);
            assertThat(temporary(net)).isEmpty();
        }
    }

    @Test
    void interfaceGoes_nothingIsLeft() {
        final Nd6Net net = configured(FOREVER, FOREVER, "net.inet6.ip6.use_tempaddr", "1");
        net.close();
        assertThat(net.inet6.addrs.all()).isEmpty();
        assertThat(net.config.inet().fib(0).routes()).isEmpty();
    }

    @Test
    void manyPrefixesInOneAdvertisement_noMoreAddressesThanPrefixes() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1", "net.inet6.ip6.use_tempaddr", "1")) {
            final Ra ra = Ra.router(9000).mac(PEER_MAC);
            for (int i = 0; i < 40; i++) {
                ra.prefix("2001:db8:" + Integer.toHexString(i) + "::", 64, 0x40, DAY, DAY);
            }
            ra.to(net);
            net.advance(3 * SEC);
            assertThat(net.inet6.addrs.all().stream().filter(i -> i.has(In6Ifaddr.IN6_IFF_AUTOCONF)
                && !i.has(In6Ifaddr.IN6_IFF_TEMPORARY))).hasSize(16);
            assertThat(net.inet6.addrs.all().stream().filter(i -> i.has(In6Ifaddr.IN6_IFF_TEMPORARY))).hasSize(16);
        }
    }

    @Test
    void onePrefixTwiceInAnAdvertisement_oneAddressOfAKind() {
        try (Nd6Net net = Nd6Net.settled(ACCEPT, "1", "net.inet6.ip6.use_tempaddr", "1")) {
            Ra.router(9000).mac(PEER_MAC).prefix(NET, 64, 0x40, DAY, DAY).prefix(NET, 64, 0x40, DAY, DAY).to(net);
            net.advance(3 * SEC);
            assertThat(made(net, 0)).hasSize(1);
            assertThat(temporary(net)).hasSize(1);
        }
    }
}
