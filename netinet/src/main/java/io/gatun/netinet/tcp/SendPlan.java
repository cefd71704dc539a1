package io.gatun.netinet.tcp;

/**
 * What one pass of output is going to send. Claimed for the time of one output and reused.
 *
 * <p>Locking key: (t) owned by the thread that claimed it.
 */
final class SendPlan {
    /** ECN is not in use. */
    static final int ECN_NONE = -1;

    /** Offset of the payload in the send buffer. */
    int off;            // (t)
    /** Its sequence number. */
    int seq;            // (t)
    /** Sent before, and now again by choice of {@link TcpRack}. */
    boolean rexmit;     // (t)
    /** Octets of payload. */
    int len;            // (t)
    /** TH_*. */
    int flags;          // (t)
    /** The window to advertise, octets. */
    int recwin;         // (t)
    /** The send window: the lesser of the peer's and cwnd. */
    int sendwin;        // (t)
    /** Octets of options. */
    int optlen;         // (t)
    /** The options themselves. */
    final TcpOpt to = new TcpOpt(); // (t)
    /** Larger than the path is known to take. */
    boolean probe;      // (t)
    /** A super-segment, to be cut below. */
    boolean tso;        // (t)
    /** Nothing was in flight when output began. */
    boolean idle;       // (t)
    /** More can go after this one. */
    boolean sendalot;   // (t)
    /** Congestion marking of the IP header, or ECN_NONE to leave it as the user set it. */
    int ecn;            // (t)
    SendReason reason;  // (t)

    SendPlan() {
        // filled by SendDecision
    }
}
