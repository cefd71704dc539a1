package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.epair.Epair;
import io.gatun.netinet.InPrefix;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.RouteReq;
import io.gatun.netinet.arp.ArpEntry;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.nd6.Nd6Ifinfo;
import io.gatun.netinet.nd6.Nd6Neighbor;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetSlots;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.Sockets;
import io.gatun.uipc.api.SocketFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * Two hosts whose users do what they like, a neighbour that wishes them ill, and a pool that at times has nothing.
 * After each event nothing was thrown and each table is within its bounds.
 */
final class HostileNet {
    private static final long PATIENCE_S = 60;
    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final String[][] OWN = {
        {"10.0.1.1/24", "10.0.1.3/24", "10.0.1.77/32", "2001:db8:1::1/64", "2001:db8:1::3/64", "2001:db8:1::77/128"},
        {"10.0.1.2/24", "2001:db8:1::2/64"}};
    private static final String[][] PEERS = {{"10.0.1.2", "2001:db8:1::2"}, {"10.0.1.1", "2001:db8:1::1"}};

    /** What may have another value from the start: a node, then values. */
    private static final String[][] START = {
        {"net.inet6.ip6.dad_count", "1", "0", "3"}, {"net.inet6.ip6.auto_linklocal", "1", "1", "0"},
        {"net.inet6.ip6.accept_rtadv", "1", "1", "0"}, {"net.inet6.ip6.use_tempaddr", "0", "1"},
        {"net.inet6.ip6.use_stableaddr", "1", "0"}, {"net.inet6.ip6.maxifdefrouters", "16", "2", "1"},
        {"net.inet6.ip6.maxifprefixes", "16", "2", "1"}, {"net.inet6.icmp6.nd6_maxentries", "8192", "4", "1"},
        {"net.inet6.icmp6.nd6_maxincomplete", "1024", "2", "1"}, {"net.inet6.icmp6.nd6_maxqueuelen", "16", "1", "2"},
        {"net.link.ether.inet.maxentries", "8192", "3", "1"}, {"net.link.ether.inet.maxhold", "16", "0", "1"},
        {"net.link.ether.inet.max_age", "1200", "1", "3"}, {"net.link.ether.inet.wait", "20", "1"},
        {"net.inet.ip.maxfragpackets", "800", "2", "1"}, {"net.inet.ip.maxfrags", "4000", "3", "1"},
        {"net.inet.ip.maxfragsperpacket", "128", "1", "3"}, {"net.inet.ip.maxfragbucketsize", "16", "1"},
        {"net.inet6.ip6.maxfragpackets", "800", "2", "1"}, {"net.inet6.ip6.maxfrags", "4000", "3", "1"},
        {"net.inet6.ip6.maxfragsperpacket", "128", "1", "3"}, {"net.inet6.ip6.maxfragbucketsize", "16", "1"},
        {"net.inet.icmp.redirmax", "1024", "1", "3"}, {"net.inet.udp.recvspace", "42080", "1", "3000"},
        {"net.inet.ip.process_options", "1", "0", "2"}, {"net.inet.ip.accept_sourceroute", "0", "1"},
        {"net.inet.ip.sourceroute", "0", "1"}, {"net.isr.defaultqlimit", "256", "1", "8"}};

