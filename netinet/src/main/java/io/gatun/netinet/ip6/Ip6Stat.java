package io.gatun.netinet.ip6;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** The counters of IPv6, as in {@code netstat -s}. @bsd struct ip6stat */
public final class Ip6Stat {
    /** Packets received. */
    public final Counter total;
    /** Shorter than its length says. */
    public final Counter tooshort;
    /** Shorter than a header. */
    public final Counter toosmall;
    /** Version not 6. */
    public final Counter badvers;
    /** Address of the wrong scope. */
    public final Counter badscope;
    /** Fragments received. */
    public final Counter fragments;
    /** Fragments dropped. */
    public final Counter fragdropped;
    /** Fragments that were whole packets. */
    public final Counter atomicfrags;
    /** Packets given up before they were whole. */
    public final Counter fragtimeout;
    /** Packets made whole. */
    public final Counter reassembled;
    /** Packets cut. */
    public final Counter fragmented;
    /** Fragments made. */
    public final Counter ofragments;
    /** Packets not for us. */
    public final Counter cantforward;
    /** Packets forwarded. */
    public final Counter forward;
    /** Next header unknown. */
    public final Counter noproto;
    /** Packets given to a protocol. */
    public final Counter delivered;
    /** Packets made here. */
    public final Counter localout;
    /** Output dropped. */
    public final Counter odropped;
    /** No route. */
    public final Counter noroute;
    /** Too large. */
    public final Counter cantfrag;
    /** Options malformed. */
    public final Counter badoptions;
    /** Too many extension headers. */
    public final Counter toomanyhdr;
    /** Group nobody joined. */
    public final Counter notmember;
    /** Address that cannot be. */
    public final Counter badaddr;
    /** For an address of ours that is being checked for duplicates, or is one. */
    public final Counter notready;

    public Ip6Stat(final CounterSet set) {
        total = set.counter("ip6.total");
        tooshort = set.counter("ip6.tooshort");
        toosmall = set.counter("ip6.toosmall");
        badvers = set.counter("ip6.badvers");
        badscope = set.counter("ip6.badscope");
        fragments = set.counter("ip6.fragments");
        fragdropped = set.counter("ip6.fragdropped");
        atomicfrags = set.counter("ip6.atomicfrags");
        fragtimeout = set.counter("ip6.fragtimeout");
        reassembled = set.counter("ip6.reassembled");
        fragmented = set.counter("ip6.fragmented");
        ofragments = set.counter("ip6.ofragments");
        cantforward = set.counter("ip6.cantforward");
        forward = set.counter("ip6.forward");
        noproto = set.counter("ip6.noproto");
        delivered = set.counter("ip6.delivered");
        localout = set.counter("ip6.localout");
        odropped = set.counter("ip6.odropped");
        noroute = set.counter("ip6.noroute");
        cantfrag = set.counter("ip6.cantfrag");
        badoptions = set.counter("ip6.badoptions");
        toomanyhdr = set.counter("ip6.toomanyhdr");
        notmember = set.counter("ip6.notmember");
        badaddr = set.counter("ip6.badaddr");
        notready = set.counter("ip6.notready");
    }
}
