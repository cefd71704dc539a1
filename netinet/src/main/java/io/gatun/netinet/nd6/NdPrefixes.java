package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.Route;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;

/**
 * The prefixes that routers say are on the link (RFC 4861 section 6.3.4): each is a route to the link while it is
 * valid. A route that is there already, as one that came with an address, stays.
 *
 * <p>Locking key: (c) constant; (n) neighbour discovery's lock.
 *
 * @bsd V_nd_prefix
 */
final class NdPrefixes {
    private static final class Prefix implements NdTimed {
        final Nd6Ifinfo info;  // (c)
        final SockAddr net;    // (c)
        final int bits;        // (c)
        long validNs;          // (n)
        long preferredNs;      // (n)
        boolean installed;     // (n)

        Prefix(final Nd6Ifinfo info, final SockAddr net, final int bits) {
            this.info = info;
            this.net = net;
            this.bits = bits;
        }

        @Override
        public long dueNs() {
            return validNs;
        }

        boolean is(final Nd6Ifinfo i, final SockAddr n, final int b) {
            return info == i && bits == b && net.hi() == n.hi() && net.lo() == n.lo();
        }
    }

    private final Nd6 nd; // (c)
    @GuardedBy("nd.lock")
    private final List<Prefix> prefixes = new ArrayList<>(); // (n)

    NdPrefixes(final Nd6 nd) {
        this.nd = nd;
    }

    /**
     * A router says that a prefix is on the link, until an instant; one that has come ends it.
     *
     * @bsd prelist_update
     */
    void advertised(
        final Nd6Ifinfo info, final SockAddr prefix, final int bits, final long validNs, final long preferredNs) {
        nd.lock.lock();
        try {
            final SockAddr net = SockAddr.in6(prefix.hi() & In6.maskHi(bits), prefix.lo() & In6.maskLo(bits), 0);
            Prefix p = find(info, net, bits);
            if (validNs <= nd.now()) {
                if (p != null) {
                    remove(p);
                }
                return;
            }
            if (p == null) {
                if (prefixes.stream().filter(o -> o.info == info).count() >= nd.sysctl.maxPrefixes()) {
                    nd.stat.overflow.increment();
                    return;
                }
                p = new Prefix(info, net, bits);
                prefixes.add(p);
            }
            p.validNs = validNs;
            p.preferredNs = preferredNs;
            install(p);
        } finally {
            nd.lock.unlock();
        }
    }

    @GuardedBy("nd.lock")
    private Prefix find(final Nd6Ifinfo info, final SockAddr net, final int bits) {
        for (final Prefix p : prefixes) {
            if (p.is(info, net, bits)) {
                return p;
            }
        }
        return null;
    }

    /** @bsd nd6_prefix_onlink */
    @GuardedBy("nd.lock")
    private void install(final Prefix p) {
        if (!p.installed) {
            final NextHop nh = new NextHop(p.info.ifp, NextHop.NHF_PINNED, null, null, p.info.linkMtu());
            p.installed = nd.inet.fib(p.info.ifp.fibnum()).add(p.net, p.bits, nh) == Errno.OK;
        }
    }

    /** @bsd nd6_prefix_offlink */
    @GuardedBy("nd.lock")
    private void remove(final Prefix p) {
        prefixes.remove(p);
        if (p.installed) {
            nd.inet.fib(p.info.ifp.fibnum()).deletePaths(p.net, p.bits,
                nh -> nh.ifp == p.info.ifp && nh.gateway == null && nh.src == null);
        }
        for (final Prefix other : prefixes) {
            install(other); // the same prefix on another interface
        }
    }

    /** An interface goes, or no longer listens to routers. */
    void purge(final Nd6Ifinfo info) {
        nd.lock.lock();
        try {
            for (final Prefix p : List.copyOf(prefixes)) {
                if (p.info == info) {
                    remove(p);
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
            for (final Prefix p : prefixes) {
                final Route r = nd.inet.fib(p.info.ifp.fibnum()).exact(p.net, p.bits);
                p.installed &= r != null;
                install(p);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    long nextNs() {
        nd.lock.lock();
        try {
            return NdTimed.next(prefixes);
        } finally {
            nd.lock.unlock();
        }
    }

    void timeout(final long now) {
        nd.lock.lock();
        try {
            for (final Prefix p : NdTimed.due(prefixes, now)) {
                remove(p);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    List<Nd6Prefix> list() {
        final List<Nd6Prefix> out = new ArrayList<>();
        nd.lock.lock();
        try {
            for (final Prefix p : prefixes) {
                out.add(new Nd6Prefix(p.info.ifp.xname(), p.net.hi(), p.net.lo(), p.bits, p.validNs, p.preferredNs));
            }
        } finally {
            nd.lock.unlock();
        }
        return out;
    }
}
