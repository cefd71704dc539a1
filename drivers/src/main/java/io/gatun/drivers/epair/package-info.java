/**
 * A virtual cable: two Ethernet interfaces, in one vnet or in two, back to back. Stands for FreeBSD's net/if_epair.c.
 */
package io.gatun.drivers.epair;
