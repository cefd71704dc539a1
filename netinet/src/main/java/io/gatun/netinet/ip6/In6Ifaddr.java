package io.gatun.netinet.ip6;

import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;

/** An IPv6 address of an interface, in the form the data path wants it. Immutable. @bsd struct in6_ifaddr */
public final class In6Ifaddr {
    /** The interface it is on. */
    public final Ifnet ifp;
    /** What {@code Ifnet.addrs()} holds. */
    public final IfAddr ifa;
    /** First eight octets, with the zone put in. */
    public final long hi;
    /** Last eight octets. */
    public final long lo;

    public In6Ifaddr(final Ifnet ifp, final IfAddr ifa) {
        this.ifp = ifp;
        this.ifa = ifa;
        hi = In6.embed(ifa.addr().hi(), ifp.index());
        lo = ifa.addr().lo();
    }

    public int prefixLen() {
        return ifa.prefixLen();
    }

    /** Whether an address is in this address's network. */
    public boolean onLink(final long otherHi, final long otherLo) {
        return ((hi ^ otherHi) & In6.maskHi(prefixLen()) | (lo ^ otherLo) & In6.maskLo(prefixLen())) == 0;
    }

    /** @bsd in6_addrscope */
    public int scope() {
        return In6.scope(hi, lo);
    }
}
