package io.gatun.netinet.raw;

import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.ip6.Ip6PktOpts;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/** IPv6 packets of raw sockets. The stack makes the header; a checksum where one is asked for. @bsd rip6_send */
final class Rip6Output {
    private static final int ICMP6_LEN = 8;
    private static final int ICMP6_CKSUM = 2;

    private final Rip rip;

    Rip6Output(final Rip rip) {
        this.rip = rip;
    }

    /**
     * Sends a payload. Consumes m and control. Under the pcb's lock.
     *
     * @param nam destination, borrowed; null for the peer
     * @param control how to send it, or null
     * @return OK; EISCONN, ENOTCONN, EAFNOSUPPORT, EMSGSIZE, EINVAL for a payload without room for its checksum,
     *     ENOBUFS, what the control messages, source selection and IP say
     */
    Errno output(final Ripcb r, final Mbuf m, final SockAddr nam, final Mbuf control) {
        Ip6PktOpts opts = r.inp.outputOpts;
        Errno e = RipOutput.refused(r, nam);
        if (control != null) {
            r.opts = r.opts == null ? new Ip6PktOpts() : r.opts;
            r.opts.set(opts);
            opts = r.opts;
            e = e == Errno.OK ? opts.control(rip.inet, control, r.inp.cred) : e;
            control.freeChain();
        }
        if (e == Errno.OK && tooShort(r, m)) {
            e = Errno.EINVAL;
        }
        final int headers = opts == null ? 0 : opts.headers();
        if (e == Errno.OK && m.pktLen() + headers > Ip6Header.IPV6_MAXPACKET) {
            e = Errno.EMSGSIZE;
        }
        return e == Errno.OK ? addressed(r, m, nam, opts) : RipOutput.drop(m, e);
    }

    private static boolean tooShort(final Ripcb r, final Mbuf m) {
        return r.proto == InDefs.IPPROTO_ICMPV6 ? m.pktLen() < ICMP6_LEN
            : r.cksum != Ripcb.NO_CKSUM && m.pktLen() < r.cksum + Short.BYTES;
    }

    /** Works out both addresses. */
    private Errno addressed(final Ripcb r, final Mbuf m, final SockAddr nam, final Ip6PktOpts opts) {
        final int fib = r.inp.so.fibnum();
        if (nam == null) {
            r.dst.setIn6(r.fhi, r.flo, 0, 0);
        } else {
            Ip6PktOpts.embed(Ip6PktOpts.out(opts, r.inp, nam), nam, r.dst);
            rip.inet.inet6().laddr.foreign(r.dst);
        }
        if (nam == null || r.bound() && (opts == null || !opts.sourceSet())) {
            r.from.setIn6(r.lhi, r.llo, 0, 0);
        } else {
            final Errno e = rip.inet.inet6().laddr.source(opts, Ip6PktOpts.out(opts, r.inp, r.dst), r.dst, fib, 0,
                r.from);
            if (e != Errno.OK) {
                return RipOutput.drop(m, e);
            }
        }
        if (opts != null && !opts.leads(rip.inet.fib(fib), r.route, r.dst, 0)) {
            return RipOutput.drop(m, Errno.EHOSTUNREACH);
        }
        return transmit(r, m, opts, fib);
    }

    private Errno transmit(final Ripcb r, final Mbuf data, final Ip6PktOpts opts, final int fib) {
        final Inpcb inp = r.inp;
        final int plen = data.pktLen();
        final Mbuf m = data.prepend(Ip6Header.LEN);
        if (m == null) {
            rip.vnet.drop(null, DropReason.MBUF_NOMEM);
            return Errno.ENOBUFS;
        }
        Ip6Header.init(m, plen, r.proto, Ip6PktOpts.hlim(opts, inp, r.dst), Ip6PktOpts.flow(opts, inp));
        Ip6Header.addr(m, r.from.hi(), r.from.lo(), r.dst.hi(), r.dst.lo());
        m.csumFlags(0);
        m.fibnum(fib);
        final int cksum = r.proto == InDefs.IPPROTO_ICMPV6 ? ICMP6_CKSUM : r.cksum;
        if (cksum != Ripcb.NO_CKSUM) {
            sum(m, Ip6Header.LEN + cksum, plen, r.proto);
        }
        return rip.inet.inet6().ip6Output.output(m, r.route, Ip6PktOpts.out(opts, inp, r.dst), opts,
            Ip6PktOpts.flags(opts, inp));
    }

    private static void sum(final Mbuf m, final int at, final int plen, final int proto) {
        put16(m, at, 0);
        final long s = (long) Ip6Header.pseudo(m, plen, proto) + InCksum.sum(m, Ip6Header.LEN, plen);
        put16(m, at, ~InCksum.fold(s) & 0xffff);
    }

    private static void put16(final Mbuf m, final int at, final int v) {
        m.getPtr(at).put8(m.getPtrOff(at), v >>> Byte.SIZE);
        m.getPtr(at + 1).put8(m.getPtrOff(at + 1), v);
    }
}
