package io.gatun.netinet.tcp.cc;

/**
 * A connection as its congestion control sees it. Windows are octets.
 *
 * @bsd struct cc_var
 */
public interface CcVar {
    /** The algorithm's own state, from {@link CcAlgo#cbInit}. @bsd CC_DATA */
    Object ccData();

    /** Replaces it. */
    void setCcData(Object data);

    /** @bsd snd_cwnd */
    int cwnd();

    void setCwnd(int octets);

    /** @bsd snd_ssthresh */
    int ssthresh();

    void setSsthresh(int octets);

    /** The peer's window. @bsd snd_wnd */
    int sndWnd();

    /** Octets that count as in flight. @bsd tcp_compute_pipe */
    int pipe();

    /** Payload of a full segment. @bsd tcp_fixed_maxseg */
    int maxseg();

    /** The initial window. @bsd tcp_compute_initwnd */
    int initwnd();

    /** Newly acknowledged octets. @bsd bytes_this_ack */
    int bytesThisAck();

    /** Segments merged into the one that brought the acknowledgment. @bsd nsegs */
    int nsegs();

    /** The sender was held back by cwnd or the peer's window. @bsd CCF_CWND_LIMITED */
    boolean cwndLimited();

    /** A whole window was acknowledged since it last said so; asking clears it. @bsd CCF_ABC_SENTAWND */
    boolean abcSentAWnd();

    /** In fast recovery. @bsd IN_FASTRECOVERY */
    boolean inFastRecovery();

    /** In recovery for an ECN mark. @bsd IN_CONGRECOVERY */
    boolean inCongRecovery();

    /** @bsd ENTER_RECOVERY */
    void enterRecovery();

    /** @bsd ENTER_CONGRECOVERY */
    void enterCongRecovery();

    /** Retransmit timeouts in a row. @bsd t_rxtshift */
    int rxtshift();

    /** Byte counting wanted. @bsd V_tcp_do_rfc3465 */
    boolean byteCounting();

    /** Segments that cwnd may grow by per ACK in slow start. @bsd V_tcp_abc_l_var */
    int abcLVar();

    /** ECN is in use. @bsd TF2_ECN_PERMIT */
    boolean ecn();

    /** The segment that came was marked by the network. @bsd CCF_IPHDR_CE */
    boolean ecnCe();

    /** How many of the newly acknowledged octets the network had marked, as far as the peer says. */
    int ecnMarkedBytes();

    /**
     * Changes what the peer is told: acknowledges what came before under the old state at once, and the present segment
     * under the new one (RFC 8257 section 3.2). Without effect with AccECN, which counts.
     *
     * @bsd TF2_ECN_SND_ECE
     */
    void ecnEcho(boolean was, boolean is);

    /** New data goes out as ECT(1) rather than ECT(0) from here on. @bsd TF2_ECN_USE_ECT1 */
    void ecnUseEct1();

    /** Smoothed round trip, ns; 0 before the first sample. */
    long srttNs();

    /** The present, ns of the vnet's clock. */
    long nowNs();
}
