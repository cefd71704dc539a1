package io.gatun.netinet.ip6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.gmp.InMfilter;
import io.gatun.netinet.gmp.SourceSet;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.GroupReq;
import io.gatun.spi.socket.GroupSourceReq;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.MsFilterReq;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;

/**
 * The options about IPv6 groups: membership (RFC 3493 section 5.2), filters of senders (RFC 3678), and how datagrams to
 * groups are sent. IPV6_JOIN_GROUP takes a {@link GroupReq}. Called with the control block locked.
 *
 * @bsd ip6_setmoptions
 */
final class In6Mcast {
    private static final int OCTET = 255;

    private final Inet inet;

    In6Mcast(final Inet inet) {
        this.inet = inet;
    }

    /** Whether an option is one of these. */
    static boolean knows(final int name) {
        return name >= InDefs.IPV6_MULTICAST_IF && name <= InDefs.IPV6_LEAVE_GROUP || name == InDefs.IPV6_MSFILTER
            || name >= InDefs.MCAST_JOIN_GROUP && name <= InDefs.MCAST_UNBLOCK_SOURCE;
    }

    /**
     * Sets one of them.
     *
     * @return OK; EINVAL for a bad value or what is no group, ENXIO for an interface that is not there, EADDRNOTAVAIL
     *     for one that knows no groups or a membership that is not there, EADDRINUSE for one that is, ENOBUFS
     */
    Errno set(final Inpcb inp, final SockOpt opt) {
        if (inp.moptions6 == null) {
            inp.moptions6 = new Moptions(inet.inet6().mld.gmp);
        }
        final Moptions imo = inp.moptions6;
        final long v = opt.value();
        switch (opt.name()) {
            case InDefs.IPV6_MULTICAST_IF -> {
                return setMulticastIf(imo, v);
            }
            case InDefs.IPV6_MULTICAST_HOPS -> {
                if (v < -1 || v > OCTET) {
                    return Errno.EINVAL;
                }
                imo.multicastTtl = v < 0 ? 1 : (int) v;
            }
            case InDefs.IPV6_MULTICAST_LOOP -> {
                if (v != 0 && v != 1) {
                    return Errno.EINVAL;
                }
                imo.multicastLoop = v != 0;
            }
            default -> {
                return membership(inp, opt.name(), opt.object());
            }
        }
        return Errno.OK;
    }

    private Errno setMulticastIf(final Moptions imo, final long index) {
        final Ifnet ifp = index == 0 ? null : inet.vnet.ifnets().byIndex((int) index);
        if (index != 0 && ifp == null) {
            return Errno.ENXIO;
        }
        if (ifp != null && (ifp.flags() & Ifnet.IFF_MULTICAST) == 0) {
            return Errno.EADDRNOTAVAIL;
        }
        imo.multicastIfp = ifp;
        return Errno.OK;
    }

