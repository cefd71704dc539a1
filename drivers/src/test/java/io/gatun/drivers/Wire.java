package io.gatun.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.ifnet.LinkLayer;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Vnets without threads and domains whose Ethernets keep what comes in. Closing checks that nothing is left. */
public final class Wire implements AutoCloseable, LinkLayer {
    public final VirtualClock clock = new VirtualClock();
    private final List<Vnet> vnets = new ArrayList<>();
    private final Map<Ifnet, List<Mbuf>> arrived = new HashMap<>();

    public Vnet vnet(IfnetDriver... drivers) {
        return vnet(null, drivers);
    }

    /** On a pool shared with others; null for one of its own. */
    public Vnet vnet(MbufPool pool, IfnetDriver... drivers) {
        var b = Vnet.builder().name("wire" + vnets.size()).services(false).clock(clock).seed(vnets.size());
        b = pool == null ? b.pool(MbufPool.builder().small()) : b.pool(pool);
        for (IfnetDriver d : drivers) {
            b.driver(d);
        }
        Vnet v = b.build();
        vnets.add(v);
        assertThat(v.ifnets().registerLinkLayer(Ifnet.IFT_ETHER, this)).isEqualTo(Errno.OK);
        assertThat(v.ifnets().registerLinkLayer(Ifnet.IFT_L2VLAN, this)).isEqualTo(Errno.OK);
        return v;
    }

    @Override
    public Errno attach(Ifnet ifp) {
        ifp.setInputFn(this::input);
        ifp.setOutputFn((i, m, dst) -> i.transmit(m));
        return Errno.OK;
    }

    @Override
    public void detach(Ifnet ifp) {
        // what came in stays
    }

    /** Lets time pass, in steps of what is due. */
    public void advance(long spanNs) {
        io.gatun.protosw.Vnets.advance(clock, spanNs, vnets.toArray(Vnet[]::new));
    }

    public void settle() {
        io.gatun.protosw.Vnets.runUntilIdle(vnets.toArray(Vnet[]::new));
    }

    /** What has come in, which the caller frees. */
    public List<Mbuf> take(Ifnet ifp) {
        settle();
        List<Mbuf> got = arrived.remove(ifp);
        return got == null ? List.of() : got;
    }

    /** What comes up may be a list, as {@code ether_input} takes it. */
    private void input(Ifnet ifp, Mbuf list) {
        Mbuf m = list;
        while (m != null) {
            Mbuf next = m.nextPkt();
            m.nextPkt(null);
            arrived.computeIfAbsent(ifp, k -> new ArrayList<>()).add(m);
            m = next;
        }
    }

    /** What has come in, as octets. */
    public List<byte[]> octets(Ifnet ifp) {
        List<byte[]> out = new ArrayList<>();
        for (Mbuf m : take(ifp)) {
            out.add(octets(m));
            m.freeChain();
        }
        return out;
    }

    public static byte[] octets(Mbuf m) {
        byte[] out = new byte[m.pktLen()];
        m.copyData(0, out.length, out, 0);
        return out;
    }

    /** A frame of these octets that no two numbers share. */
    public static byte[] frame(int number, int octets) {
        byte[] out = new byte[octets];
        for (int i = 0; i < octets; i++) {
            out[i] = (byte) (number + 7 * i);
        }
        return out;
    }

    public static Mbuf mbuf(Vnet vnet, byte[] octets) {
        Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
        assertThat(m.append(octets, 0, octets.length)).isTrue();
        m.pktLen(octets.length);
        return m;
    }

    public static Errno send(Ifnet ifp, byte[] octets) {
        return ifp.transmit(mbuf((Vnet) ifp.vnet(), octets));
    }

    public static void up(Ifnet... ifps) {
        for (Ifnet i : ifps) {
            assertThat(i.up()).isEqualTo(Errno.OK);
        }
    }

    @Override
    public void close() {
        for (List<Mbuf> left : arrived.values()) {
            left.forEach(Mbuf::freeChain);
        }
        vnets.forEach(Vnet::close);
        for (Vnet v : vnets) {
            assertThat(v.pool().outstanding()).as(v.pool().leakReport()).isZero();
            v.pool().check();
        }
    }
}
