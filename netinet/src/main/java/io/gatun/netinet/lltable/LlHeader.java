package io.gatun.netinet.lltable;

import io.gatun.netinet.ether.EtherHeader;

/**
 * The Ethernet header to a neighbour, ready to be written: immutable, so that senders read it without a lock.
 *
 * @bsd r_linkdata
 */
public final class LlHeader {
    /** First eight octets. */
    public final long first;
    /** Next four octets. */
    public final int second;
    /** The neighbour's link address. */
    public final long lladdr;

    /** The header from this host's link address to a neighbour's. */
    public LlHeader(long dst, long src) {
        first = EtherHeader.first(dst, src);
        second = EtherHeader.second(src);
        lladdr = dst;
    }
}
