package io.gatun.netinet.pcb;

import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;

/**
 * The multicast side of a control block: where its datagrams to groups go out, and the groups it hears.
 *
 * <p>Locking key: (i) the block's lock; (v) published, read by input without a lock.
 *
 * @bsd struct ip_moptions
 */
public final class Moptions {
    /** @bsd IP_MAX_MEMBERSHIPS */
    public static final int MAX_MEMBERSHIPS = 4095;

    /**
     * One group on one interface.
     *
     * @bsd struct ip_mreq
     */
    public record Membership(SockAddr group, Ifnet ifp) {
    }

    private static final Membership[] NONE = {};

    /** Interface of outgoing datagrams, or null for the route's. */
    public Ifnet multicastIfp;   // (i)
    /** Time to live of datagrams to groups. */
    public int multicastTtl = 1; // (i)
    /** Whether this host hears them too. */
    public boolean multicastLoop = true; // (i)
    private volatile Membership[] memberships = NONE; // (v)

    /** No group, all defaults. */
    public Moptions() {
        // fields start as the defaults
    }

    /**
     * Joins a group on an interface.
     *
     * @return OK; EADDRINUSE for a member, EINVAL for an address that is no group, ENOBUFS beyond the limit
     * @bsd inp_join_group
     */
    public Errno join(final SockAddr group, final Ifnet ifp) {
        if (!group.isMulticast()) {
            return Errno.EINVAL;
        }
        final Membership[] old = memberships;
        if (index(old, group, ifp) >= 0) {
            return Errno.EADDRINUSE;
        }
        if (old.length >= MAX_MEMBERSHIPS) {
            return Errno.ENOBUFS;
        }
        final SockAddr mine = SockAddr.in(group.in4(), 0);
        final Errno e = ifp.addMulti(mine);
        if (e == Errno.OK) {
            final Membership[] more = java.util.Arrays.copyOf(old, old.length + 1);
            more[old.length] = new Membership(mine, ifp);
            memberships = more;
        }
        return e;
    }

    /**
     * Leaves a group.
     *
     * @param ifp null for any interface
     * @return OK, or EADDRNOTAVAIL for no member
     * @bsd inp_leave_group
     */
    public Errno leave(final SockAddr group, final Ifnet ifp) {
        final Membership[] old = memberships;
        final int at = index(old, group, ifp);
        if (at < 0) {
            return Errno.EADDRNOTAVAIL;
        }
        final List<Membership> less = new ArrayList<>(List.of(old));
        final Membership gone = less.remove(at);
        memberships = less.toArray(NONE);
        gone.ifp().delMulti(gone.group());
        return Errno.OK;
    }

    /** An interface goes: nothing here may name it any more. Under the block's lock. @bsd in_pcbpurgeif0 */
    void purge(final Ifnet ifp) {
        if (multicastIfp == ifp) {
            multicastIfp = null;
        }
        final List<Membership> less = new ArrayList<>();
        for (final Membership m : memberships) {
            if (m.ifp() == ifp) {
                ifp.delMulti(m.group());
            } else {
                less.add(m);
            }
        }
        memberships = less.toArray(NONE);
    }

    /** The block goes. @bsd inp_freemoptions */
    void leaveAll() {
        final Membership[] old = memberships;
        memberships = NONE;
        for (final Membership m : old) {
            m.ifp().delMulti(m.group());
        }
    }

    /** Whether it hears a group on an interface; takes no lock. @bsd imo_multi_filter */
    public boolean member(final int group4, final Ifnet ifp) {
        final Membership[] all = memberships;
        for (int i = 0; i < all.length; i++) {
            if (all[i].group().in4() == group4 && all[i].ifp() == ifp) {
                return true;
            }
        }
        return false;
    }

    /** The first address of the outgoing interface into {@code src}; false when there is no such interface. */
    public boolean source(final int family, final SockAddr src) {
        if (multicastIfp == null) {
            return false;
        }
        for (final IfAddr a : multicastIfp.addrs()) {
            if (a.family() == family) {
                src.set(a.addr());
                src.setPort(0);
                return true;
            }
        }
        return false;
    }

    private static int index(final Membership[] all, final SockAddr group, final Ifnet ifp) {
        for (int i = 0; i < all.length; i++) {
            if (all[i].group().in4() == group.in4() && (ifp == null || all[i].ifp() == ifp)) {
                return i;
            }
        }
        return -1;
    }
}
