/**
 * Multicast listener discovery: tells routers which IPv6 groups this host listens to, in both versions (RFC 3810, RFC
 * 2710). Messages only; what is said when is decided in {@link io.gatun.netinet.gmp}. Stands for FreeBSD's
 * netinet6/mld6.c.
 */
package io.gatun.netinet.mld;
