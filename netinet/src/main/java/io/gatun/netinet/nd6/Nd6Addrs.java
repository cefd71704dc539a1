package io.gatun.netinet.nd6;

import static io.gatun.netinet.ip6.In6Ifaddr.IN6_IFF_AUTOCONF;
import static io.gatun.netinet.ip6.In6Ifaddr.IN6_IFF_DEPRECATED;
import static io.gatun.netinet.ip6.In6Ifaddr.IN6_IFF_TEMPORARY;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * The addresses that this host makes for itself: of link scope when an interface comes up, in each prefix that a router
 * advertises for it (RFC 4862 section 5.5), and beside those temporary ones that are replaced before they get old (RFC
 * 8981). Each becomes deprecated and goes when its lifetimes are over; so does an address given by hand with lifetimes.
 *
 * <p>Locking key: (c) constant; (n) neighbour discovery's lock.
 *
 * @bsd in6_ifadd
 */
final class Nd6Addrs {
    private static final int IID_BITS = 64;
    private static final long TWO_HOURS = 7200;
    private static final int TEMP_IDGEN_RETRIES = 3;
    private static final long FOUR_TENTHS = 4;

    /** How an address came about. */
    private static final class Made {
        final long createdNs;   // (c)
        final long desyncNs;    // (c) of a temporary one: how much shorter it is preferred than it might be
        int duplicates;         // (n) identifiers that were tried before
        boolean succeeded;      // (n) another one has been made to take its place

        Made(final long createdNs, final long desyncNs, final int duplicates) {
            this.createdNs = createdNs;
            this.desyncNs = desyncNs;
            this.duplicates = duplicates;
        }
    }

    private final Nd6 nd; // (c)
    @GuardedBy("nd.lock")
    private final Map<In6Ifaddr, Made> made = new HashMap<>(); // (n)
    @GuardedBy("nd.lock")
    private final Set<In6Ifaddr> going = new HashSet<>();      // (n) expired, about to be removed
    @GuardedBy("nd.lock")
    private final Set<In6Ifaddr> coming = new LinkedHashSet<>(); // (n) made, about to be added

    Nd6Addrs(final Nd6 nd) {
        this.nd = nd;
    }

    // Of link scope.

    /** An interface came up. @bsd in6_ifattach */
    void cameUp(final Nd6Ifinfo info) {
        if (info.has(Nd6Ifinfo.ND6_IFF_AUTO_LINKLOCAL) && !info.has(Nd6Ifinfo.ND6_IFF_IFDISABLED)) {
            linkLocal(info);
        }
    }

    /** Gives an interface its address of link scope, where it has none. @bsd in6_ifattach_linklocal */
    private void linkLocal(final Nd6Ifinfo info) {
        final Ifnet ifp = info.ifp;
        if (ifp.addrlen() == EtherHeader.ETHER_ADDR_LEN && nd.inet6.addrs.linkLocal(ifp, 0) == null) {
            nd.later(() -> make(info, address(info, In6.LINKLOCAL_HI, 0, 0), new Made(nd.now(), 0, 0)));
        }
    }

    /** An address came: one of link scope comes with the first of an Ethernet. */
    void added(final In6Ifaddr ia) {
        final Nd6Ifinfo info = nd.info(ia.ifp);
        if (info != null && info.table != null) {
            linkLocal(info);
        }
    }

    /** An address went. */
    void removed(final In6Ifaddr ia) {
        nd.lock.lock();
        try {
            made.remove(ia);
            going.remove(ia);
            coming.remove(ia);
        } finally {
            nd.lock.unlock();
        }
    }

    /** Whether an address was made here, and not given by hand. */
    boolean isMade(final In6Ifaddr ia) {
        nd.lock.lock();
        try {
            return made.containsKey(ia);
        } finally {
            nd.lock.unlock();
        }
    }

    // Making.

    private In6Ifaddr address(final Nd6Ifinfo info, final long prefix, final int flags, final int duplicates) {
        final long iid;
        if ((flags & IN6_IFF_TEMPORARY) != 0) {
            iid = Nd6Iid.temporary(nd.vnet().random());
        } else if (info.has(Nd6Ifinfo.ND6_IFF_STABLEADDR)) {
            iid = Nd6Iid.stable(nd.vnet().secret(), prefix, info.ifp, duplicates);
        } else {
            iid = Nd6Iid.eui64(info.ifp);
        }
        final SockAddr sa = new SockAddr();
        sa.setIn6(prefix, iid, 0, In6.zoned(prefix) ? info.ifp.index() : 0);
        return new In6Ifaddr(info.ifp, new IfAddr(sa, IID_BITS, null, null), flags);
    }

    private void make(final Nd6Ifinfo info, final In6Ifaddr ia, final Made how) {
        nd.lock.lock();
        try {
            made.put(ia, how);
        } finally {
            nd.lock.unlock();
        }
        if (nd.info(info.ifp) != info || !nd.inet6.add(ia)) {
            removed(ia); // or the interface has gone
        }
        nd.lock.lock();
        try {
            coming.remove(ia);
        } finally {
            nd.lock.unlock();
        }
    }

