package io.gatun.netinet.lltable;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The table without a protocol: who is found, who makes room, and what becomes of packets that wait. */
class LlTableTest {
    private static final int MOST = 6;

    private static final class Entry extends LlEntry<Entry> {
        boolean byHand;

        Entry(final long hi, final long lo) {
            super(hi, lo);
        }
    }

    private static final class Table extends LlTable<Entry> {
        private final int most;
        final List<String> told = new ArrayList<>();

        Table(final int most) {
            super(null, "test", new byte[16]);
            this.most = most;
        }

        @Override
        protected Entry newEntry(final long hi, final long lo) {
            return new Entry(hi, lo);
        }

        @Override
        protected boolean isStatic(final Entry e) {
            return e.byHand;
        }

        @Override
        protected int maxEntries() {
            return most;
        }

        @Override
        protected void evicted(final Entry e) {
            told.add("evicted " + e.lo + free(e.unholdAll()));
        }

        @Override
        protected void dropped(final Entry e) {
            told.add("dropped " + e.lo + free(e.unholdAll()));
        }

        @Override
        protected void send(final Mbuf m, final LlHeader h) {
            told.add("sent " + m.pktLen() + " to " + h.lladdr);
            m.freeChain();
        }

        Entry add(final long hi, final long lo) {
            lock.lock();
            try {
                return findOrAdd(hi, lo);
            } finally {
                lock.unlock();
            }
        }

        Entry add(final long lo) {
            return add(0, lo);
        }

        void resolved(final Entry e, final long mac) {
            lock.lock();
            try {
                publish(e, new LlHeader(mac, 1));
            } finally {
                lock.unlock();
            }
        }

        List<Long> all() {
            return snapshot(e -> e.lo);
        }
    }

    private final MbufPool pool = MbufPool.builder().small().build();

    @AfterEach
    void end() {
        assertThat(pool.outstanding()).isZero();
    }

    private Mbuf packet(final int len) {
        final Mbuf m = pool.gethdr(Mbuf.MT_DATA);
        m.len(len);
        m.pktLen(len);
        return m;
    }

    private static String free(final Mbuf first) {
        int n = 0;
        Mbuf m = first;
        while (m != null) {
            final Mbuf next = m.nextPkt();
            m.nextPkt(null);
            m.freeChain();
            n++;
            m = next;
        }
        return " with " + n;
    }

    @Test
    void full_theLongestUnusedMakesRoom_oneInUseGetsASecondChance() {
        final Table t = new Table(3);
        t.add(1).used = true;
        t.add(2).hold(packet(9), 4);
        t.add(3);
        t.add(4);
        assertThat(t.told).containsExactly("evicted 2 with 1");
        assertThat(t.all()).containsExactly(3L, 1L, 4L);
        t.add(5);
        t.add(6);
        assertThat(t.all()).as("the chance was one").containsExactly(4L, 5L, 6L);
    }

    @Test
    void full_ofStaticOnes_thereIsNoRoom() {
        final Table t = new Table(2);
        t.add(1).byHand = true;
        t.add(2).byHand = true;
        assertThat(t.add(3)).isNull();
        t.flush();
        assertThat(t.all()).containsExactly(1L, 2L);
        assertThat(t.delete(0, 1)).isEqualTo(Errno.OK);
        assertThat(t.delete(0, 1)).isEqualTo(Errno.ENOENT);
        assertThat(t.add(3)).isNotNull();
        t.flushAll();
        assertThat(t.all()).isEmpty();
        assertThat(t.add(4)).as("the interface has gone").isNull();
    }

    @Test
    void packetsThatWait_onlySoMany_theFirstGives() {
        final Entry e = new Table(2).add(1);
        for (int i = 1; i <= 3; i++) {
            assertThat(e.hold(packet(i), 3)).isNull();
        }
        final Mbuf first = e.hold(packet(4), 3);
        assertThat(first.pktLen()).isEqualTo(1);
        first.freeChain();
        assertThat(e.held()).isEqualTo(3);
        final Mbuf none = packet(5);
        final Entry other = new Table(2).add(2);
        assertThat(other.hold(none, 0)).as("no room at all").isSameAs(none);
        assertThat(other.held()).isZero();
        none.freeChain();
        assertThat(free(e.unholdAll())).isEqualTo(" with 3");
        assertThat(e.unhold()).isNull();
    }

    @Test
    void resolved_whatWaitedGoesOutInOrder_beforeSendersSeeTheHeader() {
        final Table t = new Table(2);
        final Entry e = t.add(1);
        e.hold(packet(1), 9);
        e.hold(packet(2), 9);
        assertThat(e.hdr).isNull();
        t.resolved(e, 77);
        assertThat(t.told).containsExactly("sent 1 to 77", "sent 2 to 77");
        assertThat(t.find(0, 1).hdr.lladdr).isEqualTo(77);
        t.delete(0, 1);
        assertThat(e.hdr).as("who still has it sends no more").isNull();
    }

    /** Against the obvious: a list in the order of age. */
    @Test
    void randomWork_asTheModel() {
        final long seed = Long.getLong("gatun.seed", 5);
        System.out.println("seed=" + seed);
        final SplittableRandom r = new SplittableRandom(seed);
        for (int round = 0; round < 200; round++) {
            final Table t = new Table(MOST);
            final LinkedHashSet<Long> model = new LinkedHashSet<>();
            for (int i = 0; i < 100; i++) {
                final long lo = r.nextInt(10);
                if (r.nextInt(4) == 0) {
                    assertThat(t.delete(0, lo)).isEqualTo(model.remove(lo) ? Errno.OK : Errno.ENOENT);
                } else {
                    t.add(lo);
                    if (!model.contains(lo) && model.size() == MOST) {
                        model.removeFirst();
                    }
                    model.add(lo);
                }
                assertThat(t.all()).as("seed " + seed).containsExactlyElementsOf(model);
                for (long k = 0; k < 10; k++) {
                    assertThat(t.find(0, k) != null).isEqualTo(model.contains(k));
                }
            }
        }
    }

    @Test
    void growing_allAreFound_ofBothFamilies() {
        final Table t = new Table(100_000);
        for (int i = 0; i < 30_000; i++) {
            t.add(i);
            t.add(0xfe80L << 48, i);
        }
        for (int i = 0; i < 30_000; i++) {
            assertThat(t.find(0, i).hi).isZero();
            assertThat(t.find(0xfe80L << 48, i).lo).isEqualTo(i);
        }
        assertThat(t.find(0, 30_000)).isNull();
        assertThat(t.depth()).isBetween(4, 30);
    }

    @Test
    void readersMeetWriters_nobodyFindsAnother_andAllEnds() throws Exception {
        final Table t = new Table(500);
        final AtomicReference<String> wrong = new AtomicReference<>();
        final Thread reader = new Thread(() -> {
            for (int i = 0; i < 2_000_000; i++) {
                final Entry e = t.find(0, i % 1000);
                if (e != null && e.lo != i % 1000) {
                    wrong.set(e.lo + " for " + i % 1000);
                }
            }
        });
        reader.start();
        for (int i = 0; reader.isAlive(); i++) {
            t.add(i % 1000);
            if (i % 3 == 0) {
                t.delete(0, i * 7 % 1000);
            }
        }
        reader.join();
        assertThat(wrong.get()).isNull();
    }
}
