package io.gatun.netinet.nd6;

import io.gatun.netinet.Inet;
import io.gatun.netinet.Inet6;
import io.gatun.netinet.arp.LlHeader;
import io.gatun.netinet.ether.EtherHeader;
import io.gatun.netinet.icmp6.Icmp6;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.In6Ifaddr;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.VnetSide;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Neighbour discovery of one vnet: solicitations and advertisements (RFC 4861 sections 4.3, 4.4, 7.1, 7.2) over the
 * {@link Nd6Table} of each Ethernet.
 *
 * @bsd nd6_ns_input
 */
public final class Nd6 {
    private static final long SEC = 1_000_000_000L;
    private static final int MAX_INDEX = 1024;
    private static final int NS_LEN = 24;
    private static final int TARGET = 8;
    private static final int OPT_SOURCE_LINKADDR = 1;
    private static final int OPT_TARGET_LINKADDR = 2;
    private static final int OPT_LEN = 8;
    private static final int NA_SOLICITED = 0x4000_0000;
    private static final int NA_OVERRIDE = 0x2000_0000;
    private static final long MALFORMED = -1;

    final Counter timeouts;
    private final Inet inet;
    private final Inet6 inet6;
    private final Counter bad;
    private final Counter duplicates;
    private final Sysctl maxqueuelen;
    private final Sysctl maxEntries;
    private final Sysctl reachable;
    private final AtomicReferenceArray<Nd6Table> tables = new AtomicReferenceArray<>(MAX_INDEX); // (v) by index

    public Nd6(final Inet inet, final Inet6 inet6) {
        this.inet = inet;
        this.inet6 = inet6;
        timeouts = inet.vnet.counters().counter("nd6.timeouts");
        bad = inet.vnet.counters().counter("nd6.bad");
        duplicates = inet.vnet.counters().counter("nd6.dupips");
        maxqueuelen = inet.vnet.sysctl().addInt("net.inet6.icmp6.nd6_maxqueuelen", 16, 1, 1024,
            "packets that wait for one neighbour");
        maxEntries = inet.vnet.sysctl().addInt("net.inet6.icmp6.nd6_maxentries", 8192, 1, 1 << 20,
            "neighbours on one interface");
        reachable = inet.vnet.sysctl().addInt("net.inet6.icmp6.nd6_reachable", 30_000, 1, 3_600_000,
            "milliseconds a confirmed neighbour is believed, on average");
    }

    VnetSide vnet() {
        return inet.vnet;
    }

    long now() {
        return inet.vnet.clock().nanoTime();
    }

    int maxqueuelen() {
        return maxqueuelen.getInt();
    }

    int maxEntries() {
        return maxEntries.getInt();
    }

    /** Between half and one and a half of the base (RFC 4861 section 6.3.2). @bsd ND_COMPUTE_RTIME */
    long reachableNs() {
        final int ms = reachable.getInt();
        return (ms / 2 + inet.vnet.random().nextInt(ms + 1)) * (SEC / 1000);
    }

    Errno frame(final Ifnet ifp, final Mbuf m, final LlHeader h) {
        return inet.ether.frame(ifp, m, h, EtherHeader.ETHERTYPE_IPV6);
    }

    // Interfaces.

    private Nd6Table table(final Ifnet ifp) {
        return ifp.index() < MAX_INDEX ? tables.get(ifp.index()) : null;
    }

    /** An Ethernet was attached. @bsd nd6_ifattach */
    public void ifattach(final Ifnet ifp) {
        final boolean ether = ifp.type() == Ifnet.IFT_ETHER || ifp.type() == Ifnet.IFT_L2VLAN;
        if (ether && ifp.index() < MAX_INDEX && tables.get(ifp.index()) == null) {
            tables.set(ifp.index(), new Nd6Table(this, ifp));
        }
    }

    /** An interface goes. @bsd nd6_ifdetach */
    public void ifdetach(final Ifnet ifp) {
        final Nd6Table t = ifp.index() < MAX_INDEX ? tables.getAndSet(ifp.index(), null) : null;
        if (t != null) {
            t.detach();
        }
    }

    /** Forgets all neighbours of an interface. */
    public void flush(final Ifnet ifp) {
        final Nd6Table t = table(ifp);
        if (t != null) {
            t.flush();
        }
    }

