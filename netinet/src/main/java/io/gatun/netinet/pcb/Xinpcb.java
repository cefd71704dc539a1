package io.gatun.netinet.pcb;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketSide;

/**
 * One control block, as monitoring programs see it.
 *
 * @param so its socket, to be read only; null when it has none (any more)
 * @param local the endpoint here; port 0 while not bound
 * @param foreign the endpoint there; port 0 without one
 * @bsd struct xinpcb
 */
public record Xinpcb(SocketSide so, SockAddr local, SockAddr foreign) {
}
