package io.gatun.netinet.icmp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.Inet;
import io.gatun.netinet.ip.InAddrs;
import io.gatun.netinet.ip.InIfaddr;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import java.util.ArrayDeque;

/**
 * Redirects on their way in (RFC 792, RFC 1122 section 3.2.2.2): a route to one host by a better router, for a time. It
 * is believed only from the router that is used for that host now, about a packet of ours, and when it names a
 * neighbour on the same link that is not this host. A host that forwards believes none (RFC 1812 section 5.2.7.2).
 *
 * <p>Locking key: (l) {@code lock}.
 *
 * @bsd rib_add_redirect
 */
final class IcmpRedirect {
    private static final int HOST_BITS = 32;
    private static final long SEC = 1_000_000_000L;
    private static final int MAX_CODE = 3;
    private static final int DAY_SEC = 86_400;

    /** A route that was made, and when it ends. */
    private record Made(int dst, int fib, long deadlineNs) {
    }

    private final Inet inet;
    private final Counter accepted;
    private final Counter refused;
    private final Sysctl dropRedirect;
    private final Sysctl timeout;
    private final Sysctl most;
    private final Mtx lock = new Mtx(LockClass.CONFIG, "redirect");
    private final Callout timer;
    @GuardedBy("lock")
    private final ArrayDeque<Made> made = new ArrayDeque<>(); // (l) the first to end first
    @GuardedBy("lock")
    private boolean destroyed; // (l)

    IcmpRedirect(final Inet inet) {
        this.inet = inet;
        accepted = inet.vnet.counters().counter("icmp.redirects");
        refused = inet.vnet.counters().counter("icmp.badredirects");
        final SysctlTree tree = inet.vnet.sysctl();
        dropRedirect = tree.addBool("net.inet.icmp.drop_redirect", false, "redirects are ignored");
        timeout = tree.addInt("net.inet.icmp.redirtimeout", 600, 1, DAY_SEC, "seconds a redirect is believed");
        most = tree.addInt("net.inet.icmp.redirmax", 1024, 0, 1 << 20, "routes made by redirects at most");
        timer = inet.vnet.callout("redirect", null, this::expire);
    }

    /**
     * Takes what a message says. Borrows m, whose inner header is whole.
     *
     * @param off octets to the ICMP header
     */
    void input(final Mbuf m, final int off) {
        final int ip = off + Icmp.ICMP_MINLEN;
        final int router = IpHeader.src(m, 0);
        final int gateway = m.getInt(off + Icmp.WORD);
        final int dst = IpHeader.dst(m, ip);
        final Ifnet ifp = m.rcvif();
        final Fib fib = inet.fib(m.fibnum());
        if (dropRedirect.getBool() || m.getU8(off + Icmp.CODE) > MAX_CODE
                || !inet.addrs.isLocal(IpHeader.src(m, ip)) || !believed(fib, ifp, router, gateway, dst)) {
            refused.increment();
            return;
        }
        lock.lock();
        try {
            add(fib, ifp, gateway, dst);
        } finally {
            lock.unlock();
        }
    }

    private boolean believed(final Fib fib, final Ifnet ifp, final int router, final int gateway, final int dst) {
        final Sysctl forwarding = inet.vnet.sysctl().find("net.inet.ip.forwarding");
        final NextHop nh = fib.lookup(dst);
        return !forwarding.getBool() && nh != null && nh.ifp == ifp && nh.gateway != null
            && nh.gateway.in4() == router && router != gateway && InAddrs.canForward(dst)
            && inet.addrs.onLink(gateway, ifp) != null && !inet.addrs.isLocal(gateway)
            && !inet.addrs.isBroadcast(gateway, ifp) && InAddrs.canForward(gateway);
    }

    @GuardedBy("lock")
    private void add(final Fib fib, final Ifnet ifp, final int gateway, final int dst) {
        final SockAddr to = SockAddr.in(dst, 0);
        final Route old = fib.exact(to, HOST_BITS);
        final boolean byHand = old != null && !old.nextHop().has(NextHop.NHF_REDIRECT);
        if (byHand || destroyed || made.size() >= most.getInt()) {
            refused.increment();
            return;
        }
        final InIfaddr ia = inet.addrs.onLink(gateway, ifp);
        final NextHop nh = new NextHop(ifp, NextHop.NHF_HOST | NextHop.NHF_REDIRECT, SockAddr.in(gateway, 0),
            ia == null ? null : ia.ifa.addr(), 0);
        if (fib.change(to, HOST_BITS, nh) != Errno.OK) {
            refused.increment();
            return;
        }
        accepted.increment();
        made.removeIf(r -> r.dst == dst && r.fib == fib.number());
        made.add(new Made(dst, fib.number(), inet.vnet.clock().nanoTime() + timeout.get() * SEC));
        timer.resetAt(made.peek().deadlineNs);
    }

    /** Takes away what is no longer believed, unless somebody has put another route there. */
    private void expire() {
        lock.lock();
        try {
            final long now = inet.vnet.clock().nanoTime();
            while (!made.isEmpty() && made.peek().deadlineNs - now <= 0) {
                final Made r = made.poll();
                inet.fib(r.fib).deletePaths(SockAddr.in(r.dst, 0), HOST_BITS, nh -> nh.has(NextHop.NHF_REDIRECT));
            }
            if (!made.isEmpty()) {
                timer.resetAt(made.peek().deadlineNs);
            }
        } finally {
            lock.unlock();
        }
    }

    void destroy() {
        lock.lock();
        try {
            destroyed = true;
            made.clear();
        } finally {
            lock.unlock();
        }
        timer.drain();
    }
}