    Errno get(final Inpcb inp, final SockOpt opt) {
        final Moptions imo = inp.moptions6;
        switch (opt.name()) {
            case InDefs.IPV6_MULTICAST_HOPS -> opt.answer(imo == null ? 1 : imo.multicastTtl);
            case InDefs.IPV6_MULTICAST_LOOP -> opt.answer(imo == null || imo.multicastLoop ? 1 : 0);
            case InDefs.IPV6_MULTICAST_IF ->
                opt.answer(imo == null || imo.multicastIfp == null ? 0 : imo.multicastIfp.index());
            case InDefs.IPV6_MSFILTER -> {
                return opt.object() instanceof MsFilterReq r ? getFilter(inp, r, opt) : Errno.EINVAL;
            }
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }

    // Membership.

    private static boolean isGroup(final SockAddr a) {
        return a != null && a.family() == SockAddr.AF_INET6 && a.isMulticast();
    }

    private static boolean isSource(final SockAddr a) {
        return a != null && a.family() == SockAddr.AF_INET6 && !a.isMulticast() && !a.isAny();
    }

    private Errno membership(final Inpcb inp, final int name, final Object arg) {
        final boolean simple = name == InDefs.IPV6_JOIN_GROUP || name == InDefs.IPV6_LEAVE_GROUP
            || name == InDefs.MCAST_JOIN_GROUP || name == InDefs.MCAST_LEAVE_GROUP;
        return switch (arg) {
            case GroupReq r when simple -> !isGroup(r.group()) ? Errno.EINVAL
                : at(inp, r.ifindex(), r.group(), (group, ifp) ->
                    name == InDefs.IPV6_JOIN_GROUP || name == InDefs.MCAST_JOIN_GROUP
                        ? inp.moptions6.join(group, ifp) : inp.moptions6.leave(group, ifp));
            case GroupSourceReq r when !simple -> !isGroup(r.group()) || !isSource(r.source()) ? Errno.EINVAL
                : at(inp, r.ifindex(), r.group(), (group, ifp) -> source(inp, name, group, ifp, r.source()));
            case MsFilterReq r when name == InDefs.IPV6_MSFILTER -> setFilter(inp, r);
            case null, default -> Errno.EINVAL;
        };
    }

    private static Errno source(
        final Inpcb inp, final int name, final SockAddr group, final Ifnet ifp, final SockAddr source) {
        final Moptions imo = inp.moptions6;
        return switch (name) {
            case InDefs.MCAST_JOIN_SOURCE_GROUP -> imo.joinSource(group, ifp, source);
            case InDefs.MCAST_LEAVE_SOURCE_GROUP -> imo.leaveSource(group, ifp, source);
            case InDefs.MCAST_BLOCK_SOURCE -> imo.block(group, ifp, source, true);
            case InDefs.MCAST_UNBLOCK_SOURCE -> imo.block(group, ifp, source, false);
            default -> Errno.EINVAL;
        };
    }

    /** What to do with a group on an interface. */
    @FunctionalInterface
    private interface At {
        Errno apply(SockAddr group, Ifnet ifp);
    }

    /** Finds the interface: the one named, that of the zone, else where the group is routed to. */
    private Errno at(final Inpcb inp, final int ifindex, final SockAddr group, final At what) {
        final int index = ifindex != 0 ? ifindex : group.scopeId();
        final long hi = In6.embed(group.hi(), index);
        final Ifnet ifp = index != 0 ? inet.vnet.ifnets().byIndex(index)
            : inet.inet6().laddr.group(hi, inet.fib(inp.so.fibnum()).lookup6(hi, group.lo()));
        if (ifp == null || (ifp.flags() & Ifnet.IFF_MULTICAST) == 0) {
            return Errno.EADDRNOTAVAIL;
        }
        final SockAddr mine = new SockAddr();
        mine.setIn6(In6.clear(hi), group.lo(), 0, In6.zoned(hi) ? ifp.index() : 0);
        return what.apply(mine, ifp);
    }

    // Filters.

    private Errno setFilter(final Inpcb inp, final MsFilterReq r) {
        final boolean known = r.fmode() == InDefs.MCAST_INCLUDE || r.fmode() == InDefs.MCAST_EXCLUDE;
        if (!known || !isGroup(r.group()) || !r.sources().stream().allMatch(In6Mcast::isSource)) {
            return Errno.EINVAL;
        }
        SourceSet all = SourceSet.EMPTY;
        for (final SockAddr s : r.sources()) {
            all = all.union(SourceSet.of(s.hi(), s.lo()));
        }
        final InMfilter filter = new InMfilter(r.fmode() == InDefs.MCAST_INCLUDE, all);
        return at(inp, r.ifindex(), r.group(), (group, ifp) -> inp.moptions6.setFilter(group, ifp, filter));
    }

    private Errno getFilter(final Inpcb inp, final MsFilterReq r, final SockOpt opt) {
        if (inp.moptions6 == null || !isGroup(r.group())) {
            return Errno.EADDRNOTAVAIL;
        }
        return at(inp, r.ifindex(), r.group(), (group, ifp) -> {
            final InMfilter f = inp.moptions6.filter(group, ifp);
            if (f == null) {
                return Errno.EADDRNOTAVAIL;
            }
            final List<SockAddr> out = new ArrayList<>();
            for (int i = 0; i < f.sources().size(); i++) {
                out.add(SockAddr.in6(f.sources().hi(i), f.sources().lo(i), 0));
            }
            opt.answer(new MsFilterReq(r.ifindex(), r.group(),
                f.include() ? InDefs.MCAST_INCLUDE : InDefs.MCAST_EXCLUDE, out));
            return Errno.OK;
        });
    }
}
