package io.gatun.spi.ifnet;

import io.gatun.spi.mbuf.Mbuf;

/**
 * Who takes the tagged frames of a parent interface: set by the vlan driver, asked by the link layer.
 *
 * @bsd struct ifvlantrunk
 */
public interface VlanTrunk {
    /**
     * Takes up a frame whose 802.1Q tag has been moved into the packet header (M_VLANTAG, etherVtag; see
     * {@link EtherVlan#decap}) and names a vid other than 0. Consumes m, one frame. The caller holds no lock.
     *
     * @bsd vlan_input_p
     */
    void input(Ifnet parent, Mbuf m);
}
