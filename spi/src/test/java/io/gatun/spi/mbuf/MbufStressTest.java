package io.gatun.spi.mbuf;

import static io.gatun.spi.mbuf.Mbuf.MT_DATA;
import static io.gatun.spi.mbuf.Mbuf.M_COPYALL;
import static io.gatun.spi.mbuf.Mbuf.M_PKTHDR;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Threads that pass packets to each other through slots: everything is allocated on one and freed on another. */
final class MbufStressTest {
    private static final int ROUNDS = 60_000;
    private static final int SLOTS = 16;
    private static final int LEN = 1000;

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void packetsBetweenThreads_plenty_nothingLostOrTorn(int threads) throws InterruptedException {
        run(threads, MbufPool.builder().small().threads(threads));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void packetsBetweenThreads_scarce_nothingLostOrTorn(int threads) throws InterruptedException {
        run(threads, MbufPool.builder().nmbufs(20).nmbclusters(8).nmbjumbop(2).nmbjumbo9(2).nmbjumbo16(2)
                .threads(threads));
    }

    private static void run(int threads, MbufPoolBuilder limits) throws InterruptedException {
        long seed = System.nanoTime();
        MbufPool pool = limits.name("stress seed " + seed).build();
        AtomicReferenceArray<Mbuf> slots = new AtomicReferenceArray<>(SLOTS);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            SplittableRandom random = new SplittableRandom(seed + i);
            int sender = i + 1;
            all.add(Thread.ofPlatform().start(() -> {
                try {
                    work(pool, slots, random, sender);
                } catch (Throwable t) {
                    failure.compareAndSet(null, t);
                }
            }));
        }
        for (Thread t : all) {
            t.join();
        }
        assertThat(failure.get()).as(pool.name()).isNull();
        pool.check();
        for (int i = 0; i < SLOTS; i++) {
            consume(slots.getAndSet(i, null));
        }
        pool.check();
        assertThat(pool.outstanding()).as(pool.name()).isZero();
        assertThat(pool.clustersOutstanding()).as(pool.name()).isZero();
    }

    private static void work(MbufPool pool, AtomicReferenceArray<Mbuf> slots, SplittableRandom random, int sender) {
        for (int i = 0; i < ROUNDS; i++) {
            Mbuf m = make(pool, random, sender);
            if (m != null && random.nextInt(4) == 0) {
                // The receiver and this thread hold the same cluster for a while.
                Mbuf c = m.copyM(0, M_COPYALL);
                consume(slots.getAndSet(random.nextInt(SLOTS), c));
            }
            consume(slots.getAndSet(random.nextInt(SLOTS), m));
        }
    }

    /** Every octet of a packet is its sender. */
    private static Mbuf make(MbufPool pool, SplittableRandom random, int sender) {
        boolean cluster = random.nextBoolean();
        Mbuf m = cluster ? pool.getcl(MT_DATA, M_PKTHDR) : pool.gethdr(MT_DATA);
        if (m == null) {
            return null;
        }
        m.len(cluster ? LEN : LEN / 8);
        m.pktLen(m.len());
        m.flowid(sender);
        long word = 0x0101010101010101L * sender;
        for (int off = 0; off < m.len() - 7; off += 8) {
            m.putLong(off, word);
        }
        m.putLong(m.len() - 8, word);
        return random.nextInt(8) == 0 ? m.pullup(m.len()) : m;
    }

    private static void consume(Mbuf m) {
        if (m == null) {
            return;
        }
        long word = 0x0101010101010101L * m.flowid();
        for (int off = 0; off <= m.len() - 8; off += 8) {
            if (m.getLong(off) != word) {
                throw new IllegalStateException("torn at " + off + ": " + m.describe());
            }
        }
        m.freeChain();
    }
}
