package io.gatun.conformance.netsim;

import io.gatun.spi.mbuf.Mbuf;

/** A choice of packets. */
@FunctionalInterface
public interface PacketRule {
    /**
     * Whether the rule applies to a packet that enters a link.
     *
     * @param number its number on that way of the link, from 1
     * @param frame borrowed: the packet behind its link header
     * @param offset octets of link header before the packet
     */
    boolean applies(long number, Mbuf frame, int offset);
}
