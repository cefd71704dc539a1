package io.gatun.netinet.ip6;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.TestNet6;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** RFC 8200 section 4.5 both ways. */
class Frag6Test {
    private static final long MS = 1_000_000L;
    private static final int FRAGMENT = 44;
    private static final int DSTOPTS = 60;
    private static final int UDP = 17;

    private final TestNet6 six = new TestNet6();
    private final TestNet net = six.net;
    private final byte[] data = Packets.pattern(40);

    @AfterEach
    void close() {
        six.close();
    }

    private static byte[] frag(final int id, final byte[] all, final int from, final int to) {
        return frag(TestNet.PROTO, id, from, to < all.length, Arrays.copyOfRange(all, from, to));
    }

    private static byte[] frag(
        final int nxt, final int id, final int off, final boolean more, final byte[] payload) {
        return TestNet6.with(TestNet6.ip6(TestNet6.PEER0, TestNet6.US0, nxt, payload), FRAGMENT,
            TestNet6.fragHeader(nxt, off, more, id));
    }

    private void expectError(final int type, final int code, final int word, final byte[] about) {
        assertThat(six.sent0).hasSize(1);
        final byte[] e = six.sent0.removeFirst();
        assertThat(Packets.u8(e, 40)).isEqualTo(type);
        assertThat(Packets.u8(e, 41)).isEqualTo(code);
        assertThat(Packets.i32(e, 44)).isEqualTo(word);
        assertThat(TestNet6.cksum6(e, 40, 58)).isZero();
        assertThat(Packets.tail(e, 48)).isEqualTo(about);
    }

    @Test
    @Tag("RFC8200-4.5-whole")
    void fragments_outOfOrder_areMadeWhole() {
        six.receive0(frag(1, data, 16, 40));
        six.receive0(frag(1, data, 0, 16));
        assertThat(net.got).containsExactly(TestNet6.ip6(TestNet6.PEER0, TestNet6.US0, TestNet.PROTO, data));
        assertThat(net.stat("ip6.reassembled")).isEqualTo(1);
        assertThat(six.inet6.frag6.frags()).isZero();
    }

    @Test
    void mbufsRunOut_whatIsNotWholeIsGivenUp() {
        six.receive0(frag(1, data, 16, 40));
        assertThat(six.inet6.frag6.frags()).isEqualTo(1);
        net.vnet.pool().refuse(1, 1);
        assertThat(net.vnet.pool().get(Mbuf.MT_DATA)).isNull();
        net.vnet.pool().refuse(0, 0);
        net.vnet.poll();
        assertThat(six.inet6.frag6.frags()).isZero();
        assertThat(net.vnet.drops(DropReason.MBUF_LOWMEM)).isEqualTo(1);
        six.receive0(frag(1, data, 0, 16));
        assertThat(net.got).isEmpty();
    }

    /** As in IPv4: a mark on any part is one on the whole; none goes with a first part whose sender knows none. */
    @Test
    @Tag("RFC3168-5.3")
    void marks_everyPair_areMergedOrRefused() {
        for (int a = 0; a < 4; a++) {
            for (int b = 0; b < 4; b++) {
                net.got.clear();
                final int id = 100 + 4 * a + b;
                six.receive0(marked(frag(id, data, 0, 16), a));
                six.receive0(marked(frag(id, data, 16, 40), b));
                final boolean refused = a == 0 ? b == 3 : b == 0;
                assertThat(net.got).as("%d and %d", a, b).hasSize(refused ? 0 : 1);
                if (!refused) {
                    final int ecn = a == 3 || b == 3 ? 3 : a;
                    assertThat(Packets.i32(net.got.getFirst(), 0) >> 20 & 0xff).isEqualTo(ecn);
                    assertThat(Packets.tail(net.got.getFirst(), 40)).isEqualTo(data);
                }
            }
        }
    }

    private static byte[] marked(final byte[] packet, final int ecn) {
        packet[1] |= (byte) (ecn << 4);
        return packet;
    }

