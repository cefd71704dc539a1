package io.gatun.spi.ifnet;

import io.gatun.spi.socket.SockAddr;

/**
 * One address of an interface. Immutable.
 *
 * @param addr the address itself; not changed by anybody after construction
 * @param prefixLen bits of the network part, 0 to 32 (IPv4) or 128 (IPv6); 0 for a link address
 * @param broadcast the broadcast address, or null
 * @param peer the other end of a point-to-point link, or null
 * @bsd struct ifaddr
 */
public record IfAddr(SockAddr addr, int prefixLen, SockAddr broadcast, SockAddr peer) {
    public int family() {
        return addr.family();
    }
}
