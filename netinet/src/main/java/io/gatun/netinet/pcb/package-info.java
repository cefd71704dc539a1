/**
 * Internet protocol control blocks: who owns which pair of endpoints. Knows sockets, ports and addresses as numbers;
 * must not know any transport protocol, nor how IP finds its way (it asks {@link io.gatun.netinet.pcb.PcbAddrs}).
 * Lookups take no lock and allocate nothing. Stands for FreeBSD's netinet/in_pcb.[ch]. RFC 6056 (ports).
 */
package io.gatun.netinet.pcb;
