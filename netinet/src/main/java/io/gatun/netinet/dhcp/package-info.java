/**
 * A DHCPv4 client (RFC 2131, 2132, 3396, 3442) for embedders that want one: {@code InetConfig.dhcp}. It sends and takes
 * whole datagrams itself, for it talks before its interface has an address, and sets what it is told by the same calls
 * that a person would use. Stands for dhclient(8).
 */
package io.gatun.netinet.dhcp;
