package io.gatun.netinet.ip6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.PcbAddrs;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.List;

/** Source address selection and what else control blocks ask of IPv6. Takes no lock. @bsd in6_pcbladdr */
public final class In6Laddr implements PcbAddrs {
    private final Inet inet;
    private final Inet6 inet6;

    public In6Laddr(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        this.inet6 = inet6;
    }

    @Override
    public boolean local(final SockAddr addr) {
        return inet6.addrs.ready(addr.hi(), addr.lo()) != null;
    }

    /** The unspecified address stands for this host: ::1. */
    @Override
    public void foreign(final SockAddr dst) {
        if (dst.isAny()) {
            dst.setIn6(0, In6.LOOPBACK_LO, dst.port(), 0);
        }
    }

    @Override
    public Errno source(
        final Inpcb inp, final SockAddr dst, final int fib, final RouteCache ro, final SockAddr src) {
        final Fib table = inet.fib(fib);
        final NextHop nh = ro == null ? table.lookup6(dst.hi(), dst.lo(), inp.flowid)
            : ro.resolve6(table, dst.hi(), dst.lo(), 0, inp.flowid);
        return source(inp.outputOpts, Ip6PktOpts.out(inp.outputOpts, inp, dst), dst, nh, src);
    }

    /**
     * The source address towards a destination, for a socket that is bound to none.
     *
     * @param out of {@link Ip6PktOpts#out}
     * @param flow which chooses among several ways, 0 none
     * @return OK; what source selection says
     * @bsd in6_selectsrc_socket
     */
    public Errno source(
        final Ip6PktOpts opts, final Ifnet out, final SockAddr dst, final int fib, final int flow,
        final SockAddr src) {
        return source(opts, out, dst, inet.fib(fib).lookup6(dst.hi(), dst.lo(), flow), src);
    }

    private Errno source(
        final Ip6PktOpts opts, final Ifnet out, final SockAddr dst, final NextHop nh, final SockAddr src) {
        if (opts != null && opts.sourceSet()) {
            src.setIn6(opts.srcHi, opts.srcLo, 0, 0);
            return Errno.OK;
        }
        final int temporary = opts == null ? In6Addrs.TEMPADDR_SYSTEM : opts.preferTempaddr;
        if (out == null) {
            return source(dst.hi(), dst.lo(), nh, src, temporary);
        }
        final SockAddr router = dst.isMulticast() || nh == null || nh.ifp != out ? null : nh.gateway;
        final In6Ifaddr ia = inet6.addrs.select(dst.hi(), dst.lo(), out, router, temporary);
        if (ia == null) {
            return Errno.EADDRNOTAVAIL;
        }
        src.setIn6(ia.hi, ia.lo, 0, 0);
        return Errno.OK;
    }

    /** The source address towards a destination, zones put in. */
    public Errno source(final long hi, final long lo, final int fib, final SockAddr src) {
        return source(hi, lo, inet.fib(fib).lookup6(hi, lo), src, In6Addrs.TEMPADDR_SYSTEM);
    }

    private Errno source(final long hi, final long lo, final NextHop nh, final SockAddr src, final int temporary) {
        if (nh != null && nh.has(NextHop.NHF_REJECT)) {
            return Errno.EHOSTUNREACH;
        }
        if (nh != null && nh.has(NextHop.NHF_BLACKHOLE)) {
            return nobodys(src);
        }
        final Ifnet out = In6.isMulticast(hi) ? group(hi, nh) : nh == null ? null : nh.ifp;
        if (out == null) {
            return Errno.ENETUNREACH;
        }
        final In6Ifaddr ia = inet6.addrs.select(hi, lo, out, In6.isMulticast(hi) ? null : nh.gateway, temporary);
        if (ia == null) {
            return Errno.EADDRNOTAVAIL;
        }
        src.setIn6(ia.hi, ia.lo, 0, 0);
        return Errno.OK;
    }

    /** Nobody will see it: any address will do. */
    private Errno nobodys(final SockAddr src) {
        final List<In6Ifaddr> all = inet6.addrs.all();
        if (all.isEmpty()) {
            return Errno.EADDRNOTAVAIL;
        }
        src.setIn6(all.getFirst().hi, all.getFirst().lo, 0, 0);
        return Errno.OK;
    }

    /** Where a group goes out: by its zone, its route, or the first interface with an address that can. */
    Ifnet group(final long hi, final NextHop nh) {
        final int zone = In6.zone(hi);
        if (zone != 0) {
            return inet.vnet.ifnets().byIndex(zone);
        }
        if (nh != null) {
            return nh.ifp;
        }
        final List<In6Ifaddr> all = inet6.addrs.all();
        for (int i = 0; i < all.size(); i++) {
            if ((all.get(i).ifp.flags() & Ifnet.IFF_MULTICAST) != 0 && !In6.isLoopback(all.get(i).hi, all.get(i).lo)) {
                return all.get(i).ifp;
            }
        }
        return null;
    }
}
