package io.gatun.netinet;

import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip.InMulti;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetListener;
import io.gatun.spi.socket.SockAddr;
import java.util.List;

/**
 * What follows from an interface's addresses: the route to its network, the route to itself through the loopback
 * interface, the broadcast address, the all-hosts group, an announcement by ARP. Hears of all changes, whoever makes
 * them.
 *
 * <p>Locking key: (w) written by the thread that attaches or detaches, read by any.
 *
 * @bsd in_control
 */
final class InControl implements IfnetListener {
    private static final int HOST_BITS = 32;

    private final Inet inet;
    private volatile Ifnet loif; // (w) the first loopback interface, or null

    InControl(Inet inet) {
        this.inet = inet;
    }

    @Override
    public void arrived(Ifnet ifp) {
        if (ifp.type() == Ifnet.IFT_LOOP && loif == null) {
            loif = ifp;
            for (InIfaddr ia : inet.addrs.all()) {
                addSelf(ia);
            }
        }
        for (IfAddr a : ifp.addrs()) {
            if (a.family() == SockAddr.AF_INET && inet.addrs.lookup(a.addr().in4()) == null) {
                added(ifp, a);
            }
        }
    }

    @Override
    public void departing(Ifnet ifp) {
        for (InIfaddr ia : inet.addrs.all()) {
            if (ia.ifp == ifp) {
                removed(ifp, ia.ifa);
            }
        }
        for (Fib f : inet.fibs) {
            f.flush(ifp);
        }
        if (ifp == loif) {
            loif = null;
        }
    }

    @Override
    public void addressChanged(Ifnet ifp, IfAddr addr, boolean added) {
        if (addr.family() != SockAddr.AF_INET) {
            return;
        }
        if (added) {
            added(ifp, addr);
        } else {
            removed(ifp, addr);
        }
    }

    @Override
    public void stateChanged(Ifnet ifp) {
        inet.arp.stateChanged(ifp);
        inet.igmp.gmp.stateChanged(ifp);
        if ((ifp.flags() & Ifnet.IFF_UP) != 0) {
            return;
        }
        inet.arp.flush(ifp);
    }

    /** @bsd in_aifaddr_ioctl */
    private void added(Ifnet ifp, IfAddr a) {
        if (gone(ifp)) {
            return;
        }
        InIfaddr ia = inet.addrs.add(ifp, a);
        addPrefix(ia);
        addSelf(ia);
        if ((ifp.flags() & Ifnet.IFF_MULTICAST) != 0 && first(ifp)) {
            InMulti.join(ifp, InMulti.ALLHOSTS_GROUP);
        }
        inet.arp.announce(ifp, ia.addr);
        if (gone(ifp)) {
            removed(ifp, a); // it went meanwhile, and who took its addresses away may have missed this one
        }
    }

    /** Whether an interface goes or has gone: what it has is taken away, and it gets nothing more. */
    static boolean gone(Ifnet ifp) {
        return (ifp.flags() & Ifnet.IFF_DYING) != 0;
    }

    private boolean first(Ifnet ifp) {
        return inet.addrs.all().stream().filter(i -> i.ifp == ifp).count() == 1;
    }

    /** @bsd in_difaddr_ioctl */
    private void removed(Ifnet ifp, IfAddr a) {
        InIfaddr ia = inet.addrs.remove(ifp, a);
        if (ia == null) {
            return;
        }
        for (Fib f : inet.fibs) {
            f.deleteIf(r -> dependsOn(r.nextHop(), ia));
        }
        for (InIfaddr other : inet.addrs.all()) {
            addPrefix(other); // the route to a network they shared is the other's now
            addSelf(other);
        }
        if ((ifp.flags() & Ifnet.IFF_MULTICAST) != 0 && inet.addrs.first(ifp) == null) {
            InMulti.leave(ifp, InMulti.ALLHOSTS_GROUP);
        }
    }

    private static boolean dependsOn(NextHop nh, InIfaddr ia) {
        boolean same = nh.src != null && nh.src.family() == SockAddr.AF_INET && nh.src.in4() == ia.addr;
        return same && (nh.ifp == ia.ifp || nh.has(NextHop.NHF_LOCAL));
    }

    /** The routes to the address's network and to its broadcast address, where there are none yet. @bsd in_addprefix */
    private void addPrefix(InIfaddr ia) {
        if (gone(ia.ifp)) {
            return;
        }
        for (Fib fib : inet.fibsOf(ia.ifp)) {
            addPrefix(ia, fib);
        }
    }

    private static void addPrefix(InIfaddr ia, Fib fib) {
        SockAddr src = ia.ifa.addr();
        if (ia.ifa.peer() != null) {
            int flags = NextHop.NHF_PINNED | NextHop.NHF_HOST;
            fib.add(ia.ifa.peer(), HOST_BITS, new NextHop(ia.ifp, flags, null, src, 0));
        } else if (ia.prefixLen() < HOST_BITS) {
            fib.add(src, ia.prefixLen(), new NextHop(ia.ifp, NextHop.NHF_PINNED, null, src, 0));
        }
        if (ia.broadcast != 0) {
            int flags = NextHop.NHF_PINNED | NextHop.NHF_HOST | NextHop.NHF_BROADCAST;
            fib.add(SockAddr.in(ia.broadcast, 0), HOST_BITS, new NextHop(ia.ifp, flags, null, src, 0));
        }
    }

    /** Packets to the address itself go through the loopback interface. @bsd ifa_add_loopback_route */
    private void addSelf(InIfaddr ia) {
        Ifnet lo = loif;
        if (lo == null) {
            return;
        }
        int flags = NextHop.NHF_PINNED | NextHop.NHF_HOST | NextHop.NHF_LOCAL;
        for (Fib f : inet.fibsOf(ia.ifp)) {
            Route r = f.exact(ia.ifa.addr(), HOST_BITS);
            if (r == null || !r.nextHop().has(NextHop.NHF_LOCAL)) {
                f.change(ia.ifa.addr(), HOST_BITS, new NextHop(lo, flags, null, ia.ifa.addr(), 0));
            }
        }
    }

    /** Takes all addresses away, as the domain goes. */
    void destroy() {
        for (InIfaddr ia : List.copyOf(inet.addrs.all())) {
            inet.addrs.remove(ia.ifp, ia.ifa);
        }
        for (Fib f : inet.fibs) {
            f.deleteIf(r -> true);
        }
    }
}
