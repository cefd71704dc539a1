package io.gatun.netinet.route;

import io.gatun.spi.socket.SockAddr;

/**
 * One route: a prefix and where it leads. Immutable.
 *
 * @param dst the prefix; host bits zero; not changed by anybody
 * @param prefixLen 0..32 (IPv4) or 0..128 (IPv6)
 * @param nextHop where to
 * @bsd struct rtentry
 */
public record Route(SockAddr dst, int prefixLen, NextHop nextHop) {
    /** For people: {@code 10.0.0.0/8 link tap0}. */
    @Override
    public String toString() {
        return dst.toInetSocketAddress().getAddress().getHostAddress() + "/" + prefixLen + " " + nextHop;
    }
}
