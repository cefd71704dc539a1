package io.gatun.drivers.epair;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.drivers.Wire;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class EpairTest {
    private final Wire wire = new Wire();

    @AfterEach
    void nothingIsLeft() {
        wire.close();
    }

    private static Epair up(Vnet a, Vnet b, Epair.Config config) throws ErrnoException {
        Epair pair = Epair.join(a, b, 0, config);
        Wire.up(pair.a(), pair.b());
        return pair;
    }

    @Test
    void onePool_frame_crossesWithoutACopy() throws Exception {
        MbufPool pool = MbufPool.builder().small().build();
        Epair pair = up(wire.vnet(pool), wire.vnet(pool), Epair.Config.DEFAULT);
        Mbuf sent = pool.gethdr(Mbuf.MT_DATA);
        assertThat(sent.append(Wire.frame(1, 1000), 0, 1000)).isTrue();
        sent.pktLen(1000);
        assertThat(pair.a().transmit(sent)).isEqualTo(Errno.OK);
        List<Mbuf> got = wire.take(pair.b());
        assertThat(got).singleElement().isSameAs(sent);
        assertThat(got.getFirst().rcvif()).isSameAs(pair.b());
        assertThat(Wire.octets(got.getFirst())).isEqualTo(Wire.frame(1, 1000));
        got.getFirst().freeChain();
    }

    @Test
    void twoPools_frame_isCopiedIntoTheReceivers() throws Exception {
        Vnet a = wire.vnet();
        Vnet b = wire.vnet();
        Epair pair = up(a, b, new Epair.Config(9000, 10, false, false));
        assertThat(Wire.send(pair.a(), Wire.frame(2, 9000))).isEqualTo(Errno.OK);
        List<Mbuf> got = wire.take(pair.b());
        assertThat(a.pool().outstanding()).isZero();
        assertThat(got).hasSize(1);
        assertThat(got.getFirst().pool()).isSameAs(b.pool());
        assertThat(Wire.octets(got.getFirst())).isEqualTo(Wire.frame(2, 9000));
        got.getFirst().freeChain();
    }

    @Test
    void twoPools_receiverOutOfMbufs_senderHearsOfIt() throws Exception {
        Vnet a = wire.vnet();
        MbufPool poor = MbufPool.builder().small().nmbufs(2).build();
        Vnet b = wire.vnet(poor);
        Epair pair = up(a, b, Epair.Config.DEFAULT);
        for (int i = 0; i < 2; i++) {
            assertThat(Wire.send(pair.a(), Wire.frame(i, 60))).isEqualTo(Errno.OK);
        }
        assertThat(Wire.send(pair.a(), Wire.frame(2, 60))).isEqualTo(Errno.ENOBUFS);
        assertThat(b.drops(DropReason.MBUF_NOMEM)).isEqualTo(1);
        assertThat(a.pool().outstanding()).isZero();
        assertThat(wire.octets(pair.b())).containsExactly(Wire.frame(0, 60), Wire.frame(1, 60));
        assertThat(Wire.send(pair.a(), Wire.frame(3, 60))).isEqualTo(Errno.OK);
    }

    @Test
    void checksums_areVouchedFor_unlessAskedFor() throws Exception {
        Epair trusted = up(wire.vnet(), wire.vnet(), Epair.Config.DEFAULT);
        Epair strict = up(wire.vnet(), wire.vnet(), new Epair.Config(1500, 10, true, false));
        assertThat(trusted.a().capenable() & Ifnet.IFCAP_HWCSUM).isEqualTo(Ifnet.IFCAP_HWCSUM);
        assertThat(strict.a().capenable() & Ifnet.IFCAP_HWCSUM).isZero();
        int all = Csum.CSUM_IP_CHECKED | Csum.CSUM_IP_VALID | Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;
        assertThat(flagsAfter(trusted) & all).isEqualTo(all);
        assertThat(flagsAfter(strict) & all).isZero();
    }

    private int flagsAfter(Epair pair) {
        assertThat(Wire.send(pair.a(), Wire.frame(1, 60))).isEqualTo(Errno.OK);
        Mbuf m = wire.take(pair.b()).getFirst();
        int flags = m.csumFlags();
        m.freeChain();
        return flags;
    }

    @Test
    void destroyed_withFramesUnderWay_freesThemAndUnlinks() throws Exception {
        Vnet a = wire.vnet();
        Vnet b = wire.vnet();
        Epair pair = up(a, b, Epair.Config.DEFAULT);
        assertThat(pair.a().linkState()).isEqualTo(LinkState.UP);
        for (int i = 0; i < 10; i++) {
            assertThat(Wire.send(pair.a(), Wire.frame(i, 60))).isEqualTo(Errno.OK);
            assertThat(Wire.send(pair.b(), Wire.frame(i, 60))).isEqualTo(Errno.OK);
        }
        pair.destroy();
        pair.destroy();
        assertThat(a.ifnets().all()).isEmpty();
        assertThat(b.ifnets().all()).isEmpty();
        assertThat(a.pool().outstanding() + b.pool().outstanding()).isZero();
        Epair again = up(a, b, Epair.Config.DEFAULT);
        assertThat(Wire.send(again.a(), Wire.frame(1, 60))).isEqualTo(Errno.OK);
        assertThat(wire.octets(again.b())).hasSize(1);
    }

    @Test
    void join_nameTaken_leavesNothing() throws Exception {
        Vnet a = wire.vnet();
        Vnet b = wire.vnet();
        Epair first = Epair.join(b, b, 7, Epair.Config.DEFAULT);
        assertThatThrownBy(() -> Epair.join(a, b, 7, Epair.Config.DEFAULT))
                .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
        assertThat(a.ifnets().all()).isEmpty();
        first.destroy();
        Epair.join(a, b, 7, Epair.Config.DEFAULT);
    }

    @Test
    void parameters_wrong_areNamed() throws Exception {
        Vnet v = wire.vnet(new EpairDriver());
        for (Map<String, String> wrong : List.of(Map.of("mtu", "67"), Map.of("mtu", "x"), Map.of("qlimit", "0"),
                Map.of("colour", "red"))) {
            assertThatThrownBy(() -> v.ifnets().create("epair0", wrong)).as(wrong.toString())
                    .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
                    .hasMessageContaining(wrong.keySet().iterator().next());
        }
        Ifnet a = v.ifnets().create("epair3", Map.of("mtu", "9000"));
        assertThat(a.mtu()).isEqualTo(9000);
        assertThat(Epair.peer(a).xname()).isEqualTo("epair3b");
        assertThat(a.lladdr()).isNotEqualTo(Epair.peer(a).lladdr());
    }
}