    /** The domain goes: frees every packet that waits, stops every timer. */
    public void destroy() {
        for (int i = 0; i < MAX_INDEX; i++) {
            final Nd6Table t = tables.getAndSet(i, null);
            if (t != null) {
                t.detach();
            }
        }
    }

    /** What is known of a neighbour, its zone put in; null for nothing. */
    public Nd6State state(final Ifnet ifp, final long hi, final long lo) {
        final Nd6Table t = table(ifp);
        return t == null ? null : t.state(hi, lo);
    }

    /** Sends a packet to a neighbour, its zone put in, which may have to be asked for. Consumes m. @bsd nd6_output */
    public Errno output(final Ifnet ifp, final Mbuf m, final long hi, final long lo) {
        final Nd6Table t = table(ifp);
        if (t == null) {
            inet.vnet.drop(m, DropReason.IF_NOPROTO);
            return Errno.EAFNOSUPPORT;
        }
        return t.output(m, hi, lo);
    }

    // Output.

    /** Asks for a neighbour: its group, or with {@code known} the one that was the answer last. @bsd nd6_ns_output */
    void solicit(final Ifnet ifp, final long hi, final long lo, final LlHeader known) {
        final In6Ifaddr src = inet6.addrs.select(hi, lo, ifp);
        if (src == null) {
            return;
        }
        final long dh = known == null ? In6.embed(In6.LINK_GROUP_HI, ifp.index()) : hi;
        final long dl = known == null ? In6.solicited(lo) : lo;
        final Mbuf m = message(Icmp6.ND_NEIGHBOR_SOLICIT, 0, hi, lo, OPT_SOURCE_LINKADDR, ifp);
        send(ifp, m, src, dh, dl, known);
    }

