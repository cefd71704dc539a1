package io.gatun.drivers.tap;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.drivers.linux.HostIf;
import io.gatun.drivers.linux.Linux;
import io.gatun.drivers.linux.LinuxErrno;
import io.gatun.drivers.linux.TapDevice;
import io.gatun.drivers.linux.TapOptions;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.VnetSide;

/**
 * One tap: its interface, its device, and the agent that reads.
 *
 * <p>Life: opened and attached by {@link #create}; the agent starts when the interface is first brought up;
 * {@link #destroy} detaches, closes the device (which ends the agent's wait), ends the agent and frees all buffers.
 *
 * <p>Locking key: (l) {@code this}.
 *
 * @bsd struct tuntap_softc
 */
final class Tap {
    private static final int ETHER_ADDR_LEN = 6;
    private static final int CAPABILITIES = Ifnet.IFCAP_VLAN_MTU | Ifnet.IFCAP_JUMBO_MTU | Ifnet.IFCAP_LINKSTATE;
    private static final int RXCSUM = Ifnet.IFCAP_RXCSUM | Ifnet.IFCAP_RXCSUM_IPV6;
    private static final int OFFLOADS = RXCSUM | Ifnet.IFCAP_TXCSUM | Ifnet.IFCAP_TXCSUM_IPV6 | Ifnet.IFCAP_TSO
        | Ifnet.IFCAP_VLAN_HWCSUM | Ifnet.IFCAP_VLAN_HWTSO | Ifnet.IFCAP_LRO;
    /** Locally administered, not a group. */
    private static final int MAC_FIRST = 0x02;
    private static final int IP_MAXPACKET = 65_535;

    private final VnetSide vnet;
    private final TapConfig config;
    private final Ifnet ifp;
    private final TapDevice device = new TapDevice();
    private final TapRx rx;
    private final TapTx tx;
    @GuardedBy("this")
    private TapAgent agent; // (l) null until first brought up, and in a vnet without threads
    @GuardedBy("this")
    private boolean destroyed; // (l)

    private Tap(final VnetSide vnet, final int unit, final TapConfig config) {
        this.vnet = vnet;
        this.config = config;
        ifp = Ifnet.alloc(vnet, Ifnet.IFT_ETHER, "tap", unit, this);
        rx = new TapRx(ifp, device, config.offload());
        tx = new TapTx(ifp, device, config);
        ifp.setFlagBits(Ifnet.IFF_BROADCAST | Ifnet.IFF_SIMPLEX | Ifnet.IFF_MULTICAST, 0);
        ifp.setMtu(config.mtu());
        ifp.setLladdr(lladdr());
        ifp.setCapabilities(CAPABILITIES | (config.offload() ? OFFLOADS : 0));
        ifp.setTsoMax(config.offload() ? IP_MAXPACKET : 0);
        ifp.setTransmitFn((i, m) -> tx.transmit(m));
        ifp.setQflushFn(i -> tx.qflush());
        ifp.setIoctlFn((i, r) -> ioctl(r));
        ifp.setInitFn(i -> init());
        if (!vnet.threaded()) {
            ifp.setPollFn((i, budget) -> poll(budget));
        }
    }

    private byte[] lladdr() {
        final byte[] mac = new byte[ETHER_ADDR_LEN];
        vnet.random().nextBytes(mac);
        mac[0] = MAC_FIRST;
        return mac;
    }

    static Ifnet create(final VnetSide vnet, final int unit, final TapConfig config) throws ErrnoException {
        final Tap tap = new Tap(vnet, unit, config);
        boolean done = false;
        try {
            tap.open();
            tap.configureHost();
            ErrnoException.check(vnet.ifnets().attach(tap.ifp), "create " + tap.ifp.xname());
            done = true;
        } finally {
            if (!done) {
                tap.device.close();
            }
        }
        tap.ifp.linkStateChange(LinkState.UP);
        return tap.ifp;
    }

