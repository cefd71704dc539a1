package io.gatun.netinet.tcp.cc;

import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/**
 * NewReno: RFC 5681 slow start, congestion avoidance and reduction, with the byte counting of RFC 3465, and with a
 * lesser reduction for marks than for losses where {@code net.inet.tcp.cc.abe} is on (ABE, RFC 8511). Fast recovery
 * itself (RFC 6582) is the transport's.
 *
 * <p>Locking key: (c) constant after {@link #modInit}; null where there is none, and then the defaults hold.
 *
 * @bsd newreno_cc_algo
 */
public final class NewReno implements CcAlgo {
    private static final int PERCENT = 100;
    private static final int BETA = 50;
    private static final int BETA_ECN = 80;

    private Abe abe;        // (c)
    private Sysctl beta;    // (c)
    private Sysctl betaEcn; // (c)

    /** For ServiceLoader. */
    public NewReno() {
        // tunables come with the vnet
    }

    @Override
    public void modInit(SysctlTree tree) {
        final String base = "net.inet.tcp.cc.newreno.";
        abe = new Abe(tree);
        beta = tree.addInt(base + "beta", BETA, 1, PERCENT, "What a loss leaves of the window, percent");
        betaEcn = tree.addInt(base + "beta_ecn", BETA_ECN, 1, PERCENT, "What a mark leaves of the window, with ABE");
    }

    /** What is left of the window, percent: by the connection's options, else the vnet's. */
    private int beta(CcVar v, boolean ecn) {
        final int own = v.ccData() instanceof NewRenoOpts o ? ecn ? o.betaEcn() : o.beta() : 0;
        if (own != 0) {
            return own;
        }
        return ecn ? betaEcn == null ? BETA_ECN : betaEcn.getInt() : beta == null ? BETA : beta.getInt();
    }

    /**
     * Of a {@link NewRenoOpts}.
     *
     * @return OK; EINVAL for anything else, EACCES for a reduction by marks while there is none but by losses
     * @bsd newreno_ctl_output
     */
    @Override
    public Errno ctlOutput(CcVar v, SockOpt opt) {
        if (opt.dir() == SockOpt.Dir.GET) {
            opt.answer(new NewRenoOpts(beta(v, false), beta(v, true)));
            return Errno.OK;
        }
        if (!(opt.object() instanceof NewRenoOpts o) || o.beta() < 0 || o.beta() > PERCENT || o.betaEcn() < 0
            || o.betaEcn() > PERCENT) {
            return Errno.EINVAL;
        }
        if (o.betaEcn() != 0 && (abe == null || !abe.on())) {
            return Errno.EACCES;
        }
        final NewRenoOpts old = v.ccData() instanceof NewRenoOpts have ? have : new NewRenoOpts(0, 0);
        v.setCcData(new NewRenoOpts(o.beta() == 0 ? old.beta() : o.beta(),
            o.betaEcn() == 0 ? old.betaEcn() : o.betaEcn()));
        return Errno.OK;
    }

    @Override
    public String name() {
        return "newreno";
    }

    /**
     * Grows cwnd when the sender filled it: by what was acknowledged in slow start, by one segment per window in
     * congestion avoidance. @bsd newreno_cc_ack_received
     */
    @Override
    public void ackReceived(CcVar v, Ack kind) {
        if (!v.inCongRecovery()) {
            grow(v, kind);
        }
    }

    /** As {@link #ackReceived}, for those who do not pause in recovery from a mark. */
    static void grow(CcVar v, Ack kind) {
        if (kind != Ack.ACK || v.inFastRecovery() || !v.cwndLimited()) {
            return;
        }
        final int cw = v.cwnd();
        final int mss = v.maxseg();
        final int incr;
        if (cw > v.ssthresh()) {
            incr = avoidance(v, cw, mss);
        } else if (v.byteCounting()) {
            // After a timeout, while what was lost is sent again, one segment per ACK (RFC 3465 section 2.3).
            final int segs = v.rxtshift() == 0 ? v.abcLVar() * v.nsegs() : 1;
            incr = (int) Math.min(v.bytesThisAck(), (long) segs * mss);
        } else {
            incr = mss;
        }
        if (incr > 0) {
            v.setCwnd((int) Math.min((long) cw + incr, MAX_CWND));
        }
    }

    private static int avoidance(CcVar v, int cw, int mss) {
        if (v.byteCounting()) {
            return v.abcSentAWnd() ? mss : 0;
        }
        return Math.max((int) ((long) mss * mss / cw), 1);
    }

    /** RFC 5681 equation 4: a part of the flight in whole segments, at least two. */
    static int reduced(CcVar v, int percent) {
        final int mss = v.maxseg();
        return Math.max((int) ((long) Math.min(v.sndWnd(), v.pipe()) * percent / PERCENT / mss), 2) * mss;
    }

    /** RFC 5681 equation 4; RFC 8511. @bsd newreno_cong_signal */
    @Override
    public void congSignal(CcVar v, Signal kind) {
        final boolean lesser = kind == Signal.ECN && abe != null && abe.on();
        final int half = reduced(v, beta(v, lesser));
        switch (kind) {
            case NDUPACK -> {
                if (!v.inFastRecovery()) {
                    if (!v.inCongRecovery()) {
                        v.setSsthresh(half);
                    } else if (abe != null && abe.frlossreduce()) {
                        v.setSsthresh((int) ((long) v.ssthresh() * beta(v, false) / beta(v, true)));
                    }
                    v.enterRecovery();
                }
            }
            case ECN -> {
                if (!v.inCongRecovery()) {
                    v.setSsthresh(half);
                    v.setCwnd(half);
                    v.enterCongRecovery();
                }
            }
            case RTO -> {
                // RFC 5681 section 3.1: ssthresh is not lowered again by further timeouts of one segment.
                if (v.rxtshift() <= 1) {
                    v.setSsthresh(half);
                }
                v.setCwnd(v.maxseg());
            }
            case RTO_ERR -> { }
        }
    }

    /** RFC 6582 section 3.2 step 3, option 1: no burst when little is in flight. @bsd newreno_post_recovery */
    @Override
    public void postRecovery(CcVar v) {
        final int pipe = v.pipe();
        if (pipe < v.ssthresh()) {
            v.setCwnd(Math.max(pipe, v.maxseg()) + v.maxseg());
        } else {
            v.setCwnd(v.ssthresh());
        }
    }

    /** RFC 5681 section 4.1: restart from the initial window. @bsd newreno_after_idle */
    @Override
    public void afterIdle(CcVar v) {
        v.setSsthresh(Math.max(v.ssthresh(), (int) ((long) v.cwnd() * 3 / 4)));
        v.setCwnd(Math.min(v.initwnd(), v.cwnd()));
    }

    /** Largest window that scaling can express. */
    private static final int MAX_CWND = 65_535 << 14;
}
