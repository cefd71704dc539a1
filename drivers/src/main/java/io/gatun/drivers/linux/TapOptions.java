package io.gatun.drivers.linux;

/**
 * How a {@link TapDevice} is to be opened.
 *
 * @param name the name of the device; one {@code %d} in it lets the kernel choose a number that is free
 * @param vnetHdrOctets size of the {@link virtio_net_hdr} in front of every frame, both ways: 0 for none, 10
 *         ({@code virtio_net_hdr}) or 12 ({@code virtio_net_hdr_mrg_rxbuf}); its fields are in the machine's order
 * @param offload TUN_F_* : what this side can take unfinished from the kernel; wants a header
 * @param exclusive whether a device that is there already is an error ({@code EBUSY}) even if nobody holds it
 * @param multiQueue whether several {@code TapDevice} of this name may be open at once, one queue each
 */
public record TapOptions(String name, int vnetHdrOctets, int offload, boolean exclusive, boolean multiQueue) {
    /** Size of a {@code struct virtio_net_hdr}. */
    public static final int VNET_HDR = 10;
    /** Size of a {@code struct virtio_net_hdr_mrg_rxbuf}. */
    public static final int VNET_HDR_MRG_RXBUF = 12;

    /** Checks the arguments; what the machine thinks of them is known only on opening. */
    public TapOptions {
        if (!HostIf.isName(name)) {
            throw new IllegalArgumentException("not the name of a device: '" + name + "'");
        }
        if (vnetHdrOctets != 0 && vnetHdrOctets != VNET_HDR && vnetHdrOctets != VNET_HDR_MRG_RXBUF) {
            throw new IllegalArgumentException("vnetHdrOctets: " + vnetHdrOctets);
        }
        if (offload != 0 && vnetHdrOctets == 0) {
            throw new IllegalArgumentException("offload without a header to describe it");
        }
    }

    /** A plain device: whole frames without a header, nothing offloaded, one queue, attached to if it is there. */
    public TapOptions(String name) {
        this(name, 0, 0, false, false);
    }

    /** The same with a header of {@code octets} in front of each frame and TUN_F_* {@code flags}. */
    public TapOptions withVnetHdr(int octets, int flags) {
        return new TapOptions(name, octets, flags, exclusive, multiQueue);
    }

    /** The same, but only if no device has the name yet. */
    public TapOptions withExclusive() {
        return new TapOptions(name, vnetHdrOctets, offload, true, multiQueue);
    }

    int iffFlags() {
        int flags = Linux.IFF_TAP() | Linux.IFF_NO_PI();
        flags |= vnetHdrOctets == 0 ? 0 : Linux.IFF_VNET_HDR();
        flags |= exclusive ? Linux.IFF_TUN_EXCL() : 0;
        flags |= multiQueue ? Linux.IFF_MULTI_QUEUE() : 0;
        return flags;
    }
}
