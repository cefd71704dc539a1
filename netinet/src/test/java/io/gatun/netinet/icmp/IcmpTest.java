package io.gatun.netinet.icmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.HashSet;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IcmpTest {
    private final TestNet net = new TestNet().resolved();

    @AfterEach
    @AfterProperty
    void close() {
        net.close();
    }

    private void receive(byte[] p) {
        net.wire0.receiveIp(TestNet.PEER0_MAC, p);
    }

    private static byte[] fromPeer(byte[] icmp) {
        return Packets.ip(TestNet.PEER0, TestNet.US0, 1, 77, 0, icmp);
    }

    @Property(tries = 100)
    @net.jqwik.api.Tag("RFC1122-3.2.2.6-serve")
    void echo_anySize_isAnswered(@ForAll @IntRange(max = 1472) int n) {
        byte[] ask = Packets.icmp(Icmp.ICMP_ECHO, 0, 0x12340001, Packets.pattern(n));
        receive(fromPeer(ask));
        byte[] p = net.wire0.nextIp();
        assertThat(Packets.i32(p, 12)).isEqualTo(TestNet.US0);
        assertThat(Packets.i32(p, 16)).isEqualTo(TestNet.PEER0);
        assertThat(Packets.cksum(p, 0, 20)).isZero();
        assertThat(Packets.cksum(p, 20, p.length - 20)).isZero();
        assertThat(p[20]).isZero();
        assertThat(Packets.tail(p, 24)).isEqualTo(Packets.tail(ask, 4));
        assertThat(net.outstanding()).isZero();
    }

    @Test
    @Tag("RFC791-3.2-576")
    void echo_of60Kilobytes_inFragments_isAnsweredInFragments() {
        byte[] ask = Packets.icmp(Icmp.ICMP_ECHO, 0, 1, Packets.pattern(60_000));
        for (int at = 0; at < ask.length; at += 1480) {
            int to = Math.min(ask.length, at + 1480);
            receive(Packets.ip(TestNet.PEER0, TestNet.US0, 1, 5, at / 8 | (to < ask.length ? 0x2000 : 0),
                java.util.Arrays.copyOfRange(ask, at, to)));
        }
        byte[] all = new byte[ask.length];
        int octets = 0;
        for (byte[] f = net.wire0.nextIp(); f != null; f = net.wire0.nextIp()) {
            System.arraycopy(f, 20, all, (Packets.u16(f, 6) & 0x1fff) * 8, f.length - 20);
            octets += f.length - 20;
        }
        assertThat(octets).isEqualTo(ask.length);
        assertThat(Packets.cksum(all, 0, all.length)).isZero();
        assertThat(Packets.tail(all, 4)).isEqualTo(Packets.tail(ask, 4));
    }

    @Test
    void echoToAll_isIgnored_unlessAllowed() {
        byte[] p = Packets.ip(TestNet.PEER0, Packets.addr("10.0.0.255"), 1, 1, 0,
            Packets.icmp(Icmp.ICMP_ECHO, 0, 1, new byte[8]));
        byte[] frame = Packets.ether(0xffff_ffff_ffffL, TestNet.PEER0_MAC, 0x800, p);
        net.wire0.receive(frame);
        assertThat(net.wire0.next()).isNull();
        assertThat(net.stat("icmp.bmcastecho")).isEqualTo(1);
        net.vnet.sysctl().set("net.inet.icmp.bmcastecho", "1");
        net.wire0.receive(frame);
        assertThat(Packets.i32(net.wire0.nextIp(), 12)).isEqualTo(TestNet.US0);
    }

    @Test
    @Tag("RFC1122-3.2.2.6-rr")
    void echo_withRecordRoute_carriesItBack() {
        byte[] p = Packets.withOptions(fromPeer(Packets.icmp(Icmp.ICMP_ECHO, 0, 1, new byte[8])), (byte) 7, (byte) 11,
            (byte) 4);
        p = Packets.withOptions(fromPeer(Packets.icmp(Icmp.ICMP_ECHO, 0, 1, new byte[8])), (byte) 7, (byte) 11,
            (byte) 4, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 0, (byte) 0);
        receive(p);
        byte[] r = net.wire0.nextIp();
        assertThat(Packets.i32(r, 23)).isEqualTo(TestNet.US0);
        assertThat(Packets.cksum(r, 0, 32)).isZero();
        assertThat(Packets.cksum(r, 32, r.length - 32)).isZero();
    }

    /** Source quench, information and address mask requests: of other times. */
    @ParameterizedTest
    @ValueSource(ints = {4, 15, 16, 17, 18})
    @Tag("RFC1122-3.2.2.3")
    @Tag("RFC1122-3.2.2.7")
    @Tag("RFC1122-3.2.2.9")
    void outdatedType_isDroppedInSilence(final int type) {
        receive(fromPeer(Packets.icmp(type, 0, 9, new byte[28])));
        assertThat(net.wire0.next()).isNull();
        assertThat(net.drops(DropReason.ICMP_BADTYPE)).isEqualTo(1);
    }

    @Test
    @Tag("RFC1122-3.2.2.8")
    void timestamp_isAnswered() {
        receive(fromPeer(Packets.icmp(Icmp.ICMP_TSTAMP, 0, 9, new byte[12])));
        byte[] r = net.wire0.nextIp();
        assertThat(r[20]).isEqualTo((byte) Icmp.ICMP_TSTAMPREPLY);
        assertThat(Packets.i32(r, 32)).isEqualTo(net.inet.icmp.iptime());
        assertThat(Packets.cksum(r, 20, r.length - 20)).isZero();
        receive(fromPeer(Packets.icmp(Icmp.ICMP_TSTAMP, 0, 9, new byte[4])));
        assertThat(net.drops(DropReason.ICMP_BADLEN)).isEqualTo(1);
    }

    @Test
    @Tag("RFC1122-3.2.2-type")
    void wrongInAnyWay_isDroppedAndCounted() {
        receive(fromPeer(new byte[7]));
        assertThat(net.drops(DropReason.ICMP_TOOSHORT)).isEqualTo(1);
        byte[] bad = Packets.icmp(Icmp.ICMP_ECHO, 0, 1, new byte[8]);
        bad[2] ^= 1;
        receive(fromPeer(bad));
        assertThat(net.drops(DropReason.ICMP_BADSUM)).isEqualTo(1);
        receive(fromPeer(Packets.icmp(Icmp.ICMP_UNREACH, 99, 1, new byte[28])));
        assertThat(net.drops(DropReason.ICMP_BADCODE)).isEqualTo(1);
        receive(fromPeer(Packets.icmp(Icmp.ICMP_UNREACH, 1, 0, new byte[20])));
        assertThat(net.drops(DropReason.ICMP_BADLEN)).isEqualTo(1);
        receive(fromPeer(Packets.icmp(41, 1, 0, new byte[28])));
        assertThat(net.drops(DropReason.ICMP_BADTYPE)).isEqualTo(1);
        assertThat(net.wire0.next()).isNull();
    }

    @Test
    @Tag("RFC1122-3.2.2-demux")
    void errorAboutOurs_tellsTheTransport_othersAreIgnored() {
        byte[] mine = Packets.ip(TestNet.US0, TestNet.PEER0, TestNet.PROTO, 1, 0, new byte[8]);
        receive(fromPeer(Packets.icmp(Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_PORT, 0, mine)));
        assertThat(net.told).hasSize(1);
        byte[] others = Packets.ip(TestNet.PEER0, TestNet.PEER1, TestNet.PROTO, 1, 0, new byte[8]);
        receive(fromPeer(Packets.icmp(Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_PORT, 0, others)));
        assertThat(net.told).hasSize(1);
        assertThat(net.stat("icmp.badaddr")).isEqualTo(1);
        byte[] withOptions = Packets.withOptions(mine, (byte) 1, (byte) 1, (byte) 1, (byte) 1);
        receive(fromPeer(Packets.icmp(Icmp.ICMP_TIMXCEED, 0, 0, withOptions)));
        assertThat(net.told).hasSize(2);
        byte[] cut = java.util.Arrays.copyOf(withOptions, 31);
        receive(fromPeer(Packets.icmp(Icmp.ICMP_TIMXCEED, 0, 0, cut)));
        assertThat(net.told).hasSize(2);
    }

    @Test
    @Tag("RFC1122-3.3.3")
    void needFrag_goesToTheHostCache_untilItExpires() {
        byte[] mine = Packets.ip(TestNet.US0, TestNet.PEER0, TestNet.PROTO, 1, 0x4000, new byte[1400]);
        receive(fromPeer(Packets.icmp(Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_NEEDFRAG, 1300,
            java.util.Arrays.copyOf(mine, 28))));
        assertThat(net.inet.hostCache.mtu(TestNet.PEER0)).isEqualTo(1300);
        receive(fromPeer(Packets.icmp(Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_NEEDFRAG, 0,
            java.util.Arrays.copyOf(mine, 28))));
        assertThat(net.inet.hostCache.mtu(TestNet.PEER0)).isEqualTo(1006);
        receive(fromPeer(Packets.icmp(Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_NEEDFRAG, 68,
            java.util.Arrays.copyOf(mine, 28))));
        assertThat(net.inet.hostCache.mtu(TestNet.PEER0)).isEqualTo(1006);
        net.advance(4000L * 1_000_000_000L);
        assertThat(net.inet.hostCache.mtu(TestNet.PEER0)).isZero();
        assertThat(net.inet.hostCache.count()).isZero();
    }

    @Test
    void errors_arePacedBySecond() {
        net.vnet.sysctl().set("net.inet.icmp.icmplim", "10");
        net.vnet.sysctl().set("net.inet.icmp.icmplim_jitter", "0");
        for (int i = 0; i < 50; i++) {
            receive(Packets.ip(TestNet.PEER0, TestNet.US0, 200, 1, 0, new byte[8]));
        }
        assertThat(net.wire0.sent).hasSize(10);
        assertThat(net.stat("icmp.ratelimit")).isEqualTo(40);
        net.advance(1_000_000_000L);
        receive(Packets.ip(TestNet.PEER0, TestNet.US0, 200, 1, 0, new byte[8]));
        assertThat(net.wire0.sent).hasSize(11);
    }

    /** How many leave in a second cannot be told beforehand, but within bounds. */
    @Test
    void errors_limitIsOffByAJitter() {
        Set<Integer> seen = new HashSet<>();
        for (int second = 0; second < 20; second++) {
            net.wire0.sent.clear();
            for (int i = 0; i < 220; i++) {
                receive(Packets.ip(TestNet.PEER0, TestNet.US0, 200, 1, 0, new byte[8]));
            }
            assertThat(net.wire0.sent.size()).isBetween(184, 216);
            seen.add(net.wire0.sent.size());
            net.advance(1_000_000_000L);
        }
        assertThat(seen).hasSizeGreaterThan(5);
    }

    /** RFC 1122 section 3.2.2: no error about an error, about a later fragment, or to or from what is not one host. */
    @Test
    @Tag("RFC1122-3.2.2-MUST")
    void noErrorWhereNoneIsAllowed() {
        net.config.setForwarding(true);
        int far = Packets.addr("192.0.2.1");
        byte[] error = Packets.icmp(Icmp.ICMP_UNREACH, 1, 0, new byte[28]);
        receive(Packets.ip(TestNet.PEER0, far, 1, 1, 0, error));
        receive(Packets.ip(TestNet.PEER0, far, TestNet.PROTO, 1, 5, new byte[8]));
        receive(Packets.ip(TestNet.PEER0, far, 1, 1, 0, new byte[0]));
        receive(Packets.ip(TestNet.PEER0, Packets.addr("224.0.0.1"), 200, 1, 0, new byte[8]));
        receive(Packets.ip(0, -1, 200, 1, 0, new byte[8]));
        assertThat(net.wire0.next()).isNull();
        receive(Packets.ip(TestNet.PEER0, far, 1, 1, 0, Packets.icmp(Icmp.ICMP_ECHO, 0, 0, new byte[8])));
        assertThat(net.wire0.nextIp()).isNotNull();
    }

    @Test
    void echoToOneself_byLoopback_isAnswered() {
        byte[] ask = Packets.icmp(Icmp.ICMP_ECHO, 0, 7, Packets.pattern(30_000));
        io.gatun.spi.mbuf.Mbuf m = net.packet(TestNet.US0, TestNet.US0, ask);
        io.gatun.netinet.ip.IpHeader.p(m, 0, 1);
        assertThat(net.output(m, 0)).isEqualTo(Errno.OK);
        assertThat(net.stat("icmp.outhist.0")).isEqualTo(1);
        assertThat(net.stat("icmp.inhist.0")).isEqualTo(1);
        assertThat(net.outstanding()).isZero();
    }

    @Test
    void plateaus_fallStrictly() {
        assertThat(Icmp.nextMtu(1500)).isEqualTo(1492);
        assertThat(Icmp.nextMtu(65_535)).isEqualTo(32_000);
        assertThat(Icmp.nextMtu(60)).isEqualTo(68);
    }

    /** Not even in a frame for this host alone: whoever forges the source would have us answer for all. */
    @Test
    void echo_toTheBroadcastAddressInAUnicastFrame_isNotAnswered() {
        for (String dst : new String[] {"10.0.0.255", "255.255.255.255", "224.0.0.1"}) {
            receive(Packets.ip(TestNet.PEER0, Packets.addr(dst), 1, 1, 0,
                Packets.icmp(Icmp.ICMP_ECHO, 0, 1, new byte[8])));
        }
        assertThat(net.wire0.sent).isEmpty();
        assertThat(net.vnet.drops(DropReason.ICMP_BCAST)).isEqualTo(3);
    }

    /** Resets have the limit of ICMP, and a jitter like it, so that it tells nobody what others have been sent. */
    @Test
    void resets_arePacedBySecond() {
        net.vnet.sysctl().set("net.inet.icmp.icmplim", "10");
        net.vnet.sysctl().set("net.inet.icmp.icmplim_jitter", "0");
        byte[] syn = syn(TestNet.US0);
        for (int i = 0; i < 50; i++) {
            receive(Packets.ip(TestNet.PEER0, TestNet.US0, 6, 1, 0, syn));
        }
        assertThat(net.wire0.sent).hasSize(10);
        assertThat(net.stat("icmp.ratelimit")).isEqualTo(40);
    }

    private static byte[] syn(int dst) {
        byte[] syn = new byte[20];
        Packets.put(syn, 0, 4000, 2);
        Packets.put(syn, 2, 80, 2);
        syn[12] = 0x50;
        syn[13] = 2;
        byte[] summed = new byte[32];
        Packets.put(summed, 0, TestNet.PEER0, 4);
        Packets.put(summed, 4, dst, 4);
        Packets.put(summed, 8, 6 << 16 | syn.length, 4);
        System.arraycopy(syn, 0, summed, 12, syn.length);
        Packets.put(syn, 16, Packets.cksum(summed, 0, summed.length), 2);
        return syn;
    }

    /** MUST-57, also where the frame was for this host alone. */
    @Test
    void synToTheBroadcastAddressInAUnicastFrame_isNotAnswered() {
        for (String dst : new String[] {"10.0.0.255", "255.255.255.255", "224.0.0.1"}) {
            int to = Packets.addr(dst);
            receive(Packets.ip(TestNet.PEER0, to, 6, 1, 0, syn(to)));
        }
        assertThat(net.wire0.sent).isEmpty();
        assertThat(net.vnet.drops(DropReason.TCP_NOPORT)).isEqualTo(3);
    }
}
