package io.gatun.netinet.nd6;

/**
 * A way that a router advertises: a snapshot.
 *
 * @param ifname interface
 * @param hi the router's address, its zone put in
 * @param lo its last eight octets
 * @param prefixHi where the way leads; :: with length 0 for a default router
 * @param prefixLo its last eight octets
 * @param prefixLen bits
 * @param preference 1 high, 0 medium, -1 low (RFC 4191)
 * @param expireNs the instant it ends, of the vnet's clock; {@code Long.MAX_VALUE} for never
 * @param state what is known of the router as a neighbour; null for nothing
 * @param installed whether it is the way in use for its prefix
 * @bsd struct nd_defrouter
 */
public record Nd6Router(
    String ifname, long hi, long lo, long prefixHi, long prefixLo, int prefixLen, int preference, long expireNs,
    Nd6State state, boolean installed) { }
