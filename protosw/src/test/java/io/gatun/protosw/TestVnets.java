package io.gatun.protosw;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.mbuf.MbufPoolBuilder;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.VnetSide;
import java.lang.management.ManagementFactory;

/** What the tests of this package share. */
final class TestVnets {
    static final long MS = 1_000_000L;
    static final long SEC = 1_000 * MS;

    private TestVnets() {
    }

    static MbufPoolBuilder tinyPool() {
        return MbufPool.builder().nmbufs(256).nmbclusters(16).nmbjumbop(0).nmbjumbo9(0).nmbjumbo16(0);
    }

    /** Without threads, domains and drivers. */
    static VnetBuilder polled(Clock clock) {
        return Vnet.builder().pool(tinyPool()).services(false).strict(true).clock(clock).threads(false).seed(1);
    }

    /** With threads, without domains and drivers. */
    static VnetBuilder threaded() {
        return Vnet.builder().pool(tinyPool().nmbufs(8192)).services(false).strict(true);
    }

    /** One packet that holds a number. */
    static Mbuf packet(VnetSide vnet, int number) {
        Mbuf m = vnet.pool().gethdr(Mbuf.MT_DATA);
        m.len(Integer.BYTES);
        m.pktLen(Integer.BYTES);
        m.putInt(0, number);
        return m;
    }

    /** The number, and the packet is freed. */
    static int unpack(Mbuf m) {
        int n = m.getInt(0);
        m.freeChain();
        return n;
    }

    /** Octets that the calling thread allocates in the best run of so many turns, given time to be compiled. */
    static long allocated(int turns, Runnable turn) {
        com.sun.management.ThreadMXBean threads =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        long start = System.nanoTime();
        while (least != 0 && System.nanoTime() - start < 40 * SEC) {
            long before = threads.getThreadAllocatedBytes(self);
            for (int i = 0; i < turns; i++) {
                turn.run();
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(self) - before);
        }
        return least;
    }
}
