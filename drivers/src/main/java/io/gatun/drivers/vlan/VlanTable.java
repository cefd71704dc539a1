package io.gatun.drivers.vlan;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetListener;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.VnetSide;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The trunks of a vnet, by parent. Hears what happens to the parents and tells the vlans on them, without its lock.
 *
 * <p>Locking key: (l) {@code lock}, (c) constant.
 *
 * @bsd vlan_sx
 */
final class VlanTable implements IfnetListener {
    private final Mtx lock = new Mtx(LockClass.CONFIG, "vlan_sx"); // (c)
    private final VnetSide vnet;
    @GuardedBy("lock")
    private final Map<Ifnet, Trunk> trunks = new HashMap<>(); // (l)

    VlanTable(final VnetSide vnet) {
        this.vnet = vnet;
    }

    VnetSide vnet() {
        return vnet;
    }

    Mtx lock() {
        return lock;
    }

    /** Puts a vlan on a parent. EEXIST for a taken vid, EBUSY when it has a parent. */
    Errno add(final Vlan vlan, final Ifnet parent, final int vid) {
        lock.lock();
        try {
            if (vlan.parent() != null) {
                return Errno.EBUSY;
            }
            if (parent.index() == 0 || (parent.flags() & Ifnet.IFF_DYING) != 0) {
                return Errno.ENXIO;
            }
            final Trunk trunk = trunks.computeIfAbsent(parent, Trunk::new);
            if (trunk.get(vid) != null) {
                return Errno.EEXIST;
            }
            vlan.join(parent, vid);
            trunk.set(vid, vlan);
            parent.setVlanTrunk(trunk);
            return Errno.OK;
        } finally {
            lock.unlock();
        }
    }

    /** Takes a vlan off its parent, and answers that; null when there was none. */
    Ifnet remove(final Vlan vlan) {
        lock.lock();
        try {
            final Ifnet parent = vlan.parent();
            if (parent == null) {
                return null;
            }
            final Trunk trunk = trunks.get(parent);
            trunk.set(vlan.vid(), null);
            vlan.join(null, 0);
            if (trunk.isEmpty()) {
                trunks.remove(parent);
                parent.setVlanTrunk(null);
            }
            return parent;
        } finally {
            lock.unlock();
        }
    }

    private List<Vlan> on(final Ifnet parent) {
        lock.lock();
        try {
            final Trunk trunk = trunks.get(parent);
            return trunk == null ? List.of() : trunk.all();
        } finally {
            lock.unlock();
        }
    }

    /** @bsd vlan_link_state */
    @Override
    public void stateChanged(final Ifnet ifp) {
        for (final Vlan v : on(ifp)) {
            v.follow(ifp);
        }
    }

    /** @bsd vlan_ifdetach */
    @Override
    public void departing(final Ifnet ifp) {
        for (final Vlan v : on(ifp)) {
            v.leave();
        }
    }
}
