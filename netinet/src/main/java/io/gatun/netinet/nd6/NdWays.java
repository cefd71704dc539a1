package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;

/**
 * The ways that routers advertise: default routers (RFC 4861 section 6.3.4) and more specific routes with preferences
 * (RFC 4191), which are the same thing with a longer prefix. Of those to one prefix the one in use is that of the most
 * preferred of the routers that are, or may be, reachable; when none is, they take turns (RFC 4861 section 6.3.6). A
 * route made by hand is never replaced.
 *
 * <p>Locking key: (c) constant; (n) neighbour discovery's lock.
 *
 * @bsd nd6_rtr.c
 */
final class NdWays {
    private static final class Way implements NdTimed {
        final Nd6Ifinfo info;   // (c)
        final long hi;          // (c) the router
        final long lo;          // (c)
        final SockAddr prefix;  // (c)
        final int bits;         // (c)
        int preference;         // (n)
        long expireNs;          // (n)
        NextHop installed;      // (n) null while another is in use

        Way(final Nd6Ifinfo info, final long hi, final long lo, final SockAddr prefix, final int bits) {
            this.info = info;
            this.hi = hi;
            this.lo = lo;
            this.prefix = prefix;
            this.bits = bits;
        }

        @Override
        public long dueNs() {
            return expireNs;
        }

        boolean by(final Nd6Ifinfo i, final long h, final long l) {
            return info == i && lo == l && hi == h;
        }

        boolean to(final SockAddr p, final int n) {
            return bits == n && prefix.hi() == p.hi() && prefix.lo() == p.lo();
        }
    }

    private final Nd6 nd; // (c)
    @GuardedBy("nd.lock")
    private final List<Way> ways = new ArrayList<>(); // (n) in the order they came

    NdWays(final Nd6 nd) {
        this.nd = nd;
    }

    /**
     * A router advertises a way.
     *
     * @param lifetimeNs from now; 0 ends it, NEVER is without end
     * @bsd defrtrlist_update
     */
    void advertised(
        final Nd6Ifinfo info, final SockAddr router, final SockAddr prefix, final int bits, final int preference,
        final long lifetimeNs) {
        nd.lock.lock();
        try {
            final SockAddr net = SockAddr.in6(prefix.hi() & In6.maskHi(bits), prefix.lo() & In6.maskLo(bits), 0);
            Way w = find(info, router, net, bits);
            if (lifetimeNs == 0) {
                if (w != null) {
                    remove(w);
                }
                return;
            }
            if (w == null) {
                if (full(info, bits)) {
                    nd.stat.overflow.increment();
                    return;
                }
                w = new Way(info, router.hi(), router.lo(), net, bits);
                ways.add(w);
            }
            w.preference = preference;
            w.expireNs = lifetimeNs == Nd6.NEVER ? Nd6.NEVER : nd.now() + lifetimeNs;
            select(net, bits);
        } finally {
            nd.lock.unlock();
        }
    }

    @GuardedBy("nd.lock")
    private Way find(final Nd6Ifinfo info, final SockAddr router, final SockAddr prefix, final int bits) {
        for (final Way w : ways) {
            if (w.by(info, router.hi(), router.lo()) && w.to(prefix, bits)) {
                return w;
            }
        }
        return null;
    }

    @GuardedBy("nd.lock")
    private boolean full(final Nd6Ifinfo info, final int bits) {
        int n = 0;
        for (final Way w : ways) {
            n += w.info == info && (w.bits == 0) == (bits == 0) ? 1 : 0;
        }
        return n >= (bits == 0 ? nd.sysctl.maxDefrouters() : nd.sysctl.maxPrefixes());
    }

    @GuardedBy("nd.lock")
    private void remove(final Way w) {
        ways.remove(w);
        uninstall(w);
        select(w.prefix, w.bits);
        if (w.bits == 0) {
            nd.redirects.gone(w.info, w.hi, w.lo); // RFC 4861 section 6.3.5
            nd.addrs.routerGone(w.info, w.hi, w.lo);
        }
    }

    // Which.

