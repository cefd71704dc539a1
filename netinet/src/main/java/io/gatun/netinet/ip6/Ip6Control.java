package io.gatun.netinet.ip6;

import io.gatun.netinet.ip.IpControl;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.Cmsg;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.vnet.VnetSide;

/**
 * Control messages that tell an IPv6 socket of the packet its data came in, be it IPv6 or IPv4 (RFC 3542 section 6).
 * Out of mbufs a message is left out.
 *
 * @bsd ip6_savecontrol
 */
public final class Ip6Control {
    private static final int ADDR = 2 * Long.BYTES;
    private static final int PKTINFO = ADDR + Integer.BYTES;
    private static final int SOCKADDR_IN6 = 28;
    private static final int MTUINFO = SOCKADDR_IN6 + Integer.BYTES;
    private static final int UNIT = 8;

    private Ip6Control() {
    }

    /**
     * What a socket asked for about an IPv6 packet. Borrows m, which begins with its IPv6 header. Under the pcb's lock.
     *
     * @param off octets from the front to the transport header; all before it is contiguous
     * @return the chain, owned by the caller; null for nothing
     * @bsd ip6_savecontrol
     */
    public static Mbuf save(final VnetSide vnet, final Inpcb inp, final Mbuf m, final int off) {
        final MbufPool pool = vnet.pool();
        Mbuf c = IpControl.timestamp(vnet, inp, m);
        if (inp.has(Inpcb.IN6P_PKTINFO)) {
            c = pktinfo(pool, c, In6.clear(Ip6Header.dstHi(m, 0)), Ip6Header.dstLo(m, 0), m);
        }
        c = numbers(pool, c, inp, Ip6Header.hlim(m, 0), Ip6Header.tclass(m, 0));
        return off > Ip6Header.LEN ? headers(pool, c, inp, m, off) : c;
    }

    /** As {@link #save} about an IPv4 packet, whose addresses become mapped ones. @bsd ip6_savecontrol_v4 */
    public static Mbuf save4(final VnetSide vnet, final Inpcb inp, final Mbuf m) {
        final MbufPool pool = vnet.pool();
        Mbuf c = IpControl.timestamp(vnet, inp, m);
        if (inp.has(Inpcb.IN6P_PKTINFO)) {
            c = pktinfo(pool, c, 0, In6.v4Mapped(IpHeader.dst(m, 0)), m);
        }
        return numbers(pool, c, inp, IpHeader.ttl(m, 0), IpHeader.tos(m, 0));
    }

    private static Mbuf pktinfo(
        final MbufPool pool, final Mbuf head, final long hi, final long lo, final Mbuf m) {
        final Mbuf c = Cmsg.add(pool, head, InDefs.IPPROTO_IPV6, InDefs.IPV6_PKTINFO, PKTINFO);
        if (c != null) {
            final int at = Cmsg.lastData(c, PKTINFO);
            c.putLong(at, hi);
            c.putLong(at + Long.BYTES, lo);
            c.putInt(at + ADDR, m.rcvif() == null ? 0 : m.rcvif().index());
        }
        return head == null ? c : head;
    }

    private static Mbuf numbers(
        final MbufPool pool, final Mbuf head, final Inpcb inp, final int hlim, final int tclass) {
        Mbuf c = head;
        if (inp.has(Inpcb.IN6P_HOPLIMIT)) {
            c = Cmsg.addInt(pool, c, InDefs.IPPROTO_IPV6, InDefs.IPV6_HOPLIMIT, hlim);
        }
        if (inp.has(Inpcb.IN6P_TCLASS)) {
            c = Cmsg.addInt(pool, c, InDefs.IPPROTO_IPV6, InDefs.IPV6_TCLASS, tclass);
        }
        return c;
    }

    /** The extension headers that were asked for, each in a message of its own. */
    private static Mbuf headers(
        final MbufPool pool, final Mbuf head, final Inpcb inp, final Mbuf m, final int off) {
        Mbuf c = head;
        int nxt = Ip6Header.nxt(m, 0);
        int at = Ip6Header.LEN;
        while (at < off) {
            final int n = nxt == InDefs.IPPROTO_FRAGMENT ? UNIT : (m.getU8(at + 1) + 1) * UNIT;
            final int flag = switch (nxt) {
                case InDefs.IPPROTO_HOPOPTS -> Inpcb.IN6P_HOPOPTS;
                case InDefs.IPPROTO_DSTOPTS -> Inpcb.IN6P_DSTOPTS;
                case InDefs.IPPROTO_ROUTING -> Inpcb.IN6P_RTHDR;
                default -> 0;
            };
            if (inp.has(flag) && at + n <= off) {
                c = header(pool, c, flag, m, at, n);
            }
            nxt = m.getU8(at);
            at += n;
        }
        return c;
    }

    private static Mbuf header(
        final MbufPool pool, final Mbuf head, final int flag, final Mbuf m, final int from, final int n) {
        final int type = flag == Inpcb.IN6P_HOPOPTS ? InDefs.IPV6_HOPOPTS
            : flag == Inpcb.IN6P_DSTOPTS ? InDefs.IPV6_DSTOPTS : InDefs.IPV6_RTHDR;
        final Mbuf c = Cmsg.add(pool, head, InDefs.IPPROTO_IPV6, type, n);
        if (c != null) {
            m.copyData(from, n, c.seg(), c.data() + Cmsg.lastData(c, n));
        }
        return head == null ? c : head;
    }

    /** The destination as the packet had it, with its port: a sockaddr_in6. */
    public static Mbuf origdst(
        final MbufPool pool, final Mbuf head, final long hi, final long lo, final int port) {
        final Mbuf c = Cmsg.add(pool, head, InDefs.IPPROTO_IPV6, InDefs.IPV6_ORIGDSTADDR, SOCKADDR_IN6);
        if (c != null) {
            putSockaddr(c, Cmsg.lastData(c, SOCKADDR_IN6), hi, lo, port);
        }
        return head == null ? c : head;
    }

    /**
     * The message that the path to a destination takes so much: an ip6_mtuinfo. Null when out of mbufs.
     *
     * @bsd ip6_notify_pmtu
     */
    public static Mbuf pathMtu(final MbufPool pool, final long hi, final long lo, final int port, final int mtu) {
        final Mbuf c = Cmsg.add(pool, null, InDefs.IPPROTO_IPV6, InDefs.IPV6_PATHMTU, MTUINFO);
        if (c != null) {
            final int at = Cmsg.lastData(c, MTUINFO);
            putSockaddr(c, at, hi, lo, port);
            c.putInt(at + SOCKADDR_IN6, mtu);
        }
        return c;
    }

    private static void putSockaddr(final Mbuf c, final int at, final long hi, final long lo, final int port) {
        c.put8(at, SOCKADDR_IN6);
        c.put8(at + 1, SockAddr.AF_INET6);
        c.put16(at + Short.BYTES, port);
        c.putLong(at + Long.BYTES, In6.clear(hi));
        c.putLong(at + ADDR, lo);
        c.putInt(at + ADDR + Long.BYTES, In6.zone(hi));
    }
}
