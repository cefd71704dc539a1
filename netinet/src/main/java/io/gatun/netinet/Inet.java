package io.gatun.netinet;

import io.gatun.netinet.arp.Arp;
import io.gatun.netinet.dhcp.Dhcp;
import io.gatun.netinet.ether.Ether;
import io.gatun.netinet.icmp.HostCache;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.icmp.IcmpInput;
import io.gatun.netinet.igmp.Igmp;
import io.gatun.netinet.ip.InAddrs;
import io.gatun.netinet.ip.InMulti;
import io.gatun.netinet.ip.IpInput;
import io.gatun.netinet.ip.IpOptions;
import io.gatun.netinet.ip.IpOutput;
import io.gatun.netinet.ip.IpReass;
import io.gatun.netinet.ip.IpStat;
import io.gatun.netinet.raw.Rip;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.RouteScratch;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.VnetSide;
import java.util.Arrays;

/**
 * The root of the internet domain in one vnet: what FreeBSD keeps in {@code V_} variables. Made by {@link InetDomain};
 * every part finds its neighbours here. All fields but {@link #fibs} are constant once the domain is initialised.
 *
 * @bsd inet_domain
 */
public final class Inet {
    /** @bsd RT_MAXFIBS */
    private static final int RT_MAXFIBS = 0xffff;

    /** The stack instance. */
    public final VnetSide vnet;
    /** This host's IPv4 addresses. */
    public final InAddrs addrs;
    /** Group membership of the interfaces. */
    public final InMulti multi;
    /**
     * Forwarding tables by number; 0 is the default. More may come, none goes; the array is never changed in place.
     *
     * @bsd V_rt_tables
     */
    public volatile Fib[] fibs;
    /** Route caches for those without one. */
    public final RouteScratch scratch;
    /** What is known of other hosts: path MTU and more. @bsd V_tcp_hostcache */
    public final HostCache hostCache;
    /** IP counters. @bsd V_ipstat */
    public final IpStat ipstat;
    /** IP options. */
    public final IpOptions ipOptions;
    /** Fragments on their way in. */
    public final IpReass ipReass;
    /** IP on its way in. */
    public final IpInput ipInput;
    /** ICMP on its way in. */
    public final IcmpInput icmpInput;
    /** IP on its way out. */
    public final IpOutput ipOutput;
    public final Icmp icmp;
    /** Raw sockets of both families. */
    public final Rip rip;
    /** Which IPv4 groups are listened to. */
    public final Igmp igmp;
    /** Clients of servers that give addresses. */
    public final Dhcp dhcp;
    public final Arp arp;
    public final Ether ether;
    /** Addresses and the routes that come with them. */
    final InControl control;

    /** Tells of changes of routes, addresses and interfaces. */
    final RouteMonitor monitor;
    private final Sysctl addAllFibs;
    private Inet6 inet6;

    /** Makes all parts; nothing is registered yet. */
    public Inet(VnetSide vnet) {
        this.vnet = vnet;
        addrs = new InAddrs();
        multi = new InMulti();
        monitor = new RouteMonitor();
        fibs = new Fib[0];
        vnet.sysctl().addProc("net.fibs", 1, this::grow, "forwarding tables; can only grow");
        addAllFibs = vnet.sysctl().addBool("net.add_addr_allfibs", false,
            "routes of an interface's addresses are added to all tables, not to the interface's alone");
        scratch = new RouteScratch();
        hostCache = new HostCache(vnet);
        ipstat = new IpStat(vnet.counters());
        ipOptions = new IpOptions(this);
        ipReass = new IpReass(this);
        ipInput = new IpInput(this);
        ipOutput = new IpOutput(this);
        icmp = new Icmp(this);
        icmpInput = new IcmpInput(this);
        rip = new Rip(this);
        igmp = new Igmp(this);
        dhcp = new Dhcp(this);
        arp = new Arp(this);
        ether = new Ether(this);
        control = new InControl(this);
    }

    /** Makes tables until there are so many; false for fewer than there are. @bsd sysctl_fibs */
    private synchronized boolean grow(long wanted) {
        int have = fibs.length;
        if (wanted < Math.max(1, have) || wanted > RT_MAXFIBS) {
            return false;
        }
        Fib[] more = Arrays.copyOf(fibs, (int) wanted);
        for (int i = have; i < more.length; i++) {
            more[i] = new Fib(i);
            more[i].addListener(monitor);
        }
        fibs = more;
        return true;
    }

    /** The tables that get the routes of an interface's addresses. @bsd V_rt_add_addr_allfibs */
    Fib[] fibsOf(Ifnet ifp) {
        return addAllFibs.getBool() ? fibs : new Fib[] {fib(ifp.fibnum())};
    }

    /** The forwarding table of that number; the default one for a number out of range. */
    public Fib fib(int number) {
        Fib[] all = fibs;
        return number >= 0 && number < all.length ? all[number] : all[0];
    }

    /** As {@link io.gatun.spi.socket.PathMtu#update}. */
    void pathMtu(int family, Mbuf m, int icmpOff) {
        if (family == SockAddr.AF_INET) {
            icmp.updateMtu(m, icmpOff);
        } else if (family == SockAddr.AF_INET6 && inet6 != null) {
            inet6.icmp6.updateMtu(m, icmpOff);
        }
    }

    /** Whether an interface is one of this stack, and does not go. */
    public boolean isAttached(Ifnet ifp) {
        return vnet.ifnets().byIndex(ifp.index()) == ifp && !InControl.gone(ifp);
    }

    /** The IPv6 half; null without one. */
    public Inet6 inet6() {
        return inet6;
    }

    /** IPv6 comes, before there are any sockets. */
    void setInet6(Inet6 root) {
        inet6 = root;
    }
}
