package io.gatun.netinet.ip6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;

/**
 * IPv6 on its way in (RFC 8200): checks the header, puts zones into the addresses, decides whose the packet is, walks
 * the extension headers and delivers to a transport, or forwards. Holds no state of a packet; any
 * number of threads may be in it.
 *
 * @bsd ip6_input
 */
public final class Ip6Input {
    private static final int UNIT = Ip6Nexthdr.UNIT;

    private final Inet inet;
    private final Inet6 inet6;
    private final Ip6Stat stat;
    private final IpprotoTable ipproto;

    public Ip6Input(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        this.inet6 = inet6;
        stat = inet6.stat;
        ipproto = inet.vnet.ipproto();
    }

    private void drop(final Mbuf m, final Counter counter, final DropReason reason) {
        counter.increment();
        inet.vnet.drop(m, reason);
    }

    /** Takes a packet from the link layer; {@code rcvif} is set. Consumes m. @bsd ip6_input */
    public void input(final Mbuf m0) {
        stat.total.increment();
        Mbuf m = checkHeader(m0);
        if (m == null) {
            return;
        }
        final Ifnet ifp = m.rcvif();
        final boolean loop = (ifp.flags() & Ifnet.IFF_LOOPBACK) != 0;
        if (martian(m, loop)) {
            drop(m, stat.badaddr, DropReason.IP_BADADDR);
            return;
        }
        m = loop ? m : embed(m, ifp.index());
        if (m == null) {
            return;
        }
        final long hi = Ip6Header.dstHi(m, 0);
        final long lo = Ip6Header.dstLo(m, 0);
        if (inet6.nd6.disabled(ifp)) {
            drop(m, stat.badaddr, DropReason.IF_DOWN);
        } else if (In6.isMulticast(hi)) {
            m.setFlags(Mbuf.M_MCAST);
            if (loop || inet6.isMember(ifp, In6.clear(hi), lo)) {
                deliver(m);
            } else {
                drop(m, stat.notmember, DropReason.IP_MCAST_NOGROUP);
            }
        } else {
            unicast(m, inet6.addrs.lookup(hi, lo));
        }
    }

    private void unicast(final Mbuf m, final In6Ifaddr ia) {
        if (ia == null && inet6.ip6Forward.enabled()) {
            inet6.ip6Forward.forward(m);
        } else if (ia == null) {
            drop(m, stat.cantforward, DropReason.IP_NOFORWARD);
        } else if (m.has(Mbuf.M_MCAST | Mbuf.M_BCAST)) {
            drop(m, stat.badaddr, DropReason.IP_BCAST);
        } else if (!ia.ready()) {
            drop(m, stat.notready, DropReason.IP_NOT_FOR_US); // RFC 4862 section 5.4
        } else {
            deliver(m);
        }
    }

    /** Length and version; trims what the link padded. Null when the packet was dropped. Consumes m. */
    private Mbuf checkHeader(final Mbuf m0) {
        if (m0.pktLen() < Ip6Header.LEN) {
            drop(m0, stat.toosmall, DropReason.IP_TOOSHORT);
            return null;
        }
        final Mbuf m = m0.len() >= Ip6Header.LEN ? m0 : m0.pullup(Ip6Header.LEN);
        if (m == null) {
            drop(null, stat.toosmall, DropReason.MBUF_NOMEM);
            return null;
        }
        if (Ip6Header.version(m, 0) != Ip6Header.IPV6_VERSION) {
            drop(m, stat.badvers, DropReason.IP_BADVERS);
            return null;
        }
        final int len = Ip6Header.LEN + Ip6Header.plen(m, 0);
        if (m.pktLen() < len) {
            drop(m, stat.tooshort, DropReason.IP_BADLEN);
            return null;
        }
        if (m.pktLen() > len) {
            m.adjTail(m.pktLen() - len);
        }
        return m;
    }

    /** Addresses that cannot be on a packet that comes this way (RFC 4291 sections 2.5.2, 2.5.3, 2.5.5, 2.7). */
    private static boolean martian(final Mbuf m, final boolean loop) {
        final long sh = Ip6Header.srcHi(m, 0);
        final long sl = Ip6Header.srcLo(m, 0);
        final long dh = Ip6Header.dstHi(m, 0);
        final long dl = Ip6Header.dstLo(m, 0);
        if (In6.isMulticast(sh) || In6.isAny(dh, dl) || In6.isV4Mapped(sh, sl) || In6.isV4Mapped(dh, dl)) {
            return true;
        }
        if (In6.isMulticast(dh) && In6.mcScope(dh) == 0) {
            return true;
        }
        if (loop) {
            return false;
        }
        final boolean inside = In6.isLoopback(sh, sl) || In6.isLoopback(dh, dl)
            || In6.isMulticast(dh) && In6.mcScope(dh) == In6.SCOPE_INTFACELOCAL;
        return inside || In6.forged(sh) || In6.forged(dh);
    }

    /** Puts the zone of the interface into addresses that want one. Consumes m; null, counted, when out of mbufs. */
    private Mbuf embed(final Mbuf m0, final int zone) {
        final long src = Ip6Header.srcHi(m0, 0);
        final long dst = Ip6Header.dstHi(m0, 0);
        if (!In6.zoned(src) && !In6.zoned(dst)) {
            return m0;
        }
        final Mbuf m = IpHeader.writable(m0, Ip6Header.LEN);
        if (m == null) {
            drop(null, stat.badscope, DropReason.MBUF_NOMEM);
            return null;
        }
        m.putLong(Ip6Header.SRC, In6.embed(src, zone));
        m.putLong(Ip6Header.DST, In6.embed(dst, zone));
        return m;
    }

    // Extension headers.