    /** What may change at any time. */
    private static final String[][] LATER = {
        {"net.inet.ip.maxfragpackets", "800", "0", "1"}, {"net.inet.ip.maxfrags", "4000", "0", "2"},
        {"net.inet6.ip6.maxfragpackets", "800", "0", "1"}, {"net.inet6.ip6.maxfrags", "4000", "0", "2"},
        {"net.inet.ip.maxfragsperpacket", "128", "0", "1"}, {"net.inet6.ip6.maxfragsperpacket", "128", "0", "1"},
        {"net.inet.ip.fragttl", "30", "1"}, {"net.inet6.ip6.fraglifetime_ms", "60000", "1", "1000"},
        {"net.inet.igmp.default_version", "3", "2", "1"}, {"net.inet6.mld.v2enable", "1", "0"},
        {"net.inet.icmp.drop_redirect", "0", "1"}, {"net.inet.icmp.bmcastecho", "0", "1"},
        {"net.inet.ip.rfc1122_strong_es", "0", "1"}, {"net.inet.ip.source_address_validation", "1", "0"},
        {"net.inet.udp.blackhole", "0", "1"}, {"net.inet.icmp.icmplim", "200", "1", "0"},
        {"net.inet6.icmp6.errppslimit", "100", "1", "0"}, {"net.inet6.ip6.use_tempaddr", "0", "1"},
        {"net.inet6.ip6.rfc6204w3", "0", "1"}, {"net.inet.udp.checksum", "1", "0"},
        {"net.inet6.ip6.dad_count", "1", "0", "2"}, {"net.inet6.udp6.rfc6935_port", "0", "5001"}};

    private final SplittableRandom r;
    private final Bed bed;
    private final Hostile hostile;
    private final Vnet[] v = new Vnet[2];
    private final Ifnet[] ifp = new Ifnet[2];
    private final IfnetSlots.TransmitFn[] wires = new IfnetSlots.TransmitFn[2];
    private final HostileUsers[] users = new HostileUsers[2];
    private volatile byte[] last = {};
    private boolean calm;
    private double losing;

    HostileNet(final Bed bed, final SplittableRandom r) {
        this.bed = bed;
        this.r = r;
        hostile = new Hostile(bed.threads ? r.split() : r);
    }

    void begin() throws ErrnoException {
        for (final String[] s : START) {
            bed.sysctl(s[0], s[r.nextInt(3) == 0 ? 1 + r.nextInt(s.length - 1) : 1]);
        }
        v[0] = bed.vnet("left");
        v[1] = bed.vnet("right");
        final Epair cable = bed.cable(v[0], v[1], new Epair.Config(1500, r.nextInt(3) == 0 ? 4 : 4096, r.nextBoolean(),
            false));
        ifp[0] = cable.a();
        ifp[1] = cable.b();
        for (int i = 0; i < 2; i++) {
            wires[i] = ifp[i].transmitFn();
            final IfnetSlots.TransmitFn below = wires[i];
            ifp[i].setTransmitFn((p, m) -> transmit(p, m, below));
            users[i] = new HostileUsers(bed.threads ? r.split() : r, v[i], OWN[i], PEERS[i]);
            v[i].ifnets().create("lo0");
            addresses(i);
        }
    }

    private void addresses(final int i) throws ErrnoException {
        final InetConfig config = Bed.config(v[i]);
        final Ifnet lo = v[i].ifnets().byName("lo0");
        add(config, lo, "127.0.0.1/8");
        add(config, lo, "::1/128");
        for (final String a : OWN[i]) {
            if (!a.contains("3/") && !a.contains("77/")) {
                add(config, ifp[i], a);
            }
        }
        for (final String[] way : new String[][] {{"0.0.0.0/0", "10.0.1.254"}, {"::/0", "fe80::bad"}}) {
            config.routing().add(new RouteReq(InPrefix.parse(way[0], v[i].ifnets())).ifp(ifp[i])
                .gateway(SockAddr.of(way[1], 0)));
        }
    }

    private static void add(final InetConfig config, final Ifnet to, final String address) throws ErrnoException {
        try {
            config.addAddress(to, address);
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isIn(Errno.EEXIST, Errno.ENOBUFS);
        }
    }

    // The cable.

