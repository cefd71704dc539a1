package io.gatun.uipc;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.DomainTable;
import io.gatun.spi.socket.Protosw;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.Padded;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import io.gatun.spi.vnet.VnetSide;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What all sockets of one vnet share: limits, counters, and the making of new ones.
 *
 * <p>Locking key: (a) benign race; all other fields are constant.
 *
 * @bsd socreate
 */
public final class Sockets {
    /** @bsd SB_MAX */
    private static final int SB_MAX = 2 * 1024 * 1024;
    private static final int WASTE_FACTOR = 8;
    private static final int MAXSOCKETS = 1 << 20;
    private static final int SPIN_NS = 20_000;
    private static final int GATHER_NS = 1_000;
    private static final int MAX_SPIN_NS = 1_000_000_000;

    final VnetSide vnet;
    final Clock clock;
    final boolean shared; // whether the vnet has threads
    final Sysctl somaxconn;
    /** How long a waiter spins before it parks, ns. */
    final Sysctl spinNs;
    /** How long a thread that polls a listener lets children gather, ns. */
    final Sysctl gatherNs;
    final SocketLocks locks;
    final SoDefer defer;
    final Crowd crowd = new Crowd();
    final Counter listenOverflow;
    private final Sysctl maxSockBuf;
    private SbLimits sbLimits; // (a)
    private final Sysctl wasteFactor;
    private final Sysctl maxSockets;
    private final AcceptFilters acceptFilters;
    private final AtomicInteger numOpen = new AtomicInteger();

    /**
     * Whether children gather before a listener. Who brings more gives way then, once: the processor that it has may be
     * the one that who accepts them waits for.
     */
    static final class Crowd extends Padded {
        private boolean there; // (a) benign race: any of those who bring some may give way

        void gathers() {
            there = true;
        }

        void giveWay() {
            if (there) {
                there = false;
                Thread.yield();
            }
        }
    }

    private Sockets(final VnetSide vnet) {
        this.vnet = vnet;
        this.clock = vnet.clock();
        this.shared = vnet.threaded();
        locks = new SocketLocks(vnet.lockStrategy(), shared);
        final SysctlTree tree = vnet.sysctl();
        maxSockBuf = tree.addLong("kern.ipc.maxsockbuf", SB_MAX, "largest socket buffer, octets of storage");
        wasteFactor = tree.addInt("kern.ipc.sockbuf_waste_factor", WASTE_FACTOR, 1, Short.MAX_VALUE,
            "storage a socket buffer may use, times its octets");
        sbLimits = SbLimits.of(SB_MAX, WASTE_FACTOR);
        somaxconn = tree.addInt("kern.ipc.soacceptqueue", SocketDefs.SOMAXCONN, 1, Short.MAX_VALUE,
            "largest listen queue, connections");
        maxSockets = tree.addInt("kern.ipc.maxsockets", MAXSOCKETS, "largest number of sockets");
        final boolean alone = !vnet.threaded() || Runtime.getRuntime().availableProcessors() == 1;
        spinNs = tree.addInt("kern.ipc.spin_ns", alone ? 0 : SPIN_NS, 0, MAX_SPIN_NS,
            "longest spin of a blocking call before it parks, ns; 0 parks at once");
        gatherNs = tree.addInt("kern.ipc.soacceptgather_ns", alone ? 0 : GATHER_NS, 0, MAX_SPIN_NS,
            "how long a thread that polls a listener lets connections gather before it takes the first, ns");
        tree.addReading("kern.ipc.numopensockets", numOpen::get, "sockets in being");
        listenOverflow = vnet.counters().counter("socket.listenoverflow");
        defer = new SoDefer(vnet.netisr());
        acceptFilters = new AcceptFilters(tree, vnet.classLoader());
    }

    /** The sockets of a vnet, made at the first call. */
    public static Sockets of(final VnetSide vnet) {
        Sockets s = vnet.service(Sockets.class);
        while (s == null) {
            try {
                s = new Sockets(vnet);
                vnet.provide(Sockets.class, s);
            } catch (final IllegalStateException e) {
                // Another thread was quicker: take its.
                s = vnet.service(Sockets.class);
            }
        }
        return s;
    }

    public VnetSide vnet() {
        return vnet;
    }