    /** Makes an address once the lock is free; it counts from now on. */
    @GuardedBy("nd.lock")
    private void makeLater(final Nd6Ifinfo info, final In6Ifaddr ia, final Made how) {
        made.put(ia, how);
        coming.add(ia);
        nd.later(() -> make(info, ia, how));
    }

    /** The addresses there are, and those about to be added. */
    @GuardedBy("nd.lock")
    private Set<In6Ifaddr> known() {
        final Set<In6Ifaddr> all = new LinkedHashSet<>(nd.inet6.addrs.all());
        all.addAll(coming);
        return all;
    }

    /** A duplicate: an address that was made gives way to another one (RFC 7217 section 6, RFC 8981 section 3.4). */
    void duplicated(final In6Ifaddr ia) {
        nd.lock.lock();
        try {
            final Made was = made.get(ia);
            final Nd6Ifinfo info = nd.info(ia.ifp);
            final boolean temporary = ia.has(IN6_IFF_TEMPORARY);
            if (was == null || info == null || !temporary && !info.has(Nd6Ifinfo.ND6_IFF_STABLEADDR)
                    || was.duplicates >= (temporary ? TEMP_IDGEN_RETRIES : nd.sysctl.stableRetries())) {
                return;
            }
            final Made how = new Made(was.createdNs, was.desyncNs, was.duplicates + 1);
            final In6Ifaddr other = address(info, In6.clear(ia.hi), ia.flags() & (IN6_IFF_AUTOCONF | IN6_IFF_TEMPORARY),
                how.duplicates);
            other.setLifetimes(ia.preferredNs(), ia.validNs());
            other.takeRouters(ia);
            nd.later(() -> {
                ia.ifp.removeAddr(ia.ifa.addr());
                make(info, other, how);
            });
        } finally {
            nd.lock.unlock();
        }
    }

    // From advertisements.

    /**
     * A router advertises a prefix of 64 bits for addresses (RFC 4862 section 5.5.3).
     *
     * @param valid seconds, NEVER without end
     * @param preferred seconds, not more than {@code valid}
     * @bsd prelist_update
     */
    void advertised(
        final Nd6Ifinfo info, final SockAddr router, final long prefix, final long valid, final long preferred) {
        nd.lock.lock();
        try {
            In6Ifaddr ours = null;
            int in = 0;
            for (final In6Ifaddr ia : known()) {
                if (ia.ifp != info.ifp || !ia.has(IN6_IFF_AUTOCONF)) {
                    continue;
                }
                in += ia.has(IN6_IFF_TEMPORARY) ? 0 : 1;
                if (ia.hi == prefix) {
                    refresh(ia, valid, preferred);
                    advertises(ia, router, valid != 0);
                    ours = ia.has(IN6_IFF_TEMPORARY) ? ours : ia;
                }
            }
            if (ours == null && valid != 0 && in >= nd.sysctl.maxPrefixes()) {
                nd.stat.overflow.increment();
            } else if (ours == null && valid != 0) {
                create(info, router, prefix, valid, preferred);
            } else if (ours != null) {
                temporary(info, ours);
            }
        } finally {
            nd.lock.unlock();
        }
    }

    @GuardedBy("nd.lock")
    private void create(
        final Nd6Ifinfo info, final SockAddr router, final long prefix, final long valid, final long preferred) {
        final In6Ifaddr ia = address(info, prefix, IN6_IFF_AUTOCONF | (preferred == 0 ? IN6_IFF_DEPRECATED : 0), 0);
        ia.setLifetimes(nd.fromNow(preferred, Nd6.SEC), nd.fromNow(valid, Nd6.SEC));
        advertises(ia, router, true);
        makeLater(info, ia, new Made(nd.now(), 0, 0));
        temporary(info, ia);
    }

    /** Remembers whose prefix an address is of, for rule 5.5 of source selection. */
    private static void advertises(final In6Ifaddr ia, final SockAddr router, final boolean does) {
        if (does) {
            ia.addRouter(router.hi(), router.lo());
        } else {
            ia.removeRouter(router.hi(), router.lo());
        }
    }

    /** A router is none any more: no address is of its prefixes. @bsd pfxrtr_del */
    void routerGone(final Nd6Ifinfo info, final long hi, final long lo) {
        nd.lock.lock();
        try {
            for (final In6Ifaddr ia : nd.inet6.addrs.all()) {
                if (ia.ifp == info.ifp) {
                    ia.removeRouter(hi, lo);
                }
            }
        } finally {
            nd.lock.unlock();
        }
    }

