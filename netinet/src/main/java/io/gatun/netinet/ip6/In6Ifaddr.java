package io.gatun.netinet.ip6;

import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import java.util.Arrays;

/**
 * An IPv6 address of an interface, in the form the data path wants it. Where it is constant it may be kept; what it is
 * good for now, {@link #flags}, changes as duplicate address detection and lifetimes go on.
 *
 * <p>Locking key: (w) written under neighbour discovery's lock, read without one.
 *
 * @bsd struct in6_ifaddr
 */
public final class In6Ifaddr {
    /** One of several hosts' address: never a source, answered without override. @bsd IN6_IFF_ANYCAST */
    public static final int IN6_IFF_ANYCAST = 0x01;
    /** Being checked for duplicates: not yet this host's. @bsd IN6_IFF_TENTATIVE */
    public static final int IN6_IFF_TENTATIVE = 0x02;
    /** Somebody else has it. @bsd IN6_IFF_DUPLICATED */
    public static final int IN6_IFF_DUPLICATED = 0x04;
    /**
     * Its prefix is no longer advertised by a router that can be reached. DIFFERS: selection avoids such an address,
     * but neighbour discovery does not find out and so never sets it.
     *
     * @bsd IN6_IFF_DETACHED
     */
    public static final int IN6_IFF_DETACHED = 0x08;
    /** Its preferred lifetime is over: new communication had better use another. @bsd IN6_IFF_DEPRECATED */
    public static final int IN6_IFF_DEPRECATED = 0x10;
    /** Is not to be checked for duplicates. @bsd IN6_IFF_NODAD */
    public static final int IN6_IFF_NODAD = 0x20;
    /** Made from a router's advertisement. @bsd IN6_IFF_AUTOCONF */
    public static final int IN6_IFF_AUTOCONF = 0x40;
    /** Made for a while, so that nobody can follow it (RFC 8981). @bsd IN6_IFF_TEMPORARY */
    public static final int IN6_IFF_TEMPORARY = 0x80;
    /** Neither to be sent from nor to be listened at. @bsd IN6_IFF_NOTREADY */
    public static final int IN6_IFF_NOTREADY = IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED;
    /** Routers that are remembered of one prefix; the eldest makes room. */
    static final int MAX_ROUTERS = 8;
    /** A lifetime without end. @bsd ND6_INFINITE_LIFETIME */
    public static final long INFINITE = Long.MAX_VALUE;

    /** The interface it is on. */
    public final Ifnet ifp;
    /** What {@code Ifnet.addrs()} holds. */
    public final IfAddr ifa;
    /** First eight octets, with the zone put in. */
    public final long hi;
    /** Last eight octets. */
    public final long lo;
    private volatile int flags;                   // (w)
    private volatile long preferredNs = INFINITE; // (w)
    private volatile long validNs = INFINITE;     // (w)
    private volatile long[] routers = {};         // (w) two words each, the latest last

    public In6Ifaddr(final Ifnet ifp, final IfAddr ifa) {
        this(ifp, ifa, 0);
    }

    /** An address with some IN6_IFF_* from the start. */
    public In6Ifaddr(final Ifnet ifp, final IfAddr ifa, final int flags) {
        this.ifp = ifp;
        this.ifa = ifa;
        this.flags = flags;
        hi = In6.embed(ifa.addr().hi(), ifp.index());
        lo = ifa.addr().lo();
    }

    public int prefixLen() {
        return ifa.prefixLen();
    }

    /** Whether an address is in this address's network. */
    public boolean onLink(final long otherHi, final long otherLo) {
        return ((hi ^ otherHi) & In6.maskHi(prefixLen()) | (lo ^ otherLo) & In6.maskLo(prefixLen())) == 0;
    }

    /** @bsd in6_addrscope */
    public int scope() {
        return In6.scope(hi, lo);
    }

    /** IN6_IFF_*. @bsd ia6_flags */
    public int flags() {
        return flags;
    }

    /** Whether any of these IN6_IFF_* is set. */
    public boolean has(final int bits) {
        return (flags & bits) != 0;
    }

    /** Whether it may be used: no duplicate, nor still being checked. */
    public boolean ready() {
        return (flags & IN6_IFF_NOTREADY) == 0;
    }

    /** For neighbour discovery, under its lock. */
    public void setFlags(final int set, final int clear) {
        flags = flags & ~clear | set;
    }

    /** The instant it becomes deprecated, of the vnet's clock; INFINITE for never. @bsd ia6t_preferred */
    public long preferredNs() {
        return preferredNs;
    }

    /** The instant it goes, of the vnet's clock; INFINITE for never. @bsd ia6t_expire */
    public long validNs() {
        return validNs;
    }

    /** Whether a router, its zone put in, advertises the prefix it was made of. */
    public boolean isBy(final long routerHi, final long routerLo) {
        final long[] all = routers;
        for (int i = 0; i < all.length; i += 2) {
            if (all[i + 1] == routerLo && all[i] == routerHi) {
                return true;
            }
        }
        return false;
    }

    /** Whether any router advertises the prefix it was made of. */
    public boolean isByRouter() {
        return routers.length > 0;
    }

    /** For neighbour discovery, under its lock: a router advertises its prefix. @bsd pfxrtr_add */
    public void addRouter(final long routerHi, final long routerLo) {
        if (isBy(routerHi, routerLo)) {
            return;
        }
        final long[] old = routers;
        final int drop = old.length == 2 * MAX_ROUTERS ? 2 : 0;
        final long[] now = Arrays.copyOfRange(old, drop, old.length + 2);
        now[now.length - 2] = routerHi;
        now[now.length - 1] = routerLo;
        routers = now;
    }

    /** For neighbour discovery, under its lock: a router does so no longer. @bsd pfxrtr_del */
    public void removeRouter(final long routerHi, final long routerLo) {
        final long[] old = routers;
        for (int i = 0; i < old.length; i += 2) {
            if (old[i + 1] == routerLo && old[i] == routerHi) {
                final long[] now = Arrays.copyOf(old, old.length - 2);
                System.arraycopy(old, i + 2, now, i, now.length - i);
                routers = now;
                return;
            }
        }
    }

    /** For neighbour discovery, under its lock: those that advertise the prefix of another advertise this one's. */
    public void takeRouters(final In6Ifaddr other) {
        routers = other.routers;
    }

    /** For neighbour discovery, under its lock: the ends of its lifetimes. */
    public void setLifetimes(final long preferred, final long valid) {
        preferredNs = preferred;
        validNs = valid;
    }
}
