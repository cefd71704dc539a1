package io.gatun.spi.socket;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;

/**
 * IP as a transport of another module sees it, both families: {@code vnet.service(IpSide.class)}, which the internet
 * domain provides. What comes up goes to whoever has registered with {@link IpprotoTable}; this is the way down. Any
 * thread, with the transport's own locks held (of order INPCB or before) or none.
 *
 * <p>Addresses are AF_INET or AF_INET6, both ends of one family; ports are not looked at, and the zone of a link-local
 * address stands in its {@code scopeId}.
 */
public interface IpSide {
    /** {@link #output}: no fragments; EMSGSIZE instead. @bsd IP_DF */
    int DONTFRAG = 0x1;
    /** {@link #output}: may send to all hosts of a network; else that is EACCES. @bsd IP_ALLOWBROADCAST */
    int ALLOWBROADCAST = 0x2;

    /**
     * Chooses the source address for a destination.
     *
     * @param dst borrowed
     * @param fib routing table
     * @param src filled with the address, port 0
     * @return OK; ENETUNREACH or EHOSTUNREACH without a route, EADDRNOTAVAIL when its interface has no address,
     *     EAFNOSUPPORT for a family that is not there
     * @bsd in_pcbladdr, in6_selectsrc
     */
    Errno laddr(SockAddr dst, int fib, SockAddr src);

    /**
     * The Internet checksum (RFC 1071) of a transport's octets, its own checksum field included, and of the
     * pseudo-header: to be stored when that field was 0; 0 when a received one is right. Borrows m.
     *
     * @param off octets from the front to the transport header; all from there on counts
     * @param proto protocol number
     * @bsd in_cksum, in6_cksum
     */
    int cksum(Mbuf m, int off, SockAddr src, SockAddr dst, int proto);

    /**
     * Fills both addresses from the IP header at the front of a packet that {@link IpprotoTable.Input} got, ports 0.
     * Borrows m.
     */
    void addrs(Mbuf m, SockAddr src, SockAddr dst);

    /**
     * Puts an IP header in front of a transport's octets and sends them. Consumes m, a packet whose {@code pktLen} is
     * right and whose {@code fibnum} is the routing table. What is larger than the path takes is fragmented.
     *
     * @param src the address to send from, as {@link #laddr} chose it
     * @param proto protocol number, and in the octet above it the time to live, 0 for the default: {@code ttl << 8 |
     *     proto}
     * @param flags {@link #DONTFRAG}, {@link #ALLOWBROADCAST}
     * @return OK; EHOSTUNREACH, ENETUNREACH, EACCES, EMSGSIZE, ENOBUFS, EHOSTDOWN, ENETDOWN, EAFNOSUPPORT
     * @bsd ip_output, ip6_output
     */
    Errno output(Mbuf m, SockAddr src, SockAddr dst, int proto, int flags);
}
