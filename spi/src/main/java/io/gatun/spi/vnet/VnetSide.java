package io.gatun.spi.vnet;

import io.gatun.spi.ifnet.IfnetTable;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.DomainTable;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.sys.CounterSet;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Mtx;
import java.util.random.RandomGenerator;

/**
 * What a driver, a protocol or the socket layer sees of the stack instance it runs in. All state of a stack hangs off
 * its vnet: there are no mutable statics. Everything here may be called by any thread.
 *
 * @bsd struct vnet
 * @see <a href="https://man.freebsd.org/vnet/9">vnet(9)</a>
 */
public interface VnetSide {
    /** For messages and thread names. */
    String name();

    /** The time, which nothing of the stack takes from elsewhere. */
    Clock clock();

    /**
     * Seeded at will, shared by all users of the vnet; safe for any thread. Not for secrets: see {@link #secret}.
     *
     * @bsd arc4random
     */
    RandomGenerator random();

    /**
     * A secret of this vnet, fixed at creation (from the seed when there is one): keys for ISN, ports and hashes.
     * Caller must not change it.
     */
    byte[] secret();

    /** Where its packets live; it may be shared with other vnets. */
    MbufPool pool();

    IfnetTable ifnets();

    DomainTable domains();

    /** Transport protocols by IP protocol number. */
    IpprotoTable ipproto();

    SysctlTree sysctl();

    Netisr netisr();

    CounterSet counters();

    /** Which locks of a socket and its control block are one. */
    LockStrategy lockStrategy();

    /** Where extensions are looked for by ServiceLoader; null when they are not to be looked for. */
    ClassLoader classLoader();

    /** Whether the vnet has threads of its own; if not, {@code Vnet.poll()} drives it. */
    boolean threaded();

    /**
     * Makes a timer.
     *
     * @param name what runs, for diagnosis
     * @param lock held while the handler runs; null for a handler that locks for itself
     * @param handler runs without other locks, on a thread of the vnet or in {@code poll()}; must not block
     * @bsd callout_init_mtx
     */
    Callout callout(String name, Mtx lock, Runnable handler);

    /**
     * What a loop on a thread of the stack, or of a driver, does with anything that is thrown to it: a bug, which must
     * neither end the thread nor go unseen. Counts {@code vnet.uncaught} and tells the handler of whoever made the
     * vnet; never throws.
     */
    void uncaught(Throwable t);

    /** Counts a drop and frees the packet: consumes m (its chain, not what follows by nextPkt); null only counts. */
    void drop(Mbuf m, DropReason reason);

    /**
     * Has {@code drain} run when mbufs have run out, so that a protocol gives up what it holds in hope, such as
     * fragments: without locks, where netisr runs its tasks, and at most once a second. What it frees it counts
     * ({@link DropReason#MBUF_LOWMEM}). Ends with the vnet.
     *
     * @bsd mbuf_lowmem
     */
    void onLowmem(Runnable drain);

    /** How often that happened. */
    long drops(DropReason reason);

    /**
     * Publishes an object of one module to others under its interface, such as the configuration of the internet
     * domain to a command line.
     *
     * @throws IllegalStateException when that type is taken
     */
    <T> void provide(Class<T> type, T service);

    /** What was {@link #provide}d under the type, or null. */
    <T> T service(Class<T> type);
}
