package io.gatun.netinet.pcb;

import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6PktOpts;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.sys.Ucred;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * An internet protocol control block: the endpoints of a socket, and what IP needs to send for it.
 *
 * <p>Life: {@link InpcbInfo#alloc} at attach, {@link #bind} and {@link #connect} give it endpoints and put it where
 * {@link InpcbInfo#lookup} finds it, {@link #drop} takes it out (the endpoints are free for others), {@link #free} at
 * detach ends it; its memory and what it holds go when the last reference is given back. A lookup answers a block
 * that is not locked: lock it, then ask {@link #matches4} before use.
 *
 * <p>Locking key: (c) constant; (i) {@link #lock}; (h) hash lock of {@link #info}; (i,h) written under both, read
 * under either; (a) atomic; (v) VarHandle, of {@link PcbList}.
 *
 * @bsd struct inpcb
 */
public final class Inpcb {
    public static final int INP_RECVOPTS = 0x1;
    public static final int INP_RECVRETOPTS = 0x2;
    public static final int INP_RECVDSTADDR = 0x4;
    public static final int INP_HDRINCL = 0x8;
    /** Ephemeral ports of the high range. */
    public static final int INP_HIGHPORT = 0x10;
    /** Ephemeral ports of the privileged range. */
    public static final int INP_LOWPORT = 0x20;
    /** The port was chosen by the stack. */
    public static final int INP_ANONPORT = 0x40;
    public static final int INP_RECVIF = 0x80;
    public static final int INP_ORIGDSTADDR = 0x200;
    public static final int INP_RECVTTL = 0x400;
    public static final int INP_DONTFRAG = 0x800;
    /** May bind to addresses that are not ours. */
    public static final int INP_BINDANY = 0x1000;
    /** Can be found by lookups. */
    public static final int INP_INHASHLIST = 0x2000;
    public static final int INP_RECVTOS = 0x4000;
    /** No IPv4 through this IPv6 socket. */
    public static final int IN6P_IPV6_V6ONLY = 0x8000;
    public static final int IN6P_PKTINFO = 0x10000;
    public static final int IN6P_HOPLIMIT = 0x20000;
    public static final int IN6P_HOPOPTS = 0x40000;
    public static final int IN6P_DSTOPTS = 0x80000;
    public static final int IN6P_RTHDR = 0x100000;
    public static final int IN6P_TCLASS = 0x400000;
    public static final int IN6P_AUTOFLOWLABEL = 0x800000;
    public static final int INP_TIMEWAIT = 0x01000000;
    public static final int INP_ONESBCAST = 0x02000000;
    /** The protocol has ended the connection. */
    public static final int INP_DROPPED = 0x04000000;
    /** The protocol holds a reference of the socket. */
    public static final int INP_SOCKREF = 0x08000000;
    public static final int INP_FREED = 0x10000000;
    /** Wants to hear of path MTUs. */
    public static final int IN6P_MTU = 0x80000000;
    /** Wants control messages beside its datagrams. */
    public static final int INP_CONTROLOPTS = INP_RECVOPTS | INP_RECVDSTADDR | INP_RECVIF | INP_RECVTTL | INP_RECVTOS
        | INP_ORIGDSTADDR | IN6P_PKTINFO | IN6P_HOPLIMIT | IN6P_HOPOPTS | IN6P_DSTOPTS | IN6P_RTHDR | IN6P_TCLASS;

    /** Takes IPv4 packets. @bsd INP_IPV4 */
    public static final int INP_IPV4 = 0x1;
    /** Takes IPv6 packets. @bsd INP_IPV6 */
    public static final int INP_IPV6 = 0x2;

    private static final VarHandle REFCOUNT;

    static {
        try {
            REFCOUNT = MethodHandles.lookup().findVarHandle(Inpcb.class, "refcount", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    public final Mtx lock;             // (c)
    public final InpcbInfo info;       // (c)
    /** Of the socket: AF_INET or AF_INET6. What it talks is {@link #vflag()}. */
    public final byte family;          // (c)
    /** Who made the socket. */
    public final Ucred cred;           // (c)
    /** The socket; null once detached, and of a block of the stack itself. */
    public SocketSide so;              // (i)
    /** The transport's block, such as a Tcpcb; null when there is none. */
    public Object ppcb;                // (i)
    /** Time to live of unicast packets; -1 for the interface's hop limit. @bsd in6p_hops */
    public short ttl;                  // (i)
    /** Least time to live to accept; 0 accepts all. */
    public short minttl;               // (i)
    /** Type of service, or traffic class. */
    public short tos;                  // (i)
    /** Hash of the flow, constant while connected; 0 none. */
    public int flowid;                 // (i)
    /** Multicast state; null until an option sets it. */
    public Moptions moptions;          // (i)
    /** Multicast state of IPv6; null until an option sets it. @bsd in6p_moptions */
    public Moptions moptions6;         // (i)
    /** IP options of all its IPv4 packets, padded to words; null for none. Not changed in place. @bsd inp_options */
    public byte[] options;             // (i)
    /** Options of all its IPv6 packets; null until one is set. @bsd in6p_outputopts */
    public Ip6PktOpts outputOpts;      // (i)
    private int flags;                 // (i)
    private int refcount = 1;          // (a)
    private int soptions;              // (i) options the socket had when it left

    /** Its endpoints, where readers find it. A table that grows replaces it by its like under the hash lock alone. */
    PcbNode at;                        // (i,h)
    PortEntry portEntry;               // (h) null while readers do not find it
    Inpcb portNext;                    // (h)
    Inpcb portPrev;                    // (h)
    Inpcb listNext;                    // (v) older, in PcbList
    Inpcb listPrev;                    // (v) newer; in a vnet without threads

    Inpcb(final InpcbInfo info, final SocketSide so, final int family) {
        this.info = info;
        this.so = so;
        this.family = (byte) family;
        final boolean six = family == SockAddr.AF_INET6;
        ttl = (short) (six ? -1 : info.defttl());
        flags = six ? (info.autoFlowlabel() ? IN6P_AUTOFLOWLABEL : 0) | (info.v6only() ? IN6P_IPV6_V6ONLY : 0) : 0;
        at = info.unbound(freshVflag());
        lock = so.pcbLock();
        cred = so.cred();
    }

    /** One without a socket, of the stack itself. */
    Inpcb(final InpcbInfo info, final int family, final Ucred cred) {
        this.info = info;
        this.family = (byte) family;
        this.cred = cred;
        ttl = (short) (family == SockAddr.AF_INET6 ? -1 : info.defttl());
        flags = family == SockAddr.AF_INET6 ? IN6P_IPV6_V6ONLY : 0;
        at = info.unbound(freshVflag());
        lock = new Mtx(LockClass.INPCB, "inp");
    }

    // ---- readings ------------------------------------------------------------

    /** INP_*. */
    public int flags() {
        return flags;
    }

    public boolean has(final int flag) {
        return (flags & flag) != 0;
    }

    /** Changes INP_* bits, under the lock. */
    public void setFlagBits(final int set, final int clear) {
        assert lock.owned();
        flags = flags & ~clear | set;
    }

    /** Local IPv4 address. @bsd inp_laddr */
    public int laddr4() {
        return (int) at.llo;
    }

    /** Foreign IPv4 address. @bsd inp_faddr */
    public int faddr4() {
        return (int) at.flo;
    }

    /** Local IPv6 address, first eight octets, with its zone. @bsd in6p_laddr */
    public long laddrHi() {
        return at.lhi;
    }

    /** Local address, last eight octets. @bsd in6p_laddr */
    public long laddrLo() {
        return at.llo;
    }

    /** Foreign IPv6 address, first eight octets, with its zone. @bsd in6p_faddr */
    public long faddrHi() {
        return at.fhi;
    }

    /** Foreign address, last eight octets. @bsd in6p_faddr */
    public long faddrLo() {
        return at.flo;
    }

    /** INP_IPV4, INP_IPV6 or both. @bsd inp_vflag */
    public int vflag() {
        return at.vflag;
    }

    /** Whether its packets are IPv6; settled once it has a peer. */
    public boolean isV6() {
        return (at.vflag & INP_IPV6) != 0;
    }

    /** Time to live of its IPv4 packets. */
    public int ttl4() {
        return ttl < 0 ? info.defttl() : ttl;
    }

    /**
     * IPV6_V6ONLY, which may change only while it is not bound.
     *
     * @return OK or EINVAL
     */
    public Errno setV6only(final boolean on) {
        assert lock.owned();
        if (lport() != 0 || localSet() || family != SockAddr.AF_INET6) {
            return Errno.EINVAL;
        }
        setFlagBits(on ? IN6P_IPV6_V6ONLY : 0, on ? 0 : IN6P_IPV6_V6ONLY);
        at = info.unbound(freshVflag());
        return Errno.OK;
    }

    /** What it talks while it is bound to nothing. */
    int freshVflag() {
        if (family == SockAddr.AF_INET) {
            return INP_IPV4;
        }
        return has(IN6P_IPV6_V6ONLY) ? INP_IPV6 : INP_IPV4 | INP_IPV6;
    }

    /** Host order; 0 unbound. @bsd inp_lport */
    public int lport() {
        return at.lport();
    }

    /** Host order; 0 unconnected. @bsd inp_fport */
    public int fport() {
        return at.fport();
    }

    public boolean connected() {
        return at.fport() != 0;
    }

    /** Stands for its endpoints: another object whenever they have changed. */
    public Object endpoints() {
        return at;
    }

    /** Whether a local address is set. */
    public boolean localSet() {
        return (at.llo | at.lhi) != 0;
    }

    /**
     * After a lookup, under the lock: whether it is still the block for a packet between these IPv4 endpoints. A
     * block without a peer matches all peers.
     */
    public boolean matches4(final int faddr, final int fromPort, final int laddr, final int toPort) {
        assert lock.owned();
        final PcbNode n = at;
        if ((flags & (INP_DROPPED | INP_FREED | INP_INHASHLIST)) != INP_INHASHLIST || n.lport() != toPort
            || (n.vflag & INP_IPV4) == 0) {
            return false;
        }
        if (n.fport() != 0 && (n.fport() != fromPort || n.flo != (faddr & 0xffff_ffffL))) {
            return false;
        }
        return n.llo == 0 || n.llo == (laddr & 0xffff_ffffL);
    }

    /**
     * As {@link #matches4} between IPv6 endpoints.
     *
     * @param ports of {@link InpcbInfo#ports}
     */
    public boolean matches6(final long faHi, final long faLo, final long laHi, final long laLo, final int ports) {
        assert lock.owned();
        final PcbNode n = at;
        if ((flags & (INP_DROPPED | INP_FREED | INP_INHASHLIST)) != INP_INHASHLIST || n.lport() != ports >>> 16
            || (n.vflag & INP_IPV6) == 0) {
            return false;
        }
        if (n.fport() != 0 && (n.fport() != (ports & 0xffff) || n.flo != faLo || n.fhi != faHi)) {
            return false;
        }
        return (n.llo | n.lhi) == 0 || n.llo == laLo && n.lhi == laHi;
    }

    /** Its socket's SO_* bits; those it had last when the socket has gone. */
    int soOptions() {
        final SocketSide s = so;
        return s == null ? soptions : s.options();
    }

    /** Whether it belongs into a group: a stream socket only once it listens. */
    boolean sharesLoad() {
        final SocketSide s = so;
        return s != null && (s.options() & SocketDefs.SO_REUSEPORT_LB) != 0
            && (s.type() != SocketDefs.SOCK_STREAM || s.listening());
    }

    // ---- endpoints: all under the lock ------------------------------------------------------------

    /**
     * Gives it a local endpoint.
     *
     * @param nam borrowed; null, or port 0, lets the stack choose a port
     * @return OK; EINVAL when it is bound, EAFNOSUPPORT, EADDRNOTAVAIL for an address that is not ours or when ports
     *     have run out, EACCES for a privileged port, EADDRINUSE
     * @bsd in_pcbbind
     */
    public Errno bind(final SockAddr nam, final Ucred who) {
        assert lock.owned();
        if (nam != null && nam.family() != family) {
            return Errno.EAFNOSUPPORT;
        }
        info.hashLock.lock();
        try {
            final int v = nam == null ? at.vflag : PcbWire.localFlags(this, nam);
            final SockAddr local = nam == null ? null : PcbWire.of(this, nam, info.scratchSrc);
            final int port = PcbBind.setup(this, local, v, who);
            if (port < 0) {
                return Errno.of(port);
            }
            if (local == null || local.port() == 0) {
                flags |= INP_ANONPORT;
            }
            info.insertLocked(this,
                new PcbNode(this, v, local == null ? 0 : local.hi(), local == null ? 0 : local.lo(), port));
            return Errno.OK;
        } finally {
            info.hashLock.unlock();
        }
    }

    /**
     * Gives it a peer, and a local address and port when it has none.
     *
     * @param nam borrowed
     * @return OK; EAFNOSUPPORT, EADDRNOTAVAIL for port 0 or when ports have run out, EISCONN, EADDRINUSE when the
     *     very same connection exists, EHOSTUNREACH or ENETUNREACH
     * @bsd in_pcbconnect
     */
    public Errno connect(final SockAddr nam, final Ucred who) {
        assert lock.owned();
        return PcbConnect.connect(this, nam, who);
    }

    /**
     * Gives a child the endpoints of the packet that made it, IPv4. The child of a listener shares its port.
     *
     * @return OK or EADDRINUSE
     * @bsd in_pcbconnect
     */
    public Errno adopt4(final int faddr, final int fromPort, final int laddr, final int toPort) {
        assert lock.owned();
        info.hashLock.lock();
        try {
            final Endpoints to = info.scratch;
            to.set(INP_IPV4, 0, laddr & 0xffff_ffffL);
            to.peer(0, faddr & 0xffff_ffffL, fromPort);
            return PcbConnect.adopt(this, to, toPort);
        } finally {
            info.hashLock.unlock();
        }
    }

    /**
     * As {@link #adopt4} between IPv6 endpoints.
     *
     * @param ports of {@link InpcbInfo#ports}
     * @bsd in6_pcbconnect
     */
    public Errno adopt6(final long faHi, final long faLo, final long laHi, final long laLo, final int ports) {
        assert lock.owned();
        info.hashLock.lock();
        try {
            final Endpoints to = info.scratch;
            to.set(INP_IPV6, laHi, laLo);
            to.peer(faHi, faLo, ports & 0xffff);
            return PcbConnect.adopt(this, to, ports >>> 16);
        } finally {
            info.hashLock.unlock();
        }
    }

    /** Forgets the peer; a local address that was chosen for it is for the caller to reset. @bsd in_pcbdisconnect */
    public void disconnect() {
        assert lock.owned();
        info.hashLock.lock();
        try {
            flowid = 0;
            info.moveLocked(this, new PcbNode(this, at.vflag, at.lhi, at.llo, at.lport()));
        } finally {
            info.hashLock.unlock();
        }
    }

    /** {@link #disconnect}, and back to any local address. */
    public void disconnectAny() {
        assert lock.owned();
        info.hashLock.lock();
        try {
            flowid = 0;
            info.moveLocked(this, new PcbNode(this, freshVflag(), 0, 0, at.lport()));
        } finally {
            info.hashLock.unlock();
        }
    }

    /** Fills in the local endpoint. @bsd in_getsockaddr */
    public void sockaddr(final SockAddr out) {
        final PcbNode n = at;
        fill(out, n, n.lhi, n.llo, n.lport());
    }

    /** Fills in the peer's endpoint. @bsd in_getpeeraddr */
    public void peeraddr(final SockAddr out) {
        final PcbNode n = at;
        fill(out, n, n.fhi, n.flo, n.fport());
    }

    private void fill(final SockAddr out, final PcbNode n, final long hi, final long lo, final int port) {
        if (family == SockAddr.AF_INET) {
            out.setIn((int) lo, port);
        } else if (n.vflag == INP_IPV4) {
            out.setIn6(0, In6.v4Mapped((int) lo), port, 0);
        } else {
            In6.recover(out, hi, lo, port);
        }
    }

    /** Its transport's number, for messages. */
    public int protocol() {
        return info.protocol;
    }

    /** The socket listens now: it joins its load-balancing group. Under the lock. @bsd in_pcblisten */
    public void listen() {
        assert lock.owned();
        info.hashLock.lock();
        try {
            info.moveLocked(this, new PcbNode(at, null));
        } finally {
            info.hashLock.unlock();
        }
    }

    // ---- end of life ------------------------------------------------------------

    /** The protocol has ended it: no lookup finds it, its port is free. Under the lock. @bsd in_pcbdrop */
    public void drop() {
        assert lock.owned();
        flags |= INP_DROPPED;
        info.remove(this);
    }

    /**
     * Detaches it from its socket, which forgets it; the transport may keep it (TIME-WAIT). Under the lock.
     *
     * @bsd in_pcbdetach
     */
    public void detach() {
        assert lock.owned();
        if (so != null) {
            soptions = so.options();
            so.setPcb(null);
            so = null;
        }
    }

    /**
     * Ends it: out of all tables, off its socket, and gives the table's reference back. Under the lock, which the
     * caller still has to release.
     *
     * @bsd in_pcbfree
     */
    public void free() {
        assert lock.owned();
        assert !has(INP_FREED) : "inpcb freed twice";
        flags |= INP_FREED;
        info.remove(this);
        info.ended(this);
        detach();
        if (moptions != null) {
            moptions.leaveAll();
            moptions = null;
        }
        if (moptions6 != null) {
            moptions6.leaveAll();
            moptions6 = null;
        }
        rele();
    }

    /** Takes a reference. @bsd in_pcbref */
    public void ref() {
        final int before = (int) REFCOUNT.getAndAdd(this, 1);
        assert before > 0 : "reference of a freed inpcb";
    }

    /** Gives one back; true when it was the last. @bsd in_pcbrele */
    public boolean rele() {
        if ((int) REFCOUNT.getAcquire(this) == 1) {
            refcount = 0; // nobody else has one to make another of
            return true;
        }
        final int before = (int) REFCOUNT.getAndAdd(this, -1);
        assert before > 0 : "inpcb released too often";
        return before == 1;
    }

    /** As netstat prints it. */
    @Override
    public String toString() {
        final SockAddr l = new SockAddr();
        final SockAddr f = new SockAddr();
        sockaddr(l);
        peeraddr(f);
        final String name = info.protocol == InDefs.IPPROTO_TCP ? "tcp " : "udp ";
        return name + l + " " + f;
    }
}