    /** Walks the headers and gives the packet to its transport. Consumes m. */
    private void deliver(final Mbuf m0) {
        Mbuf m = m0;
        int off = Ip6Header.LEN;
        int at = Ip6Header.NXT;
        for (int i = 0; i <= Ip6Nexthdr.HDRNESTLIMIT; i++) {
            final int nxt = m.getU8(at);
            final boolean hopopts = nxt == InDefs.IPPROTO_HOPOPTS;
            if (hopopts && at != Ip6Header.NXT) {
                inet6.icmp6.error(m, Icmp6.ICMP6_PARAM_PROB, Icmp6.ICMP6_PARAMPROB_NEXTHEADER, at);
                return;
            }
            final boolean extension = hopopts || nxt == InDefs.IPPROTO_DSTOPTS || nxt == InDefs.IPPROTO_ROUTING
                || nxt == InDefs.IPPROTO_FRAGMENT;
            if (!extension) {
                transport(m, off, nxt, at);
                return;
            }
            m = contiguous(m, off, nxt);
            if (m != null && nxt == InDefs.IPPROTO_FRAGMENT) {
                m = inet6.frag6.input(m, off, at);
                // What comes back has no such header, but maybe others before its place than this fragment has: afresh.
                off = Ip6Header.LEN;
                at = Ip6Header.NXT;
            } else if (m != null && take(m, off, nxt)) {
                at = off;
                off += length(m, off, nxt);
            } else {
                return;
            }
            if (m == null) {
                return;
            }
        }
        drop(m, stat.toomanyhdr, DropReason.IP_BADOPT);
    }

    private static int length(final Mbuf m, final int off, final int nxt) {
        return nxt == InDefs.IPPROTO_FRAGMENT ? UNIT : (m.getU8(off + 1) + 1) * UNIT;
    }

    /** The packet with a whole extension header, and all before it, in the first mbuf; null when it was dropped. */
    private Mbuf contiguous(final Mbuf m0, final int off, final int nxt) {
        if (m0.pktLen() < off + UNIT) {
            drop(m0, stat.tooshort, DropReason.IP_BADLEN);
            return null;
        }
        Mbuf m = m0.len() >= off + UNIT ? m0 : m0.pullup(off + UNIT);
        if (m == null) {
            drop(null, stat.tooshort, DropReason.MBUF_NOMEM);
            return null;
        }
        final int end = off + length(m, off, nxt);
        if (m.pktLen() < end) {
            drop(m, stat.tooshort, DropReason.IP_BADLEN);
            return null;
        }
        m = m.len() >= end ? m : m.pullup(end);
        if (m == null) {
            drop(null, stat.tooshort, DropReason.MBUF_NOMEM);
        }
        return m;
    }

    /** One extension header; false when the packet has been dropped. */
    private boolean take(final Mbuf m, final int off, final int nxt) {
        return nxt == InDefs.IPPROTO_ROUTING ? routing(m, off) : options(m, off);
    }

    /** RFC 5095 and RFC 8200 section 4.4: what wants to go further is refused, whatever its type. */
    private boolean routing(final Mbuf m, final int off) {
        if (m.getU8(off + 3) == 0) {
            return true;
        }
        stat.badoptions.increment();
        inet6.icmp6.error(m, Icmp6.ICMP6_PARAM_PROB, Icmp6.ICMP6_PARAMPROB_HEADER, off + 2);
        return false;
    }

    /** Options of a hop-by-hop or destination options header (RFC 8200 section 4.2). */
    private boolean options(final Mbuf m, final int off) {
        final int end = off + length(m, off, InDefs.IPPROTO_DSTOPTS);
        int at = off + 2;
        while (at < end) {
            final int type = m.getU8(at);
            if (type == 0) {
                at++;
                continue;
            }
            if (at + 1 >= end || at + 2 + m.getU8(at + 1) > end) {
                stat.badoptions.increment();
                inet6.icmp6.error(m, Icmp6.ICMP6_PARAM_PROB, Icmp6.ICMP6_PARAMPROB_HEADER, at);
                return false;
            }
            if (type != 1 && !unknown(m, type, at)) {
                return false;
            }
            at += 2 + m.getU8(at + 1);
        }
        return true;
    }

    /** What the two highest bits of an unknown option ask for; false when the packet has been dropped. */
    private boolean unknown(final Mbuf m, final int type, final int at) {
        final int action = type >>> 6;
        final boolean known = type == 0x05; // router alert (RFC 2711): for routers
        if (known || action == 0) {
            return true;
        }
        stat.badoptions.increment();
        if (action == 2 || action == 3 && !In6.isMulticast(Ip6Header.dstHi(m, 0))) {
            inet6.icmp6.error(m, Icmp6.ICMP6_PARAM_PROB, Icmp6.ICMP6_PARAMPROB_OPTION, at);
        } else {
            inet.vnet.drop(m, DropReason.IP_BADOPT);
        }
        return false;
    }

    private void transport(final Mbuf m, final int off, final int first, final int at) {
        int proto = first;
        while (proto != InDefs.IPPROTO_NONE) {
            final IpprotoTable.Input in = ipproto.input(SockAddr.AF_INET6, proto);
            if (in == null) {
                if (!inet.rip.input6(m, off, proto)) {
                    stat.noproto.increment();
                    inet6.icmp6.error(m, Icmp6.ICMP6_PARAM_PROB, Icmp6.ICMP6_PARAMPROB_NEXTHEADER, at);
                }
                return;
            }
            stat.delivered.increment();
            proto = in.input(m, off, proto);
            if (proto == InDefs.IPPROTO_DONE) {
                return;
            }
        }
        inet.vnet.drop(m, DropReason.IP_NOPROTO); // RFC 8200 section 4.7: nothing follows
    }
}
