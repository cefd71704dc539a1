package io.gatun.netinet.icmp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.VnetSide;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many answers of a kind may leave in a second. A cell holds the second and the count in one word, so that counting
 * takes no lock.
 *
 * <p>The limit is off by a jitter that is drawn anew after each second that met it, so that nobody can learn from what
 * is left of it which ports others try (the SAD DNS attack). Two threads that draw at a time do no harm.
 *
 * @bsd badport_bandlim
 */
final class IcmpLimit {
    private static final long SEC = 1_000_000_000L;
    private static final int NOT_DRAWN = Integer.MIN_VALUE;
    private static final int LIMIT = 200;
    private static final int JITTER = 16;

    private final VnetSide vnet;
    private final Counter refused;
    private final Sysctl limit;
    private final Sysctl maxJitter;
    private final Sysctl limit6;
    private final AtomicLong[] cells = new AtomicLong[Icmp.Bandlim.values().length]; // (v) second << 32 | count
    private final AtomicIntegerArray jitter = new AtomicIntegerArray(cells.length);  // (v)

    IcmpLimit(VnetSide vnet, Counter refused) {
        this.vnet = vnet;
        this.refused = refused;
        limit = vnet.sysctl().addInt("net.inet.icmp.icmplim", LIMIT, 0, Integer.MAX_VALUE,
            "ICMP answers and TCP resets of a kind in a second; 0 for no limit");
        maxJitter = vnet.sysctl().addInt("net.inet.icmp.icmplim_jitter", JITTER, 0, Short.MAX_VALUE,
            "by how much the limit of a second is off at most");
        limit6 = vnet.sysctl().addInt("net.inet6.icmp6.errppslimit", 100, 0, Integer.MAX_VALUE,
            "ICMPv6 errors in a second; 0 for no limit");
        for (int i = 0; i < cells.length; i++) {
            cells[i] = new AtomicLong();
            jitter.set(i, NOT_DRAWN);
        }
    }

    boolean allow(Icmp.Bandlim which) {
        int most = (which == Icmp.Bandlim.ICMP6_UNREACH ? limit6 : limit).getInt();
        if (most == 0) {
            return true;
        }
        int kind = which.ordinal();
        int spread = Math.min(maxJitter.getInt(), most - 1);
        long second = vnet.clock().nanoTime() / SEC & 0xffff_ffffL;
        AtomicLong cell = cells[kind];
        long seen = cell.get();
        while (seen >>> Integer.SIZE != second) {
            if (cell.compareAndSet(seen, second << Integer.SIZE | 1)) {
                if ((int) seen > most - spread) {
                    jitter.set(kind, NOT_DRAWN);
                }
                return true;
            }
            seen = cell.get();
        }
        int count = (int) cell.incrementAndGet();
        if (count <= most - spread || count <= most + drawn(kind, spread)) {
            return true;
        }
        refused.increment();
        return false;
    }

    /** The jitter of this second, within the spread. @bsd icmplim_new_jitter */
    private int drawn(int kind, int spread) {
        int j = jitter.get(kind);
        if (j == NOT_DRAWN) {
            j = vnet.random().nextInt(2 * spread + 1) - spread;
            jitter.set(kind, j);
        }
        return Math.clamp(j, -spread, spread);
    }
}
