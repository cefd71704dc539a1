package io.gatun.protosw;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.vnet.VirtualClock;
import org.junit.jupiter.api.Test;

/** What happens to protocols when mbufs have run out. */
class LowmemTest {
    private final VirtualClock clock = new VirtualClock();
    private final MbufPool pool = TestVnets.tinyPool().build();
    private int drained;

    private Vnet vnet() {
        Vnet v = Vnet.builder().pool(pool).services(false).strict(true).clock(clock).threads(false).seed(1).build();
        v.onLowmem(() -> drained++);
        return v;
    }

    private void refuse() {
        pool.refuse(1, 1);
        assertThat(pool.get(Mbuf.MT_DATA)).isNull();
        pool.refuse(0, 0);
    }

    @Test
    void refusal_drainsLater_andOnceASecond() {
        try (Vnet v = vnet()) {
            v.poll();
            assertThat(drained).as("nothing was refused").isZero();
            refuse();
            assertThat(drained).as("the asking thread may hold any lock").isZero();
            v.poll();
            assertThat(drained).isEqualTo(1);
            clock.advance(TestVnets.SEC - 1);
            refuse();
            v.poll();
            assertThat(drained).isEqualTo(1);
            clock.advance(1);
            v.poll();
            assertThat(drained).as("that refusal is past").isEqualTo(1);
            refuse();
            v.poll();
            assertThat(drained).isEqualTo(2);
        }
        refuse();
        assertThat(drained).as("the vnet is gone").isEqualTo(2);
    }

    /** Who shares the pool may be refused something on a thread of his own: the vnet's one thread drains. */
    @Test
    void refusalOfAnotherThread_isHeededAtTheNextPoll_byTheVnetsThread() throws InterruptedException {
        try (Vnet v = vnet()) {
            Thread[] by = new Thread[1];
            v.onLowmem(() -> by[0] = Thread.currentThread());
            Thread other = Thread.ofPlatform().start(this::refuse);
            other.join();
            assertThat(v.netisr().pending()).as("nothing of the vnet's was touched").isFalse();
            v.poll();
            assertThat(drained).isEqualTo(1);
            assertThat(by[0]).isSameAs(Thread.currentThread());
        }
    }

    /** A pool without large clusters is as good as one with them: those who ask for them first must not cost data. */
    @Test
    void noLargeCluster_isNoShortage() {
        try (Vnet v = vnet()) {
            assertThat(pool.cljget(Mbuf.MJUM16BYTES)).isNull();
            v.poll();
            assertThat(drained).isZero();
        }
    }

    @Test
    void emptyPool_mbufAndClusterRequests_tell() {
        try (Vnet v = vnet()) {
            Mbuf all = null;
            for (Mbuf m = pool.get(Mbuf.MT_DATA); m != null; m = pool.get(Mbuf.MT_DATA)) {
                m.nextPkt(all);
                all = m;
            }
            v.poll();
            assertThat(drained).isEqualTo(1);
            clock.advance(TestVnets.SEC);
            assertThat(pool.getcl(Mbuf.MT_DATA, Mbuf.M_PKTHDR)).isNull();
            v.poll();
            assertThat(drained).isEqualTo(2);
            all.freePkts();
        }
    }
}
