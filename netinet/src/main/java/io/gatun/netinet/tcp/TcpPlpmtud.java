package io.gatun.netinet.tcp;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;
import io.gatun.spi.sys.Seq;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/**
 * Looks for larger segments that the path takes, without help from ICMP (RFC 4821; the constants of RFC 8899): now and
 * then one segment of new data is larger than the others. If it arrives, all are as large from then on; if it is lost
 * {@code max_probes} times, and alone, that size is too large. Its loss is no congestion (RFC 4821 section 7.6.2), and
 * the time to the next probe sees to it that there are not more of them than Reno loses by itself.
 *
 * <p>{@code net.inet.tcp.plpmtud.enable}: 0 never; 1 where the size was lowered: by {@link TcpBlackhole}, at once, to
 * find what lies between; by ICMP or what was known of the path before, after {@code raise_time}; 2 on every
 * connection, which then begins with the size that {@link TcpBlackhole} tries first.
 *
 * <p>A probe goes out when it can be told what became of it: where the peer acknowledges selectively, nothing is lost
 * or out of order, the window is of eleven segments, and there is data to follow it. Not within UDP, whose path may be
 * one where fragments are wanted. All fields are constant.
 */
final class TcpPlpmtud {
    /** Wherever the size was lowered. */
    private static final int LOWERED = 1;
    /** On every connection. */
    private static final int ALWAYS = 2;
    /** RFC 8899 section 5.1.2. */
    private static final int MAX_PROBES = 3;
    /** RFC 8899 section 5.1.1, PMTU_RAISE_TIMER. */
    private static final int RAISE_S = 600;
    /** A search that could gain less is over. */
    private static final int THRESHOLD = 8;
    private static final int LEAST_WINDOW = 11;
    /** Segments that follow a probe: as many as make a loss of it, and one that may be out of order. */
    private static final int FOLLOW = 4;
    /** Round trips from a lost probe to the next. */
    private static final int LEAST_ROUNDS = 5;
    private static final long MOST_WAIT_NS = 60 * Tcp.NS_PER_S;
    /** What says that this is no time to try things. */
    private static final int BUSY = Tcpcb.TF2_PLPMTU_PROBE | Tcpcb.TF2_RTO_RECOVERY | Tcpcb.TF2_TLP;

    private final Sysctl enable;
    private final Sysctl maxProbes;
    private final Sysctl raise;
    /** Probes sent. */
    private final Counter probes;
    /** Probes that arrived. */
    private final Counter raised;
    /** Probes that alone were lost. */
    private final Counter lost;

    TcpPlpmtud(SysctlTree t, CounterSet set) {
        final String base = "net.inet.tcp.plpmtud.";
        enable = t.addInt(base + "enable", LOWERED, 0, ALWAYS,
            "Probe for larger segments: 1 where they were made smaller, 2 always");
        maxProbes = t.addInt(base + "max_probes", MAX_PROBES, 1, 100, "Lost probes that make a size too large");
        raise = t.addInt(base + "raise_time", RAISE_S, 1, Integer.MAX_VALUE, "Time to the next search, s");
        probes = set.counter("tcp.plpmtud_probes");
        raised = set.counter("tcp.plpmtud_raised");
        lost = set.counter("tcp.plpmtud_lost");
    }

    // ---- where a search begins ------------------------------------------------------------

    /** The handshake has set the size; {@code most} is what peer and link take, whatever is known of the path. */
    @GuardedBy("tp.inp.lock")
    void opened(Tcpcb tp, int most) {
        assert may(tp);
        if (enable.getInt() == ALWAYS && tp.tcp.blackhole.first(tp) < most) {
            tp.maxseg = Math.min(tp.maxseg, tp.tcp.blackhole.first(tp));
            begin(tp, most).nextNs = tp.now();
        } else if (tp.maxseg < most) {
            settle(tp, begin(tp, most));
        }
    }

    /** ICMP, or the link, has lowered the size: to no more than what passes, so there is nothing to find for now. */
    @GuardedBy("tp.inp.lock")
    void lowered(Tcpcb tp, int before) {
        if (tp.maxseg < before && tp.state.haveEstablished() && may(tp)) {
            tp.flags2 &= ~Tcpcb.TF2_PLPMTU_PROBE;
            settle(tp, begin(tp, before));
        }
    }

