package io.gatun.netinet.route;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * A forwarding table: longest prefix match, read without a lock while it is being changed.
 *
 * <p>Every change publishes a new root and then a new generation. A holder of a {@link NextHop} remembers the
 * generation
 * it read <em>before</em> it looked up, and looks up again when that is no longer the present one.
 *
 * <p>Locking key: (bits) written under {@code lock}, read without one.
 *
 * @bsd struct rib_head
 */
public final class Fib {
    private static final int IPV4_BITS = 32;

    private final Mtx lock = new Mtx(LockClass.CONFIG, "rib");
    private final int number;
    private volatile PrefixTrie.Node root4; // (bits)
    private volatile PrefixTrie.Node root6; // (bits)
    private volatile int generation = 1;    // (bits)

    public Fib(int number) {
        this.number = number;
    }

    /** Its number: 0 is the default table. */
    public int number() {
        return number;
    }

    /** Changes with every change of the table. Never 0. @bsd rt_gen */
    public int generation() {
        return generation;
    }

    /** Where a packet to this IPv4 address goes, or null. @bsd fib4_lookup */
    public NextHop lookup(int dst) {
        Route r = PrefixTrie.longest(root4, hi4(dst), 0);
        return r == null ? null : r.nextHop();
    }

    /** Where a packet to this IPv6 address goes, or null. @bsd fib6_lookup */
    public NextHop lookup6(long hi, long lo) {
        Route r = PrefixTrie.longest(root6, hi, lo);
        return r == null ? null : r.nextHop();
    }

    /** The route of exactly this prefix, or null. @bsd rib_lookup_prefix */
    public Route exact(SockAddr prefix, int bits) {
        return PrefixTrie.exact(root(prefix.family()), hi(prefix), lo(prefix), bits);
    }

    /**
     * Adds a route. EEXIST when the prefix has one, EINVAL for a bad prefix length, EAFNOSUPPORT for another family.
     *
     * @bsd rib_add_route
     */
    public Errno add(SockAddr dst, int bits, NextHop nh) {
        return put(dst, bits, nh, false);
    }

    /** Adds a route or replaces the one its prefix has. @bsd rib_change_route */
    public Errno change(SockAddr dst, int bits, NextHop nh) {
        return put(dst, bits, nh, true);
    }

    private Errno put(SockAddr dst, int bits, NextHop nh, boolean replace) {
        if (dst.family() != SockAddr.AF_INET && dst.family() != SockAddr.AF_INET6) {
            return Errno.EAFNOSUPPORT;
        }
        if (bits < 0 || bits > (dst.family() == SockAddr.AF_INET ? IPV4_BITS : 2 * Long.SIZE)) {
            return Errno.EINVAL;
        }
        long h = hi(dst) & PrefixTrie.maskHi(bits);
        long l = lo(dst) & PrefixTrie.maskLo(bits);
        Route r = new Route(masked(dst, h, l), bits, bits == 0 ? asDefault(nh) : nh);
        lock.lock();
        try {
            PrefixTrie.Node root = root(dst.family());
            if (!replace && PrefixTrie.exact(root, h, l, bits) != null) {
                return Errno.EEXIST;
            }
            publish(dst.family(), PrefixTrie.put(root, h, l, bits, r));
        } finally {
            lock.unlock();
        }
        return Errno.OK;
    }

    private static NextHop asDefault(NextHop nh) {
        return new NextHop(nh.ifp, nh.flags | NextHop.NHF_DEFAULT, nh.gateway, nh.src, nh.routeMtu());
    }

    /** Deletes the route of exactly this prefix. ENOENT when there is none. @bsd rib_del_route */
    public Errno delete(SockAddr dst, int bits) {
        lock.lock();
        try {
            PrefixTrie.Node root = root(dst.family());
            if (PrefixTrie.exact(root, hi(dst), lo(dst), bits) == null) {
                return Errno.ENOENT;
            }
            publish(dst.family(), PrefixTrie.remove(root, hi(dst), lo(dst), bits));
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

    /** Deletes all routes through an interface. @bsd rt_flushifroutes */
    public int flush(Ifnet ifp) {
        return deleteIf(r -> r.nextHop().ifp == ifp);
    }

    /** All routes, IPv4 first, in order of their prefix: a snapshot. */
    public List<Route> routes() {
        List<Route> out = new ArrayList<>();
        PrefixTrie.forEach(root4, out::add);
        PrefixTrie.forEach(root6, out::add);
        return out;
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

    @GuardedBy("lock")
    private void publish(int family, PrefixTrie.Node root) {
        if (family == SockAddr.AF_INET) {
            root4 = root;
        } else {
            root6 = root;
        }
        bump();
    }

    @GuardedBy("lock")
    private void bump() {
        int next = generation + 1;
        generation = next == 0 ? 1 : next;
    }

    private PrefixTrie.Node root(int family) {
        return family == SockAddr.AF_INET ? root4 : root6;
    }

    private static SockAddr masked(SockAddr dst, long h, long l) {
        return dst.family() == SockAddr.AF_INET ? SockAddr.in((int) (h >>> IPV4_BITS), 0) : SockAddr.in6(h, l, 0);
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
