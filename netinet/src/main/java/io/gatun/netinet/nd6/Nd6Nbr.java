package io.gatun.netinet.nd6;

import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.lltable.LlHeader;
import io.gatun.netinet.route.NextHop;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.vnet.Sysctl;

/**
 * Solicitations and advertisements of neighbours (RFC 4861 sections 4.3, 4.4, 7.1, 7.2), both ways. Holds no state.
 *
 * <pre>
 *  |   type 135/136  |  code 0  |  checksum  |  flags (R S O, of an advertisement) |
 *  |                        target address (16 octets)                            |
 *  |                        options                                               |
 * </pre>
 *
 * @bsd nd6_nbr.c
 */
final class Nd6Nbr {
    /** Octets of either message without options. */
    static final int LEN = 24;
    /** No nonce. */
    static final long NO_NONCE = -1;
    private static final int TARGET = 8;
    private static final int FLAGS = 4;
    private static final int NA_ROUTER = 0x8000_0000;
    private static final int NA_SOLICITED = 0x4000_0000;
    private static final int NA_OVERRIDE = 0x2000_0000;

    private final Nd6 nd;
    private final Sysctl forwarding;

    Nd6Nbr(final Nd6 nd) {
        this.nd = nd;
        forwarding = nd.vnet().sysctl().addBool("net.inet6.ip6.forwarding", false, "packets for others are sent on");
    }

    // Output.

    /** Asks for a neighbour: its group, or with {@code known} the one that was the answer last. @bsd nd6_ns_output */
    void solicit(final Ifnet ifp, final long hi, final long lo, final LlHeader known) {
        final In6Ifaddr src = nd.inet6.addrs.select(hi, lo, ifp);
        final Mbuf m = src == null ? null : message(Icmp6.ND_NEIGHBOR_SOLICIT, 0, hi, lo, LEN + NdOptions.UNIT);
        if (m == null) {
            return;
        }
        NdOptions.put(m, Ip6Header.LEN + LEN, NdOptions.SOURCE_LINKADDR, EtherHeader.addr(ifp.lladdr()));
        if (known == null) {
            toGroup(ifp, m, src.hi, src.lo, In6.solicited(lo));
        } else {
            finish(m, src.hi, src.lo, hi, lo);
            nd.frame(ifp, m, known);
        }
    }

    /**
     * Asks whether anybody has an address that this host is about to take (RFC 4862 section 5.4.2).
     *
     * @param nonce six octets, or NO_NONCE
     */
    void probe(final In6Ifaddr ia, final long nonce) {
        final int len = LEN + (nonce == NO_NONCE ? 0 : NdOptions.UNIT);
        final Mbuf m = message(Icmp6.ND_NEIGHBOR_SOLICIT, 0, ia.hi, ia.lo, len);
        if (m == null) {
            return;
        }
        if (nonce != NO_NONCE) {
            NdOptions.put(m, Ip6Header.LEN + LEN, NdOptions.NONCE, nonce);
        }
        toGroup(ia.ifp, m, 0, 0, In6.solicited(ia.lo));
    }

    /** Whether this host is a router. */
    boolean forwarding() {
        return forwarding.getBool();
    }

    /** Room for a message of so many octets, its type filled in; null, counted, when out of mbufs. */
    Mbuf packet(final int type, final int len) {
        final Mbuf m = nd.inet6.icmp6.packet(len);
        if (m == null) {
            nd.vnet().drop(null, DropReason.MBUF_NOMEM);
            return null;
        }
        m.putInt(Ip6Header.LEN, type << 24);
        return m;
    }

    private Mbuf message(final int type, final int flags, final long hi, final long lo, final int len) {
        final Mbuf m = packet(type, len);
        if (m == null) {
            return null;
        }
        final int at = Ip6Header.LEN;
        m.putInt(at + FLAGS, flags);
        m.putLong(at + TARGET, In6.clear(hi));
        m.putLong(at + TARGET + Long.BYTES, lo);
        return m;
    }

    private static void finish(final Mbuf m, final long sh, final long sl, final long dh, final long dl) {
        final int len = m.pktLen() - Ip6Header.LEN;
        Ip6Header.init(m, len, InDefs.IPPROTO_ICMPV6, Ip6Header.IPV6_MAXHLIM, 0);
        Ip6Header.addr(m, In6.clear(sh), sl, In6.clear(dh), dl);
        Icmp6.sum(m);
    }

