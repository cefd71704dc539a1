package io.gatun.netinet;

import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetListener;
import io.gatun.spi.socket.SockAddr;

/**
 * What follows from an interface's IPv6 addresses: a link-local address beside the first, the route to its network, the
 * route to itself through the loopback interface, the groups all nodes and solicited node. Hears of all changes.
 *
 * <p>Locking key: (w) written by the thread that attaches or detaches, read by any.
 *
 * @bsd in6_control
 */
final class In6Control implements IfnetListener {
    private static final int HOST_BITS = 128;

    private final Inet inet;
    private final Inet6 inet6;
    private volatile Ifnet loif; // (w) the first loopback interface, or null

    In6Control(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        this.inet6 = inet6;
    }

    @Override
    public void arrived(final Ifnet ifp) {
        if (ifp.type() == Ifnet.IFT_LOOP && loif == null) {
            loif = ifp;
            for (final In6Ifaddr ia : inet6.addrs.all()) {
                addSelf(ia);
            }
        }
        for (final IfAddr a : ifp.addrs()) {
            addressChanged(ifp, a, true);
        }
    }

    @Override
    public void departing(final Ifnet ifp) {
        for (final In6Ifaddr ia : inet6.addrs.all()) {
            if (ia.ifp == ifp) {
                removed(ifp, ia.ifa);
            }
        }
        loif = ifp == loif ? null : loif;
    }

    @Override
    public void addressChanged(final Ifnet ifp, final IfAddr addr, final boolean added) {
        if (addr.family() != SockAddr.AF_INET6) {
            return;
        }
        if (!added) {
            removed(ifp, addr);
        } else if (inet6.addrs.lookup(In6.embed(addr.addr().hi(), ifp.index()), addr.addr().lo()) == null) {
            take(new In6Ifaddr(ifp, addr));
        }
    }

    @Override
    public void stateChanged(final Ifnet ifp) {
        inet6.mld.gmp.stateChanged(ifp);
        inet6.nd6.stateChanged(ifp);
    }

    /** Gives an interface an address with all that follows; false when this host has it. @bsd in6_update_ifa */
    boolean add(final In6Ifaddr ia) {
        if (!take(ia)) {
            return false;
        }
        ia.ifp.addAddr(ia.ifa);
        return true;
    }

    private boolean take(final In6Ifaddr ia) {
        final Ifnet ifp = ia.ifp;
        if (InControl.gone(ifp)) {
            return false;
        }
        final boolean first = !inet6.addrs.has(ifp);
        if (inet6.nd6.tentative(ifp, ia.flags())) {
            ia.setFlags(In6Ifaddr.IN6_IFF_TENTATIVE, 0);
        }
        if (!inet6.addrs.add(ia)) {
            return false;
        }
        addPrefix(ia);
        addSelf(ia);
        if ((ifp.flags() & (Ifnet.IFF_MULTICAST | Ifnet.IFF_LOOPBACK)) == Ifnet.IFF_MULTICAST) {
            inet6.mld.join(ifp, group(ifp, In6.solicited(ia.lo)));
            if (first) {
                ifp.addMulti(group(ifp, 1));
            }
        }
        inet6.nd6.addressAdded(ia);
        if (InControl.gone(ifp)) {
            removed(ifp, ia.ifa); // it went meanwhile, and who took its addresses away may have missed this one
        }
        return true;
    }

    private static SockAddr group(final Ifnet ifp, final long lo) {
        final SockAddr sa = new SockAddr();
        sa.setIn6(In6.LINK_GROUP_HI, lo, 0, ifp.index());
        return sa;
    }

    private void removed(final Ifnet ifp, final IfAddr a) {
        final In6Ifaddr ia = inet6.addrs.remove(ifp, a);
        if (ia == null) {
            return;
        }
        for (final Fib f : inet.fibs) {
            f.deleteIf(r -> r.nextHop().src != null && r.nextHop().src.sameAddr(ia.ifa.addr())
                && (r.nextHop().ifp == ifp || r.nextHop().has(NextHop.NHF_LOCAL)));
        }
        for (final In6Ifaddr other : inet6.addrs.all()) {
            addPrefix(other); // the route to a network they shared is the other's now
        }
        if ((ifp.flags() & (Ifnet.IFF_MULTICAST | Ifnet.IFF_LOOPBACK)) == Ifnet.IFF_MULTICAST) {
            inet6.mld.leave(ifp, group(ifp, In6.solicited(ia.lo)));
            if (!inet6.addrs.has(ifp)) {
                ifp.delMulti(group(ifp, 1));
            }
        }
        inet6.nd6.addressRemoved(ia);
    }

    /** @bsd nd6_prefix_onlink */
    private void addPrefix(final In6Ifaddr ia) {
        if (!InControl.gone(ia.ifp) && ia.prefixLen() < HOST_BITS
                && !ia.has(In6Ifaddr.IN6_IFF_AUTOCONF)) { // of those the router says what is on the link
            final NextHop nh = new NextHop(ia.ifp, NextHop.NHF_PINNED, null, ia.ifa.addr(), inet6.nd6.linkMtu(ia.ifp));
            for (final Fib f : inet.fibsOf(ia.ifp)) {
                f.add(SockAddr.in6(ia.hi, ia.lo, 0), ia.prefixLen(), nh);
            }
        }
    }

    /** Packets to the address itself go through the loopback interface. */
    private void addSelf(final In6Ifaddr ia) {
        final Ifnet lo = loif;
        if (lo == null) {
            return;
        }
        final int flags = NextHop.NHF_PINNED | NextHop.NHF_HOST | NextHop.NHF_LOCAL;
        for (final Fib f : inet.fibsOf(ia.ifp)) {
            f.change(SockAddr.in6(ia.hi, ia.lo, 0), HOST_BITS, new NextHop(lo, flags, null, ia.ifa.addr(), 0));
        }
    }

    /** Takes all addresses away, as the domain goes. */
    void destroy() {
        for (final In6Ifaddr ia : inet6.addrs.all()) {
            inet6.addrs.remove(ia.ifp, ia.ifa);
        }
    }
}
