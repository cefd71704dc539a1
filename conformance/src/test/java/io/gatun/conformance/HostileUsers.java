package io.gatun.conformance;

import io.gatun.netinet.InPrefix;
import io.gatun.netinet.InetConfig;
import io.gatun.netinet.RouteReq;
import io.gatun.netinet.arp.Acd;
import io.gatun.netinet.dhcp.DhcpClient;
import io.gatun.netinet.dhcp.DhcpListener;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.nd6.Nd6Ifinfo;
import io.gatun.netinet.nd6.Nd6Neighbor;
import io.gatun.netinet.route.NextHop;
import io.gatun.protosw.Vnet;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.GroupReq;
import io.gatun.spi.socket.GroupSourceReq;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.MsFilterReq;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.uipc.api.MsgControl;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** The users of one host in a storm: programs with sockets, and whoever configures it. They do what they like. */
final class HostileUsers implements Acd.Outcome {
    private static final int SOCKETS = 10;
    private static final int FIRST_PORT = 5001;
    private static final int PORTS = 4;
    private static final String[] GROUPS4 = {"239.7.7.7", "239.7.7.8", "224.0.0.251"};
    private static final String[] GROUPS6 = {"ff15::77", "ff12::7", "ff02::fb"};
    private static final int[] RECV4 = {InDefs.IP_RECVDSTADDR, InDefs.IP_RECVIF, InDefs.IP_RECVTTL,
        InDefs.IP_RECVTOS, InDefs.IP_ORIGDSTADDR, InDefs.IP_MULTICAST_LOOP, InDefs.IP_DONTFRAG};
    private static final int[] RECV6 = {InDefs.IPV6_RECVPKTINFO, InDefs.IPV6_RECVHOPLIMIT, InDefs.IPV6_RECVTCLASS,
        InDefs.IPV6_RECVHOPOPTS, InDefs.IPV6_RECVDSTOPTS, InDefs.IPV6_RECVRTHDR, InDefs.IPV6_RECVPATHMTU,
        InDefs.IPV6_ORIGDSTADDR, InDefs.IPV6_DONTFRAG, InDefs.IPV6_USE_MIN_MTU, InDefs.IPV6_V6ONLY,
        InDefs.IPV6_PREFER_TEMPADDR};
    private static final int[] SOCKET = {SocketDefs.SO_REUSEADDR, SocketDefs.SO_REUSEPORT, SocketDefs.SO_REUSEPORT_LB,
        SocketDefs.SO_BROADCAST, SocketDefs.SO_TIMESTAMP, SocketDefs.SO_DONTROUTE};

    private final SplittableRandom r;
    private final Vnet vnet;
    private final String[] addresses;
    private final String[] peers;
    private final List<SocketFile> sockets = new ArrayList<>();
    private final ByteBuffer octets = ByteBuffer.allocateDirect(20_000);
    private final MsgControl control = new MsgControl(2000);
    private DhcpClient dhcp;
    private int told; // how claims of addresses ended

    /** @param addresses what it gives to its interface and takes from it */
    HostileUsers(final SplittableRandom r, final Vnet vnet, final String[] addresses, final String[] peers) {
        this.r = r;
        this.vnet = vnet;
        this.addresses = addresses;
        this.peers = peers;
    }

    private InetConfig config() {
        return Bed.config(vnet);
    }

    private <T> T any(final List<T> list) {
        return list.isEmpty() ? null : list.get(r.nextInt(list.size()));
    }

    private String any(final String... list) {
        return list[r.nextInt(list.length)];
    }

    private Ifnet ifp() {
        return any(vnet.ifnets().all());
    }

    /** One of the things that users do; whether it could be done is not asked. */
    void act() {
        try {
            if (r.nextInt(4) == 0) {
                configure();
            } else {
                program();
            }
        } catch (final ErrnoException e) {
            // it has been told by name
        }
    }

    // Programs.

