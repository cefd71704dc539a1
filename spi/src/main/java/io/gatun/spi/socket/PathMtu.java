package io.gatun.spi.socket;

import io.gatun.spi.mbuf.Mbuf;

/**
 * What a path takes, as ICMP reports it. Anybody can send such a report; so it is the transport that sends a packet
 * who decides whether it sent the one that is quoted (RFC 5927, RFC 8201 section 4), and then says so here. The
 * internet domain provides one by {@code VnetSide.service}.
 *
 * @bsd icmp6_mtudisc_update
 */
@FunctionalInterface
public interface PathMtu {
    /**
     * Believes a report. One that tells of more than is known of the path, of no less than the quoted packet has, or of
     * less than any link takes changes nothing. A message that is no such report is ignored. Borrows m.
     *
     * @param family AF_INET or AF_INET6
     * @param icmpOff octets from the front to the ICMP header, as {@link IpprotoTable.Ctlinput} has it
     */
    void update(int family, Mbuf m, int icmpOff);
}
