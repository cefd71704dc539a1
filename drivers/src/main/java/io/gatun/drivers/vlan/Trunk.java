package io.gatun.drivers.vlan;

import io.gatun.spi.ifnet.EtherVlan;
import io.gatun.spi.ifnet.IfCounter;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.VlanTrunk;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The vlans of one parent, by vid.
 *
 * <p>Locking key: (p) replaced under the lock of the {@link VlanTable}, never changed in place; read without.
 *
 * @bsd struct ifvlantrunk
 */
final class Trunk implements VlanTrunk {
    private final Ifnet parent;
    private volatile Vlan[] byVid = new Vlan[0]; // (p) as long as the highest vid wants

    Trunk(final Ifnet parent) {
        this.parent = parent;
    }

    Vlan get(final int vid) {
        final Vlan[] table = byVid;
        return vid < table.length ? table[vid] : null;
    }

    void set(final int vid, final Vlan vlan) {
        final Vlan[] table = Arrays.copyOf(byVid, Math.max(byVid.length, vid + 1));
        table[vid] = vlan;
        byVid = table;
    }

    boolean isEmpty() {
        return all().isEmpty();
    }

    List<Vlan> all() {
        final List<Vlan> out = new ArrayList<>();
        for (final Vlan v : byVid) {
            if (v != null) {
                out.add(v);
            }
        }
        return out;
    }

    /** @bsd vlan_input */
    @Override
    public void input(final Ifnet from, final Mbuf m) {
        final Vlan vlan = get(EtherVlan.vlanOfTag(m.etherVtag()));
        if (vlan == null) {
            parent.count(IfCounter.NOPROTO, 1);
            parent.vnet().drop(m, DropReason.VLAN_NOTAG);
            return;
        }
        vlan.input(m);
    }
}
