package io.gatun.netinet.route;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/**
 * A forwarding table for both families: longest prefix match, read without a lock while it is being changed.
 *
 * <p>Every change publishes a new root and then a new generation. A holder of a {@link NextHop} remembers the
 * generation it read <em>before</em> it looked up, and looks up again when that is no longer the present one.
 *
 * <p>Locking key: (l) {@code lock}; (w) written under it, read without one.
 *
 * @bsd struct rib_head
 */
public final class Fib {
    private static final int IPV4_BITS = 32;
    private static final int HASH = 0x9e3779b9;

    /** Prefixes from which on a family has a {@link FibDxr}, and below which it has none any more. */
    private static final int LARGE = 256;
    private static final int SMALL = 64;

    private final Mtx lock = new Mtx(LockClass.CONFIG, "rib");
    private final int number;
    private final int largeFrom; // (c) prefixes from which on a family has a FibDxr
    private final List<RouteListener> listeners = new CopyOnWriteArrayList<>();
    private volatile FibTrie.Node root4 = FibTrie.EMPTY; // (w)
    private volatile FibTrie.Node root6 = FibTrie.EMPTY; // (w)
    private volatile FibDxr dxr4;                        // (w) null while the table is small
    private volatile FibDxr dxr6;                        // (w)
    @GuardedBy("lock")
    private int count4;                                  // (l) prefixes
    @GuardedBy("lock")
    private int count6;                                  // (l)
    private volatile int generation = 1;                 // (w)

    public Fib(int number) {
        this(number, true);
    }

    /**
     * @param derive false for a table that is always looked up in its trie, however large: for comparisons
     */
    public Fib(int number, boolean derive) {
        this.number = number;
        largeFrom = derive ? LARGE : Integer.MAX_VALUE;
    }

    /** Its number: 0 is the default table. */
    public int number() {
        return number;
    }

    /** Changes with every change of the table. Never 0. @bsd rt_gen */
    public int generation() {
        return generation;
    }

    // Look-ups.

    /** Where a packet to this IPv4 address goes, or null; of several ways one by the destination. @bsd fib4_lookup */
    public NextHop lookup(int dst) {
        return lookup(dst, 0);
    }

    /**
     * Where a packet of a flow to this IPv4 address goes, or null.
     *
     * @param flowid hash of the flow, by which one of several ways is chosen; 0 to take the destination's
     * @bsd fib4_lookup
     */
    public NextHop lookup(int dst, int flowid) {
        NextHop nh = find(dst);
        return nh == null || !nh.multipath() ? nh : nh.select(flowid != 0 ? flowid : dst * HASH);
    }

    /** The next hop of an IPv4 address as the route has it, maybe several ways; or null. */
    public NextHop find(int dst) {
        final FibDxr large = dxr4;
        return large != null ? large.longest(hi4(dst), 0) : FibTrie.longest(root4, hi4(dst), 0);
    }

    /** Where a packet to this IPv6 address goes, or null. @bsd fib6_lookup */
    public NextHop lookup6(long hi, long lo) {
        return lookup6(hi, lo, 0);
    }

    /** {@link #lookup(int, int)} for IPv6. @bsd fib6_lookup */
    public NextHop lookup6(long hi, long lo, int flowid) {
        NextHop nh = find6(hi, lo);
        return nh == null || !nh.multipath() ? nh : nh.select(flowid != 0 ? flowid : Long.hashCode(hi ^ lo) * HASH);
    }

    /** {@link #find} for IPv6. */
    public NextHop find6(long hi, long lo) {
        final FibDxr large = dxr6;
        return large != null ? large.longest(hi, lo) : FibTrie.longest(root6, hi, lo);
    }

    /** Whether a family's table is so large that it pays to {@link #touch} what several look-ups will read. */
    public boolean large(int family) {
        return (family == SockAddr.AF_INET ? dxr4 : dxr6) != null;
    }

    /** Brings near what a look-up of an IPv4 address will read. What it answers is to be used, but means nothing. */
    public int touch(int dst) {
        final FibDxr large = dxr4;
        return large == null ? 0 : large.touch(hi4(dst));
    }

    /** The same for an IPv6 address, of which the upper half is enough. */
    public int touch6(long hi) {
        final FibDxr large = dxr6;
        return large == null ? 0 : large.touch(hi);
    }

