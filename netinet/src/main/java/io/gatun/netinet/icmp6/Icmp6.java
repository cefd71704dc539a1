package io.gatun.netinet.icmp6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.icmp.HostCache;
import io.gatun.netinet.icmp.Icmp;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Frag6;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.ip6.Ip6Nexthdr;
import io.gatun.netinet.ip6.Ip6Output;
import io.gatun.netinet.mld.Mld;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.IpprotoTable;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/**
 * ICMPv6 both ways: errors about packets, answers to echo requests, errors about packets of ours for their transports
 * (RFC 4443). Neighbour discovery is handed on.
 *
 * @bsd icmp6_input
 */
public final class Icmp6 {
    public static final int ICMP6_DST_UNREACH = 1;
    public static final int ICMP6_DST_UNREACH_NOROUTE = 0;
    public static final int ICMP6_DST_UNREACH_ADMIN = 1;
    public static final int ICMP6_DST_UNREACH_BEYONDSCOPE = 2;
    public static final int ICMP6_DST_UNREACH_ADDR = 3;
    public static final int ICMP6_DST_UNREACH_NOPORT = 4;
    public static final int ICMP6_DST_UNREACH_REJECT = 6;
    public static final int ICMP6_PACKET_TOO_BIG = 2;
    public static final int ICMP6_TIME_EXCEEDED = 3;
    public static final int ICMP6_TIME_EXCEED_TRANSIT = 0;
    public static final int ICMP6_TIME_EXCEED_REASSEMBLY = 1;
    public static final int ICMP6_PARAM_PROB = 4;
    public static final int ICMP6_PARAMPROB_HEADER = 0;
    public static final int ICMP6_PARAMPROB_NEXTHEADER = 1;
    public static final int ICMP6_PARAMPROB_OPTION = 2;
    /** The first fragment lacks headers (RFC 7112 section 5). */
    public static final int ICMP6_PARAMPROB_FIRSTFRAG = 3;
    public static final int ICMP6_ECHO_REQUEST = 128;
    public static final int ICMP6_ECHO_REPLY = 129;
    public static final int ND_ROUTER_SOLICIT = 133;
    public static final int ND_ROUTER_ADVERT = 134;
    public static final int ND_NEIGHBOR_SOLICIT = 135;
    public static final int ND_NEIGHBOR_ADVERT = 136;
    public static final int ND_REDIRECT = 137;
    /** Octets of every message at least. */
    public static final int LEN = 8;

    private static final int CKSUM = 2;
    private static final int WORD = 4;
    private static final int NXT = 6;
    private static final int INFO = 0x80;
    private static final int QUOTE_MAX = Ip6Header.IPV6_MMTU - Ip6Header.LEN - LEN;
    private static final int VALID = Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;
    private static final int ADVLEN = 8;
    private static final long IN4 = 0xffff_ffffL;

    private final Inet inet;
    private final Inet6 inet6;
    private final EchoPaths echoPaths;
    private final Counter error;
    private final Counter checksum;
    private final Counter tooshort;
    private final Counter reflect;
    private final Counter canterror;

    public Icmp6(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        this.inet6 = inet6;
        echoPaths = new EchoPaths(inet.vnet.secret());
        error = inet.vnet.counters().counter("icmp6.error");
        checksum = inet.vnet.counters().counter("icmp6.checksum");
        tooshort = inet.vnet.counters().counter("icmp6.tooshort");
        reflect = inet.vnet.counters().counter("icmp6.reflect");
        canterror = inet.vnet.counters().counter("icmp6.canterror");
    }

    // Errors.

    /**
     * Answers a packet with an error, where RFC 4443 section 2.4 (e) allows one and the rate is not exceeded. Consumes
     * m, which begins with its IPv6 header, and counts its drop by the reason the error tells of.
     *
     * @param param MTU, or the octet a parameter problem points at, else 0
     * @bsd icmp6_error
     */
    public void error(final Mbuf m, final int type, final int code, final int param) {
        error(m, type, code, param, reason(type, code));
    }

