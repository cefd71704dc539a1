/**
 * The User Datagram Protocol over IPv4: input, output, the socket face. Knows IP, control blocks and sockets by their
 * contracts; must not know TCP or devices. Stands for FreeBSD's netinet/udp_usrreq.c and udp_var.h. RFC 768, RFC 1122
 * section 4.1.
 */
package io.gatun.netinet.udp;
