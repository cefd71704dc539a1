package io.gatun.netinet.tcp.cc;

/**
 * NewReno: RFC 5681 slow start, congestion avoidance and reduction, with the byte counting of RFC 3465. Fast recovery
 * itself (RFC 6582) is the transport's.
 *
 * @bsd newreno_cc_algo
 */
public final class NewReno implements CcAlgo {
    /** For ServiceLoader. */
    public NewReno() {
        // has no state
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
        if (kind != Ack.ACK || v.inFastRecovery() || v.inCongRecovery() || !v.cwndLimited()) {
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

    /** RFC 5681 equation 4: half the flight, at least two segments. @bsd newreno_cong_signal */
    @Override
    public void congSignal(CcVar v, Signal kind) {
        final int mss = v.maxseg();
        final int half = Math.max(Math.min(v.sndWnd(), v.pipe()) / 2 / mss, 2) * mss;
        switch (kind) {
            case NDUPACK -> {
                if (!v.inFastRecovery()) {
                    if (!v.inCongRecovery()) {
                        v.setSsthresh(half);
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
                v.setCwnd(mss);
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
