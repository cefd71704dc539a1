package io.gatun.netinet;

import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip6.Frag6;
import io.gatun.netinet.ip6.In6Addrs;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.ip6.In6Laddr;
import io.gatun.netinet.ip6.Ip6Ctloutput;
import io.gatun.netinet.ip6.Ip6Forward;
import io.gatun.netinet.ip6.Ip6Input;
import io.gatun.netinet.ip6.Ip6Output;
import io.gatun.netinet.ip6.Ip6Stat;
import io.gatun.netinet.mld.Mld;
import io.gatun.netinet.nd6.Nd6;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.vnet.Sysctl;
import java.util.List;

/**
 * The IPv6 half of the internet domain in one vnet, made by {@link Inet6Domain}. All fields are constant.
 *
 * @bsd inet6_domain
 */
public final class Inet6 {
    /** This host's IPv6 addresses. */
    public final In6Addrs addrs;
    /** IPv6 counters. @bsd V_ip6stat */
    public final Ip6Stat stat;
    /** Source addresses. */
    public final In6Laddr laddr;
    /** Options of sockets. */
    public final Ip6Ctloutput ctloutput;
    public final Icmp6 icmp6;
    public final Nd6 nd6;
    /** Which IPv6 groups are listened to. */
    public final Mld mld;
    /** Fragments on their way in. */
    public final Frag6 frag6;
    /** IPv6 on its way in. */
    public final Ip6Input ip6Input;
    /** IPv6 for others. */
    public final Ip6Forward ip6Forward;
    /** IPv6 on its way out. */
    public final Ip6Output ip6Output;
    /** Whether new sockets label their flows (RFC 6437). @bsd V_ip6_auto_flowlabel */
    public final Sysctl autoFlowlabel;
    /** Whether new sockets are for IPv6 alone. @bsd V_ip6_v6only */
    public final Sysctl v6only;
    final In6Control control;

    Inet6(final Inet inet) {
        addrs = new In6Addrs(inet.vnet.sysctl());
        stat = new Ip6Stat(inet.vnet.counters());
        laddr = new In6Laddr(inet, this);
        ctloutput = new Ip6Ctloutput(inet);
        icmp6 = new Icmp6(inet, this);
        nd6 = new Nd6(inet, this);
        mld = new Mld(inet, this);
        frag6 = new Frag6(inet, this);
        ip6Input = new Ip6Input(inet, this);
        ip6Forward = new Ip6Forward(inet, this);
        ip6Output = new Ip6Output(inet, this);
        autoFlowlabel = inet.vnet.sysctl().addBool("net.inet6.ip6.auto_flowlabel", true,
            "flows of new IPv6 sockets have a label");
        v6only = inet.vnet.sysctl().addBool("net.inet6.ip6.v6only", true, "new IPv6 sockets take no IPv4");
        control = new In6Control(inet, this);
    }

    /**
     * Gives an interface an address with the flags and lifetimes it has, and all that follows from it. False when this
     * host has the address already. Holding no lock of the stack.
     *
     * @bsd in6_update_ifa
     */
    public boolean add(final In6Ifaddr ia) {
        return control.add(ia);
    }

    /** Whether an interface has joined a group, given without its zone. @bsd in6m_lookup */
    public boolean isMember(final Ifnet ifp, final long hi, final long lo) {
        final List<SockAddr> groups = ifp.multiaddrs();
        for (int i = 0; i < groups.size(); i++) {
            final SockAddr g = groups.get(i);
            if (g.lo() == lo && g.hi() == hi && g.family() == SockAddr.AF_INET6) {
                return true;
            }
        }
        return false;
    }
}
