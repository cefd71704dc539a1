package io.gatun.netinet.raw;

import io.gatun.netinet.ip.InAddrs;
import io.gatun.netinet.ip.IpControl;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;

/** IPv4 packets on their way to raw sockets. @bsd rip_input */
final class RipInput {
    private static final long IN4 = 0xffff_ffffL;

    private final Rip rip;

    RipInput(final Rip rip) {
        this.rip = rip;
    }

    /** Everybody who wants it gets a copy, the last one the packet itself. As {@link Rip#input}. */
    boolean input(final Mbuf m, final int proto) {
        final Ripcb[] all = rip.sockets(SockAddr.AF_INET);
        Ripcb last = null;
        for (int i = 0; i < all.length; i++) {
            if (!wants(all[i], m, proto)) {
                continue;
            }
            if (last != null) {
                give(last, rip.copy(m));
            }
            last = all[i];
        }
        if (last == null) {
            return false;
        }
        give(last, m);
        return true;
    }

    private boolean wants(final Ripcb r, final Mbuf m, final int proto) {
        r.inp.lock.lock();
        try {
            final int dst = IpHeader.dst(m, 0);
            if (!r.matches(proto, 0, IpHeader.src(m, 0) & IN4, 0, dst & IN4)) {
                return false;
            }
            final Moptions imo = r.inp.moptions;
            return imo == null || !InAddrs.isMulticast(dst) || imo.hears4(dst, IpHeader.src(m, 0), m.rcvif());
        } finally {
            r.inp.lock.unlock();
        }
    }

    /** To a socket found before; it may have gone meanwhile. Consumes m, which may be null. @bsd rip_append */
    private void give(final Ripcb r, final Mbuf m) {
        if (m == null) {
            return;
        }
        r.inp.lock.lock();
        try {
            if (r.inp.so == null) {
                rip.vnet.drop(m, DropReason.SO_CLOSED);
            } else if (r.inp.minttl > IpHeader.ttl(m, 0)) {
                rip.vnet.drop(m, DropReason.IP_TTL);
            } else {
                r.from.setIn(IpHeader.src(m, 0), 0);
                rip.append(r, m, rip.wantsControl(r) ? IpControl.save(rip.vnet, r.inp, m) : null);
            }
        } finally {
            r.inp.lock.unlock();
        }
    }
}
