package io.gatun.drivers.tap;

import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.VnetSide;
import java.util.Map;

/**
 * Makes {@code tapN}: an Ethernet interface to the machine's own stack. Needs Linux, {@code /dev/net/tun} and
 * CAP_NET_ADMIN (or a device that was made for this user before), and native access.
 *
 * <pre>
 *  name          the device on the machine, by default gatunN; it goes with the interface unless it is persistent
 *  host-address  192.0.2.1/24: gives the machine's side this address and brings it up; else it is left as it is
 *  mtu           octets, 68 to 65521, for both sides; by default 1500 on this side
 *  offload       whether checksums and 64 KiB TCP segments are left to the other side, by default true
 *  qlimit        frames that may wait to be written, by default 1024
 * </pre>
 *
 * @bsd if_tuntap
 * @see <a href="https://man.freebsd.org/tap/4">tap(4)</a>
 */
public final class TapDriver implements IfnetDriver {
    /** For ServiceLoader. */
    public TapDriver() {
        // no state: an interface is its own
    }

    @Override
    public String name() {
        return "tap";
    }

    /**
     * {@inheritDoc} The device is looked for in the network namespace of the calling thread. EPERM without the right,
     * EBUSY when another program holds the name, ENODEV where there is no TAP.
     *
     * @bsd tun_clone_create
     */
    @Override
    public Ifnet create(final VnetSide vnet, final int unit, final Map<String, String> params) throws ErrnoException {
        final String os = System.getProperty("os.name");
        if (!os.equals("Linux")) {
            throw new ErrnoException(Errno.ENODEV, "tap" + unit + ": needs Linux, this is " + os);
        }
        return Tap.create(vnet, unit, TapConfig.parse(unit, params));
    }

    /** @bsd tun_clone_destroy */
    @Override
    public void destroy(final Ifnet ifp) {
        ((Tap) ifp.softc()).destroy();
    }
}
