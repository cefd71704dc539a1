package io.gatun.netinet.ether;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Packets;
import io.gatun.netinet.TestNet;
import io.gatun.netinet.TestWire;
import io.gatun.netinet.ip.InMulti;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EtherTest {
    private static final byte[] PACKET =
        Packets.ip(TestNet.PEER0, TestNet.US0, TestNet.PROTO, 1, 0, Packets.pattern(30));
    private final TestNet net = new TestNet().resolved();
    private final TestWire wire = net.wire0;

    @AfterEach
    void close() {
        net.close();
    }

    private static byte[] frame(long dst, long src, int type) {
        return Packets.ether(dst, src, type, PACKET);
    }

    private static byte[] tagged(int tag, int type) {
        byte[] f = frame(TestWire.mac(0), TestNet.PEER0_MAC, type);
        byte[] t = new byte[f.length + 4];
        System.arraycopy(f, 0, t, 0, 12);
        Packets.put(t, 12, EtherHeader.ETHERTYPE_VLAN, 2);
        Packets.put(t, 14, tag, 2);
        System.arraycopy(f, 12, t, 16, f.length - 12);
        return t;
    }

    @Test
    void oursAndBroadcast_areTaken_othersNot() {
        wire.receive(frame(TestWire.mac(0), TestNet.PEER0_MAC, 0x800));
        assertThat(net.got).hasSize(1);
        wire.receive(frame(TestWire.mac(9), TestNet.PEER0_MAC, 0x800));
        wire.ifp.setFlagBits(io.gatun.spi.ifnet.Ifnet.IFF_PROMISC, 0);
        wire.receive(frame(TestWire.mac(9), TestNet.PEER0_MAC, 0x800)); // for taps alone
        assertThat(net.drops(DropReason.ETHER_NOT_FOR_US)).isEqualTo(2);
        assertThat(net.got).hasSize(1);
    }

    @Test
    void groupAsSource_isRefused() {
        wire.receive(frame(TestWire.mac(0), 0x01005e000001L, 0x800));
        assertThat(net.drops(DropReason.ETHER_MCAST_SRC)).isEqualTo(1);
        assertThat(wire.ifp.counter(IfCounter.IERRORS)).isEqualTo(1);
    }

    @Test
    void shortFrames_areDropped() {
        byte[] f = frame(TestWire.mac(0), TestNet.PEER0_MAC, 0x800);
        for (int n = 0; n < 14; n++) {
            wire.receive(java.util.Arrays.copyOf(f, n));
        }
        assertThat(net.drops(DropReason.ETHER_SHORT)).isEqualTo(14);
        byte[] t = tagged(5, 0x800);
        for (int n = 14; n < 18; n++) {
            wire.receive(java.util.Arrays.copyOf(t, n));
        }
        assertThat(net.drops(DropReason.VLAN_SHORT)).isEqualTo(4);
        assertThat(net.outstanding()).isZero();
    }

    @Test
    void unknownType_isCounted() {
        wire.receive(frame(TestWire.mac(0), TestNet.PEER0_MAC, 0x88cc));
        assertThat(net.drops(DropReason.ETHER_NOPROTO)).isEqualTo(1);
        assertThat(wire.ifp.counter(IfCounter.NOPROTO)).isEqualTo(1);
        wire.receive(frame(TestWire.mac(0), TestNet.PEER0_MAC, EtherHeader.ETHERTYPE_IPV6));
        assertThat(net.drops(DropReason.NETISR_NOPROTO)).isEqualTo(1);
    }

    @Test
    void headerInPieces_isTaken() {
        byte[] f = frame(TestWire.mac(0), TestNet.PEER0_MAC, 0x800);
        Mbuf head = net.vnet.pool().gethdr(Mbuf.MT_DATA);
        Mbuf tail = head;
        for (byte b : f) {
            Mbuf m = net.vnet.pool().get(Mbuf.MT_DATA);
            m.len(1);
            m.put8(0, b);
            tail.next(m);
            tail = m;
        }
        head.pktLen(f.length);
        head.rcvif(wire.ifp);
        wire.ifp.input(head);
        assertThat(net.got).containsExactly(PACKET);
    }

    @Test
    void linkedFrames_areTakenInOrder() {
        byte[] f = frame(TestWire.mac(0), TestNet.PEER0_MAC, 0x800);
        Mbuf first = null;
        Mbuf last = null;
        for (int i = 0; i < 3; i++) {
            Packets.put(f, 18, i, 2);
            byte[] ip = Packets.fixIp(Packets.tail(f, 14));
            byte[] g = Packets.ether(TestWire.mac(0), TestNet.PEER0_MAC, 0x800, ip);
            Mbuf m = net.vnet.pool().devget(java.lang.foreign.MemorySegment.ofArray(g), 0, g.length, wire.ifp);
            if (first == null) {
                first = m;
            } else {
                last.nextPkt(m);
            }
            last = m;
        }
        wire.ifp.input(first);
        assertThat(net.got).extracting(b -> Packets.u16(b, 4)).containsExactly(0, 1, 2);
    }

    @Test
    void tagged_priorityOnly_isUntagged() {
        wire.receive(tagged(5 << 13, 0x800));
        assertThat(net.got).containsExactly(PACKET);
    }

    @Test
    void tagged_goesToTheTrunk_orIsDropped() {
        wire.receive(tagged(7, 0x800));
        assertThat(net.drops(DropReason.VLAN_NOPARENT)).isEqualTo(1);
        List<Integer> tags = new ArrayList<>();
        wire.ifp.setVlanTrunk((parent, m) -> {
            assertThat(parent).isSameAs(wire.ifp);
            assertThat(EtherHeader.type(m)).isEqualTo(0x800);
            tags.add(m.etherVtag());
            m.freeChain();
        });
        wire.receive(tagged(7, 0x800));
        wire.receive(tagged(3 << 13 | 9, 0x800));
        assertThat(tags).containsExactly(7, 3 << 13 | 9);
        assertThat(net.got).isEmpty();
    }

    @Test
    void transmitFails_errorComesBack() {
        wire.outcome = Errno.ENOBUFS;
        assertThat(net.output(net.packet(0, TestNet.PEER0, new byte[4]), 0)).isEqualTo(Errno.ENOBUFS);
        assertThat(net.outstanding()).isZero();
    }

    @Test
    void strangeFamily_isRefused() {
        Mbuf m = net.packet(0, TestNet.PEER0, new byte[4]);
        assertThat(wire.ifp.output(m, SockAddr.un("x"))).isEqualTo(Errno.EAFNOSUPPORT);
        assertThat(net.outstanding()).isZero();
    }

    @Test
    void groupsMapToTheirLinkAddress() {
        assertThat(InMulti.mapIp(Packets.addr("224.128.0.1"))).isEqualTo(0x01005e000001L);
        assertThat(InMulti.mapIp(Packets.addr("239.255.255.255"))).isEqualTo(0x01005e7fffffL);
        assertThat(EtherHeader.format(0x0200000000ffL)).isEqualTo("02:00:00:00:00:ff");
    }
}
