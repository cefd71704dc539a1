package io.gatun.netinet.tcp;

/**
 * The states of RFC 9293 section 3.3.2, in FreeBSD's order, on which the predicates rest.
 *
 * @bsd TCPS_CLOSED
 */
public enum TcpState {
    /** @bsd TCPS_CLOSED */
    CLOSED(TcpHeader.TH_RST | TcpHeader.TH_ACK, "CLOSED"),
    /** @bsd TCPS_LISTEN */
    LISTEN(0, "LISTEN"),
    /** @bsd TCPS_SYN_SENT */
    SYN_SENT(TcpHeader.TH_SYN, "SYN-SENT"),
    /** @bsd TCPS_SYN_RECEIVED */
    SYN_RECEIVED(TcpHeader.TH_SYN | TcpHeader.TH_ACK, "SYN-RECEIVED"),
    /** @bsd TCPS_ESTABLISHED */
    ESTABLISHED(TcpHeader.TH_ACK, "ESTABLISHED"),
    /** @bsd TCPS_CLOSE_WAIT */
    CLOSE_WAIT(TcpHeader.TH_ACK, "CLOSE-WAIT"),
    /** @bsd TCPS_FIN_WAIT_1 */
    FIN_WAIT_1(TcpHeader.TH_FIN | TcpHeader.TH_ACK, "FIN-WAIT-1"),
    /** @bsd TCPS_CLOSING */
    CLOSING(TcpHeader.TH_FIN | TcpHeader.TH_ACK, "CLOSING"),
    /** @bsd TCPS_LAST_ACK */
    LAST_ACK(TcpHeader.TH_FIN | TcpHeader.TH_ACK, "LAST-ACK"),
    /** @bsd TCPS_FIN_WAIT_2 */
    FIN_WAIT_2(TcpHeader.TH_ACK, "FIN-WAIT-2"),
    /** @bsd TCPS_TIME_WAIT */
    TIME_WAIT(TcpHeader.TH_ACK, "TIME-WAIT");

    private final int outflags;
    private final String rfcName;

    TcpState(int outflags, String rfcName) {
        this.outflags = outflags;
        this.rfcName = rfcName;
    }

    /** TH_* bits that every segment sent in this state carries. @bsd tcp_outflags */
    public int outflags() {
        return outflags;
    }

    /** The peer's SYN is known. @bsd TCPS_HAVERCVDSYN */
    public boolean haveRcvdSyn() {
        return compareTo(SYN_RECEIVED) >= 0;
    }

    /** The handshake is over. @bsd TCPS_HAVEESTABLISHED */
    public boolean haveEstablished() {
        return compareTo(ESTABLISHED) >= 0;
    }

    /** The peer's FIN has been taken. @bsd TCPS_HAVERCVDFIN */
    public boolean haveRcvdFin() {
        return this == CLOSE_WAIT || compareTo(CLOSING) >= 0 && this != FIN_WAIT_2;
    }

    /** The user can still send. */
    public boolean canSend() {
        return this == ESTABLISHED || this == CLOSE_WAIT;
    }

    /** Comes after the other in FreeBSD's order. */
    public boolean after(TcpState other) {
        return compareTo(other) > 0;
    }

    /** As the RFC writes it. */
    @Override
    public String toString() {
        return rfcName;
    }
}
