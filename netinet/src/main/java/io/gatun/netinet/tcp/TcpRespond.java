package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.ip.InCksum;
import io.gatun.netinet.ip.IpHeader;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Bare control segments: resets, challenge ACKs, keepalive probes, the ACKs of TIME-WAIT; and the limits of RFC 5961
 * on them.
 *
 * <p>Locking key: (a) atomic.
 */
final class TcpRespond {
    private static final long SECOND_NS = 1_000_000_000L;
    private static final int RST_LIMIT = 200;
    private static final int COUNT_BITS = 24;
    private static final long COUNT_MASK = (1L << COUNT_BITS) - 1;
    private static final long VER_HLEN = 0x45L;

    private final Tcp tcp;
    private final AtomicReference<RouteCache> scratch = new AtomicReference<>(new RouteCache()); // (a)
    private final AtomicLong challenges = new AtomicLong(); // (a) second and count
    private final AtomicLong resets = new AtomicLong();     // (a) second and count

    TcpRespond(Tcp tcp) {
        this.tcp = tcp;
    }

    /** An empty segment from here to the peer of a connection. @bsd tcp_respond */
    @GuardedBy("tp.inp.lock")
    void respond(Tcpcb tp, int seq, int ack, int flags) {
        final SendPlan p = tcp.segs.claimPlan();
        final Mbuf m = header(TcpOptions.choose(tp, flags & ~TcpHeader.TH_SYN, p.to));
        if (m != null) {
            p.to.addOptions(m, SegmentBuilder.IPTCP);
            respond(tp, m, (long) seq << 32 | ack & 0xffff_ffffL, flags);
        }
        tcp.segs.release(p);
    }

    @GuardedBy("tp.inp.lock")
    private void respond(Tcpcb tp, Mbuf m, long numbers, int flags) {
        int win = 0;
        if ((flags & TcpHeader.TH_RST) == 0 && tp.inp.so != null) {
            win = SendDecision.receiveWindow(tp, tp.inp.so.rcv()) >> tp.rcvScale;
        }
        ip(m, tp.inp.laddr4(), tp.inp.faddr4(), tp.inp.ttl, tp.inp.tos);
        tcp(m, tp.inp.lport(), tp.inp.fport(), numbers, flags, win);
        tcp.stat.sndtotal.increment();
        if ((flags & TcpHeader.TH_RST) != 0) {
            tcp.stat.sndctrl.increment();
        } else {
            tcp.stat.sndacks.increment();
            tp.lastAckSent = (int) numbers;
        }
        tcp.net.output(m, tp.route, TcpMss.fib(tp));
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
        final int most = tcp.sysctl.ackWarCnt.getInt();
        if (most > 0) {
            final long now = tp.now();
            if (tp.challengeEndNs - now <= 0) {
                tp.challengeEndNs = now + tcp.sysctl.ackWarTimewindow.get() * Tcp.NS_PER_MS;
                tp.challengeCnt = 0;
            }
            if (tp.challengeCnt >= most) {
                return false;
            }
            tp.challengeCnt++;
        }
        final int limit = tcp.sysctl.challengeLimit.getInt();
        // A limit known exactly tells an outsider how many others were challenged: half of it is chance.
        return limit == 0 || allowed(challenges, limit / 2 + tcp.vnet.random().nextInt(limit / 2 + 1) + 1, tp.now());
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
     * @param limited subject to the limit on resets: for segments that no connection waited for
     * @bsd tcp_dropwithreset
     */
    void reset(Seg seg, boolean limited) {
        final int src = (int) seg.dstLo;
        final int dst = (int) seg.srcLo;
        if ((seg.thflags & TcpHeader.TH_RST) != 0 || seg.link(Mbuf.M_BCAST | Mbuf.M_MCAST) || multicast(src)
            || multicast(dst) || dst == 0 || dst == -1) {
            return;
        }
        if (limited && !allowed(resets, RST_LIMIT, seg.nowNs)) {
            return;
        }
        final Mbuf m = header(0);
        if (m == null) {
            return;
        }
        final long numbers;
        final int flags;
        if ((seg.thflags & TcpHeader.TH_ACK) != 0) {
            numbers = (long) seg.ack << 32;
            flags = TcpHeader.TH_RST;
        } else {
            final int span = seg.rcvdLen + ((seg.thflags & TcpHeader.TH_SYN) != 0 ? 1 : 0)
                + ((seg.thflags & TcpHeader.TH_FIN) != 0 ? 1 : 0);
            numbers = seg.rcvdSeq + span & 0xffff_ffffL;
            flags = TcpHeader.TH_RST | TcpHeader.TH_ACK;
        }
        ip(m, src, dst, IpHeader.IPDEFTTL, 0);
        tcp(m, seg.dport, seg.sport, numbers, flags, 0);
        tcp.stat.sndtotal.increment();
        tcp.stat.sndctrl.increment();
        final RouteCache own = scratch.getAndSet(null);
        final RouteCache ro = own == null ? new RouteCache() : own;
        tcp.net.output(m, ro, seg.fib);
        scratch.setRelease(ro);
    }

    private static boolean multicast(int addr) {
        return addr >>> 28 == 0xe;
    }

    private Mbuf header(int optlen) {
        final Mbuf m = tcp.pool.gethdr(Mbuf.MT_DATA);
        if (m != null) {
            m.data(m.data() + tcp.pool.maxLinkhdr());
            m.len(SegmentBuilder.IPTCP + optlen);
            m.pktLen(m.len());
            m.csumFlags(Csum.CSUM_IP_TCP);
            m.csumData(TcpHeader.OFF_SUM);
        }
        return m;
    }

    private static void ip(Mbuf m, int src, int dst, int ttl, int tos) {
        m.putLong(0, VER_HLEN << 56 | (long) (tos & 0xff) << 48 | (long) m.pktLen() << 32 | IpHeader.IP_DF);
        m.putLong(8, (long) (ttl & 0xff) << 56 | (long) InDefs.IPPROTO_TCP << 48 | src & 0xffff_ffffL);
        m.putInt(16, dst);
    }

    private static void tcp(Mbuf m, int sport, int dport, long numbers, int flags, int win) {
        final int th = IpHeader.LEN;
        final int tcplen = m.pktLen() - th;
        final int sum = InCksum.pseudo(IpHeader.src(m, 0), IpHeader.dst(m, 0), InDefs.IPPROTO_TCP + tcplen);
        m.putInt(th, sport << 16 | dport);
        m.putLong(th + 4, numbers);
        m.putLong(th + 12, (long) (tcplen >> 2) << 60 | (long) flags << 48
            | (long) Math.min(win, TcpHeader.TCP_MAXWIN) << 32 | (long) sum << 16);
    }
}
