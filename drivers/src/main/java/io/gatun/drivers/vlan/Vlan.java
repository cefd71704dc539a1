package io.gatun.drivers.vlan;

import io.gatun.spi.ifnet.EtherVlan;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.IfReq;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.LinkState;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import java.util.LinkedHashSet;

/**
 * One vlan interface. It follows its parent: link state, link address (unless it was given one of its own), MTU and
 * offloads.
 *
 * <p>Locking key: (l) the lock of its {@link VlanTable}; (w) written under it, read without.
 *
 * @bsd struct ifvlan
 */
final class Vlan {
    static final int MIN_MTU = 68;
    static final int MAX_MTU = 65_535;

    private static final int ETHER_HDR_LEN = 14;
    private static final int ETHER_ADDR_LEN = 6;
    private static final int ETHERMTU = 1500;
    private static final int PCP_SHIFT = 13;

    private final VlanTable table;
    private final Ifnet ifp;
    private final int pcp;
    private volatile Ifnet parent; // (w) null while it has none
    private volatile int vid;      // (w)
    private boolean ownAddress;    // (l) the link address is not the parent's

    Vlan(final VlanTable table, final int unit, final int pcp) {
        this.table = table;
        this.pcp = pcp;
        ifp = Ifnet.alloc(table.vnet(), Ifnet.IFT_L2VLAN, "vlan", unit, this);
        ifp.setFlagBits(Ifnet.IFF_BROADCAST | Ifnet.IFF_SIMPLEX | Ifnet.IFF_MULTICAST, 0);
        ifp.setMtu(ETHERMTU);
        ifp.setLladdr(new byte[ETHER_ADDR_LEN]);
        ifp.setCapabilities(Ifnet.IFCAP_LINKSTATE);
        ifp.setTsoMax(0);
        ifp.setTransmitFn((i, m) -> transmit(m));
        ifp.setQflushFn(i -> { });
        ifp.setIoctlFn((i, r) -> ioctl(r));
        ifp.setInitFn(i -> running());
    }

    Ifnet ifp() {
        return ifp;
    }

    /** @bsd VLAN_TRUNKDEV */
    Ifnet parent() {
        return parent;
    }

    /** @bsd VLAN_TAG */
    int vid() {
        return vid;
    }

    /** For the table, which holds its lock. */
    void join(final Ifnet newParent, final int newVid) {
        vid = newVid;
        parent = newParent;
    }

    // ---- data ------------------------------------------------------------

