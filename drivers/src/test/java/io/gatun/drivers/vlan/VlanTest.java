package io.gatun.drivers.vlan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.Wire;
import io.gatun.drivers.epair.Epair;
import io.gatun.drivers.epair.EpairDriver;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.EtherVlan;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class VlanTest {
    private static final int ADDRS = 12;

    private final Wire wire = new Wire();
    private Vnet vnet;
    private Ifnet parent;
    private Ifnet other;

    @BeforeEach
    void pair() throws ErrnoException {
        vnet = wire.vnet(new VlanDriver(), new EpairDriver());
        parent = vnet.ifnets().create("epair0", Map.of("mtu", "1500"));
        other = Epair.peer(parent);
        Wire.up(parent, other);
    }

    @AfterEach
    void nothingIsLeft() {
        wire.close();
    }

    private Ifnet vlan(int unit, int vid) throws ErrnoException {
        Ifnet v = vnet.ifnets().create("vlan" + unit, Map.of("parent", "epair0a", "vid", Integer.toString(vid)));
        Wire.up(v);
        return v;
    }

    private static byte[] tagged(byte[] frame, int tag) {
        return ByteBuffer.allocate(frame.length + 4).put(frame, 0, ADDRS).putShort((short) 0x8100)
                .putShort((short) tag).put(frame, ADDRS, frame.length - ADDRS).array();
    }

    @Test
    void sent_frame_getsItsTagOnTheWire() throws Exception {
        Ifnet v = vnet.ifnets().create("vlan0", Map.of("parent", "epair0a", "vid", "4094", "pcp", "7"));
        Wire.up(v);
        for (int octets : new int[] {14, 60, 1514}) {
            assertThat(Wire.send(v, Wire.frame(1, octets))).isEqualTo(Errno.OK);
            assertThat(wire.octets(other)).containsExactly(tagged(Wire.frame(1, octets), 7 << 13 | 4094));
        }
        assertThat(v.counter(IfCounter.OPACKETS)).isEqualTo(3);
        assertThat(v.counter(IfCounter.OBYTES)).isEqualTo(14 + 60 + 1514);
    }

    @Test
    void sent_headerScatteredOverMbufs_isTaggedAllTheSame() throws Exception {
        Ifnet v = vlan(0, 5);
        byte[] frame = Wire.frame(1, 40);
        for (int first = 0; first <= 20; first++) {
            Mbuf head = vnet.pool().gethdr(Mbuf.MT_DATA);
            assertThat(head.copyBack(0, first, frame, 0)).isTrue();
            Mbuf rest = vnet.pool().get(Mbuf.MT_DATA);
            assertThat(rest.copyBack(0, frame.length - first, frame, first)).isTrue();
            head.next(rest);
            head.pktLen(frame.length);
            assertThat(v.transmit(head)).isEqualTo(Errno.OK);
            assertThat(wire.octets(other)).as("first mbuf of " + first).containsExactly(tagged(frame, 5));
        }
    }

    @Test
    void received_tag_namesTheInterface() throws Exception {
        Ifnet five = vlan(0, 5);
        Ifnet six = vlan(1, 6);
        receive(5);
        receive(3 << 13 | 6);
        receive(7);
        assertThat(wire.octets(five)).containsExactly(Wire.frame(5, 60));
        List<Mbuf> got = wire.take(six);
        assertThat(got).hasSize(1);
        assertThat(got.getFirst().rcvif()).isSameAs(six);
        assertThat(got.getFirst().has(Mbuf.M_VLANTAG)).isFalse();
        got.getFirst().freeChain();
        assertThat(six.counter(IfCounter.IPACKETS)).isEqualTo(1);
        assertThat(six.counter(IfCounter.IBYTES)).isEqualTo(60);
        assertThat(vnet.drops(DropReason.VLAN_NOTAG)).isEqualTo(1);
        assertThat(parent.counter(IfCounter.NOPROTO)).isEqualTo(1);
    }

    /** As the link layer of the parent does. */
    private void receive(int tag) {
        Mbuf m = EtherVlan.decap(Wire.mbuf(vnet, tagged(Wire.frame(EtherVlan.vlanOfTag(tag), 60), tag)));
        m.rcvif(parent);
        assertThat(m.etherVtag()).isEqualTo(tag);
        parent.vlanTrunk().input(parent, m);
    }

    @Test
    void sharedFrame_decapped_leavesTheOthersOctetsAlone() {
        byte[] frame = tagged(Wire.frame(1, 1000), 5);
        Mbuf mine = Wire.mbuf(vnet, frame);
        Mbuf m = EtherVlan.decap(mine.copyM(0, Mbuf.M_COPYALL));
        assertThat(Wire.octets(m)).isEqualTo(Wire.frame(1, 1000));
        assertThat(Wire.octets(mine)).isEqualTo(frame);
        Mbuf again = EtherVlan.encap(m, 5);
        assertThat(Wire.octets(again)).isEqualTo(frame);
        again.freeChain();
        mine.freeChain();
        assertThat(EtherVlan.decap(Wire.mbuf(vnet, Arrays.copyOf(frame, 17)))).isNull();
    }

    @Test
    void parentsChanges_areFollowed() throws Exception {
        Ifnet v = vlan(0, 5);
        assertThat(v.mtu()).isEqualTo(1500);
        assertThat(v.lladdr()).isEqualTo(parent.lladdr());
        assertThat(v.linkState()).isEqualTo(LinkState.UP);
        parent.linkStateChange(LinkState.DOWN);
        assertThat(v.linkState()).isEqualTo(LinkState.DOWN);
        parent.linkStateChange(LinkState.UP);
        assertThat(v.linkState()).isEqualTo(LinkState.UP);
        assertThat(parent.ioctl(new IfReq.SetMtu(1000))).isEqualTo(Errno.OK);
        assertThat(v.mtu()).isEqualTo(1000);
        assertThat(v.ioctl(new IfReq.SetMtu(1001))).isEqualTo(Errno.EINVAL);
        byte[] mac = {2, 0, 0, 0, 0, 9};
        assertThat(parent.ioctl(new IfReq.SetLladdr(mac))).isEqualTo(Errno.OK);
        assertThat(v.lladdr()).isEqualTo(mac);
        byte[] own = {2, 0, 0, 0, 0, 10};
        assertThat(v.ioctl(new IfReq.SetLladdr(own))).isEqualTo(Errno.OK);
        assertThat(parent.ioctl(new IfReq.SetLladdr(new byte[] {2, 0, 0, 0, 0, 11}))).isEqualTo(Errno.OK);
        assertThat(v.lladdr()).isEqualTo(own);
    }

    @Test
    void parentWithoutRoomForATag_costsTheVlanFourOctets() throws Exception {
        int caps = parent.capenable() & ~Ifnet.IFCAP_VLAN_MTU;
        assertThat(parent.ioctl(new IfReq.SetCap(caps))).isEqualTo(Errno.OK);
        assertThat(vlan(0, 5).mtu()).isEqualTo(1496);
    }

    @Test
    void parentGone_vlanStays_withoutLink() throws Exception {
        Ifnet v = vlan(0, 5);
        assertThat(vnet.ifnets().destroy(parent)).isEqualTo(Errno.OK);
        assertThat(v.linkState()).isEqualTo(LinkState.DOWN);
        assertThat(v.drvFlags() & Ifnet.IFF_DRV_RUNNING).isZero();
        assertThat(Wire.send(v, Wire.frame(1, 60))).isEqualTo(Errno.ENETDOWN);
        assertThat(vnet.drops(DropReason.VLAN_NOPARENT)).isEqualTo(1);
        Ifnet again = vnet.ifnets().create("epair0", Map.of());
        Wire.up(again, Epair.peer(again));
        assertThat(v.ioctl(new IfReq.SetVlan(again, 9, EtherVlan.ETHERTYPE_VLAN))).isEqualTo(Errno.OK);
        assertThat(v.linkState()).isEqualTo(LinkState.UP);
        assertThat(Wire.send(v, Wire.frame(1, 60))).isEqualTo(Errno.OK);
        assertThat(wire.octets(Epair.peer(again))).containsExactly(tagged(Wire.frame(1, 60), 9));
    }

    @Test
    void parentDown_frame_isRefused() throws Exception {
        Ifnet v = vlan(0, 5);
        assertThat(parent.down()).isEqualTo(Errno.OK);
        assertThat(Wire.send(v, Wire.frame(1, 60))).isEqualTo(Errno.ENETDOWN);
        assertThat(v.counter(IfCounter.OERRORS)).isEqualTo(1);
    }

    @Test
    void setVlan_answers() throws Exception {
        Ifnet v = vlan(0, 5);
        Ifnet w = vnet.ifnets().create("vlan1");
        assertThat(w.linkState()).isEqualTo(LinkState.DOWN);
        assertThat(set(w, parent, 5)).as("taken vid").isEqualTo(Errno.EEXIST);
        assertThat(set(w, parent, 0)).isEqualTo(Errno.EINVAL);
        assertThat(set(w, parent, 4095)).isEqualTo(Errno.EINVAL);
        assertThat(set(w, v, 6)).as("vlan on vlan").isEqualTo(Errno.EPROTONOSUPPORT);
        assertThat(w.ioctl(new IfReq.SetVlan(parent, 6, 0x88a8))).isEqualTo(Errno.EPROTONOSUPPORT);
        assertThat(set(v, parent, 6)).as("has a parent").isEqualTo(Errno.EBUSY);
        assertThat(v.ioctl(new IfReq.SetVlan(null, 0, 0))).isEqualTo(Errno.OK);
        assertThat(parent.vlanTrunk()).isNull();
        assertThat(set(w, parent, 5)).isEqualTo(Errno.OK);
        assertThat(parent.vlanTrunk()).isNotNull();
    }

    private static Errno set(Ifnet v, Ifnet p, int vid) {
        return v.ioctl(new IfReq.SetVlan(p, vid, EtherVlan.ETHERTYPE_VLAN));
    }

    @Test
    void parameters_wrong_leaveNothing() {
        int before = vnet.ifnets().all().size();
        for (Map<String, String> wrong : List.of(Map.of("vid", "5"), Map.of("parent", "epair0a"),
                Map.of("parent", "epair0a", "vid", "0"), Map.of("parent", "epair0a", "vid", "4095"),
                Map.of("parent", "epair0a", "vid", "5", "pcp", "8"), Map.of("parent", "nix", "vid", "5"),
                Map.of("parent", "epair0a", "vid", "5", "mtu", "1501"))) {
            assertThatThrownBy(() -> vnet.ifnets().create("vlan0", wrong)).as(wrong.toString())
                    .isInstanceOf(ErrnoException.class);
            assertThat(vnet.ifnets().all()).hasSize(before);
            assertThat(parent.vlanTrunk()).isNull();
        }
    }

    @Test
    void groups_areJoinedAtTheParent_andLeftWithIt() throws Exception {
        Ifnet v = vlan(0, 5);
        SockAddr group = SockAddr.in(0xe0000001, 0);
        assertThat(v.addMulti(group)).isEqualTo(Errno.OK);
        assertThat(v.addMulti(group)).isEqualTo(Errno.OK);
        assertThat(parent.multiaddrs()).containsExactly(group);
        assertThat(v.ioctl(new IfReq.SetVlan(null, 0, 0))).isEqualTo(Errno.OK);
        assertThat(parent.multiaddrs()).isEmpty();
        assertThat(set(v, parent, 5)).isEqualTo(Errno.OK);
        assertThat(parent.multiaddrs()).containsExactly(group);
        assertThat(v.delMulti(group)).isEqualTo(Errno.OK);
        assertThat(v.delMulti(group)).isEqualTo(Errno.OK);
        assertThat(parent.multiaddrs()).isEmpty();
    }
}
