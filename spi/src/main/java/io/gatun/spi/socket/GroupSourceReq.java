package io.gatun.spi.socket;

/**
 * Argument of MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP, MCAST_BLOCK_SOURCE and MCAST_UNBLOCK_SOURCE (RFC 3678
 * section 5).
 *
 * @param ifindex index of the interface, 0 to let the route to the group decide
 * @param group the multicast group; its port is ignored
 * @param source the sender; its port is ignored
 * @bsd struct group_source_req
 */
public record GroupSourceReq(int ifindex, SockAddr group, SockAddr source) {
}