    private Errno transmit(final Ifnet p, final Mbuf first, final IfnetSlots.TransmitFn below) {
        Errno e = Errno.OK;
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            final byte[] f = new byte[m.pktLen()];
            m.copyData(0, f.length, f, 0);
            hostile.saw(f);
            if (!calm && !bed.threads && r.nextDouble() < losing) {
                m.freeChain();
                e = r.nextBoolean() ? Errno.OK : Errno.ENOBUFS;
            } else {
                e = below.transmit(p, m);
            }
            m = next;
        }
        return e;
    }

    private void emit(final int to) {
        final byte[] f = hostile.frame(v[to], ifp[to]);
        last = f;
        final Mbuf m = f.length == 0 ? null : bed.pool.devget(MemorySegment.ofArray(f), 0, f.length, null);
        if (m != null) {
            final Errno full = bed.threads ? ifp[1 - to].transmit(m) : wires[1 - to].transmit(ifp[1 - to], m);
        }
    }

    // Threads.

    /** Users and neighbour do so many things each, on threads of their own, and somewhere among them vnets close. */
    void together(final int acts) throws Exception {
        final int first = r.nextInt(2);
        final int closing = r.nextInt(2 * acts); // beyond the last for one that is closed in the end
        final List<FutureTask<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            final int host = i;
            tasks.add(new FutureTask<>(() -> {
                for (int k = 0; k < acts; k++) {
                    users[host].act();
                    if (host == first && k == closing) {
                        v[first].close();
                    }
                }
                return null;
            }));
            tasks.add(new FutureTask<>(() -> {
                for (int k = 0; k < 2 * acts; k++) {
                    emit(host);
                }
                return null;
            }));
        }
        tasks.forEach(Thread.ofPlatform().daemon()::start);
        for (final FutureTask<Void> t : tasks) {
            t.get(PATIENCE_S, TimeUnit.SECONDS);
        }
        v[1 - first].close();
        users[first].leave();
        users[1 - first].leave();
    }

    // Events.

    void step() {
        switch (r.nextInt(8)) {
            case 0, 1, 2 -> users[r.nextInt(2)].act();
            case 3 -> shake();
            default -> {
                for (int i = r.nextInt(1, 6); i > 0; i--) {
                    emit(r.nextInt(3) == 0 ? 1 : 0);
                }
            }
        }
        if (r.nextInt(3) != 0) {
            bed.run();
        }
        if (r.nextInt(4) == 0) {
            bed.advance(r.nextInt(r.nextInt(10) == 0 ? 20_000 : 400) * MS);
        }
        check();
    }

    private void shake() {
        switch (r.nextInt(4)) {
            case 0, 1 -> bed.pool.refuse(r.nextInt(1, 40), r.nextInt(1, r.nextInt(4) == 0 ? 40 : 4));
            case 2 -> losing = r.nextInt(3) == 0 ? r.nextDouble() * 0.5 : 0;
            default -> {
                final String[] s = LATER[r.nextInt(LATER.length)];
                v[r.nextInt(2)].sysctl().set(s[0], s[1 + r.nextInt(s.length - 1)]);
            }
        }
    }

    private void check() {
        for (final Vnet one : v) {
            assertThat(one.counters().get("vnet.uncaught")).isZero();
            within(one, "net.inet.ip.fragpackets", "800");
            within(one, "net.inet.ip.curfrags", "4000");
            within(one, "net.inet6.ip6.frag6_nfragpackets", "800");
            within(one, "net.inet6.ip6.frag6_nfrags", "4000");
            final InetConfig config = Bed.config(one);
            assertThat(config.nd6().prefixes()).hasSizeLessThanOrEqualTo(16 * 4);
            assertThat(config.nd6().routers()).hasSizeLessThanOrEqualTo(64 * 4);
        }
    }

    private static void within(final Vnet one, final String node, final String most) {
        assertThat(Long.parseLong(one.sysctl().find(node).getString())).as(node).isBetween(0L, Long.parseLong(most));
    }

    // The end.

    /** A vnet is closed while all goes on; users find out. */
    void closeInTheMiddle() {
        final int first = r.nextInt(2);
        v[first].close();
        for (int i = r.nextInt(20); i > 0; i--) {
            users[1 - first].act();
            bed.run();
        }
        calm = true;
        bed.pool.refuse(0, 0);
        users[first].closeAll();
        if (r.nextBoolean()) {
            v[1 - first].close();
        }
        users[1 - first].leave();
    }

    /** Nothing fails any more, and all that users have set is taken back: the hosts must hear each other. */
    void peace() throws ErrnoException {
        calm = true;
        bed.pool.refuse(0, 0);
        for (int i = 0; i < 2; i++) {
            users[i].leave();
            for (final String[] s : LATER) {
                v[i].sysctl().set(s[0], s[1]);
            }
            restore(i);
        }
        bed.advance(TimeUnit.MINUTES.toNanos(30));
        for (final boolean six : new boolean[] {false, true}) {
            exchange(six, 0);
            exchange(six, 1);
        }
        for (int i = 0; i < 2; i++) {
            assertThat(Sockets.of(v[i]).numOpen()).as("sockets of " + v[i]).isZero();
            within(v[i], "net.inet.ip.curfrags", "0");
            within(v[i], "net.inet6.ip6.frag6_nfrags", "0");
        }
        assertThat(bed.pool.outstanding()).as("outstanding: %s", bed.pool.leakReport()).isZero();
    }

    private void restore(final int i) throws ErrnoException {
        final InetConfig config = Bed.config(v[i]);
        config.setForwarding(false);
        config.setForwarding6(false);
        config.routing().flush(SockAddr.AF_INET, 0);
        config.routing().flush(SockAddr.AF_INET6, 0);
        ifp[i].setMtu(1500);
        config.nd6().setFlags(ifp[i], Nd6Ifinfo.ND6_IFF_PERFORMNUD,
            Nd6Ifinfo.ND6_IFF_IFDISABLED | Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV);
        final Ifnet vlan = v[i].ifnets().byName("vlan5");
        if (vlan != null) {
            v[i].ifnets().destroy(vlan);
        }
        for (final In6Ifaddr ia : config.inet().inet6().addrs.all()) {
            ia.ifp.removeAddr(ia.ifa.addr());
        }
        config.addresses().forEach(ia -> ia.ifp.removeAddr(ia.ifa.addr()));
        for (final ArpEntry e : config.arp()) {
            config.deleteArp(v[i].ifnets().byName(e.ifname()), SockAddr.in(e.addr(), 0).host());
        }
        for (final Nd6Neighbor n : config.nd6().neighbors()) {
            config.nd6().deleteNeighbor(v[i].ifnets().byName(n.ifname()), n.hi(), n.lo());
        }
        ifp[i].down();
        ifp[i].up();
        addresses(i);
    }

    /** A datagram goes from one to the other. */
    private void exchange(final boolean six, final int from) throws ErrnoException {
        final SockAddr to = SockAddr.of(PEERS[from][six ? 1 : 0], 7);
        final ByteBuffer in = ByteBuffer.allocateDirect(4000);
        final SocketFile a = SocketFile.socket(v[from], to.family(), SocketDefs.SOCK_DGRAM, 0);
        final SocketFile b = SocketFile.socket(v[1 - from], to.family(), SocketDefs.SOCK_DGRAM, 0);
        b.setNonBlocking(true);
        b.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_RCVBUF, 40_000);
        b.bind(to);
        try {
            a.sendto(in.limit(1), 0, to); // its neighbour is asked for, which may cost the packet
        } catch (final ErrnoException e) {
            assertThat(e.errno()).isEqualTo(Errno.ENOBUFS);
        }
        bed.advance(200 * MS);
        final int first = b.receive(in.clear());
        a.sendto(in.clear().limit(3000), 0, to);
        bed.advance(200 * MS);
        assertThat(b.receive(in.clear())).as((six ? "IPv6" : "IPv4") + " from " + from).isEqualTo(3000);
        a.close();
        b.close();
    }

    String describe() {
        final StringBuilder out = new StringBuilder(" frame ").append(HexFormat.of().formatHex(last));
        for (final Vnet one : v) {
            if (one != null) {
                out.append('\n').append(one.name()).append(':');
                one.counters().forEach((k, n) -> out.append(n == 0 ? "" : " " + k + "=" + n));
            }
        }
        return out.toString();
    }
}
