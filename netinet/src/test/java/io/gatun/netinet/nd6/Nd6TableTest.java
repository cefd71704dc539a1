package io.gatun.netinet.nd6;

import static io.gatun.netinet.nd6.Nd6Net.MS;
import static io.gatun.netinet.nd6.Nd6Net.PEER_MAC;
import static io.gatun.netinet.nd6.Nd6Net.SEC;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.Packets6;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class Nd6TableTest {
    private static final long HI = 0x20010db800010000L;
    private static final String OURS = "2001:db8:1::1";
    private static final int FAKES = 10_000;

    private static Nd6Net host(final String... sysctls) {
        final Nd6Net net = Nd6Net.settled(sysctls);
        net.add(OURS + "/64");
        net.advance(SEC);
        net.wire.sent.clear();
        return net;
    }

    private static String name(final int n) {
        return "2001:db8:1::" + Integer.toHexString(n);
    }

    private static Errno send(final Nd6Net net, final int to) {
        final Mbuf m = net.vnet.pool().gethdr(Mbuf.MT_DATA);
        m.data(m.data() + 64);
        m.len(40);
        m.pktLen(40);
        return net.nd.output(net.ifp, m, HI, to);
    }

    /** A neighbour asks for us, and so tells its link address. */
    private static void asks(final Nd6Net net, final int from) {
        net.hear(name(from), OURS, Packets6.NS, Packets6.nbr(0, OURS, Packets6.six(1, PEER_MAC + from)));
    }

    private static void answers(final Nd6Net net, final int from, final int flags, final long mac) {
        net.hear(name(from), OURS, Packets6.NA, Packets6.nbr(flags, name(from), Packets6.six(2, mac)));
    }

    private static Nd6State state(final Nd6Net net, final int n) {
        return net.nd.state(net.ifp, HI, n);
    }

    @Test
    @Tag("RFC4861-7.2.2")
    void unknown_isAskedForThreeTimes_whatWaitsIsDropped_toTheMillisecond() {
        try (Nd6Net net = host()) {
            send(net, 9);
            send(net, 9);
            final byte[] f = net.next(Packets6.NS);
            assertThat(Packets.mac(f, 0)).isEqualTo(0x3333ff000009L);
            assertThat(Packets6.addr(f, 14 + 8)).isEqualTo(OURS);
            assertThat(Packets.mac(f, Packets6.NBR_OPTIONS + 2)).isEqualTo(net.mac());
            net.advance(2999 * MS);
            assertThat(net.targets(Packets6.NS)).hasSize(2);
            assertThat(net.vnet.drops(DropReason.ND6_TIMEOUT)).isZero();
            net.advance(MS);
            assertThat(net.vnet.drops(DropReason.ND6_TIMEOUT)).isEqualTo(2);
            assertThat(state(net, 9)).isNull();
        }
    }

    @Test
    @Tag("RFC4861-7.3")
    void reachable_stale_delay_probe_gone_toTheMillisecond() {
        try (Nd6Net net = host()) {
            send(net, 9);
            answers(net, 9, 0x60, PEER_MAC);
            assertThat(state(net, 9)).isEqualTo(Nd6State.REACHABLE);
            final long until = net.nd.neighbors().getFirst().expireNs();
            assertThat(until - net.clock.nanoTime()).isBetween(15 * SEC, 45 * SEC);
            net.advanceTo(until - MS);
            assertThat(state(net, 9)).isEqualTo(Nd6State.REACHABLE);
            net.advanceTo(until);
            assertThat(state(net, 9)).isEqualTo(Nd6State.STALE);
            net.wire.sent.clear();
            send(net, 9);
            assertThat(state(net, 9)).isEqualTo(Nd6State.DELAY);
            assertThat(net.wire.sent).as("used as it is").hasSize(1);
            net.advance(4999 * MS);
            assertThat(net.targets(Packets6.NS)).isEmpty();
            net.advance(MS);
            assertThat(state(net, 9)).isEqualTo(Nd6State.PROBE);
            final byte[] f = net.next(Packets6.NS);
            assertThat(Packets.mac(f, 0)).as("by unicast").isEqualTo(PEER_MAC);
            net.advance(2999 * MS);
            assertThat(net.targets(Packets6.NS)).hasSize(2);
            net.advance(MS);
            assertThat(state(net, 9)).isNull();
        }
    }

    @Test
    @Tag("RFC4861-7.2.5")
    void advertisements_changeWhatIsKnown_byTheirFlags() {
        try (Nd6Net net = host()) {
            answers(net, 9, 0x60, PEER_MAC);
            assertThat(state(net, 9)).as("nobody asked").isNull();
            send(net, 9);
            answers(net, 9, 0x20, PEER_MAC);
            assertThat(state(net, 9)).as("unsolicited; a packet waited").isEqualTo(Nd6State.DELAY);
            answers(net, 9, 0x40, PEER_MAC);
            assertThat(state(net, 9)).isEqualTo(Nd6State.REACHABLE);
            answers(net, 9, 0x40, 0x99);
            assertThat(state(net, 9)).as("another address, no override").isEqualTo(Nd6State.STALE);
            assertThat(net.nd.neighbors().getFirst().lladdr()).isEqualTo(PEER_MAC);
            answers(net, 9, 0x20, 0x99);
            assertThat(state(net, 9)).isEqualTo(Nd6State.STALE);
            assertThat(net.nd.neighbors().getFirst().lladdr()).isEqualTo(0x99);
            answers(net, 9, 0x60, 0x98);
            assertThat(state(net, 9)).isEqualTo(Nd6State.REACHABLE);
            assertThat(net.nd.neighbors().getFirst().lladdr()).isEqualTo(0x98);
        }
    }

    @Test
    @Tag("RFC4861-7.1.2")
    void advertisements_thatCannotBe_areDropped() {
        try (Nd6Net net = host()) {
            send(net, 9);
            final byte[] body = Packets6.nbr(0x60, name(9), Packets6.six(2, PEER_MAC));
            final long us = EtherHeader.addr(net.ifp.lladdr());
            final long bad = net.stat("nd6.bad");
            net.receive(Packets6.frame(us, PEER_MAC, name(9), OURS, new int[] {254, Packets6.NA, 0}, body));
            net.receive(Packets6.frame(us, PEER_MAC, name(9), OURS, new int[] {255, Packets6.NA, 1}, body));
            net.hear(name(9), OURS, Packets6.NA, new byte[16]);
            net.hear(name(9), OURS, Packets6.NA, Packets6.nbr(0x60, "ff02::9", Packets6.six(2, PEER_MAC)));
            net.hear(name(9), "ff02::1", Packets6.NA, body); // solicited, and to a group
            net.hear(name(9), OURS, Packets6.NA, Packets6.join(body, new byte[8])); // an option of length 0
            assertThat(net.stat("nd6.bad") - bad).isEqualTo(6);
            assertThat(state(net, 9)).isEqualTo(Nd6State.INCOMPLETE);
            net.hear(name(9), OURS, Packets6.NA, body);
            assertThat(state(net, 9)).isEqualTo(Nd6State.REACHABLE);
            net.wire.sent.clear();
        }
    }

    @Test
    void manyWait_oldestAreDropped_orderIsKept() {
        try (Nd6Net net = host()) {
            for (int i = 0; i < 20; i++) {
                send(net, 9);
            }
            assertThat(net.vnet.drops(DropReason.ND6_QFULL)).isEqualTo(4);
            net.wire.sent.clear();
            answers(net, 9, 0x60, PEER_MAC);
            assertThat(net.wire.sent).hasSize(16);
        }
    }

    @Test
    @Tag("RFC6583-6.2")
    void tenThousandNeighboursInvented_theRealOneInUseStays() {
        try (Nd6Net net = host("net.inet6.icmp6.nd6_maxentries", "1000")) {
            asks(net, 2);
            send(net, 2);
            for (int i = 0; i < FAKES; i++) {
                asks(net, 0x1000 + i);
                if (i % 100 == 0) {
                    send(net, 2);
                    net.wire.sent.clear();
                }
            }
            assertThat(net.nd.neighbors()).hasSize(1000);
            assertThat(state(net, 2)).isEqualTo(Nd6State.DELAY);
            assertThat(net.stat("nd6.evicted")).isEqualTo(FAKES + 1 - 1000);
            assertThat(state(net, 0x1000 + FAKES - 1)).isEqualTo(Nd6State.DELAY);
            assertThat(state(net, 0x1000)).isNull();
            net.wire.sent.clear();
            assertThat(send(net, 2)).isEqualTo(Errno.OK);
            assertThat(net.wire.sent).hasSize(1);
        }
    }

    @Test
    @Tag("RFC6583-6.2")
    void tenThousandAddressesTried_incompleteOnesAreBounded_othersAreFound() {
        try (Nd6Net net = host("net.inet6.icmp6.nd6_maxincomplete", "100")) {
            asks(net, 2);
            for (int i = 0; i < FAKES; i++) {
                send(net, 0x1000 + i);
                net.advance(MS / 10);
                net.wire.sent.clear();
            }
            assertThat(net.nd.neighbors().stream().filter(n -> n.state() == Nd6State.INCOMPLETE)).hasSize(100);
            assertThat(state(net, 2)).isEqualTo(Nd6State.DELAY);
            assertThat(net.vnet.drops(DropReason.ND6_QFULL)).isEqualTo(FAKES - 100);
            send(net, 3);
            answers(net, 3, 0x60, PEER_MAC);
            assertThat(state(net, 3)).isEqualTo(Nd6State.REACHABLE);
            net.advance(4 * SEC);
            assertThat(net.nd.neighbors()).hasSize(2);
        }
    }

    @Test
    @Tag("RFC4861-7.2.2")
    void noAnswer_whoSentByThisHost_isTold() {
        try (Nd6Net net = host()) {
            asks(net, 5);
            final Mbuf m = net.vnet.pool().gethdr(Mbuf.MT_DATA);
            assertThat(m.append(new byte[48], 0, 48)).isTrue();
            Ip6Header.init(m, 8, 17, 63, 0);
            Ip6Header.addr(m, HI, 5, HI, 9);
            m.rcvif(net.ifp);
            net.nd.output(net.ifp, m, HI, 9);
            net.wire.sent.clear();
            net.advance(3 * SEC);
            final byte[] f = net.next(1);
            assertThat(Packets6.addr(f, 14 + 24)).isEqualTo(name(5));
            assertThat(Packets.u8(f, Packets6.ICMP + 1)).as("code: address").isEqualTo(3);
            assertThat(Packets6.addr(f, Packets6.ICMP + 8 + 24)).isEqualTo(name(9));
            assertThat(net.vnet.drops(DropReason.ND6_TIMEOUT)).isEqualTo(1);
        }
    }

    @Test
    void nudOff_staleIsUsedForEver() {
        try (Nd6Net net = host()) {
            net.nd.setFlags(net.ifp, 0, Nd6Ifinfo.ND6_IFF_PERFORMNUD);
            asks(net, 5);
            net.wire.sent.clear();
            send(net, 5);
            net.advance(60 * SEC);
            assertThat(net.wire.sent).hasSize(1);
            assertThat(state(net, 5)).isEqualTo(Nd6State.STALE);
        }
    }

    @Test
    @Tag("RFC4861-7.2.6")
    void anotherLinkAddress_neighboursAreTold_headersHaveIt() {
        try (Nd6Net net = host()) {
            asks(net, 5);
            net.wire.sent.clear();
            final byte[] other = {2, 0, 0, 0, 0, 0x77};
            assertThat(net.ifp.ioctl(new IfReq.SetLladdr(other))).isEqualTo(Errno.OK);
            final byte[] f = net.next(Packets6.NA);
            assertThat(Packets6.addr(f, 14 + 24)).isEqualTo(Nd6Net.ALL_NODES);
            assertThat(Packets.u8(f, Packets6.ICMP + 4)).as("override, unasked").isEqualTo(0x20);
            assertThat(Packets.mac(f, Packets6.NBR_OPTIONS + 2)).isEqualTo(0x020000000077L);
            assertThat(net.targets(Packets6.NA)).as("two addresses").hasSize(1);
            send(net, 5);
            assertThat(Packets.mac(net.wire.next(), 6)).isEqualTo(0x020000000077L);
        }
    }

    @Test
    void byHand_neverAskedNorForgottenNorChanged() {
        try (Nd6Net net = host("net.inet6.icmp6.nd6_maxentries", "10")) {
            assertThat(net.nd.setNeighbor(net.ifp, HI, 9, PEER_MAC, false)).isEqualTo(Errno.OK);
            assertThat(net.nd.setNeighbor(net.ifp, HI, 1, PEER_MAC, false)).isEqualTo(Errno.EEXIST);
            assertThat(net.nd.setNeighbor(net.ifp, HI, 8, 1L << 40, false)).isEqualTo(Errno.EINVAL);
            for (int i = 100; i < 200; i++) {
                asks(net, i);
            }
            answers(net, 9, 0x60, 0x99);
            net.wire.sent.clear();
            send(net, 9);
            assertThat(Packets.mac(net.wire.next(), 0)).isEqualTo(PEER_MAC);
            assertThat(state(net, 9)).isEqualTo(Nd6State.STATIC);
            net.ifp.down();
            assertThat(net.nd.neighbors()).hasSize(1);
            assertThat(net.nd.deleteNeighbor(net.ifp, HI, 9)).isEqualTo(Errno.OK);
            assertThat(net.nd.deleteNeighbor(net.ifp, HI, 9)).isEqualTo(Errno.ENOENT);
        }
    }

    @Test
    void limitComesDown_nextOneMakesRoomForIt() {
        try (Nd6Net net = host()) {
            for (int i = 100; i < 150; i++) {
                asks(net, i);
            }
            net.vnet.sysctl().set("net.inet6.icmp6.nd6_maxentries", "10");
            asks(net, 150);
            assertThat(net.nd.neighbors()).hasSize(10);
            for (int i = 0; i < 50; i++) {
                send(net, 200 + i);
            }
            net.vnet.sysctl().set("net.inet6.icmp6.nd6_maxincomplete", "3");
            send(net, 300);
            assertThat(net.nd.neighbors().stream().filter(n -> n.state() == Nd6State.INCOMPLETE)).hasSize(3);
        }
    }

    @Test
    void fullOfThoseByHand_nobodyElseFits() {
        try (Nd6Net net = host("net.inet6.icmp6.nd6_maxentries", "2")) {
            net.nd.setNeighbor(net.ifp, HI, 8, PEER_MAC, false);
            net.nd.setNeighbor(net.ifp, HI, 9, PEER_MAC, false);
            assertThat(net.nd.setNeighbor(net.ifp, HI, 10, PEER_MAC, false)).isEqualTo(Errno.ENOBUFS);
            assertThat(send(net, 11)).isEqualTo(Errno.ENOBUFS);
        }
    }

    @Test
    @Tag("RFC4861-7.2.8")
    void proxied_isAnsweredFor_withoutOverride() {
        try (Nd6Net net = host()) {
            net.nd.setNeighbor(net.ifp, HI, 0x77, 0x0200000000ccL, true);
            net.hear(Nd6Net.PEER, "ff02::1:ff00:77", Packets6.NS,
                Packets6.nbr(0, name(0x77), Packets6.six(1, PEER_MAC)));
            net.hear(Nd6Net.PEER, OURS, Packets6.NS, Packets6.nbr(0, OURS, Packets6.six(1, PEER_MAC)));
            final byte[] f = net.next(Packets6.NA);
            assertThat(Packets6.addr(f, Packets6.ICMP + 8)).isEqualTo(name(0x77));
            assertThat(Packets.u8(f, Packets6.ICMP + 4)).as("solicited").isEqualTo(0x40);
            assertThat(Packets.mac(f, Packets6.NBR_OPTIONS + 2)).isEqualTo(0x0200000000ccL);
            net.nd.deleteNeighbor(net.ifp, HI, 0x77);
            net.wire.sent.clear();
            net.hear(Nd6Net.PEER, "ff02::1:ff00:77", Packets6.NS,
                Packets6.nbr(0, name(0x77), Packets6.six(1, PEER_MAC)));
            assertThat(net.next(Packets6.NA)).isNull();
        }
    }

    /** Anything may stand in a message: it is taken or dropped, and nothing leaks. */
    @Test
    void randomMessages_nothingBreaks() {
        final long seed = Long.getLong("gatun.seed", System.nanoTime());
        System.out.println("seed " + seed);
        final SplittableRandom random = new SplittableRandom(seed);
        try (Nd6Net net = host("net.inet6.ip6.accept_rtadv", "1", "net.inet6.ip6.use_tempaddr", "1")) {
            final String[] from = {Nd6Net.PEER, "::", name(2), OURS};
            final String[] to = {"ff02::1", OURS, "ff02::1:ff00:1"};
            for (int i = 0; i < 20_000; i++) {
                final byte[] body = new byte[4 + random.nextInt(80)];
                random.nextBytes(body);
                for (int at = 12 + 8 * random.nextInt(4); at + 8 <= body.length; at += 8) {
                    body[at] = (byte) new int[] {1, 2, 3, 4, 5, 14, 24, 25, 31}[random.nextInt(9)];
                    body[at + 1] = (byte) random.nextInt(5);
                }
                if (random.nextBoolean() && body.length >= 20) {
                    System.arraycopy(Packets6.addr(OURS), 0, body, 4, 16);
                }
                net.hear(from[random.nextInt(from.length)], to[random.nextInt(to.length)], 133 + random.nextInt(5),
                    body);
                net.advance(random.nextLong(SEC / 10));
                net.wire.sent.clear();
            }
            assertThat(net.inet6.addrs.lookup(HI, 1)).isNotNull();
            assertThat(In6.isLinkLocal(net.linkLocal().hi)).isTrue();
        }
    }

    /** Without a secret anybody could invert the multiplier, and choose addresses that fall into one bucket. */
    @Test
    void addressesChosenToCollide_spreadOverTheBuckets() {
        try (Nd6Net net = host()) {
            final long hash = Long.parseUnsignedLong("9e3779b97f4a7c15", 16);
            long inverse = hash;
            for (int i = 0; i < 6; i++) {
                inverse *= 2 - hash * inverse;
            }
            final Nd6Table table = net.nd.info(net.ifp).table;
            for (int i = 1; i <= 2000; i++) {
                table.solicited(HI, i * inverse ^ HI * hash, PEER_MAC);
            }
            assertThat(table.depth()).isLessThan(20);
        }
    }
}
