package io.gatun.spi.socket;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;

/**
 * UDP ports whose datagrams go to a protocol instead of a socket's buffer: how a transport travels within UDP (RFC
 * 6951). The internet domain provides one by {@code VnetSide.service}.
 *
 * @bsd udp_set_kernel_tunneling
 */
public interface UdpTunnels {
    /** Takes datagrams. @bsd udp_tun_func_t */
    @FunctionalInterface
    interface Input {
        /**
         * Takes a datagram whose IP and UDP header are contiguous at the front and whose length and checksum have been
         * verified. One that went to all hosts of a network has M_BCAST; one to a group does not come. Consumes m. No
         * lock is held.
         *
         * @param off octets from the front to the UDP header
         */
        void input(Mbuf m, int off);
    }

    /** Hears of ICMP errors about datagrams that were sent from the port. @bsd udp_tun_icmp_t */
    @FunctionalInterface
    interface Icmp {
        /**
         * Borrows m. No lock is held.
         *
         * @param icmpOff octets from the front to the ICMP header; the offending IP header and its UDP header follow,
         *     contiguous, and 8 octets of what that carried where the message has them
         */
        void ctlinput(Mbuf m, int icmpOff);
    }

    /**
     * Turns a UDP socket of anybody into the end of a tunnel, for as long as it lives.
     *
     * @param icmp may be null
     * @return OK; EINVAL for a socket that is not of UDP, EBUSY when it is one already
     * @bsd udp_set_kernel_tunneling
     */
    Errno setKernelTunneling(SocketSide so, Input input, Icmp icmp);

    /**
     * Takes a port of every local address without a socket.
     *
     * @param family AF_INET or AF_INET6, the latter for IPv6 packets alone
     * @param port 1..65535
     * @param icmp may be null
     * @return OK; EADDRINUSE, EAFNOSUPPORT
     */
    Errno open(int family, int port, Input input, Icmp icmp);

    /**
     * Gives a port of {@link #open} back.
     *
     * @return OK or ENOENT
     */
    Errno close(int family, int port);
}
