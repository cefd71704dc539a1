package io.gatun.netinet.tcp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** What the syncache counts, as {@code tcp.sc_NAME}. @bsd tcps_sc_added */
final class SyncacheStat {
    /** Entries added. @bsd tcps_sc_added */
    final Counter added;
    /** SYN|ACKs sent again. @bsd tcps_sc_retransmitted */
    final Counter retransmitted;
    /** SYNs for an entry that was there. @bsd tcps_sc_dupsyn */
    final Counter dupsyn;
    /** Entries given up because the SYN|ACK could not be sent. @bsd tcps_sc_dropped */
    final Counter dropped;
    /** Entries that became connections. @bsd tcps_sc_completed */
    final Counter completed;
    /** Overflows of a bucket; one a pause. @bsd tcps_sc_bucketoverflow */
    final Counter bucketoverflow;
    /** Entries that a reset ended. @bsd tcps_sc_reset */
    final Counter reset;
    /** Entries that nobody acknowledged. @bsd tcps_sc_stale */
    final Counter stale;
    /** Entries acknowledged for which there was no socket. @bsd tcps_sc_aborted */
    final Counter aborted;
    /** Entries that a SYN|ACK at the listener ended. @bsd tcps_sc_badack */
    final Counter badack;
    /** Entries that ICMP ended. @bsd tcps_sc_unreach */
    final Counter unreach;
    /** Times there was no entry left. @bsd tcps_sc_zonefail */
    final Counter zonefail;
    /** Cookies sent. @bsd tcps_sc_sendcookie */
    final Counter sendcookie;
    /** Cookies that came back. @bsd tcps_sc_recvcookie */
    final Counter recvcookie;

    SyncacheStat(CounterSet set) {
        added = set.counter("tcp.sc_added");
        retransmitted = set.counter("tcp.sc_retransmitted");
        dupsyn = set.counter("tcp.sc_dupsyn");
        dropped = set.counter("tcp.sc_dropped");
        completed = set.counter("tcp.sc_completed");
        bucketoverflow = set.counter("tcp.sc_bucketoverflow");
        reset = set.counter("tcp.sc_reset");
        stale = set.counter("tcp.sc_stale");
        aborted = set.counter("tcp.sc_aborted");
        badack = set.counter("tcp.sc_badack");
        unreach = set.counter("tcp.sc_unreach");
        zonefail = set.counter("tcp.sc_zonefail");
        sendcookie = set.counter("tcp.sc_sendcookie");
        recvcookie = set.counter("tcp.sc_recvcookie");
    }
}
