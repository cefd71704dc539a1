package io.gatun.netinet.arp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** The counters of ARP, as in {@code netstat -s}. @bsd struct arpstat */
public final class ArpStat {
    /** Requests sent. */
    public final Counter txrequests;
    /** Replies sent. */
    public final Counter txreplies;
    /** Could not be sent. */
    public final Counter txerrors;
    /** Requests received. */
    public final Counter rxrequests;
    /** Replies received. */
    public final Counter rxreplies;
    /** Packets received. */
    public final Counter received;
    /** Packets dropped for want of an answer or of room. */
    public final Counter dropped;
    /** Entries that ran out. */
    public final Counter timeouts;
    /** Own address seen elsewhere. */
    public final Counter dupips;

    public ArpStat(CounterSet set) {
        txrequests = set.counter("arp.txrequests");
        txreplies = set.counter("arp.txreplies");
        txerrors = set.counter("arp.txerrors");
        rxrequests = set.counter("arp.rxrequests");
        rxreplies = set.counter("arp.rxreplies");
        received = set.counter("arp.received");
        dropped = set.counter("arp.dropped");
        timeouts = set.counter("arp.timeouts");
        dupips = set.counter("arp.dupips");
    }
}