    @Test
    @Tag("RFC8200-4.5-whole")
    void headersBeforeTheFragmentHeader_stay_thoseBehindAreWalked() {
        final byte[] padding = {(byte) DSTOPTS, 0, 1, 4, 0, 0, 0, 0};
        final byte[] before = {FRAGMENT, 0, 1, 4, 0, 0, 0, 0};
        final byte[] inner = new byte[48];
        System.arraycopy(padding, 0, inner, 0, 8);
        inner[0] = (byte) TestNet.PROTO;
        System.arraycopy(data, 0, inner, 8, 40);
        six.receive0(TestNet6.with(frag(DSTOPTS, 2, 24, false, Arrays.copyOfRange(inner, 24, 48)), DSTOPTS, before));
        six.receive0(TestNet6.with(frag(DSTOPTS, 2, 0, true, Arrays.copyOf(inner, 24)), DSTOPTS, before));
        final byte[] got = net.got.getFirst();
        assertThat(got).hasSize(40 + 8 + 48);
        assertThat(Packets.u8(got, 6)).isEqualTo(DSTOPTS);
        assertThat(Packets.u8(got, 40)).isEqualTo(DSTOPTS);
        assertThat(Packets.tail(got, 48)).isEqualTo(inner);
    }

    @Test
    @Tag("RFC6946-4")
    void atomicFragment_passesByItself_besideOthersOfTheSameId() {
        six.receive0(frag(3, data, 0, 16));
        six.receive0(frag(TestNet.PROTO, 3, 0, false, data));
        assertThat(net.got).containsExactly(TestNet6.ip6(TestNet6.PEER0, TestNet6.US0, TestNet.PROTO, data));
        assertThat(six.inet6.frag6.packets()).isEqualTo(1);
        assertThat(net.stat("ip6.atomicfrags")).isEqualTo(1);
    }

    @Test
    @Tag("RFC8200-4.5-overlap")
    void overlap_dropsTheWholePacket_duplicateOnlyItself() {
        six.receive0(frag(4, data, 0, 16));
        six.receive0(frag(4, data, 0, 16));
        assertThat(net.drops(DropReason.IP_REASS_DUP)).isEqualTo(1);
        six.receive0(frag(4, data, 8, 24));
        assertThat(net.drops(DropReason.IP_REASS_OVERLAP)).isEqualTo(2);
        assertThat(six.inet6.frag6.packets()).isZero();
        assertThat(net.got).isEmpty();
    }

    @Test
    @Tag("RFC8200-4.5-time")
    @Tag("RFC4443-3.3")
    void notWholeIn60s_senderIsTold_toTheMillisecond_ifTheFirstCame() {
        final byte[] first = frag(5, data, 0, 16);
        six.receive0(first);
        six.receive0(frag(6, data, 16, 40));
        six.advance(59_999 * MS);
        assertThat(six.inet6.frag6.packets()).isEqualTo(2);
        assertThat(six.sent0).isEmpty();
        six.advance(MS);
        assertThat(six.inet6.frag6.packets()).isZero();
        expectError(3, 1, 0, first);
        assertThat(net.drops(DropReason.IP_REASS_TIMEOUT)).isEqualTo(2);
        assertThat(net.stat("ip6.fragtimeout")).isEqualTo(2);
    }

    @Test
    void lifetimeSysctl_isObeyed() {
        net.vnet.sysctl().set("net.inet6.ip6.fraglifetime_ms", "250");
        six.receive0(frag(7, data, 16, 40));
        six.advance(249 * MS);
        assertThat(six.inet6.frag6.packets()).isEqualTo(1);
        six.advance(MS);
        assertThat(six.inet6.frag6.packets()).isZero();
    }

    @Test
    @Tag("RFC8200-4.5-odd")
    void oddLengthInTheMiddle_parameterProblemAtThePayloadLength() {
        final byte[] odd = frag(TestNet.PROTO, 8, 0, true, new byte[12]);
        six.receive0(odd);
        expectError(4, 0, 4, odd);
        final byte[] empty = frag(TestNet.PROTO, 8, 8, false, new byte[0]);
        six.receive0(empty);
        expectError(4, 0, 4, empty);
        assertThat(net.drops(DropReason.IP_REASS_BADFRAG)).isEqualTo(2);
    }

