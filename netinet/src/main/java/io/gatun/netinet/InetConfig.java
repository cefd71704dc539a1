package io.gatun.netinet;

import io.gatun.netinet.arp.Acd;
import io.gatun.netinet.arp.ArpDuplicate;
import io.gatun.netinet.arp.ArpEntry;
import io.gatun.netinet.dhcp.DhcpClient;
import io.gatun.netinet.dhcp.DhcpListener;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip6.DstSelect;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.ip6.In6Policy;
import io.gatun.netinet.nd6.Nd6;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import java.util.List;

/**
 * What ifconfig(8), route(8) and arp(8) do, for embedding programs: {@code vnet.service(InetConfig.class)}. Prefixes
 * are written {@code 10.0.0.0/8}; addresses are literals, no name is looked up. Any thread may call, holding no lock of
 * the stack.
 *
 * @bsd ifconfig
 */
public final class InetConfig {
    private static final String FORWARDING = "net.inet.ip.forwarding";
    private static final String FORWARDING6 = "net.inet6.ip6.forwarding";

    private final Inet inet;
    private final RouteConfig routing;
    private final DstSelect destinations;

    InetConfig(Inet inet) {
        this.inet = inet;
        routing = new RouteConfig(inet);
        destinations = new DstSelect(inet);
    }

    /** The root of the domain, for modules that plug into it. */
    public Inet inet() {
        return inet;
    }

    /**
     * Neighbour discovery: what is heard of routers, neighbours and duplicates, and the settings of each interface;
     * null without IPv6.
     */
    public Nd6 nd6() {
        return inet.inet6() == null ? null : inet.inet6().nd6;
    }

    // Addresses.

    /**
     * Gives an interface an address and brings it up: {@code addAddress(tap0, "10.0.0.1/24")}. The route to its network
     * comes with it. A bare address has a prefix of 32 bits.
     *
     * @throws ErrnoException EEXIST when this host has the address, EINVAL for one no host can have, ENXIO for an
     *     interface that is not attached
     * @throws IllegalArgumentException for what is not written as an address
     */
    public void addAddress(Ifnet ifp, String cidr) throws ErrnoException {
        addAddress(ifp, prefixOf(cidr), null);
    }

    /**
     * {@link #addAddress(Ifnet, String)} with what else an address may have.
     *
     * @param other the broadcast address, or the other end of a point-to-point link; null for the usual
     */
    public void addAddress(Ifnet ifp, InPrefix cidr, SockAddr other) throws ErrnoException {
        SockAddr addr = cidr.addr();
        int bits = cidr.bits();
        String call = "add " + cidr + " to " + ifp.xname();
        ErrnoException.check(inet.isAttached(ifp) ? Errno.OK : Errno.ENXIO, call);
        if (addr.family() == SockAddr.AF_INET6) {
            addAddress6(ifp, cidr, 0, call);
            return;
        }
        int a = addr.in4();
        boolean network = bits < 31 && (a & ~InIfaddr.mask(bits)) == 0;
        boolean all = bits < 31 && (a | InIfaddr.mask(bits)) == -1;
        if (addr.isMulticast() || a == 0 || a == -1 || network || all) {
            throw new ErrnoException(Errno.EINVAL, call);
        }
        if (inet.addrs.isLocal(a)) {
            throw new ErrnoException(Errno.EEXIST, call);
        }
        ErrnoException.check(up(ifp), call);
        boolean broadcasts = (ifp.flags() & Ifnet.IFF_BROADCAST) != 0 && bits < 31;
        SockAddr broadcast = !broadcasts ? null : other != null ? other : SockAddr.in(a | ~InIfaddr.mask(bits), 0);
        SockAddr peer = (ifp.flags() & Ifnet.IFF_POINTOPOINT) != 0 ? other : null;
        ErrnoException.check(ifp.addAddr(new IfAddr(addr, bits, broadcast, peer)), call);
    }

    /**
     * Gives an interface an anycast address, which several hosts have: it takes what is sent there, answers for it
     * without looking for duplicates, and is the source of nothing unless a socket is bound to it.
     *
     * @throws ErrnoException as {@link #addAddress(Ifnet, String)}; EINVAL for IPv4
     * @bsd IN6_IFF_ANYCAST
     */
    public void addAnycast(Ifnet ifp, InPrefix cidr) throws ErrnoException {
        String call = "add anycast " + cidr + " to " + ifp.xname();
        ErrnoException.check(cidr.addr().family() == SockAddr.AF_INET6 ? Errno.OK : Errno.EINVAL, call);
        addAddress6(ifp, cidr, In6Ifaddr.IN6_IFF_ANYCAST, call);
    }

