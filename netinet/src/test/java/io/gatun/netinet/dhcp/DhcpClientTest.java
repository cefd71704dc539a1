package io.gatun.netinet.dhcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.route.Route;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The client's states, its messages and their times, to the millisecond. */
class DhcpClientTest extends DhcpFixture {
    @AfterEach
    void close() {
        if (client != null) {
            client.stop();
        }
        net.close();
    }

    private boolean hasAddress() {
        return net.inet.addrs.lookup(GIVEN) != null;
    }

    private List<String> routes() {
        return net.config.routes().stream().filter(r -> r.nextHop().uses(net.wire1.ifp)).map(Route::toString).toList();
    }

    @Test
    @Tag("RFC2131-4.1-backoff")
    void noServer_discoversAtGrowingIntervals() {
        start();
        assertThat(step()).isBetween(1L, SEC);
        assertThat(sent()).isEqualTo("DISCOVER");
        assertThat(new String(option(12), java.nio.charset.StandardCharsets.US_ASCII)).isEqualTo("gatun");
        assertThat(option(61)).startsWith(1);
        assertThat(option(55)).contains(1, 3, 6, 121);
        final int xid = Packets.i32(last, 4);
        for (final int seconds : new int[] {4, 8, 16, 32, 64, 64, 64}) {
            assertThat(step()).isBetween((seconds - 1) * SEC, (seconds + 1) * SEC);
            assertThat(sent()).isEqualTo("DISCOVER");
            assertThat(Packets.i32(last, 4)).isEqualTo(xid);
        }
        assertThat(Packets.u16(last, 8)).as("seconds since it began").isBetween(240, 262);
    }

    @Test
    void offered_requested_probed_bound() {
        bind(usual(ACK).word(58, 100).word(59, 200));
        assertThat(told).containsExactly("bound 10.5.0.77/24");
        assertThat(client.lease().dns()).extracting(SockAddr::host).containsExactly("10.5.0.1");
        assertThat(hasAddress()).isTrue();
        assertThat(routes()).contains("0.0.0.0/0 10.5.0.1 wire1", "10.5.0.0/24 link wire1");
        assertThat(client.state()).isEqualTo(DhcpState.BOUND);
    }

    /** T1, then half of what is left until T2, then half of what is left until the end; each exactly. */
    @Test
    @Tag("RFC2131-4.4.5")
    void lease_renewed_rebound_expired_atItsTimes() {
        bind(usual(ACK));
        final long from = net.clock.nanoTime();
        step(); // the second announcement
        net.wire1.sent.clear();
        final long t1 = from + step() + 2 * SEC;
        assertThat(sent()).isEqualTo("REQUEST of 77 unicast");
        final long began = t1 - 1800 * SEC;
        assertThat(from - began).as("the lease counts from the request").isBetween(4 * SEC, 8 * SEC);
        assertThat(step()).isEqualTo(675 * SEC);
        assertThat(sent()).isEqualTo("REQUEST of 77 unicast");
        assertThat(step()).isEqualTo(337_500 * MS);
        assertThat(sent()).isEqualTo("REQUEST of 77 unicast");
        assertThat(client.state()).isEqualTo(DhcpState.RENEWING);
        net.advance(began + 3150 * SEC - net.clock.nanoTime() - 1);
        while (sent() != null) {
            assertThat(client.state()).isEqualTo(DhcpState.RENEWING);
        }
        net.advance(1);
        assertThat(sent()).isEqualTo("REQUEST of 77");
        assertThat(client.state()).isEqualTo(DhcpState.REBINDING);
        assertThat(step()).isEqualTo(225 * SEC);
        assertThat(sent()).isEqualTo("REQUEST of 77");
        net.advance(began + 3600 * SEC - net.clock.nanoTime() - 1);
        assertThat(hasAddress()).isTrue();
        net.wire1.sent.clear();
        net.advance(1);
        assertThat(hasAddress()).isFalse();
        assertThat(routes()).isEmpty();
        assertThat(told).containsExactly("bound 10.5.0.77/24", "lost: expired");
        assertThat(sent()).isEqualTo("DISCOVER");
    }

    @Test
    void renewal_acknowledged_startsTheLeaseAnew() {
        bind(usual(ACK));
        net.advance(1800 * SEC);
        String s = sent();
        while (s != null && !s.startsWith("REQUEST")) {
            s = sent();
        }
        assertThat(s).isEqualTo("REQUEST of 77 unicast");
        reply(message(GIVEN, usual(ACK).word(3, 0)));
        assertThat(client.state()).isEqualTo(DhcpState.BOUND);
        assertThat(told).containsExactly("bound 10.5.0.77/24", "bound 10.5.0.77/24");
        net.advance(3000 * SEC);
        assertThat(hasAddress()).isTrue();
    }

