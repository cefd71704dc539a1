package io.gatun.netinet.ip;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.ErrnoException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class IpInputTest {
    private static final byte[] DATA = Packets.pattern(100);
    private static final int FAR = Packets.addr("192.0.2.9");
    private final TestNet net = new TestNet().resolved();

    @AfterEach
    void close() {
        net.close();
    }

    private static byte[] packet(int src, int dst) {
        return Packets.ip(src, dst, TestNet.PROTO, 1, 0, DATA);
    }

    private void receive(byte[] p) {
        net.wire0.receiveIp(TestNet.PEER0_MAC, p);
    }

    private void refused(DropReason why, byte[] p) {
        long before = net.drops(why);
        receive(p);
        assertThat(net.got).isEmpty();
        assertThat(net.drops(why)).as("%s", why).isEqualTo(before + 1);
        assertThat(net.outstanding()).isZero();
    }

    @Test
    void forUs_isDelivered_paddingTrimmed() {
        receive(java.util.Arrays.copyOf(packet(TestNet.PEER0, TestNet.US0), 130));
        assertThat(net.got).containsExactly(packet(TestNet.PEER0, TestNet.US0));
        assertThat(net.stat("ip.delivered")).isEqualTo(1);
    }

    @Test
    void otherAddressOfOurs_isDelivered_unlessStrong() {
        receive(packet(TestNet.PEER0, TestNet.US1));
        assertThat(net.got).hasSize(1);
        net.got.clear();
        net.vnet.sysctl().set("net.inet.ip.rfc1122_strong_es", "1");
        refused(DropReason.IP_NOT_FOR_US, packet(TestNet.PEER0, TestNet.US1));
    }

    @Nested
    class Header {
        @Test
        @Tag("RFC791-3.1-v")
        @Tag("RFC791-3.1-ihl")
        @Tag("RFC1122-3.2.1.1")
        @Tag("RFC1122-3.2.1.2")
        void wrongInAnyWay_isDroppedAndCounted() {
            byte[] ok = packet(TestNet.PEER0, TestNet.US0);
            refused(DropReason.IP_TOOSHORT, new byte[19]);
            refused(DropReason.IP_BADVERS, with(ok, 0, 0x65));
            refused(DropReason.IP_BADHLEN, with(ok, 0, 0x44));
            refused(DropReason.IP_BADHLEN, java.util.Arrays.copyOf(with(ok, 0, 0x4f), 40));
            refused(DropReason.IP_BADLEN, with(ok, 3, 19));
            refused(DropReason.IP_BADLEN, with(ok, 2, 2));
            byte[] badsum = ok.clone();
            badsum[11] ^= 1;
            refused(DropReason.IP_BADSUM, badsum);
            assertThat(net.stat("ip.badsum")).isEqualTo(1);
            assertThat(net.stat("ip.badlen")).isEqualTo(1);
            assertThat(net.stat("ip.tooshort")).isEqualTo(1);
        }

        private byte[] with(byte[] b, int at, int v) {
            byte[] c = b.clone();
            c[at] = (byte) v;
            return Packets.fixIp(c);
        }

        @Test
        @Tag("RFC1122-3.2.1.3-src")
        @Tag("RFC1122-4.1.3.6")
        void addressesThatCannotBe_areDropped() {
            int[] badSources = {0, -1, Packets.addr("127.0.0.1"), Packets.addr("224.0.0.1"), Packets.addr("10.0.0.255"),
                Packets.addr("0.1.2.3"), TestNet.US0, TestNet.US1};
            for (int src : badSources) {
                refused(DropReason.IP_BADADDR, packet(src, TestNet.US0));
            }
            refused(DropReason.IP_BADADDR, packet(TestNet.PEER0, Packets.addr("127.0.0.1")));
            refused(DropReason.IP_BADADDR, packet(TestNet.PEER0, 0));
            assertThat(net.stat("ip.badaddr")).isEqualTo(badSources.length + 2);
        }
    }

    @Nested
    class ToMany {
        @Test
        @Tag("RFC1122-3.2.1.3-all")
        void broadcast_ofThisNetwork_isDelivered() {
            receive(packet(TestNet.PEER0, -1));
            receive(packet(TestNet.PEER0, Packets.addr("10.0.0.255")));
            receive(packet(0, -1)); // a host without an address yet
            assertThat(net.got).hasSize(3);
        }

        @Test
        void broadcast_ofAnotherNetwork_isNot() {
            refused(DropReason.IP_NOFORWARD, packet(TestNet.PEER0, Packets.addr("10.0.1.255")));
            net.config.setForwarding(true);
            refused(DropReason.IP_BCAST, packet(TestNet.PEER0, Packets.addr("10.0.1.255")));
        }

        @Test
        @Tag("RFC1122-3.3.7")
        void group_joinedOnThatInterface_isDelivered() {
            int group = Packets.addr("239.1.2.3");
            byte[] frame = Packets.ether(InMulti.mapIp(group), TestNet.PEER0_MAC, EtherHeader.ETHERTYPE_IP,
                packet(TestNet.PEER0, group));
            net.wire0.receive(frame);
            assertThat(net.drops(DropReason.ETHER_NOT_FOR_US)).isEqualTo(1);
            InMulti.join(net.wire0.ifp, group);
            net.wire0.receive(frame);
            net.wire1.receive(frame);
            assertThat(net.got).hasSize(1);
            InMulti.leave(net.wire0.ifp, group);
            net.wire0.receive(frame);
            assertThat(net.got).hasSize(1);
            net.got.clear();
            refused(DropReason.IP_MCAST_NOGROUP, packet(TestNet.PEER0, group));
        }

        @Test
        @Tag("RFC1122-3.3.6")
        void unicastInABroadcastFrame_isDropped() {
            net.wire0.receive(Packets.ether(EtherHeader.BROADCAST, TestNet.PEER0_MAC, EtherHeader.ETHERTYPE_IP,
                packet(TestNet.PEER0, TestNet.US0)));
            assertThat(net.got).isEmpty();
            assertThat(net.drops(DropReason.IP_BCAST)).isEqualTo(1);
        }
    }

    @Nested
    class Forwarding {
        private void icmp(int type, int code, byte[] about) {
            byte[] e = net.wire0.nextIp();
            assertThat(e).isNotNull();
            assertThat(Packets.u8(e, 20)).isEqualTo(type);
            assertThat(Packets.u8(e, 21)).isEqualTo(code);
            assertThat(Packets.i32(e, 16)).isEqualTo(Packets.i32(about, 12));
            assertThat(Packets.i32(e, 12)).isEqualTo(TestNet.US0);
            assertThat(Packets.cksum(e, 0, 20)).isZero();
            assertThat(Packets.cksum(e, 20, e.length - 20)).isZero();
            assertThat(Packets.tail(e, 28)).isEqualTo(java.util.Arrays.copyOf(about, Math.min(about.length, 548)));
        }

        @Test
        @Tag("RFC1122-3.2.1.3-dst")
        void off_packetForOthers_isDroppedSilently() {
            refused(DropReason.IP_NOFORWARD, packet(TestNet.PEER0, TestNet.PEER1));
            assertThat(net.wire0.next()).isNull();
        }

        @Test
        @Tag("RFC791-3.1-ttl")
        @Tag("RFC791-3.1-sum")
        void on_packetGoesOn_ttlLess_sumRight() {
            net.config.setForwarding(true);
            byte[] p = packet(TestNet.PEER0, TestNet.PEER1);
            receive(p);
            byte[] f = net.wire1.next();
            assertThat(Packets.mac(f, 0)).isEqualTo(TestNet.PEER1_MAC);
            byte[] out = Packets.tail(f, 14);
            p[8]--;
            assertThat(out).isEqualTo(Packets.fixIp(p));
            assertThat(net.stat("ip.forward")).isEqualTo(1);
        }

        @Test
        @Tag("RFC791-3.1-ttl")
        @Tag("RFC1122-3.2.2-quote")
        void ttlGone_timeExceeded() {
            net.config.setForwarding(true);
            byte[] p = packet(TestNet.PEER0, TestNet.PEER1);
            p[8] = 1;
            receive(Packets.fixIp(p));
            icmp(Icmp.ICMP_TIMXCEED, Icmp.ICMP_TIMXCEED_INTRANS, p);
            assertThat(net.drops(DropReason.IP_TTL)).isEqualTo(1);
        }

        @Test
        void noRoute_hostUnreachable() throws ErrnoException {
            net.config.setForwarding(true);
            receive(packet(TestNet.PEER0, FAR));
            icmp(Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_HOST, packet(TestNet.PEER0, FAR));
            net.config.addReject("192.0.2.0/24");
            receive(packet(TestNet.PEER0, FAR));
            icmp(Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_HOST, packet(TestNet.PEER0, FAR));
            net.config.deleteRoute("192.0.2.0/24");
            net.config.addBlackhole("192.0.2.0/24");
            receive(packet(TestNet.PEER0, FAR));
            assertThat(net.wire0.next()).isNull();
            net.config.deleteRoute("192.0.2.0/24");
            net.config.addDefault("10.0.1.2");
            receive(packet(TestNet.PEER0, FAR));
            assertThat(net.wire1.nextIp()).isNotNull();
        }

        @Test
        @Tag("RFC791-3.2-df")
        void tooLarge_isCut_orToldTheMtu() {
            net.config.setForwarding(true);
            net.wire1.ifp.setMtu(600);
            byte[] big = Packets.ip(TestNet.PEER0, TestNet.PEER1, TestNet.PROTO, 5, 0, Packets.pattern(1400));
            receive(big);
            int octets = 0;
            for (byte[] f = net.wire1.nextIp(); f != null; f = net.wire1.nextIp()) {
                assertThat(f.length).isLessThanOrEqualTo(600);
                assertThat(Packets.cksum(f, 0, 20)).isZero();
                octets += f.length - 20;
            }
            assertThat(octets).isEqualTo(1400);
            byte[] df = Packets.ip(TestNet.PEER0, TestNet.PEER1, TestNet.PROTO, 5, IpHeader.IP_DF,
                Packets.pattern(1400));
            receive(df);
            byte[] e = net.wire0.nextIp();
            assertThat(Packets.u8(e, 21)).isEqualTo(Icmp.ICMP_UNREACH_NEEDFRAG);
            assertThat(Packets.u16(e, 26)).isEqualTo(600);
            assertThat(e.length).isLessThanOrEqualTo(576);
        }

        @Test
        void unknownNeighbour_doesNotAnswer_hostUnreachable() {
            net.config.setForwarding(true);
            receive(packet(TestNet.PEER0, Packets.addr("10.0.1.77")));
            assertThat(net.wire0.next()).isNull();
            net.advance(6_000_000_000L);
            icmp(Icmp.ICMP_UNREACH, Icmp.ICMP_UNREACH_HOST, Packets.fixIp(minusTtl(
                packet(TestNet.PEER0, Packets.addr("10.0.1.77")))));
        }

        private byte[] minusTtl(byte[] p) {
            p[8]--;
            return p;
        }

        @Test
        void linkLocalOrGroup_isNotForwarded() {
            net.config.setForwarding(true);
            refused(DropReason.IP_CANTFORWARD, packet(TestNet.PEER0, Packets.addr("169.254.1.1")));
            refused(DropReason.IP_CANTFORWARD, packet(Packets.addr("169.254.1.1"), TestNet.PEER1));
        }
    }

    @Nested
    class Options {
        private static final byte RR = 7;

        @Test
        @Tag("RFC791-3.1-opt")
        @Tag("RFC1122-3.2.1.8-rr")
        void recordRoute_getsOurAddress() {
            receive(Packets.withOptions(packet(TestNet.PEER0, TestNet.US0), RR, (byte) 7, (byte) 4, (byte) 0, (byte) 0,
                (byte) 0, (byte) 0));
            byte[] g = net.got.getFirst();
            assertThat(Packets.i32(g, 23)).isEqualTo(TestNet.US0);
            assertThat(g[22]).isEqualTo((byte) 8);
            assertThat(Packets.cksum(g, 0, 28)).isZero();
        }

        @Test
        @Tag("RFC791-3.1-opt")
        @Tag("RFC1122-3.2.1.8-rr")
        void timestamp_isFilled_thenOverflowCounts() {
            byte[] p = Packets.withOptions(packet(TestNet.PEER0, TestNet.US0), (byte) 68, (byte) 8, (byte) 5, (byte) 0);
            p = Packets.fixIp(p);
            byte[] q = Packets.withOptions(packet(TestNet.PEER0, TestNet.US0), (byte) 68, (byte) 8, (byte) 5, (byte) 0,
                (byte) 0, (byte) 0, (byte) 0, (byte) 0);
            receive(q);
            assertThat(Packets.i32(net.got.getFirst(), 24)).isEqualTo(net.inet.icmp.iptime());
            q[22] = 9;
            receive(Packets.fixIp(q));
            assertThat(net.got.get(1)[23]).isEqualTo((byte) 0x10);
            assertThat(p).hasSize(124);
        }

        @Test
        @Tag("RFC1122-3.2.1.8-sr")
        void sourceRoute_isDropped() {
            refused(DropReason.IP_SRCROUTE, Packets.withOptions(packet(TestNet.PEER0, TestNet.US0), (byte) 131,
                (byte) 7, (byte) 4, (byte) 10, (byte) 0, (byte) 1, (byte) 2));
        }

        @Test
        void malformed_parameterProblemNamesTheOctet() {
            byte[] p = Packets.withOptions(packet(TestNet.PEER0, TestNet.US0), (byte) 1, (byte) 148, (byte) 9);
            refused(DropReason.IP_BADOPT, p);
            byte[] e = net.wire0.nextIp();
            assertThat(Packets.u8(e, 20)).isEqualTo(Icmp.ICMP_PARAMPROB);
            assertThat(Packets.u8(e, 24)).isEqualTo(22);
        }

        @Test
        @Tag("RFC1122-3.2.1.8-opt")
        @Tag("RFC9293-MUST-50")
        void unknown_isIgnored() {
            receive(Packets.withOptions(packet(TestNet.PEER0, TestNet.US0), (byte) 0x9e, (byte) 6, (byte) 1, (byte) 2,
                (byte) 3, (byte) 4));
            assertThat(net.got).hasSize(1);
        }

        @Test
        void refusedBySysctl_prohibited() {
            net.vnet.sysctl().set("net.inet.ip.process_options", "2");
            refused(DropReason.IP_FILTERED, Packets.withOptions(packet(TestNet.PEER0, TestNet.US0), (byte) 1));
        }
    }

    @Test
    @Tag("RFC1122-3.2.2-MUST")
    @Tag("RFC1122-3.2.2.1-send")
    void unknownProtocol_protocolUnreachable_butNotToMany() {
        receive(Packets.ip(TestNet.PEER0, TestNet.US0, 200, 1, 0, DATA));
        byte[] e = net.wire0.nextIp();
        assertThat(Packets.u8(e, 21)).isEqualTo(Icmp.ICMP_UNREACH_PROTOCOL);
        receive(Packets.ip(TestNet.PEER0, -1, 200, 1, 0, DATA));
        assertThat(net.wire0.nextIp()).isNull();
        assertThat(net.drops(DropReason.IP_NOPROTO)).isEqualTo(2);
    }
}
