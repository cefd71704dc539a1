package io.gatun.netinet.ip6;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.TestNet6;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The IPv6 header and its extension headers on their way in (RFC 8200 sections 3 and 4). */
class Ip6InputTest {
    private static final int HOPOPTS = 0;
    private static final int ROUTING = 43;
    private static final int NONE = 59;
    private static final int DSTOPTS = 60;
    private static final int PADN = 1;
    private static final SockAddr ALL_NODES = SockAddr.of("ff02::1", 0);
    private static final byte[] DATA = Packets.pattern(20);

    private final TestNet6 net = new TestNet6();

    @AfterEach
    void close() {
        net.close();
    }

    /** A header of 8 octets: what follows, and one option of 4 octets of data or what stands in a routing header. */
    private static byte[] header(final int nxt, final int option) {
        return new byte[] {(byte) nxt, 0, (byte) option, 4, 0, 0, 0, 0};
    }

    private static byte[] routing(final int nxt, final int type, final int segmentsLeft) {
        return new byte[] {(byte) nxt, 0, (byte) type, (byte) segmentsLeft, 0, 0, 0, 0};
    }

    private static byte[] plain() {
        return TestNet6.ip6(TestNet6.PEER0, TestNet6.US0, TestNet.PROTO, DATA);
    }

    private void taken(final byte[] packet) {
        net.net.got.clear();
        net.receive0(packet);
        assertThat(net.net.got).hasSize(1);
        assertThat(net.net.got.getFirst()).endsWith(DATA);
        assertThat(net.sent0).isEmpty();
    }

    private void refused(final byte[] packet, final DropReason why) {
        net.net.got.clear();
        final long before = net.net.drops(why);
        net.receive0(packet);
        assertThat(net.net.got).isEmpty();
        assertThat(net.net.drops(why)).isEqualTo(before + 1);
    }

    private void problem(final byte[] packet, final int code, final int pointer) {
        net.net.got.clear();
        net.receive0(packet);
        assertThat(net.net.got).isEmpty();
        assertThat(net.sent0).hasSize(1);
        final byte[] e = net.sent0.removeFirst();
        assertThat(Packets.u8(e, 40)).isEqualTo(Icmp6.ICMP6_PARAM_PROB);
        assertThat(Packets.u8(e, 41)).isEqualTo(code);
        assertThat(Packets.i32(e, 44)).as("pointer").isEqualTo(pointer);
    }

    @Test
    @Tag("RFC8200-3")
    void header_wrongInAnyWay_isDropped() {
        final byte[] version = plain();
        version[0] = 0x40;
        refused(version, DropReason.IP_BADVERS);
        refused(Arrays.copyOf(plain(), 39), DropReason.IP_TOOSHORT);
        refused(Arrays.copyOf(plain(), 59), DropReason.IP_BADLEN);
        taken(Arrays.copyOf(plain(), 100));
        assertThat(net.net.got.getFirst()).as("padding of the link").hasSize(60);
    }

    @Test
    @Tag("RFC4291-2.7")
    @Tag("RFC4291-2.5.2")
    @Tag("RFC4291-2.5.3")
    void addressesThatCannotBe_areDropped() {
        for (final String src : new String[] {"ff02::1", "::1", "::ffff:10.0.0.2"}) {
            refused(TestNet6.ip6(SockAddr.of(src, 0), TestNet6.US0, TestNet.PROTO, DATA), DropReason.IP_BADADDR);
        }
        for (final String dst : new String[] {"::", "::1", "::ffff:10.0.0.1"}) {
            refused(TestNet6.ip6(TestNet6.PEER0, SockAddr.of(dst, 0), TestNet.PROTO, DATA), DropReason.IP_BADADDR);
        }
    }

    @Test
    @Tag("RFC8200-4.1")
    void extensionHeaders_inAnyOrder_areWalked() {
        final byte[][] four = {header(0, PADN), routing(0, 4, 0), TestNet6.fragHeader(0, 0, false, 9),
            header(0, PADN)};
        final int[] types = {DSTOPTS, ROUTING, 44, DSTOPTS};
        for (final List<Integer> order : orders(4)) {
            final byte[] headers = new byte[8 * 4];
            for (int i = 0; i < 4; i++) {
                System.arraycopy(four[order.get(i)], 0, headers, 8 * i, 8);
                headers[8 * i] = (byte) (i < 3 ? types[order.get(i + 1)] : TestNet.PROTO);
            }
            taken(TestNet6.with(plain(), types[order.getFirst()], headers));
        }
    }

    private static List<List<Integer>> orders(final int n) {
        if (n == 0) {
            return List.of(List.of());
        }
        final List<List<Integer>> all = new ArrayList<>();
        for (final List<Integer> less : orders(n - 1)) {
            for (int at = 0; at < n; at++) {
                final List<Integer> more = new ArrayList<>(less);
                more.add(at, n - 1);
                all.add(more);
            }
        }
        return all;
    }

