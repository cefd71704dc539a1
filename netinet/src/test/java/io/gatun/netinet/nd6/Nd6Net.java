package io.gatun.netinet.nd6;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.Inet6;
import io.gatun.netinet.Inet6Domain;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.InetDomain;
import io.gatun.netinet.Packets;
import io.gatun.netinet.Packets6;
import io.gatun.netinet.TestWire;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.protosw.Vnet;
import io.gatun.protosw.VnetBuilder;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.List;

/** A host with IPv6 on one Ethernet whose other end is the test, without threads, on a virtual clock. */
final class Nd6Net implements AutoCloseable {
    static final long MS = 1_000_000L;
    static final long SEC = 1_000_000_000L;
    static final long PEER_MAC = 0x0200000000a0L;
    static final String PEER = "fe80::a0";
    static final String ALL_NODES = "ff02::1";

    final VirtualClock clock = new VirtualClock();
    final Vnet vnet;
    final Inet6 inet6;
    final Nd6 nd;
    final InetConfig config;
    final TestWire wire;
    final Ifnet ifp;
    final List<String> heard = new ArrayList<>();

    /** @param sysctls names and values by turns */
    Nd6Net(final String... sysctls) {
        final VnetBuilder b = Vnet.builder().name("t").clock(clock).seed(1).services(false).domain(new InetDomain())
            .domain(new Inet6Domain()).pool(MbufPool.builder().small());
        for (int i = 0; i < sysctls.length; i += 2) {
            b.sysctl(sysctls[i], sysctls[i + 1]);
        }
        vnet = b.build();
        vnet.pool().setTracing(false);
        config = vnet.service(InetConfig.class);
        inet6 = config.inet().inet6();
        nd = inet6.nd6;
        wire = new TestWire(vnet, 0, 0, 0);
        ifp = wire.ifp;
        assertThat(vnet.ifnets().attach(ifp)).isEqualTo(Errno.OK);
        nd.addListener(new Nd6Listener() {
            @Override
            public void duplicate(final Nd6Duplicate what) {
                heard.add((what.inUse() ? "in use " : "duplicate ") + In6.text(what.hi(), what.lo())
                    .replaceAll("%.*", "") + " of " + EtherHeader.format(what.lladdr()));
            }

            @Override
            public void defended(final In6Ifaddr ia) {
                heard.add("defended " + text(ia));
            }

            @Override
            public void ready(final In6Ifaddr ia) {
                heard.add("ready " + text(ia));
            }

            @Override
            public void expired(final In6Ifaddr ia) {
                heard.add("expired " + text(ia));
            }

            @Override
            public void dns(final String ifname, final List<String> servers, final List<String> domains) {
                heard.add("dns " + servers + " " + domains);
            }
        });
    }

    /** With an interface that is up; its own address has been found to be nobody else's. */
    static Nd6Net settled(final String... sysctls) {
        final Nd6Net net = new Nd6Net(sysctls);
        net.ifp.up();
        net.advance(3 * SEC);
        net.wire.sent.clear();
        net.heard.clear();
        return net;
    }

    static String text(final In6Ifaddr ia) {
        return In6.text(ia.hi, ia.lo).replaceAll("%.*", "");
    }

    long mac() {
        return EtherHeader.addr(ifp.lladdr());
    }

    void add(final String cidr) {
        try {
            config.addAddress(ifp, cidr);
        } catch (final ErrnoException e) {
            throw new AssertionError(e);
        }
        vnet.runUntilIdle();
    }

    In6Ifaddr ia(final String addr) {
        final SockAddr a = SockAddr.of(addr, 0);
        return inet6.addrs.lookup(In6.embed(a.hi(), ifp.index()), a.lo());
    }

    /** The interface's address of link scope. */
    In6Ifaddr linkLocal() {
        return inet6.addrs.linkLocal(ifp, 0);
    }

    /** All addresses but those of link scope, as text. */
    List<String> globals() {
        return inet6.addrs.all().stream().filter(i -> !In6.isLinkLocal(i.hi)).map(Nd6Net::text).toList();
    }

    /** Moves time and runs what becomes due, step by step. */
    void advance(final long ns) {
        advanceTo(clock.nanoTime() + ns);
    }

    void advanceTo(final long end) {
        vnet.runUntilIdle();
        while (vnet.nextDeadlineNs() <= end) {
            clock.advanceTo(Math.max(clock.nanoTime(), vnet.nextDeadlineNs()));
            vnet.runUntilIdle();
        }
        clock.advanceTo(end);
        vnet.runUntilIdle();
    }

    /** Receives an ICMPv6 message sent to a group or to this host. */
    void hear(final String src, final String dst, final int type, final byte[] body) {
        final byte[] d = Packets6.addr(dst);
        final long mac = d[0] == -1 ? 0x333300000000L | Packets.i32(d, 12) & 0xffff_ffffL : mac();
        receive(Packets6.frame(mac, PEER_MAC, src, dst, type, body));
    }

    void receive(final byte[] frame) {
        wire.receive(frame);
        vnet.runUntilIdle();
    }

    /** The next frame sent of an ICMPv6 type, those before it forgotten; null when there is none. */
    byte[] next(final int type) {
        byte[] f = wire.sent.poll();
        while (f != null && Packets6.type(f) != type) {
            f = wire.sent.poll();
        }
        if (f != null) {
            assertThat(Packets6.sound(f)).as("checksum").isTrue();
        }
        return f;
    }

    /** The targets of the solicitations or advertisements sent and not looked at yet. */
    List<String> targets(final int type) {
        final List<String> out = new ArrayList<>();
        for (byte[] f = next(type); f != null; f = next(type)) {
            out.add(Packets6.addr(f, Packets6.ICMP + 8));
        }
        return out;
    }

    long stat(final String name) {
        return vnet.counters().get(name);
    }

    @Override
    public void close() {
        vnet.ifnets().detach(ifp);
        vnet.close();
        vnet.pool().check();
        assertThat(vnet.pool().outstanding()).isZero();
        assertThat(vnet.calloutsArmed()).isZero();
    }
}