    /** {@link #error(Mbuf, int, int, int)} of a packet whose drop is counted by another reason. Consumes m. */
    public void error(final Mbuf m, final int type, final int code, final int param, final DropReason why) {
        error.increment();
        if (!mayComplain(m, type, code)) {
            canterror.increment();
        } else if (inet.icmp.bandlim(Icmp.Bandlim.ICMP6_UNREACH)) {
            final Mbuf n = quote(m, type, code, param);
            if (n == null) {
                inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            } else {
                inet6.ip6Output.output(n, null, m.rcvif(), Ip6Output.IPV6_DEFHLIM);
            }
        }
        inet.vnet.drop(m, why);
    }

    private static DropReason reason(final int type, final int code) {
        return switch (type) {
            case ICMP6_PACKET_TOO_BIG -> DropReason.IP_CANTFRAG;
            case ICMP6_TIME_EXCEEDED ->
                code == ICMP6_TIME_EXCEED_TRANSIT ? DropReason.IP_TTL : DropReason.IP_REASS_TIMEOUT;
            case ICMP6_PARAM_PROB ->
                code == ICMP6_PARAMPROB_NEXTHEADER ? DropReason.IP_NOPROTO : DropReason.IP_BADOPT;
            default -> code == ICMP6_DST_UNREACH_NOPORT ? DropReason.UDP_NOPORT : DropReason.IP_NOROUTE;
        };
    }

    /** RFC 4443 section 2.4 (e). Borrows m. */
    private static boolean mayComplain(final Mbuf m, final int type, final int code) {
        final long sh = Ip6Header.srcHi(m, 0);
        final boolean answersGroups = type == ICMP6_PACKET_TOO_BIG
            || type == ICMP6_PARAM_PROB && code == ICMP6_PARAMPROB_OPTION;
        final boolean group = In6.isMulticast(Ip6Header.dstHi(m, 0)) || m.has(Mbuf.M_MCAST | Mbuf.M_BCAST);
        if (group && !answersGroups || In6.isMulticast(sh) || In6.isAny(sh, Ip6Header.srcLo(m, 0))) {
            return false;
        }
        final long last = Ip6Nexthdr.last(m, 0);
        if (last == Ip6Nexthdr.NONE || Ip6Nexthdr.nxt(last) != InDefs.IPPROTO_ICMPV6
                || m.pktLen() <= Ip6Nexthdr.off(last)) {
            return true;
        }
        final int inner = Ip6Nexthdr.octet(m, Ip6Nexthdr.off(last));
        return inner >= INFO && inner != ND_REDIRECT;
    }

    /** The error packet about m; null when out of mbufs. Borrows m. */
    private Mbuf quote(final Mbuf m, final int type, final int code, final int param) {
        final int n = Math.min(m.pktLen(), QUOTE_MAX);
        final Mbuf e = packet(LEN + n);
        if (e == null) {
            return null;
        }
        e.fibnum(m.fibnum());
        final SockAddr src = new SockAddr(); // errors are rare, and limited
        final long dh = Ip6Header.srcHi(m, 0);
        final long dl = Ip6Header.srcLo(m, 0);
        final long oh = Ip6Header.dstHi(m, 0);
        final long ol = Ip6Header.dstLo(m, 0);
        if (inet6.addrs.ready(oh, ol) != null) {
            src.setIn6(oh, ol, 0, 0);
        } else if (inet6.laddr.source(dh, dl, m.fibnum(), src) != Errno.OK) {
            e.freeChain();
            return null;
        }
        Ip6Header.init(e, LEN + n, InDefs.IPPROTO_ICMPV6, 0, 0);
        Ip6Header.addr(e, src.hi(), src.lo(), dh, dl);
        final int ic = Ip6Header.LEN;
        e.putInt(ic, type << 24 | code << 16);
        e.putInt(ic + WORD, param);
        m.copyData(0, n, e.seg(), e.data() + ic + LEN);
        Ip6Header.src(e, ic + LEN, In6.clear(dh), dl);
        Ip6Header.dst(e, ic + LEN, In6.clear(oh), ol);
        sum(e);
        return e;
    }

