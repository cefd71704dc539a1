/**
 * Neighbour discovery (RFC 4861): address resolution and neighbour unreachability detection. Stands for FreeBSD's
 * netinet6/nd6 and nd6_nbr.
 */
package io.gatun.netinet.nd6;
