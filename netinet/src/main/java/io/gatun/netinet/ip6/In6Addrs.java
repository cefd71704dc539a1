package io.gatun.netinet.ip6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import java.util.Arrays;
import java.util.List;

/**
 * All IPv6 addresses of this host. Looked up without a lock in a table that is replaced as a whole.
 *
 * <p>Locking key: (w) written under {@code lock}, read without one.
 *
 * @bsd V_in6_ifaddrhead
 */
public final class In6Addrs {
    /** As the sysctl says. @bsd IP6PO_TEMPADDR_SYSTEM */
    public static final int TEMPADDR_SYSTEM = -1;
    /** @bsd IP6PO_TEMPADDR_NOTPREFER */
    public static final int TEMPADDR_NOTPREFER = 0;
    /** @bsd IP6PO_TEMPADDR_PREFER */
    public static final int TEMPADDR_PREFER = 1;

    private static final long HASH = 0x9e3779b97f4a7c15L;
    /** So many that few strangers' addresses meet a slot in use: that would be a branch that nothing predicts. */
    private static final int MIN_SLOTS = 128;

    private static final class Table {
        final In6Ifaddr[] all;
        final In6Ifaddr[] slots;
        final int shift;

        Table(final In6Ifaddr[] all) {
            this.all = all;
            final int n = Integer.highestOneBit(Math.max(MIN_SLOTS, all.length * 8) - 1) << 1;
            shift = Long.numberOfLeadingZeros(n) + 1;
            slots = new In6Ifaddr[n];
            for (final In6Ifaddr ia : all) {
                int i = index(ia.hi, ia.lo);
                while (slots[i] != null) {
                    i = i + 1 & slots.length - 1;
                }
                slots[i] = ia;
            }
        }

        int index(final long hi, final long lo) {
            return (int) ((hi * HASH ^ lo) * HASH >>> shift);
        }
    }

    private final Mtx lock = new Mtx(LockClass.CONFIG, "in6_ifaddr");
    /** Prefixes with precedence and label. */
    public final In6Policy policy = new In6Policy();
    private final Sysctl preferTemp;
    private volatile Table table = new Table(new In6Ifaddr[0]); // (w)

    /** No address yet. */
    public In6Addrs(final SysctlTree tree) {
        preferTemp = tree.addBool("net.inet6.ip6.prefer_tempaddr", false,
            "send from temporary addresses where there are");
    }

    /** Takes an address in; false when this host has it. */
    public boolean add(final In6Ifaddr ia) {
        lock.lock();
        try {
            if (lookup(ia.hi, ia.lo) != null) {
                return false;
            }
            final In6Ifaddr[] now = Arrays.copyOf(table.all, table.all.length + 1);
            now[now.length - 1] = ia;
            publish(now);
        } finally {
            lock.unlock();
        }
        return true;
    }

    /** Forgets an address; answers what was known of it, or null. */
    public In6Ifaddr remove(final Ifnet ifp, final IfAddr ifa) {
        lock.lock();
        try {
            for (final In6Ifaddr ia : table.all) {
                if (ia.ifp == ifp && ia.ifa.addr().hi() == ifa.addr().hi() && ia.lo == ifa.addr().lo()) {
                    publish(Arrays.stream(table.all).filter(i -> i != ia).toArray(In6Ifaddr[]::new));
                    return ia;
                }
            }
        } finally {
            lock.unlock();
        }
        return null;
    }

    @GuardedBy("lock")
    private void publish(final In6Ifaddr[] all) {
        table = new Table(all);
    }

    /**
     * This host's record of an address, its zone put in, or null when it is not one of ours. It may be one that is not
     * to be used yet.
     *
     * @bsd in6ifa_ifwithaddr
     */
    public In6Ifaddr lookup(final long hi, final long lo) {
        final Table t = table;
        int i = t.index(hi, lo);
        In6Ifaddr ia = t.slots[i];
        while (ia != null && (ia.lo != lo || ia.hi != hi)) {
            i = i + 1 & t.slots.length - 1;
            ia = t.slots[i];
        }
        return ia;
    }

    /** The record of an address that is ready to be used; else null. */
    public In6Ifaddr ready(final long hi, final long lo) {
        final In6Ifaddr ia = lookup(hi, lo);
        return ia == null || ia.ready() ? ia : null;
    }

    /** The first link-local address of an interface without these IN6_IFF_*, or null. @bsd in6ifa_ifpforlinklocal */
    public In6Ifaddr linkLocal(final Ifnet ifp, final int without) {
        for (final In6Ifaddr ia : table.all) {
            if (ia.ifp == ifp && In6.isLinkLocal(ia.hi) && !ia.has(without)) {
                return ia;
            }
        }
        return null;
    }

    /** Whether an interface has any address: it talks IPv6. */
    public boolean has(final Ifnet ifp) {
        for (final In6Ifaddr ia : table.all) {
            if (ia.ifp == ifp) {
                return true;
            }
        }
        return false;
    }

