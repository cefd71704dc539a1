package io.gatun.conformance.inet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InetConfig;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.EtherTypes;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpSide;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.VirtualClock;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What protocols of other modules have of IP and of Ethernet. */
class IpSideTest {
    private static final int PROTO = 253;
    private static final int TYPE = 0x88b5;
    private static final int ISR = 10;
    private static final int OCTETS = 300;

    private final VirtualClock clock = new VirtualClock();
    private final MbufPool pool = MbufPool.builder().small().build();
    private final Vnet a = vnet("a", 1);
    private final Vnet b = vnet("b", 2);
    private final IpSide ip = a.service(IpSide.class);
    private final List<String> got = new ArrayList<>();
    private Epair cable;

    private Vnet vnet(final String name, final long seed) {
        return Vnet.builder().name(name).clock(clock).seed(seed).pool(pool).strict(true)
            .sysctl("net.inet6.ip6.dad_count", "0").build();
    }

    @BeforeEach
    void start() throws Exception {
        cable = Epair.join(a, b, 0, new Epair.Config(1500, 64, true, false));
        final InetConfig here = a.service(InetConfig.class);
        final InetConfig there = b.service(InetConfig.class);
        here.addAddress(cable.a(), "10.0.0.1/24");
        there.addAddress(cable.b(), "10.0.0.2/24");
        here.addAddress(cable.a(), "2001:db8::1/64");
        there.addAddress(cable.b(), "2001:db8::2/64");
        cable.a().up();
        cable.b().up();
        settle();
        for (final int family : new int[] {SockAddr.AF_INET, SockAddr.AF_INET6}) {
            assertThat(b.ipproto().register(family, PROTO, this::input, null)).isEqualTo(Errno.OK);
        }
    }

    @AfterEach
    void stop() {
        a.close();
        b.close();
        assertThat(pool.outstanding()).as(pool.leakReport()).isZero();
    }

    private void settle() {
        for (int i = 0; i < 50; i++) {
            a.runUntilIdle();
            b.runUntilIdle();
            clock.advance(100_000_000);
        }
    }

    private int input(final Mbuf m, final int off, final int proto) {
        final SockAddr src = new SockAddr();
        final SockAddr dst = new SockAddr();
        final IpSide there = b.service(IpSide.class);
        there.addrs(m, src, dst);
        final int ttl = m.getU8(src.family() == SockAddr.AF_INET ? 8 : 7);
        got.add(src.host() + " " + dst.host() + " " + (m.pktLen() - off) + " " + ttl + " "
            + there.cksum(m, off, src, dst, proto));
        m.freeChain();
        return InDefs.IPPROTO_DONE;
    }

