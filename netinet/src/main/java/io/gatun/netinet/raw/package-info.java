/**
 * Raw sockets over IPv4 and IPv6: each packet of a protocol, or of all that no transport takes, in a copy to every
 * socket that wants it; packets whose header the stack or the program makes. Knows IP, control blocks and sockets by
 * their contracts; must not know the transports. Stands for FreeBSD's netinet/raw_ip.c and netinet6/raw_ip6.c. RFC
 * 3542 section 3.
 */
package io.gatun.netinet.raw;