    /** Room for a message behind an IPv6 header, contiguous; null when out of mbufs. */
    public Mbuf packet(final int octets) {
        final int lead = inet.vnet.pool().maxLinkhdr();
        final Mbuf m = inet.vnet.pool().get2(lead + Ip6Header.LEN + octets, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        if (m != null) {
            m.data(m.data() + lead);
            m.len(Ip6Header.LEN + octets);
            m.pktLen(Ip6Header.LEN + octets);
        }
        return m;
    }

    /** Computes the checksum of a message right behind its IPv6 header. */
    public static void sum(final Mbuf m) {
        final int len = m.pktLen() - Ip6Header.LEN;
        m.put16(Ip6Header.LEN + CKSUM, 0);
        final long s = (long) Ip6Header.pseudo(m, len, InDefs.IPPROTO_ICMPV6) + InCksum.sum(m, Ip6Header.LEN, len);
        m.put16(Ip6Header.LEN + CKSUM, ~InCksum.fold(s) & 0xffff);
    }

    /** What an ICMPv6 error means to who sent the packet it is about; OK for nothing. @bsd icmp6_errmap */
    public static Errno errmap(final int type, final int code) {
        return switch (type) {
            case ICMP6_DST_UNREACH -> switch (code) {
                case ICMP6_DST_UNREACH_NOROUTE, ICMP6_DST_UNREACH_ADDR -> Errno.EHOSTUNREACH;
                case ICMP6_DST_UNREACH_NOPORT, ICMP6_DST_UNREACH_ADMIN -> Errno.ECONNREFUSED;
                case ICMP6_DST_UNREACH_BEYONDSCOPE -> Errno.ENOPROTOOPT;
                default -> Errno.OK;
            };
            case ICMP6_PACKET_TOO_BIG -> Errno.EMSGSIZE;
            case ICMP6_TIME_EXCEEDED -> code == ICMP6_TIME_EXCEED_TRANSIT ? Errno.EHOSTUNREACH : Errno.OK;
            case ICMP6_PARAM_PROB -> switch (code) {
                case ICMP6_PARAMPROB_NEXTHEADER -> Errno.ECONNREFUSED;
                case ICMP6_PARAMPROB_HEADER, ICMP6_PARAMPROB_OPTION -> Errno.ENOPROTOOPT;
                default -> Errno.OK;
            };
            default -> Errno.OK;
        };
    }

    // Input.

    private int drop(final Mbuf m, final Counter counter, final DropReason reason) {
        counter.increment();
        inet.vnet.drop(m, reason);
        return InDefs.IPPROTO_DONE;
    }

    /** Takes a message from IPv6. Consumes m. @bsd icmp6_input */
    public int input(final Mbuf m0, final int off, final int proto) {
        final int len = m0.pktLen() - off;
        if (len < LEN) {
            return drop(m0, tooshort, DropReason.ICMP_TOOSHORT);
        }
        final Mbuf m = m0.len() >= off + LEN ? m0 : m0.pullup(off + LEN);
        if (m == null) {
            return drop(null, tooshort, DropReason.MBUF_NOMEM);
        }
        final long s = (long) Ip6Header.pseudo(m, len, InDefs.IPPROTO_ICMPV6) + InCksum.sum(m, off, len);
        if ((m.csumFlags() & VALID) != VALID && InCksum.fold(s) != 0xffff) {
            return drop(m, checksum, DropReason.ICMP_BADSUM);
        }
        final Mbuf copy = inet.rip.hearsIcmp6() ? inet.rip.copy(m) : null;
        final boolean handled = handle(m, off);
        if (handled) {
            hear(copy, off);
            return InDefs.IPPROTO_DONE;
        }
        if (copy != null) {
            copy.freeChain();
        }
        if (!inet.rip.icmp6(m, off)) {
            inet.vnet.drop(m, DropReason.ICMP_BADTYPE);
        }
        return InDefs.IPPROTO_DONE;
    }

    /** Raw sockets hear of what the stack has done with a message. Consumes copy, which may be null. */
    private void hear(final Mbuf copy, final int off) {
        if (copy != null && !inet.rip.icmp6(copy, off)) {
            copy.freeChain();
        }
    }

    /** What the stack does with a message. Consumes m; false when it knows no such type: then m is the caller's. */
    private boolean handle(final Mbuf m, final int off) {
        switch (m.getU8(off)) {
            case ICMP6_ECHO_REQUEST -> echo(m, off);
            case ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT, ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT, ND_REDIRECT ->
                discovery(m, off);
            case Mld.MLD_LISTENER_QUERY, Mld.MLD_LISTENER_REPORT, Mld.MLD_LISTENER_DONE, Mld.MLDV2_LISTENER_REPORT ->
                inet6.mld.input(m, off);
            case ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB -> told(m, off);
            default -> {
                if (m.getU8(off) >= INFO) {
                    return false;
                }
                told(m, off); // RFC 4443 section 2.4 (a): also an error of an unknown type
            }
        }
        return true;
    }

    /** RFC 6980 section 5: neighbour discovery takes nothing that came in fragments. Consumes m. */
    private void discovery(final Mbuf m, final int off) {
        if (m.has(Frag6.M_FRAGMENTED)) {
            inet.vnet.drop(m, DropReason.ND6_BADHDR);
        } else {
            inet6.nd6.input(m, off);
        }
    }

    /** Sends an echo request back as its answer, from an address of ours (RFC 4443 section 4.2). Consumes m. */
    private void echo(final Mbuf m0, final int off) {
        final Mbuf m = off != Ip6Header.LEN ? strip(m0, off) : IpHeader.writable(m0, Ip6Header.LEN + LEN);
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        final long th = Ip6Header.srcHi(m, 0);
        final long tl = Ip6Header.srcLo(m, 0);
        long fh = Ip6Header.dstHi(m, 0);
        long fl = Ip6Header.dstLo(m, 0);
        if (In6.isMulticast(fh)) {
            final SockAddr src = new SockAddr();
            final Errno e = inet6.laddr.source(th, tl, m.fibnum(), src);
            if (e != Errno.OK || In6.isAny(th, tl)) {
                inet.vnet.drop(m, DropReason.ICMP_NOERROR);
                return;
            }
            fh = src.hi();
            fl = src.lo();
        }
        Ip6Header.init(m, m.pktLen() - Ip6Header.LEN, InDefs.IPPROTO_ICMPV6, 0, 0);
        Ip6Header.addr(m, fh, fl, th, tl);
        m.put8(Ip6Header.LEN, ICMP6_ECHO_REPLY);
        m.csumFlags(0);
        m.clearFlags(Mbuf.M_BCAST | Mbuf.M_MCAST);
        sum(m);
        reflect.increment();
        final int cut = echoPaths.isNarrow(th, tl) ? Ip6Output.IPV6_MINMTU : 0;
        inet6.ip6Output.output(m, null, null, Ip6Output.IPV6_DEFHLIM | cut);
    }

    /** The packet without its extension headers. Consumes m; null when out of mbufs. */
    private static Mbuf strip(final Mbuf m0, final int off) {
        final Mbuf m = IpHeader.writable(m0, off + LEN);
        if (m == null) {
            return null;
        }
        final int gone = off - Ip6Header.LEN;
        for (int i = Ip6Header.LEN - Long.BYTES; i >= 0; i -= Long.BYTES) {
            m.putLong(gone + i, m.getLong(i));
        }
        m.adjHead(gone);
        return m;
    }

    /** An error about a packet of ours: the transport that sent it is told. Consumes m. */
    private void told(final Mbuf m0, final int off) {
        final int ip = off + LEN;
        final int need = ip + Ip6Header.LEN + ADVLEN;
        if (m0.pktLen() < need) {
            drop(m0, tooshort, DropReason.ICMP_BADLEN);
            return;
        }
        Mbuf m = IpHeader.writable(m0, Math.min(need + ADVLEN, m0.pktLen())); // what a tunnel carries has to be seen
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        final int zone = m.rcvif() == null ? 0 : m.rcvif().index();
        final long sh = In6.embed(Ip6Header.srcHi(m, ip), zone);
        final long dh = In6.embed(Ip6Header.dstHi(m, ip), zone);
        final long sl = Ip6Header.srcLo(m, ip);
        if (Ip6Header.version(m, ip) != Ip6Header.IPV6_VERSION || inet6.addrs.lookup(sh, sl) == null) {
            inet.vnet.drop(m, DropReason.ICMP_NOERROR); // not about anything this host sent
            return;
        }
        Ip6Header.src(m, ip, sh, sl);
        Ip6Header.dst(m, ip, dh, Ip6Header.dstLo(m, ip));
        if (m.getU8(off) == ICMP6_PACKET_TOO_BIG && (m.getInt(off + WORD) & IN4) < Ip6Header.IPV6_MMTU) {
            drop(m, tooshort, DropReason.ICMP_BADCODE);
            return;
        }
        tell(m, off);
    }

    /**
     * Notes the MTU of a path that a message tells of, which quotes a packet that somebody here knows as his own; it
     * only ever goes down, and not below what every link must take (RFC 8201 section 4). Borrows m.
     *
     * @bsd icmp6_mtudisc_update
     */
    public void updateMtu(final Mbuf m, final int icmpOff) {
        if (m.getU8(icmpOff) != ICMP6_PACKET_TOO_BIG) {
            return;
        }
        final int ip = icmpOff + LEN;
        final int mtu = m.getInt(icmpOff + WORD);
        final long hi = Ip6Header.dstHi(m, ip);
        final long lo = Ip6Header.dstLo(m, ip);
        final HostCache.Entry known = inet.hostCache.lookup(hi, lo);
        final boolean lower = mtu >= Ip6Header.IPV6_MMTU && mtu < Ip6Header.LEN + Ip6Header.plen(m, ip);
        if (lower && (known == null || known.mtu() == 0 || mtu < known.mtu())) {
            inet.hostCache.updateMtu(hi, lo, mtu);
        }
    }

    /** Tells the transport behind the extension headers of the packet in a message, without these. Consumes m. */
    private void tell(final Mbuf m0, final int off) {
        final int ip = off + LEN;
        final long last = Ip6Nexthdr.last(m0, ip);
        final int gone = last == Ip6Nexthdr.NONE ? -1 : Ip6Nexthdr.off(last) - ip - Ip6Header.LEN;
        if (gone < 0 || m0.pktLen() < Ip6Nexthdr.off(last) + ADVLEN) {
            inet.vnet.drop(m0, DropReason.ICMP_NOERROR);
            return;
        }
        final Mbuf m = gone == 0 ? m0 : IpHeader.writable(m0, Ip6Nexthdr.off(last) + ADVLEN);
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        if (gone > 0) {
            for (int i = ip + Ip6Header.LEN - Long.BYTES; i >= off; i -= Long.BYTES) {
                m.putLong(gone + i, m.getLong(i));
            }
            m.put8(gone + ip + NXT, Ip6Nexthdr.nxt(last));
        }
        final int proto = Ip6Nexthdr.nxt(last);
        final IpprotoTable.Ctlinput ctl = inet.vnet.ipproto().ctlinput(SockAddr.AF_INET6, proto);
        if (ctl != null) {
            ctl.ctlinput(m, off + gone);
        } else {
            tellOthers(m, off + gone, proto);
        }
        m.freeChain();
    }

    /** A packet of no transport, but of a raw socket or of an answer to an echo request. Borrows m. */
    private void tellOthers(final Mbuf m, final int off, final int proto) {
        final int ip = off + LEN;
        final long dh = Ip6Header.dstHi(m, ip);
        final long dl = Ip6Header.dstLo(m, ip);
        if (m.getU8(off) != ICMP6_PACKET_TOO_BIG) {
            return;
        }
        if (proto == InDefs.IPPROTO_ICMPV6 && m.getU8(ip + Ip6Header.LEN) == ICMP6_ECHO_REPLY) {
            echoPaths.narrow(dh, dl);
        } else if (inet.rip.sends6(proto, Ip6Header.srcHi(m, ip), Ip6Header.srcLo(m, ip), dh, dl)) {
            updateMtu(m, off);
        }
    }
}
