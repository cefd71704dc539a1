/**
 * IPv6: header, extension headers, input, output, fragments, addresses of interfaces. Shares checksums, routes and
 * control blocks with IPv4 and nothing else; must not know transports or devices. Stands for FreeBSD's netinet6/ip6_*,
 * in6*, frag6, route6, dest6, scope6. RFC 8200, 4291, 4007, 6724.
 */
package io.gatun.netinet.ip6;
