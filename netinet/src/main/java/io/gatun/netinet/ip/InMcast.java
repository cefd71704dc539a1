package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;
import io.gatun.netinet.gmp.InMfilter;
import io.gatun.netinet.gmp.SourceSet;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.GroupReq;
import io.gatun.spi.socket.GroupSourceReq;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpMreq;
import io.gatun.spi.socket.IpMreqSource;
import io.gatun.spi.socket.MsFilterReq;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;

/**
 * The options about groups: membership, filters of senders (RFC 3678), and how datagrams to groups are sent. Called
 * with the control block locked.
 *
 * @bsd inp_setmoptions
 */
final class InMcast {
    private static final int OCTET = 255;

    private final Inet inet;

    InMcast(final Inet inet) {
        this.inet = inet;
    }

    /** Whether an option is one of these. */
    static boolean knows(final int name) {
        return name >= InDefs.IP_MULTICAST_IF && name <= InDefs.IP_DROP_MEMBERSHIP
            || name >= InDefs.IP_ADD_SOURCE_MEMBERSHIP && name <= InDefs.IP_MSFILTER
            || name >= InDefs.MCAST_JOIN_GROUP && name <= InDefs.MCAST_UNBLOCK_SOURCE;
    }

    Errno set(final Inpcb inp, final SockOpt opt) {
        if (inp.moptions == null) {
            inp.moptions = new Moptions(inet.igmp.gmp);
        }
        final Moptions imo = inp.moptions;
        switch (opt.name()) {
            case InDefs.IP_MULTICAST_IF -> {
                return setMulticastIf(imo, opt);
            }
            case InDefs.IP_MULTICAST_TTL -> {
                if (opt.value() < 0 || opt.value() > OCTET) {
                    return Errno.EINVAL;
                }
                imo.multicastTtl = (int) opt.value();
            }
            case InDefs.IP_MULTICAST_LOOP -> imo.multicastLoop = opt.value() != 0;
            case InDefs.IP_MSFILTER -> {
                return opt.object() instanceof MsFilterReq r ? setFilter(inp, r) : Errno.EINVAL;
            }
            default -> {
                return opt.object() == null ? Errno.EINVAL : membership(inp, opt.name(), opt.object());
            }
        }
        return Errno.OK;
    }

