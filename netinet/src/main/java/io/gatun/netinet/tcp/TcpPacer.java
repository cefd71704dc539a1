package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/**
 * Keeps a connection below the rate of SO_MAX_PACING_RATE, headers of IP and TCP counted: after each burst the next
 * waits until the rate has caught up. A burst is what the rate carries in a millisecond, in whole segments and at least
 * two. Acknowledgments, window probes, and what a recovery timer sends are not held back, but counted.
 *
 * <p>Locking key: (c) constant; (i) the pcb's lock.
 */
final class TcpPacer {
    /** SO_MAX_PACING_RATE for as fast as can be. */
    static final long UNLIMITED = 0xffff_ffffL;

    private static final long NS_PER_S = 1_000_000_000L;
    /** How much a timer that ran late may make good. */
    private static final long CREDIT_NS = 2 * Tcp.NS_PER_MS;
    private static final long BURSTS_PER_S = 1000;
    private static final int LEAST_SEGMENTS = 2;

    private final long rate;            // (c) octets per second
    private long nextNs = Long.MIN_VALUE; // (i) when data may go
    private long wakeNs = TcpTimers.OFF;  // (i) when somebody waits for that

    private TcpPacer(long rate) {
        this.rate = rate;
    }

    /** For a rate as SO_MAX_PACING_RATE has it; null for one that holds nothing back. */
    static TcpPacer of(long rate) {
        return rate == 0 || rate >= UNLIMITED ? null : new TcpPacer(rate);
    }

    /** The rate of a connection, as SO_MAX_PACING_RATE. */
    @GuardedBy("tp.inp.lock")
    static long rate(Tcpcb tp) {
        return tp.pacer == null ? 0 : tp.pacer.rate;
    }

    /** Sets it, at any time: what the old one held back may go by the new one. */
    @GuardedBy("tp.inp.lock")
    static void set(Tcpcb tp, long rate) {
        final boolean waited = tp.pacer != null && tp.pacer.wakeNs != TcpTimers.OFF;
        tp.pacer = of(rate);
        if (waited) {
            TcpOutput.output(tp);
        }
    }

    /** A planned segment's text is left out of it when the time has not come. */
    @GuardedBy("tp.inp.lock")
    static void hold(Tcpcb tp, SendPlan p) {
        final TcpPacer pacer = tp.pacer;
        if (tp.act().nowNs >= pacer.nextNs || tp.has(Tcpcb.TF_FORCEDATA) || tp.act().force != 0) {
            return;
        }
        p.len = 0;
        p.rexmit = false;
        p.seq = tp.sndNxt;
        p.off = tp.sndNxt - tp.sndUna;
        if (pacer.wakeNs == TcpTimers.OFF) {
            pacer.wakeNs = pacer.nextNs;
            TcpTimers.wakeAt(tp, pacer.nextNs);
        }
    }

    /** Octets that may go at a time, of segments with {@code mss} octets. */
    int burst(int mss) {
        return (int) Math.min(Math.max(rate / BURSTS_PER_S / mss, LEAST_SEGMENTS) * mss, Integer.MAX_VALUE);
    }

    /** Text went out. */
    @GuardedBy("tp.inp.lock")
    static void sent(Tcpcb tp, SendPlan p) {
        final TcpPacer pacer = tp.pacer;
        final int mss = Math.max(tp.maxseg - p.optlen, 1);
        final long octets = p.len + (long) Math.ceilDiv(p.len, mss) * (TcpPath.minProtoHdr(tp) + p.optlen);
        pacer.nextNs = Math.max(pacer.nextNs, tp.act().nowNs - CREDIT_NS) + octets * NS_PER_S / pacer.rate;
    }

    /** When it has to be woken; {@link TcpTimers#OFF} when nothing waits. */
    @GuardedBy("tp.inp.lock")
    static long wakeNs(Tcpcb tp) {
        return tp.pacer == null ? TcpTimers.OFF : tp.pacer.wakeNs;
    }

    /** Nothing waits any more: the time has come, or the connection goes. */
    @GuardedBy("tp.inp.lock")
    static void awake(Tcpcb tp) {
        if (tp.pacer != null) {
            tp.pacer.wakeNs = TcpTimers.OFF;
        }
    }
}
