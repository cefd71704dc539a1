package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.M_COPYALL;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What a packet goes through allocates nothing on the heap, with assertions on or off. */
final class MbufZeroAllocationTest {
    private static final int ROUNDS = 20_000;
    private static final long PATIENCE_NS = 120_000_000_000L;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final MbufPool pool = MbufPool.builder().small().threads(1).build();
    private final MemorySegment foreign = Arena.ofAuto().allocate(5000);
    private final byte[] array = new byte[5000];
    private final MbufVisitor visitor = (seg, off, len, arg) -> 0;
    private final ExtFree release = (a, b) -> { };

    @Test
    void getAndFree() {
        measure(() -> pool.get(MT_DATA).free());
    }

    @Test
    void gethdrAndFree() {
        measure(() -> pool.gethdr(MT_DATA).free());
    }

    @Test
    void getclAndFreeChain() {
        measure(() -> pool.getcl(MT_DATA, M_PKTHDR).freeChain());
    }

    @Test
    void manyThroughTheDepot() {
        measure(() -> {
            Mbuf all = null;
            for (int i = 0; i < 300; i++) {
                Mbuf m = pool.getcl(MT_DATA, 0);
                m.next(all);
                all = m;
            }
            all.freeChain();
        }, ROUNDS / 100);
    }

    @Test
    void copyM() {
        Mbuf m = packet();
        measure(() -> m.copyM(0, M_COPYALL).freeChain());
        m.freeChain();
    }

    @Test
    void prependAndPullup() {
        measure(() -> {
            Mbuf m = pool.getcl(MT_DATA, M_PKTHDR);
            m.len(100);
            m.pktLen(100);
            m = m.prepend(20).prepend(20).pullup(130);
            m.freeChain();
        });
    }

    @Test
    void splitAndCat() {
        Mbuf m = packet();
        measure(() -> m.catPkt(m.split(2000)));
        m.freeChain();
    }

    @Test
    void copying() {
        Mbuf m = packet();
        measure(() -> {
            m.copyData(10, 3000, array, 0);
            m.copyData(10, 3000, foreign, 0);
            m.copyBack(10, 3000, array, 0);
            m.copyBack(10, 3000, foreign, 0);
            m.apply(0, 3000, visitor, null);
            m.dup().freeChain();
        }, ROUNDS / 10);
        m.freeChain();
    }

    @Test
    void appendAndTrim() {
        measure(() -> {
            Mbuf m = pool.gethdr(MT_DATA);
            m.append(array, 0, 3000);
            m.adjHead(300);
            m.adjTail(300);
            m.freeChain();
        });
    }

    @Test
    void externalStorage() {
        measure(() -> pool.gethdr(MT_DATA).extAdd(foreign, 0, 5000, release, null, null).free());
    }

    @Test
    void received() {
        measure(() -> pool.devget(foreign, 0, 1514, null).freeChain());
    }

    @Test
    void exhausted() {
        Mbuf all = null;
        for (Mbuf m = pool.getcl(MT_DATA, 0); m != null; m = pool.getcl(MT_DATA, 0)) {
            m.next(all);
            all = m;
        }
        measure(() -> {
            if (pool.getcl(MT_DATA, 0) != null) {
                throw new IllegalStateException("more than there are");
            }
        });
        all.freeChain();
    }

    private Mbuf packet() {
        Mbuf m = pool.gethdr(MT_DATA);
        assertThat(m.append(array, 0, 100)).isTrue();
        Mbuf n = pool.getcl(MT_DATA, 0);
        n.append(array, 0, 2000);
        Mbuf o = pool.getcl(MT_DATA, 0);
        o.append(array, 0, 1900);
        m.next(n);
        n.next(o);
        m.fixHdr();
        return m;
    }

    private void measure(Runnable r) {
        measure(r, ROUNDS);
    }

    /** The compiler may still be at work, for how long depends on the machine; one clean attempt decides. */
    private void measure(Runnable r, int rounds) {
        long least = Long.MAX_VALUE;
        long start = System.nanoTime();
        while (least != 0 && System.nanoTime() - start < PATIENCE_NS) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int k = 0; k < rounds; k++) {
                r.run();
            }
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(least).as("octets allocated in " + rounds + " rounds").isZero();
        pool.check();
    }
}
