package io.gatun.netinet.nd6;

/**
 * Somebody else has an address of this host.
 *
 * @param ifname interface it was heard on
 * @param hi the address, its zone put in
 * @param lo its last eight octets
 * @param lladdr who, link address in the low 48 bits; 0 when it did not say
 * @param atNs when, by the vnet's clock
 * @param inUse whether the address had been checked and was in use
 */
public record Nd6Duplicate(String ifname, long hi, long lo, long lladdr, long atNs, boolean inUse) { }
