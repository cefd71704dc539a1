package io.gatun.spi.ifnet;

import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Mtx;
import java.util.ArrayList;
import java.util.List;

/**
 * The addresses of an interface and the groups it has joined, as lists that are replaced and never changed.
 *
 * <p>Locking key: (w) written under the interface's lock, volatile.
 *
 * @bsd struct ifaddrhead, struct ifmultihead
 */
final class IfAddrs {
    /** What a leave did. */
    enum Leave { NOT_JOINED, STILL_JOINED, LEFT }

    private final Mtx lock;
    private volatile List<IfAddr> unicast = List.of();  // (w)
    private volatile List<SockAddr> groups = List.of(); // (w) one entry per join

    IfAddrs(final Mtx lock) {
        this.lock = lock;
    }

    List<IfAddr> unicast() {
        return unicast;
    }

    List<SockAddr> groups() {
        return groups;
    }

    /** False when the address is there already. */
    boolean add(final IfAddr addr) {
        lock.lock();
        try {
            if (find(addr.addr()) != null) {
                return false;
            }
            final List<IfAddr> list = new ArrayList<>(unicast);
            list.add(addr);
            unicast = List.copyOf(list);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** What was removed, or null. */
    IfAddr remove(final SockAddr addr) {
        lock.lock();
        try {
            final IfAddr found = find(addr);
            if (found != null) {
                final List<IfAddr> list = new ArrayList<>(unicast);
                list.remove(found);
                unicast = List.copyOf(list);
            }
            return found;
        } finally {
            lock.unlock();
        }
    }

    private IfAddr find(final SockAddr addr) {
        for (final IfAddr a : unicast) {
            if (a.addr().equals(addr)) {
                return a;
            }
        }
        return null;
    }

    /** True when it is the first join of the group. */
    boolean join(final SockAddr group) {
        lock.lock();
        try {
            final boolean first = !groups.contains(group);
            final List<SockAddr> list = new ArrayList<>(groups);
            list.add(group);
            groups = List.copyOf(list);
            return first;
        } finally {
            lock.unlock();
        }
    }

    Leave leave(final SockAddr group) {
        lock.lock();
        try {
            final List<SockAddr> list = new ArrayList<>(groups);
            if (!list.remove(group)) {
                return Leave.NOT_JOINED;
            }
            groups = List.copyOf(list);
            return list.contains(group) ? Leave.STILL_JOINED : Leave.LEFT;
        } finally {
            lock.unlock();
        }
    }
}