    @Test
    @Tag("RFC8200-4.5-65535")
    void beyond65535_parameterProblemAtTheOffset() {
        final byte[] far = frag(TestNet.PROTO, 9, 65_528, false, new byte[8]);
        six.receive0(far);
        expectError(4, 0, 42, far);
        assertThat(net.drops(DropReason.IP_REASS_TOOLONG)).isEqualTo(1);
        six.receive0(frag(TestNet.PROTO, 9, 65_528, false, new byte[7]));
        assertThat(six.inet6.frag6.packets()).isEqualTo(1);
    }

    @Test
    @Tag("RFC8200-4.5-first")
    void firstFragmentWithoutAllHeaders_parameterProblem3() {
        final byte[] cut = frag(DSTOPTS, 10, 0, true, new byte[] {UDP, 1, 1, 4, 0, 0, 0, 0});
        six.receive0(cut);
        expectError(4, 3, 0, cut);
        final byte[] half = frag(6, 10, 0, true, new byte[16]);
        six.receive0(half);
        expectError(4, 3, 0, half);
        assertThat(six.inet6.frag6.packets()).isZero();
    }

    @Test
    void discoveryInFragments_isDropped() {
        final byte[] ns = TestNet6.icmp6(TestNet6.PEER0, TestNet6.US0, 135 << 8, 0,
            Packets.tail(TestNet6.ip6(TestNet6.US0, TestNet6.US0, 0, new byte[0]), 24));
        final byte[] icmp = Packets.tail(ns, 40);
        for (int at = 0; at < icmp.length; at += 16) {
            final byte[] f = frag(58, 11, at, at + 16 < icmp.length,
                Arrays.copyOfRange(icmp, at, Math.min(at + 16, icmp.length)));
            f[7] = (byte) 255;
            six.receive0(f);
        }
        assertThat(net.drops(DropReason.ND6_BADHDR)).isEqualTo(1);
        six.receive0(ns);
        assertThat(six.sent0).hasSize(1); // whole it is answered
        assertThat(Packets.u8(six.sent0.getFirst(), 40)).isEqualTo(136);
    }

    @Test
    void congestionMark_ofOne_isTheWholes() {
        final byte[] a = frag(12, data, 0, 16);
        final byte[] b = frag(12, data, 16, 40);
        a[1] = 0x20; // ECT(0)
        b[1] = 0x30; // CE
        six.receive0(b);
        six.receive0(a);
        assertThat(net.drops(DropReason.IP_REASS_BADFRAG)).isZero();
        assertThat(net.got.getFirst()[1]).isEqualTo((byte) 0x30);
    }

    /** A ping of the largest size comes back in fragments that carry the answer. */
    @Test
    @Tag("RFC8200-5")
    @Tag("RFC4443-4.2")
    void largestPing_isAnsweredInFragments() {
        pingFragments(); // the neighbour is known from here on
        six.sent0.clear();
        final long before = net.stat("ip6.ofragments");
        final byte[] payload = Packets.pattern(65_507);
        final byte[] ping = TestNet6.icmp6(TestNet6.PEER0, TestNet6.US0, 128 << 8, 0x00070001, payload);
        final byte[] icmp = Packets.tail(ping, 40);
        for (int at = 0; at < icmp.length; at += 1448) {
            six.receive0(frag(58, 13, at, at + 1448 < icmp.length,
                Arrays.copyOfRange(icmp, at, Math.min(at + 1448, icmp.length))));
        }
        final byte[] reply = new byte[40 + icmp.length];
        System.arraycopy(six.sent0.getFirst(), 0, reply, 0, 40);
        int at = 0;
        for (final byte[] f : six.sent0) {
            assertThat(f.length).isLessThanOrEqualTo(1500);
            assertThat(Packets.u8(f, 6)).isEqualTo(FRAGMENT);
            assertThat(Packets.u16(f, 42)).isEqualTo(at | (at + f.length - 48 < icmp.length ? 1 : 0));
            assertThat(Packets.i32(f, 44)).isEqualTo(Packets.i32(six.sent0.getFirst(), 44));
            System.arraycopy(f, 48, reply, 40 + at, f.length - 48);
            at += f.length - 48;
        }
        assertThat(at).isEqualTo(icmp.length);
        assertThat(TestNet6.cksum6(reply, 40, 58)).isZero();
        assertThat(Packets.u8(reply, 40)).isEqualTo(129);
        assertThat(Packets.tail(reply, 48)).isEqualTo(payload);
        assertThat(net.stat("ip6.ofragments") - before).isEqualTo(six.sent0.size());
    }

