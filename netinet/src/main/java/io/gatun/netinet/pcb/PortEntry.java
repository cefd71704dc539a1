package io.gatun.netinet.pcb;

import io.gatun.spi.socket.SockAddr;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * One local port: all control blocks that use it, and those of them without a peer as readers see them.
 *
 * <p>Locking key: (h) the owner's hash lock; (v) published: readers without a lock see whole arrays, never changed.
 *
 * @bsd struct inpcbport
 */
final class PortEntry {
    private static final VarHandle WILD;
    private static final VarHandle GROUPS;
    private static final VarHandle ALL;
    private static final PcbNode[] NO_NODES = {};
    private static final LbGroup[] NO_GROUPS = {};
    private static final Inpcb[] NO_BLOCKS = {};

    static {
        try {
            final MethodHandles.Lookup l = MethodHandles.lookup();
            WILD = l.findVarHandle(PortEntry.class, "wild", PcbNode[].class);
            GROUPS = l.findVarHandle(PortEntry.class, "groups", LbGroup[].class);
            ALL = l.findVarHandle(PortEntry.class, "all", Inpcb[].class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final int port;
    Inpcb first;                                  // (h) list by portNext, portPrev
    int count;                                    // (h) length of the list
    private volatile PcbNode[] wild;   // (v) blocks without a peer that are in no group
    private volatile LbGroup[] groups; // (v)
    private volatile Inpcb[] all;      // (v) every block without a peer

    /** For the port set, which publishes it: nobody sees it before, so that nothing here need be volatile. */
    PortEntry(final int port) {
        this.port = port;
        WILD.set(this, NO_NODES);
        GROUPS.set(this, NO_GROUPS);
        ALL.set(this, NO_BLOCKS);
    }

    /** Every block without a peer; not to be changed. */
    Inpcb[] all() {
        return all;
    }

    /** Under the hash lock. */
    void link(final Inpcb inp) {
        inp.portPrev = null;
        inp.portNext = first;
        if (first != null) {
            first.portPrev = inp;
        }
        first = inp;
        inp.portEntry = this;
        count++;
    }

    /** Under the hash lock. */
    void unlink(final Inpcb inp) {
        if (inp.portPrev == null) {
            first = inp.portNext;
        } else {
            inp.portPrev.portNext = inp.portNext;
        }
        if (inp.portNext != null) {
            inp.portNext.portPrev = inp.portPrev;
        }
        inp.portNext = null;
        inp.portPrev = null;
        inp.portEntry = null;
        count--;
    }

    /** Adds a block without a peer, to its group if it shares load. Under the hash lock. */
    void addWild(final PcbNode n) {
        final Inpcb[] one = Arrays.copyOf(all, all.length + 1);
        one[all.length] = n.inp;
        all = one;
        if (!n.inp.sharesLoad()) {
            final PcbNode[] more = Arrays.copyOf(wild, wild.length + 1);
            more[more.length - 1] = n;
            wild = more;
            return;
        }
        final LbGroup[] g = groups.clone();
        for (int i = 0; i < g.length; i++) {
            if (g[i].holds(n)) {
                g[i] = g[i].with(n.inp);
                groups = g;
                return;
            }
        }
        final LbGroup[] more = Arrays.copyOf(g, g.length + 1);
        more[g.length] = new LbGroup(n);
        groups = more;
    }

    /** Takes it out of where {@link #addWild} put it. Under the hash lock. */
    void removeWild(final PcbNode n) {
        forget(n.inp);
        final PcbNode[] old = wild;
        for (int i = 0; i < old.length; i++) {
            if (old[i] == n) {
                wild = without(old, i);
                return;
            }
        }
        for (int i = 0; i < groups.length; i++) {
            if (groups[i].holds(n)) {
                replaceGroup(i, groups[i].without(n.inp));
                return;
            }
        }
    }

    /** Takes one occurrence out of {@link #all}. */
    private void forget(final Inpcb inp) {
        final Inpcb[] old = all;
        int at = 0;
        while (old[at] != inp) {
            at++;
        }
        final Inpcb[] less = old.length == 1 ? NO_BLOCKS : new Inpcb[old.length - 1];
        System.arraycopy(old, 0, less, 0, at);
        System.arraycopy(old, at + 1, less, at, less.length - at);
        all = less;
    }

    private static PcbNode[] without(final PcbNode[] old, final int at) {
        if (old.length == 1) {
            return NO_NODES;
        }
        final PcbNode[] less = new PcbNode[old.length - 1];
        System.arraycopy(old, 0, less, 0, at);
        System.arraycopy(old, at + 1, less, at, less.length - at);
        return less;
    }

    private void replaceGroup(final int at, final LbGroup now) {
        final LbGroup[] g = groups.clone();
        if (now != null) {
            g[at] = now;
            groups = g;
            return;
        }
        g[at] = g[g.length - 1];
        groups = g.length == 1 ? NO_GROUPS : Arrays.copyOf(g, g.length - 1);
    }

    /**
     * The listener for a local address: one bound to it before one bound to any, and for IPv4 last an IPv6 one bound
     * to any; at each step a group before a single block, and among single ones the one that came first.
     *
     * @param flowHash selects within a group
     */
    Inpcb find(final int family, final long lhi, final long llo, final long flowHash) {
        Inpcb any = null;
        Inpcb mapped = null;
        for (final LbGroup g : groups) {
            if (g.localIs(family, lhi, llo)) {
                return g.select(flowHash);
            }
            if (g.localIs(family, 0, 0)) {
                any = g.select(flowHash);
            } else if (g.dual && family == SockAddr.AF_INET) {
                mapped = g.select(flowHash);
            }
        }
        final PcbNode[] w = wild;
        for (int i = 0; i < w.length; i++) {
            final PcbNode n = w[i];
            if (n.localIs(family, lhi, llo)) {
                return n.inp;
            }
            if (any == null && n.localIs(family, 0, 0)) {
                any = n.inp;
            } else if (mapped == null && n.dual() && family == SockAddr.AF_INET) {
                mapped = n.inp;
            }
        }
        return any == null ? mapped : any;
    }
}
