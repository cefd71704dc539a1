package io.gatun.netinet.pcb;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A control block's place in a lookup structure: its endpoints as they were when it was put there, never changed, so
 * that a reader without a lock compares against one consistent key. A block that changes its endpoints gets a new
 * node; the old one is unlinked but keeps its {@code next}, so that a reader who stands on it goes on.
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

    final long fhi;
    final long flo;
    final long lhi;
    final long llo;
    /** {@link #ports}. */
    final long ports;
    final Inpcb inp;
    /** An IPv6 block bound to any address, which takes IPv4 packets too. */
    final boolean dual;
    private PcbNode next; // (v) written under the hash lock

    /** The node of a block as it stands; under the hash lock. */
    PcbNode(final Inpcb inp) {
        this.inp = inp;
        fhi = inp.fhi;
        flo = inp.flo;
        lhi = inp.lhi;
        llo = inp.llo;
        ports = ports(PcbWire.family(inp.vflag), inp.lport, inp.fport);
        dual = inp.vflag == (Inpcb.INP_IPV4 | Inpcb.INP_IPV6);
    }

    /** The same key in another table. */
    PcbNode(final PcbNode like, final PcbNode next) {
        inp = like.inp;
        fhi = like.fhi;
        flo = like.flo;
        lhi = like.lhi;
        llo = like.llo;
        ports = like.ports;
        dual = like.dual;
        this.next = next;
    }

    /** Family, local port and foreign port in one word. */
    static long ports(final int family, final int lport, final int fport) {
        return (long) family << 32 | (long) lport << 16 | fport;
    }

    int family() {
        return (int) (ports >>> 32);
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

    boolean sameKey(final PcbNode o) {
        return flo == o.flo && llo == o.llo && ports == o.ports && fhi == o.fhi && lhi == o.lhi;
    }

    /** Whether the local address is this one. */
    boolean localIs(final int family, final long hi, final long lo) {
        return llo == lo && lhi == hi && family() == family;
    }
}
