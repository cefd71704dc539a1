/**
 * The User Datagram Protocol over IPv4 and IPv6: input, output, the socket face. Knows IP, control blocks and sockets
 * by their contracts; must not know TCP or devices. Stands for FreeBSD's netinet/udp_usrreq.c, udp_var.h and
 * netinet6/udp6_usrreq.c. RFC 768, RFC 1122 section 4.1, RFC 8200 section 8.1.
 */
package io.gatun.netinet.udp;