    /** Chooses the way to a prefix, and puts it into the routing table. @bsd defrouter_select_fib */
    @GuardedBy("nd.lock")
    private void select(final SockAddr prefix, final int bits) {
        Way used = null;
        Way best = null;
        Way first = null;
        for (final Way w : ways) {
            if (!w.to(prefix, bits) || bits == 0 && w.info.has(Nd6Ifinfo.ND6_IFF_NO_RADR)) {
                continue;
            }
            first = first == null ? w : first;
            used = w.installed != null ? w : used;
            final boolean better = best == null || w.preference > best.preference
                || w.preference == best.preference && w.installed != null;
            best = reachable(w) && better ? w : best;
        }
        install(best != null ? best : used != null ? used : first, used);
    }

    /** Known, and not known to be away (RFC 4861 section 6.3.6). @bsd ND6_IS_LLINFO_PROBREACH */
    private boolean reachable(final Way w) {
        final Nd6State s = w.info.table.state(w.hi, w.lo);
        return s != null && s != Nd6State.INCOMPLETE;
    }

    @GuardedBy("nd.lock")
    private void install(final Way w, final Way used) {
        if (used != null && used != w) {
            uninstall(used);
        }
        if (w == null || w.installed != null) {
            return;
        }
        final Ifnet ifp = w.info.ifp;
        final SockAddr gw = new SockAddr();
        gw.setIn6(w.hi, w.lo, 0, 0);
        final NextHop nh = new NextHop(ifp, w.bits == 0 ? NextHop.NHF_DEFAULT : 0, gw, null, w.info.linkMtu());
        if (nd.inet.fib(ifp.fibnum()).add(w.prefix, w.bits, nh) == Errno.OK) { // else one made by hand is there
            w.installed = nh;
        }
    }

    @GuardedBy("nd.lock")
    private void uninstall(final Way w) {
        if (w.installed != null) {
            final NextHop ours = w.installed;
            nd.inet.fib(w.info.ifp.fibnum()).deletePaths(w.prefix, w.bits,
                nh -> nh.ifp == ours.ifp && ours.gateway.equals(nh.gateway));
            w.installed = null;
        }
    }

    // What else happens.

    /** A neighbour came or went: if it is a router, another way may be better now. */
    void neighborChanged(final Nd6Ifinfo info, final long hi, final long lo, final boolean gone) {
        nd.lock.lock();
        try {
            for (final Way w : List.copyOf(ways)) {
                if (!w.by(info, hi, lo)) {
                    continue;
                }
                if (gone && w.installed != null) {
                    uninstall(w);
                    ways.remove(w);
                    ways.add(w); // it is another one's turn
                }
                select(w.prefix, w.bits);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    /** A neighbour says that it is no router any more (RFC 4861 section 7.2.5). */
    void noRouter(final Nd6Ifinfo info, final long hi, final long lo) {
        nd.lock.lock();
        try {
            for (final Way w : List.copyOf(ways)) {
                if (w.by(info, hi, lo)) {
                    remove(w);
                }
            }
        } finally {
            nd.lock.unlock();
        }
    }

    /** An interface goes, or no longer listens to routers. */
    void purge(final Nd6Ifinfo info) {
        nd.lock.lock();
        try {
            for (final Way w : List.copyOf(ways)) {
                if (w.info == info) {
                    remove(w);
                }
            }
        } finally {
            nd.lock.unlock();
        }
    }

    /** Puts back what the routing table has lost. */
    void refresh() {
        nd.lock.lock();
        try {
            for (final Way w : List.copyOf(ways)) {
                final Route r = nd.inet.fib(w.info.ifp.fibnum()).exact(w.prefix, w.bits);
                w.installed = r == null ? null : w.installed;
                select(w.prefix, w.bits);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    // Time.

    long nextNs() {
        nd.lock.lock();
        try {
            return NdTimed.next(ways);
        } finally {
            nd.lock.unlock();
        }
    }

    void timeout(final long now) {
        nd.lock.lock();
        try {
            for (final Way w : NdTimed.due(ways, now)) {
                remove(w);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    List<Nd6Router> list() {
        final List<Nd6Router> out = new ArrayList<>();
        nd.lock.lock();
        try {
            for (final Way w : ways) {
                out.add(new Nd6Router(w.info.ifp.xname(), w.hi, w.lo, w.prefix.hi(), w.prefix.lo(), w.bits,
                    w.preference, w.expireNs, w.info.table.state(w.hi, w.lo), w.installed != null));
            }
        } finally {
            nd.lock.unlock();
        }
        return out;
    }
}