    /**
     * Frames and sends a message to a group of the link itself, for the table's lock may be held by nobody who then
     * asks again. Consumes m.
     *
     * @param dl low word of the group
     */
    void toGroup(final Ifnet ifp, final Mbuf m, final long sh, final long sl, final long dl) {
        finish(m, sh, sl, In6.LINK_GROUP_HI, dl);
        m.setFlags(Mbuf.M_MCAST);
        nd.inet.ether.frame(ifp, m, 0x333300000000L | dl & 0xffff_ffffL, EtherHeader.addr(ifp.lladdr()),
            EtherHeader.ETHERTYPE_IPV6);
    }

    /** Tells the asker, or all when it has no address yet (RFC 4861 section 7.2.4). @bsd nd6_na_output */
    private void answer(final Nd6Ifinfo info, final In6Ifaddr ia, final long sh, final long sl) {
        final int flags = (ia.has(In6Ifaddr.IN6_IFF_ANYCAST) ? 0 : NA_OVERRIDE) | (forwarding() ? NA_ROUTER : 0);
        final Mbuf m = message(Icmp6.ND_NEIGHBOR_ADVERT, flags, ia.hi, ia.lo, LEN + NdOptions.UNIT);
        if (m != null) {
            NdOptions.put(m, Ip6Header.LEN + LEN, NdOptions.TARGET_LINKADDR, EtherHeader.addr(info.ifp.lladdr()));
            tell(info, m, ia, sh, sl);
        }
    }

    /** Answers for a neighbour: whoever really has the address may override it (RFC 4861 section 7.2.8). */
    private void proxy(final Nd6Ifinfo info, final SockAddr target, final long sh, final long sl) {
        final long mac = info.table.proxy(target.hi(), target.lo());
        final In6Ifaddr from = mac == 0 ? null : nd.inet6.addrs.linkLocal(info.ifp, In6Ifaddr.IN6_IFF_NOTREADY);
        final Mbuf m = from == null ? null
            : message(Icmp6.ND_NEIGHBOR_ADVERT, forwarding() ? NA_ROUTER : 0, target.hi(), target.lo(),
                LEN + NdOptions.UNIT);
        if (m != null) {
            NdOptions.put(m, Ip6Header.LEN + LEN, NdOptions.TARGET_LINKADDR, mac);
            tell(info, m, from, sh, sl);
        }
    }

    /** Tells all neighbours of an address, unasked. @bsd nd6_na_output */
    void announce(final Nd6Ifinfo info, final In6Ifaddr ia) {
        answer(info, ia, 0, 0);
    }

    private void tell(final Nd6Ifinfo info, final Mbuf m, final In6Ifaddr from, final long sh, final long sl) {
        if (In6.isAny(sh, sl)) {
            toGroup(info.ifp, m, from.hi, from.lo, 1);
        } else {
            m.putInt(Ip6Header.LEN + FLAGS, m.getInt(Ip6Header.LEN + FLAGS) | NA_SOLICITED);
            toNeighbor(info, m, from, sh, sl);
        }
    }

    /** Completes and sends a message to a neighbour, which may have to be asked for. Consumes m. */
    void toNeighbor(final Nd6Ifinfo info, final Mbuf m, final In6Ifaddr from, final long dh, final long dl) {
        finish(m, from.hi, from.lo, dh, dl);
        info.table.reply(m, dh, dl);
    }

    // Input.

    /** Drops a message that is malformed, or not from this link. Consumes m. */
    void drop(final Mbuf m) {
        nd.stat.bad.increment();
        nd.vnet().drop(m, DropReason.ND6_BADHDR);
    }

    /**
     * The packet with its message contiguous, if it comes from this link and its options are well formed (RFC 4861
     * section 7.1: hop limit 255, code 0, length); else null, counted. Consumes m.
     */
    Mbuf checked(final Nd6Ifinfo info, final Mbuf m0, final int off, final int fixed) {
        final int len = m0.pktLen() - off;
        if (info == null || info.table == null || Ip6Header.hlim(m0, 0) != Ip6Header.IPV6_MAXHLIM
                || m0.getU8(off + 1) != 0 || len < fixed) {
            drop(m0);
            return null;
        }
        final Mbuf m = m0.len() >= off + len ? m0 : m0.pullup(off + len);
        if (m == null) {
            nd.vnet().drop(null, DropReason.MBUF_NOMEM);
            return null;
        }
        if (!NdOptions.wellFormed(m, off + fixed, off + len)) {
            drop(m);
            return null;
        }
        return m;
    }