    /** New lifetimes, of which the valid one is not cut below two hours by who may be anybody (5.5.3 e). */
    @GuardedBy("nd.lock")
    private void refresh(final In6Ifaddr ia, final long valid, final long preferred) {
        final long now = nd.now();
        long validNs = nd.fromNow(valid, Nd6.SEC);
        long preferredNs = nd.fromNow(preferred, Nd6.SEC);
        if (valid <= TWO_HOURS && validNs <= ia.validNs()) {
            validNs = Math.min(ia.validNs(), now + TWO_HOURS * Nd6.SEC);
        }
        final Made how = made.get(ia);
        if (ia.has(IN6_IFF_TEMPORARY) && how != null) {
            validNs = Math.min(validNs, how.createdNs + nd.sysctl.tempvltimeNs());
            preferredNs = Math.min(preferredNs, how.createdNs + nd.sysctl.temppltimeNs() - how.desyncNs);
        }
        setLifetimes(ia, preferredNs, validNs);
    }

    /** Under neighbour discovery's lock. */
    void setLifetimes(final In6Ifaddr ia, final long preferredNs, final long validNs) {
        ia.setLifetimes(preferredNs, validNs);
        final boolean deprecated = preferredNs <= nd.now();
        ia.setFlags(deprecated ? IN6_IFF_DEPRECATED : 0, deprecated ? 0 : IN6_IFF_DEPRECATED);
    }

    // Temporary addresses.

    /** How long before its end a temporary address gets a successor (RFC 8981 section 3.8). */
    private long advanceNs(final Nd6Ifinfo info) {
        return 2 * Nd6.SEC + (long) TEMP_IDGEN_RETRIES * nd.sysctl.dadCount() * info.retransNs();
    }

    /** Makes a temporary address beside another, when it has none that will last. @bsd in6_tmpifadd */
    @GuardedBy("nd.lock")
    private void temporary(final Nd6Ifinfo info, final In6Ifaddr beside) {
        if (!nd.sysctl.useTempaddr() || beside.has(IN6_IFF_DEPRECATED)) {
            return;
        }
        for (final In6Ifaddr ia : known()) {
            final Made how = made.get(ia);
            if (ia.ifp == info.ifp && ia.hi == beside.hi && ia.has(IN6_IFF_TEMPORARY) && how != null
                    && !how.succeeded) {
                return;
            }
        }
        final long now = nd.now();
        final long most = nd.sysctl.temppltimeNs();
        final long desync = nd.vnet().random().nextLong(most * FOUR_TENTHS / 10 + 1);
        final long preferredNs = Math.min(beside.preferredNs(), now + most - desync);
        if (preferredNs - now <= advanceNs(info)) {
            return;
        }
        final In6Ifaddr ia = address(info, beside.hi, IN6_IFF_AUTOCONF | IN6_IFF_TEMPORARY, 0);
        ia.takeRouters(beside);
        ia.setLifetimes(preferredNs, Math.min(beside.validNs(), now + nd.sysctl.tempvltimeNs()));
        makeLater(info, ia, new Made(now, desync, 0));
    }

    /** When a temporary address gets its successor; NEVER for others. */
    @GuardedBy("nd.lock")
    private long successionNs(final In6Ifaddr ia) {
        final Made how = made.get(ia);
        final Nd6Ifinfo info = nd.info(ia.ifp);
        final boolean wanted = ia.has(IN6_IFF_TEMPORARY) && how != null && !how.succeeded && info != null
            && ia.preferredNs() != In6Ifaddr.INFINITE;
        return wanted ? ia.preferredNs() - advanceNs(info) : Nd6.NEVER;
    }

    @GuardedBy("nd.lock")
    private void succeed(final In6Ifaddr ia) {
        made.get(ia).succeeded = true;
        for (final In6Ifaddr other : nd.inet6.addrs.all()) {
            final boolean beside = other.ifp == ia.ifp && other.hi == ia.hi && other.has(IN6_IFF_AUTOCONF)
                && !other.has(IN6_IFF_TEMPORARY);
            if (beside) {
                temporary(nd.info(ia.ifp), other);
            }
        }
    }

    // Time.

    long nextNs() {
        long next = Nd6.NEVER;
        nd.lock.lock();
        try {
            for (final In6Ifaddr ia : nd.inet6.addrs.all()) {
                if (!going.contains(ia)) {
                    final long deprecation = ia.has(IN6_IFF_DEPRECATED) ? Nd6.NEVER : ia.preferredNs();
                    next = Math.min(next, Math.min(deprecation, Math.min(ia.validNs(), successionNs(ia))));
                }
            }
        } finally {
            nd.lock.unlock();
        }
        return next;
    }

    void timeout(final long now) {
        nd.lock.lock();
        try {
            for (final In6Ifaddr ia : nd.inet6.addrs.all()) {
                if (successionNs(ia) <= now) {
                    succeed(ia);
                }
                if (ia.preferredNs() <= now) {
                    ia.setFlags(IN6_IFF_DEPRECATED, 0);
                }
                if (ia.validNs() <= now && going.add(ia)) {
                    nd.later(() -> {
                        ia.ifp.removeAddr(ia.ifa.addr());
                        nd.listeners().forEach(l -> l.expired(ia));
                    });
                }
            }
        } finally {
            nd.lock.unlock();
        }
    }
}
