package io.gatun.netinet.ip6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.icmp.HostCache;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.PortRange;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.socket.In6Pktinfo;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import java.lang.foreign.MemorySegment;

/** The options of level IPPROTO_IPV6, which every protocol over IPv6 shares (RFC 3493, 3542). @bsd ip6_ctloutput */
public final class Ip6Ctloutput {
    private static final int OCTET = 255;

    private final Inet inet;
    private final In6Mcast mcast;

    public Ip6Ctloutput(final Inet inet) {
        this.inet = inet;
        mcast = new In6Mcast(inet);
    }

    /**
     * Gets or sets an option.
     *
     * @return OK; ENOPROTOOPT for an option that is not there, EINVAL for a bad value or, of IPV6_V6ONLY, when bound;
     *     EPERM for what needs privilege; ENXIO and EADDRNOTAVAIL for an interface or address that is not there;
     *     ENOTCONN for the path MTU to nobody
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
            case InDefs.IPV6_V6ONLY -> {
                return inp.setV6only(v != 0);
            }
            case InDefs.IPV6_UNICAST_HOPS -> {
                if (v < -1 || v > OCTET) {
                    return Errno.EINVAL;
                }
                inp.ttl = (short) v;
            }
            case InDefs.IPV6_TCLASS -> {
                if (v < -1 || v > OCTET) {
                    return Errno.EINVAL;
                }
                inp.tos = (short) Math.max(0, v);
            }
            case InDefs.IPV6_PORTRANGE -> {
                return PortRange.set(inp, v);
            }
            case InDefs.IPV6_PKTINFO, InDefs.IPV6_HOPOPTS, InDefs.IPV6_DSTOPTS, InDefs.IPV6_RTHDR,
                InDefs.IPV6_USE_MIN_MTU, InDefs.IPV6_PREFER_TEMPADDR -> {
                return sticky(inp, opt);
            }
            default -> {
                return In6Mcast.knows(opt.name()) ? mcast.set(inp, opt) : setFlag(inp, opt.name(), v != 0);
            }
        }
        return Errno.OK;
    }

    /** Options that are a bit of the block; 0 for none such. */
    private static int bit(final int name) {
        return switch (name) {
            case InDefs.IPV6_AUTOFLOWLABEL -> Inpcb.IN6P_AUTOFLOWLABEL;
            case InDefs.IPV6_DONTFRAG -> Inpcb.INP_DONTFRAG;
            case InDefs.IPV6_RECVPKTINFO -> Inpcb.IN6P_PKTINFO;
            case InDefs.IPV6_RECVHOPLIMIT -> Inpcb.IN6P_HOPLIMIT;
            case InDefs.IPV6_RECVTCLASS -> Inpcb.IN6P_TCLASS;
            case InDefs.IPV6_RECVHOPOPTS -> Inpcb.IN6P_HOPOPTS;
            case InDefs.IPV6_RECVDSTOPTS -> Inpcb.IN6P_DSTOPTS;
            case InDefs.IPV6_RECVRTHDR -> Inpcb.IN6P_RTHDR;
            case InDefs.IPV6_RECVPATHMTU -> Inpcb.IN6P_MTU;
            case InDefs.IPV6_ORIGDSTADDR -> Inpcb.INP_ORIGDSTADDR;
            case InDefs.IPV6_BINDANY -> Inpcb.INP_BINDANY;
            default -> 0;
        };
    }

    private static Errno setFlag(final Inpcb inp, final int name, final boolean on) {
        final int bit = bit(name);
        if (bit == 0) {
            return Errno.ENOPROTOOPT;
        }
        final boolean privilege = (bit & (Inpcb.IN6P_HOPOPTS | Inpcb.IN6P_DSTOPTS | Inpcb.INP_BINDANY)) != 0;
        if (privilege && !inp.cred.privileged()) {
            return Errno.EPERM;
        }
        inp.setFlagBits(on ? bit : 0, on ? 0 : bit);
        return Errno.OK;
    }

