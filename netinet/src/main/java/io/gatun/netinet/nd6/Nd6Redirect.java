package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.lltable.LlHeader;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import java.util.ArrayDeque;
import java.util.List;

/**
 * Redirects (RFC 4861 section 8): a router tells a host of a better first hop. Received they become routes to one host
 * each, for a time, of which there are only so many: the oldest makes room. Sent they are where this host forwards a
 * packet back to the link it came from.
 *
 * <pre>
 *  |   type 137   |   code 0   |        checksum        |
 *  |                      reserved                      |
 *  |            target address (16 octets)              |
 *  |          destination address (16 octets)           |
 *  |                      options                       |
 * </pre>
 *
 * <p>Locking key: (c) constant; (n) neighbour discovery's lock.
 *
 * @bsd icmp6_redirect_input, icmp6_redirect_output
 */
final class Nd6Redirect {
    private static final int LEN = 40;
    private static final int TARGET = 8;
    private static final int DST = 24;
    private static final int HOST_BITS = 128;
    private static final int DAY_SEC = 86_400;

    private record Redirected(Nd6Ifinfo info, SockAddr dst, SockAddr target, long dueNs) implements NdTimed {
        boolean by(final Nd6Ifinfo i, final long hi, final long lo) {
            return info == i && target.hi() == hi && target.lo() == lo;
        }
    }

    private final Nd6 nd;            // (c)
    private final Sysctl accept;     // (c)
    private final Sysctl lifetime;   // (c)
    private final Sysctl send;       // (c)
    private final Sysctl most;       // (c)
    private final Counter received;  // (c)
    private final Counter bad;       // (c)
    private final Counter sent;      // (c)
    @GuardedBy("nd.lock")
    private final ArrayDeque<Redirected> routes = new ArrayDeque<>(); // (n) oldest first

    Nd6Redirect(final Nd6 nd) {
        this.nd = nd;
        final SysctlTree tree = nd.vnet().sysctl();
        accept = tree.addBool("net.inet6.icmp6.rediraccept", true, "redirects are followed");
        lifetime = tree.addInt("net.inet6.icmp6.redirtimeout", 600, 1, DAY_SEC, "seconds a redirect is followed");
        send = tree.addBool("net.inet6.ip6.redirect", true, "a router tells hosts of better first hops");
        most = tree.addInt("net.inet6.ip6.maxdynroutes", 4096, 0, 1 << 20, "routes made by redirects");
        final CounterSet set = nd.vnet().counters();
        received = set.counter("nd6.redirect.received");
        bad = set.counter("nd6.redirect.bad");
        sent = set.counter("nd6.redirect.sent");
    }

    // Received.

    /** Takes a redirect from ICMPv6. Consumes m. @bsd icmp6_redirect_input */
    void input(final Mbuf m0, final int off) {
        received.increment();
        final Nd6Ifinfo info = m0.rcvif() == null ? null : nd.info(m0.rcvif());
        final Mbuf m = nd.nbr.checked(info, m0, off, LEN);
        if (m == null) {
            return;
        }
        final int zone = info.ifp.index();
        final SockAddr target = SockAddr.in6(In6.embed(m.getLong(off + TARGET), zone),
            m.getLong(off + TARGET + Long.BYTES), 0);
        final SockAddr dst = SockAddr.in6(In6.embed(m.getLong(off + DST), zone), m.getLong(off + DST + Long.BYTES), 0);
        final long mac = NdOptions.lladdr(m, off + LEN, m.pktLen(), NdOptions.TARGET_LINKADDR);
        final boolean onLink = target.sameAddr(dst);
        if (dst.isMulticast() || !onLink && !In6.isLinkLocal(target.hi()) || EtherHeader.isMulticast(mac)
                || !byFirstHop(info, m, dst)) {
            bad.increment();
            nd.nbr.drop(m); // RFC 4861 section 8.1
            return;
        }
        m.freeChain();
        final boolean ours = nd.inet6.addrs.lookup(target.hi(), target.lo()) != null
            || nd.inet6.addrs.lookup(dst.hi(), dst.lo()) != null;
        if (!accept.getBool() || nd.nbr.forwarding() || ours) {
            return;
        }
        if (mac != 0) {
            info.table.solicited(target.hi(), target.lo(), mac);
        }
        follow(info, dst, target, onLink);
    }

    /** Whether the sender is who packets to the destination go to now. */
    private boolean byFirstHop(final Nd6Ifinfo info, final Mbuf m, final SockAddr dst) {
        final long sh = Ip6Header.srcHi(m, 0);
        final NextHop nh = nd.inet.fib(info.ifp.fibnum()).lookup6(dst.hi(), dst.lo());
        return In6.isLinkLocal(sh) && nh != null && nh.ifp == info.ifp && nh.gateway != null
            && nh.gateway.hi() == sh && nh.gateway.lo() == Ip6Header.srcLo(m, 0);
    }

