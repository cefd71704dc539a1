package io.gatun.netinet.gmp;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Group membership of one family in one vnet: takes in what sockets want to hear and what routers ask, and says what is
 * to be said. Reports are sent with the lock held, so that their order is that of the changes.
 *
 * <p>Locking key: (c) constant; (l) {@code lock}.
 *
 * @bsd in_mcast
 */
public final class Gmp {
    /** Octets of a record's head before the group: type, auxiliary length, number of sources. */
    private static final int RECORD_HEAD = 4;

    final VnetSide vnet; // (c)
    final GmpWire wire;  // (c)
    private final Mtx lock = new Mtx(LockClass.NET_LEAF, "in_multi");
    private final Map<Ifnet, GmpIf> ifs = new HashMap<>(); // (l)

    public Gmp(final VnetSide vnet, final GmpWire wire) {
        this.vnet = vnet;
        this.wire = wire;
    }

    long now() {
        return vnet.clock().nanoTime();
    }

    private GmpIf of(final Ifnet ifp) {
        GmpIf i = ifs.get(ifp);
        if (i == null) {
            i = new GmpIf(this, ifp);
            ifs.put(ifp, i);
        }
        return i;
    }

    private static boolean silent(final Ifnet ifp) {
        return (ifp.flags() & (Ifnet.IFF_LOOPBACK | Ifnet.IFF_DYING)) != 0;
    }

    /**
     * A member's filter changes. May be called with a control block locked.
     *
     * @param from what it was, NONE for no member
     * @param to what it is, NONE for no member
     * @bsd in_joingroup_locked, in_leavegroup_locked, igmp_change_state
     */
    public void change(final Ifnet ifp, final long hi, final long lo, final InMfilter from, final InMfilter to) {
        lock.lock();
        try {
            if (silent(ifp)) { // under the lock: who takes the interface away has marked it before
                return;
            }
            of(ifp).change(hi, lo, from, to);
        } finally {
            lock.unlock();
        }
    }

    /** A router asks. */
    public void query(final Ifnet ifp, final GmpQuery q) {
        lock.lock();
        try {
            if (silent(ifp) || q.version() < wire.version() && !wire.heeds(q.version())) {
                return;
            }
            of(ifp).query(q);
        } finally {
            lock.unlock();
        }
    }

    /** Another host has reported a group in an older version. */
    public void heard(final Ifnet ifp, final long hi, final long lo) {
        lock.lock();
        try {
            if (!silent(ifp)) {
                of(ifp).heard(hi, lo);
            }
        } finally {
            lock.unlock();
        }
    }

    /** What an interface lets in of a group, as the sum of its members; NONE for no member. */
    public InMfilter state(final Ifnet ifp, final long hi, final long lo) {
        lock.lock();
        try {
            final GmpIf i = ifs.get(ifp);
            return i == null ? InMfilter.NONE : i.state(hi, lo);
        } finally {
            lock.unlock();
        }
    }

    /** The version spoken on an interface now. */
    public int version(final Ifnet ifp) {
        lock.lock();
        try {
            final GmpIf i = ifs.get(ifp);
            return i == null ? wire.defaultVersion() : i.version();
        } finally {
            lock.unlock();
        }
    }

    /** An interface came up or went down. */
    public void stateChanged(final Ifnet ifp) {
        lock.lock();
        try {
            final GmpIf i = ifs.get(ifp);
            if (i != null) {
                i.stateChanged();
            }
        } finally {
            lock.unlock();
        }
    }

    /** An interface goes. @bsd igmp_ifdetach */
    public void ifdetach(final Ifnet ifp) {
        final GmpIf i;
        lock.lock();
        try {
            i = ifs.remove(ifp);
        } finally {
            lock.unlock();
        }
        if (i != null) {
            i.drain();
        }
    }

    /** The domain goes. */
    public void destroy() {
        final List<Ifnet> all;
        lock.lock();
        try {
            all = List.copyOf(ifs.keySet());
        } finally {
            lock.unlock();
        }
        all.forEach(this::ifdetach);
    }

    void timeout(final GmpIf i) {
        lock.lock();
        try {
            if (ifs.get(i.ifp) == i) {
                i.timeout();
            }
        } finally {
            lock.unlock();
        }
        vnet.netisr().swi();
    }

    /** Sends records in as many reports as they take (RFC 3376 section 4.2.16). */
    void send(final Ifnet ifp, final List<GmpRecord> records) {
        // A link that does not take even a record with one sender refuses what comes of it.
        final int room = Math.max(wire.room(ifp), RECORD_HEAD + 2 * wire.addrLen());
        final List<GmpRecord> packet = new ArrayList<>();
        int left = room;
        for (final GmpRecord r : records) {
            int from = 0;
            do {
                final int head = RECORD_HEAD + wire.addrLen();
                final int rest = r.sources().size() - from;
                final boolean fits = head + rest * wire.addrLen() <= left;
                if (!packet.isEmpty() && !fits && (r.whole() || left < head + wire.addrLen())) {
                    wire.report(ifp, List.copyOf(packet));
                    packet.clear();
                    left = room;
                }
                final int n = Math.min(rest, (left - head) / wire.addrLen());
                packet.add(new GmpRecord(r.type(), r.hi(), r.lo(), r.sources().slice(from, n)));
                left -= head + n * wire.addrLen();
                from += n;
            } while (from < r.sources().size() && !r.whole());
        }
        if (!packet.isEmpty()) {
            wire.report(ifp, packet);
        }
    }
}
