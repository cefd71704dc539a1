package io.gatun.spi.ifnet;

import io.gatun.spi.sys.Errno;

/**
 * A link protocol, registered with {@link IfnetTable#registerLinkLayer} for one IFT_ type. When an interface of that
 * type is attached, the link layer sets its {@code input} and {@code output} slots, header length and broadcast
 * address.
 *
 * <p>Tagged frames (802.1Q): {@code input} moves a tag in the octets into the packet header ({@link EtherVlan#decap}).
 * Vid 0 is no VLAN, the tag is forgotten; any other goes to {@code ifp.vlanTrunk()}, and without one it is dropped
 * under VLAN_NOTAG.
 *
 * @bsd ether_ifattach
 */
public interface LinkLayer {
    /** Fills the slots of an interface that is about to be attached. An error stops the attach. */
    Errno attach(Ifnet ifp);

    /** Forgets the interface: its tables are emptied and nothing of it is kept. @bsd ether_ifdetach */
    void detach(Ifnet ifp);
}
