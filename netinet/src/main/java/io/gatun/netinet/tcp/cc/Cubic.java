package io.gatun.netinet.tcp.cc;

import io.gatun.spi.vnet.SysctlTree;

/**
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406). Between two congestion events the window follows a cubic of the time
 * since the last one, which is flat where the window was when that happened, and is never below what Reno would have.
 *
 * <p>Windows of the cubic are doubles, in segments: there is no step that could overflow, a large one saturates at
 * {@link #MAX_CWND}, and nothing is allocated. {@link StrictMath} keeps runs the same everywhere.
 *
 * <p>Locking key: (c) constant after {@link #modInit}.
 *
 * @bsd cubic_cc_algo
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9438">RFC 9438</a>
 */
public final class Cubic implements CcAlgo {
    /** Largest window that scaling can express. */
    static final int MAX_CWND = 65_535 << 14;

    /** RFC 9438 section 5: how fast the window grows. */
    private static final double C = 0.4;
    /** RFC 9438 section 4.6: what is left of the window. */
    private static final double BETA = 0.7;
    /** RFC 8511 section 3.2: what a mark leaves, with ABE. */
    private static final double BETA_ECN = 0.85;
    /** RFC 9438 section 4.3: as aggressive as Reno, given that factor. */
    private static final double ALPHA = 3 * (1 - BETA) / (1 + BETA);
    /** RFC 9438 section 4.2: growth within a round trip at most. */
    private static final double MOST = 1.5;
    private static final double NS_PER_S = 1e9;

    /** What a connection has besides. Locking key: (i) the pcb's lock. */
    private static final class State extends HyStart {
        private Curve curve;         // (i) null until slow start has ended for the first time

        Curve curve() {
            if (curve == null) {
                curve = new Curve();
            }
            return curve;
        }
    }

    /** The cubic that a window follows, of which a connection that has lost nothing yet has none. */
    private static final class Curve {
        private boolean epoch;       // (i) congestion avoidance has begun; what follows holds
        private long epochNs;        // (i) when
        private double wMax;         // (i) window before the last reduction, segments; 0 none
        private double k;            // (i) seconds until the cubic is back there
        private double wEst;         // (i) what Reno would have, segments
        private double cwndPrior;    // (i) window at the last reduction, segments
        private double credit;       // (i) octets of growth not given yet
        private double undoWMax;     // (i) before the last timeout or loss, as the next one
        private double undoPrior;    // (i)
    }

    private Abe abe;                                                 // (c) null without a vnet
    private HyStart.Tunables tunables = HyStart.Tunables.defaults(); // (c)

    /** For ServiceLoader. */
    public Cubic() {
        // state is the connection's, tunables come with the vnet
    }

    @Override
    public void modInit(final SysctlTree tree) {
        abe = new Abe(tree);
        tunables = HyStart.Tunables.of(tree);
    }

    @Override
    public String name() {
        return "cubic";
    }

    /** @bsd cubic_cb_init */
    @Override
    public Object cbInit(final CcVar v) {
        return new State();
    }

    private static State state(final CcVar v) {
        return (State) v.ccData();
    }

    /** @bsd cubic_ack_received */
    @Override
    public void ackReceived(final CcVar v, final Ack kind) {
        if (kind != Ack.ACK || v.inFastRecovery() || v.inCongRecovery() || !v.cwndLimited()) {
            return;
        }
        final State s = state(v);
        if (v.cwnd() < v.ssthresh()) {
            slowStart(v, s);
        } else {
            avoidance(v, s);
        }
    }

    private void slowStart(final CcVar v, final State s) {
        final int mss = v.maxseg();
        // RFC 9406 section 4.2 has a limit of its own: receivers that merge segments acknowledge many at a time.
        final int segs = v.rxtshift() == 0 ? Math.max(v.abcLVar(), HyStart.L) * v.nsegs() : 1;
        final int incr = v.byteCounting() ? (int) Math.min(v.bytesThisAck(), (long) segs * mss) : mss;
        grow(v, s.growth(tunables, incr));
    }

    private static void avoidance(final CcVar v, final State s) {
        final double mss = v.maxseg();
        final double cwnd = v.cwnd() / mss;
        s.end();
        final Curve c = s.curve();
        if (!c.epoch) {
            begin(v, c, cwnd);
        }
        final double acked = v.bytesThisAck() / mss;
        // Section 4.3: once Reno would be back where it was, it grows by a whole segment per round trip.
        c.wEst += (c.wEst < c.cwndPrior ? ALPHA : 1) * acked / cwnd;
        final double t = Math.max(v.nowNs() - c.epochNs, 0) / NS_PER_S;
        if (cubic(c, t) < c.wEst) {
            // The Reno-friendly region.
            c.credit = 0;
            v.setCwnd((int) Math.clamp(c.wEst * mss, v.cwnd(), (double) MAX_CWND));
            return;
        }
        final double target = Math.clamp(cubic(c, t + v.srttNs() / NS_PER_S), cwnd, MOST * cwnd);
        c.credit += (target - cwnd) / cwnd * v.bytesThisAck();
        if (c.credit >= 1) {
            final int whole = (int) Math.min(c.credit, MAX_CWND);
            c.credit -= whole;
            grow(v, whole);
        }
    }

