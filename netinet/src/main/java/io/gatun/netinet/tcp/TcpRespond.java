package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.ip6.In6;
import io.gatun.netinet.ip6.Ip6Header;
import io.gatun.netinet.pcb.Inpcb;
import io.gatun.netinet.route.NextHop;
import io.gatun.netinet.route.RouteCache;
import io.gatun.netinet.udp.UdpHeader;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bare control segments: resets, challenge ACKs, keepalive probes, the ACKs of TIME-WAIT; and the limits of RFC 5961
 * on them.
 *
 * <p>Locking key: (a) atomic.
 */
final class TcpRespond {
    private static final long SECOND_NS = 1_000_000_000L;
    private static final int COUNT_BITS = 24;
    private static final long COUNT_MASK = (1L << COUNT_BITS) - 1;
    private static final long VER_HLEN = 0x45L;

    private final Tcp tcp;
    private final AtomicLong challenges = new AtomicLong(); // (a) second and count

    TcpRespond(Tcp tcp) {
        this.tcp = tcp;
    }

    /** An empty segment from here to the peer of a connection. @bsd tcp_respond */
    @GuardedBy("tp.inp.lock")
    void respond(Tcpcb tp, int seq, int ack, int flags) {
        final TcpBare b = tcp.segs.claimBare();
        b.inc.set(tp);
        b.seq = seq;
        b.ack = ack;
        b.flags = TcpEcn.respond(tp, flags);
        b.win = 0;
        if ((flags & TcpHeader.TH_RST) == 0 && tp.inp.so != null) {
            b.win = SendDecision.receiveWindow(tp, tp.inp.so.rcv()) >> tp.rcvScale;
        }
        b.ttl = hops(tp.inp);
        b.tos = classAndFlow(tp.inp);
        b.df = true;
        b.port = tp.port;
        b.flowid = tp.inp.flowid;
        TcpOptions.choose(tp, flags & ~TcpHeader.TH_SYN, b.to);
        if ((flags & TcpHeader.TH_RST) != 0) {
            tcp.stat.sndctrl.increment();
        } else {
            tcp.stat.sndacks.increment();
            tp.lastAckSent = ack;
        }
        send(b, tp.act().route);
        tcp.segs.release(b);
    }

    /** Sends a bare segment; the caller keeps it. What IP says: OK, or why it did not go. */
    Errno send(TcpBare b, RouteCache ro) {
        if (b.port != 0 && tcp.tunnel.port() == 0) {
            return Errno.EHOSTUNREACH; // the tunnel was closed
        }
        final int optlen = b.to.length();
        final Mbuf m = tcp.pool.gethdr(Mbuf.MT_DATA);
        if (m == null) {
            tcp.drop(null, DropReason.MBUF_NOMEM);
            return Errno.ENOBUFS;
        }
        m.data(m.data() + tcp.pool.maxLinkhdr());
        final int iptcp = b.inc.minProtoHdr() + (b.port != 0 ? UdpHeader.LEN : 0);
        m.len(iptcp + optlen);
        m.pktLen(m.len());
        ip(m, b);
        tcp(m, b, iptcp - TcpHeader.SIZE, carrier(m, b));
        b.to.addOptions(m, iptcp);
        if (b.to.has(Seg.TOF_SIGNATURE) && !tcp.md5.sign(m, iptcp - TcpHeader.SIZE, b.to)) {
            m.freeChain();
            return Errno.EACCES;
        }
        if (b.flowid != 0) {
            m.flowid(b.flowid);
            m.rsstype(Mbuf.M_HASHTYPE_OPAQUE);
        }
        tcp.stat.sndtotal.increment();
        return b.inc.v6 ? tcp.net.output6(m, ro, b.inc.fib) : tcp.net.output(m, ro, b.inc.fib);
    }

    /** As {@link #send}, for those without a route of their own. */
    Errno send(TcpBare b) {
        return send(b, b.route);
    }

