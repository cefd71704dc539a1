/**
 * What every part of the stack shares: error numbers, drop reasons, sequence arithmetic, counters, credentials, and the
 * stack's locks with their order. Stands for FreeBSD's sys/errno.h, sys/mutex.h, sys/counter.h, sys/ucred.h. Knows
 * nothing of packets.
 */
package io.gatun.spi.sys;