    @Test
    void refused_addressGoes_beginsAnew() {
        bind(usual(ACK));
        net.advance(1800 * SEC);
        assertThat(sent()).isEqualTo("REQUEST of 77 unicast");
        reply(NAK);
        assertThat(hasAddress()).isFalse();
        assertThat(told).containsExactly("bound 10.5.0.77/24", "lost: refused by the server");
        assertThat(step()).isEqualTo(SEC);
        assertThat(sent()).isEqualTo("DISCOVER");
    }

    @Test
    void refusedWhileRequesting_byItsServerOnly() {
        start();
        net.advance(SEC);
        sent();
        reply(OFFER);
        sent();
        reply(message(0, new Options().put(53, NAK).word(54, SERVER + 1)));
        assertThat(client.state()).isEqualTo(DhcpState.REQUESTING);
        reply(message(0, new Options().put(53, NAK).word(54, SERVER)));
        assertThat(client.state()).isEqualTo(DhcpState.INIT);
    }

    @Test
    void requestUnanswered_fourTimes_discoversAgain() {
        start();
        net.advance(SEC);
        sent();
        reply(OFFER);
        for (int i = 0; i < 4; i++) {
            assertThat(sent()).isEqualTo("REQUEST for 77 by 1");
            step();
        }
        net.advance(1);
        assertThat(sent()).isEqualTo("DISCOVER");
    }

    @Test
    @Tag("RFC2131-3.1-probe")
    void addressInUse_declined_tenSecondsLaterAnew() {
        start();
        net.advance(SEC);
        sent();
        reply(OFFER);
        sent();
        reply(ACK);
        step();
        net.wire1.sent.clear();
        net.wire1.receive(Packets.ether(0xffff_ffff_ffffL, TestNet.PEER1_MAC, 0x806,
            Packets.arp(2, TestNet.PEER1_MAC, GIVEN, 0, 0)));
        assertThat(sent()).isEqualTo("DECLINE for 77 by 1");
        assertThat(hasAddress()).isFalse();
        assertThat(step()).isEqualTo(10 * SEC);
        assertThat(sent()).isEqualTo("DISCOVER");
        assertThat(told).isEmpty();
    }

    @Test
    void conflictLater_defendedOnce_thenGivenUp() {
        bind(usual(ACK));
        net.advance(100 * SEC);
        for (int i = 0; i < 2; i++) {
            net.wire1.receive(Packets.ether(0xffff_ffff_ffffL, 0x0200000000ffL, 0x806,
                Packets.arp(2, 0x0200000000ffL, GIVEN, 0, 0)));
            assertThat(hasAddress()).isEqualTo(i == 0);
            net.advance(SEC);
        }
        assertThat(told).containsExactly("bound 10.5.0.77/24", "lost: used by another host");
        assertThat(sent()).isEqualTo("DECLINE for 77 by 1");
    }

    @Test
    @Tag("RFC3442-DHCP")
    void classlessRoutes_sayAll() {
        bind(usual(ACK).put(121, 16, 10, 66, 10, 5, 0, 2, 0, 10, 5, 0, 3, 24, 10, 67, 1, 0, 0, 0, 0));
        assertThat(routes()).contains("10.66.0.0/16 10.5.0.2 wire1", "0.0.0.0/0 10.5.0.3 wire1",
            "10.67.1.0/24 link wire1").doesNotContain("0.0.0.0/0 10.5.0.1 wire1");
    }

    @Test
    void linkComesBack_leaseIsConfirmed() {
        bind(usual(ACK));
        net.advance(100 * SEC);
        net.wire1.ifp.down();
        net.advance(10 * SEC);
        net.wire1.sent.clear();
        net.wire1.ifp.up();
        assertThat(sent()).isEqualTo("REQUEST for 77");
        assertThat(client.state()).isEqualTo(DhcpState.REBOOTING);
        reply(ACK);
        assertThat(client.state()).isEqualTo(DhcpState.BOUND);
        net.wire1.ifp.down();
        net.wire1.ifp.up();
        net.advance(30 * SEC);
        assertThat(client.state()).as("nobody says no").isEqualTo(DhcpState.BOUND);
        net.wire1.ifp.down();
        net.wire1.ifp.up();
        net.wire1.sent.removeIf(f -> net.wire1.sent.getLast() != f);
        assertThat(sent()).isEqualTo("REQUEST for 77");
        reply(NAK);
        assertThat(hasAddress()).isFalse();
    }

