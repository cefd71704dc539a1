/**
 * The Address Resolution Protocol (RFC 826, 5227): one table for each Ethernet. Stands for FreeBSD's netinet/if_ether.
 */
package io.gatun.netinet.arp;
