package io.gatun.spi.socket;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;

/**
 * Transport protocols by IP protocol number: where IP input looks for the next layer. Apart from the protocol switch,
 * since a transport need not have sockets.
 *
 * @bsd ip_protox
 */
public interface IpprotoTable {
    /** Input of a transport protocol. @bsd ipproto_input_t */
    @FunctionalInterface
    interface Input {
        /**
         * Takes a packet whose IP header is valid, whole and contiguous at the front. Consumes m. No lock is held.
         *
         * @param off octets from the front to the transport header
         * @return IPPROTO_DONE, or the number of the protocol to go on with (then m is not consumed)
         */
        int input(Mbuf m, int off, int proto);
    }

    /** Hears of ICMP errors about packets of this protocol. @bsd ipproto_ctlinput_t */
    @FunctionalInterface
    interface Ctlinput {
        /**
         * Borrows m.
         *
         * @param icmpOff octets from the front to the ICMP header; the offending IP header with 8 octets behind it
         *     follows, contiguous
         */
        void ctlinput(Mbuf m, int icmpOff);
    }

    /**
     * Registers a protocol for one address family.
     *
     * @param family AF_INET or AF_INET6
     * @param proto 1..255
     * @param ctlinput may be null
     * @return OK, EEXIST, or EPROTONOSUPPORT for a number out of range
     * @bsd ipproto_register
     */
    Errno register(int family, int proto, Input input, Ctlinput ctlinput);

    /** ENOENT when it was not registered. @bsd ipproto_unregister */
    Errno unregister(int family, int proto);

    /** The input routine, or null. */
    Input input(int family, int proto);

    /** The error routine, or null. */
    Ctlinput ctlinput(int family, int proto);
}
