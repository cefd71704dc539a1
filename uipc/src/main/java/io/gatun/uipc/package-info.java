/**
 * The socket layer: sockets, their buffers and accept queues, blocking and waking. Knows protocols only through the
 * protocol switch.
 *
 * <p>Stands for FreeBSD's {@code kern/uipc_socket.c} and {@code kern/uipc_sockbuf.c}.
 */
package io.gatun.uipc;