    /** The route of exactly this prefix, or null. @bsd rib_lookup_prefix */
    public Route exact(SockAddr prefix, int bits) {
        NextHop nh = FibTrie.exact(root(prefix.family()), hi(prefix), lo(prefix), bits);
        return nh == null ? null : route(prefix.family(), hi(prefix), lo(prefix), bits, nh);
    }

    // Changes.

    /**
     * Adds a route. EEXIST when the prefix has one, EINVAL for a bad prefix length, EAFNOSUPPORT for another family.
     *
     * @bsd rib_add_route
     */
    public Errno add(SockAddr dst, int bits, NextHop nh) {
        return put(dst, bits, nh, (old, now) -> old == null ? now : null);
    }

    /** Adds a route or replaces the one its prefix has. @bsd rib_change_route */
    public Errno change(SockAddr dst, int bits, NextHop nh) {
        return put(dst, bits, nh, (old, now) -> now);
    }

    /**
     * Adds a route, or one more way to those that its prefix has. EEXIST when it has that very one.
     *
     * @param weight its share of the flows beside the others', at least 1
     * @bsd add_route_mpath
     */
    public Errno append(SockAddr dst, int bits, NextHop nh, int weight) {
        return weight < 1 || weight > NextHop.MAX_WEIGHT ? Errno.EINVAL
            : put(dst, bits, nh, (old, now) -> old == null ? now.weighted(weight) : old.with(now, weight));
    }

    /** What a prefix has instead of {@code old}, which may be null; null to refuse. */
    private interface Merge {
        NextHop merged(NextHop old, NextHop now);
    }

    private Errno put(SockAddr dst, int bits, NextHop nh, Merge merge) {
        if (dst.family() != SockAddr.AF_INET && dst.family() != SockAddr.AF_INET6) {
            return Errno.EAFNOSUPPORT;
        }
        if (bits < 0 || bits > (dst.family() == SockAddr.AF_INET ? IPV4_BITS : 2 * Long.SIZE)) {
            return Errno.EINVAL;
        }
        long h = hi(dst) & FibTrie.maskHi(bits);
        long l = lo(dst) & FibTrie.maskLo(bits);
        lock.lock();
        try {
            NextHop old = FibTrie.exact(root(dst.family()), h, l, bits);
            NextHop now = merge.merged(old, bits == 0 ? nh.asDefault() : nh);
            if (now == null) {
                return Errno.EEXIST;
            }
            count(dst.family(), old == null ? 1 : 0);
            publish(dst.family(), h, l, bits, now);
            tell(old == null ? RouteEvent.Kind.ADD : RouteEvent.Kind.CHANGE, route(dst.family(), h, l, bits, now));
        } finally {
            lock.unlock();
        }
        return Errno.OK;
    }

    /** Deletes the route of exactly this prefix. ENOENT when there is none. @bsd rib_del_route */
    public Errno delete(SockAddr dst, int bits) {
        return deletePaths(dst, bits, nh -> true);
    }

    /**
     * Deletes the ways of a prefix that a condition names; the route goes with the last. ENOENT when there is none.
     *
     * @bsd rib_del_route
     */
    public Errno deletePaths(SockAddr dst, int bits, Predicate<NextHop> which) {
        int family = dst.family();
        long h = hi(dst) & FibTrie.maskHi(bits);
        long l = lo(dst) & FibTrie.maskLo(bits);
        lock.lock();
        try {
            NextHop old = FibTrie.exact(root(family), h, l, bits);
            NextHop now = old == null ? null : old.without(which);
            if (now == old) {
                return Errno.ENOENT;
            }
            count(family, now == null ? -1 : 0);
            publish(family, h, l, bits, now);
            tell(now == null ? RouteEvent.Kind.DELETE : RouteEvent.Kind.CHANGE,
                route(family, h, l, bits, now == null ? old : now));
        } finally {
            lock.unlock();
        }
        return Errno.OK;
    }

    /** Deletes the routes that a condition names; answers how many. @bsd rib_walk_del */
    public int deleteIf(Predicate<Route> condition) {
        int n = 0;
        for (Route r : routes()) {
            if (condition.test(r) && delete(r.dst(), r.prefixLen()) == Errno.OK) {
                n++;
            }
        }
        return n;
    }