    private void follow(final Nd6Ifinfo info, final SockAddr dst, final SockAddr target, final boolean onLink) {
        nd.lock.lock();
        try {
            forgetIf(info, dst);
            while (!routes.isEmpty() && routes.size() >= most.getInt()) {
                remove(routes.poll());
            }
            final int flags = NextHop.NHF_HOST | NextHop.NHF_REDIRECT;
            final NextHop nh = new NextHop(info.ifp, flags, onLink ? null : target, null, info.linkMtu());
            if (most.getInt() > 0 && nd.inet.fib(info.ifp.fibnum()).add(dst, HOST_BITS, nh) == Errno.OK) {
                routes.add(new Redirected(info, dst, target, nd.now() + lifetime.get() * Nd6.SEC));
            }
        } finally {
            nd.lock.unlock();
        }
    }

    @GuardedBy("nd.lock")
    private void forgetIf(final Nd6Ifinfo info, final SockAddr dst) {
        for (final Redirected r : List.copyOf(routes)) {
            if (r.info == info && r.dst.sameAddr(dst)) {
                routes.remove(r);
                remove(r);
            }
        }
    }

    private void remove(final Redirected r) {
        final Fib fib = nd.inet.fib(r.info.ifp.fibnum());
        final Route route = fib.exact(r.dst, HOST_BITS);
        if (route != null && route.nextHop().has(NextHop.NHF_REDIRECT)) {
            fib.delete(r.dst, HOST_BITS);
        }
    }

    /** A neighbour does not answer, or is no router any more: packets go the usual way again. */
    void gone(final Nd6Ifinfo info, final long hi, final long lo) {
        nd.lock.lock();
        try {
            for (final Redirected r : List.copyOf(routes)) {
                if (r.by(info, hi, lo)) {
                    routes.remove(r);
                    remove(r);
                }
            }
        } finally {
            nd.lock.unlock();
        }
    }

    /** An interface goes. */
    void purge(final Nd6Ifinfo info) {
        nd.lock.lock();
        try {
            for (final Redirected r : List.copyOf(routes)) {
                if (r.info == info) {
                    routes.remove(r);
                    remove(r);
                }
            }
        } finally {
            nd.lock.unlock();
        }
    }

    long nextNs() {
        nd.lock.lock();
        try {
            return NdTimed.next(routes);
        } finally {
            nd.lock.unlock();
        }
    }

    void timeout(final long now) {
        nd.lock.lock();
        try {
            for (final Redirected r : NdTimed.due(routes, now)) {
                routes.remove(r);
                remove(r);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    // Sent.

    /**
     * Tells the sender of a packet that this host sends on by the interface it came from of the better way (RFC 4861
     * section 8.2). Borrows m, which has its zones put in.
     *
     * @bsd icmp6_redirect_output
     */
    void send(final Mbuf m, final NextHop nh) {
        final Nd6Ifinfo info = nd.info(nh.ifp);
        final In6Ifaddr from = nd.inet6.addrs.linkLocal(nh.ifp, In6Ifaddr.IN6_IFF_NOTREADY);
        final long sh = Ip6Header.srcHi(m, 0);
        final long sl = Ip6Header.srcLo(m, 0);
        final boolean known = nh.gateway == null || In6.isLinkLocal(nh.gateway.hi());
        if (!send.getBool() || info == null || info.table == null || from == null || !known || In6.isAny(sh, sl)
                || In6.isMulticast(Ip6Header.dstHi(m, 0)) || !nd.nbr.neighbor(info, sh, sl)
                || !nd.inet.icmp.bandlim(Icmp.Bandlim.ICMP6_UNREACH)) {
            return;
        }
        final long th = nh.gateway == null ? Ip6Header.dstHi(m, 0) : nh.gateway.hi();
        final long tl = nh.gateway == null ? Ip6Header.dstLo(m, 0) : nh.gateway.lo();
        final LlHeader h = info.table.header(th, tl);
        final Mbuf r = message(m, th, tl, h == null ? 0 : h.lladdr);
        if (r != null) {
            sent.increment();
            nd.nbr.toNeighbor(info, r, from, sh, sl);
        }
    }

    private Mbuf message(final Mbuf m, final long th, final long tl, final long mac) {
        final int own = LEN + (mac == 0 ? 0 : NdOptions.UNIT);
        final int room = Ip6Header.IPV6_MMTU - Ip6Header.LEN - own - NdOptions.UNIT;
        final int quoted = Math.min(m.pktLen(), room) & -NdOptions.UNIT;
        final Mbuf r = nd.nbr.packet(Icmp6.ND_REDIRECT, own + NdOptions.UNIT + quoted);
        if (r == null) {
            return null;
        }
        final int at = Ip6Header.LEN;
        r.putInt(at + 4, 0);
        r.putLong(at + TARGET, In6.clear(th));
        r.putLong(at + TARGET + Long.BYTES, tl);
        r.putLong(at + DST, In6.clear(Ip6Header.dstHi(m, 0)));
        r.putLong(at + DST + Long.BYTES, Ip6Header.dstLo(m, 0));
        if (mac != 0) {
            NdOptions.put(r, at + LEN, NdOptions.TARGET_LINKADDR, mac);
        }
        final int head = at + own;
        r.putLong(head, (long) NdOptions.REDIRECTED_HEADER << 56 | (long) (1 + quoted / NdOptions.UNIT) << 48);
        m.copyData(0, quoted, r.seg(), r.data() + head + NdOptions.UNIT);
        Ip6Header.src(r, head + NdOptions.UNIT, In6.clear(Ip6Header.srcHi(m, 0)), Ip6Header.srcLo(m, 0));
        return r;
    }
}
