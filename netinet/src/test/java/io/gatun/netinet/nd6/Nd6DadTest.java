package io.gatun.netinet.nd6;

import static io.gatun.netinet.nd6.Nd6Net.ALL_NODES;
import static io.gatun.netinet.nd6.Nd6Net.MS;
import static io.gatun.netinet.nd6.Nd6Net.PEER;
import static io.gatun.netinet.nd6.Nd6Net.PEER_MAC;
import static io.gatun.netinet.nd6.Nd6Net.SEC;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.Packets6;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class Nd6DadTest {
    private static final String OURS = "2001:db8::1";
    private static final String GROUP = "ff02::1:ff00:1";

    private static void probe(final Nd6Net net, final byte[]... options) {
        net.hear("::", GROUP, Packets6.NS, Packets6.nbr(0, OURS, options));
    }

    private static void claim(final Nd6Net net) {
        net.hear(OURS, ALL_NODES, Packets6.NA, Packets6.nbr(0x20, OURS, Packets6.six(2, PEER_MAC)));
    }

    @Test
    @Tag("RFC4862-5.4.2")
    @Tag("RFC4291-2.8")
    void newAddress_oneProbeToItsGroup_readyAfterRetransmissionTime_toTheMillisecond() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            final byte[] f = net.next(Packets6.NS);
            assertThat(Packets.mac(f, 0)).isEqualTo(0x3333ff000001L);
            assertThat(Packets6.addr(f, 14 + 8)).isEqualTo("::");
            assertThat(Packets6.addr(f, 14 + 24)).isEqualTo(GROUP);
            assertThat(Packets.u8(f, 14 + 7)).as("hop limit").isEqualTo(255);
            assertThat(Packets6.addr(f, Packets6.ICMP + 8)).isEqualTo(OURS);
            assertThat(Packets.u8(f, Packets6.NBR_OPTIONS)).as("a nonce and no link address").isEqualTo(14);
            assertThat(f).hasSize(Packets6.NBR_OPTIONS + 8);
            net.advance(999 * MS);
            assertThat(net.ia(OURS).flags()).isEqualTo(In6Ifaddr.IN6_IFF_TENTATIVE);
            assertThat(net.heard).isEmpty();
            net.advance(MS);
            assertThat(net.ia(OURS).flags()).isZero();
            assertThat(net.heard).containsExactly("ready " + OURS);
            assertThat(net.targets(Packets6.NS)).isEmpty();
            assertThat(net.stat("nd6.dad.success")).isEqualTo(2);
        }
    }

    @Test
    @Tag("RFC4862-5.1")
    void dadCount_setsTheNumberOfProbes() {
        try (Nd6Net net = Nd6Net.settled("net.inet6.ip6.dad_count", "3")) {
            net.advance(3 * SEC);
            net.wire.sent.clear();
            net.add(OURS + "/64");
            net.advance(2999 * MS);
            assertThat(net.targets(Packets6.NS)).containsExactly(OURS, OURS, OURS);
            assertThat(net.ia(OURS).ready()).isFalse();
            net.advance(MS);
            assertThat(net.ia(OURS).ready()).isTrue();
        }
        try (Nd6Net net = Nd6Net.settled("net.inet6.ip6.dad_count", "0")) {
            net.add(OURS + "/64");
            assertThat(net.ia(OURS).ready()).isTrue();
            net.advance(10 * SEC);
            assertThat(net.targets(Packets6.NS)).isEmpty();
        }
    }

    /** Goes on from timer to timer until an address is probed. */
    private static List<String> nextProbe(final Nd6Net net) {
        List<String> probed = net.targets(Packets6.NS);
        while (probed.isEmpty() && net.vnet.nextDeadlineNs() != Long.MAX_VALUE) {
            net.advanceTo(net.vnet.nextDeadlineNs());
            probed = net.targets(Packets6.NS);
        }
        return probed;
    }

    @Test
    @Tag("RFC4862-5.4")
    void tentative_isNeitherSourceNorBoundNorAnswered_packetsToItAreDropped() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            net.wire.sent.clear();
            final SockAddr dst = SockAddr.of("2001:db8::2", 1);
            assertThat(net.inet6.laddr.source(dst.hi(), dst.lo(), 0, new SockAddr())).isEqualTo(Errno.EADDRNOTAVAIL);
            assertThat(net.inet6.laddr.local(SockAddr.of(OURS, 0))).isFalse();
            net.hear(PEER, GROUP, Packets6.NS, Packets6.nbr(0, OURS, Packets6.six(1, PEER_MAC)));
            net.hear(PEER, OURS, 128, new byte[8]);
            assertThat(net.wire.sent).isEmpty();
            assertThat(net.stat("ip6.notready")).isEqualTo(1);
            net.advance(SEC);
            net.hear(PEER, GROUP, Packets6.NS, Packets6.nbr(0, OURS, Packets6.six(1, PEER_MAC)));
            assertThat(net.targets(Packets6.NA)).containsExactly(OURS);
            assertThat(net.inet6.laddr.source(dst.hi(), dst.lo(), 0, new SockAddr())).isEqualTo(Errno.OK);
            assertThat(net.inet6.laddr.local(SockAddr.of(OURS, 0))).isTrue();
        }
    }

    @Test
    @Tag("RFC4862-5.4.4")
    void advertisementOfTentative_isDuplicate_reportedAndNeverUsed() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            net.advance(500 * MS);
            claim(net);
            assertThat(net.ia(OURS).flags()).isEqualTo(In6Ifaddr.IN6_IFF_DUPLICATED);
            assertThat(net.heard).containsExactly("duplicate " + OURS + " of 02:00:00:00:00:a0");
            assertThat(net.stat("nd6.dupips")).isEqualTo(1);
            net.advance(5 * SEC);
            assertThat(net.ia(OURS).ready()).isFalse();
            probe(net);
            claim(net);
            net.wire.sent.removeIf(f -> Packets6.type(f) != Packets6.NA);
            assertThat(net.wire.sent).isEmpty();
            assertThat(net.stat("nd6.dupips")).isEqualTo(1);
        }
    }

    @Test
    @Tag("RFC4862-5.4.3")
    void probeByAnother_whileTentative_isDuplicate() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            probe(net, Packets6.six(14, 0x123456));
            assertThat(net.ia(OURS).flags()).isEqualTo(In6Ifaddr.IN6_IFF_DUPLICATED);
            assertThat(net.heard).containsExactly("duplicate " + OURS + " of 00:00:00:00:00:00");
        }
    }

    @Test
    @Tag("RFC4862-5.4.3")
    void probeByAnother_whenReady_isAnsweredToAll() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            net.advance(SEC);
            net.wire.sent.clear();
            probe(net, Packets6.six(14, 0x123456));
            final byte[] f = net.next(Packets6.NA);
            assertThat(Packets6.addr(f, 14 + 24)).isEqualTo(ALL_NODES);
            assertThat(Packets.u8(f, Packets6.ICMP + 4)).as("override").isEqualTo(0x20);
            assertThat(net.ia(OURS).ready()).isTrue();
            assertThat(net.heard).containsExactly("ready " + OURS, "defended " + OURS);
        }
    }

    @Test
    @Tag("RFC7527-4.2")
    void ownProbeComesBack_isNoDuplicate_threeMoreAreSent() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            final byte[] f = net.next(Packets6.NS);
            net.receive(f);
            assertThat(net.ia(OURS).flags()).isEqualTo(In6Ifaddr.IN6_IFF_TENTATIVE);
            assertThat(net.stat("nd6.dad.loopback")).isEqualTo(1);
            net.advance(3999 * MS);
            assertThat(net.targets(Packets6.NS)).containsExactly(OURS, OURS, OURS);
            assertThat(net.ia(OURS).ready()).isFalse();
            net.advance(MS);
            assertThat(net.ia(OURS).ready()).isTrue();
        }
    }

    @Test
    @Tag("RFC7527-4.1")
    void linkThatReturnsEverything_endsAfterFifteenProbes() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            int sent = 0;
            while (!net.ia(OURS).ready()) {
                for (byte[] f = net.next(Packets6.NS); f != null; f = net.next(Packets6.NS)) {
                    sent++;
                    net.receive(f);
                }
                net.advance(SEC);
            }
            assertThat(sent).isEqualTo(15);
            assertThat(net.stat("nd6.dad.loopback")).isEqualTo(15);
        }
    }

    @Test
    void notEnhanced_ownProbeComesBack_isDuplicate() {
        try (Nd6Net net = Nd6Net.settled("net.inet6.ip6.dad_enhanced", "0")) {
            net.add(OURS + "/64");
            final byte[] f = net.next(Packets6.NS);
            assertThat(f).hasSize(Packets6.NBR_OPTIONS);
            net.receive(f);
            assertThat(net.ia(OURS).flags()).isEqualTo(In6Ifaddr.IN6_IFF_DUPLICATED);
        }
    }

    @Test
    @Tag("RFC4862-5.3")
    void comesUp_linkLocalIsMade_probedAfterARandomDelay() {
        try (Nd6Net net = new Nd6Net("net.inet6.ip6.use_stableaddr", "0")) {
            assertThat(net.linkLocal()).isNull();
            final long began = net.clock.nanoTime();
            net.ifp.up();
            assertThat(Nd6Net.text(net.linkLocal())).isEqualTo("fe80::ff:fe00:0");
            assertThat(net.linkLocal().ready()).isFalse();
            assertThat(net.targets(Packets6.NS)).isEmpty();
            assertThat(nextProbe(net)).containsExactly("fe80::ff:fe00:0");
            final long at = net.clock.nanoTime();
            assertThat(at - began).isBetween(0L, SEC - 1);
            net.advanceTo(at + SEC - 1);
            assertThat(net.linkLocal().ready()).isFalse();
            net.advanceTo(at + SEC);
            assertThat(net.linkLocal().ready()).isTrue();
        }
    }

    @Test
    void autoLinklocalOff_noneIsMade_untilTheFirstAddressComes() {
        try (Nd6Net net = new Nd6Net("net.inet6.ip6.auto_linklocal", "0")) {
            net.ifp.up();
            assertThat(net.linkLocal()).isNull();
            net.add(OURS + "/64");
            assertThat(net.linkLocal()).isNotNull();
        }
    }

    @Test
    @Tag("RFC4862-5.4.5")
    void duplicateOfTheLinkAddress_disablesTheInterface_untilItIsEnabled() {
        try (Nd6Net net = new Nd6Net("net.inet6.ip6.use_stableaddr", "0")) {
            net.ifp.up();
            net.advanceTo(net.vnet.nextDeadlineNs());
            final String ll = Nd6Net.text(net.linkLocal());
            net.hear(ll, ALL_NODES, Packets6.NA, Packets6.nbr(0x20, ll, Packets6.six(2, PEER_MAC)));
            assertThat(net.nd.info(net.ifp).has(Nd6Ifinfo.ND6_IFF_IFDISABLED)).isTrue();
            net.add(OURS + "/64");
            net.advance(5 * SEC);
            assertThat(net.ia(OURS).ready()).isFalse();
            assertThat(net.nd.setFlags(net.ifp, 0, Nd6Ifinfo.ND6_IFF_IFDISABLED)).isEqualTo(Errno.OK);
            net.advance(3 * SEC);
            assertThat(net.ia(OURS).ready()).isTrue();
            assertThat(net.linkLocal().ready()).isTrue();
        }
    }

    @Test
    @Tag("RFC7217-6")
    void duplicateOfStableAddress_othersAreTried_threeTimes() {
        try (Nd6Net net = new Nd6Net()) {
            net.ifp.up();
            String last = "";
            for (int i = 0; i < 4; i++) {
                assertThat(nextProbe(net)).hasSize(1);
                final String ll = Nd6Net.text(net.linkLocal());
                assertThat(ll).isNotEqualTo(last);
                net.hear(ll, ALL_NODES, Packets6.NA, Packets6.nbr(0x20, ll, Packets6.six(2, PEER_MAC)));
                last = ll;
            }
            assertThat(net.linkLocal().has(In6Ifaddr.IN6_IFF_DUPLICATED)).isTrue();
            assertThat(net.nd.info(net.ifp).has(Nd6Ifinfo.ND6_IFF_IFDISABLED)).isFalse();
            assertThat(net.heard).hasSize(4).allMatch(s -> s.startsWith("duplicate fe80:"));
            assertThat(nextProbe(net)).isEmpty();
        }
    }

    @Test
    void goesDownWhileTentative_checkedAgainWhenUp() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            net.ifp.down();
            net.advance(10 * SEC);
            assertThat(net.ia(OURS).ready()).isFalse();
            net.wire.sent.clear();
            net.ifp.up();
            net.advance(2 * SEC);
            assertThat(net.targets(Packets6.NS)).containsExactlyInAnyOrder(OURS, Nd6Net.text(net.linkLocal()));
            assertThat(net.ia(OURS).ready()).isTrue();
        }
    }

    @Test
    void removedWhileTentative_nothingHappens() throws Exception {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            net.config.removeAddress(net.ifp, OURS);
            net.advance(10 * SEC);
            assertThat(net.heard).isEmpty();
            assertThat(net.vnet.nextDeadlineNs()).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Test
    void readyAddress_claimedByAnother_isReportedAndStays() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            net.advance(SEC);
            claim(net);
            assertThat(net.heard).containsExactly("ready " + OURS, "in use " + OURS + " of 02:00:00:00:00:a0");
            assertThat(net.ia(OURS).ready()).isTrue();
            final byte[] own = Packets6.nbr(0x20, OURS, Packets6.six(2, net.mac()));
            net.hear(OURS, ALL_NODES, Packets6.NA, own);
            assertThat(net.stat("nd6.dupips")).as("our own words").isEqualTo(1);
        }
    }

    @Test
    @Tag("RFC4861-7.1.1")
    void malformedProbes_areDropped() {
        try (Nd6Net net = Nd6Net.settled()) {
            net.add(OURS + "/64");
            final byte[] body = Packets6.nbr(0, OURS);
            final long group = 0x3333ff000001L;
            final long bad = net.stat("nd6.bad");
            net.receive(Packets6.frame(group, PEER_MAC, "::", GROUP, new int[] {254, Packets6.NS, 0}, body));
            net.receive(Packets6.frame(group, PEER_MAC, "::", GROUP, new int[] {255, Packets6.NS, 1}, body));
            net.receive(Packets6.frame(group, PEER_MAC, "::", GROUP, Packets6.NS, new byte[16]));
            probe(net, Packets6.six(1, PEER_MAC));
            probe(net, new byte[8]);
            probe(net, Packets6.octets(14, 2, 0, 0, 0, 0, 0, 0));
            net.hear("::", ALL_NODES, Packets6.NS, body);
            net.hear("::", GROUP, Packets6.NS, Packets6.nbr(0, "ff02::1:ff00:1"));
            assertThat(net.stat("nd6.bad") - bad).isEqualTo(8);
            assertThat(net.ia(OURS).flags()).isEqualTo(In6Ifaddr.IN6_IFF_TENTATIVE);
            assertThat(In6.isLinkLocal(net.linkLocal().hi)).isTrue();
        }
    }

    @Test
    @Tag("RFC7217-5")
    void identifiers_stableDifferByNetworkInterfaceSecretAndCounter() {
        try (Nd6Net net = new Nd6Net()) {
            final byte[] secret = new byte[16];
            final long one = Nd6Iid.stable(secret, 1, net.ifp, 0);
            assertThat(Nd6Iid.stable(secret, 1, net.ifp, 0)).isEqualTo(one);
            assertThat(Nd6Iid.stable(secret, 2, net.ifp, 0)).isNotEqualTo(one);
            assertThat(Nd6Iid.stable(secret, 1, net.ifp, 1)).isNotEqualTo(one);
            assertThat(Nd6Iid.stable(new byte[] {1}, 1, net.ifp, 0)).isNotEqualTo(one);
            net.ifp.setLladdr(new byte[] {2, 0, 0, 0, 0, 9});
            assertThat(Nd6Iid.stable(secret, 1, net.ifp, 0)).isNotEqualTo(one);
            assertThat(Nd6Iid.reserved(0x0200_5eff_fe00_5212L)).isTrue();
            assertThat(Nd6Iid.reserved(0xfdff_ffff_ffff_ff80L)).isTrue();
            assertThat(Nd6Iid.reserved(0xfdff_ffff_ffff_ff7fL)).isFalse();
        }
    }
}
