package io.gatun.netinet.pcb;

import io.gatun.netinet.gmp.Gmp;
import io.gatun.netinet.gmp.InMfilter;
import io.gatun.netinet.gmp.SourceSet;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The multicast side of a control block in one family: where its datagrams to groups go out, and the groups it hears,
 * each with a filter of senders. A membership begins as that of everybody ({@link #join}) or of single senders ({@link
 * #joinSource}), and which of the two it is is changed by {@link #setFilter} alone.
 *
 * <p>Locking key: (c) constant; (i) the block's lock; (v) published, read by input without a lock.
 *
 * @bsd struct ip_moptions
 */
public final class Moptions {
    /** @bsd IP_MAX_MEMBERSHIPS */
    public static final int MAX_MEMBERSHIPS = 4095;
    /** @bsd IP_MAX_SOCK_SRC_FILTER */
    public static final int MAX_SOCK_SRC_FILTER = 128;

    /**
     * One group on one interface.
     *
     * @param group the group, without a port; a zone stands in its scopeId
     * @param ifp the interface
     * @param filter whom of its senders it hears
     * @bsd struct in_mfilter
     */
    public record Membership(SockAddr group, Ifnet ifp, InMfilter filter) {
        boolean is(final SockAddr other, final Ifnet on) {
            return group.lo() == other.lo() && group.hi() == other.hi() && (on == null || on == ifp);
        }
    }

    private static final Membership[] NONE = {};
    private static final long IN4 = 0xffff_ffffL;

    private final Gmp gmp; // (c)
    /** Interface of outgoing datagrams, or null for the route's. */
    public Ifnet multicastIfp;   // (i)
    /** Time to live of datagrams to groups. */
    public int multicastTtl = 1; // (i)
    /** Whether this host hears them too. */
    public boolean multicastLoop = true; // (i)
    private volatile Membership[] memberships = NONE; // (v)

    /**
     * No group, all defaults.
     *
     * @param gmp who hears of what is joined and left; null for nobody
     */
    public Moptions(final Gmp gmp) {
        this.gmp = gmp;
    }

    // Membership of everybody.

    /**
     * Joins a group on an interface.
     *
     * @return OK; EADDRINUSE for a member, EINVAL for one of single senders or for an address that is no group, ENOBUFS
     *     beyond the limit
     * @bsd inp_join_group
     */
    public Errno join(final SockAddr group, final Ifnet ifp) {
        if (!group.isMulticast()) {
            return Errno.EINVAL;
        }
        final int at = index(group, ifp);
        if (at >= 0) {
            return memberships[at].filter().include() ? Errno.EINVAL : Errno.EADDRINUSE;
        }
        return add(group, ifp, InMfilter.ALL);
    }

    /**
     * Leaves a group.
     *
     * @param ifp null for any interface
     * @return OK, or EADDRNOTAVAIL for no member
     * @bsd inp_leave_group
     */
    public Errno leave(final SockAddr group, final Ifnet ifp) {
        final int at = index(group, ifp);
        if (at < 0) {
            return Errno.EADDRNOTAVAIL;
        }
        remove(at);
        return Errno.OK;
    }

    // Single senders.

    /**
     * Begins to hear a sender to a group.
     *
     * @return OK; EADDRNOTAVAIL when it is heard already, EINVAL for a membership of everybody, ENOBUFS when full
     * @bsd inp_join_group
     */
    public Errno joinSource(final SockAddr group, final Ifnet ifp, final SockAddr source) {
        if (!group.isMulticast()) {
            return Errno.EINVAL;
        }
        final int at = index(group, ifp);
        if (at < 0) {
            return add(group, ifp, new InMfilter(true, SourceSet.of(source.hi(), source.lo())));
        }
        return edit(at, true, source, true);
    }

    /**
     * Hears a sender to a group no more; the membership goes with the last.
     *
     * @return OK; EADDRNOTAVAIL for a sender that is not heard or no membership, EINVAL for one of everybody
     * @bsd inp_leave_group
     */
    public Errno leaveSource(final SockAddr group, final Ifnet ifp, final SockAddr source) {
        final int at = index(group, ifp);
        return at < 0 ? Errno.EADDRNOTAVAIL : edit(at, true, source, false);
    }

    /**
     * Closes the ear to a sender to a group, or opens it again.
     *
     * @return OK; EADDRNOTAVAIL for no membership, or when it is so already; EINVAL for a membership of single senders;
     *     ENOBUFS beyond the limit
     * @bsd inp_block_unblock_source
     */
    public Errno block(final SockAddr group, final Ifnet ifp, final SockAddr source, final boolean on) {
        final int at = index(group, ifp);
        return at < 0 ? Errno.EADDRNOTAVAIL : edit(at, false, source, on);
    }

    private Errno edit(final int at, final boolean include, final SockAddr source, final boolean add) {
        final InMfilter f = memberships[at].filter();
        if (f.include() != include) {
            return Errno.EINVAL;
        }
        if (f.sources().contains(source.hi(), source.lo()) == add) {
            return Errno.EADDRNOTAVAIL;
        }
        final SourceSet one = SourceSet.of(source.hi(), source.lo());
        return replace(at, new InMfilter(include, add ? f.sources().union(one) : f.sources().minus(one)));
    }

    /**
     * Sets a whole filter; one that lets nobody through ends the membership, another begins it where there is none.
     *
     * @return OK; EINVAL for an address that is no group, ENOBUFS beyond the limit
     * @bsd inp_set_source_filters
     */
    public Errno setFilter(final SockAddr group, final Ifnet ifp, final InMfilter filter) {
        final int at = index(group, ifp);
        if (!group.isMulticast() || filter.sources().size() > MAX_SOCK_SRC_FILTER) {
            return group.isMulticast() ? Errno.ENOBUFS : Errno.EINVAL;
        }
        if (at < 0) {
            return filter.isNone() ? Errno.OK : add(group, ifp, filter);
        }
        return replace(at, filter);
    }

    /** The filter of a membership, or null. @bsd inp_get_source_filters */
    public InMfilter filter(final SockAddr group, final Ifnet ifp) {
        final int at = index(group, ifp);
        return at < 0 ? null : memberships[at].filter();
    }

    // The list. The interface hears of a membership's begin and end, the protocol of every change.

    private int index(final SockAddr group, final Ifnet ifp) {
        final Membership[] all = memberships;
        for (int i = 0; i < all.length; i++) {
            if (all[i].is(group, ifp)) {
                return i;
            }
        }
        return -1;
    }

    private Errno add(final SockAddr group, final Ifnet ifp, final InMfilter filter) {
        final Membership[] old = memberships;
        if (old.length >= MAX_MEMBERSHIPS) {
            return Errno.ENOBUFS;
        }
        final SockAddr mine = group.copy();
        mine.setPort(0);
        final Errno e = ifp.addMulti(mine);
        if (e == Errno.OK) {
            final Membership[] more = Arrays.copyOf(old, old.length + 1);
            more[old.length] = new Membership(mine, ifp, filter);
            memberships = more;
            tell(ifp, mine.hi(), mine.lo(), InMfilter.NONE, filter);
        }
        return e;
    }

    private Errno replace(final int at, final InMfilter filter) {
        if (filter.sources().size() > MAX_SOCK_SRC_FILTER) {
            return Errno.ENOBUFS;
        }
        if (filter.isNone()) {
            remove(at);
            return Errno.OK;
        }
        final Membership[] now = memberships.clone();
        final Membership old = now[at];
        now[at] = new Membership(old.group(), old.ifp(), filter);
        memberships = now;
        tell(old.ifp(), old.group().hi(), old.group().lo(), old.filter(), filter);
        return Errno.OK;
    }

    private void remove(final int at) {
        final List<Membership> less = new ArrayList<>(List.of(memberships));
        final Membership gone = less.remove(at);
        memberships = less.toArray(NONE);
        left(gone);
    }

    private void left(final Membership gone) {
        tell(gone.ifp(), gone.group().hi(), gone.group().lo(), gone.filter(), InMfilter.NONE);
        gone.ifp().delMulti(gone.group());
    }

    /** An interface goes: nothing here may name it any more. Under the block's lock. @bsd in_pcbpurgeif0 */
    void purge(final Ifnet ifp) {
        if (multicastIfp == ifp) {
            multicastIfp = null;
        }
        final List<Membership> less = new ArrayList<>();
        for (final Membership m : memberships) {
            if (m.ifp() == ifp) {
                left(m);
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
            left(m);
        }
    }

    private void tell(
        final Ifnet ifp, final long hi, final long lo, final InMfilter from, final InMfilter to) {
        if (gmp != null) {
            gmp.change(ifp, hi, lo, from, to);
        }
    }

    // Input.

    /** Whether it hears a sender to a group on an interface; takes no lock. @bsd imo_multi_filter */
    public boolean hears(final long groupHi, final long groupLo, final long hi, final long lo, final Ifnet ifp) {
        final Membership[] all = memberships;
        for (int i = 0; i < all.length; i++) {
            final Membership m = all[i];
            if (m.ifp == ifp && m.group.lo() == groupLo && m.group.hi() == groupHi) {
                return m.filter.allows(hi, lo);
            }
        }
        return false;
    }

    /** {@link #hears} for IPv4. @bsd imo_multi_filter */
    public boolean hears4(final int group, final int source, final Ifnet ifp) {
        return hears(0, group & IN4, 0, source & IN4, ifp);
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
}
