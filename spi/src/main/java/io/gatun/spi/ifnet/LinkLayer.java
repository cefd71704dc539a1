package io.gatun.spi.ifnet;

import io.gatun.spi.sys.Errno;

/**
 * A link protocol, registered with {@link IfnetTable#registerLinkLayer} for one IFT_ type. When an interface of that
 * type is attached, the link layer sets
 * its {@code input}, {@code output} and {@code resolveMulti} slots, header length and broadcast address.
 *
 * @bsd ether_ifattach
 */
public interface LinkLayer {
    /** Fills the slots of an interface that is about to be attached. An error stops the attach. */
    Errno attach(Ifnet ifp);

    /** Forgets the interface: its tables are emptied and nothing of it is kept. @bsd ether_ifdetach */
    void detach(Ifnet ifp);
}
