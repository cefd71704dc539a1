package io.gatun.spi.socket;

/**
 * Argument of IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE and IP_UNBLOCK_SOURCE (RFC 3678
 * section 4).
 *
 * @param group the multicast group; its port is ignored
 * @param source the sender; its port is ignored
 * @param address an address of the interface, or null to let the route to the group decide
 * @bsd struct ip_mreq_source
 */
public record IpMreqSource(SockAddr group, SockAddr source, SockAddr address) {
}