    /** Deletes all ways through an interface; answers how many routes changed. @bsd rt_flushifroutes */
    public int flush(Ifnet ifp) {
        int n = 0;
        for (Route r : routes()) {
            if (r.nextHop().uses(ifp) && deletePaths(r.dst(), r.prefixLen(), nh -> nh.ifp == ifp) == Errno.OK) {
                n++;
            }
        }
        lock.lock();
        try {
            // A large table built anew refers to the interface no longer.
            dxr4 = dxr4 == null ? null : new FibDxr(root4);
            dxr6 = dxr6 == null ? null : new FibDxr(root6);
        } finally {
            lock.unlock();
        }
        return n;
    }

    /** All routes, IPv4 first, in order of their prefix: a snapshot. */
    public List<Route> routes() {
        List<Route> out = new ArrayList<>();
        FibTrie.forEach(root4, (hi, lo, bits, nh) -> out.add(route(SockAddr.AF_INET, hi, lo, bits, nh)));
        FibTrie.forEach(root6, (hi, lo, bits, nh) -> out.add(route(SockAddr.AF_INET6, hi, lo, bits, nh)));
        return out;
    }

    /** Estimated octets of heap of a family's table, next hops not counted. */
    public long memory(int family) {
        long[] size = FibTrie.size(root(family));
        FibDxr large = family == SockAddr.AF_INET ? dxr4 : dxr6;
        long derived = large == null ? 0 : large.memory();
        // A node, the head of its array, references of 4 octets.
        return derived + size[0] * (32 + 16) + size[1] * Integer.BYTES;
    }

    /** Makes every cached next hop be looked up again. */
    public void touch() {
        lock.lock();
        try {
            bump();
        } finally {
            lock.unlock();
        }
    }

    // Listeners.

    /** From now on hears of each change. */
    public void addListener(RouteListener listener) {
        listeners.add(listener);
    }

    public void removeListener(RouteListener listener) {
        listeners.remove(listener);
    }

    @GuardedBy("lock")
    private void tell(RouteEvent.Kind kind, Route r) {
        for (RouteListener listener : listeners) {
            listener.changed(new RouteEvent(kind, number, r));
        }
    }

    @GuardedBy("lock")
    private void count(int family, int more) {
        if (family == SockAddr.AF_INET) {
            count4 += more;
        } else {
            count6 += more;
        }
    }

    /** Makes a prefix have a next hop, or none for null. */
    @GuardedBy("lock")
    private void publish(int family, long h, long l, int bits, NextHop nh) {
        if (family == SockAddr.AF_INET) {
            root4 = FibTrie.put(root4, h, l, bits, nh);
            dxr4 = updated(dxr4, root4, count4, h, l, bits);
        } else {
            root6 = FibTrie.put(root6, h, l, bits, nh);
            dxr6 = updated(dxr6, root6, count6, h, l, bits);
        }
        bump();
    }

    private FibDxr updated(FibDxr old, FibTrie.Node root, int count, long h, long l, int bits) {
        if (old == null) {
            return count < largeFrom ? null : new FibDxr(root);
        }
        if (count < SMALL) {
            return null;
        }
        if (old.worn()) {
            return new FibDxr(root);
        }
        old.update(root, h, l, bits);
        return old;
    }

    @GuardedBy("lock")
    private void bump() {
        int next = generation + 1;
        generation = next == 0 ? 1 : next;
    }

    private FibTrie.Node root(int family) {
        return family == SockAddr.AF_INET ? root4 : root6;
    }

    private static Route route(int family, long h, long l, int bits, NextHop nh) {
        long hi = h & FibTrie.maskHi(bits);
        long lo = l & FibTrie.maskLo(bits);
        return new Route(family == SockAddr.AF_INET ? SockAddr.in((int) (hi >>> IPV4_BITS), 0)
            : SockAddr.in6(hi, lo, 0), bits, nh);
    }

    private static long hi4(int addr) {
        return (long) addr << IPV4_BITS;
    }

    private static long hi(SockAddr a) {
        return a.family() == SockAddr.AF_INET ? hi4(a.in4()) : a.hi();
    }

    private static long lo(SockAddr a) {
        return a.family() == SockAddr.AF_INET ? 0 : a.lo();
    }
}