    /**
     * The address whose network holds another, on an interface or, with null, on any; null for none. Addresses that
     * were made from advertisements do not say what is on the link.
     */
    public In6Ifaddr onLink(final long hi, final long lo, final Ifnet ifp) {
        In6Ifaddr best = null;
        for (final In6Ifaddr ia : table.all) {
            final boolean fits = (ifp == null || ia.ifp == ifp) && !ia.has(In6Ifaddr.IN6_IFF_AUTOCONF)
                && ia.onLink(hi, lo);
            if (fits && (best == null || ia.prefixLen() > best.prefixLen())) {
                best = ia;
            }
        }
        return best;
    }

    /** {@link #select(long, long, Ifnet, SockAddr, int)} of a neighbour, for who has no wish of his own. */
    public In6Ifaddr select(final long hi, final long lo, final Ifnet out) {
        return select(hi, lo, out, null, TEMPADDR_SYSTEM);
    }

    /**
     * The source address for a destination that goes out by an interface (RFC 6724 section 5, all rules but the fourth,
     * for there is no mobile IP); null when there is none of a scope that reaches it. Allocates nothing.
     *
     * @param router the next hop, its zone put in, or null for none
     * @param temporary IP6PO_TEMPADDR_*: whether temporary addresses are preferred
     * @bsd in6_selectsrc
     */
    public In6Ifaddr select(
        final long hi, final long lo, final Ifnet out, final SockAddr router, final int temporary) {
        final boolean prefer = temporary == TEMPADDR_SYSTEM ? preferTemp.getBool() : temporary == TEMPADDR_PREFER;
        final int label = policy.label(hi, lo);
        In6Ifaddr best = null;
        for (final In6Ifaddr ia : table.all) {
            if (!mayReach(ia, hi, lo, out)) {
                continue;
            }
            if (ia.hi == hi && ia.lo == lo) {
                return ia;
            }
            final int won = best == null ? 1 : compare(ia, best, hi, lo, out);
            final int by = won != 0 || router == null ? won : compareRouters(ia, best, router);
            final int tied = by != 0 ? by : compareKinds(ia, best, label, prefer);
            if (tied > 0 || tied == 0 && common(ia, hi, lo) > common(best, hi, lo)) { // rule 8
                best = ia;
            }
        }
        return best;
    }

    /** An address of a link means nothing on another, and ::1 nothing outside. */
    private static boolean mayReach(final In6Ifaddr ia, final long hi, final long lo, final Ifnet out) {
        final int zone = In6.zone(ia.hi);
        if (ia.has(In6Ifaddr.IN6_IFF_NOTREADY | In6Ifaddr.IN6_IFF_ANYCAST)) {
            return false;
        }
        if (zone != 0 && zone != out.index() && zone != In6.zone(hi)) {
            return false;
        }
        final int wanted = In6.zone(hi);
        if (wanted != 0 && ia.ifp != out && wanted != ia.ifp.index()) {
            return false; // RFC 6724 section 4: of the interface, where the destination means that link
        }
        final boolean inside = (out.flags() & Ifnet.IFF_LOOPBACK) != 0;
        return inside || !In6.isLoopback(ia.hi, ia.lo) && ia.scope() >= Math.min(In6.scope(hi, lo), In6.SCOPE_GLOBAL);
    }

    /** Rules 2, 3 and 5; above 0 when a is better, 0 when they tell nothing. */
    private static int compare(
        final In6Ifaddr a, final In6Ifaddr b, final long hi, final long lo, final Ifnet out) {
        final int wanted = In6.scope(hi, lo);
        if (a.scope() != b.scope()) {
            final boolean smaller = a.scope() < b.scope();
            return (smaller ? a.scope() >= wanted : b.scope() < wanted) ? 1 : -1;
        }
        final int old = In6Ifaddr.IN6_IFF_DEPRECATED | In6Ifaddr.IN6_IFF_DETACHED;
        if (a.has(old) != b.has(old)) {
            return b.has(old) ? 1 : -1;
        }
        return a.ifp == b.ifp || a.ifp != out && b.ifp != out ? 0 : a.ifp == out ? 1 : -1;
    }

    /** Rule 5.5: of two that routers gave, the one by the router that the packet goes to. */
    private static int compareRouters(final In6Ifaddr a, final In6Ifaddr b, final SockAddr router) {
        if (!a.isByRouter() || !b.isByRouter()) {
            return 0;
        }
        return Boolean.compare(a.isBy(router.hi(), router.lo()), b.isBy(router.hi(), router.lo()));
    }

    /** Rules 6 and 7. */
    private int compareKinds(final In6Ifaddr a, final In6Ifaddr b, final int label, final boolean prefer) {
        final boolean labelled = policy.label(a.hi, a.lo) == label;
        if (labelled != (policy.label(b.hi, b.lo) == label)) {
            return labelled ? 1 : -1;
        }
        final boolean temporary = a.has(In6Ifaddr.IN6_IFF_TEMPORARY);
        return temporary == b.has(In6Ifaddr.IN6_IFF_TEMPORARY) ? 0 : temporary == prefer ? 1 : -1;
    }

    /** Bits in common, of the address's prefix at most (RFC 6724 section 2.2). */
    static int common(final In6Ifaddr ia, final long hi, final long lo) {
        return Math.min(ia.prefixLen(), In6.matchLen(ia.hi, ia.lo, hi, lo));
    }

    /** All addresses, oldest first: a snapshot. */
    public List<In6Ifaddr> all() {
        return List.of(table.all);
    }
}
