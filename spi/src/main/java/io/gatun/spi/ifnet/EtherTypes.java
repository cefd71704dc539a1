package io.gatun.spi.ifnet;

import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;

/**
 * Network protocols on Ethernet beside IP and ARP: {@code vnet.service(EtherTypes.class)}, which the internet domain
 * provides. A protocol registers its input with {@link Netisr#register} under a number of its own and its type here;
 * its packets then come with the Ethernet header taken off, {@code rcvif} set. To send, it puts the 14 octets of header
 * in front by itself ({@code prepend}) and calls {@link Ifnet#transmit}. Any thread.
 *
 * @bsd ether_demux
 */
public interface EtherTypes {
    /**
     * Directs frames of a type.
     *
     * @param type 0x600..0xffff
     * @param netisr the number the protocol has registered, below {@link Netisr#NETISR_MAXPROT}
     * @return OK; EEXIST when the type is taken or the stack's own, EINVAL for a number out of range
     */
    Errno register(int type, int netisr);

    /** Frames of that type are unknown again. ENOENT when it was not registered. */
    Errno unregister(int type);
}
