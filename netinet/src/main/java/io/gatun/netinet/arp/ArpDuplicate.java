package io.gatun.netinet.arp;

/**
 * Somebody else uses an address of this host: the last such report.
 *
 * @param ifname interface it was heard on
 * @param addr the address
 * @param lladdr who, link address in the low 48 bits
 * @param atNs when, by the vnet's clock
 */
public record ArpDuplicate(String ifname, int addr, long lladdr, long atNs) { }