    /** What goes with every packet of a socket. DIFFERS: of a TCP socket only the size of packets. @bsd ip6_pcbopt */
    private Errno sticky(final Inpcb inp, final SockOpt opt) {
        if (inp.protocol() == InDefs.IPPROTO_TCP && opt.name() != InDefs.IPV6_USE_MIN_MTU
                && opt.name() != InDefs.IPV6_PREFER_TEMPADDR) {
            return Errno.ENOPROTOOPT;
        }
        final Ip6PktOpts opts = inp.outputOpts != null ? inp.outputOpts : new Ip6PktOpts();
        final Errno e = switch (opt.name()) {
            case InDefs.IPV6_PKTINFO -> opt.object() instanceof In6Pktinfo p ? opts.setPktinfo(inet,
                p.addr() == null ? 0 : p.addr().hi(), p.addr() == null ? 0 : p.addr().lo(), p.ifindex())
                : Errno.EINVAL;
            case InDefs.IPV6_HOPOPTS, InDefs.IPV6_DSTOPTS -> opt.object() instanceof byte[] b
                ? opts.setOptions(opt.name(), MemorySegment.ofArray(b), 0, b.length, inp.cred) : Errno.EINVAL;
            case InDefs.IPV6_USE_MIN_MTU -> opts.setMinmtu(opt.value());
            case InDefs.IPV6_PREFER_TEMPADDR -> opts.setPreferTempaddr(opt.value());
            default -> Errno.EINVAL; // RFC 5095: there is no type of routing header to send
        };
        inp.outputOpts = e == Errno.OK ? opts : inp.outputOpts;
        return e;
    }

    private Errno get(final Inpcb inp, final SockOpt opt) {
        switch (opt.name()) {
            case InDefs.IPV6_V6ONLY -> opt.answer(inp.has(Inpcb.IN6P_IPV6_V6ONLY) ? 1 : 0);
            case InDefs.IPV6_UNICAST_HOPS -> opt.answer(inp.ttl < 0 ? inet.inet6().nd6.hlim(null) : inp.ttl);
            case InDefs.IPV6_TCLASS -> opt.answer(inp.tos);
            case InDefs.IPV6_PORTRANGE -> opt.answer(PortRange.of(inp));
            case InDefs.IPV6_PKTINFO, InDefs.IPV6_HOPOPTS, InDefs.IPV6_DSTOPTS, InDefs.IPV6_USE_MIN_MTU,
                InDefs.IPV6_PREFER_TEMPADDR ->
                getSticky(inp.outputOpts != null ? inp.outputOpts : new Ip6PktOpts(), opt);
            case InDefs.IPV6_PATHMTU -> {
                return pathMtu(inp, opt);
            }
            default -> {
                if (In6Mcast.knows(opt.name())) {
                    return mcast.get(inp, opt);
                }
                opt.answer(inp.has(bit(opt.name())) ? 1 : 0);
                return bit(opt.name()) == 0 ? Errno.ENOPROTOOPT : Errno.OK;
            }
        }
        return Errno.OK;
    }

    private static void getSticky(final Ip6PktOpts opts, final SockOpt opt) {
        switch (opt.name()) {
            case InDefs.IPV6_PKTINFO -> {
                final SockAddr src = new SockAddr();
                In6.recover(src, opts.srcHi, opts.srcLo, 0);
                opt.answer(new In6Pktinfo(src, opts.ifp == null ? 0 : opts.ifp.index()));
            }
            case InDefs.IPV6_HOPOPTS -> opt.answer(opts.hopopts());
            case InDefs.IPV6_DSTOPTS -> opt.answer(opts.dstopts());
            case InDefs.IPV6_PREFER_TEMPADDR -> opt.answer(opts.preferTempaddr);
            default -> opt.answer(opts.minmtu);
        }
    }

    /** The path MTU to the peer, in octets. @bsd ip6_getpmtu_ctl */
    private Errno pathMtu(final Inpcb inp, final SockOpt opt) {
        if (!inp.connected() || inp.vflag() != Inpcb.INP_IPV6) {
            return Errno.ENOTCONN;
        }
        final NextHop nh = inet.fib(inp.so.fibnum()).lookup6(inp.faddrHi(), inp.faddrLo());
        if (nh == null || nh.ifp == null) {
            return Errno.EHOSTUNREACH;
        }
        final HostCache.Entry known = inet.hostCache.lookup(inp.faddrHi(), inp.faddrLo());
        final int mtu = Math.min(nh.mtu(), Ip6Header.IPV6_MAXPACKET);
        opt.answer(known == null || known.mtu() == 0 ? mtu : Math.min(mtu, known.mtu()));
        return Errno.OK;
    }
}
