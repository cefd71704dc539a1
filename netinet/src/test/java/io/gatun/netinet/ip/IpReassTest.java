package io.gatun.netinet.ip;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.spi.sys.DropReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class IpReassTest {
    private static final int SEC = 1_000_000_000;
    private final TestNet net = new TestNet().resolved();
    private int units = 5;
    private byte[] data = Packets.pattern(40);

    @AfterEach
    @AfterProperty
    void close() {
        net.close();
    }

    private byte[] frag(int id, byte[] all, int from, int to) {
        int more = to < all.length ? IpHeader.IP_MF : 0;
        return Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO, id, from / 8 | more,
            Arrays.copyOfRange(all, from, to));
    }

    private void receive(byte[] packet) {
        net.wire0.receiveIp(TestNet.PEER0_MAC, packet);
    }

    /** What the contract says should happen, kept as simply as can be. */
    private static final class Model {
        private final List<int[]> have = new ArrayList<>();

        /** Whether the datagram of {@code n} units is whole now. */
        boolean add(int from, int to, int n) {
            for (int[] h : have) {
                if (h[0] == from && h[1] == to) {
                    return false;
                }
            }
            for (int[] h : have) {
                if (h[0] < to && from < h[1]) {
                    have.clear();
                    return false;
                }
            }
            have.add(new int[] {from, to});
            int sum = 0;
            for (int[] h : have) {
                sum += h[1] - h[0];
            }
            boolean whole = sum == n;
            if (whole) {
                have.clear();
            }
            return whole;
        }
    }

    /** Every sequence of five of the ten pieces of four units: all orders, duplicates and overlaps. */
    @Test
    @Tag("RFC1122-3.2.1.4")
    void allSequencesOfPieces_deliverExactlyWhenWhole() {
        units = 4;
        data = Packets.pattern(32);
        List<int[]> pieces = pieces();
        byte[][] frames = frames(pieces);
        int[] pick = new int[5];
        int total = (int) Math.pow(pieces.size(), pick.length);
        for (int i = 0; i < total; i++) {
            int v = i;
            for (int k = 0; k < pick.length; k++) {
                pick[k] = v % pieces.size();
                v /= pieces.size();
            }
            run(pieces, frames, pick);
        }
    }

    /** Five pieces: all orders of every way to cut, and random sequences with duplicates and overlaps. */
    @Property(tries = 4000)
    @net.jqwik.api.Tag("RFC1122-3.2.1.4")
    void randomSequencesOfFivePieces_deliverExactlyWhenWhole(@ForAll long seed) {
        List<int[]> pieces = pieces();
        Random r = new Random(seed);
        run(pieces, frames(pieces), r.ints(5, 0, pieces.size()).toArray());
    }

    /** A mark on any part is one on the whole; none goes with a first part whose sender knows none. */
    @Test
    @Tag("RFC3168-5.3")
    void marks_everyPair_areMergedOrRefused() {
        for (int a = 0; a < 4; a++) {
            for (int b = 0; b < 4; b++) {
                net.got.clear();
                final int id = 100 + 4 * a + b;
                receive(marked(frag(id, data, 0, 16), a));
                receive(marked(frag(id, data, 16, 40), b));
                final boolean refused = a == IpHeader.IPTOS_ECN_NOTECT ? b == IpHeader.IPTOS_ECN_CE
                    : b == IpHeader.IPTOS_ECN_NOTECT;
                assertThat(net.got).as("%d and %d", a, b).hasSize(refused ? 0 : 1);
                if (!refused) {
                    final boolean ce = a == IpHeader.IPTOS_ECN_CE || b == IpHeader.IPTOS_ECN_CE;
                    assertThat(Packets.u8(net.got.getFirst(), 1) & 3).isEqualTo(ce ? IpHeader.IPTOS_ECN_CE : a);
                    assertThat(Packets.tail(net.got.getFirst(), 20)).isEqualTo(data);
                }
            }
        }
    }

    private static byte[] marked(byte[] packet, int ecn) {
        packet[1] = (byte) ecn;
        return Packets.fixIp(packet);
    }

    @Test
    @Tag("RFC791-3.2-frag")
    void everyCutInEveryOrder_isMadeWhole() {
        List<int[]> pieces = pieces();
        byte[][] frames = frames(pieces);
        for (int cuts = 0; cuts < 16; cuts++) {
            List<Integer> parts = new ArrayList<>();
            int from = 0;
            for (int at = 1; at <= 5; at++) {
                if (at == 5 || (cuts >>> at - 1 & 1) != 0) {
                    parts.add(indexOf(pieces, from, at));
                    from = at;
                }
            }
            permute(pieces, frames, parts, 0);
        }
    }

    private void permute(List<int[]> pieces, byte[][] frames, List<Integer> parts, int at) {
        if (at == parts.size()) {
            int before = net.got.size();
            run(pieces, frames, parts.stream().mapToInt(i -> i).toArray());
            assertThat(net.got.size() + wholes - before).isPositive();
            return;
        }
        for (int i = at; i < parts.size(); i++) {
            java.util.Collections.swap(parts, at, i);
            permute(pieces, frames, parts, at + 1);
            java.util.Collections.swap(parts, at, i);
        }
    }

    private int wholes;

    private static int indexOf(List<int[]> pieces, int from, int to) {
        for (int i = 0; i < pieces.size(); i++) {
            if (pieces.get(i)[0] == from && pieces.get(i)[1] == to) {
                return i;
            }
        }
        throw new AssertionError(from + ".." + to);
    }

    private List<int[]> pieces() {
        List<int[]> pieces = new ArrayList<>();
        for (int a = 0; a < units; a++) {
            for (int b = a + 1; b <= units; b++) {
                pieces.add(new int[] {a, b});
            }
        }
        return pieces;
    }

    private byte[][] frames(List<int[]> pieces) {
        byte[][] out = new byte[pieces.size()][];
        for (int i = 0; i < out.length; i++) {
            // The whole in one piece is no fragment: it is delivered whatever waits.
            out[i] = frag(9, data, pieces.get(i)[0] * 8, pieces.get(i)[1] * 8);
        }
        return out;
    }

    private void run(List<int[]> pieces, byte[][] frames, int[] pick) {
        net.got.clear();
        Model model = new Model();
        int expect = 0;
        for (int p : pick) {
            int[] piece = pieces.get(p);
            boolean whole = piece[0] == 0 && piece[1] == units || model.add(piece[0], piece[1], units);
            expect += whole ? 1 : 0;
            receive(frames[p].clone());
        }
        wholes = expect;
        assertThat(net.got.size()).as("pieces %s", Arrays.toString(pick)).isEqualTo(expect);
        for (byte[] g : net.got) {
            assertThat(Packets.tail(g, 20)).isEqualTo(data);
            assertThat(Packets.u16(g, 2)).isEqualTo(20 + data.length);
            assertThat(Packets.u16(g, 6)).isZero();
            assertThat(Packets.cksum(g, 0, 20)).isZero();
        }
        boolean waits = net.inet.ipReass.packets() != 0;
        assertThat(waits).isEqualTo(!model.have.isEmpty());
        if (waits) {
            net.advance(31L * SEC);
        }
        assertThat(net.inet.ipReass.frags()).isZero();
        assertThat(net.outstanding()).isZero();
    }

    @Test
    @Tag("RFC1122-3.3.2-time")
    void lateFragments_timeOut_senderIsToldWhenTheFirstCame() {
        receive(frag(1, data, 0, 16));
        receive(frag(2, data, 16, 40));
        net.advance(29L * SEC);
        assertThat(net.inet.ipReass.packets()).isEqualTo(2);
        net.advance(2L * SEC);
        assertThat(net.inet.ipReass.packets()).isZero();
        byte[] e = net.wire0.nextIp();
        assertThat(Packets.u8(e, 20)).isEqualTo(Icmp.ICMP_TIMXCEED);
        assertThat(Packets.u8(e, 21)).isEqualTo(Icmp.ICMP_TIMXCEED_REASS);
        assertThat(Packets.tail(e, 28)).isEqualTo(frag(1, data, 0, 16));
        assertThat(net.wire0.nextIp()).isNull();
        assertThat(net.stat("ip.fragtimeout")).isEqualTo(2);
        assertThat(net.drops(DropReason.IP_REASS_TIMEOUT)).isEqualTo(2);
    }

    @Test
    void fragmentBeyond65535_isDropped() {
        receive(Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO, 3, 0x1fff, new byte[64]));
        assertThat(net.drops(DropReason.IP_REASS_TOOLONG)).isEqualTo(1);
        assertThat(net.stat("ip.toolong")).isEqualTo(1);
    }

    @Test
    void emptyOrOddFragment_isDropped() {
        receive(Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO, 3, IpHeader.IP_MF, new byte[0]));
        receive(Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO, 3, IpHeader.IP_MF, new byte[12]));
        assertThat(net.drops(DropReason.IP_REASS_BADFRAG)).isEqualTo(2);
        assertThat(net.stat("ip.toosmall")).isEqualTo(2);
    }

    @Test
    void twoDifferentEnds_dropTheDatagram() {
        receive(frag(4, data, 8, 40));
        receive(Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO, 4, 6, new byte[8]));
        assertThat(net.drops(DropReason.IP_REASS_OVERLAP)).isEqualTo(2);
        assertThat(net.inet.ipReass.packets()).isZero();
    }

    @Test
    void flood_memoryStaysBounded() {
        Random r = new Random(5);
        for (int i = 0; i < 20_000; i++) {
            int off = 8 * (1 + r.nextInt(100));
            receive(Packets.ip(TestNet.PEER0 + r.nextInt(50), TestNet.US0, TestNet.PROTO, r.nextInt(65536),
                off / 8 | IpHeader.IP_MF, new byte[8]));
        }
        long maxfrags = net.vnet.sysctl().find("net.inet.ip.maxfrags").get();
        assertThat((long) net.inet.ipReass.frags()).isPositive().isLessThanOrEqualTo(maxfrags);
        assertThat(net.inet.ipReass.packets())
            .isLessThanOrEqualTo(net.vnet.sysctl().find("net.inet.ip.maxfragpackets").getInt());
        assertThat(net.stat("ip.fragments")).isEqualTo(20_000);
        receive(frag(1, data, 0, 16));
        receive(frag(1, data, 16, 40));
        assertThat(net.got).hasSize(1); // service goes on
    }

    @Test
    void tooManyFragmentsOfOne_dropTheDatagram() {
        net.vnet.sysctl().set("net.inet.ip.maxfragsperpacket", "4");
        for (int i = 0; i < 4; i++) {
            receive(frag(6, data, i * 8, i * 8 + 8));
        }
        assertThat(net.drops(DropReason.IP_REASS_TOOMANY)).isEqualTo(4);
        net.vnet.sysctl().set("net.inet.ip.maxfragpackets", "0");
        receive(frag(6, data, 0, 8));
        assertThat(net.drops(DropReason.IP_REASS_LIMIT)).isEqualTo(1);
    }

    @Test
    void congestionMarks_joinAsRfc3168Asks() {
        byte[] a = frag(7, data, 0, 16);
        byte[] b = frag(7, data, 16, 40);
        a[1] = 2;
        b[1] = 3;
        receive(Packets.fixIp(a));
        receive(Packets.fixIp(b));
        assertThat(net.got.getFirst()[1]).isEqualTo((byte) 3);
        a[1] = 0;
        receive(Packets.fixIp(a));
        receive(Packets.fixIp(b));
        assertThat(net.drops(DropReason.IP_REASS_BADFRAG)).isEqualTo(1);
    }

    @Test
    void vnetGoes_withFragmentsWaiting_poolIsWhole() {
        receive(frag(8, data, 0, 16));
        assertThat(net.outstanding()).isPositive();
    }
}
