package io.gatun.netinet.ip;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.ifnet.IfAddr;
import io.gatun.spi.ifnet.Ifnet;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import java.util.List;

/**
 * All IPv4 addresses of this host. Looked up without a lock in a table that is replaced as a whole.
 *
 * <p>Locking key: (w) written under {@code lock}, read without one.
 *
 * @bsd V_in_ifaddrhead
 */
public final class InAddrs {
    private static final int HASH = 0x9e3779b9;
    /** So many that few strangers' addresses meet a slot in use: that would be a branch that nothing predicts. */
    private static final int MIN_SLOTS = 128;

    private static final class Table {
        final InIfaddr[] all;
        final InIfaddr[] byAddr;
        final InIfaddr[] byBroadcast;
        final int shift;

        Table(InIfaddr[] all) {
            this.all = all;
            int slots = Integer.highestOneBit(Math.max(MIN_SLOTS, all.length * 8) - 1) << 1;
            shift = Integer.numberOfLeadingZeros(slots) + 1;
            byAddr = new InIfaddr[slots];
            byBroadcast = new InIfaddr[slots];
            for (InIfaddr ia : all) {
                put(byAddr, ia.addr, ia);
                if (ia.broadcast != 0) {
                    put(byBroadcast, ia.broadcast, ia);
                }
            }
        }

        private void put(InIfaddr[] slots, int key, InIfaddr ia) {
            int i = key * HASH >>> shift;
            while (slots[i] != null) {
                i = i + 1 & slots.length - 1;
            }
            slots[i] = ia;
        }
    }

    private final Mtx lock = new Mtx(LockClass.CONFIG, "in_ifaddr");
    private volatile Table table = new Table(new InIfaddr[0]); // (w)

    /** No address yet. */
    public InAddrs() {
        // the table starts empty
    }

    /** Takes an address in. Called when its interface announces it. */
    public InIfaddr add(Ifnet ifp, IfAddr ifa) {
        InIfaddr ia = new InIfaddr(ifp, ifa);
        lock.lock();
        try {
            InIfaddr[] old = table.all;
            InIfaddr[] now = java.util.Arrays.copyOf(old, old.length + 1);
            now[old.length] = ia;
            publish(now);
        } finally {
            lock.unlock();
        }
        return ia;
    }

    /** Forgets an address; answers what was known of it, or null. */
    public InIfaddr remove(Ifnet ifp, IfAddr ifa) {
        lock.lock();
        try {
            InIfaddr[] old = table.all;
            for (int i = 0; i < old.length; i++) {
                if (old[i].ifp == ifp && old[i].ifa.addr().sameAddr(ifa.addr())) {
                    InIfaddr[] now = new InIfaddr[old.length - 1];
                    System.arraycopy(old, 0, now, 0, i);
                    System.arraycopy(old, i + 1, now, i, now.length - i);
                    publish(now);
                    return old[i];
                }
            }
        } finally {
            lock.unlock();
        }
        return null;
    }

    @GuardedBy("lock")
    private void publish(InIfaddr[] all) {
        table = new Table(all);
    }

    /** The host's own address record for an address, or null when it is not one of ours. @bsd INADDR_TO_IFADDR */
    public InIfaddr lookup(int addr) {
        Table t = table;
        InIfaddr[] slots = t.byAddr;
        int i = addr * HASH >>> t.shift;
        InIfaddr ia = slots[i];
        while (ia != null && ia.addr != addr) {
            i = i + 1 & slots.length - 1;
            ia = slots[i];
        }
        return ia;
    }

    /** Whether the address is one of this host's. @bsd in_localip */
    public boolean isLocal(int addr) {
        return lookup(addr) != null;
    }

    /**
     * Whether packets to the address are broadcast on this interface.
     *
     * @param ifp or null for any interface
     * @bsd in_ifnet_broadcast
     */
    public boolean isBroadcast(int addr, Ifnet ifp) {
        if (addr == -1) {
            return true;
        }
        Table t = table;
        InIfaddr[] slots = t.byBroadcast;
        int i = addr * HASH >>> t.shift;
        InIfaddr ia = slots[i];
        while (ia != null && (ia.broadcast != addr || ifp != null && ia.ifp != ifp)) {
            i = i + 1 & slots.length - 1;
            ia = slots[i];
        }
        return ia != null;
    }

    /** The first address of an interface, or null. @bsd IFP_TO_IA */
    public InIfaddr first(Ifnet ifp) {
        for (InIfaddr ia : table.all) {
            if (ia.ifp == ifp) {
                return ia;
            }
        }
        return null;
    }

    /**
     * The address whose network holds another address, the longest prefix first; null when it is on no link.
     *
     * @param ifp or null for any interface
     * @bsd ifa_ifwithnet
     */
    public InIfaddr onLink(int addr, Ifnet ifp) {
        InIfaddr best = null;
        for (InIfaddr ia : table.all) {
            if (ia.onLink(addr) && (ifp == null || ia.ifp == ifp)
                    && (best == null || ia.prefixLen() > best.prefixLen())) {
                best = ia;
            }
        }
        return best;
    }

    /** All addresses, oldest first: a snapshot. */
    public List<InIfaddr> all() {
        return List.of(table.all);
    }

    // Kinds of address (RFC 1122 section 3.2.1.3, RFC 5735).

    /** Class D. @bsd IN_MULTICAST */
    public static boolean isMulticast(int addr) {
        return addr >>> 28 == 0xe;
    }

    /** 127.0.0.0/8. @bsd IN_LOOPBACK */
    public static boolean isLoopback(int addr) {
        return addr >>> 24 == 127;
    }

    /** 0.0.0.0/8. @bsd IN_ZERONET */
    public static boolean isZeronet(int addr) {
        return addr >>> 24 == 0;
    }

    /** 169.254.0.0/16. @bsd IN_LINKLOCAL */
    public static boolean isLinkLocal(int addr) {
        return addr >>> 16 == 0xa9fe;
    }

    /** 240.0.0.0/4. @bsd IN_EXPERIMENTAL */
    public static boolean isExperimental(int addr) {
        return addr >>> 28 == 0xf;
    }

    /** Whether packets to the address may leave their network. @bsd in_canforward */
    public static boolean canForward(int addr) {
        return !isMulticast(addr) && !isLoopback(addr) && !isZeronet(addr) && !isLinkLocal(addr)
            && !isExperimental(addr);
    }
}
