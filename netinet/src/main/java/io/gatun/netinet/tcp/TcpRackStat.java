package io.gatun.netinet.tcp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** The counters of loss recovery, published beside those of {@link TcpStat}. */
final class TcpRackStat {
    /** Fast retransmits. */
    final Counter fastrexmit;
    /** Recoveries with selective acknowledgments. @bsd tcps_sack_recovery_episode */
    final Counter sackRecoveryEpisode;
    /** Segments sent again in them. @bsd tcps_sack_rexmits */
    final Counter sackRexmits;
    /** Octets sent again in them. @bsd tcps_sack_rexmit_bytes */
    final Counter sackRexmitBytes;
    /** SACK options received. @bsd tcps_sack_rcv_blocks */
    final Counter sackRcvBlocks;
    /** SACK options sent. @bsd tcps_sack_send_blocks */
    final Counter sackSendBlocks;
    /** SACK blocks that could not be noted. @bsd tcps_sack_sboverflow */
    final Counter sackSboverflow;
    /** Peers that no longer had what they had acknowledged selectively. */
    final Counter sackReneged;
    /** Duplicates reported by peers. @bsd tcps_dsack_count */
    final Counter dsackCount;
    /** Octets in them. @bsd tcps_dsack_bytes */
    final Counter dsackBytes;
    /** Recoveries that they proved needless. */
    final Counter dsackUndo;
    /** Tail loss probes sent. @bsd tcps_tlpresends */
    final Counter tlpresends;
    /** Tail loss probes that made good a loss. */
    final Counter tlpRecovered;
    /** Connections seen to be reordered. */
    final Counter rackReordering;

    TcpRackStat(CounterSet set) {
        fastrexmit = set.counter("tcp.fastrexmit");
        sackRecoveryEpisode = set.counter("tcp.sack_recovery_episode");
        sackRexmits = set.counter("tcp.sack_rexmits");
        sackRexmitBytes = set.counter("tcp.sack_rexmit_bytes");
        sackRcvBlocks = set.counter("tcp.sack_rcv_blocks");
        sackSendBlocks = set.counter("tcp.sack_send_blocks");
        sackSboverflow = set.counter("tcp.sack_sboverflow");
        sackReneged = set.counter("tcp.sack_reneged");
        dsackCount = set.counter("tcp.dsack_count");
        dsackUndo = set.counter("tcp.dsack_undo");
        dsackBytes = set.counter("tcp.dsack_bytes");
        tlpresends = set.counter("tcp.tlpresends");
        tlpRecovered = set.counter("tcp.tlp_recovered");
        rackReordering = set.counter("tcp.rack_reordering");
    }
}
