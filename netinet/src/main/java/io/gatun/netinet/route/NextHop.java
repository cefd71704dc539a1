package io.gatun.netinet.route;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.socket.SockAddr;

/**
 * Where a route leads. Immutable, so that whoever holds one may read it without a lock; whether it is still the answer
 * is told by the {@link Fib}'s generation.
 *
 * @bsd struct nhop_object
 */
public final class NextHop {
    /** Reached through a gateway. @bsd NHF_GATEWAY */
    public static final int NHF_GATEWAY = 0x1;
    /** A route to one host. @bsd NHF_HOST */
    public static final int NHF_HOST = 0x2;
    /** Refused with an error. @bsd NHF_REJECT */
    public static final int NHF_REJECT = 0x4;
    /** Dropped without a word. @bsd NHF_BLACKHOLE */
    public static final int NHF_BLACKHOLE = 0x8;
    /** The default route. @bsd NHF_DEFAULT */
    public static final int NHF_DEFAULT = 0x10;
    /** Made from an interface's address: goes and comes with it. @bsd RTF_PINNED */
    public static final int NHF_PINNED = 0x20;
    /** One of this host's own addresses. @bsd RTF_LOCAL */
    public static final int NHF_LOCAL = 0x40;
    /** The broadcast address of a network on the link. @bsd NHF_BROADCAST */
    public static final int NHF_BROADCAST = 0x80;

    /** The interface; for a reject or blackhole route it may be null. */
    public final Ifnet ifp;
    /** NHF_*. */
    public final int flags;
    /** The router's address, or null when the destination itself is on the link. Not to be changed. */
    public final SockAddr gateway;
    /** The address to send from when the sender has not chosen one, or null. Not to be changed. */
    public final SockAddr src;
    private final int mtu;

    /**
     * @param ifp interface, null for a reject or blackhole route without one
     * @param flags NHF_*; NHF_GATEWAY is set by this when there is a gateway
     * @param gateway or null
     * @param src preferred source address, or null
     * @param mtu octets, or 0 for the interface's
     */
    public NextHop(Ifnet ifp, int flags, SockAddr gateway, SockAddr src, int mtu) {
        this.ifp = ifp;
        this.flags = gateway == null ? flags : flags | NHF_GATEWAY;
        this.gateway = gateway;
        this.src = src;
        this.mtu = mtu;
    }

    /** Whether any of these NHF_* bits is set. */
    public boolean has(int bits) {
        return (flags & bits) != 0;
    }

    /** Octets of the largest packet that may go this way. @bsd nh_mtu */
    public int mtu() {
        int link = ifp.mtu();
        return mtu != 0 && mtu < link ? mtu : link;
    }

    /** The MTU asked for when the route was made; 0 for the interface's. */
    public int routeMtu() {
        return mtu;
    }

    /** For people, as netstat -r shows it. */
    @Override
    public String toString() {
        String to = gateway == null ? "link" : gateway.toInetSocketAddress().getAddress().getHostAddress();
        String how = has(NHF_REJECT) ? " reject" : has(NHF_BLACKHOLE) ? " blackhole" : "";
        return to + (ifp == null ? "" : " " + ifp.xname()) + how;
    }
}