    /** The first IPv6 address of an Ethernet brings a link-local one with it. */
    private void addAddress6(Ifnet ifp, InPrefix cidr, int flags, String call) throws ErrnoException {
        SockAddr addr = cidr.addr();
        Inet6 six = inet.inet6();
        ErrnoException.check(six == null ? Errno.EAFNOSUPPORT : Errno.OK, call);
        if (addr.isMulticast() || addr.isAny() || In6.isV4Mapped(addr.hi(), addr.lo())) {
            throw new ErrnoException(Errno.EINVAL, call);
        }
        if (six.addrs.lookup(In6.embed(addr.hi(), ifp.index()), addr.lo()) != null) {
            throw new ErrnoException(Errno.EEXIST, call);
        }
        ErrnoException.check(up(ifp), call);
        SockAddr own = new SockAddr();
        own.setIn6(addr.hi(), addr.lo(), 0, In6.zoned(addr.hi()) ? ifp.index() : 0);
        IfAddr ifa = new IfAddr(own, cidr.bits(), null, null);
        if (flags == 0) {
            ErrnoException.check(ifp.addAddr(ifa), call);
        } else if (!six.add(new In6Ifaddr(ifp, ifa, flags))) {
            throw new ErrnoException(Errno.EEXIST, call);
        }
    }

    /**
     * Gives an Ethernet an IPv4 address once nobody on the link has it: asks for four to seven seconds (RFC 5227), then
     * {@link #addAddress(Ifnet, String)} and the announcements. The interface is brought up for it.
     *
     * @param outcome hears of {@code free} when the interface has the address; of {@code taken} when somebody else has
     *     it, with 0 for the link address when the interface could not take it after all
     * @return to give up by
     * @throws ErrnoException EEXIST when this host has the address, EINVAL for IPv6, which always asks, ENXIO for an
     *     interface that is not attached
     */
    public Acd.Claim claimAddress(Ifnet ifp, String cidr, Acd.Outcome outcome) throws ErrnoException {
        InPrefix p = prefixOf(cidr);
        String call = "claim " + cidr + " on " + ifp.xname();
        boolean wire = ifp.addrlen() == EtherHeader.ETHER_ADDR_LEN;
        ErrnoException.check(p.addr().family() == SockAddr.AF_INET && wire ? Errno.OK : Errno.EINVAL, call);
        ErrnoException.check(inet.isAttached(ifp) ? Errno.OK : Errno.ENXIO, call);
        int addr = p.addr().in4();
        ErrnoException.check(inet.addrs.isLocal(addr) ? Errno.EEXIST : up(ifp), call);
        return inet.arp.acd.claim(ifp, addr, new Acd.Outcome() {
            @Override
            public void free() {
                try {
                    addAddress(ifp, p, null);
                } catch (ErrnoException e) {
                    outcome.taken(0); // it went, or somebody gave it the address meanwhile
                    return;
                }
                outcome.free();
            }

            @Override
            public void taken(long lladdr) {
                outcome.taken(lladdr);
            }
        });
    }

    private static Errno up(Ifnet ifp) {
        return (ifp.flags() & Ifnet.IFF_UP) != 0 ? Errno.OK : ifp.up();
    }

    /** Takes an address away, with the routes that depend on it. EADDRNOTAVAIL when the interface does not have it. */
    public void removeAddress(Ifnet ifp, String address) throws ErrnoException {
        SockAddr a = addressOf(address);
        if (a.family() == SockAddr.AF_INET6 && In6.zoned(a.hi())) {
            a.setIn6(a.hi(), a.lo(), 0, ifp.index());
        }
        ErrnoException.check(ifp.removeAddr(a), "remove " + address + " from " + ifp.xname());
    }

    /** This host's addresses. */
    public List<InIfaddr> addresses() {
        return inet.addrs.all();
    }

    /**
     * The addresses of a peer in the order to try them (RFC 6724 section 6): what getaddrinfo(3) does with the answer
     * of a name server. Sources and routes decide, and {@link #addrPolicy}.
     *
     * @param addresses of both families; a small scope's zone stands in its {@code scopeId}
     * @bsd getaddrinfo
     */
    public List<SockAddr> order(List<SockAddr> addresses) {
        return destinations.order(addresses, 0);
    }

    /** The policy table of address selection, which {@code ip6addrctl} shows and sets. @bsd ip6addrctl */
    public In6Policy addrPolicy() {
        return destinations.policy();
    }

    // Routes.

    /**
     * Adds a route.
     *
     * @param prefix {@code 10.0.0.0/8}, a bare address for one host, or {@code default}
     * @param gateway the router's address, or null when the prefix is on the link of {@code ifp}
     * @param ifp the interface, or null to find it by the gateway
     * @throws ErrnoException EEXIST; ENETUNREACH when the gateway is on no link; ENXIO for an interface that is not
     *     attached
     */
    public void addRoute(String prefix, String gateway, Ifnet ifp) throws ErrnoException {
        addRoute(prefix, gateway, ifp, 0);
    }

    /** {@link #addRoute(String, String, Ifnet)} with a path MTU in octets, 0 for the interface's. */
    public void addRoute(String prefix, String gateway, Ifnet ifp, int mtu) throws ErrnoException {
        SockAddr gw = gateway == null ? null : addressOf(gateway);
        put(new RouteReq(prefixOf(prefix)).gateway(gw).ifp(ifp).mtu(mtu),
            "add route " + prefix + (gateway == null ? ifp == null ? " by no interface" : "" : " by " + gateway));
    }

