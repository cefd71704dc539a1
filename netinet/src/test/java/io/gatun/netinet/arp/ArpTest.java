package io.gatun.netinet.arp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.TestWire;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ArpTest {
    private static final long SEC = 1_000_000_000L;
    private static final byte[] DATA = Packets.pattern(60);
    private static final int REQUEST = 1;
    private static final int REPLY = 2;
    private final TestNet net = new TestNet();
    private final TestWire wire = net.wire0;
    private final long ours = EtherHeader.addr(net.wire0.ifp.lladdr());

    @AfterEach
    void close() {
        net.close();
    }

    private void hear(int op, long sha, int spa, long tha, int tpa) {
        long dst = op == REPLY ? ours : EtherHeader.BROADCAST;
        wire.receive(Packets.ether(dst, sha, EtherHeader.ETHERTYPE_ARP, Packets.arp(op, sha, spa, tha, tpa)));
    }

    private void peerReplies() {
        hear(REPLY, TestNet.PEER0_MAC, TestNet.PEER0, ours, TestNet.US0);
    }

    private Errno send(int dst) {
        return net.output(net.packet(0, dst, DATA), 0);
    }

    private void isRequest(byte[] f, long dst, int spa, int tpa) {
        assertThat(f).isNotNull();
        assertThat(Packets.mac(f, 0)).isEqualTo(dst);
        assertThat(Packets.u16(f, 12)).isEqualTo(EtherHeader.ETHERTYPE_ARP);
        assertThat(Packets.tail(f, 14)).isEqualTo(Packets.arp(REQUEST, ours, spa, 0, tpa));
    }

    @Test
    void unknown_packetWaits_replySendsIt() {
        assertThat(send(TestNet.PEER0)).isEqualTo(Errno.OK);
        isRequest(wire.next(), EtherHeader.BROADCAST, TestNet.US0, TestNet.PEER0);
        assertThat(wire.next()).isNull();
        peerReplies();
        byte[] f = wire.next();
        assertThat(Packets.mac(f, 0)).isEqualTo(TestNet.PEER0_MAC);
        assertThat(Packets.tail(f, 34)).isEqualTo(DATA);
        send(TestNet.PEER0);
        assertThat(Packets.u16(wire.next(), 12)).isEqualTo(EtherHeader.ETHERTYPE_IP);
        assertThat(net.stat("arp.txrequests")).isEqualTo(3); // two announcements and this
    }

    @Test
    void manyWait_oldestAreDropped_orderIsKept() {
        for (int i = 0; i < 20; i++) {
            net.output(net.packet(0, TestNet.PEER0, new byte[] {(byte) i}), 0);
        }
        assertThat(net.drops(DropReason.ARP_QFULL)).isEqualTo(4);
        wire.sent.clear();
        peerReplies();
        for (int i = 4; i < 20; i++) {
            assertThat(wire.next()[34]).isEqualTo((byte) i);
        }
        assertThat(wire.next()).isNull();
    }

    @Test
    @Tag("RFC1122-3.3.1.4")
    void noAnswer_asksFiveTimes_thenHostIsDown_thenTriesAgain() {
        send(TestNet.PEER0);
        send(TestNet.PEER0);
        net.advance(10 * SEC);
        assertThat(wire.sent).hasSize(5);
        assertThat(net.drops(DropReason.ARP_TIMEOUT)).isEqualTo(2);
        assertThat(net.outstanding()).isZero();
        assertThat(net.config.arp().getFirst().state()).isEqualTo(ArpState.FAILED);
        wire.sent.clear();
        assertThat(send(TestNet.PEER0)).isEqualTo(Errno.EHOSTDOWN);
        assertThat(send(TestNet.PEER0)).isEqualTo(Errno.EHOSTDOWN);
        assertThat(wire.sent).hasSize(1); // asked again, once a second
        peerReplies();
        assertThat(send(TestNet.PEER0)).isEqualTo(Errno.OK);
        assertThat(net.stat("arp.timeouts")).isEqualTo(1);
    }

    @Test
    void failed_isForgotten() {
        send(TestNet.PEER0);
        net.advance(60 * SEC);
        assertThat(net.config.arp()).isEmpty();
        assertThat(send(TestNet.PEER0)).isEqualTo(Errno.OK);
    }

    @Test
    void known_inUse_isAskedAgainInTime_byUnicast() {
        send(TestNet.PEER0);
        peerReplies();
        net.advance(600 * SEC);
        send(TestNet.PEER0);
        wire.sent.clear();
        net.advance(596 * SEC);
        isRequest(wire.next(), TestNet.PEER0_MAC, TestNet.US0, TestNet.PEER0);
        peerReplies();
        net.advance(10 * SEC);
        assertThat(net.config.arp().getFirst().state()).isEqualTo(ArpState.REACHABLE);
        assertThat(net.config.arp().getFirst().lladdr()).isEqualTo(TestNet.PEER0_MAC);
    }

    @Test
    void known_notUsed_isForgottenWithoutAsking() {
        send(TestNet.PEER0);
        peerReplies();
        wire.sent.clear();
        net.advance(1190 * SEC); // the packet that waited counts as use once
        wire.sent.clear();
        net.advance(2500 * SEC);
        assertThat(net.config.arp()).isEmpty();
    }

    @Test
    void stale_noAnswer_isForgotten() {
        send(TestNet.PEER0);
        peerReplies();
        send(TestNet.PEER0);
        wire.sent.clear();
        net.advance(1201 * SEC);
        assertThat(wire.sent).hasSize(5);
        assertThat(net.config.arp()).isEmpty();
    }

    @Test
    void request_forUs_isAnswered_andRemembered() {
        hear(REQUEST, TestNet.PEER0_MAC, TestNet.PEER0, 0, TestNet.US0);
        byte[] f = wire.next();
        assertThat(Packets.mac(f, 0)).isEqualTo(TestNet.PEER0_MAC);
        assertThat(Packets.tail(f, 14))
            .isEqualTo(Packets.arp(REPLY, ours, TestNet.US0, TestNet.PEER0_MAC, TestNet.PEER0));
        assertThat(net.config.arp()).hasSize(1);
    }

    @Test
    void request_forOthers_isNeitherAnsweredNorRemembered() {
        hear(REQUEST, TestNet.PEER0_MAC, TestNet.PEER0, 0, Packets.addr("10.0.0.7"));
        hear(REQUEST, TestNet.PEER0_MAC, TestNet.PEER0, 0, TestNet.US1); // the other interface's address
        assertThat(wire.next()).isNull();
        assertThat(net.config.arp()).isEmpty();
    }

    @Test
    void probe_withoutSender_isAnswered_notRemembered() {
        hear(REQUEST, TestNet.PEER0_MAC, 0, 0, TestNet.US0);
        assertThat(Packets.u16(wire.next(), 20)).isEqualTo(REPLY);
        assertThat(net.config.arp()).isEmpty();
    }

    @Test
    void neighbourMoves_packetsFollow() {
        send(TestNet.PEER0);
        peerReplies();
        hear(REQUEST, 0x0200000000bbL, TestNet.PEER0, 0, TestNet.PEER0); // gratuitous
        wire.sent.clear();
        send(TestNet.PEER0);
        assertThat(Packets.mac(wire.next(), 0)).isEqualTo(0x0200000000bbL);
    }

    @Test
    void ourAddressElsewhere_isReported_andDefended() {
        hear(REQUEST, TestNet.PEER0_MAC, TestNet.US0, 0, TestNet.US0);
        assertThat(net.stat("arp.dupips")).isEqualTo(1);
        assertThat(net.config.lastDuplicate().lladdr()).isEqualTo(TestNet.PEER0_MAC);
        assertThat(net.config.lastDuplicate().ifname()).isEqualTo("wire0");
        assertThat(Packets.u16(wire.next(), 20)).isEqualTo(REPLY);
        assertThat(net.config.arp()).isEmpty();
    }

    @Test
    void wrongInAnyWay_isDropped() {
        byte[] ok = Packets.arp(REQUEST, TestNet.PEER0_MAC, TestNet.PEER0, 0, TestNet.US0);
        byte[] badHardware = ok.clone();
        badHardware[1] = 6;
        byte[] badLength = ok.clone();
        badLength[4] = 8;
        for (byte[] p : List.of(badHardware, badLength)) {
            wire.receive(Packets.ether(ours, TestNet.PEER0_MAC, 0x806, p));
        }
        assertThat(net.drops(DropReason.ARP_BADHDR)).isEqualTo(2);
        for (int n = 0; n < 28; n++) {
            wire.receive(Packets.ether(ours, TestNet.PEER0_MAC, 0x806, java.util.Arrays.copyOf(ok, n)));
        }
        assertThat(net.drops(DropReason.ARP_SHORT)).isEqualTo(28);
        hear(REQUEST, EtherHeader.BROADCAST & ~0L, TestNet.PEER0, 0, TestNet.US0);
        wire.receive(Packets.ether(ours, 2, 0x806, Packets.arp(REQUEST, 0x010000000001L, TestNet.PEER0, 0,
            TestNet.US0)));
        hear(REQUEST, TestNet.PEER0_MAC, Packets.addr("192.0.2.7"), 0, TestNet.US0);
        hear(REQUEST, TestNet.PEER0_MAC, Packets.addr("10.0.0.255"), 0, TestNet.US0);
        assertThat(net.drops(DropReason.ARP_BADADDR)).isEqualTo(3);
        assertThat(net.drops(DropReason.ETHER_MCAST_SRC)).isEqualTo(1);
        assertThat(wire.next()).isNull();
    }

    @Test
    void newAddress_isAnnounced() throws ErrnoException {
        net.config.addAddress(wire.ifp, "10.0.5.1/24");
        int a = Packets.addr("10.0.5.1");
        isRequest(wire.next(), EtherHeader.BROADCAST, a, a);
    }

    @Test
    void staticEntry_isNotOverwrittenNorForgotten() throws ErrnoException {
        net.config.setArp(wire.ifp, "10.0.0.2", "02:00:00:00:00:99");
        hear(REQUEST, TestNet.PEER0_MAC, TestNet.PEER0, 0, TestNet.US0);
        net.advance(5000 * SEC);
        wire.sent.clear();
        send(TestNet.PEER0);
        assertThat(Packets.mac(wire.next(), 0)).isEqualTo(0x020000000099L);
        net.config.deleteArp(wire.ifp, "10.0.0.2");
        assertThat(net.config.arp()).isEmpty();
    }

    @Test
    void published_isAnsweredFor_untilItIsDeleted() throws ErrnoException {
        final int other = Packets.addr("10.0.0.40");
        net.config.setArp(wire.ifp, "10.0.0.40", "02:00:00:00:00:40", true);
        hear(REQUEST, TestNet.PEER0_MAC, TestNet.PEER0, 0, other);
        byte[] f = wire.next();
        assertThat(Packets.mac(f, 0)).isEqualTo(TestNet.PEER0_MAC);
        assertThat(Packets.mac(f, 6)).isEqualTo(ours);
        assertThat(Packets.tail(f, 14))
            .isEqualTo(Packets.arp(REPLY, 0x020000000040L, other, TestNet.PEER0_MAC, TestNet.PEER0));
        hear(REQUEST, TestNet.PEER0_MAC, 0, 0, other);
        assertThat(wire.next()).as("who asks before he takes it").isNotNull();
        hear(REQUEST, 0x020000000041L, other, 0, other);
        hear(REPLY, 0x020000000041L, other, 0, other);
        assertThat(wire.next()).as("nor is anybody contradicted").isNull();
        assertThat(net.config.arp().getFirst().published()).isTrue();
        net.config.setArp(wire.ifp, "10.0.0.40", "02:00:00:00:00:40");
        hear(REQUEST, TestNet.PEER0_MAC, TestNet.PEER0, 0, other);
        assertThat(wire.next()).as("not published any more").isNull();
        net.config.setArp(wire.ifp, "10.0.0.40", "02:00:00:00:00:40", true);
        net.config.deleteArp(wire.ifp, "10.0.0.40");
        hear(REQUEST, TestNet.PEER0_MAC, TestNet.PEER0, 0, other);
        assertThat(wire.next()).isNull();
    }

    @Test
    void ourLinkAddressChanges_headersFollow() {
        send(TestNet.PEER0);
        peerReplies();
        wire.ifp.ioctl(new IfReq.SetLladdr(EtherHeader.octets(0x0200000000ccL)));
        wire.sent.clear();
        send(TestNet.PEER0);
        assertThat(Packets.mac(wire.next(), 6)).isEqualTo(0x0200000000ccL);
    }

    @Test
    void tenThousandNeighbours_tableStaysBounded_usedOnesStay() throws ErrnoException {
        net.config.addAddress(wire.ifp, "10.4.0.1/16");
        net.vnet.sysctl().set("net.link.ether.inet.maxentries", "500");
        send(TestNet.PEER0);
        peerReplies();
        for (int i = 0; i < 10_000; i++) {
            int spa = Packets.addr("10.4.1.0") + i;
            hear(REQUEST, 0x020000100000L + i, spa, 0, Packets.addr("10.4.0.1"));
            if (i % 100 == 0) {
                send(TestNet.PEER0); // in use
            }
            wire.sent.clear();
        }
        assertThat(net.config.arp()).hasSize(500);
        send(TestNet.PEER0);
        assertThat(Packets.mac(wire.next(), 0)).isEqualTo(TestNet.PEER0_MAC);
        for (int i = 0; i < 10_000; i++) {
            send(Packets.addr("10.4.64.0") + i); // and a scan that nobody answers
            wire.sent.clear();
        }
        assertThat(net.config.arp()).hasSize(500);
        net.advance(60 * SEC);
        assertThat(net.outstanding()).isZero();
    }

    @Test
    void interfaceComesUp_addressesAreAnnounced_staticEntriesStay() throws ErrnoException {
        net.config.setArp(wire.ifp, "10.0.0.9", "02:00:00:00:00:99");
        send(TestNet.PEER0);
        wire.sent.clear();
        wire.ifp.down();
        assertThat(net.config.arp()).hasSize(1);
        wire.ifp.up();
        isRequest(wire.next(), EtherHeader.BROADCAST, TestNet.US0, TestNet.US0);
        assertThat(wire.next()).isNull();
    }

    @Test
    void interfaceDown_nothingIsSent() {
        wire.ifp.down();
        assertThat(send(TestNet.PEER0)).isEqualTo(Errno.ENETDOWN);
        assertThat(net.outstanding()).isZero();
    }

    /** Without a secret anybody could invert the multiplier, and choose addresses that fall into one bucket. */
    @Test
    void addressesChosenToCollide_spreadOverTheBuckets() {
        int hash = 0x9e3779b9;
        int inverse = hash;
        for (int i = 0; i < 5; i++) {
            inverse *= 2 - hash * inverse;
        }
        ArpTable table = (ArpTable) wire.ifp.llSoftc();
        for (int i = 1; i <= 4000; i++) {
            table.learn(i * inverse, TestNet.PEER0_MAC, true);
        }
        assertThat(table.depth()).isLessThan(16);
    }
}
