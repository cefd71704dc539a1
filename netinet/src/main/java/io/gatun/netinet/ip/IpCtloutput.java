package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpMreq;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;

/** The options of level IPPROTO_IP, which every protocol over IPv4 shares. @bsd ip_ctloutput */
public final class IpCtloutput {
    private static final int OCTET = 255;

    private final Inet inet;

    public IpCtloutput(final Inet inet) {
        this.inet = inet;
    }

    /**
     * Gets or sets an option.
     *
     * @return OK; ENOPROTOOPT for an option that is not there, EINVAL for a bad value, EPERM for IP_BINDANY without
     *     privilege, EADDRNOTAVAIL for an interface or membership that is not there
     */
    public Errno ctloutput(final Inpcb inp, final SockOpt opt) {
        inp.lock.lock();
        try {
            return opt.dir() == SockOpt.Dir.SET ? set(inp, opt) : get(inp, opt);
        } finally {
            inp.lock.unlock();
        }
    }

    private Errno set(final Inpcb inp, final SockOpt opt) {
        final long v = opt.value();
        switch (opt.name()) {
            case InDefs.IP_TTL, InDefs.IP_MINTTL, InDefs.IP_TOS -> {
                return setOctet(inp, opt.name(), v);
            }
            case InDefs.IP_DONTFRAG, InDefs.IP_RECVDSTADDR, InDefs.IP_RECVIF, InDefs.IP_RECVTTL, InDefs.IP_RECVTOS,
                InDefs.IP_ORIGDSTADDR -> flag(inp, bit(opt.name()), v);
            case InDefs.IP_BINDANY -> {
                if (!inp.cred.privileged()) {
                    return Errno.EPERM;
                }
                flag(inp, Inpcb.INP_BINDANY, v);
            }
            case InDefs.IP_PORTRANGE -> {
                return setPortRange(inp, v);
            }
            case InDefs.IP_ADD_MEMBERSHIP, InDefs.IP_DROP_MEMBERSHIP, InDefs.IP_MULTICAST_IF,
                InDefs.IP_MULTICAST_TTL, InDefs.IP_MULTICAST_LOOP -> {
                return setMoptions(inp, opt);
            }
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }

    private static Errno setOctet(final Inpcb inp, final int name, final long v) {
        final int least = name == InDefs.IP_TTL ? 1 : 0;
        if (v < least || v > OCTET) {
            return Errno.EINVAL;
        }
        switch (name) {
            case InDefs.IP_TTL -> inp.ttl = (int) v;
            case InDefs.IP_MINTTL -> inp.minttl = (int) v;
            default -> inp.tos = (int) v;
        }
        return Errno.OK;
    }

    /** The INP_* bit that an option is. */
    private static int bit(final int name) {
        return switch (name) {
            case InDefs.IP_DONTFRAG -> Inpcb.INP_DONTFRAG;
            case InDefs.IP_RECVDSTADDR -> Inpcb.INP_RECVDSTADDR;
            case InDefs.IP_RECVIF -> Inpcb.INP_RECVIF;
            case InDefs.IP_RECVTTL -> Inpcb.INP_RECVTTL;
            case InDefs.IP_RECVTOS -> Inpcb.INP_RECVTOS;
            case InDefs.IP_BINDANY -> Inpcb.INP_BINDANY;
            default -> Inpcb.INP_ORIGDSTADDR;
        };
    }

    private static void flag(final Inpcb inp, final int bit, final long v) {
        inp.setFlagBits(v == 0 ? 0 : bit, v == 0 ? bit : 0);
    }

    private static Errno setPortRange(final Inpcb inp, final long v) {
        final int both = Inpcb.INP_LOWPORT | Inpcb.INP_HIGHPORT;
        switch ((int) v) {
            case InDefs.IP_PORTRANGE_DEFAULT -> inp.setFlagBits(0, both);
            case InDefs.IP_PORTRANGE_HIGH -> inp.setFlagBits(Inpcb.INP_HIGHPORT, both);
            case InDefs.IP_PORTRANGE_LOW -> inp.setFlagBits(Inpcb.INP_LOWPORT, both);
            default -> {
                return Errno.EINVAL;
            }
        }
        return Errno.OK;
    }

    // ---- multicast ------------------------------------------------------------

    private Errno setMoptions(final Inpcb inp, final SockOpt opt) {
        if (inp.moptions == null) {
            inp.moptions = new Moptions();
        }
        final Moptions imo = inp.moptions;
        switch (opt.name()) {
            case InDefs.IP_ADD_MEMBERSHIP -> {
                return join(inp, opt.object());
            }
            case InDefs.IP_DROP_MEMBERSHIP -> {
                return opt.object() instanceof IpMreq r ? imo.leave(r.group(), named(r)) : Errno.EINVAL;
            }
            case InDefs.IP_MULTICAST_IF -> {
                return setMulticastIf(imo, opt);
            }
            case InDefs.IP_MULTICAST_TTL -> {
                if (opt.value() < 0 || opt.value() > OCTET) {
                    return Errno.EINVAL;
                }
                imo.multicastTtl = (int) opt.value();
            }
            default -> imo.multicastLoop = opt.value() != 0;
        }
        return Errno.OK;
    }

    private Errno join(final Inpcb inp, final Object arg) {
        if (!(arg instanceof IpMreq r) || r.group() == null || r.group().family() != SockAddr.AF_INET) {
            return Errno.EINVAL;
        }
        Ifnet ifp = named(r);
        if (ifp == null && (r.ifindex() != 0 || r.address() != null && !r.address().isAny())) {
            return Errno.EADDRNOTAVAIL;
        }
        if (ifp == null) {
            ifp = byRoute(inp, r.group().in4());
        }
        return ifp == null ? Errno.EADDRNOTAVAIL : inp.moptions.join(r.group(), ifp);
    }

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

    // ---- readings ------------------------------------------------------------

    private static Errno get(final Inpcb inp, final SockOpt opt) {
        final Moptions imo = inp.moptions;
        switch (opt.name()) {
            case InDefs.IP_TTL -> opt.answer(inp.ttl);
            case InDefs.IP_MINTTL -> opt.answer(inp.minttl);
            case InDefs.IP_TOS -> opt.answer(inp.tos);
            case InDefs.IP_DONTFRAG, InDefs.IP_RECVDSTADDR, InDefs.IP_RECVIF, InDefs.IP_RECVTTL, InDefs.IP_RECVTOS,
                InDefs.IP_ORIGDSTADDR, InDefs.IP_BINDANY -> opt.answer(inp.has(bit(opt.name())) ? 1 : 0);
            case InDefs.IP_PORTRANGE -> opt.answer(portRange(inp));
            case InDefs.IP_MULTICAST_TTL -> opt.answer(imo == null ? 1 : imo.multicastTtl);
            case InDefs.IP_MULTICAST_LOOP -> opt.answer(imo == null || imo.multicastLoop ? 1 : 0);
            case InDefs.IP_MULTICAST_IF ->
                opt.answer(imo == null || imo.multicastIfp == null ? 0 : imo.multicastIfp.index());
            default -> {
                return Errno.ENOPROTOOPT;
            }
        }
        return Errno.OK;
    }

    private static int portRange(final Inpcb inp) {
        if (inp.has(Inpcb.INP_HIGHPORT)) {
            return InDefs.IP_PORTRANGE_HIGH;
        }
        return inp.has(Inpcb.INP_LOWPORT) ? InDefs.IP_PORTRANGE_LOW : InDefs.IP_PORTRANGE_DEFAULT;
    }
}
