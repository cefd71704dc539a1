package io.gatun.netinet.tcp.cc;

import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.SysctlTree;

/**
 * A congestion control algorithm. One object serves all connections of a vnet and has no state but the vnet's tunables;
 * what a connection needs beyond {@link CcVar} it keeps in the object that {@link #cbInit} makes. All hooks but
 * {@link #modInit} run with the connection's lock held.
 *
 * <p>Found by {@link java.util.ServiceLoader}, chosen by {@code net.inet.tcp.cc.algorithm} and per socket by
 * TCP_CONGESTION.
 *
 * @bsd struct cc_algo
 * @see <a href="https://man.freebsd.org/mod_cc/9">mod_cc(9)</a>
 */
public interface CcAlgo {
    /** The kinds of acknowledgment. */
    enum Ack {
        /** Acknowledges new data. @bsd CC_ACK */
        ACK,
        /** Repeats the last one. @bsd CC_DUPACK */
        DUPACK,
        /** Acknowledges a part of what recovery waits for. @bsd CC_PARTIALACK */
        PARTIALACK,
        /** Carries SACK blocks. @bsd CC_SACK */
        SACK
    }

    /** What tells of congestion. */
    enum Signal {
        /** The network marked a segment. @bsd CC_ECN */
        ECN,
        /** The retransmit timer ran out. @bsd CC_RTO */
        RTO,
        /** That timeout, or the loss last inferred, proved spurious: undo. @bsd CC_RTO_ERR */
        RTO_ERR,
        /** Loss inferred from duplicate acknowledgments. @bsd CC_NDUPACK */
        NDUPACK
    }

    /** As in TCP_CONGESTION: at most 15 characters. */
    String name();

    /** The vnet begins: adds the algorithm's tunables, below {@code net.inet.tcp.cc.NAME}. @bsd mod_init */
    default void modInit(SysctlTree tree) {
        // most have none
    }

    /** The vnet ends. @bsd mod_destroy */
    default void modDestroy() {
        // most hold nothing
    }

    /**
     * Gets or sets the algorithm's own options of a connection, TCP_CCALGOOPT: an object of a type that it names.
     *
     * @return OK; ENOPROTOOPT when it has none, EINVAL for another object or a bad value
     * @bsd ctl_output
     */
    default Errno ctlOutput(CcVar v, SockOpt opt) {
        return Errno.ENOPROTOOPT;
    }

    /** The algorithm's own state of one connection, or null. Called once, before the other hooks. @bsd cb_init */
    default Object cbInit(CcVar v) {
        return null;
    }

    /** The connection goes, or takes another algorithm. @bsd cb_destroy */
    default void cbDestroy(CcVar v) {
        // most keep nothing
    }

    /** The connection is established; cwnd is set. @bsd conn_init */
    default void connInit(CcVar v) {
        // nothing to prepare
    }

    /** An acknowledgment has come; {@code v.bytesThisAck()} is valid. Grows cwnd. @bsd ack_received */
    void ackReceived(CcVar v, Ack kind);

    /** Congestion: sets ssthresh and, except for {@link Signal#NDUPACK}, cwnd. @bsd cong_signal */
    void congSignal(CcVar v, Signal kind);

    /** Fast recovery is over: sets cwnd. @bsd post_recovery */
    void postRecovery(CcVar v);

    /** Sending begins again after more than a retransmit timeout of silence. @bsd after_idle */
    void afterIdle(CcVar v);

    /**
     * A segment came in on a connection with ECN; {@code v.ecnCe()} is valid. Called before its text is taken.
     *
     * @bsd ecnpkt_handler
     */
    default void ecnpktHandler(CcVar v) {
        // nothing by default
    }

    /** A new round trip begins. @bsd newround */
    default void newround(CcVar v, int roundCount) {
        // nothing by default
    }

    /** A round trip was measured. @bsd rttsample */
    default void rttsample(CcVar v, long rttNs) {
        // nothing by default
    }
}
