package io.gatun.spi.ifnet;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.VnetSide;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A network interface: flags and addresses that the stack owns, counters, and slots that the driver and the link
 * layer fill.
 *
 * <p>Life cycle: {@link #alloc} (not visible, slots empty) - the driver sets slots - {@link IfnetTable#attach}
 * (visible, traffic) - {@link IfnetTable#detach} (dying, no slot is called any more) - {@link #free}.
 *
 * <p>Packets go down by {@link #output} (link layer: resolves, prepends the header) and {@link #transmit} (driver:
 * takes the frame), and up by {@link #input}. A driver calls {@code input} with no lock of the stack held; a device
 * that delivers while it transmits uses {@code vnet.netisr().queue} instead.
 *
 * <p>Locking key: (c) constant once attached, (l) the interface's {@code lock}, (d) the driver's own lock, (w) written
 * under (l), read without a lock through a volatile field, (v) atomic.
 *
 * @bsd struct ifnet
 * @see <a href="https://man.freebsd.org/ifnet/9">ifnet(9)</a>
 */
public final class Ifnet extends IfnetSlots {
    /** Administratively up. */
    public static final int IFF_UP = 0x1;
    /** Has a link broadcast address. */
    public static final int IFF_BROADCAST = 0x2;
    /** For the driver to say more. */
    public static final int IFF_DEBUG = 0x4;
    /** What it sends comes back to this host. */
    public static final int IFF_LOOPBACK = 0x8;
    /** Has one peer and no link addresses. */
    public static final int IFF_POINTOPOINT = 0x10;
    /** Driver's: resources allocated, traffic may flow. */
    public static final int IFF_DRV_RUNNING = 0x40;
    /** Neighbours are not asked for. */
    public static final int IFF_NOARP = 0x80;
    /** Taps want the frames of all stations. */
    public static final int IFF_PROMISC = 0x100;
    /** Wants the frames of all groups. */
    public static final int IFF_ALLMULTI = 0x200;
    /** Driver's: the transmit ring is full. */
    public static final int IFF_DRV_OACTIVE = 0x400;
    /** Cannot hear its own transmissions. */
    public static final int IFF_SIMPLEX = 0x800;
    /** Carries frames to groups. */
    public static final int IFF_MULTICAST = 0x8000;
    /** Being detached: nothing goes in or out any more. */
    public static final int IFF_DYING = 0x200000;

    /** Checks the checksums of IPv4 packets that come in, and says so in {@code csumFlags}. */
    public static final int IFCAP_RXCSUM = 0x1;
    /** Computes those of IPv4 packets that go out, where {@code csumFlags} asks. */
    public static final int IFCAP_TXCSUM = 0x2;
    /** Takes frames 4 octets longer than its MTU, for a tag. */
    public static final int IFCAP_VLAN_MTU = 0x8;
    /** Takes and gives tags in the packet header ({@code etherVtag}). */
    public static final int IFCAP_VLAN_HWTAGGING = 0x10;
    /** Takes an MTU above 1500. */
    public static final int IFCAP_JUMBO_MTU = 0x20;
    /** Cuts TCP super-segments over IPv4, up to {@link #tsoMax}. */
    public static final int IFCAP_TSO4 = 0x100;
    /** The same over IPv6. */
    public static final int IFCAP_TSO6 = 0x200;
    /** TCP may merge the segments of one batch that it hands up. */
    public static final int IFCAP_LRO = 0x400;
    /** Does checksums of tagged frames too. */
    public static final int IFCAP_VLAN_HWCSUM = 0x80;
    /** Cuts super-segments of tagged frames too. */
    public static final int IFCAP_VLAN_HWTSO = 0x40000;
    /** Tells of its link by {@link #linkStateChange}. */
    public static final int IFCAP_LINKSTATE = 0x80000;
    /** As IFCAP_RXCSUM, for IPv6. */
    public static final int IFCAP_RXCSUM_IPV6 = 0x200000;
    /** As IFCAP_TXCSUM, for IPv6. */
    public static final int IFCAP_TXCSUM_IPV6 = 0x400000;
    public static final int IFCAP_TSO = IFCAP_TSO4 | IFCAP_TSO6;
    public static final int IFCAP_HWCSUM = IFCAP_RXCSUM | IFCAP_TXCSUM;

    /** Longest interface name, octets without a terminator. */
    public static final int IFNAMSIZ = 15;

    /** Guards what the stack changes at run time: flags, addresses, groups. */
    public final Mtx lock = new Mtx(LockClass.NET_LEAF, "if_addr_lock");

    private final Counter[] counters = new Counter[IfCounter.values().length];
    private final IfAddrs addrs = new IfAddrs(lock);            // (c)
    private final AtomicInteger drvFlags = new AtomicInteger(); // (d)

    private int capabilities;              // (c) IFCAP_* the device can do
    private SlotGate gate;                 // (c) null in a vnet without threads
    private TransmitFn transparentFn;      // (c) null for a driver that others can listen to
    private volatile int index;            // (w) set by attach
    private volatile int capenable;        // (w) IFCAP_* in use
    private volatile int flags;            // (w) IFF_* that the stack owns
    private volatile int mtu;              // (w) octets of network-layer packet
    private volatile byte[] lladdr;        // (w) never changed in place
    private volatile LinkState linkState = LinkState.UNKNOWN; // (w)
    private volatile BpfTap bpf;           // (w)
    private volatile VlanTrunk vlanTrunk;  // (w) null while no vlan is on top of it
    private volatile int fibnum;           // (w)

    private Ifnet(
        final VnetSide vnet, final int type, final String dname, final int dunit, final String xname,
        final Object softc) {
        super(vnet, type, dname, dunit, xname, softc);
        this.gate = vnet.threaded() ? new SlotGate() : null;
        for (final IfCounter c : IfCounter.values()) {
            final String field = c.name().toLowerCase(Locale.ROOT);
            counters[c.ordinal()] = vnet.counters().counter("if." + xname + "." + field);
        }
    }

    /**
     * Makes an interface that nobody sees yet.
     *
     * @param type IFT_*
     * @param dname driver name, letters
     * @param dunit unit number
     * @param softc the driver's own state, handed back by {@link #softc}
     * @bsd if_alloc
     */
    public static Ifnet alloc(
        final VnetSide vnet, final int type, final String dname, final int dunit, final Object softc) {
        return new Ifnet(vnet, type, dname, dunit, dname + dunit, softc);
    }

    /**
     * {@link #alloc} with a name that is not the driver's name and the unit, as in {@code epair0a}.
     *
     * @param xname at most {@link #IFNAMSIZ} letters and digits
     * @bsd if_initname
     */
    public static Ifnet allocNamed(
        final VnetSide vnet, final int type, final String dname, final int dunit, final String xname,
        final Object softc) {
        return new Ifnet(vnet, type, dname, dunit, xname, softc);
    }

    /** Ends the life of a detached interface. @bsd if_free */
    public void free() {
        if (index != 0) {
            throw new IllegalStateException(xname() + " is still attached");
        }
    }

    // ---- identity ------------------------------------------------------------

    /** 1 and up while attached, else 0. @bsd if_index */
    public int index() {
        return index;
    }

    /** For {@link IfnetTable}. */
    public void setIndex(final int newIndex) {
        index = newIndex;
    }

    // ---- data path ------------------------------------------------------------

    /**
     * Hands a finished frame, and those linked behind it by nextPkt, to the driver. Consumes them. Taps see them first.
     *
     * @return as {@link TransmitFn#transmit}; ENETDOWN when the interface is down or going
     * @bsd if_transmit
     */
    public Errno transmit(final Mbuf m) {
        final SlotGate g = gate;
        if (g == null) {
            return transmitGated(m);
        }
        final int stripe = g.enter();
        try {
            return transmitGated(m);
        } finally {
            g.exit(stripe);
        }
    }

    private Errno transmitGated(final Mbuf m) {
        if ((flags & (IFF_UP | IFF_DYING)) != IFF_UP) {
            dropList(m, IfCounter.OQDROPS, (flags & IFF_DYING) != 0 ? DropReason.IF_DETACHED : DropReason.IF_DOWN);
            return Errno.ENETDOWN;
        }
        final BpfTap tap = bpf;
        for (Mbuf p = tap == null ? null : m; p != null; p = p.nextPkt()) {
            tap.mtap(this, p, true);
        }
        return transmitFn.transmit(this, m);
    }

    /**
     * For {@link IfnetTable#detach}, once IFF_DYING is set: waits until no thread is in transmit or ioctl any more.
     * Not to be called from one of them.
     */
    public void awaitSlots() {
        if (gate != null) {
            gate.await();
        }
    }

    /**
     * For a driver, before attach, whose slots may be called at any time, even after it has freed everything: detach
     * then does not wait for calls in them, and calls need not be counted.
     */
    public void setLateCallsHarmless() {
        gate = null;
    }

    /**
     * For a driver, before attach, whose transmit slot gives what it gets back to this very host and does nothing else
     * that anybody could see.
     */
    public void setTransparent() {
        transparentFn = transmitFn;
    }

    /**
     * Whether what is sent here comes back in unseen and unchanged: it is up, no tap listens, and nobody has wrapped
     * the transmit slot of such a driver. Sockets of this host may then be joined past it.
     */
    public boolean transparent() {
        return transparentFn != null && transmitFn == transparentFn && bpf == null
            && (flags & (IFF_UP | IFF_DYING)) == IFF_UP;
    }

    /**
     * Takes received frames (linked by nextPkt) up; taps see them first. Consumes m. The driver has set {@code rcvif},
     * holds no lock of the stack, and calls {@code vnet().netisr().swi()} at the end of its batch.
     *
     * @bsd if_input
     */
    public void input(final Mbuf m) {
        if ((flags & (IFF_UP | IFF_DYING)) != IFF_UP) {
            dropList(m, IfCounter.IQDROPS, (flags & IFF_DYING) != 0 ? DropReason.IF_DETACHED : DropReason.IF_DOWN);
            return;
        }
        if (inputFn == null) {
            dropList(m, IfCounter.IQDROPS, DropReason.IF_NO_INPUT);
            return;
        }
        final BpfTap tap = bpf;
        if (tap != null) {
            for (Mbuf p = m; p != null; p = p.nextPkt()) {
                tap.mtap(this, p, false);
            }
        }
        inputFn.input(this, m);
    }

    /** Sends a network-layer packet to a next hop. Consumes m. @bsd if_output */
    public Errno output(final Mbuf m, final SockAddr dst) {
        return outputFn.output(this, m, dst);
    }

    /**
     * Takes up what has arrived at the device; for a vnet without threads.
     *
     * @param budget frames to take at most
     * @return frames taken; 0 for a device that is down or needs no polling
     */
    public int poll(final int budget) {
        final PollFn fn = pollFn;
        return fn == null || (flags & (IFF_UP | IFF_DYING)) != IFF_UP ? 0 : fn.poll(this, budget);
    }

    /** Drops what the driver has queued. @bsd if_qflush */
    public void qflush() {
        qflushFn.qflush(this);
    }

    private void dropList(final Mbuf first, final IfCounter counter, final DropReason reason) {
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            count(counter, 1);
            vnet.drop(m, reason);
            m = next;
        }
    }

    /** Adds to a counter. @bsd if_inc_counter */
    public void count(final IfCounter counter, final long n) {
        counters[counter.ordinal()].add(n);
    }

    /** @bsd if_get_counter_default */
    public long counter(final IfCounter counter) {
        return counters[counter.ordinal()].get();
    }

    /** The tap, or null. */
    public BpfTap bpf() {
        return bpf;
    }

    /** Sets or (null) removes the tap. @bsd bpfattach */
    public void setBpf(final BpfTap tap) {
        bpf = tap;
    }

    /** Who takes its tagged frames, or null. @bsd if_vlantrunk */
    public VlanTrunk vlanTrunk() {
        return vlanTrunk;
    }

    /** For the vlan driver; null when the last vlan has left. */
    public void setVlanTrunk(final VlanTrunk trunk) {
        vlanTrunk = trunk;
    }

    // ---- flags, link, configuration ------------------------------------------------------------

    /** IFF_* that the stack owns. @bsd if_flags */
    public int flags() {
        return flags;
    }

    /** IFF_DRV_* that the driver owns. @bsd if_drv_flags */
    public int drvFlags() {
        return drvFlags.get();
    }

    /** For the driver. @bsd if_setdrvflagbits */
    public void setDrvFlagBits(final int set, final int clear) {
        drvFlags.updateAndGet(f -> f & ~clear | set);
    }

    /**
     * For a driver before attach and for {@link IfnetTable}: changes bits without telling anybody.
     *
     * @bsd if_setflagbits
     */
    public void setFlagBits(final int set, final int clear) {
        lock.lock();
        try {
            flags = flags & ~clear | set;
        } finally {
            lock.unlock();
        }
    }

    /** Administratively up: the driver is initialised and told. @bsd if_up */
    public Errno up() {
        setFlagBits(IFF_UP, 0);
        if (initFn != null && (drvFlags() & IFF_DRV_RUNNING) == 0) {
            initFn.init(this);
        }
        return flagsChanged();
    }

    /** Administratively down: the driver is told and its queue flushed. @bsd if_down */
    public Errno down() {
        setFlagBits(0, IFF_UP);
        final Errno e = flagsChanged();
        qflush();
        return e;
    }

    private Errno flagsChanged() {
        final Errno e = ioctlFn == null ? Errno.OK : ioctlFn.ioctl(this, new IfReq.SetFlags(flags));
        vnet.ifnets().announceState(this);
        return e == Errno.EOPNOTSUPP ? Errno.OK : e;
    }

    /** Carries a request to the driver, and keeps the stack's view in step with it. @bsd ifhwioctl */
    public Errno ioctl(final IfReq request) {
        final Errno e = ioctlGated(request);
        if (e != Errno.OK) {
            return e;
        }
        switch (request) {
            case IfReq.SetMtu r -> setMtu(r.mtu());
            case IfReq.SetLladdr r -> setLladdr(r.lladdr());
            case IfReq.SetCap r -> setCapenable(r.capenable());
            default -> {
                return e;
            }
        }
        vnet.ifnets().announceState(this);
        return e;
    }

    private Errno ioctlGated(final IfReq request) {
        final SlotGate g = gate;
        final int stripe = g == null ? 0 : g.enter();
        try {
            if ((flags & IFF_DYING) != 0) {
                return Errno.ENXIO;
            }
            return ioctlFn == null ? Errno.EOPNOTSUPP : ioctlFn.ioctl(this, request);
        } finally {
            if (g != null) {
                g.exit(stripe);
            }
        }
    }

    /** Octets of the largest network-layer packet. @bsd if_mtu */
    public int mtu() {
        return mtu;
    }

    /** @bsd if_setmtu */
    public void setMtu(final int octets) {
        mtu = octets;
    }

    /** IFCAP_* the device can do. @bsd if_capabilities */
    public int capabilities() {
        return capabilities;
    }

    /** For the driver before attach; enables them all. */
    public void setCapabilities(final int caps) {
        capabilities = caps;
        capenable = caps;
    }

    /** IFCAP_* in use. @bsd if_capenable */
    public int capenable() {
        return capenable;
    }

    /** Enables capabilities, of those that it has, without asking the driver, as {@link #ioctl} does. */
    public void setCapenable(final int caps) {
        capenable = caps & capabilities;
    }

    /** The link address; not to be changed. Null when it has none. @bsd if_getlladdr */
    public byte[] lladdr() {
        return lladdr;
    }

    /** @bsd if_setlladdr */
    public void setLladdr(final byte[] addr) {
        lladdr = addr.clone();
    }

    /** @bsd if_link_state */
    public LinkState linkState() {
        return linkState;
    }

    /** For the driver. @bsd if_link_state_change */
    public void linkStateChange(final LinkState state) {
        if (linkState != state) {
            linkState = state;
            vnet.ifnets().announceState(this);
        }
    }

    /** The routing table its inbound packets use. @bsd if_fib */
    public int fibnum() {
        return fibnum;
    }

    /** Chooses that table; the caller has checked that it is there. */
    public void setFibnum(final int fib) {
        fibnum = fib;
    }

    // ---- addresses ------------------------------------------------------------

    /** Its addresses: an immutable snapshot. @bsd if_addrhead */
    public List<IfAddr> addrs() {
        return addrs.unicast();
    }

    /**
     * Adds an address and tells the listeners. EEXIST when it is there. The network layer calls this: embedders use
     * its configuration.
     */
    public Errno addAddr(final IfAddr addr) {
        if (!addrs.add(addr)) {
            return Errno.EEXIST;
        }
        vnet.ifnets().announceAddress(this, addr, true);
        return Errno.OK;
    }

    /** Removes an address and tells the listeners. EADDRNOTAVAIL when it is not there. */
    public Errno removeAddr(final SockAddr addr) {
        final IfAddr found = addrs.remove(addr);
        if (found == null) {
            return Errno.EADDRNOTAVAIL;
        }
        vnet.ifnets().announceAddress(this, found, false);
        return Errno.OK;
    }

    /** Groups joined, one entry per join: an immutable snapshot. @bsd if_multiaddrs */
    public List<SockAddr> multiaddrs() {
        return addrs.groups();
    }

    /** Joins a group (network or link address); the driver hears of the first join. @bsd if_addmulti */
    public Errno addMulti(final SockAddr group) {
        return addrs.join(group) ? tellMulti(new IfReq.AddMulti(group)) : Errno.OK;
    }

    /** Leaves a group once; the driver hears of the last leave. EADDRNOTAVAIL when not joined. @bsd if_delmulti */
    public Errno delMulti(final SockAddr group) {
        return switch (addrs.leave(group)) {
            case NOT_JOINED -> Errno.EADDRNOTAVAIL;
            case STILL_JOINED -> Errno.OK;
            case LEFT -> tellMulti(new IfReq.DelMulti(group));
        };
    }

    private Errno tellMulti(final IfReq request) {
        final Errno e = ioctlFn == null ? Errno.OK : ioctlFn.ioctl(this, request);
        return e == Errno.EOPNOTSUPP ? Errno.OK : e;
    }

    @Override
    public String toString() {
        return xname();
    }
}