    Errno get(final Inpcb inp, final SockOpt opt) {
        final Moptions imo = inp.moptions;
        switch (opt.name()) {
            case InDefs.IP_MULTICAST_TTL -> opt.answer(imo == null ? 1 : imo.multicastTtl);
            case InDefs.IP_MULTICAST_LOOP -> opt.answer(imo == null || imo.multicastLoop ? 1 : 0);
            case InDefs.IP_MULTICAST_IF ->
                opt.answer(imo == null || imo.multicastIfp == null ? 0 : imo.multicastIfp.index());
            case InDefs.IP_MSFILTER -> {
                return opt.object() instanceof MsFilterReq r ? getFilter(inp, r, opt) : Errno.EINVAL;
            }
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }

    // Membership.

    private static boolean isIn(final SockAddr a) {
        return a != null && a.family() == SockAddr.AF_INET;
    }

    private static boolean badSource(final SockAddr s) {
        return !isIn(s) || s.isMulticast() || s.isAny() || s.in4() == SockAddr.INADDR_BROADCAST;
    }

    /** Any of the old and new options with a group, and with or without a sender. */
    private Errno membership(final Inpcb inp, final int name, final Object arg) {
        final IpMreq at;
        SockAddr source = null;
        switch (arg) {
            case IpMreq r when name == InDefs.IP_ADD_MEMBERSHIP || name == InDefs.IP_DROP_MEMBERSHIP -> at = r;
            case GroupReq r when name == InDefs.MCAST_JOIN_GROUP || name == InDefs.MCAST_LEAVE_GROUP ->
                at = new IpMreq(r.group(), null, r.ifindex());
            case IpMreqSource r when name >= InDefs.IP_ADD_SOURCE_MEMBERSHIP && name <= InDefs.IP_UNBLOCK_SOURCE -> {
                at = new IpMreq(r.group(), r.address(), 0);
                source = r.source();
            }
            case GroupSourceReq r when name >= InDefs.MCAST_JOIN_SOURCE_GROUP -> {
                at = new IpMreq(r.group(), null, r.ifindex());
                source = r.source();
            }
            default -> {
                return Errno.EINVAL;
            }
        }
        final boolean simple = name == InDefs.IP_ADD_MEMBERSHIP || name == InDefs.IP_DROP_MEMBERSHIP
            || name == InDefs.MCAST_JOIN_GROUP || name == InDefs.MCAST_LEAVE_GROUP;
        if (!isIn(at.group()) || !simple && badSource(source)) {
            return Errno.EINVAL;
        }
        final Ifnet named = named(at);
        if (named == null && (at.ifindex() != 0 || at.address() != null && !at.address().isAny())) {
            return Errno.EADDRNOTAVAIL;
        }
        return apply(inp, name, at.group(), source, named);
    }

    private Errno apply(
        final Inpcb inp, final int name, final SockAddr group, final SockAddr source, final Ifnet named) {
        final Moptions imo = inp.moptions;
        final boolean joins = name == InDefs.IP_ADD_MEMBERSHIP || name == InDefs.MCAST_JOIN_GROUP
            || name == InDefs.IP_ADD_SOURCE_MEMBERSHIP || name == InDefs.MCAST_JOIN_SOURCE_GROUP;
        final Ifnet ifp = named == null && joins ? byRoute(inp, group.in4()) : named;
        if (joins && ifp == null) {
            return Errno.EADDRNOTAVAIL;
        }
        return switch (name) {
            case InDefs.IP_ADD_MEMBERSHIP, InDefs.MCAST_JOIN_GROUP -> imo.join(group, ifp);
            case InDefs.IP_DROP_MEMBERSHIP, InDefs.MCAST_LEAVE_GROUP -> imo.leave(group, ifp);
            case InDefs.IP_ADD_SOURCE_MEMBERSHIP, InDefs.MCAST_JOIN_SOURCE_GROUP -> imo.joinSource(group, ifp, source);
            case InDefs.IP_DROP_SOURCE_MEMBERSHIP, InDefs.MCAST_LEAVE_SOURCE_GROUP ->
                imo.leaveSource(group, ifp, source);
            case InDefs.IP_BLOCK_SOURCE, InDefs.MCAST_BLOCK_SOURCE -> imo.block(group, ifp, source, true);
            default -> imo.block(group, ifp, source, false);
        };
    }

    private Errno setFilter(final Inpcb inp, final MsFilterReq r) {
        final boolean known = r.fmode() == InDefs.MCAST_INCLUDE || r.fmode() == InDefs.MCAST_EXCLUDE;
        if (!isIn(r.group()) || !known || r.sources().stream().anyMatch(InMcast::badSource)) {
            return Errno.EINVAL;
        }
        final Ifnet ifp = r.ifindex() == 0 ? byRoute(inp, r.group().in4())
            : inet.vnet.ifnets().byIndex(r.ifindex());
        if (ifp == null) {
            return Errno.EADDRNOTAVAIL;
        }
        SourceSet all = SourceSet.EMPTY;
        for (final SockAddr s : r.sources()) {
            all = all.union(SourceSet.of(0, s.lo()));
        }
        return inp.moptions.setFilter(r.group(), ifp, new InMfilter(r.fmode() == InDefs.MCAST_INCLUDE, all));
    }

    private Errno getFilter(final Inpcb inp, final MsFilterReq r, final SockOpt opt) {
        final Ifnet ifp = r.ifindex() == 0 ? null : inet.vnet.ifnets().byIndex(r.ifindex());
        final InMfilter f = inp.moptions == null || !isIn(r.group()) ? null : inp.moptions.filter(r.group(), ifp);
        if (f == null) {
            return Errno.EADDRNOTAVAIL;
        }
        final List<SockAddr> out = new ArrayList<>();
        for (int i = 0; i < f.sources().size(); i++) {
            out.add(SockAddr.in((int) f.sources().lo(i), 0));
        }
        opt.answer(new MsFilterReq(r.ifindex(), r.group(),
            f.include() ? InDefs.MCAST_INCLUDE : InDefs.MCAST_EXCLUDE, out));
        return Errno.OK;
    }

    // Interfaces.

    /** The interface a request names, or null. */
    private Ifnet named(final IpMreq r) {
        if (r.ifindex() != 0) {
            return inet.vnet.ifnets().byIndex(r.ifindex());
        }
        return r.address() == null ? null : byAddr(r.address().in4());
    }

    private Ifnet byAddr(final int addr) {
        final InIfaddr ia = inet.addrs.lookup(addr);
        return ia == null ? null : ia.ifp;
    }

    /** Where the group is routed to, else the first interface that knows multicast. @bsd inp_lookup_mcast_ifp */
    private Ifnet byRoute(final Inpcb inp, final int group) {
        final NextHop nh = inet.fib(inp.so.fibnum()).lookup(group);
        if (nh != null && nh.ifp != null) {
            return nh.ifp;
        }
        for (final InIfaddr ia : inet.addrs.all()) {
            if ((ia.ifp.flags() & Ifnet.IFF_MULTICAST) != 0) {
                return ia.ifp;
            }
        }
        return null;
    }

    /** An address as an object, or an interface index as a number; 0 goes back to the route's. */
    private Errno setMulticastIf(final Moptions imo, final SockOpt opt) {
        Ifnet ifp = null;
        if (opt.object() instanceof SockAddr a) {
            ifp = byAddr(a.in4());
            if (ifp == null && !a.isAny()) {
                return Errno.EADDRNOTAVAIL;
            }
        } else if (opt.value() != 0) {
            ifp = inet.vnet.ifnets().byIndex((int) opt.value());
            if (ifp == null) {
                return Errno.EADDRNOTAVAIL;
            }
        }
        imo.multicastIfp = ifp;
        return Errno.OK;
    }
}