    /**
     * Octets of the largest packet towards the peer of an entry, as far as known; 0 without a route.
     *
     * @bsd tcp_maxmtu
     */
    int maxMtu(SyncacheEntry sc, RouteCache ro) {
        final InConninfo inc = sc.inc;
        final NextHop nh = inc.v6 ? tcp.net.route6(ro, inc.fhi, inc.flo, inc.fib, sc.flowid)
            : tcp.net.route(ro, (int) inc.flo, inc.fib, sc.flowid);
        final int learnt = inc.v6 && inc.minMtu ? Ip6Header.IPV6_MMTU
            : inc.v6 ? tcp.net.mtu6(inc.fhi, inc.flo) : tcp.net.mtu((int) inc.flo);
        return nh == null || nh.ifp == null ? 0 : learnt == 0 ? nh.mtu() : Math.min(learnt, nh.mtu());
    }

    private static void ip(Mbuf m, TcpBare b) {
        final int proto = b.port != 0 ? InDefs.IPPROTO_UDP : InDefs.IPPROTO_TCP;
        if (b.inc.v6) {
            Ip6Header.init(m, m.pktLen() - Ip6Header.LEN, proto, b.ttl, b.tos);
            Ip6Header.addr(m, b.inc.lhi, b.inc.llo, b.inc.fhi, b.inc.flo);
            return;
        }
        final int off = b.df ? IpHeader.IP_DF : 0;
        m.putLong(0, VER_HLEN << 56 | (long) (b.tos & 0xff) << 48 | (long) m.pktLen() << 32 | off);
        m.putLong(8, (long) (b.ttl & 0xff) << 56 | (long) proto << 48 | b.inc.llo);
        m.putInt(16, (int) b.inc.flo);
    }

    /** Writes the UDP header, if there is to be one, and answers what stands in the checksum field of TCP. */
    private int carrier(Mbuf m, TcpBare b) {
        final int proto = b.port != 0 ? InDefs.IPPROTO_UDP : InDefs.IPPROTO_TCP;
        final int iphlen = b.inc.minProtoHdr() - TcpHeader.SIZE;
        final int plen = m.pktLen() - iphlen;
        final int sum = b.inc.v6 ? Ip6Header.pseudo(m, plen, proto)
            : InCksum.pseudo((int) b.inc.llo, (int) b.inc.flo, proto + plen);
        if (b.port != 0) {
            tcp.tunnel.header(m, iphlen, b.port, sum);
            return 0;
        }
        m.csumFlags(b.inc.v6 ? Csum.CSUM_IP6_TCP : Csum.CSUM_IP_TCP);
        m.csumData(TcpHeader.OFF_SUM);
        return sum;
    }

    private static void tcp(Mbuf m, TcpBare b, int th, int sum) {
        final int tcplen = m.pktLen() - th;
        TcpHeader.put(m, th, TcpHeader.front(b.inc.lport << 16 | b.inc.fport, b.seq),
            TcpHeader.back(b.ack, tcplen, b.flags, Math.min(b.win, TcpHeader.TCP_MAXWIN)), sum << 16);
    }

    /**
     * A keepalive probe: one number before what is acknowledged, which obliges the peer to answer (RFC 9293 MUST-28).
     */
    @GuardedBy("tp.inp.lock")
    void keepProbe(Tcpcb tp) {
        respond(tp, tp.sndUna - 1, tp.rcvNxt, TcpHeader.TH_ACK);
    }

    /**
     * A challenge ACK, unless the connection or the host sent too many lately (RFC 5961 section 7).
     *
     * @bsd tcp_send_challenge_ack
     */
    @GuardedBy("tp.inp.lock")
    void challenge(Tcpcb tp) {
        if (!challengeAllowed(tp)) {
            tcp.stat.challengelimited.increment();
            return;
        }
        tcp.stat.challengeacks.increment();
        respond(tp, tp.sndNxt, tp.rcvNxt, TcpHeader.TH_ACK);
    }

    @GuardedBy("tp.inp.lock")
    private boolean challengeAllowed(Tcpcb tp) {
        if (!answerAllowed(tp)) {
            return false;
        }
        final int limit = tcp.sysctl.challengeLimit.getInt();
        // A limit known exactly tells an outsider how many others were challenged: half of it is chance.
        return limit == 0 || allowed(challenges, limit / 2 + tcp.vnet.random().nextInt(limit / 2 + 1) + 1, tp.now());
    }

