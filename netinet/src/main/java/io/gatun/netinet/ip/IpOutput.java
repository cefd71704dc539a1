package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;
import io.gatun.netinet.pcb.Moptions;
import io.gatun.netinet.route.RouteCache;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;

/**
 * IPv4 on its way out.
 *
 * @bsd ip_output
 */
public final class IpOutput {
    /** Most of the header exists already: the packet is being forwarded. */
    public static final int IP_FORWARDING = 0x1;
    /** The header is whole: the packet comes from a raw socket. */
    public static final int IP_RAWOUTPUT = 0x2;
    /** Sends to 255.255.255.255 whatever the destination says. */
    public static final int IP_SENDONES = 0x4;
    /** Sends by the interface of the multicast options, without a route. */
    public static final int IP_SENDTOIF = 0x8;
    /** Sends to hosts on the link only. @bsd SO_DONTROUTE */
    public static final int IP_ROUTETOIF = 0x10;
    /** May send broadcasts. @bsd SO_BROADCAST */
    public static final int IP_ALLOWBROADCAST = 0x20;

    /** Cuts super-segments for an interface that cannot. */
    @FunctionalInterface
    public interface Gso {
        /**
         * Cuts a packet whose csumFlags have CSUM_IP_TSO into packets of {@code tsoSegsz} octets of payload, linked by
         * nextPkt, each with a whole IP header (its checksum not computed) and the offload requests of the original
         * but TSO. Consumes m.
         *
         * @return the first packet, or null when out of mbufs (everything freed)
         */
        Mbuf segment(Mbuf m);
    }

    private final Inet inet;
    private volatile Gso gso; // (w)

    public IpOutput(Inet inet) {
        this.inet = inet;
    }

    /** For TCP: who cuts super-segments. */
    public void setGso(Gso cutter) {
        gso = cutter;
    }

    /** {@link #output(Mbuf, byte[], RouteCache, int, Moptions)} without options. */
    public Errno output(Mbuf m, RouteCache ro, int flags) {
        return output(m, null, ro, flags, null);
    }

    /**
     * Sends a packet. Consumes m, whose first mbuf holds the whole IP header with destination, source (or 0), time to
     * live, tos, protocol, total length and IP_DF or nothing in off. Id and checksum are filled in here.
     *
     * @param options IP options to insert, padded to 4 octets, or null
     * @param ro the sender's route cache, or null
     * @param flags IP_*
     * @param imo how to send to groups, or null for the defaults
     * @return OK; EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, EACCES (broadcast without leave), EMSGSIZE, ENOBUFS,
     *     EHOSTDOWN, ENETDOWN
     * @bsd ip_output
     */
    public Errno output(Mbuf m, byte[] options, RouteCache ro, int flags, Moptions imo) {
        inet.vnet.drop(m, DropReason.IP_NOROUTE);
        return Errno.EHOSTUNREACH;
    }
}
