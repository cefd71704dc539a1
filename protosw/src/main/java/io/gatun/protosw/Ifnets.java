package io.gatun.protosw;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.ifnet.IfnetDriver;
import io.gatun.spi.ifnet.IfnetListener;
import io.gatun.spi.ifnet.IfnetTable;
import io.gatun.spi.ifnet.LinkLayer;
import io.gatun.spi.sys.Cv;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.VnetSide;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The interfaces of a vnet. A name and an index are reserved under the lock; drivers, link layers, domains and
 * listeners are called without it.
 *
 * <p>Locking key: (l) {@code lock}, (p) written under {@code lock}, published by a volatile write, never changed in
 * place.
 *
 * @bsd ifnet_list
 */
final class Ifnets implements IfnetTable {
    private final Mtx lock = new Mtx(LockClass.CONFIG, "ifnet_sx");
    private final VnetSide vnet;
    private final Domains domains;
    private final Map<String, IfnetDriver> drivers = new TreeMap<>(); // fixed once the vnet is built
    private final List<IfnetListener> listeners = new CopyOnWriteArrayList<>();
    @GuardedBy("lock")
    private final Map<Integer, LinkLayer> layers = new HashMap<>(); // (l)
    @GuardedBy("lock")
    private final Map<String, Ifnet> names = new HashMap<>(); // (l) attached, coming or going
    @GuardedBy("lock")
    private final Set<Integer> indices = new HashSet<>(); // (l) of those
    @GuardedBy("lock")
    private final Set<String> creating = new HashSet<>(); // (l) driver units that are being made
    @GuardedBy("lock")
    private final Map<Ifnet, Thread> detaching = new HashMap<>(); // (l) those that go, and who takes them away
    private final Cv gone = new Cv(lock);
    private volatile List<Ifnet> attached = List.of(); // (p)
    private volatile Ifnet[] byIndex = new Ifnet[1];   // (p)

    Ifnets(VnetSide vnet, Domains domains) {
        this.vnet = vnet;
        this.domains = domains;
    }

    /** While the vnet is built. EEXIST for a second driver of a name. */
    Errno addDriver(IfnetDriver driver) {
        return drivers.putIfAbsent(driver.name(), driver) == null ? Errno.OK : Errno.EEXIST;
    }

    @Override
    public Errno attach(Ifnet ifp) {
        if (ifp.transmitFn() == null || ifp.qflushFn() == null) {
            return Errno.EINVAL;
        }
        LinkLayer layer;
        lock.lock();
        try {
            layer = layers.get(ifp.type());
            if (layer == null && ifp.outputFn() == null || ifp.index() != 0) {
                return Errno.EINVAL;
            }
            if (names.putIfAbsent(ifp.xname(), ifp) != null) {
                return Errno.EEXIST;
            }
            int index = 1;
            while (!indices.add(index)) {
                index++;
            }
            ifp.setIndex(index);
        } finally {
            lock.unlock();
        }
        ifp.setFlagBits(0, Ifnet.IFF_DYING);
        Errno e = layer == null ? Errno.OK : layer.attach(ifp);
        if (e != Errno.OK) {
            release(ifp);
            return e;
        }
        publish(ifp, true);
        domains.ifattach(ifp);
        for (IfnetListener l : listeners) {
            l.arrived(ifp);
        }
        return Errno.OK;
    }

    private void publish(Ifnet ifp, boolean there) {
        lock.lock();
        try {
            List<Ifnet> list = new ArrayList<>(attached);
            if (there) {
                list.add(ifp);
            } else {
                list.remove(ifp);
            }
            list.sort(Comparator.comparingInt(Ifnet::index));
            int last = list.isEmpty() ? 0 : list.getLast().index();
            Ifnet[] table = new Ifnet[last + 1];
            for (Ifnet i : list) {
                table[i.index()] = i;
            }
            byIndex = table;
            attached = List.copyOf(list);
        } finally {
            lock.unlock();
        }
    }

