package io.gatun.netinet.nd6;

import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/** The tunables of neighbour discovery. */
final class Nd6Sysctl {
    private static final int HOUR_MS = 3_600_000;
    private static final int DAY_SEC = 86_400;
    private static final int MAX_SEC = 366 * DAY_SEC;

    private final Sysctl maxqueuelen;
    private final Sysctl maxEntries;
    private final Sysctl maxIncomplete;
    private final Sysctl reachable;
    private final Sysctl dadCount;
    private final Sysctl dadEnhanced;
    private final Sysctl autoLinklocal;
    private final Sysctl stableaddr;
    private final Sysctl stableRetries;
    private final Sysctl defhlim;
    private final Sysctl acceptRtadv;
    private final Sysctl noRadr;
    private final Sysctl rfc6204w3;
    private final Sysctl maxDefrouters;
    private final Sysctl maxPrefixes;
    private final Sysctl useTempaddr;
    private final Sysctl temppltime;
    private final Sysctl tempvltime;

    Nd6Sysctl(final SysctlTree tree) {
        maxqueuelen = tree.addInt("net.inet6.icmp6.nd6_maxqueuelen", 16, 1, 1024,
            "packets that wait for one neighbour");
        maxEntries = tree.addInt("net.inet6.icmp6.nd6_maxentries", 8192, 1, 1 << 20, "neighbours on one interface");
        maxIncomplete = tree.addInt("net.inet6.icmp6.nd6_maxincomplete", 1024, 1, 1 << 20,
            "neighbours on one interface that are asked for and have not answered");
        reachable = tree.addInt("net.inet6.icmp6.nd6_reachable", 30_000, 1, HOUR_MS,
            "milliseconds a confirmed neighbour is believed, on average, while no router says");
        dadCount = tree.addInt("net.inet6.ip6.dad_count", 1, 0, 15,
            "solicitations before an address is taken to be nobody else's; 0 does not ask");
        dadEnhanced = tree.addBool("net.inet6.ip6.dad_enhanced", true,
            "tell our own solicitations that come back by a nonce (RFC 7527)");
        autoLinklocal = tree.addBool("net.inet6.ip6.auto_linklocal", true,
            "interfaces attached from now on get a link-local address when they come up");
        stableaddr = tree.addBool("net.inet6.ip6.use_stableaddr", true,
            "interfaces attached from now on have stable, opaque identifiers (RFC 7217), else EUI-64");
        stableRetries = tree.addInt("net.inet6.ip6.stableaddr_maxretries", 3, 0, 100,
            "other identifiers that are tried after a duplicate");
        defhlim = tree.addInt("net.inet6.ip6.hlim", Ip6Header.HLIM_DEFAULT, 0, Ip6Header.IPV6_MAXHLIM,
            "hop limit of interfaces attached from now on, while no router says");
        acceptRtadv = tree.addBool("net.inet6.ip6.accept_rtadv", false,
            "interfaces attached from now on take router advertisements");
        noRadr = tree.addBool("net.inet6.ip6.no_radr", false,
            "interfaces attached from now on take no default route from advertisements");
        rfc6204w3 = tree.addBool("net.inet6.ip6.rfc6204w3", false, "take advertisements even while forwarding");
        maxDefrouters = tree.addInt("net.inet6.ip6.maxifdefrouters", 16, 0, 1024, "default routers on one interface");
        maxPrefixes = tree.addInt("net.inet6.ip6.maxifprefixes", 16, 0, 1024, "prefixes on one interface");
        useTempaddr = tree.addBool("net.inet6.ip6.use_tempaddr", false, "make temporary addresses (RFC 8981)");
        temppltime = tree.addInt("net.inet6.ip6.temppltime", DAY_SEC, 60, MAX_SEC,
            "seconds a temporary address is preferred, at most");
        tempvltime = tree.addInt("net.inet6.ip6.tempvltime", 2 * DAY_SEC, 60, MAX_SEC,
            "seconds a temporary address is valid, at most");
    }

    boolean rfc6204w3() {
        return rfc6204w3.getBool();
    }

    int maxDefrouters() {
        return maxDefrouters.getInt();
    }

    int maxPrefixes() {
        return maxPrefixes.getInt();
    }

    boolean useTempaddr() {
        return useTempaddr.getBool();
    }

    long temppltimeNs() {
        return temppltime.get() * Nd6.SEC;
    }

    long tempvltimeNs() {
        return tempvltime.get() * Nd6.SEC;
    }

    int maxqueuelen() {
        return maxqueuelen.getInt();
    }

    int maxEntries() {
        return maxEntries.getInt();
    }

    int maxIncomplete() {
        return maxIncomplete.getInt();
    }

    int reachableMs() {
        return reachable.getInt();
    }

    int dadCount() {
        return dadCount.getInt();
    }

    boolean dadEnhanced() {
        return dadEnhanced.getBool();
    }

    int stableRetries() {
        return stableRetries.getInt();
    }

    int defhlim() {
        return defhlim.getInt();
    }

    /** ND6_IFF_* of an interface that is attached. @bsd nd6_ifattach */
    int ifFlags(final boolean ether) {
        return Nd6Ifinfo.ND6_IFF_PERFORMNUD
            | (ether && autoLinklocal.getBool() ? Nd6Ifinfo.ND6_IFF_AUTO_LINKLOCAL : 0)
            | (ether && acceptRtadv.getBool() ? Nd6Ifinfo.ND6_IFF_ACCEPT_RTADV : 0)
            | (noRadr.getBool() ? Nd6Ifinfo.ND6_IFF_NO_RADR : 0)
            | (stableaddr.getBool() ? Nd6Ifinfo.ND6_IFF_STABLEADDR : 0);
    }
}
