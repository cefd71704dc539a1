/**
 * Packet memory: chains of mbufs over off-heap clusters, their pool and the mbuf(9) operations. Knows octets and
 * packet headers, nothing of what the octets mean.
 *
 * <p>Stands for FreeBSD's {@code sys/mbuf.h}, {@code kern/uipc_mbuf.c} and {@code kern/kern_mbuf.c}.
 */
package io.gatun.spi.mbuf;
