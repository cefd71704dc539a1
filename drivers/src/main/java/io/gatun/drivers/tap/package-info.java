/**
 * The way to the machine's own network stack: an Ethernet interface whose other end is a TAP device of Linux. Knows
 * mbufs and interfaces, and of the machine only what {@link io.gatun.drivers.linux.TapDevice} and
 * {@link io.gatun.drivers.linux.HostIf} offer.
 *
 * <p>With {@code offload} a frame travels under a virtio_net_hdr: checksums are left unfinished in memory, and TCP
 * segments of up to 64 KiB cross whole, both ways. Stands for FreeBSD's net/if_tuntap.c and, for the header,
 * dev/virtio/network/if_vtnet.c.
 */
package io.gatun.drivers.tap;