    /** Section 4.2, figure 2: where the cubic starts from. */
    private static void begin(final CcVar v, final Curve c, final double cwnd) {
        c.epoch = true;
        c.epochNs = v.nowNs();
        c.wEst = cwnd;
        c.credit = 0;
        if (c.wMax < cwnd) {
            c.wMax = cwnd; // section 4.8, 4.10: nothing to go back to
        }
        if (c.cwndPrior < cwnd) {
            c.cwndPrior = cwnd;
        }
        c.k = k(c.wMax, cwnd);
    }

    /** Seconds until a window that has shrunk to {@code cwnd} is at {@code wMax} again; section 4.2, figure 2. */
    static double k(final double wMax, final double cwnd) {
        return StrictMath.cbrt(Math.max(wMax - cwnd, 0) / C);
    }

    /** Section 4.2, figure 1: the window after {@code t} seconds, segments. */
    static double cubic(final double wMax, final double k, final double t) {
        final double d = t - k;
        return C * d * d * d + wMax;
    }

    private static double cubic(final Curve c, final double t) {
        return cubic(c.wMax, c.k, t);
    }

    private static void grow(final CcVar v, final int octets) {
        v.setCwnd((int) Math.min((long) v.cwnd() + octets, MAX_CWND));
    }

    /** Sections 4.6 to 4.9. @bsd cubic_cong_signal */
    @Override
    public void congSignal(final CcVar v, final Signal kind) {
        final State s = state(v);
        final Curve c = s.curve();
        switch (kind) {
            case NDUPACK -> {
                if (!v.inFastRecovery()) {
                    c.undoWMax = c.wMax;
                    c.undoPrior = c.cwndPrior;
                    if (!v.inCongRecovery()) {
                        reduce(v, s, BETA);
                    } else if (abe != null && abe.frlossreduce()) {
                        v.setSsthresh((int) (v.ssthresh() * (BETA / BETA_ECN)));
                    }
                    v.enterRecovery();
                }
            }
            case ECN -> {
                if (!v.inCongRecovery()) {
                    reduce(v, s, abe != null && abe.on() ? BETA_ECN : BETA);
                    v.setCwnd(v.ssthresh());
                    v.enterCongRecovery();
                }
            }
            case RTO -> {
                if (v.rxtshift() <= 1) {
                    c.undoWMax = c.wMax;
                    c.undoPrior = c.cwndPrior;
                    reduce(v, s, BETA);
                }
                s.end(); // RFC 9406 section 4.3: the first slow start alone
                v.setCwnd(v.maxseg());
            }
            case RTO_ERR -> {
                c.wMax = c.undoWMax;
                c.cwndPrior = c.undoPrior;
                c.epoch = false;
            }
        }
    }

    /** Section 4.6, and fast convergence, section 4.7: who has less than before makes room. */
    private static void reduce(final CcVar v, final State s, final double beta) {
        final int mss = v.maxseg();
        final double cwnd = (double) v.cwnd() / mss;
        s.end();
        final Curve c = s.curve();
        c.epoch = false;
        c.cwndPrior = cwnd;
        c.wMax = cwnd < c.wMax ? cwnd * (1 + BETA) / 2 : cwnd;
        final int flight = Math.min(v.cwnd(), v.pipe()); // an application-limited window was never used
        v.setSsthresh((int) Math.max(flight * beta, 2.0 * mss));
    }

    /** @bsd cubic_post_recovery */
    @Override
    public void postRecovery(final CcVar v) {
        final int pipe = v.pipe();
        final int mss = v.maxseg();
        v.setCwnd(pipe < v.ssthresh() ? Math.max(pipe, mss) + mss : v.ssthresh());
    }

    /** RFC 5681 section 4.1; the time of silence does not count as time of growth. @bsd cubic_after_idle */
    @Override
    public void afterIdle(final CcVar v) {
        final State s = state(v);
        if (s.curve != null) {
            s.curve.wMax = Math.max(s.curve.wMax, (double) v.cwnd() / v.maxseg());
            s.curve.epoch = false;
        }
        v.setSsthresh(Math.max(v.ssthresh(), (int) ((long) v.cwnd() * 3 / 4)));
        v.setCwnd(Math.min(v.initwnd(), v.cwnd()));
    }

    @Override
    public void newround(final CcVar v, final int roundCount) {
        if (v.cwnd() < v.ssthresh() && state(v).newround(tunables)) {
            v.setSsthresh(v.cwnd());
            state(v).end();
        }
    }

    @Override
    public void rttsample(final CcVar v, final long rttNs) {
        if (v.cwnd() < v.ssthresh()) {
            state(v).rttsample(tunables, rttNs);
        }
    }
}
