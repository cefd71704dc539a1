package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.pcb.PcbAddrs;
import io.gatun.netinet.route.Fib;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.List;

/** Source address selection and what else control blocks ask of IPv4. Takes no lock. @bsd in_pcbladdr */
public final class InLaddr implements PcbAddrs {
    private final Inet inet;

    public InLaddr(final Inet inet) {
        this.inet = inet;
    }

    @Override
    public boolean local(final SockAddr addr) {
        return inet.addrs.isLocal(addr.in4()) || inet.addrs.isBroadcast(addr.in4(), null);
    }

    @Override
    public void foreign(final SockAddr dst) {
        if (dst.in4() != SockAddr.INADDR_ANY && dst.in4() != SockAddr.INADDR_BROADCAST) {
            return;
        }
        final List<InIfaddr> all = inet.addrs.all();
        for (int i = 0; i < all.size(); i++) {
            final InIfaddr ia = all.get(i);
            if (dst.isAny()) {
                dst.setIn(ia.addr, dst.port());
                return;
            }
            if (ia.broadcast != 0) {
                dst.setIn(ia.broadcast, dst.port());
                return;
            }
        }
    }

    @Override
    public Errno source(
        final Inpcb inp, final SockAddr dst, final int fib, final RouteCache ro, final SockAddr src) {
        final Fib table = inet.fib(fib);
        final int to = dst.in4();
        final int flow = inp == null ? 0 : inp.flowid;
        final NextHop nh = ro == null ? table.lookup(to, flow) : ro.resolve(table, to, flow);
        final int a = of(nh, to);
        src.setIn(a, 0);
        return a == 0 ? failure(nh) : Errno.OK;
    }

    /** The source address towards {@code dst} by a remembered route, or 0: then ask {@link #failure}. */
    public int source4(final RouteCache ro, final int fib, final int dst) {
        return of(ro.resolve(inet.fib(fib), dst), dst);
    }

    private int of(final NextHop nh, final int dst) {
        if (nh == null || nh.has(NextHop.NHF_REJECT)) {
            return nh == null && InAddrs.isMulticast(dst) ? anyMulticast() : 0;
        }
        if (nh.has(NextHop.NHF_BLACKHOLE)) {
            return inet.addrs.all().isEmpty() ? 0 : inet.addrs.all().getFirst().addr; // nobody will see it
        }
        if (inet.addrs.isLocal(dst)) {
            return dst;
        }
        if (nh.src != null) {
            return nh.src.in4();
        }
        final InIfaddr ia = inet.addrs.first(nh.ifp);
        return ia == null ? 0 : ia.addr;
    }

    /** A group without a route goes out by the first interface that can. */
    private int anyMulticast() {
        final List<InIfaddr> all = inet.addrs.all();
        int found = 0;
        for (int i = 0; i < all.size() && found == 0; i++) {
            final InIfaddr ia = all.get(i);
            found = (ia.ifp.flags() & Ifnet.IFF_MULTICAST) != 0 ? ia.addr : 0;
        }
        return found;
    }

    /** Why a next hop gives no source address. */
    public static Errno failure(final NextHop nh) {
        if (nh == null) {
            return Errno.ENETUNREACH;
        }
        return nh.has(NextHop.NHF_REJECT) ? Errno.EHOSTUNREACH : Errno.EADDRNOTAVAIL;
    }
}
