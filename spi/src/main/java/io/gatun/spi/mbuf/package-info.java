/**
 * Memory buffers: pooled handles ({@link io.gatun.spi.mbuf.Mbuf}) over octets that live off-heap in one region per
 * {@link io.gatun.spi.mbuf.MbufPool}.
 *
 * <p>A packet is a chain of mbufs linked by {@code next}; packets are queued by {@code nextPkt}. The first mbuf of a
 * packet has {@code M_PKTHDR} and carries the packet header. An mbuf has 256 octets of its own and may instead point
 * into a {@link io.gatun.spi.mbuf.Cluster}, which several mbufs may share and then only read.
 *
 * <p>Ownership is a convention kept in every signature: a method "consumes" the mbuf it is given (the caller has no
 * right to it afterwards) or "borrows" it (the caller still owns it). An mbuf has one owner at a time and no lock;
 * handing it to another thread needs a happens-before edge of the hand-over itself.
 *
 * <p>This package knows nothing of protocols, sockets or interfaces beyond the receive-interface reference it
 * carries. It stands for FreeBSD's {@code sys/mbuf.h}, {@code kern/kern_mbuf.c}, {@code kern/uipc_mbuf.c} and {@code
 * kern/uipc_mbuf2.c}.
 */
package io.gatun.spi.mbuf;