    private void release(Ifnet ifp) {
        lock.lock();
        try {
            names.remove(ifp.xname());
            indices.remove(ifp.index());
            ifp.setIndex(0);
            detaching.remove(ifp);
            gone.broadcast();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void detach(Ifnet ifp) {
        LinkLayer layer;
        lock.lock();
        try {
            if (!mayDetach(ifp)) {
                return;
            }
            ifp.setFlagBits(Ifnet.IFF_DYING, 0);
            layer = layers.get(ifp.type());
        } finally {
            lock.unlock();
        }
        try {
            for (IfnetListener l : listeners) {
                l.departing(ifp);
            }
            domains.ifdetach(ifp);
            publish(ifp, false);
            if (layer != null) {
                layer.detach(ifp);
            }
            ifp.awaitSlots();
            ifp.qflush();
        } finally {
            release(ifp); // also when a listener throws: others may wait for it
        }
    }

    /**
     * Whether an interface is there for the caller to take away. Who comes second waits until it has gone, for he may
     * end its life then; who comes by a listener, from within, does not.
     */
    @GuardedBy("lock")
    private boolean mayDetach(Ifnet ifp) {
        Thread self = Thread.currentThread();
        Thread by = detaching.get(ifp);
        if (by == null && names.get(ifp.xname()) == ifp) {
            detaching.put(ifp, self);
            return true;
        }
        while (by != null && by != self) {
            gone.await();
            by = detaching.get(ifp);
        }
        return false;
    }

    /** Waits for those that other threads take away. */
    private void awaitGone() {
        lock.lock();
        try {
            while (!detaching.isEmpty() && !detaching.containsValue(Thread.currentThread())) {
                gone.await();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Ifnet byName(String name) {
        for (Ifnet i : attached) {
            if (i.xname().equals(name)) {
                return i;
            }
        }
        return null;
    }

    @Override
    public Ifnet byIndex(int index) {
        Ifnet[] table = byIndex;
        return index > 0 && index < table.length ? table[index] : null;
    }

    @Override
    public List<Ifnet> all() {
        return attached;
    }

    @Override
    public Ifnet create(String name, Map<String, String> params) throws ErrnoException {
        int digits = name.length();
        while (digits > 0 && Character.isDigit(name.charAt(digits - 1))) {
            digits--;
        }
        String dname = name.substring(0, digits);
        IfnetDriver driver = drivers.get(dname);
        if (driver == null) {
            throw new ErrnoException(Errno.ENODEV, "create " + name + ": no driver " + dname);
        }
        int unit = reserve(dname, name.substring(digits));
        try {
            return driver.create(vnet, unit, params);
        } finally {
            lock.lock();
            try {
                creating.remove(dname + unit);
            } finally {
                lock.unlock();
            }
        }
    }

    /** Takes the unit asked for, or the lowest free one when none is. */
    private int reserve(String dname, String wanted) throws ErrnoException {
        lock.lock();
        try {
            if (!wanted.isEmpty()) {
                int unit = parseUnit(dname, wanted);
                if (taken(dname, unit) || !creating.add(dname + unit)) {
                    throw new ErrnoException(Errno.EEXIST, "create " + dname + wanted);
                }
                return unit;
            }
            int unit = 0;
            while (taken(dname, unit) || !creating.add(dname + unit)) {
                unit++;
            }
            return unit;
        } finally {
            lock.unlock();
        }
    }

    private static int parseUnit(String dname, String digits) throws ErrnoException {
        try {
            return Integer.parseInt(digits);
        } catch (NumberFormatException e) {
            throw new ErrnoException(Errno.EINVAL, "create " + dname + digits);
        }
    }

    @GuardedBy("lock")
    private boolean taken(String dname, int unit) {
        for (Ifnet i : names.values()) {
            if (i.dunit() == unit && i.dname().equals(dname)) {
                return true;
            }
        }
        return false;
    }

    /** Destroys all interfaces, the newest first, through their drivers; what no driver made is detached. */
    void destroyAll() {
        List<Ifnet> list = attached;
        while (!list.isEmpty()) {
            Ifnet ifp = list.getLast();
            if (destroy(ifp) != Errno.OK || byIndex(ifp.index()) == ifp) {
                detach(ifp);
            }
            list = attached;
        }
        awaitGone();
    }

    @Override
    public Errno destroy(Ifnet ifp) {
        IfnetDriver driver = drivers.get(ifp.dname());
        if (driver == null || byIndex(ifp.index()) != ifp) {
            return Errno.ENODEV;
        }
        driver.destroy(ifp);
        return Errno.OK;
    }

    @Override
    public Map<String, IfnetDriver> drivers() {
        return Map.copyOf(drivers);
    }

    @Override
    public Errno registerLinkLayer(int ifType, LinkLayer layer) {
        lock.lock();
        try {
            return layers.putIfAbsent(ifType, layer) == null ? Errno.OK : Errno.EEXIST;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void addListener(IfnetListener listener) {
        listeners.add(listener);
    }

    @Override
    public void removeListener(IfnetListener listener) {
        listeners.remove(listener);
    }

    @Override
    public void announceAddress(Ifnet ifp, IfAddr addr, boolean added) {
        for (IfnetListener l : listeners) {
            l.addressChanged(ifp, addr, added);
        }
    }

    @Override
    public void announceState(Ifnet ifp) {
        for (IfnetListener l : listeners) {
            l.stateChanged(ifp);
        }
    }
}