    /** What a packet too big says of the path is what the next fragments fit, down to 1280 and never up. */
    @Test
    @Tag("RFC8200-5")
    @Tag("RFC8201-4")
    void packetTooBig_fragmentsFitThePath() {
        assertThat(pingFragments()).isEqualTo(1496);
        tooBig(1400);
        assertThat(pingFragments()).isEqualTo(1400);
        tooBig(1450);
        assertThat(pingFragments()).isEqualTo(1400);
        tooBig(1279);
        assertThat(pingFragments()).isEqualTo(1400);
        assertThat(net.drops(DropReason.ICMP_BADCODE)).isEqualTo(1);
        tooBig(1280);
        assertThat(pingFragments()).isEqualTo(1280);
    }

    /** What nobody knows of is believed of answers to echo requests alone. */
    @Test
    void packetTooBig_aboutAnAnswer_leavesThePathAsItIs() {
        final byte[] answer = new byte[400];
        answer[0] = (byte) 129;
        tooBig(1400, 58, answer, 1496);
        assertThat(pingFragments()).isEqualTo(1280);
        assertThat(net.inet.hostCache.count()).isZero();
        answer[0] = (byte) 128;
        tooBig(1400, 58, answer, 1496);
        tooBig(1400, 200, answer, 1496);
        assertThat(net.inet.hostCache.count()).as("no raw socket").isZero();
    }

    @Test
    @Tag("RFC8201-4")
    void packetTooBig_thatWasNotTooBig_isIgnored() {
        tooBig(1400, TestNet.PROTO, new byte[400], 1400);
        assertThat(pingFragments()).isEqualTo(1496);
        tooBig(1400, TestNet.PROTO, new byte[400], 1401);
        assertThat(pingFragments()).isEqualTo(1400);
    }

    private void tooBig(final int mtu) {
        tooBig(mtu, TestNet.PROTO, new byte[400], 1496);
    }

    /** @param size octets that the packet had which is quoted in part */
    private void tooBig(final int mtu, final int proto, final byte[] payload, final int size) {
        final byte[] sent = TestNet6.with(TestNet6.ip6(TestNet6.US0, TestNet6.PEER0, proto, payload), FRAGMENT,
            TestNet6.fragHeader(proto, 0, true, 99));
        Packets.put(sent, 4, size - 40, 2);
        six.receive0(TestNet6.icmp6(SockAddr.of("2001:db8::fe", 0), TestNet6.US0, 2 << 8, mtu, sent));
    }

    private int pingFragments() {
        six.sent0.clear();
        final byte[] ping = TestNet6.icmp6(TestNet6.PEER0, TestNet6.US0, 128 << 8, 0, new byte[4000]);
        six.receive(net.wire0, ping);
        return six.sent0.getFirst().length;
    }

    @Test
    void toldOfAFragment_transportHearsWithoutTheHeader() {
        final byte[] about = TestNet6.with(
            TestNet6.ip6(TestNet6.US0, TestNet6.PEER0, TestNet.PROTO, Packets.pattern(64)), FRAGMENT,
            TestNet6.fragHeader(TestNet.PROTO, 0, true, 1));
        six.receive0(TestNet6.icmp6(TestNet6.PEER0, TestNet6.US0, 1 << 8, 0, about));
        assertThat(net.told).hasSize(1);
        final byte[] told = Packets.tail(net.told.getFirst(), net.told.getFirst().length - 104);
        assertThat(Packets.u8(told, 6)).isEqualTo(TestNet.PROTO);
        assertThat(Packets.tail(told, 40)).isEqualTo(Packets.pattern(64));
    }
}
