package io.gatun.netinet.nd6;

import io.gatun.spi.ifnet.Ifnet;

/**
 * What neighbour discovery knows of one interface: its own settings, and the link's parameters as routers advertise
 * them.
 *
 * <p>Locking key: (c) constant; (w) written under neighbour discovery's lock, read without one; (n) that lock.
 *
 * @bsd struct nd_ifinfo
 */
public final class Nd6Ifinfo {
    /** Neighbours are checked for being there. @bsd ND6_IFF_PERFORMNUD */
    public static final int ND6_IFF_PERFORMNUD = 0x1;
    /** Router advertisements are taken, and routers asked for. @bsd ND6_IFF_ACCEPT_RTADV */
    public static final int ND6_IFF_ACCEPT_RTADV = 0x2;
    /** IPv6 is off here, as after a duplicate of the address made of the link address. @bsd ND6_IFF_IFDISABLED */
    public static final int ND6_IFF_IFDISABLED = 0x8;
    /** A link-local address is made when the interface comes up. @bsd ND6_IFF_AUTO_LINKLOCAL */
    public static final int ND6_IFF_AUTO_LINKLOCAL = 0x20;
    /** No default routes are taken from advertisements. @bsd ND6_IFF_NO_RADR */
    public static final int ND6_IFF_NO_RADR = 0x40;
    /** Addresses are not checked for duplicates. @bsd ND6_IFF_NO_DAD */
    public static final int ND6_IFF_NO_DAD = 0x100;
    /** Interface identifiers are stable and opaque (RFC 7217). @bsd ND6_IFF_STABLEADDR */
    public static final int ND6_IFF_STABLEADDR = 0x800;
    /** All that may be set by hand. */
    public static final int ND6_IFF_ALL = ND6_IFF_PERFORMNUD | ND6_IFF_ACCEPT_RTADV | ND6_IFF_IFDISABLED
        | ND6_IFF_AUTO_LINKLOCAL | ND6_IFF_NO_RADR | ND6_IFF_NO_DAD | ND6_IFF_STABLEADDR;

    static final int RETRANS_MS = 1000;
    private static final long MS = 1_000_000L;

    final Ifnet ifp;               // (c)
    final Nd6Table table;          // (c) null where there are no link addresses
    private volatile int flags;    // (w) ND6_IFF_*
    private volatile int linkMtu;  // (w) octets; 0 while no router has said
    private volatile int chlim;    // (w) hop limit; 0: the sysctl's
    private volatile int baseReachableMs; // (w) 0: the sysctl's
    private volatile int retransMs = RETRANS_MS; // (w)
    boolean up;                    // (n) the interface when its state was last told
    byte[] lladdr;                 // (n) its link address when that was last told
    long rsNs = Nd6.NEVER;         // (n) when to ask for routers
    long rsSpanNs;                 // (n) from the last time to this; 0 before the first

    Nd6Ifinfo(final Ifnet ifp, final Nd6Table table, final int flags) {
        this.ifp = ifp;
        this.table = table;
        this.flags = flags;
        lladdr = ifp.lladdr();
    }

    /** ND6_IFF_*. */
    public int flags() {
        return flags;
    }

    /** Whether any of these ND6_IFF_* is set. */
    public boolean has(final int bits) {
        return (flags & bits) != 0;
    }

    /** The MTU routers advertise, octets; 0 while none has. @bsd linkmtu */
    public int linkMtu() {
        return linkMtu;
    }

    /** The hop limit that a router has asked for; 0 while none has. @bsd chlim */
    public int chlim() {
        return chlim;
    }

    /** Milliseconds a confirmed neighbour is believed, on average; 0 while no router has said. @bsd basereachable */
    public int baseReachableMs() {
        return baseReachableMs;
    }

    /** Milliseconds between two solicitations. @bsd retrans */
    public int retransMs() {
        return retransMs;
    }

    long retransNs() {
        return retransMs * MS;
    }

    void setFlags(final int set, final int clear) {
        flags = flags & ~clear | set;
    }

    void setLinkMtu(final int octets) {
        linkMtu = octets;
    }

    void setChlim(final int hops) {
        chlim = hops;
    }

    void setBaseReachableMs(final int ms) {
        baseReachableMs = ms;
    }

    void setRetransMs(final int ms) {
        retransMs = ms;
    }
}
