package io.gatun.spi.socket;

/**
 * Argument of IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP.
 *
 * @param group the multicast group; its port is ignored
 * @param address an address of the interface, or null
 * @param ifindex index of the interface, which then wins over {@code address}; 0 for none. With neither, the route to
 *     the group decides
 * @bsd struct ip_mreqn
 */
public record IpMreq(SockAddr group, SockAddr address, int ifindex) {
}
