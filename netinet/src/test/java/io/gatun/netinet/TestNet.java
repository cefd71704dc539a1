package io.gatun.netinet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.Domain;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.PathMtu;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.List;

/**
 * A host without threads on a virtual clock, with lo0 (127.0.0.1/8), wire0 (10.0.0.1/24) and wire1 (10.0.1.1/24), and a
 * transport, protocol 253, that keeps what it gets. {@link #close} checks that the pool is whole and no callout armed.
 */
public final class TestNet implements AutoCloseable {
    public static final int PROTO = 253;
    public static final int US0 = Packets.addr("10.0.0.1");
    public static final int US1 = Packets.addr("10.0.1.1");
    public static final int PEER0 = Packets.addr("10.0.0.2");
    public static final int PEER1 = Packets.addr("10.0.1.2");
    public static final long PEER0_MAC = 0x0200000000a0L;
    public static final long PEER1_MAC = 0x0200000000a1L;

    public final VirtualClock clock = new VirtualClock();
    public final Vnet vnet;
    public final Inet inet;
    public final InetConfig config;
    public final Ifnet lo;
    public final TestWire wire0;
    public final TestWire wire1;
    public final List<byte[]> got = new ArrayList<>();
    public final List<byte[]> told = new ArrayList<>();
    public boolean keep = true;
    public long count;

    public TestNet() {
        this(0);
    }

    public TestNet(int caps) {
        this(caps, new InetDomain());
    }

    TestNet(int caps, Domain... domains) {
        var builder = Vnet.builder().name("t").clock(clock).seed(1).services(false)
            .pool(MbufPool.builder().small());
        for (Domain d : domains) {
            builder.domain(d);
        }
        vnet = builder.build();
        vnet.pool().setTracing(false);
        config = vnet.service(InetConfig.class);
        inet = config.inet();
        lo = loop(vnet);
        wire0 = new TestWire(vnet, 0, 0, caps);
        wire1 = new TestWire(vnet, 1, 0, caps);
        assertThat(vnet.ifnets().attach(lo)).isEqualTo(Errno.OK);
        assertThat(vnet.ifnets().attach(wire0.ifp)).isEqualTo(Errno.OK);
        assertThat(vnet.ifnets().attach(wire1.ifp)).isEqualTo(Errno.OK);
        vnet.ipproto().register(SockAddr.AF_INET, PROTO, (m, off, proto) -> take(m),
            (m, off) -> keepTold(SockAddr.AF_INET, m, off));
        try {
            config.addAddress(lo, "127.0.0.1/8");
            config.addAddress(wire0.ifp, "10.0.0.1/24");
            config.addAddress(wire1.ifp, "10.0.1.1/24");
        } catch (ErrnoException e) {
            throw new AssertionError(e);
        }
        wire0.sent.clear();
        wire1.sent.clear();
    }

    /** The peers' link addresses are known from the start. */
    public TestNet resolved() {
        inet.arp.setStatic(wire0.ifp, PEER0, PEER0_MAC);
        inet.arp.setStatic(wire1.ifp, PEER1, PEER1_MAC);
        return this;
    }

    private static Ifnet loop(Vnet vnet) {
        Ifnet ifp = Ifnet.alloc(vnet, Ifnet.IFT_LOOP, "lo", 0, null);
        ifp.setFlagBits(Ifnet.IFF_LOOPBACK | Ifnet.IFF_MULTICAST, 0);
        ifp.setMtu(16_384);
        ifp.setCapabilities(Ifnet.IFCAP_HWCSUM | Ifnet.IFCAP_TSO);
        ifp.setQflushFn(i -> { });
        ifp.setTransmitFn((i, m) -> {
            m.rcvif(i);
            m.csumFlags(m.csumFlags() | Csum.CSUM_IP_CHECKED | Csum.CSUM_IP_VALID | Csum.CSUM_DATA_VALID
                | Csum.CSUM_PSEUDO_HDR);
            return vnet.netisr().queue(m.getU8(0) >>> 4 == 6 ? Netisr.NETISR_IPV6 : Netisr.NETISR_IP, m);
        });
        ifp.setOutputFn((i, m, dst) -> i.transmit(m));
        return ifp;
    }

    int take(Mbuf m) {
        count++;
        if (keep) {
            m.sanity();
            byte[] b = new byte[m.pktLen()];
            m.copyData(0, b.length, b, 0);
            got.add(b);
        }
        m.freeChain();
        return InDefs.IPPROTO_DONE;
    }

    /** As a transport that believes what it hears. */
    void keepTold(int family, Mbuf m, int off) {
        vnet.service(PathMtu.class).update(family, m, off);
        byte[] b = new byte[m.pktLen()];
        m.copyData(0, b.length, b, 0);
        told.add(b);
    }

    /** A packet of protocol 253 as a transport makes it, payload in clusters. */
    public Mbuf packet(int src, int dst, byte[] payload) {
        Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
        m.data(m.data() + 60);
        m.len(20);
        m.pktLen(20);
        io.gatun.netinet.ip.IpHeader.init(m, 0, 20 + payload.length, 0);
        io.gatun.netinet.ip.IpHeader.addr(m, 0, io.gatun.netinet.ip.IpHeader.ttlAndProto(64, PROTO), src, dst);
        if (payload.length > 0) {
            Mbuf data = vnet.pool().getm2(null, payload.length, Mbuf.MT_DATA, 0);
            assertThat(data.copyBack(0, payload.length, payload, 0)).isTrue();
            m.next(data);
            m.pktLen(20 + payload.length);
        }
        return m;
    }

    public Errno output(Mbuf m, int flags) {
        Errno e = inet.ipOutput.output(m, null, flags);
        vnet.runUntilIdle();
        return e;
    }

    /** Moves time and runs what becomes due, step by step. */
    public void advance(long ns) {
        long end = clock.nanoTime() + ns;
        vnet.runUntilIdle();
        while (vnet.nextDeadlineNs() <= end) {
            clock.advanceTo(Math.max(clock.nanoTime(), vnet.nextDeadlineNs()));
            vnet.runUntilIdle();
        }
        clock.advanceTo(end);
        vnet.runUntilIdle();
    }

    public long drops(DropReason r) {
        return vnet.drops(r);
    }

    public long stat(String name) {
        return vnet.counters().get(name);
    }

    public int outstanding() {
        return vnet.pool().outstanding();
    }

    @Override
    public void close() {
        vnet.ifnets().detach(wire1.ifp);
        vnet.ifnets().detach(wire0.ifp);
        vnet.ifnets().detach(lo);
        vnet.close();
        vnet.pool().check();
        assertThat(vnet.pool().outstanding()).isZero();
        assertThat(vnet.pool().clustersOutstanding()).isZero();
        assertThat(vnet.calloutsArmed()).isZero();
    }
}
