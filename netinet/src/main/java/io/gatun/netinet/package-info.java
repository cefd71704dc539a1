/**
 * The internet domain: Ethernet, ARP, IPv4, ICMP, UDP, TCP, routing and congestion control. Knows sockets only through
 * the contracts of {@code io.gatun.spi.socket}.
 *
 * <p>Stands for FreeBSD's {@code sys/netinet} and {@code net/if_ethersubr.c}.
 */
package io.gatun.netinet;