    @Test
    @Tag("RFC8200-4.3")
    @Tag("RFC8200-4.1")
    void hopByHop_onlyRightBehindTheHeader() {
        taken(TestNet6.with(plain(), HOPOPTS, header(TestNet.PROTO, PADN)));
        final byte[] two = new byte[16];
        System.arraycopy(header(HOPOPTS, PADN), 0, two, 0, 8);
        System.arraycopy(header(TestNet.PROTO, PADN), 0, two, 8, 8);
        problem(TestNet6.with(plain(), DSTOPTS, two), Icmp6.ICMP6_PARAMPROB_NEXTHEADER, 40);
    }

    @Test
    @Tag("RFC8200-4.2")
    void unknownOptions_byTheirActionBits() {
        for (final int type : new int[] {HOPOPTS, DSTOPTS}) {
            taken(TestNet6.with(plain(), type, header(TestNet.PROTO, 0x1e)));
            refused(TestNet6.with(plain(), type, header(TestNet.PROTO, 0x5e)), DropReason.IP_BADOPT);
            assertThat(net.sent0).as("01: in silence").isEmpty();
            problem(TestNet6.with(plain(), type, header(TestNet.PROTO, 0x9e)), Icmp6.ICMP6_PARAMPROB_OPTION, 42);
            problem(TestNet6.with(plain(), type, header(TestNet.PROTO, 0xde)), Icmp6.ICMP6_PARAMPROB_OPTION, 42);
            final byte[] toAll = TestNet6.ip6(TestNet6.PEER0, ALL_NODES, TestNet.PROTO, DATA);
            problem(TestNet6.with(toAll, type, header(TestNet.PROTO, 0x9e)), Icmp6.ICMP6_PARAMPROB_OPTION, 42);
            refused(TestNet6.with(toAll, type, header(TestNet.PROTO, 0xde)), DropReason.IP_BADOPT);
            assertThat(net.sent0).as("11: not about a group").isEmpty();
        }
    }

    @Test
    @Tag("RFC8200-4.2")
    void options_areWalkedInOrder_malformedOnesEndIt() {
        final byte[] pads = {(byte) TestNet.PROTO, 1, 0, 0, PADN, 0, PADN, 2, 7, 7, 0x1e, 0, 0, 0, PADN, 0};
        taken(TestNet6.with(plain(), DSTOPTS, pads));
        final byte[] beyond = {(byte) TestNet.PROTO, 0, 0x1e, 5, 0, 0, 0, 0};
        problem(TestNet6.with(plain(), DSTOPTS, beyond), Icmp6.ICMP6_PARAMPROB_HEADER, 42);
    }

    @Test
    @Tag("RFC8200-4.4")
    @Tag("RFC5095-3")
    void routingHeader_usedUpIsSkipped_otherwiseRefused() {
        for (final int type : new int[] {0, 2, 4, 77}) {
            taken(TestNet6.with(plain(), ROUTING, routing(TestNet.PROTO, type, 0)));
            problem(TestNet6.with(plain(), ROUTING, routing(TestNet.PROTO, type, 1)),
                Icmp6.ICMP6_PARAMPROB_HEADER, 42);
        }
    }

    @Test
    @Tag("RFC8200-4")
    void unknownNextHeader_isToldOfWithItsPlace() {
        problem(TestNet6.ip6(TestNet6.PEER0, TestNet6.US0, 200, DATA), Icmp6.ICMP6_PARAMPROB_NEXTHEADER, 6);
        problem(TestNet6.with(plain(), DSTOPTS, header(200, PADN)), Icmp6.ICMP6_PARAMPROB_NEXTHEADER, 40);
    }

    @Test
    @Tag("RFC8200-4.7")
    void noNextHeader_whatFollowsIsIgnored() {
        refused(TestNet6.ip6(TestNet6.PEER0, TestNet6.US0, NONE, DATA), DropReason.IP_NOPROTO);
        assertThat(net.sent0).isEmpty();
    }

    @Test
    @Tag("RFC8200-4")
    void headersCutShort_areDropped() {
        final byte[] longer = header(TestNet.PROTO, PADN);
        longer[1] = 31;
        refused(TestNet6.with(plain(), DSTOPTS, longer), DropReason.IP_BADLEN);
        final byte[] end = TestNet6.ip6(TestNet6.PEER0, TestNet6.US0, DSTOPTS, new byte[4]);
        refused(end, DropReason.IP_BADLEN);
    }

    @Test
    void tooManyHeaders_areDropped() {
        final byte[] many = new byte[8 * 20];
        for (int i = 0; i < 20; i++) {
            System.arraycopy(header(i < 19 ? DSTOPTS : TestNet.PROTO, PADN), 0, many, 8 * i, 8);
        }
        refused(TestNet6.with(plain(), DSTOPTS, many), DropReason.IP_BADOPT);
    }
}
