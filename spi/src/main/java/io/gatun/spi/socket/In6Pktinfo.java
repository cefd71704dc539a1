package io.gatun.spi.socket;

/**
 * Argument of the socket option IPV6_PKTINFO: where all packets of a socket leave from.
 *
 * @param addr an address of this host, or the unspecified one or null to leave it open; its port is ignored
 * @param ifindex index of the interface, or 0 to leave it open
 * @bsd struct in6_pktinfo
 */
public record In6Pktinfo(SockAddr addr, int ifindex) {
}
