/**
 * What every layer needs and no layer owns: error numbers, sequence-number arithmetic, drop reasons, mutexes with a
 * witness, credentials, counters. Knows nothing of packets, sockets or interfaces.
 *
 * <p>Stands for parts of FreeBSD's {@code sys/errno.h}, {@code sys/mutex.h}, {@code sys/ucred.h} and
 * {@code kern/subr_witness.c}.
 */
package io.gatun.spi.sys;
