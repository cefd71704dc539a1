package io.gatun.drivers.vlan;

import io.gatun.spi.ifnet.EtherVlan;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.VnetSide;
import java.util.Map;

/**
 * Makes {@code vlanN}. Without parameters it has no parent and is down until {@link IfReq.SetVlan} gives it one.
 *
 * <pre>
 *  parent  name of an Ethernet interface of the same vnet
 *  vid     1 to 4094; wanted with a parent
 *  pcp     priority of frames sent, 0 to 7, by default 0
 *  mtu     octets; by default as large as the parent can carry
 * </pre>
 *
 * @bsd if_vlan
 * @see <a href="https://man.freebsd.org/vlan/4">vlan(4)</a>
 */
public final class VlanDriver implements IfnetDriver {
    private static final int PCP_MAX = 7;

    private VlanTable table; // of the vnet; made with the first interface

    /** For ServiceLoader. */
    public VlanDriver() {
        // one per vnet
    }

    @Override
    public String name() {
        return "vlan";
    }

    /** {@inheritDoc} ENXIO for a parent that does not exist, EEXIST for a vid that the parent carries already. */
    @Override
    public Ifnet create(final VnetSide vnet, final int unit, final Map<String, String> params) throws ErrnoException {
        String parentName = null;
        int vid = 0;
        int pcp = 0;
        int mtu = 0;
        for (final Map.Entry<String, String> p : params.entrySet()) {
            switch (p.getKey()) {
                case "parent" -> parentName = p.getValue();
                case "vid" -> vid = number(unit, p, 1, EtherVlan.VID_MAX);
                case "pcp" -> pcp = number(unit, p, 0, PCP_MAX);
                case "mtu" -> mtu = number(unit, p, Vlan.MIN_MTU, Vlan.MAX_MTU);
                default -> throw new ErrnoException(Errno.EINVAL, "vlan" + unit + ": unknown parameter " + p.getKey());
            }
        }
        if ((parentName == null) != (vid == 0)) {
            throw new ErrnoException(Errno.EINVAL, "vlan" + unit + ": parent and vid go together");
        }
        final Ifnet parent = parentName == null ? null : vnet.ifnets().byName(parentName);
        if (parentName != null && parent == null) {
            throw new ErrnoException(Errno.ENXIO, "vlan" + unit + ": no interface " + parentName);
        }
        final Vlan vlan = new Vlan(table(vnet), unit, pcp);
        ErrnoException.check(vnet.ifnets().attach(vlan.ifp()), "create vlan" + unit);
        vlan.ifp().linkStateChange(LinkState.DOWN);
        final IfReq join = new IfReq.SetVlan(parent, vid, EtherVlan.ETHERTYPE_VLAN);
        Errno e = parent == null ? Errno.OK : vlan.ifp().ioctl(join);
        if (e == Errno.OK && mtu != 0) {
            e = vlan.ifp().ioctl(new IfReq.SetMtu(mtu));
        }
        if (e != Errno.OK) {
            destroy(vlan.ifp());
            throw new ErrnoException(e, "vlan" + unit + ": vid " + vid + " of " + parentName);
        }
        return vlan.ifp();
    }

    private synchronized VlanTable table(final VnetSide vnet) {
        if (table == null) {
            table = new VlanTable(vnet);
            vnet.ifnets().addListener(table);
        }
        return table;
    }

    private static int number(final int unit, final Map.Entry<String, String> p, final int min, final int max)
            throws ErrnoException {
        final String what = "vlan" + unit + ": " + p.getKey() + " '" + p.getValue() + "'";
        try {
            final int n = Integer.parseInt(p.getValue());
            if (n >= min && n <= max) {
                return n;
            }
        } catch (final NumberFormatException e) {
            throw new ErrnoException(Errno.EINVAL, what + " is not a number");
        }
        throw new ErrnoException(Errno.EINVAL, what + " is not in " + min + ".." + max);
    }

    /** @bsd vlan_clone_destroy */
    @Override
    public void destroy(final Ifnet ifp) {
        ((Vlan) ifp.softc()).destroy();
    }
}
