package io.gatun.netinet.pcb;

import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.Ucred;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.VnetSide;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;

/**
 * All control blocks of one protocol in one vnet, and how they are found. Lookups take no lock and allocate nothing;
 * a block found is not locked: the caller locks it and checks that it still matches. Writers hold {@link #hashLock},
 * which is taken after a block's lock.
 *
 * <p>A block that changes its endpoints is put in its new place before it leaves the old one, so that a reader never
 * misses it; one that was between the two looks again.
 *
 * <p>Locking key: (c) constant; (h) {@link #hashLock}.
 *
 * @bsd struct inpcbinfo
 */
public final class InpcbInfo {
    /** Also find blocks without a peer. @bsd INPLOOKUP_WILDCARD */
    public static final int INPLOOKUP_WILDCARD = PcbBind.INPLOOKUP_WILDCARD;

    private static final Inpcb[] NO_BLOCKS = {};
    private static final int DEFTTL = 64;
    private static final int MAXTTL = 255;
    private static final long KEY_HASH = 0x68617368L;
    private static final long KEY_FLOW = 0x666c6f77L;
    private static final long KEY_PORT = 0x706f7274L;

    private static final VarHandle CHANGES;

    static {
        try {
            CHANGES = MethodHandles.lookup().findVarHandle(InpcbInfo.class, "changes", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Writers' lock. @bsd INP_HASH_WLOCK */
    final Mtx hashLock;
    final int protocol;                                        // (c)
    private final PcbAddrs addrs4;                             // (c)
    private PcbAddrs addrs6;                                   // (c) null without IPv6
    private Sysctl autoFlowlabel;                              // (c) null without IPv6
    private Sysctl v6only;                                     // (c) null without IPv6
    private final Sysctl defttl;                               // (c)
    final PortRange range;                                     // (c)
    final PortSet ports = new PortSet();                       // (c)
    final PortAlloc portAlloc;                                 // (c)
    final Endpoints scratch = new Endpoints();                 // (h)
    final SockAddr scratchDst = new SockAddr();                // (h)
    final SockAddr scratchSrc = new SockAddr();                // (h)
    /** The way of whoever connected last: many go to the same place, one after the other. */
    final RouteCache route = new RouteCache();                 // (h)
    private final PcbNode[] unbound = new PcbNode[(Inpcb.INP_IPV4 | Inpcb.INP_IPV6) + 1]; // (c) by vflag
    private final PcbHash exact;                               // (c)
    private final SipHash flowKey;                             // (c)
    private final long flowSecret;                             // (c) of ids that others may see
    private long flows;                                        // (h) drawn so far
    /** Counts moves between the tables: a reader who found nothing while one happened looks again. */
    private volatile int moves;                                // (h) for writers
    private final PcbList list;                                // (c)
    private int changes;                                       // (h) for writers, released

    /**
     * @param protocol IPPROTO_*, for messages
     * @param addrs the addresses of this host
     * @bsd in_pcbinfo_init
     */
    public InpcbInfo(final VnetSide vnet, final int protocol, final PcbAddrs addrs) {
        this.protocol = protocol;
        hashLock = new Mtx(LockClass.INPCB_HASH, "pcbinfohash", vnet.threaded());
        addrs4 = addrs;
        range = new PortRange(vnet.sysctl());
        defttl = vnet.sysctl().addInt("net.inet.ip.ttl", DEFTTL, 1, MAXTTL, "time to live of packets by default");
        flowKey = new SipHash(vnet.secret(), KEY_HASH + protocol);
        flowSecret = flowKey.hash(KEY_FLOW, protocol, 0);
        exact = new PcbHash(flowKey);
        list = new PcbList(vnet.threaded());
        portAlloc = new PortAlloc(range, ports, exact, new SipHash(vnet.secret(), KEY_PORT + protocol));
        Arrays.setAll(unbound, PcbNode::new);
    }

    /**
     * IPv6, before there is any IPv6 socket.
     *
     * @param addrs the addresses of this host
     * @param only whether new sockets are for IPv6 alone. @bsd V_ip6_v6only
     */
    public void setIp6(final PcbAddrs addrs, final Sysctl only) {
        addrs6 = addrs;
        v6only = only;
    }

    /** Time to live of new IPv4 sockets (RFC 1122 section 3.2.1.7). @bsd V_ip_defttl */
    int defttl() {
        return defttl.getInt();
    }

    /** Whether new IPv6 sockets label their flows. */
    public void setAutoFlowlabel(final Sysctl on) {
        autoFlowlabel = on;
    }

    boolean autoFlowlabel() {
        return autoFlowlabel == null || autoFlowlabel.getBool();
    }

    boolean v6only() {
        return v6only == null || v6only.getBool();
    }

    /** The endpoints of a block bound to nothing, which talks {@code vflag}. */
    PcbNode unbound(final int vflag) {
        return unbound[vflag];
    }

    /** The network layer of a family. */
    PcbAddrs addrs(final int family) {
        return family == SockAddr.AF_INET ? addrs4 : addrs6;
    }

    /** A new block for a socket, which then has it as its pcb. Fresh: nobody else knows it. @bsd in_pcballoc */
    public Inpcb alloc(final SocketSide so, final int family) {
        final Inpcb inp = new Inpcb(this, so, family);
        list.add(inp);
        so.setPcb(inp);
        return inp;
    }

    /** A new block that no socket has: what comes for it is the stack's own. Of IPv6 it takes IPv6 packets alone. */
    public Inpcb allocKernel(final int family, final Ucred cred) {
        final Inpcb inp = new Inpcb(this, family, cred);
        list.add(inp);
        return inp;
    }

    // ---- lookups ------------------------------------------------------------

    /**
     * The block for a packet between IPv4 endpoints, not locked: the connected one, or with INPLOOKUP_WILDCARD one
     * without a peer, bound to the address before bound to any. Null for none.
     *
     * @bsd in_pcblookup
     */
    public Inpcb lookup4(final int faddr, final int fport, final int laddr, final int lport, final int flags) {
        final int before = moves;
        final PcbNode n = exact.find4(faddr, laddr, PcbNode.ports(SockAddr.AF_INET, lport, fport));
        if (n != null) {
            return n.inp;
        }
        if ((flags & INPLOOKUP_WILDCARD) == 0) {
            return null;
        }
        final Inpcb inp = wild4(faddr, fport, laddr, lport);
        return inp != null || before == moves ? inp : lookup4(faddr, fport, laddr, lport, flags);
    }

    private Inpcb wild4(final int faddr, final int fport, final int laddr, final int lport) {
        final PortEntry e = ports.entry(lport);
        if (e == null) {
            return null;
        }
        final long f = faddr & 0xffff_ffffL;
        return e.find(SockAddr.AF_INET, 0, laddr & 0xffff_ffffL, mixFlow(f << 16 | fport));
    }

    /** A local and a foreign port in one word. */
    public static int ports(final int lport, final int fport) {
        return lport << 16 | fport;
    }

    /**
     * As {@link #lookup4} between IPv6 endpoints, zones put in.
     *
     * @param ports of {@link #ports(int, int)}
     * @bsd in6_pcblookup
     */
    public Inpcb lookup6(
        final long fhi, final long flo, final long lhi, final long llo, final int ports, final int flags) {
        final int before = moves;
        final PcbNode n = exact.find(fhi, flo, lhi, llo, (long) SockAddr.AF_INET6 << 32 | ports & 0xffff_ffffL);
        if (n != null) {
            return n.inp;
        }
        final PortEntry e = (flags & INPLOOKUP_WILDCARD) == 0 ? null : this.ports.entry(ports >>> 16);
        final Inpcb inp = e == null ? null
            : e.find(SockAddr.AF_INET6, lhi, llo, mixFlow(fhi ^ flo << 16 ^ ports & 0xffff));
        return inp != null || before == moves ? inp : lookup6(fhi, flo, lhi, llo, ports, flags);
    }

    /** As {@link #lookup4} for any family. The addresses of {@code foreign} and {@code local} are borrowed. */
    public Inpcb lookup(final SockAddr foreign, final SockAddr local, final int flags) {
        final int before = moves;
        final int af = local.family();
        final PcbNode n = exact.find(foreign.hi(), foreign.lo(), local.hi(), local.lo(),
            PcbNode.ports(af, local.port(), foreign.port()));
        if (n != null) {
            return n.inp;
        }
        final PortEntry e = (flags & INPLOOKUP_WILDCARD) == 0 ? null : ports.entry(local.port());
        final Inpcb inp = e == null ? null
            : e.find(af, local.hi(), local.lo(), mixFlow(foreign.hi() ^ foreign.lo() << 16 ^ foreign.port()));
        return inp != null || before == moves ? inp : lookup(foreign, local, flags);
    }

    /** Cheap keyed hash: enough to spread flows over a group. */
    private long mixFlow(final long flow) {
        final long h = (flow ^ flowKey.key1()) * 0x9e3779b97f4a7c15L;
        return h >>> 32;
    }

    int flowHash(final Endpoints to, final int lport) {
        return flowHash(to.fhi, to.flo, to.lhi, to.llo, ports(lport, to.fport));
    }

    /**
     * The flow of a connection that a packet makes, of either family: what its control block will have. Never 0.
     *
     * @param ports of {@link #ports(int, int)}
     */
    public int flowHash(final long fhi, final long flo, final long lhi, final long llo, final int ports) {
        final int h = (int) (KeyedMix.mix(flo ^ fhi ^ flowSecret, llo ^ lhi, ports & 0xffff_ffffL) >>> 32);
        return h == 0 ? 1 : h;
    }

    /**
     * A flow towards a peer, for a connection whose own address is yet to be chosen: it depends on the way, and the way
     * on the flow. Each is another one, so that several ways are shared. Never 0. Under the hash lock.
     *
     * @bsd fib4_calc_software_hash, fib6_calc_software_hash
     */
    int drawFlow(final SockAddr dst) {
        assert hashLock.owned();
        return flowHash(dst.hi(), dst.lo(), 0, ++flows, ports(0, dst.port()));
    }

    /** Whether this very connection exists. Under the hash lock. */
    boolean exists(final Endpoints to, final int lport) {
        return exact.find(to.fhi, to.flo, to.lhi, to.llo, PcbNode.ports(to.family(), lport, to.fport)) != null;
    }

    // ---- writers ------------------------------------------------------------

    /** Gives a block endpoints with a local port: from here on everybody may find it there. @bsd in_pcbinshash */
    void insertLocked(final Inpcb inp, final PcbNode now) {
        assert hashLock.owned();
        if (inp.portEntry == null) {
            inp.at = now;
            ports.add(inp);
            inp.setFlagBits(Inpcb.INP_INHASHLIST, 0);
            linkLocked(inp.portEntry, now);
        } else {
            moveLocked(inp, now);
        }
    }

    /** Gives a block other endpoints; who is not found by anybody stays so. @bsd in_pcbrehash */
    void moveLocked(final Inpcb inp, final PcbNode now) {
        assert hashLock.owned();
        final PcbNode old = inp.at;
        inp.at = now;
        if (inp.portEntry == null) {
            return;
        }
        linkLocked(inp.portEntry, now);
        final int before = moves;
        moves = before + 1;
        unlinkLocked(inp.portEntry, old);
    }

    /** Another number whenever a look-up may have another outcome. Read it before the look-up. */
    public int changes() {
        return (int) CHANGES.getAcquire(this);
    }

    private void linkLocked(final PortEntry e, final PcbNode n) {
        if (n.fport() != 0) {
            exact.insert(n);
        } else {
            e.addWild(n);
        }
        changed();
    }

    private void unlinkLocked(final PortEntry e, final PcbNode n) {
        if (n.fport() != 0) {
            exact.remove(n);
        } else {
            e.removeWild(n);
        }
        changed();
    }

    private void changed() {
        CHANGES.setRelease(this, changes + 1);
    }

    /** A block has ended, and says so. */
    void ended(final Inpcb inp) {
        list.ended(inp);
    }

    /** Takes a block, whose lock is held, out of the lookups. @bsd in_pcbremhash_locked */
    void remove(final Inpcb inp) {
        if (inp.portEntry == null) {
            return; // only the one who has that lock could give it one
        }
        hashLock.lock();
        try {
            unlinkLocked(inp.portEntry, inp.at);
            ports.remove(inp);
            inp.setFlagBits(0, Inpcb.INP_INHASHLIST);
        } finally {
            hashLock.unlock();
        }
    }

    // ---- walking ------------------------------------------------------------

    /**
     * Blocks without a peer at a local port, as readers see them now, for delivery to several (broadcast, multicast).
     * Not to be changed by the caller, who locks each and checks.
     */
    public Inpcb[] unconnected(final int lport) {
        final PortEntry e = ports.entry(lport);
        return e == null ? NO_BLOCKS : e.all();
    }

    /**
     * All blocks at this moment, for monitoring. Keeps none alive: one that ends meanwhile says so by INP_FREED.
     *
     * @bsd inp_next
     */
    public List<Inpcb> snapshot() {
        return list.snapshot();
    }

    /** An interface goes: memberships on it end. No lock is held. @bsd in_pcbpurgeif0 */
    public void purgeIf(final Ifnet ifp) {
        for (final Inpcb inp : snapshot()) {
            inp.lock.lock();
            try {
                if (inp.moptions != null) {
                    inp.moptions.purge(ifp);
                }
                if (inp.moptions6 != null) {
                    inp.moptions6.purge(ifp);
                }
            } finally {
                inp.lock.unlock();
            }
        }
    }

    /** IPPROTO_*. */
    public int protocol() {
        return protocol;
    }

    /** How many blocks there are. Takes no lock, as who watches must not hold up who connects, but looks at each. */
    public int count() {
        return list.count();
    }

    /** The local ports, for readings. */
    public PortSet ports() {
        return ports;
    }

    /** Recounts everything and fails on a difference; for assertions. */
    public boolean check() {
        hashLock.lock();
        try {
            int connected = 0;
            for (final Inpcb inp : list.snapshot()) {
                connected += inp.portEntry != null && inp.connected() ? 1 : 0;
                assert inp.portEntry == null || inp.at.inp == inp : "hashed without a port " + inp;
            }
            assert connected == exact.count() : connected + " connected, hashed " + exact.count();
            return exact.check();
        } finally {
            hashLock.unlock();
        }
    }

    /** The name of the protocol, for counters and messages. */
    public String name() {
        return protocol == InDefs.IPPROTO_TCP ? "tcp" : protocol == InDefs.IPPROTO_UDP ? "udp" : "raw";
    }
}
