package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.netinet.icmp.HostCache;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.vnet.VnetSide;

/**
 * What a connection leaves for the next one to the same host, and takes from the one before: round-trip time, slow
 * start threshold, sizes of buffers. RFC 9040 in spirit.
 *
 * @bsd tcp_hostcache.c
 */
final class TcpHostcache {
    /** So many samples make a round-trip time worth keeping. */
    private static final int ENOUGH = 4;

    private final Counter usedrtt;
    private final Counter usedrttvar;
    private final Counter usedssthresh;

    TcpHostcache(VnetSide vnet) {
        usedrtt = vnet.counters().counter("tcp.usedrtt");
        usedrttvar = vnet.counters().counter("tcp.usedrttvar");
        usedssthresh = vnet.counters().counter("tcp.usedssthresh");
    }

    /** What is known of the peer, or null. */
    @GuardedBy("tp.inp.lock")
    static HostCache.Entry of(Tcpcb tp) {
        final boolean v6 = tp.inp.isV6();
        return tp.tcp.net.metrics(v6 ? tp.inp.faddrHi() : 0, v6 ? tp.inp.faddrLo() : tp.inp.faddr4() & 0xffff_ffffL);
    }

    /**
     * The connection is being established: begins with the round trip and the threshold of those before. The
     * retransmit timeout follows. @bsd cc_conn_init
     */
    @GuardedBy("tp.inp.lock")
    void connInit(Tcpcb tp) {
        final HostCache.Entry e = of(tp);
        if (e == null) {
            return;
        }
        final long rtt = e.rttNs();
        if (tp.srttNs == 0 && rtt != 0) {
            tp.srttNs = rtt;
            usedrtt.increment();
            final long var = e.rttvarNs();
            if (var != 0) {
                usedrttvar.increment();
            }
            tp.rttvarNs = var != 0 ? var : rtt;
            tp.rxtcurNs = TcpRtt.clamp(tp, TcpRtt.rexmtVal(tp), 0);
        }
        final int ssthresh = e.ssthresh();
        if (ssthresh != 0) {
            // Some buffer on the way limits it, but never below two segments.
            tp.sndSsthresh = Math.max(2 * tp.segData, ssthresh);
            usedssthresh.increment();
        }
    }

    /**
     * The connection ends. The threshold counts only where a loss has set it: that is, when it is well below what the
     * buffer would let out.
     *
     * @bsd tcp_discardcb
     */
    @GuardedBy("tp.inp.lock")
    static void save(Tcpcb tp) {
        if (tp.rttupdated < ENOUGH || tp.inp.so == null) {
            return;
        }
        final HostCache.Metrics m = new HostCache.Metrics();
        m.rttNs = tp.srttNs;
        m.rttvarNs = tp.rttvarNs;
        m.cwnd = tp.sndCwnd;
        if (tp.sndSsthresh != 0 && tp.sndSsthresh < tp.inp.so.snd().hiwat() / 2) {
            final int segs = Math.max((tp.sndSsthresh + tp.maxseg / 2) / tp.maxseg, 2);
            m.ssthresh = segs * (tp.maxseg + TcpPath.minProtoHdr(tp));
        }
        final boolean v6 = tp.inp.isV6();
        tp.tcp.net.updateMetrics(v6 ? tp.inp.faddrHi() : 0,
            v6 ? tp.inp.faddrLo() : tp.inp.faddr4() & 0xffff_ffffL, m);
    }
}
