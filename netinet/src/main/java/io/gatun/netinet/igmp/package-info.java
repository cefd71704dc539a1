/**
 * The Internet Group Management Protocol: tells routers which IPv4 groups this host listens to. Messages only; what is
 * said when is decided in {@link io.gatun.netinet.gmp}. Stands for FreeBSD's netinet/igmp.c.
 */
package io.gatun.netinet.igmp;
