package io.gatun.netinet.icmp;

import io.gatun.spi.sys.Counter;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.VnetSide;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many answers of a kind may leave in a second. A cell holds the second and the count in one word, so that counting
 * takes no lock.
 *
 * @bsd badport_bandlim
 */
final class IcmpLimit {
    private static final long SEC = 1_000_000_000L;

    private final Clock clock;
    private final Counter refused;
    private final Sysctl limit;
    private final AtomicLong[] cells = new AtomicLong[Icmp.Bandlim.values().length]; // (v) second << 32 | count

    IcmpLimit(VnetSide vnet, Counter refused) {
        clock = vnet.clock();
        this.refused = refused;
        limit = vnet.sysctl().addInt("net.inet.icmp.icmplim", 200, 0, Integer.MAX_VALUE,
            "ICMP answers and TCP resets of a kind in a second; 0 for no limit");
        for (int i = 0; i < cells.length; i++) {
            cells[i] = new AtomicLong();
        }
    }

    boolean allow(Icmp.Bandlim which) {
        int most = limit.getInt();
        if (most == 0) {
            return true;
        }
        long second = clock.nanoTime() / SEC & 0xffff_ffffL;
        AtomicLong cell = cells[which.ordinal()];
        long seen = cell.get();
        while (seen >>> Integer.SIZE != second) {
            if (cell.compareAndSet(seen, second << Integer.SIZE | 1)) {
                return true;
            }
            seen = cell.get();
        }
        if ((int) seen < most && (int) cell.incrementAndGet() <= most) {
            return true;
        }
        refused.increment();
        return false;
    }
}
