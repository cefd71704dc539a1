package io.gatun.spi.ifnet;

import io.gatun.spi.socket.SockAddr;

/**
 * A request to an interface, typed. {@link Ifnet#ioctl} asks the driver, and once it has said OK keeps the stack's view
 * in step: the MTU, the link address and the enabled capabilities are not the driver's to set. A driver answers
 * EOPNOTSUPP to what it does not know and EINVAL to a value it cannot carry out.
 *
 * @bsd if_ioctl
 */
public sealed interface IfReq {
    /** {@code Ifnet.flags} changed (IFF_UP, IFF_PROMISC, IFF_ALLMULTI): start, stop or reprogram. @bsd SIOCSIFFLAGS */
    record SetFlags(int flags) implements IfReq { }

    /** A new MTU, octets of network-layer packet. EINVAL beyond what the device can carry. @bsd SIOCSIFMTU */
    record SetMtu(int mtu) implements IfReq { }

    /** The multicast list changed. @bsd SIOCADDMULTI */
    record AddMulti(SockAddr group) implements IfReq { }

    /** The multicast list changed. @bsd SIOCDELMULTI */
    record DelMulti(SockAddr group) implements IfReq { }

    /** A new link address, 6 octets. @bsd SIOCSIFLLADDR */
    @SuppressWarnings("ArrayRecordComponent") // consumed by the driver, never compared
    record SetLladdr(byte[] lladdr) implements IfReq { }

    /** Capabilities to enable, a subset of {@code Ifnet.capabilities}. @bsd SIOCSIFCAP */
    record SetCap(int capenable) implements IfReq { }

    /** Makes a vlan interface carry tag {@code vid} (1..4094) of its parent; parent null detaches. @bsd SIOCSETVLAN */
    record SetVlan(Ifnet parent, int vid, int proto) implements IfReq { }

    /** Any request private to one driver, by name; unknown names answer EOPNOTSUPP. */
    record DriverSpecific(String name, Object argument) implements IfReq { }
}
