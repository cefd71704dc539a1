package io.gatun.netinet.tcp.cc;

import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;

/**
 * DCTCP (RFC 8257), for networks under one hand whose switches mark early: the window shrinks by half the share of
 * octets that was marked, once in a window. Losses, and connections without ECN, are NewReno's.
 *
 * <p>The receiver tells the marks of every segment: with classic ECN, ECE stands for the last segment alone and changes
 * are acknowledged at once; with AccECN the counts do that by themselves.
 *
 * <p>Locking key: (c) constant after {@link #modInit}, null without one; in the state of a connection (i) the pcb's
 * lock.
 *
 * @bsd dctcp_cc_algo
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8257">RFC 8257</a>
 */
public final class Dctcp implements CcAlgo {
    /** Alpha of 1 as the sysctl has it. @bsd MAX_ALPHA_VALUE */
    static final int MAX_ALPHA_VALUE = 1024;
    private static final int SHIFT_G = 4;
    private static final int MOST_SHIFT_G = 10;
    private static final int HALF = 50;

    /** @bsd struct dctcp */
    private static final class State {
        private double alpha = 1;     // (i) the share of octets that is marked
        private long bytesEcn;        // (i) octets acknowledged and marked in this window
        private long bytesTotal;      // (i) octets acknowledged in it
        private boolean windowOver;   // (i) the acknowledgment in progress ends it
        private boolean cePrev;       // (i) the last segment came marked
        private boolean hadCongestion; // (i)
    }

    private final NewReno reno = new NewReno();
    private Sysctl alpha;     // (c)
    private Sysctl shiftG;    // (c)
    private Sysctl slowstart; // (c)
    private Sysctl ect1;      // (c)

    /** For ServiceLoader. */
    public Dctcp() {
        // state is the connection's, tunables come with the vnet
    }

    @Override
    public void modInit(final SysctlTree tree) {
        final String base = "net.inet.tcp.cc.dctcp.";
        alpha = tree.addInt(base + "alpha", MAX_ALPHA_VALUE, 0, MAX_ALPHA_VALUE, "The share to begin with, of 1024");
        shiftG = tree.addInt(base + "shift_g", SHIFT_G, 1, MOST_SHIFT_G, "Weight of a window in the share: 2^-n");
        slowstart = tree.addBool(base + "slowstart", false, "Halve the window at the first mark");
        ect1 = tree.addBool(base + "ect1", false, "Send ECT(1) in place of ECT(0)");
    }

    @Override
    public String name() {
        return "dctcp";
    }

    /** @bsd dctcp_cb_init */
    @Override
    public Object cbInit(final CcVar v) {
        final State s = new State();
        if (alpha != null) {
            s.alpha = (double) alpha.getInt() / MAX_ALPHA_VALUE;
        }
        if (ect1 != null && ect1.getBool()) {
            v.ecnUseEct1();
        }
        return s;
    }

    private static State state(final CcVar v) {
        return (State) v.ccData();
    }

    /**
     * Sections 3.3 and 3.4: counts what was marked; the window grows as ever, for a mark does not stop growth.
     *
     * @bsd dctcp_ack_received
     */
    @Override
    public void ackReceived(final CcVar v, final Ack kind) {
        if (!v.ecn()) {
            reno.ackReceived(v, kind);
            return;
        }
        NewReno.grow(v, kind);
        if (kind != Ack.ACK) {
            return;
        }
        final State s = state(v);
        s.bytesTotal += v.bytesThisAck();
        s.bytesEcn += v.ecnMarkedBytes();
        if (s.windowOver) {
            updateAlpha(s);
        }
    }

    /** Section 3.3, steps 5 to 8. @bsd dctcp_update_alpha */
    private void updateAlpha(final State s) {
        s.windowOver = false;
        if (s.bytesTotal > 0) {
            final double g = 1.0 / (1 << (shiftG == null ? SHIFT_G : shiftG.getInt()));
            final double marked = Math.min((double) s.bytesEcn / s.bytesTotal, 1);
            s.alpha += g * (marked - s.alpha);
        }
        s.bytesEcn = 0;
        s.bytesTotal = 0;
    }

    /** The share of octets marked, by the algorithm's estimate. */
    static double alpha(final CcVar v) {
        return state(v).alpha;
    }

    /** The acknowledgment in progress is counted before the window is. */
    @Override
    public void newround(final CcVar v, final int roundCount) {
        state(v).windowOver = true;
    }

    /** Section 3.3 step 9 for a mark; section 3.5: a loss is a loss. @bsd dctcp_cong_signal */
    @Override
    public void congSignal(final CcVar v, final Signal kind) {
        if (kind == Signal.ECN) {
            if (!v.inCongRecovery()) {
                marked(v, state(v));
            }
        } else if (kind == Signal.NDUPACK) {
            if (!v.inFastRecovery()) {
                v.setSsthresh(NewReno.reduced(v, HALF)); // also when a mark has taken a little already
                v.enterRecovery();
            }
            state(v).hadCongestion = true;
        } else {
            reno.congSignal(v, kind);
            state(v).hadCongestion = true;
        }
    }

    private void marked(final CcVar v, final State s) {
        final int mss = v.maxseg();
        if (!s.hadCongestion && slowstart != null && slowstart.getBool()) {
            v.setSsthresh(Math.max(v.cwnd() / 2 / mss, 2) * mss);
            s.alpha = 1;
        } else {
            v.setSsthresh(Math.max((int) (v.cwnd() * (1 - s.alpha / 2)), 2 * mss));
        }
        s.hadCongestion = true;
        v.setCwnd(v.ssthresh());
        v.enterCongRecovery();
    }

    /** @bsd dctcp_post_recovery */
    @Override
    public void postRecovery(final CcVar v) {
        reno.postRecovery(v);
    }

    /** @bsd dctcp_after_idle */
    @Override
    public void afterIdle(final CcVar v) {
        reno.afterIdle(v);
    }

    /** Section 3.2: what the peer is told is the state of the last segment. @bsd dctcp_ecnpkt_handler */
    @Override
    public void ecnpktHandler(final CcVar v) {
        final State s = state(v);
        v.ecnEcho(s.cePrev, v.ecnCe());
        s.cePrev = v.ecnCe();
    }
}
