/**
 * ICMPv6 (RFC 4443): errors, echo, and the way in of neighbour discovery. Stands for FreeBSD's netinet6/icmp6.
 */
package io.gatun.netinet.icmp6;
