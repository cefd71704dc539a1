package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/**
 * Paths that swallow large packets and do not say so (RFC 2923 section 2.1): when a full segment goes unanswered twice,
 * a smaller size is tried, twice again the least one that every path takes, and when that does not help either it was
 * something else, and the size is what it was before. A size that is none smaller is passed over: over IPv6 the two are
 * the same.
 *
 * <p>All fields are constant.
 *
 * @bsd V_tcp_pmtud_blackhole_detect
 */
final class TcpBlackhole {
    private static final int ALL = 1;
    private static final int ONLY4 = 2;
    private static final int ONLY6 = 3;
    private static final int MSS4 = 1200;
    private static final int MSS6 = 1220;
    /** Timeouts in a row before the first attempt, and at each size. */
    private static final int STEP = 2;

    private final Sysctl detect;
    private final Sysctl mss4;
    private final Sysctl mss6;
    /** The first smaller size tried. @bsd tcps_pmtud_blackhole_activated */
    private final Counter activated;
    /** The least size tried. @bsd tcps_pmtud_blackhole_activated_min_mss */
    private final Counter activatedMinMss;
    /** It was something else. @bsd tcps_pmtud_blackhole_failed */
    private final Counter failed;

    TcpBlackhole(SysctlTree t, CounterSet set) {
        detect = t.addInt("net.inet.tcp.pmtud_blackhole_detection", 0, 0, ONLY6,
            "Detect path MTU black holes: 1 always, 2 over IPv4, 3 over IPv6");
        mss4 = t.addInt("net.inet.tcp.pmtud_blackhole_mss", MSS4, 1, TcpHeader.TCP_MAXWIN,
            "Segment size to try first, octets");
        mss6 = t.addInt("net.inet.tcp.v6pmtud_blackhole_mss", MSS6, 1, TcpHeader.TCP_MAXWIN,
            "Segment size to try first over IPv6, octets");
        activated = set.counter("tcp.pmtud_blackhole_activated");
        activatedMinMss = set.counter("tcp.pmtud_blackhole_activated_min_mss");
        failed = set.counter("tcp.pmtud_blackhole_failed");
    }

    /** A retransmit timeout, counted in {@code rxtshift}, before anything is sent again. @bsd tcp_timer_rexmt */
    @GuardedBy("tp.inp.lock")
    void timeout(Tcpcb tp) {
        if (!watches(tp)) {
            return;
        }
        final int first = first(tp);
        final int shift = tp.rxtshift;
        final int end = exit(tp, first);
        if (shift >= STEP && shift < end && shift % STEP == 0 && full(tp)) {
            smaller(tp, first);
        } else if (shift >= end && tp.has2(Tcpcb.TF2_PLPMTU_BLACKHOLE)) {
            tp.flags2 &= ~Tcpcb.TF2_PLPMTU_BLACKHOLE;
            failed.increment();
            resize(tp, tp.pmtudSavedMaxseg);
            tp.tcp.plpmtud.restored(tp);
        }
    }

    /** The size to try first, which most paths take. */
    @GuardedBy("tp.inp.lock")
    int first(Tcpcb tp) {
        return (tp.inp.isV6() ? mss6 : mss4).getInt();
    }

    /** Timeouts in a row after which it was something else: two for each size that is one. @bsd t_blackhole_exit */
    @GuardedBy("tp.inp.lock")
    private static int exit(Tcpcb tp, int first) {
        final int from = tp.has2(Tcpcb.TF2_PLPMTU_BLACKHOLE) ? tp.pmtudSavedMaxseg : tp.maxseg;
        final int least = TcpMss.mssdflt(tp);
        return STEP + (from > first ? STEP : 0) + (from > least && first > least ? STEP : 0);
    }

    @GuardedBy("tp.inp.lock")
    private boolean watches(Tcpcb tp) {
        final int mode = detect.getInt();
        return (mode == ALL || mode == (tp.inp.isV6() ? ONLY6 : ONLY4))
            && (tp.state == TcpState.ESTABLISHED || tp.state == TcpState.FIN_WAIT_1);
    }

    /**
     * Whether a tail loss probe is to be left to the timeout: what it would repeat is a full segment, and it is the
     * timeouts of those that are counted.
     */
    @GuardedBy("tp.inp.lock")
    boolean waits(Tcpcb tp) {
        return watches(tp) && full(tp);
    }

    /** What goes unanswered begins with a full segment, of a size that discovery may have to do with. */
    @GuardedBy("tp.inp.lock")
    private static boolean full(Tcpcb tp) {
        final TcpSysctl s = tp.tcp.sysctl;
        return s.pathMtuDiscovery.getBool() && tp.maxseg > s.minmss.getInt()
            && Math.min(tp.inp.so.snd().avail(), tp.sndMax - tp.sndUna) >= tp.segData;
    }

    @GuardedBy("tp.inp.lock")
    private void smaller(Tcpcb tp, int first) {
        if (!tp.has2(Tcpcb.TF2_PLPMTU_BLACKHOLE)) {
            tp.flags2 |= Tcpcb.TF2_PLPMTU_BLACKHOLE;
            tp.pmtudSavedMaxseg = tp.maxseg;
        }
        if (tp.maxseg > first && first > TcpMss.mssdflt(tp)) {
            activated.increment();
            resize(tp, first);
        } else {
            activatedMinMss.increment();
            resize(tp, Math.min(tp.maxseg, TcpMss.mssdflt(tp)));
        }
        tp.tcp.plpmtud.blackholed(tp, tp.pmtudSavedMaxseg);
    }

    @GuardedBy("tp.inp.lock")
    private static void resize(Tcpcb tp, int maxseg) {
        tp.maxseg = maxseg;
        TcpMss.resize(tp);
        tp.sndCwnd = tp.segData;
    }
}