    private void program() throws ErrnoException {
        if (sockets.size() < SOCKETS && r.nextInt(5) == 0) {
            open();
        }
        final SocketFile so = any(sockets);
        if (so == null) {
            return;
        }
        final boolean six = so.getOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_DOMAIN) == SockAddr.AF_INET6;
        switch (r.nextInt(20)) {
            case 0 -> close(so);
            case 1 -> so.bind(r.nextInt(3) == 0 ? peer(six) : any(six));
            case 2 -> so.connect(r.nextInt(4) == 0 ? new SockAddr() : peer(six));
            case 3, 4, 5 -> group(so, six);
            case 6 -> option(so, six);
            case 7 -> so.setOption(SocketDefs.SOL_SOCKET, r.nextBoolean() ? SocketDefs.SO_RCVBUF : SocketDefs.SO_SNDBUF,
                r.nextInt(1, 60_000));
            case 8 -> so.shutdown(r.nextInt(3));
            case 9, 10, 11, 12 -> receive(so);
            case 13, 14 -> so.sendmsg(some(), 0, r.nextInt(3) == 0 ? null : peer(six), messages(six));
            default -> so.sendto(some(), 0, r.nextInt(3) == 0 ? null : peer(six));
        }
    }

    private void open() throws ErrnoException {
        final int family = r.nextBoolean() ? SockAddr.AF_INET : SockAddr.AF_INET6;
        final boolean raw = r.nextInt(4) == 0;
        final int proto = !raw ? 0 : r.nextBoolean() ? 253
            : family == SockAddr.AF_INET ? InDefs.IPPROTO_ICMP : InDefs.IPPROTO_ICMPV6;
        final SocketFile so =
            SocketFile.socket(vnet, family, raw ? SocketDefs.SOCK_RAW : SocketDefs.SOCK_DGRAM, proto);
        so.setNonBlocking(true);
        sockets.add(so);
        for (int i = r.nextInt(4); i > 0; i--) {
            option(so, family == SockAddr.AF_INET6);
        }
        if (!raw) {
            so.bind(any(family == SockAddr.AF_INET6));
        }
    }

    private int port() {
        return r.nextInt(12) == 0 ? 9 : FIRST_PORT + r.nextInt(PORTS);
    }

    private SockAddr any(final boolean six) {
        return six ? SockAddr.in6(0, 0, port()) : SockAddr.in(0, port());
    }

    /** Somebody to speak with: the peer, this host, groups, all, nobody. */
    private SockAddr peer(final boolean six) {
        final int port = port();
        return switch (r.nextInt(8)) {
            case 0 -> group(six, port);
            case 1 -> SockAddr.of(six ? "2001:db8:1::99" : "10.0.1.99", port);
            case 2 -> own(six, port);
            case 3 -> six ? SockAddr.of("2001:db8:9::9", port) : SockAddr.of(any("192.0.2.9", "255.255.255.255",
                "10.0.1.255"), port);
            default -> SockAddr.of(six ? any(peers[1], "fd00:5::2") : any(peers[0], "10.5.0.2"), port);
        };
    }

    private SockAddr own(final boolean six, final int port) {
        final In6Ifaddr ia6 = any(config().inet().inet6().addrs.all());
        final InIfaddr ia4 = any(config().addresses());
        if (six) {
            final SockAddr a = new SockAddr();
            a.setIn6(ia6 == null ? 0 : ia6.ifa.addr().hi(), ia6 == null ? 0 : ia6.lo, port,
                ia6 == null ? 0 : ia6.ifa.addr().scopeId());
            return a;
        }
        return SockAddr.in(ia4 == null ? 0 : ia4.addr, port);
    }

    private SockAddr group(final boolean six, final int port) {
        return SockAddr.of(six ? any(GROUPS6) : any(GROUPS4), port);
    }

    private ByteBuffer some() {
        return octets.clear().limit(r.nextInt(r.nextInt(3) == 0 ? 9000 : 200));
    }

    private void receive(final SocketFile so) throws ErrnoException {
        for (int i = r.nextInt(1, 5); i > 0; i--) {
            final int n = r.nextBoolean() ? so.receive(octets.clear())
                : so.recvmsg(octets.clear().limit(r.nextInt(2000)), 0, new SockAddr(), control.clear());
            if (n < 0) {
                return;
            }
        }
    }

    private void option(final SocketFile so, final boolean six) throws ErrnoException {
        switch (r.nextInt(4)) {
            case 0 -> so.setOption(SocketDefs.SOL_SOCKET, SOCKET[r.nextInt(SOCKET.length)], r.nextInt(2));
            case 1 -> so.setOption(six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP,
                six ? InDefs.IPV6_MULTICAST_HOPS : InDefs.IP_MULTICAST_TTL, r.nextInt(3));
            case 2 -> {
                if (six) {
                    so.setOption(InDefs.IPPROTO_IPV6, InDefs.IPV6_MULTICAST_IF, r.nextInt(5));
                } else {
                    so.setOption(InDefs.IPPROTO_IP, InDefs.IP_MULTICAST_IF, own(false, 0));
                }
            }
            default -> so.setOption(six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP,
                six ? RECV6[r.nextInt(RECV6.length)] : RECV4[r.nextInt(RECV4.length)], r.nextInt(4) == 0 ? 0 : 1);
        }
    }

    private void group(final SocketFile so, final boolean six) throws ErrnoException {
        final int level = six ? InDefs.IPPROTO_IPV6 : InDefs.IPPROTO_IP;
        final Ifnet ifp = ifp();
        final int index = ifp == null || r.nextInt(8) == 0 ? r.nextInt(6) : ifp.index();
        final SockAddr g = group(six, 0);
        final SockAddr from = SockAddr.of(six ? "2001:db8:1::" + r.nextInt(1, 5) : "10.0.1." + r.nextInt(1, 5), 0);
        switch (r.nextInt(6)) {
            case 0, 1 -> so.setOption(level, InDefs.MCAST_JOIN_GROUP, new GroupReq(index, g));
            case 2 -> so.setOption(level, InDefs.MCAST_LEAVE_GROUP, new GroupReq(index, g));
            case 3 -> so.setOption(level, InDefs.MCAST_JOIN_SOURCE_GROUP, new GroupSourceReq(index, g, from));
            case 4 -> so.setOption(level, InDefs.MCAST_LEAVE_SOURCE_GROUP + r.nextInt(3),
                new GroupSourceReq(index, g, from));
            default -> so.setOption(level, six ? InDefs.IPV6_MSFILTER : InDefs.IP_MSFILTER,
                new MsFilterReq(index, g, 1 + r.nextInt(2), r.nextBoolean() ? List.of() : List.of(from)));
        }
    }

    private MsgControl messages(final boolean six) {
        control.clear();
        if (!six) {
            control.add(InDefs.IPPROTO_IP, InDefs.IP_SENDSRCADDR, 4, own(false, 0).in4());
            return control;
        }
        switch (r.nextInt(5)) {
            case 0 -> control.addPktinfo(InDefs.IPPROTO_IPV6, InDefs.IPV6_PKTINFO, own(true, 0), r.nextInt(4));
            case 1 -> control.add(InDefs.IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT, 4, r.nextInt(-1, 256));
            case 2 -> control.add(InDefs.IPPROTO_IPV6, InDefs.IPV6_HOPOPTS, new byte[] {0, 0, 1, 4, 0, 0, 0, 0});
            case 3 -> control.add(InDefs.IPPROTO_IPV6, InDefs.IPV6_DSTOPTS, new byte[] {0, 0, 1, 4, 0, 0, 0, 0});
            default -> control.add(InDefs.IPPROTO_IPV6, InDefs.IPV6_TCLASS, 4, r.nextInt(256));
        }
        return control;
    }

    private void close(final SocketFile so) {
        sockets.remove(so);
        try {
            so.close();
        } catch (final ErrnoException e) {
            // it is closed all the same
        }
    }

    // Who configures.

    private void configure() throws ErrnoException {
        final Ifnet ifp = ifp();
        if (ifp == null) {
            return;
        }
        switch (r.nextInt(20)) {
            case 0 -> add(ifp, any(addresses));
            case 1 -> removeAddress();
            case 2 -> ifp.down();
            case 3, 4, 17, 18 -> ifp.up();
            case 5 -> route();
            case 6 -> config().routing().flush(r.nextBoolean() ? SockAddr.AF_INET : SockAddr.AF_INET6, 0);
            case 7 -> vlan();
            case 8 -> config().nd6().setFlags(ifp, r.nextInt(4) == 0 ? flags() : 0, r.nextInt(4) == 0 ? flags() : 0);
            case 9 -> config().nd6().setFlags(ifp, Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV, 0);
            case 10 -> neighbor(ifp);
            case 11 -> config().setForwarding(r.nextInt(3) == 0);
            case 12 -> config().setForwarding6(r.nextInt(3) == 0);
            case 13, 19 -> dhcp(vnet.ifnets().all().getFirst());
            case 14 -> lifetimes();
            case 15 -> ifp.setMtu(r.nextInt(3) == 0 ? r.nextInt(68, 2000) : 1500);
            default -> config().order(List.of(peer(false), peer(true)));
        }
    }

    private void add(final Ifnet ifp, final String cidr) throws ErrnoException {
        if (cidr.contains(":") || r.nextBoolean()) {
            config().addAddress(ifp, cidr);
        } else {
            config().claimAddress(ifp, cidr, this);
        }
    }

    @Override
    public void free() {
        told++;
    }

    @Override
    public void taken(final long lladdr) {
        told++;
    }

    private int flags() {
        return new int[] {Nd6Ifinfo.ND6_IFF_IFDISABLED, Nd6Ifinfo.ND6_IFF_AUTO_LINKLOCAL,
            Nd6Ifinfo.ND6_IFF_STABLEADDR, Nd6Ifinfo.ND6_IFF_PERFORMNUD, Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV,
            Nd6Ifinfo.ND6_IFF_NO_RADR, Nd6Ifinfo.ND6_IFF_NO_DAD}[r.nextInt(7)];
    }

    private void removeAddress() {
        final InIfaddr ia4 = any(config().addresses());
        final In6Ifaddr ia6 = any(config().inet().inet6().addrs.all());
        if (r.nextBoolean() && ia4 != null) {
            ia4.ifp.removeAddr(ia4.ifa.addr());
        } else if (ia6 != null) {
            ia6.ifp.removeAddr(ia6.ifa.addr());
        }
    }

    private void lifetimes() {
        final In6Ifaddr ia = any(config().inet().inet6().addrs.all());
        if (ia != null) {
            final long preferred = r.nextInt(3);
            config().nd6().setLifetimes(ia.ifp, ia.ifa.addr(), preferred, preferred + r.nextInt(3));
        }
    }

    private void route() {
        final boolean six = r.nextBoolean();
        final String dst = six ? any("::/0", "2001:db8:9::/48", "2001:db8:9::9", peers[1])
            : any("0.0.0.0/0", "192.0.2.0/24", "192.0.2.9", peers[0]);
        final RouteReq req = new RouteReq(InPrefix.parse(dst, vnet.ifnets()));
        switch (r.nextInt(4)) {
            case 0 -> req.flags(r.nextBoolean() ? NextHop.NHF_REJECT : NextHop.NHF_BLACKHOLE);
            case 1 -> req.ifp(ifp());
            default -> req.gateway(SockAddr.of(six ? any(peers[1], "2001:db8:1::fe") : any(peers[0], "10.0.1.254"), 0));
        }
        if (r.nextInt(3) == 0) {
            config().routing().delete(req);
        } else {
            config().routing().add(req.mtu(r.nextInt(4) == 0 ? r.nextInt(68, 2000) : 0).weight(1 + r.nextInt(3)));
        }
    }

    private void vlan() throws ErrnoException {
        final Ifnet old = vnet.ifnets().byName("vlan5");
        if (old != null) {
            vnet.ifnets().destroy(old);
            return;
        }
        final Ifnet parent = ifp();
        if (parent != null) {
            final Ifnet ifp = vnet.ifnets().create("vlan5", Map.of("parent", parent.xname(), "vid", "5"));
            config().addAddress(ifp, "10.5.0." + addresses[0].charAt(addresses[0].indexOf('/') - 1) + "/24");
            config().addAddress(ifp, "fd00:5::1/64");
        }
    }

    private void neighbor(final Ifnet ifp) throws ErrnoException {
        switch (r.nextInt(6)) {
            case 0 -> config().setArp(ifp, any("10.0.1.99", "10.0.1.254"), "02:00:00:00:01:01", r.nextBoolean());
            case 1 -> config().deleteArp(ifp, any("10.0.1.99", "10.0.1.254", peers[0]));
            case 2 -> config().nd6().setNeighbor(ifp, 0x2001_0db8_0001_0000L, 0x99, 0x0200_0000_0101L, r.nextBoolean());
            case 3 -> {
                final Nd6Neighbor n = any(config().nd6().neighbors());
                if (n != null) {
                    config().nd6().deleteNeighbor(ifp, n.hi(), n.lo());
                }
            }
            case 4 -> config().nd6().flush(ifp);
            default -> config().arp();
        }
    }

    private void dhcp(final Ifnet ifp) throws ErrnoException {
        if (dhcp != null) {
            dhcp.stop();
            dhcp = null;
        } else {
            dhcp = config().dhcp(ifp, "storm", new DhcpListener() { });
        }
    }

    // The end.

    /** Nobody does anything any more; sockets are closed. */
    void leave() {
        if (dhcp != null) {
            dhcp.stop();
            dhcp = null;
        }
        closeAll();
    }

    void closeAll() {
        while (!sockets.isEmpty()) {
            close(sockets.get(r.nextInt(sockets.size())));
        }
    }
}
