package io.gatun.netinet.nd6;

/**
 * A line of {@code ndp -a}: a snapshot of a neighbour.
 *
 * @param ifname interface
 * @param hi address, its zone put in
 * @param lo its last eight octets
 * @param lladdr link address in the low 48 bits; 0 while it is not known
 * @param state what is known
 * @param expireNs the instant of the vnet's clock when the state changes by itself; {@code Long.MAX_VALUE} for never
 * @param asked solicitations since the last answer
 * @param router whether it advertises itself as a router
 * @param proxied whether this host answers for it
 */
public record Nd6Neighbor(
    String ifname, long hi, long lo, long lladdr, Nd6State state, long expireNs, int asked, boolean router,
    boolean proxied) { }