    /**
     * Whether the connection may answer a segment that has no text and cannot be taken: two ends that a forger has set
     * apart would otherwise answer each other for ever, as fast as they can.
     */
    @GuardedBy("tp.inp.lock")
    boolean answerAllowed(Tcpcb tp) {
        final int most = tcp.sysctl.ackWarCnt.getInt();
        if (most == 0) {
            return true;
        }
        final long now = tp.now();
        if (tp.act().challengeEndNs - now <= 0) {
            tp.act().challengeEndNs = now + tcp.sysctl.ackWarTimewindow.get() * Tcp.NS_PER_MS;
            tp.act().challengeCnt = 0;
        }
        if (tp.act().challengeCnt >= most) {
            return false;
        }
        tp.act().challengeCnt++;
        return true;
    }

    /** Counts one event in its second; false when that second has had {@code limit} of them. */
    private static boolean allowed(AtomicLong window, int limit, long nowNs) {
        final long second = nowNs / SECOND_NS;
        while (true) {
            final long w = window.get();
            final long count = w >> COUNT_BITS == second ? w & COUNT_MASK : 0;
            if (count >= limit) {
                return false;
            }
            if (window.compareAndSet(w, second << COUNT_BITS | count + 1)) {
                return true;
            }
        }
    }

    /**
     * Answers a segment with a reset, RFC 9293 section 3.10.7.1: numbered so that its sender takes it. Nothing is sent
     * for a reset, to or from an address that is not a single host, or above the limit. Borrows the segment.
     *
     * @param tp the connection it concerns, or null
     * @param limited subject to {@code net.inet.icmp.icmplim}: for segments that no connection waited for
     * @bsd tcp_dropwithreset
     */
    @SuppressWarnings("GuardedBy") // tp is locked where it is not null
    void reset(Seg seg, Tcpcb tp, boolean limited) {
        if ((seg.thflags & TcpHeader.TH_RST) != 0 || seg.link(Mbuf.M_BCAST | Mbuf.M_MCAST) || !oneHost(seg)) {
            return;
        }
        if (limited && !tcp.net.mayReset(tp != null && tp.state == TcpState.LISTEN)) {
            return;
        }
        final TcpBare b = tcp.segs.claimBare();
        b.inc.set(seg);
        if ((seg.thflags & TcpHeader.TH_ACK) != 0) {
            b.seq = seg.ack;
            b.ack = 0;
            b.flags = TcpHeader.TH_RST;
        } else {
            b.seq = 0;
            b.ack = seg.rcvdSeq + seg.rcvdLen + ((seg.thflags & TcpHeader.TH_SYN) != 0 ? 1 : 0)
                + ((seg.thflags & TcpHeader.TH_FIN) != 0 ? 1 : 0);
            b.flags = TcpHeader.TH_RST | TcpHeader.TH_ACK;
        }
        b.win = 0;
        b.ttl = tp != null ? hops(tp.inp) : seg.v6 ? 0 : IpHeader.IPDEFTTL;
        b.tos = tp == null ? 0 : classAndFlow(tp.inp);
        b.df = true;
        b.port = seg.port;
        b.flowid = tp == null ? 0 : tp.inp.flowid;
        b.to.flags = tp != null && tp.has(Tcpcb.TF_SIGNATURE) && !tp.has(Tcpcb.TF_NOOPT) ? Seg.TOF_SIGNATURE : 0;
        tcp.stat.sndctrl.increment();
        send(b);
        tcp.segs.release(b);
    }

    private static int hops(Inpcb inp) {
        return inp.isV6() ? Math.max(0, inp.ttl) : inp.ttl4();
    }

    /** As {@link TcpBare#tos}. */
    private static int classAndFlow(Inpcb inp) {
        return inp.isV6() ? Ip6Header.flowOf(inp) : inp.tos;
    }

    /** Whether both ends are addresses of single hosts. */
    private static boolean oneHost(Seg seg) {
        if (seg.v6) {
            return !In6.isMulticast(seg.srcHi) && !In6.isMulticast(seg.dstHi) && !In6.isAny(seg.srcHi, seg.srcLo);
        }
        final int src = (int) seg.srcLo;
        return !multicast(src) && !multicast((int) seg.dstLo) && src != 0 && src != -1;
    }

    private static boolean multicast(int addr) {
        return addr >>> 28 == 0xe;
    }
}