    /** A packet of the test's protocol, whose first word is its checksum. */
    private Mbuf packet(final int octets, final SockAddr src, final SockAddr dst) {
        final Mbuf m = pool.devget(MemorySegment.ofArray(new byte[octets]), 0, octets, null);
        for (int i = 2; i < Math.min(octets, Mbuf.MLEN / 2); i++) {
            m.put8(i, i * 7);
        }
        m.put16(0, ip.cksum(m, 0, src, dst, PROTO));
        return m;
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.2", "2001:db8::2"})
    void output_whole_fragmentedAndWithATimeToLive_arrives(final String to) {
        final SockAddr dst = SockAddr.of(to, 0);
        final SockAddr src = new SockAddr();
        assertThat(ip.laddr(dst, 0, src)).isEqualTo(Errno.OK);
        assertThat(src.host()).isEqualTo(to.replaceAll("2$", "1"));
        assertThat(ip.output(packet(OCTETS, src, dst), src, dst, PROTO, 0)).isEqualTo(Errno.OK);
        settle();
        assertThat(ip.output(packet(5000, src, dst), src, dst, 7 << 8 | PROTO, 0)).isEqualTo(Errno.OK);
        settle();
        final String ends = src.host() + " " + dst.host() + " ";
        assertThat(got).containsExactly(ends + OCTETS + " 64 0", ends + "5000 7 0");
        assertThat(ip.output(packet(5000, src, dst), src, dst, PROTO, IpSide.DONTFRAG)).isEqualTo(Errno.EMSGSIZE);
        assertThat(ip.output(packet(70_000, src, dst), src, dst, PROTO, 0)).isEqualTo(Errno.EMSGSIZE);
    }

    @Test
    void linkLocal_zoneStandsInTheAddress() {
        final SockAddr dst = b.service(InetConfig.class).order(
            cable.b().addrs().stream().map(x -> x.addr()).filter(x -> x.host().startsWith("fe80")).toList()).getFirst();
        final SockAddr to = SockAddr.of(dst.host().replaceAll("%.*", "") + "%" + cable.a().xname(), 0, a.ifnets());
        final SockAddr src = new SockAddr();
        assertThat(ip.laddr(to, 0, src)).isEqualTo(Errno.OK);
        assertThat(src.host()).startsWith("fe80::");
        assertThat(src.scopeId()).isEqualTo(cable.a().index());
        assertThat(ip.output(packet(OCTETS, src, to), src, to, PROTO, 0)).isEqualTo(Errno.OK);
        settle();
        assertThat(got).hasSize(1).first().asString().endsWith(" 64 0");
    }

    @Test
    void unreachableOrUnknown_isRefused_andNothingLeaks() {
        final SockAddr src = SockAddr.of("10.0.0.1", 0);
        final SockAddr far = SockAddr.of("192.0.2.1", 0);
        assertThat(ip.laddr(far, 0, new SockAddr())).isEqualTo(Errno.ENETUNREACH);
        assertThat(ip.laddr(SockAddr.un("/x"), 0, new SockAddr())).isEqualTo(Errno.EAFNOSUPPORT);
        assertThat(ip.output(packet(OCTETS, src, far), src, far, PROTO, 0)).isEqualTo(Errno.EHOSTUNREACH);
        final SockAddr six = SockAddr.of("2001:db8::2", 0);
        assertThat(ip.output(packet(OCTETS, src, src), src, six, PROTO, 0)).isEqualTo(Errno.EAFNOSUPPORT);
        final SockAddr all = SockAddr.of("10.0.0.255", 0);
        assertThat(ip.output(packet(OCTETS, src, all), src, all, PROTO, 0)).isEqualTo(Errno.EACCES);
        assertThat(ip.output(packet(OCTETS, src, all), src, all, PROTO, IpSide.ALLOWBROADCAST)).isEqualTo(Errno.OK);
        settle();
        assertThat(got).hasSize(1);
    }

    @Test
    void etherType_registered_bringsItsFrames() {
        final EtherTypes types = b.service(EtherTypes.class);
        final List<String> packets = new ArrayList<>();
        assertThat(b.netisr().register(ISR, "test", Netisr.NETISR_POLICY_SOURCE, m -> {
            packets.add(m.rcvif().xname() + " " + m.pktLen());
            m.freeChain();
        })).isEqualTo(Errno.OK);
        frame();
        assertThat(b.drops(DropReason.ETHER_NOPROTO)).isOne();
        assertThat(types.register(TYPE, ISR)).isEqualTo(Errno.OK);
        assertThat(types.register(TYPE, ISR)).isEqualTo(Errno.EEXIST);
        assertThat(types.register(0x800, ISR)).isEqualTo(Errno.EEXIST);
        assertThat(types.register(0x5ff, ISR)).isEqualTo(Errno.EINVAL);
        assertThat(types.register(TYPE + 1, Netisr.NETISR_MAXPROT)).isEqualTo(Errno.EINVAL);
        frame();
        assertThat(packets).containsExactly("epair0b " + OCTETS);
        assertThat(types.unregister(TYPE)).isEqualTo(Errno.OK);
        assertThat(types.unregister(TYPE)).isEqualTo(Errno.ENOENT);
        frame();
        assertThat(b.drops(DropReason.ETHER_NOPROTO)).isEqualTo(2);
        assertThat(packets).hasSize(1);
    }

    private void frame() {
        final Ifnet out = cable.a();
        final Mbuf m = pool.devget(MemorySegment.ofArray(new byte[OCTETS]), 0, OCTETS, null)
            .prepend(out.hdrlen());
        for (int i = 0; i < out.addrlen(); i++) {
            m.put8(i, cable.b().lladdr()[i]);
            m.put8(out.addrlen() + i, out.lladdr()[i]);
        }
        m.put16(2 * out.addrlen(), TYPE);
        assertThat(out.transmit(m)).isEqualTo(Errno.OK);
        settle();
    }
}
