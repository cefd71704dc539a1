package io.gatun.netinet.ip;

import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;

/**
 * An IPv4 address of an interface, in the form the data path wants it. Immutable.
 *
 * @bsd struct in_ifaddr
 */
public final class InIfaddr {
    private static final int NO_BROADCAST_FROM = 31; // RFC 3021

    /** The interface it is on. */
    public final Ifnet ifp;
    /** What {@code Ifnet.addrs()} holds. */
    public final IfAddr ifa;
    /** The address. */
    public final int addr;
    /** Network mask. */
    public final int mask;
    /** Broadcast address of the network, or 0 when it has none. */
    public final int broadcast;

    public InIfaddr(Ifnet ifp, IfAddr ifa) {
        this.ifp = ifp;
        this.ifa = ifa;
        this.addr = ifa.addr().in4();
        this.mask = mask(ifa.prefixLen());
        boolean has = (ifp.flags() & Ifnet.IFF_BROADCAST) != 0 && ifa.prefixLen() < NO_BROADCAST_FROM;
        this.broadcast = !has ? 0 : ifa.broadcast() != null ? ifa.broadcast().in4() : addr | ~mask;
    }

    /** The mask of a prefix length, 0..32. */
    public static int mask(int prefixLen) {
        return prefixLen == 0 ? 0 : -1 << Integer.SIZE - prefixLen;
    }

    /** Whether an address is in this address's network. */
    public boolean onLink(int other) {
        return (other & mask) == (addr & mask);
    }

    public int prefixLen() {
        return ifa.prefixLen();
    }
}
