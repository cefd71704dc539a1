/**
 * The socket layer: sockets, their buffers and accept queues, blocking and waking. Knows protocols only through the
 * protocol switch ({@link io.gatun.spi.socket.Protosw}), and knows nothing of addresses beyond storing them.
 *
 * <p>A socket is a {@link io.gatun.uipc.Socket}; its parts are split by who owns their state: {@code MbufSockBuf} (one
 * direction: records, limits, waiters), {@code AcceptQueue} (a listener's children), and stateless steps: {@code
 * SoConnect}, {@code SoAccf}, {@code SoSend}, {@code SoReceive}, {@code SoReceiveRecord}, {@code SoOpt}, {@code
 * SoPoll}, {@code SoClose}. {@link io.gatun.uipc.Sockets} is what all sockets of one vnet share. Programs use {@link
 * io.gatun.uipc.api}.
 *
 * <p>Stands for FreeBSD's {@code kern/uipc_socket.c}, {@code kern/uipc_sockbuf.c}, {@code kern/uipc_accf.c} and the
 * socket calls of {@code kern/uipc_syscalls.c}.
 */
package io.gatun.uipc;
