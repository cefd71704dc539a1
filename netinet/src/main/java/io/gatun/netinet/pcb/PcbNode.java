package io.gatun.netinet.pcb;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The endpoints of a control block, and its place in a lookup structure. They never change, so that a reader without a
 * lock compares against one consistent key. A block that changes its endpoints gets a new node; the old one is unlinked
 * but keeps its {@code next}, so that a reader who stands on it goes on. Blocks that are bound to nothing share one.
 *
 * @bsd struct in_conninfo
 */
final class PcbNode {
    private static final VarHandle NEXT;

    static {
        try {
            NEXT = MethodHandles.lookup().findVarHandle(PcbNode.class, "next", PcbNode.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** IPv6 with the zone put in; 0 for IPv4. */
    final long fhi;
    final long flo;
    final long lhi;
    final long llo;
    /** {@link #ports}. */
    final long ports;
    /** Null in the one of blocks bound to nothing. */
    final Inpcb inp;
    /** INP_IPV4, INP_IPV6 or both, the latter only while it is bound to any address. @bsd inp_vflag */
    final byte vflag;
    private PcbNode next; // (v) written under the hash lock

    /** Bound to nothing. */
    PcbNode(final int vflag) {
        this(null, vflag, 0, 0, 0);
    }

    /** Without a peer. */
    PcbNode(final Inpcb inp, final int vflag, final long lhi, final long llo, final int lport) {
        this.inp = inp;
        this.vflag = (byte) vflag;
        this.lhi = lhi;
        this.llo = llo;
        fhi = 0;
        flo = 0;
        ports = ports(PcbWire.family(vflag), lport, 0);
    }

    /** With a peer. */
    PcbNode(final Inpcb inp, final Endpoints to, final int lport) {
        this.inp = inp;
        vflag = (byte) to.vflag;
        lhi = to.lhi;
        llo = to.llo;
        fhi = to.fhi;
        flo = to.flo;
        ports = ports(to.family(), lport, to.fport);
    }

    /** The same key in another place. */
    PcbNode(final PcbNode like, final PcbNode next) {
        inp = like.inp;
        vflag = like.vflag;
        fhi = like.fhi;
        flo = like.flo;
        lhi = like.lhi;
        llo = like.llo;
        ports = like.ports;
        this.next = next;
    }

    /** Family, local port and foreign port in one word. */
    static long ports(final int family, final int lport, final int fport) {
        return (long) family << 32 | (long) lport << 16 | fport;
    }

    int family() {
        return (int) (ports >>> 32);
    }

    /** Host order; 0 unbound. */
    int lport() {
        return (int) (ports >>> 16) & 0xffff;
    }

    /** Host order; 0 unconnected. */
    int fport() {
        return (int) ports & 0xffff;
    }

    /** An IPv6 block bound to any address, which takes IPv4 packets too. */
    boolean dual() {
        return vflag == (Inpcb.INP_IPV4 | Inpcb.INP_IPV6);
    }

    PcbNode nextAcquire() {
        return (PcbNode) NEXT.getAcquire(this);
    }

    /** Pairs with {@link #nextAcquire}. */
    void nextRelease(final PcbNode n) {
        NEXT.setRelease(this, n);
    }

    boolean matches4(final long flo4, final long llo4, final long wanted) {
        return flo == flo4 && llo == llo4 && ports == wanted;
    }

    /** Whether the local address is this one. */
    boolean localIs(final int family, final long hi, final long lo) {
        return llo == lo && lhi == hi && family() == family;
    }
}
