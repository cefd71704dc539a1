/**
 * Ethernet: framing, address filter, demultiplexing. Stands for FreeBSD's net/if_ethersubr. Knows the network
 * protocols by their netisr number alone.
 */
package io.gatun.netinet.ether;
