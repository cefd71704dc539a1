package io.gatun.netinet.arp;

/**
 * A line of {@code arp -a}: a snapshot.
 *
 * @param ifname interface
 * @param addr IPv4 address
 * @param lladdr link address in the low 48 bits; 0 while it is not known
 * @param state what is known
 * @param expireNs the instant of the vnet's clock when it is forgotten; meaningless for STATIC
 * @param published whether this host answers for it (proxy ARP)
 */
public record ArpEntry(String ifname, int addr, long lladdr, ArpState state, long expireNs, boolean published) { }