    /** Tags frames and hands them to the parent. Consumes first and what follows. @bsd vlan_transmit */
    private Errno transmit(final Mbuf first) {
        Errno result = Errno.OK;
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            final Errno e = one(m);
            result = e == Errno.OK ? result : e;
            m = next;
        }
        return result;
    }

    private Errno one(final Mbuf m) {
        final Ifnet to = parent;
        final int octets = m.pktLen();
        if (to == null) {
            return refuse(m, DropReason.VLAN_NOPARENT, Errno.ENETDOWN);
        }
        if (octets > ifp.mtu() + ETHER_HDR_LEN && (m.csumFlags() & Csum.CSUM_TSO) == 0) {
            return refuse(m, DropReason.IF_TOOBIG, Errno.EMSGSIZE);
        }
        if (octets < ETHER_HDR_LEN) {
            return refuse(m, DropReason.IF_TOOSHORT, Errno.EINVAL);
        }
        final int tag = pcp << PCP_SHIFT | vid;
        Mbuf frame = m;
        if ((to.capenable() & Ifnet.IFCAP_VLAN_HWTAGGING) != 0) {
            frame.etherVtag(tag);
            frame.setFlags(Mbuf.M_VLANTAG);
        } else {
            frame = EtherVlan.encap(m, tag);
            if (frame == null) {
                return refuse(null, DropReason.MBUF_NOMEM, Errno.ENOBUFS);
            }
        }
        final Errno e = to.transmit(frame);
        if (e == Errno.OK) {
            ifp.count(IfCounter.OPACKETS, 1);
            ifp.count(IfCounter.OBYTES, octets);
        } else {
            ifp.count(e == Errno.ENOBUFS ? IfCounter.OQDROPS : IfCounter.OERRORS, 1);
        }
        return e;
    }

    private Errno refuse(final Mbuf m, final DropReason reason, final Errno e) {
        ifp.count(IfCounter.OERRORS, 1);
        ifp.vnet().drop(m, reason);
        return e;
    }

    /** Takes up a frame of this vid whose tag is in the packet header. Consumes m. */
    void input(final Mbuf m) {
        m.clearFlags(Mbuf.M_VLANTAG);
        m.rcvif(ifp);
        ifp.count(IfCounter.IPACKETS, 1);
        ifp.count(IfCounter.IBYTES, m.pktLen());
        ifp.input(m);
    }

    // ---- configuration ------------------------------------------------------------

    /** @bsd vlan_ioctl */
    private Errno ioctl(final IfReq request) {
        return switch (request) {
            case IfReq.SetFlags r -> {
                running();
                yield Errno.OK;
            }
            case IfReq.SetVlan r -> setVlan(r);
            case IfReq.SetMtu r -> r.mtu() >= MIN_MTU && r.mtu() <= maxMtu() ? Errno.OK : Errno.EINVAL;
            case IfReq.SetLladdr r -> setLladdr(r.lladdr());
            case IfReq.SetCap r -> (r.capenable() & ~ifp.capabilities()) == 0 ? Errno.OK : Errno.EINVAL;
            case IfReq.AddMulti r -> parent == null ? Errno.OK : parent.addMulti(r.group());
            case IfReq.DelMulti r -> parent == null ? Errno.OK : parent.delMulti(r.group());
            default -> Errno.EOPNOTSUPP;
        };
    }

    private void running() {
        final boolean up = (ifp.flags() & Ifnet.IFF_UP) != 0 && parent != null;
        ifp.setDrvFlagBits(up ? Ifnet.IFF_DRV_RUNNING : 0, up ? 0 : Ifnet.IFF_DRV_RUNNING);
    }

    private Errno setLladdr(final byte[] addr) {
        if (addr.length != ETHER_ADDR_LEN) {
            return Errno.EINVAL;
        }
        table.lock().lock();
        try {
            ownAddress = true;
        } finally {
            table.lock().unlock();
        }
        return Errno.OK;
    }

    private int maxMtu() {
        final Ifnet p = parent;
        return p == null ? ETHERMTU : maxMtu(p);
    }

    private static int maxMtu(final Ifnet p) {
        final boolean roomForTag = (p.capenable() & Ifnet.IFCAP_VLAN_MTU) != 0;
        return roomForTag ? p.mtu() : p.mtu() - EtherVlan.ETHER_VLAN_ENCAP_LEN;
    }

    /** @bsd vlan_config */
    private Errno setVlan(final IfReq.SetVlan r) {
        if (r.parent() == null) {
            leave();
            return Errno.OK;
        }
        if (r.proto() != EtherVlan.ETHERTYPE_VLAN) {
            return Errno.EPROTONOSUPPORT;
        }
        if (r.parent().type() != Ifnet.IFT_ETHER) {
            return Errno.EPROTONOSUPPORT;
        }
        if (r.vid() < 1 || r.vid() > EtherVlan.VID_MAX || r.parent().vnet() != ifp.vnet()) {
            return Errno.EINVAL;
        }
        final Errno e = table.add(this, r.parent(), r.vid());
        if (e != Errno.OK) {
            return e;
        }
        final Ifnet p = r.parent();
        for (final var group : new LinkedHashSet<>(ifp.multiaddrs())) {
            p.addMulti(group);
        }
        ifp.setCapabilities(capabilities(p));
        ifp.setTsoMax((ifp.capabilities() & Ifnet.IFCAP_TSO) != 0 ? p.tsoMax() : 0);
        ifp.setMtu(maxMtu(p));
        follow(p);
        return Errno.OK;
    }

    /** Gives the parent up. Does nothing when there is none. @bsd vlan_unconfig */
    void leave() {
        final Ifnet p = table.remove(this);
        if (p == null) {
            return;
        }
        for (final var group : new LinkedHashSet<>(ifp.multiaddrs())) {
            p.delMulti(group);
        }
        running();
        ifp.linkStateChange(LinkState.DOWN);
    }

    private static int capabilities(final Ifnet p) {
        final int has = p.capenable();
        int caps = Ifnet.IFCAP_LINKSTATE | has & Ifnet.IFCAP_JUMBO_MTU;
        if ((has & Ifnet.IFCAP_VLAN_HWCSUM) != 0) {
            caps |= has & (Ifnet.IFCAP_HWCSUM | Ifnet.IFCAP_RXCSUM_IPV6 | Ifnet.IFCAP_TXCSUM_IPV6);
        }
        return (has & Ifnet.IFCAP_VLAN_HWTSO) != 0 ? caps | has & Ifnet.IFCAP_TSO : caps;
    }

    /** Something about the parent may have changed. @bsd vlan_link_state, vlan_iflladdr */
    void follow(final Ifnet p) {
        final byte[] addr = p.lladdr();
        final boolean own;
        table.lock().lock();
        try {
            own = ownAddress;
        } finally {
            table.lock().unlock();
        }
        if (!own && addr != null) {
            ifp.setLladdr(addr);
        }
        if (ifp.mtu() > maxMtu(p)) {
            ifp.setMtu(maxMtu(p));
        }
        running();
        ifp.linkStateChange(p.linkState());
    }

    void destroy() {
        ifp.vnet().ifnets().detach(ifp);
        leave();
        ifp.free();
    }
}