    /** What SO_ACCEPTFILTER can choose from. */
    public AcceptFilters acceptFilters() {
        return acceptFilters;
    }

    /** Sockets in being, those whose connection outlives their user included. @bsd kern.ipc.numopensockets */
    public int numOpen() {
        return numOpen.get();
    }

    /**
     * Makes a socket, held by the caller.
     *
     * @param family AF_*
     * @param type SOCK_*
     * @param protocol IPPROTO_*, or 0 for the usual one of the type
     * @return EAFNOSUPPORT without such a domain, EPROTOTYPE when the domain has no such type or the protocol is of
     *     another type, EPROTONOSUPPORT without such a protocol, ENOBUFS beyond the limit, or what attach says
     * @bsd socreate
     */
    public SoResult create(final int family, final int type, final int protocol, final Ucred cred) {
        final DomainTable domains = vnet.domains();
        final Protosw pr = protocol != 0
            ? domains.findProto(family, protocol, type) : domains.findType(family, type);
        if (pr == null) {
            if (domains.find(family) == null) {
                return SoResult.failed(Errno.EAFNOSUPPORT);
            }
            return SoResult.failed(protocol == 0 && type != 0 ? Errno.EPROTOTYPE : Errno.EPROTONOSUPPORT);
        }
        if (pr.type() != type) {
            return SoResult.failed(Errno.EPROTOTYPE);
        }
        if (!enter()) {
            return SoResult.failed(Errno.ENOBUFS);
        }
        final Socket so = new Socket(this, pr, family, cred, 0);
        final Errno e = so.attach(protocol, cred);
        return e == Errno.OK ? SoResult.of(so) : SoResult.failed(e);
    }

    /**
     * Makes two sockets that are connected with each other: the first result's.
     *
     * @param pair room for two, filled on success
     * @return as {@link #create}; EOPNOTSUPP when the protocol makes no pairs
     * @bsd sys_socketpair
     */
    public Errno createPair(final int family, final int type, final int protocol, final Ucred cred,
        final Socket[] pair) {
        final SoResult one = create(family, type, protocol, cred);
        if (one.so() == null) {
            return one.errno();
        }
        final SoResult two = create(family, type, protocol, cred);
        if (two.so() == null) {
            one.so().close();
            return two.errno();
        }
        final Errno e = SoConnect.connect2(one.so(), two.so());
        if (e != Errno.OK) {
            one.so().close();
            two.so().close();
            return e;
        }
        pair[0] = one.so();
        pair[1] = two.so();
        return Errno.OK;
    }

    /** Counts one more socket; false beyond the limit. */
    boolean enter() {
        if (open(1) > maxSockets.getInt()) {
            leave();
            return false;
        }
        return true;
    }

    void leave() {
        open(-1);
    }

    private int open(final int more) {
        if (shared) {
            return numOpen.addAndGet(more);
        }
        final int n = numOpen.getPlain() + more;
        numOpen.setPlain(n);
        return n;
    }

    SbLimits sbLimits() {
        final SbLimits l = sbLimits;
        if (l.maxSockBuf() == maxSockBuf.get() && l.wasteFactor() == wasteFactor.getInt()) {
            return l;
        }
        final SbLimits now = SbLimits.of(maxSockBuf.get(), wasteFactor.getInt());
        sbLimits = now;
        return now;
    }

    /**
     * What the limits of socket buffers come to, as long as their sysctls stay what they are.
     *
     * @param max octets of storage at most
     * @param maxReserve octets at most that a buffer may be given: its storage, in clusters, must fit the limit too
     * @bsd sb_max, sb_max_adj
     */
    record SbLimits(long maxSockBuf, int wasteFactor, int max, int maxReserve) {
        private static SbLimits of(final long maxSockBuf, final int wasteFactor) {
            final int max = (int) Math.clamp(maxSockBuf, (long) Mbuf.MCLBYTES, (long) Integer.MAX_VALUE);
            return new SbLimits(maxSockBuf, wasteFactor, max,
                (int) ((long) max * Mbuf.MCLBYTES / (Mbuf.MSIZE + Mbuf.MCLBYTES)));
        }

        /** The limit for the storage of a buffer of so many octets. @bsd sb_efficiency */
        int storage(final int octets) {
            return (int) Math.min((long) octets * wasteFactor, max);
        }
    }
}
