/**
 * The loopback interface {@code lo}: what is sent comes back, at the next safe point of the sending thread. Carries 16
 * KiB packets and 64 KiB super-segments whole and computes no checksum, since the octets never leave memory. Stands for
 * FreeBSD's net/if_loop.c.
 */
package io.gatun.drivers.loop;
