/**
 * What IGMPv3 (RFC 3376) and MLDv2 (RFC 3810) have in common: source filters of sockets and their sum for an interface,
 * reports of changes and answers to queries with all their timers, and the ways of the older versions. Knows addresses
 * as two words and no packet; a protocol plugs its messages in by {@link io.gatun.netinet.gmp.GmpWire}.
 *
 * <p>Stands for the state machines of FreeBSD's netinet/igmp.c and netinet6/mld6.c, and for the source lists of
 * netinet/in_mcast.c and netinet6/in6_mcast.c.
 */
package io.gatun.netinet.gmp;