    private Mbuf message(
        final int type, final int flags, final long hi, final long lo, final int option, final Ifnet ifp) {
        final Mbuf m = inet6.icmp6.packet(NS_LEN + OPT_LEN);
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return null;
        }
        final int nd = Ip6Header.LEN;
        m.putInt(nd, type << 24);
        m.putInt(nd + 4, flags);
        m.putLong(nd + TARGET, In6.clear(hi));
        m.putLong(nd + TARGET + Long.BYTES, lo);
        final long mac = EtherHeader.addr(ifp.lladdr());
        m.putLong(nd + NS_LEN, (long) option << 56 | 1L << 48 | mac);
        return m;
    }

    /** Frames and sends a message itself, for the table's lock may be held by nobody who then asks again. */
    private void send(
        final Ifnet ifp, final Mbuf m, final In6Ifaddr src, final long dh, final long dl, final LlHeader known) {
        if (m == null) {
            return;
        }
        Ip6Header.init(m, NS_LEN + OPT_LEN, InDefs.IPPROTO_ICMPV6, Ip6Header.IPV6_MAXHLIM, 0);
        Ip6Header.addr(m, In6.clear(src.hi), src.lo, In6.clear(dh), dl);
        Icmp6.sum(m);
        final long mac = EtherHeader.addr(ifp.lladdr());
        if (known != null) {
            frame(ifp, m, known);
        } else {
            m.setFlags(Mbuf.M_MCAST);
            inet.ether.frame(ifp, m, 0x333300000000L | dl & 0xffff_ffffL, mac, EtherHeader.ETHERTYPE_IPV6);
        }
    }

    // Input.

    private void drop(final Mbuf m, final DropReason reason) {
        bad.increment();
        inet.vnet.drop(m, reason);
    }

    /** Takes a solicitation or advertisement from ICMPv6. Consumes m. @bsd nd6_ns_input, nd6_na_input */
    public void input(final Mbuf m0, final int off) {
        final Ifnet ifp = m0.rcvif();
        final Nd6Table t = ifp == null ? null : table(ifp);
        final int len = m0.pktLen() - off;
        if (t == null || Ip6Header.hlim(m0, 0) != Ip6Header.IPV6_MAXHLIM || m0.getU8(off + 1) != 0 || len < NS_LEN) {
            drop(m0, DropReason.ND6_BADHDR); // RFC 4861 section 7.1.1: hop limit 255 says that it is from this link
            return;
        }
        final Mbuf m = m0.len() >= off + len ? m0 : m0.pullup(off + len);
        if (m == null) {
            inet.vnet.drop(null, DropReason.MBUF_NOMEM);
            return;
        }
        final long hi = In6.embed(m.getLong(off + TARGET), ifp.index());
        final long lo = m.getLong(off + TARGET + Long.BYTES);
        final boolean ns = m.getU8(off) == Icmp6.ND_NEIGHBOR_SOLICIT;
        final long mac = option(m, off, len, ns ? OPT_SOURCE_LINKADDR : OPT_TARGET_LINKADDR);
        if (In6.isMulticast(hi) || mac == MALFORMED || EtherHeader.isMulticast(mac)) {
            drop(m, DropReason.ND6_BADHDR);
        } else if (ns) {
            solicitation(t, ifp, m, hi, lo, mac);
        } else {
            advertisement(t, m, off, hi, lo, mac);
        }
    }

    /** The link address of an option; 0 when there is none, -1 for options that are malformed. */
    private static long option(final Mbuf m, final int off, final int len, final int wanted) {
        long found = 0;
        int at = off + NS_LEN;
        final int end = off + len;
        while (at < end) {
            final int n = at + 1 < end ? m.getU8(at + 1) * OPT_LEN : 0;
            if (n == 0 || at + n > end) {
                return MALFORMED;
            }
            if (m.getU8(at) == wanted) {
                found = m.getLong(at) & 0xffff_ffff_ffffL;
            }
            at += n;
        }
        return found;
    }

    private void solicitation(
        final Nd6Table t, final Ifnet ifp, final Mbuf m, final long hi, final long lo, final long mac) {
        final long sh = Ip6Header.srcHi(m, 0);
        final long sl = Ip6Header.srcLo(m, 0);
        final boolean probe = In6.isAny(sh, sl); // somebody is about to take this address (RFC 4862)
        final boolean group = In6.isMulticast(Ip6Header.dstHi(m, 0));
        final In6Ifaddr ia = inet6.addrs.lookup(hi, lo);
        final boolean wrong = probe && (mac != 0 || !group)
            || !probe && inet6.addrs.onLink(sh, sl, ifp) == null && !In6.isLinkLocal(sh);
        if (wrong) {
            drop(m, DropReason.ND6_BADHDR);
            return;
        }
        m.freeChain();
        if (ia == null || ia.ifp != ifp) {
            return;
        }
        if (!probe && mac != 0) {
            t.solicited(sh, sl, mac);
        }
        answer(t, ifp, ia, probe, sh, sl);
    }

    /** Tells the asker, or all when it has no address yet. @bsd nd6_na_output */
    private void answer(
        final Nd6Table t, final Ifnet ifp, final In6Ifaddr ia, final boolean probe, final long sh, final long sl) {
        final int flags = NA_OVERRIDE | (probe ? 0 : NA_SOLICITED);
        final Mbuf m = message(Icmp6.ND_NEIGHBOR_ADVERT, flags, ia.hi, ia.lo, OPT_TARGET_LINKADDR, ifp);
        if (probe || m == null) {
            send(ifp, m, ia, In6.embed(In6.LINK_GROUP_HI, ifp.index()), 1, null);
            return;
        }
        Ip6Header.init(m, NS_LEN + OPT_LEN, InDefs.IPPROTO_ICMPV6, Ip6Header.IPV6_MAXHLIM, 0);
        Ip6Header.addr(m, In6.clear(ia.hi), ia.lo, In6.clear(sh), sl);
        Icmp6.sum(m);
        t.output(m, sh, sl);
    }

    private void advertisement(
        final Nd6Table t, final Mbuf m, final int off, final long hi, final long lo, final long mac) {
        final int flags = m.getInt(off + 4);
        final boolean solicited = (flags & NA_SOLICITED) != 0;
        if (solicited && In6.isMulticast(Ip6Header.dstHi(m, 0))) {
            drop(m, DropReason.ND6_BADHDR);
            return;
        }
        m.freeChain();
        if (inet6.addrs.lookup(hi, lo) != null) {
            duplicates.increment(); // somebody else says that our address is its own
            return;
        }
        t.advertised(hi, lo, mac, solicited, (flags & NA_OVERRIDE) != 0);
    }
}
