package io.gatun.spi.socket;

/**
 * Argument of MCAST_JOIN_GROUP and MCAST_LEAVE_GROUP (RFC 3678 section 5).
 *
 * @param ifindex index of the interface, 0 to let the route to the group decide
 * @param group the multicast group; its port is ignored
 * @bsd struct group_req
 */
public record GroupReq(int ifindex, SockAddr group) {
}
