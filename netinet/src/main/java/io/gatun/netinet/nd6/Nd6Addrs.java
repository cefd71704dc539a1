package io.gatun.netinet.nd6;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import java.util.HashMap;
import java.util.Map;

/**
 * Addresses that this host makes for itself: of link scope when an interface comes up.
 *
 * <p>Locking key: (c) constant; (n) neighbour discovery's lock.
 *
 * @bsd in6_ifattach
 */
final class Nd6Addrs {
    private static final int LINK_BITS = 64;

    private final Nd6 nd; // (c)
    /** The addresses that were made, and how many before each were duplicates. */
    @GuardedBy("nd.lock")
    private final Map<In6Ifaddr, Integer> made = new HashMap<>(); // (n)

    Nd6Addrs(final Nd6 nd) {
        this.nd = nd;
    }

    /** An interface came up. @bsd in6_ifattach */
    void cameUp(final Nd6Ifinfo info) {
        if (info.has(Nd6Ifinfo.ND6_IFF_AUTO_LINKLOCAL) && !info.has(Nd6Ifinfo.ND6_IFF_IFDISABLED)) {
            linkLocal(info);
        }
    }

    /** Gives an interface its address of link scope, where it has none. @bsd in6_ifattach_linklocal */
    void linkLocal(final Nd6Ifinfo info) {
        final Ifnet ifp = info.ifp;
        if (ifp.addrlen() == EtherHeader.ETHER_ADDR_LEN && nd.inet6.addrs.linkLocal(ifp, 0) == null) {
            nd.later(() -> make(info, In6.LINKLOCAL_HI, 0));
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

    private long iid(final Nd6Ifinfo info, final long prefix, final int dadCounter) {
        return info.has(Nd6Ifinfo.ND6_IFF_STABLEADDR)
            ? Nd6Iid.stable(nd.vnet().secret(), prefix, info.ifp, dadCounter) : Nd6Iid.eui64(info.ifp);
    }

    private void make(final Nd6Ifinfo info, final long prefix, final int dadCounter) {
        final SockAddr sa = new SockAddr();
        sa.setIn6(prefix, iid(info, prefix, dadCounter), 0, In6.zoned(prefix) ? info.ifp.index() : 0);
        final In6Ifaddr ia = new In6Ifaddr(info.ifp, new IfAddr(sa, LINK_BITS, null, null));
        nd.lock.lock();
        try {
            made.put(ia, dadCounter);
        } finally {
            nd.lock.unlock();
        }
        nd.inet6.add(ia);
    }

    /** A duplicate: an address that was made gives way to another one (RFC 7217 section 6), so often. */
    void duplicated(final In6Ifaddr ia) {
        nd.lock.lock();
        try {
            final Integer before = made.get(ia);
            final Nd6Ifinfo info = nd.info(ia.ifp);
            if (before == null || info == null || !info.has(Nd6Ifinfo.ND6_IFF_STABLEADDR)) {
                return;
            }
            final int n = before + 1;
            if (n <= nd.sysctl.stableRetries()) {
                nd.later(() -> {
                    ia.ifp.removeAddr(ia.ifa.addr());
                    make(info, In6.clear(ia.hi), n);
                });
            }
        } finally {
            nd.lock.unlock();
        }
    }
}