    /** A black hole is suspected, and the size lowered: what passes lies between that and what it was before. */
    @GuardedBy("tp.inp.lock")
    void blackholed(Tcpcb tp, int before) {
        if (!may(tp)) {
            return;
        }
        tp.flags2 &= ~Tcpcb.TF2_PLPMTU_PROBE;
        final TcpPlpmtudCb c = begin(tp, before);
        c.high = before - 1;
        c.whole = false;
        c.nextNs = tp.now();
    }

    /** It was no black hole: the size is what it was before. */
    @GuardedBy("tp.inp.lock")
    void restored(Tcpcb tp) {
        tp.plpmtud = null;
        tp.flags2 &= ~Tcpcb.TF2_PLPMTU_PROBE;
    }

    /** Whether sizes are searched for at all. */
    @GuardedBy("tp.inp.lock")
    boolean may(Tcpcb tp) {
        return enable.getInt() != 0 && tp.port == 0 && tp.tcp.sysctl.pathMtuDiscovery.getBool()
            && tp.has(Tcpcb.TF_SACK_PERMIT);
    }

    @GuardedBy("tp.inp.lock")
    private static TcpPlpmtudCb begin(Tcpcb tp, int most) {
        if (tp.plpmtud == null) {
            tp.plpmtud = new TcpPlpmtudCb();
        }
        final TcpPlpmtudCb c = tp.plpmtud;
        c.most = Math.max(c.most, most);
        restart(c);
        return c;
    }

    private static void restart(TcpPlpmtudCb c) {
        c.high = c.most;
        c.whole = true;
        c.done = false;
        c.size = 0;
        c.tries = 0;
    }

    /** Nothing is left to be found, for a while. */
    @GuardedBy("tp.inp.lock")
    private void settle(Tcpcb tp, TcpPlpmtudCb c) {
        c.done = true;
        c.size = 0;
        c.nextNs = tp.now() + raise.get() * Tcp.NS_PER_S;
    }

    // ---- sending ------------------------------------------------------------

    /** New data is about to go: it may be a probe, or wait until the windows have room for one. */
    @GuardedBy("tp.inp.lock")
    void plan(Tcpcb tp, SendPlan p, int avail) {
        final TcpPlpmtudCb c = tp.plpmtud;
        final boolean quiet = tp.map == null ? tp.sndMax == tp.sndUna : tp.map.clean();
        if (tp.act().nowNs - c.nextNs < 0 || p.rexmit || !quiet || tp.has2(BUSY) || tp.inRecovery()
            || tp.act().force != 0 || tp.has(Tcpcb.TF_FORCEDATA) || tp.rxtshift != 0 || Seq.gt(tp.sndUp, p.seq)) {
            return;
        }
        if (c.size == 0 && !choose(tp, c)) {
            return;
        }
        final int len = c.size - p.optlen;
        final int least = Math.max(LEAST_WINDOW * tp.segData, len + FOLLOW * tp.segData);
        if (Math.min(tp.sndWnd, tp.sndCwnd) < least || avail - p.off < len + FOLLOW * tp.segData) {
            return;
        }
        p.tso = false;
        p.flags &= ~TcpHeader.TH_FIN; // there is more text behind it
        if (Math.min(tp.sndWnd - p.off, tp.map == null ? tp.sndCwnd : TcpRack.room(tp)) < len) {
            p.len = 0; // acknowledgments will come, and make room
            p.sendalot = false;
            return;
        }
        p.len = len;
        p.probe = true;
        p.sendalot = true;
    }

    /** The size to try next; false when there is none. RFC 4821 section 7.3: all of it, then by halves. */
    @GuardedBy("tp.inp.lock")
    private boolean choose(Tcpcb tp, TcpPlpmtudCb c) {
        if (c.done) {
            restart(c);
        }
        c.high = Math.min(c.high, TcpMss.linkMtu(tp) - TcpPath.minProtoHdr(tp));
        if (tp.user.maxseg() != 0) {
            c.high = Math.min(c.high, tp.user.maxseg());
        }
        if (c.high - tp.maxseg < THRESHOLD) {
            settle(tp, c);
            return false;
        }
        c.size = c.whole ? c.high : tp.maxseg + (c.high - tp.maxseg + 1) / 2;
        return true;
    }

