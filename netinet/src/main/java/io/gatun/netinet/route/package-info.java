/**
 * Routing: forwarding tables, next hops and what remembers them. Knows addresses and interfaces, nothing of packets.
 * Stands for FreeBSD's net/route and netinet/in_fib.
 */
package io.gatun.netinet.route;
