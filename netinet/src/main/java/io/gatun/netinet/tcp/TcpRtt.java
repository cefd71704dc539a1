package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.Errno;

/** The retransmit timeout by RFC 6298, in ns throughout. */
final class TcpRtt {
    private TcpRtt() {
    }

    /**
     * Takes a round trip into account. Never called for a segment that was sent twice (Karn), unless a timestamp
     * tells which of them was answered.
     *
     * @bsd tcp_xmit_timer
     */
    @GuardedBy("tp.inp.lock")
    static void xmitTimer(Tcpcb tp, long sampleNs) {
        final long rtt = Math.max(sampleNs, 1);
        tp.tcp.stat.rttupdated.increment();
        tp.rttupdated++;
        if (tp.srttNs != 0) {
            // RFC 6298 2.3: alpha 1/8, beta 1/4; the variance first, with the old mean.
            final long delta = rtt - tp.srttNs;
            tp.rttvarNs += (Math.abs(delta) - tp.rttvarNs) / 4;
            tp.srttNs = Math.max(tp.srttNs + delta / 8, 1);
        } else {
            tp.srttNs = rtt;
            tp.rttvarNs = rtt / 2;
        }
        if (tp.rttbestNs == 0 || rtt < tp.rttbestNs) {
            tp.rttbestNs = rtt;
        }
        tp.act().rtttimeNs = 0;
        tp.rxtshift = 0;
        tp.rxtcurNs = clamp(tp, rexmtVal(tp), rtt);
        tp.softerror = Errno.OK; // what was reported did not last
        if (!tp.timestamps()) {
            tp.cc.rttsample(tp, rtt);
        }
    }

    /** SRTT + 4 RTTVAR, at least the minimum. @bsd TCP_REXMTVAL */
    @GuardedBy("tp.inp.lock")
    static long rexmtVal(Tcpcb tp) {
        return Math.max(tp.srttNs + 4 * tp.rttvarNs, tp.tcp.sysctl.rexmitMin.get() * Tcp.NS_PER_MS);
    }

    /** Adds the slop and keeps within bounds. @bsd TCPT_RANGESET */
    @GuardedBy("tp.inp.lock")
    static long clamp(Tcpcb tp, long valueNs, long atLeastNs) {
        final TcpSysctl s = tp.tcp.sysctl;
        final long lo = Math.max(s.rexmitMin.get() * Tcp.NS_PER_MS, atLeastNs);
        final long hi = Math.max(lo, s.rexmitMax.get() * Tcp.NS_PER_MS);
        return Math.clamp(valueNs + s.rexmitSlop.get() * Tcp.NS_PER_MS, lo, hi);
    }
}
