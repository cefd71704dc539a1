package io.gatun.netinet.ip;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** The counters of IPv4, as in {@code netstat -s}. @bsd struct ipstat */
public final class IpStat {
    /** Packets received. */
    public final Counter total;
    /** Header checksum wrong. */
    public final Counter badsum;
    /** Shorter than its length says. */
    public final Counter tooshort;
    /** Shorter than a header. */
    public final Counter toosmall;
    /** Header length wrong. */
    public final Counter badhlen;
    /** Total length below the header's. */
    public final Counter badlen;
    /** Version not 4. */
    public final Counter badvers;
    /** Fragments received. */
    public final Counter fragments;
    /** Fragments dropped. */
    public final Counter fragdropped;
    /** Datagrams given up before they were whole. */
    public final Counter fragtimeout;
    /** Packets forwarded. */
    public final Counter forward;
    /** Packets not for us and not to be forwarded. */
    public final Counter cantforward;
    /** Redirects sent. */
    public final Counter redirectsent;
    /** Protocol unknown. */
    public final Counter noproto;
    /** Packets given to a protocol. */
    public final Counter delivered;
    /** Packets made here. */
    public final Counter localout;
    /** Output dropped for want of mbufs. */
    public final Counter odropped;
    /** Datagrams made whole. */
    public final Counter reassembled;
    /** Datagrams cut. */
    public final Counter fragmented;
    /** Fragments made. */
    public final Counter ofragments;
    /** Too large and not to be cut. */
    public final Counter cantfrag;
    /** Options malformed. */
    public final Counter badoptions;
    /** No route. */
    public final Counter noroute;
    /** Packets with a header from above. */
    public final Counter rawout;
    /** Reassembled beyond 65535 octets. */
    public final Counter toolong;
    /** Group nobody joined. */
    public final Counter notmember;
    /** Address that cannot be. */
    public final Counter badaddr;

    public IpStat(CounterSet set) {
        total = set.counter("ip.total");
        badsum = set.counter("ip.badsum");
        tooshort = set.counter("ip.tooshort");
        toosmall = set.counter("ip.toosmall");
        badhlen = set.counter("ip.badhlen");
        badlen = set.counter("ip.badlen");
        badvers = set.counter("ip.badvers");
        fragments = set.counter("ip.fragments");
        fragdropped = set.counter("ip.fragdropped");
        fragtimeout = set.counter("ip.fragtimeout");
        forward = set.counter("ip.forward");
        cantforward = set.counter("ip.cantforward");
        redirectsent = set.counter("ip.redirectsent");
        noproto = set.counter("ip.noproto");
        delivered = set.counter("ip.delivered");
        localout = set.counter("ip.localout");
        odropped = set.counter("ip.odropped");
        reassembled = set.counter("ip.reassembled");
        fragmented = set.counter("ip.fragmented");
        ofragments = set.counter("ip.ofragments");
        cantfrag = set.counter("ip.cantfrag");
        badoptions = set.counter("ip.badoptions");
        noroute = set.counter("ip.noroute");
        rawout = set.counter("ip.rawout");
        toolong = set.counter("ip.toolong");
        notmember = set.counter("ip.notmember");
        badaddr = set.counter("ip.badaddr");
    }
}
