/**
 * Where sockets and protocols meet: addresses, socket buffers, the socket as its protocol sees it, the protocol switch
 * and domains. The socket layer is {@code io.gatun.uipc}; protocols are {@code io.gatun.netinet} and third parties'.
 * Stands for FreeBSD's sys/socketvar.h, sys/sockbuf.h, sys/protosw.h, sys/domain.h.
 */
package io.gatun.spi.socket;