    private void open() throws ErrnoException {
        TapOptions options = new TapOptions(config.hostName());
        if (config.offload()) {
            options = options.withVnetHdr(TapOptions.VNET_HDR,
                Linux.TUN_F_CSUM() | Linux.TUN_F_TSO4() | Linux.TUN_F_TSO6());
        }
        final Errno e = LinuxErrno.of(device.open(options));
        if (e != Errno.OK) {
            final String what = switch (e) {
                case EPERM, EACCES -> "no right to make the device " + config.hostName() + " (needs CAP_NET_ADMIN)";
                case EBUSY -> "another program holds the device " + config.hostName();
                case EINVAL -> config.hostName() + " is not a tap device";
                case ENOENT, ENODEV, ENXIO -> "there is no /dev/net/tun";
                default -> "opening the device " + config.hostName();
            };
            throw new ErrnoException(e, ifp.xname() + ": " + what);
        }
    }

    private void configureHost() throws ErrnoException {
        final HostIf host = new HostIf(config.hostName());
        if (config.mtuGiven()) {
            check(host.setMtu(config.mtu()), "setting the MTU of ");
        }
        if (config.hostPrefix() != TapConfig.NO_ADDRESS) {
            check(host.setAddress(config.hostAddress(), config.hostPrefix()), "giving an address to ");
            check(host.setUp(true), "bringing up ");
        }
    }

    private void check(final int result, final String what) throws ErrnoException {
        ErrnoException.check(LinuxErrno.of(result), ifp.xname() + ": " + what + config.hostName());
    }

    /** @bsd tunifinit */
    private void init() {
        ifp.setDrvFlagBits(Ifnet.IFF_DRV_RUNNING, Ifnet.IFF_DRV_OACTIVE);
        synchronized (this) {
            if (vnet.threaded() && agent == null && !destroyed) {
                agent = new TapAgent(ifp, device, rx, tx);
                agent.start();
            }
        }
    }

    private int poll(final int budget) {
        tx.kick();
        final int done = Math.max(0, rx.batch(budget));
        vnet.netisr().swi();
        return done;
    }

    /** @bsd tunifioctl */
    private Errno ioctl(final IfReq request) {
        return switch (request) {
            case IfReq.SetFlags r -> {
                final boolean up = (r.flags() & Ifnet.IFF_UP) != 0;
                ifp.setDrvFlagBits(up ? Ifnet.IFF_DRV_RUNNING : 0, up ? 0 : Ifnet.IFF_DRV_RUNNING);
                yield Errno.OK;
            }
            case IfReq.AddMulti r -> Errno.OK;
            case IfReq.DelMulti r -> Errno.OK;
            case IfReq.SetLladdr r -> r.lladdr().length == ETHER_ADDR_LEN ? Errno.OK : Errno.EINVAL;
            case IfReq.SetCap r -> setCap(r.capenable());
            case IfReq.SetMtu r -> setMtu(r.mtu());
            default -> Errno.EOPNOTSUPP;
        };
    }

    /** The device was told at its opening that unfinished checksums are welcome, so RXCSUM cannot be turned off. */
    private Errno setCap(final int wanted) {
        final int fixed = ifp.capabilities() & ~(OFFLOADS & ~RXCSUM);
        return (wanted & ~ifp.capabilities()) == 0 && (wanted & fixed) == fixed ? Errno.OK : Errno.EINVAL;
    }

    private Errno setMtu(final int mtu) {
        if (mtu < TapConfig.MIN_MTU || mtu > TapConfig.MAX_MTU) {
            return Errno.EINVAL;
        }
        final boolean both = config.mtuGiven() || config.hostPrefix() != TapConfig.NO_ADDRESS;
        return both ? LinuxErrno.of(new HostIf(config.hostName()).setMtu(mtu)) : Errno.OK;
    }

    /** Does nothing the second time. Must not be called by the agent. */
    void destroy() {
        final TapAgent reader;
        synchronized (this) {
            if (destroyed) {
                return;
            }
            destroyed = true;
            reader = agent;
        }
        vnet.ifnets().detach(ifp);
        tx.close();
        device.close();
        if (reader != null) {
            reader.close();
        }
        rx.free();
        ifp.free();
    }
}
