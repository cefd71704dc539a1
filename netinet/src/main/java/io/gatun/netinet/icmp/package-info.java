/**
 * ICMP (RFC 792, 1122 section 3.2.2, 1191) and the cache of what is known of other hosts. Stands for FreeBSD's
 * netinet/ip_icmp and tcp_hostcache.
 */
package io.gatun.netinet.icmp;
