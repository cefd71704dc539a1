package io.gatun.netinet;

import io.gatun.netinet.arp.Arp;
import io.gatun.netinet.ether.Ether;
import io.gatun.netinet.icmp.HostCache;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.icmp.IcmpInput;
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
import io.gatun.spi.vnet.VnetSide;

/**
 * The root of the internet domain in one vnet: what FreeBSD keeps in {@code V_} variables. Made by {@link InetDomain};
 * every part finds its neighbours here. All fields are constant once the domain is initialised.
 *
 * @bsd inet_domain
 */
public final class Inet {
    private static final int FIBS = 1;

    /** The stack instance. */
    public final VnetSide vnet;
    /** This host's IPv4 addresses. */
    public final InAddrs addrs;
    /** Group membership of the interfaces. */
    public final InMulti multi;
    /** Forwarding tables by number; 0 is the default. @bsd V_rt_tables */
    public final Fib[] fibs;
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
    public final Arp arp;
    public final Ether ether;
    /** Addresses and the routes that come with them. */
    final InControl control;

    private Inet6 inet6;

    /** Makes all parts; nothing is registered yet. */
    public Inet(VnetSide vnet) {
        this.vnet = vnet;
        addrs = new InAddrs();
        multi = new InMulti();
        fibs = new Fib[FIBS];
        for (int i = 0; i < FIBS; i++) {
            fibs[i] = new Fib(i);
        }
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
        arp = new Arp(this);
        ether = new Ether(this);
        control = new InControl(this);
    }

    /** The forwarding table of that number; the default one for a number out of range. */
    public Fib fib(int number) {
        return number >= 0 && number < fibs.length ? fibs[number] : fibs[0];
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
