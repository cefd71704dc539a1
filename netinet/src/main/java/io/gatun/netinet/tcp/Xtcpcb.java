package io.gatun.netinet.tcp;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketSide;

/**
 * One connection, listener or half-open connection, as monitoring programs see it.
 *
 * @param so its socket, to be compared only; null when it has none (any more)
 * @param local the endpoint here
 * @param foreign the endpoint there; port 0 without one
 * @param state where it stands; SYN_RECEIVED also for what the SYN cache holds
 * @bsd struct xtcpcb
 */
public record Xtcpcb(SocketSide so, SockAddr local, SockAddr foreign, TcpState state) {
}