    /** Takes a solicitation or advertisement. Consumes m. @bsd nd6_ns_input, nd6_na_input */
    void input(final Mbuf m0, final int off) {
        final Nd6Ifinfo info = m0.rcvif() == null ? null : nd.info(m0.rcvif());
        final Mbuf m = checked(info, m0, off, LEN);
        if (m == null) {
            return;
        }
        final long hi = In6.embed(m.getLong(off + TARGET), info.ifp.index());
        final long lo = m.getLong(off + TARGET + Long.BYTES);
        final boolean ns = m.getU8(off) == Icmp6.ND_NEIGHBOR_SOLICIT;
        final long mac = NdOptions.lladdr(m, off + LEN, m.pktLen(),
            ns ? NdOptions.SOURCE_LINKADDR : NdOptions.TARGET_LINKADDR);
        if (In6.isMulticast(hi) || EtherHeader.isMulticast(mac)) {
            drop(m);
        } else if (ns) {
            solicitation(info, m, off, nd.inet6.addrs.lookup(hi, lo), mac);
        } else {
            advertisement(info, m, off, nd.inet6.addrs.lookup(hi, lo), mac);
        }
    }

    /** @param ia the address asked for, if it is this host's */
    private void solicitation(
        final Nd6Ifinfo info, final Mbuf m, final int off, final In6Ifaddr ia, final long mac) {
        final long sh = Ip6Header.srcHi(m, 0);
        final long sl = Ip6Header.srcLo(m, 0);
        final long dl = Ip6Header.dstLo(m, 0);
        final boolean probe = In6.isAny(sh, sl); // somebody is about to take this address (RFC 4862)
        final boolean group = In6.isMulticast(Ip6Header.dstHi(m, 0))
            && (dl & ~0xff_ffffL) == In6.SOLICITED_LO;
        if (probe ? mac != 0 || !group : !neighbor(info, sh, sl)) {
            drop(m);
            return;
        }
        final int at = NdOptions.find(m, off + LEN, m.pktLen(), NdOptions.NONCE);
        final boolean has = at < m.pktLen() && NdOptions.length(m, at) == NdOptions.UNIT;
        final long nonce = has ? NdOptions.mac(m, at) : NO_NONCE;
        final SockAddr target = SockAddr.in6(In6.embed(m.getLong(off + TARGET), info.ifp.index()),
            m.getLong(off + TARGET + Long.BYTES), 0);
        m.freeChain();
        if (ia == null || ia.ifp != info.ifp) {
            proxy(info, target, sh, sl);
            return;
        }
        if (!ia.ready()) {
            if (probe) {
                nd.dad.solicited(ia, nonce);
            }
            return;
        }
        if (probe) {
            nd.stat.dadDefended.increment();
            nd.later(() -> nd.listeners().forEach(l -> l.defended(ia)));
        } else if (mac != 0) {
            info.table.solicited(sh, sl, mac);
        }
        answer(info, ia, sh, sl);
    }

    /** Whether an address is on this link: of link scope, or in a prefix of it. @bsd nd6_is_addr_neighbor */
    boolean neighbor(final Nd6Ifinfo info, final long hi, final long lo) {
        if (In6.isLinkLocal(hi) || info.table.state(hi, lo) != null
                || nd.inet6.addrs.onLink(hi, lo, info.ifp) != null) {
            return true;
        }
        final NextHop nh = nd.inet.fib(info.ifp.fibnum()).find6(hi, lo);
        return nh != null && nh.gateway == null && nh.uses(info.ifp);
    }

    /** @param ia the address it is about, if it is this host's */
    private void advertisement(
        final Nd6Ifinfo info, final Mbuf m, final int off, final In6Ifaddr ia, final long mac) {
        final int flags = m.getInt(off + FLAGS);
        if ((flags & NA_SOLICITED) != 0 && In6.isMulticast(Ip6Header.dstHi(m, 0))) {
            drop(m);
            return;
        }
        final long hi = In6.embed(m.getLong(off + TARGET), info.ifp.index());
        final long lo = m.getLong(off + TARGET + Long.BYTES);
        m.freeChain();
        if (ia == null || ia.ifp != info.ifp) {
            info.table.advertised(hi, lo, mac, (flags & NA_SOLICITED) != 0, (flags & NA_OVERRIDE) != 0);
            if ((flags & NA_ROUTER) == 0 && info.table.state(hi, lo) != null) {
                nd.ways.noRouter(info, hi, lo);
            }
        } else if (mac != EtherHeader.addr(info.ifp.lladdr()) && !ia.has(In6Ifaddr.IN6_IFF_ANYCAST)) {
            nd.dad.advertised(ia, mac); // somebody else says that our address is its own
        }
    }
}
