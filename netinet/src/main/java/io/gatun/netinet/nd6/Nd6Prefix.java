package io.gatun.netinet.nd6;

/**
 * A prefix that routers say is on the link: a snapshot.
 *
 * @param ifname interface
 * @param hi first eight octets
 * @param lo last eight octets
 * @param prefixLen bits
 * @param validNs the instant it ends, of the vnet's clock; {@code Long.MAX_VALUE} for never
 * @param preferredNs the instant addresses in it become deprecated
 * @bsd struct nd_prefix
 */
public record Nd6Prefix(String ifname, long hi, long lo, int prefixLen, long validNs, long preferredNs) { }
