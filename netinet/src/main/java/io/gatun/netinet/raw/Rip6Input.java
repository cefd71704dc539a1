package io.gatun.netinet.raw;

import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Control;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;

/** IPv6 packets on their way to raw sockets: the payload alone, without any header before it. @bsd rip6_input */
final class Rip6Input {
    private final Rip rip;
    private final Counter badsum;

    Rip6Input(final Rip rip) {
        this.rip = rip;
        badsum = rip.vnet.counters().counter("raw6.badsum");
    }

    /** As {@link Rip#input6}. */
    boolean input(final Mbuf m, final int off, final int proto) {
        return deliver(m, off, proto, -1);
    }

    /** As {@link Rip#icmp6}. */
    boolean icmp6(final Mbuf m, final int off) {
        return deliver(m, off, InDefs.IPPROTO_ICMPV6, m.getU8(off));
    }

    /** @param type of an ICMPv6 message, or -1 */
    private boolean deliver(final Mbuf m, final int off, final int proto, final int type) {
        final Ripcb[] all = rip.sockets(SockAddr.AF_INET6);
        Ripcb last = null;
        for (int i = 0; i < all.length; i++) {
            if (!wants(all[i], m, off, proto, type)) {
                continue;
            }
            if (last != null) {
                give(last, rip.copy(m), off);
            }
            last = all[i];
        }
        if (last == null) {
            return false;
        }
        give(last, m, off);
        return true;
    }

    private boolean wants(final Ripcb r, final Mbuf m, final int off, final int proto, final int type) {
        r.inp.lock.lock();
        try {
            if (!r.matches(proto, Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0), Ip6Header.dstHi(m, 0),
                Ip6Header.dstLo(m, 0)) || !Ip6Header.heard(r.inp.moptions6, m)) {
                return false;
            }
            if (type >= 0) {
                return r.proto == InDefs.IPPROTO_ICMPV6 && (r.filter == null || r.filter.willPass(type));
            }
            return r.cksum == Ripcb.NO_CKSUM || verified(m, off, r.cksum, proto);
        } finally {
            r.inp.lock.unlock();
        }
    }

    private boolean verified(final Mbuf m, final int off, final int cksum, final int proto) {
        final int len = m.pktLen() - off;
        if (len >= cksum + Short.BYTES
            && InCksum.fold((long) Ip6Header.pseudo(m, len, proto) + InCksum.sum(m, off, len)) == 0xffff) {
            return true;
        }
        badsum.increment();
        return false;
    }

    /** To a socket found before; it may have gone meanwhile. Consumes m, which may be null. @bsd rip6_append */
    private void give(final Ripcb r, final Mbuf m, final int off) {
        if (m == null) {
            return;
        }
        r.inp.lock.lock();
        try {
            if (r.inp.so == null) {
                rip.vnet.drop(m, DropReason.SO_CLOSED);
                return;
            }
            In6.recover(r.from, Ip6Header.srcHi(m, 0), Ip6Header.srcLo(m, 0), 0);
            final Mbuf control = rip.wantsControl(r) ? Ip6Control.save(rip.vnet, r.inp, m, off) : null;
            m.adjHead(off);
            rip.append(r, m, control);
        } finally {
            r.inp.lock.unlock();
        }
    }
}
