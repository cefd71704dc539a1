package io.gatun.spi.socket;

import java.util.List;

/**
 * A whole source filter: argument of setting IP_MSFILTER. Its reading takes one too, of which interface and group
 * count, as {@link SockOpt#object}, and answers another (RFC 3678 sections 4.2 and 5.2).
 *
 * @param ifindex index of the interface, 0 to let the route to the group decide
 * @param group the multicast group; its port is ignored
 * @param fmode MCAST_INCLUDE or MCAST_EXCLUDE
 * @param sources the senders
 * @bsd struct __msfilterreq
 */
public record MsFilterReq(int ifindex, SockAddr group, int fmode, List<SockAddr> sources) {
    /** Keeps a copy of the list. */
    public MsFilterReq {
        sources = List.copyOf(sources);
    }
}