    /** Adds the default route. */
    public void addDefault(String gateway) throws ErrnoException {
        addRoute("default", gateway, null);
    }

    /** Makes a prefix unreachable: its packets are refused with an error. */
    public void addReject(String prefix) throws ErrnoException {
        put(new RouteReq(prefixOf(prefix)).flags(NextHop.NHF_REJECT), "add reject route " + prefix);
    }

    /** Makes a prefix vanish: its packets are dropped. */
    public void addBlackhole(String prefix) throws ErrnoException {
        put(new RouteReq(prefixOf(prefix)).flags(NextHop.NHF_BLACKHOLE), "add blackhole route " + prefix);
    }

    /** One way a prefix: more are for {@link #routing}. */
    private void put(RouteReq req, String call) throws ErrnoException {
        InPrefix p = req.dst().embedded();
        boolean there = inet.fibs[0].exact(p.addr(), p.bits()) != null;
        ErrnoException.check(there ? Errno.EEXIST : routing.add(req), call);
    }

    /** What route(8) does beyond that: several ways, tables, changes. */
    public RouteConfig routing() {
        return routing;
    }

    /** Deletes a route. ENOENT when there is none. */
    public void deleteRoute(String prefix) throws ErrnoException {
        ErrnoException.check(routing.delete(new RouteReq(prefixOf(prefix))), "delete route " + prefix);
    }

    /** All routes of the default table: a snapshot. */
    public List<Route> routes() {
        return inet.fibs[0].routes();
    }

    /** Whether packets for others are sent on. @bsd net.inet.ip.forwarding */
    public void setForwarding(boolean on) {
        inet.vnet.sysctl().find(FORWARDING).set(on ? 1 : 0);
    }

    /** Whether IPv6 packets for others are sent on. @bsd net.inet6.ip6.forwarding */
    public void setForwarding6(boolean on) {
        inet.vnet.sysctl().find(FORWARDING6).set(on ? 1 : 0);
    }

    // Neighbours.

    /** Sets a neighbour's link address by hand, as in {@code 02:00:00:00:00:01}. @bsd arp -s */
    public void setArp(Ifnet ifp, String address, String lladdr) throws ErrnoException {
        setArp(ifp, address, lladdr, false);
    }

    /**
     * {@link #setArp(Ifnet, String, String)}, and answers for the neighbour where published (proxy ARP): who asks for
     * it on this interface is given that link address, this host's own for packets that it is to forward.
     *
     * @bsd arp -s pub
     */
    public void setArp(Ifnet ifp, String address, String lladdr, boolean published) throws ErrnoException {
        ErrnoException.check(inet.arp.setStatic(ifp, address4(address), lladdrOf(lladdr), published),
            "arp -s " + address);
    }

    /** Forgets a neighbour. @bsd arp -d */
    public void deleteArp(Ifnet ifp, String address) throws ErrnoException {
        ErrnoException.check(inet.arp.delete(ifp, address4(address)), "arp -d " + address);
    }

    /** All neighbours: a snapshot. @bsd arp -a */
    public List<ArpEntry> arp() {
        return inet.arp.entries();
    }

    /** The last report that somebody else uses an address of this host, or null. */
    public ArpDuplicate lastDuplicate() {
        return inet.arp.lastDuplicate();
    }

    /** From now on hears, without a lock of the stack, of each IPv4 address of this host that somebody else uses. */
    public void addConflictListener(java.util.function.Consumer<ArpDuplicate> listener) {
        inet.arp.addListener(listener);
    }

    /**
     * Has a DHCP server configure an Ethernet: address, routes. Runs until stopped or until the interface goes.
     *
     * @throws ErrnoException EINVAL for an interface that is no Ethernet, EBUSY when it has a client already,
     *     EADDRINUSE when a socket has the client's port
     * @bsd dhclient
     */
    public DhcpClient dhcp(Ifnet ifp, String hostname, DhcpListener listener) throws ErrnoException {
        return inet.dhcp.start(this, ifp, hostname, listener);
    }

    /** Gives all leases back and ends the DHCP clients: what a program does before it closes its vnet. */
    public void stopDhcp() {
        inet.dhcp.destroy();
    }

    // Texts.

    private int address4(String text) {
        SockAddr a = addressOf(text);
        if (a.family() != SockAddr.AF_INET) {
            throw new IllegalArgumentException("'" + text + "' is not an IPv4 address");
        }
        return a.in4();
    }

    private SockAddr addressOf(String cidr) {
        return prefixOf(cidr).addr();
    }

    private InPrefix prefixOf(String cidr) {
        return InPrefix.parse(cidr, inet.vnet.ifnets());
    }

    private static long lladdrOf(String text) {
        if (!text.matches("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")) {
            throw new IllegalArgumentException("'" + text + "' is not a link address as in 02:00:00:00:00:01");
        }
        long v = Long.parseLong(text.replace(":", ""), 16);
        if (EtherHeader.isMulticast(v)) {
            throw new IllegalArgumentException("'" + text + "' is a group's link address");
        }
        return v;
    }
}
