package io.gatun.netinet.udp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.sys.CounterSet;

/** The counters of UDP, as in {@code netstat -s}. @bsd struct udpstat */
final class UdpStat {
    /** Datagrams received. */
    final Counter ipackets;
    /** Shorter than a header. */
    final Counter hdrops;
    /** Checksum wrong. */
    final Counter badsum;
    /** No checksum. */
    final Counter nosum;
    /** Length beyond the packet. */
    final Counter badlen;
    /** Nobody at the port. */
    final Counter noport;
    /** The same, arrived as broadcast. */
    final Counter noportbcast;
    /** The same, arrived as multicast. */
    final Counter noportmcast;
    /** The socket's buffer was full. */
    final Counter fullsock;
    /** Datagrams sent. */
    final Counter opackets;
    /** Multicast for a socket that is no member. */
    final Counter filtermcast;

    UdpStat(final CounterSet set) {
        ipackets = set.counter("udp.ipackets");
        hdrops = set.counter("udp.hdrops");
        badsum = set.counter("udp.badsum");
        nosum = set.counter("udp.nosum");
        badlen = set.counter("udp.badlen");
        noport = set.counter("udp.noport");
        noportbcast = set.counter("udp.noportbcast");
        noportmcast = set.counter("udp.noportmcast");
        fullsock = set.counter("udp.fullsock");
        opackets = set.counter("udp.opackets");
        filtermcast = set.counter("udp.filtermcast");
    }
}