    /** The probe is out. */
    @GuardedBy("tp.inp.lock")
    void sent(Tcpcb tp, SendPlan p) {
        probes.increment();
        if (tp.map == null) {
            return; // nothing will tell what becomes of it, until all is acknowledged
        }
        tp.flags2 |= Tcpcb.TF2_PLPMTU_PROBE;
        tp.plpmtud.start = p.seq;
        tp.plpmtud.end = p.seq + p.len;
    }

    /** IP did not take the probe. */
    @GuardedBy("tp.inp.lock")
    void refused(Tcpcb tp) {
        tooLarge(tp.plpmtud);
    }

    // ---- what became of it ------------------------------------------------------------

    /** Something was acknowledged while a probe is out: if it was that, segments are as large from now on. */
    @GuardedBy("tp.inp.lock")
    void acked(Tcpcb tp, int ack) {
        final TcpPlpmtudCb c = tp.plpmtud;
        if (Seq.lt(ack, c.end)) {
            return;
        }
        raised.increment();
        tp.flags2 &= ~(Tcpcb.TF2_PLPMTU_PROBE | Tcpcb.TF2_PLPMTU_BLACKHOLE);
        tp.maxseg = tp.user.maxseg() != 0 ? Math.min(c.size, tp.user.maxseg()) : c.size;
        TcpMss.resize(tp);
        c.size = 0;
        c.tries = 0;
        final int mtu = tp.maxseg + TcpPath.minProtoHdr(tp);
        final int learnt = TcpPath.mtu(tp);
        if (learnt != 0 && learnt < mtu) {
            TcpPath.updateMtu(tp, mtu);
        }
        if (tp.fb != null) {
            tp.fb.mtuChg(tp);
        }
    }

    /**
     * Something was found to be lost while a probe is out.
     *
     * @return true when it is the probe alone, and so no sign of congestion
     */
    @GuardedBy("tp.inp.lock")
    boolean lost(Tcpcb tp) {
        final TcpPlpmtudCb c = tp.plpmtud;
        tp.flags2 &= ~Tcpcb.TF2_PLPMTU_PROBE;
        final long rounds = Math.max(LEAST_ROUNDS, tp.sndCwnd / (2 * tp.segData));
        c.nextNs = tp.act().nowNs + Math.min(rounds * tp.srttNs, MOST_WAIT_NS);
        if (!tp.map.lostWithin(c.start, c.end)) {
            return false; // which says nothing of its size
        }
        lost.increment();
        tp.act().force = Tcpcb.FORCE_LOST; // whatever cwnd says: they have left the network
        tp.act().forceSegs = Math.ceilDiv(tp.map.lost(), tp.segData);
        if (++c.tries >= maxProbes.getInt()) {
            tooLarge(c);
        }
        return true;
    }

    /** Nothing can be said of the probe that is out: a timeout, or what is in flight goes again. */
    @GuardedBy("tp.inp.lock")
    void inconclusive(Tcpcb tp) {
        tp.flags2 &= ~Tcpcb.TF2_PLPMTU_PROBE;
        tp.plpmtud.nextNs = tp.now() + LEAST_ROUNDS * tp.rxtcurNs;
    }

    /** A router says what passes, which is no less than what is in use: it speaks of the probe. */
    @GuardedBy("tp.inp.lock")
    void told(Tcpcb tp, int mtu) {
        final TcpPlpmtudCb c = tp.plpmtud;
        final int size = mtu - TcpPath.minProtoHdr(tp);
        if (tp.has2(Tcpcb.TF2_PLPMTU_PROBE) && size < c.size) {
            c.high = size;
            c.tries = maxProbes.getInt() - 1; // its loss, once it is seen, is the last of that size
            c.whole = true;
        }
    }

    private static void tooLarge(TcpPlpmtudCb c) {
        c.whole &= c.high < c.size; // unless a router has said what passes
        c.high = Math.min(c.high, c.size - 1);
        c.size = 0;
        c.tries = 0;
    }
}
