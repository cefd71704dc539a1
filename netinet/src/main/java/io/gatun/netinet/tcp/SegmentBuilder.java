package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.sys.Seq;

/**
 * Makes the packet of a {@link SendPlan}: IP and TCP header with options in one mbuf, the payload behind it, either
 * copied into the same mbuf when it is small, or as a chain that shares the send buffer's clusters.
 */
final class SegmentBuilder {
    /** Payload up to this size is copied rather than shared: cheaper than a second mbuf. */
    private static final int INLINE = 128;
    /** How deep in the send buffer a copy may start before a walk to it costs more than sharing. */
    private static final int INLINE_DEPTH = 4096;
    private static final long VER_HLEN = 0x45L;

    private SegmentBuilder() {
    }

    /** The packet, checksum left to offload; null when out of mbufs. Changes neither plan nor connection. */
    @GuardedBy("tp.inp.lock")
    static Mbuf build(Tcpcb tp, SendPlan p) {
        final Mbuf m = tp.tcp.pool.gethdr(Mbuf.MT_DATA);
        if (m == null) {
            return null;
        }
        final int iptcp = TcpPath.carrierLen(tp) + TcpHeader.SIZE;
        final int hdrlen = iptcp + p.optlen;
        m.data(m.data() + tp.tcp.pool.maxLinkhdr());
        m.len(hdrlen);
        if (p.len > 0 && !payload(tp, p, m)) {
            m.freeChain();
            return null;
        }
        m.pktLen(hdrlen + p.len);
        header(tp, p, m);
        if (p.optlen != 0) {
            p.to.addOptions(m, iptcp);
        }
        return m;
    }

    @GuardedBy("tp.inp.lock")
    private static boolean payload(Tcpcb tp, SendPlan p, Mbuf m) {
        final SockBuf snd = tp.inp.so.snd();
        snd.lock().lock();
        try {
            if (p.len <= INLINE && p.off < INLINE_DEPTH && p.len <= m.trailingSpace()) {
                final int at = m.len();
                m.len(at + p.len);
                snd.mb().copyData(p.off, p.len, m.seg(), m.data() + at);
                return true;
            }
            final Mbuf data = snd.sndCopyLocked(p.off, p.len);
            m.next(data);
            return data != null;
        } finally {
            snd.lock().unlock();
        }
    }

    @GuardedBy("tp.inp.lock")
    private static void header(Tcpcb tp, SendPlan p, Mbuf m) {
        final Inpcb inp = tp.inp;
        final boolean six = inp.isV6();
        final int th = TcpPath.carrierLen(tp);
        final int sum = carrier(tp, p, m, six);
        if (p.ecn != SendPlan.ECN_NONE) {
            TcpEcn.mark(m, six, p.ecn);
        }
        final boolean syn = (p.flags & TcpHeader.TH_SYN) != 0;
        final int open = syn ? Math.min(p.recwin, TcpHeader.TCP_MAXWIN) : p.recwin >> tp.rcvScale;
        final int win = (p.flags & TcpHeader.TH_RST) != 0 ? 0 : open; // a reset offers nothing
        final int urgent = Seq.diff(tp.sndUp, p.seq);
        final int urp = (p.flags & TcpHeader.TH_URG) != 0 ? Math.min(urgent, 0xffff) : 0;
        final int ports = inp.lport() << 16 | inp.fport();
        TcpHeader.put(m, th, TcpHeader.front(ports, seq(tp, p)),
            TcpHeader.back(tp.rcvNxt, TcpHeader.SIZE + p.optlen, p.flags, win), sum << 16 | urp);
        if (p.tso) {
            m.tsoSegsz(tp.maxseg - p.optlen);
        }
        if (inp.flowid != 0) {
            m.flowid(inp.flowid);
            m.rsstype(Mbuf.M_HASHTYPE_OPAQUE);
        }
    }

    /**
     * Writes what comes in front of the TCP header, and says what of its checksum is to be computed below. Answers what
     * stands in the checksum field of TCP: the sum of the pseudo-header, or 0 within UDP, whose checksum covers it.
     */
    @GuardedBy("tp.inp.lock")
    private static int carrier(Tcpcb tp, SendPlan p, Mbuf m, boolean six) {
        final int plen = m.pktLen() - TcpPath.iphlen(tp);
        if (tp.port != 0) {
            final int sum = six ? ip6(tp, m, plen, InDefs.IPPROTO_UDP) : ip4(tp, p, m, plen, InDefs.IPPROTO_UDP);
            tp.tcp.tunnel.header(m, TcpPath.iphlen(tp), tp.port, sum);
            return 0;
        }
        if (six) {
            m.csumFlags(p.tso ? Csum.CSUM_IP6_TCP | Csum.CSUM_IP6_TSO : Csum.CSUM_IP6_TCP);
        } else {
            m.csumFlags(p.tso ? Csum.CSUM_IP_TCP | Csum.CSUM_IP_TSO : Csum.CSUM_IP_TCP);
        }
        m.csumData(TcpHeader.OFF_SUM);
        return six ? ip6(tp, m, plen, InDefs.IPPROTO_TCP) : ip4(tp, p, m, plen, InDefs.IPPROTO_TCP);
    }

    /** Writes an IPv4 header; answers the sum of the pseudo-header. */
    @GuardedBy("tp.inp.lock")
    private static int ip4(Tcpcb tp, SendPlan p, Mbuf m, int plen, int proto) {
        final Inpcb inp = tp.inp;
        final int src = inp.laddr4();
        final int dst = inp.faddr4();
        final int minmss = tp.tcp.sysctl.minmss.getInt();
        // Never on large segments within UDP: who carries them on may not pass on what ICMP says of it.
        final boolean df = tp.tcp.sysctl.pathMtuDiscovery.getBool() && tp.maxseg > minmss
            && (tp.port == 0 || p.len < minmss) && (p.probe || !tp.has2(Tcpcb.TF2_PLPMTU_BLACKHOLE));
        m.putLong(0, VER_HLEN << 56 | (long) (inp.tos & 0xff) << 48 | (long) m.pktLen() << 32
            | (df ? IpHeader.IP_DF : 0));
        m.putLong(8, (long) (inp.ttl4() & 0xff) << 56 | (long) proto << 48 | src & 0xffff_ffffL);
        m.putInt(16, dst);
        return InCksum.pseudo(src, dst, proto + plen);
    }

    /** Writes an IPv6 header; answers the sum of the pseudo-header. */
    @GuardedBy("tp.inp.lock")
    private static int ip6(Tcpcb tp, Mbuf m, int plen, int proto) {
        Ip6Header.ofPcb(tp.inp, m, plen, proto);
        return Ip6Header.pseudo(m, plen, proto);
    }

    /** Data, SYN and FIN have their own place; an empty segment goes at the edge of what was sent. */
    @GuardedBy("tp.inp.lock")
    private static int seq(Tcpcb tp, SendPlan p) {
        final boolean spans = p.len > 0 || (p.flags & (TcpHeader.TH_SYN | TcpHeader.TH_FIN)) != 0;
        return spans || TcpTimers.active(tp, TcpTimers.TT_PERSIST) ? p.seq : tp.sndMax;
    }
}
