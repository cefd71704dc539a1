/**
 * Where the socket layer and the protocols meet: the protocol switch entry, the domain, socket addresses, options,
 * socket buffers, and the few upward calls a protocol may make. Neither side sees the other's classes.
 *
 * <p>Stands for FreeBSD's {@code sys/protosw.h}, {@code sys/domain.h}, {@code sys/socket.h}, {@code sys/socketvar.h}
 * and {@code sys/sockbuf.h}.
 */
package io.gatun.spi.socket;