    @Test
    void stopped_releases() {
        bind(usual(ACK));
        net.wire1.sent.clear();
        client.stop();
        assertThat(sent()).isEqualTo("RELEASE of 77 by 1 unicast");
        assertThat(hasAddress()).isFalse();
        assertThat(client.state()).isEqualTo(DhcpState.STOPPED);
        assertThat(told).containsExactly("bound 10.5.0.77/24", "lost: released");
    }

    @Test
    void secondClient_orNoEthernet_isRefused() {
        start();
        assertThatThrownBy(() -> net.config.dhcp(net.wire1.ifp, null, listener)).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
        assertThatThrownBy(() -> net.config.dhcp(net.lo, null, listener)).isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }

    /** What no host can live with is no offer. */
    @Test
    @Tag("RFC2131-4.4.1-check")
    void hostileOffers_areIgnored() {
        start();
        net.advance(SEC);
        sent();
        final int[] addresses = {0, -1, Packets.addr("127.0.0.1"), Packets.addr("224.0.0.1"),
            Packets.addr("10.5.0.0"), Packets.addr("10.5.0.255")};
        for (final int a : addresses) {
            reply(message(a, usual(OFFER)));
        }
        reply(message(GIVEN, new Options().put(53, OFFER).word(54, SERVER).word(1, 0xff00ff00).word(51, 60)));
        reply(message(GIVEN, new Options().put(53, OFFER).word(54, SERVER).word(1, 0xffffff00).word(51, 0)));
        reply(message(GIVEN, new Options().put(53, OFFER).word(1, 0xffffff00).word(51, 60)));
        reply(message(GIVEN, usual(OFFER).put(121, 33, 1, 2, 3, 4)));
        reply(message(GIVEN, usual(OFFER).put(121, 24, 1, 2)));
        reply(message(GIVEN, usual(OFFER).put(15, '$', '(', 'x', ')')));
        final byte[] otherXid = message(GIVEN, usual(OFFER));
        otherXid[4] ^= 1;
        reply(otherXid);
        final byte[] otherMac = message(GIVEN, usual(OFFER));
        otherMac[33] ^= 1;
        reply(otherMac);
        assertThat(net.stat("dhcp.bad")).isEqualTo(14);
        assertThat(client.state()).isEqualTo(DhcpState.SELECTING);
        reply(OFFER);
        assertThat(client.state()).isEqualTo(DhcpState.REQUESTING);
    }

    @Test
    void randomMessages_doNoHarm() {
        final long seed = Long.getLong("gatun.seed", 11);
        System.out.println("seed=" + seed);
        final SplittableRandom r = new SplittableRandom(seed);
        start();
        for (int i = 0; i < 20_000; i++) {
            net.advance(r.nextLong(4 * SEC));
            String s = sent();
            while (s != null) {
                s = sent();
            }
            if (last == null) {
                continue;
            }
            final Options o = r.nextInt(4) == 0 ? new Options() : usual(r.nextInt(1, 8));
            for (int n = r.nextInt(4); n > 0; n--) {
                final int[] octets = new int[r.nextInt(12)];
                java.util.Arrays.setAll(octets, k -> r.nextInt(256));
                o.put(new int[] {1, 3, 6, 15, 26, 50, 51, 52, 53, 54, 58, 59, 121, r.nextInt(255)}[r.nextInt(14)],
                    octets);
            }
            byte[] m = message(r.nextInt(8) == 0 ? r.nextInt() : GIVEN + r.nextInt(2), o);
            if (r.nextInt(3) == 0) {
                m[r.nextInt(m.length)] = (byte) r.nextInt();
            }
            m = r.nextInt(10) == 0 ? java.util.Arrays.copyOf(m, r.nextInt(m.length)) : m;
            reply(m);
        }
    }

    /** A server that gives no time must not have the client ask as fast as it answers. */
    @Test
    void leaseOfASecond_isNotAskedForAgainAtOnce() {
        bind(usual(ACK));
        net.advance(1800 * SEC);
        while (sent() != null) {
            // the announcements, and the request for more
        }
        reply(message(GIVEN, new Options().put(53, ACK).word(54, SERVER).word(1, 0xffffff00).word(51, 1)));
        assertThat(client.state()).isEqualTo(DhcpState.BOUND);
        assertThat(sent()).isNull();
        assertThat(step()).isEqualTo(SEC);
        assertThat(sent()).isEqualTo("DISCOVER");
    }

    @Test
    void hostnameThatNoOptionHolds_isRefused() {
        for (final String name : new String[] {"", "h".repeat(256)}) {
            assertThatThrownBy(() -> net.config.dhcp(net.wire1.ifp, name, listener))
                .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        }
    }
}
