package io.gatun.netinet.pcb;

import static io.gatun.netinet.pcb.PcbFixture.A1;
import static io.gatun.netinet.pcb.PcbFixture.A2;
import static io.gatun.netinet.pcb.PcbFixture.PEER;
import static io.gatun.netinet.pcb.PcbFixture.bind;
import static io.gatun.netinet.pcb.PcbFixture.connect;
import static io.gatun.netinet.pcb.PcbFixture.disconnect;
import static io.gatun.netinet.pcb.PcbFixture.free;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEADDR;
import static io.gatun.spi.socket.SocketDefs.SO_REUSEPORT_LB;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class LookupTest {
    private final PcbFixture f = new PcbFixture(InDefs.IPPROTO_UDP, 2);

    @Test
    void lookup_prefersConnectedThenAddressThenAny() {
        final Inpcb any = f.pcb(SO_REUSEADDR);
        final Inpcb here = f.pcb(SO_REUSEADDR);
        final Inpcb conn = f.pcb(SO_REUSEADDR);
        assertThat(bind(conn, A1, 53)).isEqualTo(Errno.OK);
        assertThat(connect(conn, PEER, 9)).isEqualTo(Errno.OK);
        assertThat(bind(any, 0, 53)).isEqualTo(Errno.OK);
        assertThat(bind(here, A1, 53)).isEqualTo(Errno.OK);
        assertThat(f.find(PEER, 9, A1, 53)).isSameAs(conn);
        assertThat(f.find(PEER, 10, A1, 53)).isSameAs(here);
        assertThat(f.find(PEER, 9, A2, 53)).isSameAs(any);
        assertThat(f.find(PEER, 9, A1, 54)).isNull();
        assertThat(f.info.lookup4(PEER, 10, A1, 53, 0)).isNull();
        disconnect(conn);
        assertThat(f.find(PEER, 9, A1, 53)).isIn(here, conn);
        assertThat(f.info.check()).isTrue();
    }

    @Test
    void lookup_connectedByAnyFamilyKey_sameBlock() {
        final Inpcb conn = f.pcb(0);
        assertThat(connect(conn, PEER, 9)).isEqualTo(Errno.OK);
        final SockAddr local = new SockAddr();
        conn.sockaddr(local);
        assertThat(f.info.lookup(SockAddr.in(PEER, 9), local, 0)).isSameAs(conn);
        assertThat(f.info.lookup(SockAddr.in6(0, PEER, 9), SockAddr.in6(0, A1, local.port()), 0)).isNull();
    }

    @Test
    void lookup_dropped_isGoneButMatchesTellsHolders() {
        final Inpcb inp = f.pcb(0);
        assertThat(bind(inp, A1, 53)).isEqualTo(Errno.OK);
        inp.lock.lock();
        try {
            assertThat(inp.matches4(PEER, 1, A1, 53)).isTrue();
            inp.drop();
            assertThat(inp.matches4(PEER, 1, A1, 53)).isFalse();
        } finally {
            inp.lock.unlock();
        }
        assertThat(f.find(PEER, 1, A1, 53)).isNull();
        free(inp);
        assertThat(f.info.count()).isZero();
        assertThat(f.info.check()).isTrue();
    }

    @Test
    void loadBalanced_flowsSpreadAndStick() {
        final List<Inpcb> group = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            final Inpcb inp = f.pcb(SO_REUSEPORT_LB);
            assertThat(bind(inp, 0, 53)).isEqualTo(Errno.OK);
            group.add(inp);
        }
        final Map<Inpcb, Integer> hits = new HashMap<>();
        for (int flow = 0; flow < 4000; flow++) {
            final Inpcb one = f.find(PEER + flow / 7, 1000 + flow, A1, 53);
            assertThat(f.find(PEER + flow / 7, 1000 + flow, A1, 53)).isSameAs(one);
            hits.merge(one, 1, Integer::sum);
        }
        assertThat(hits.keySet()).containsExactlyInAnyOrderElementsOf(group);
        assertThat(hits.values()).allMatch(n -> n > 700 && n < 1300);
        group.forEach(PcbFixture::free);
        assertThat(f.find(PEER, 1, A1, 53)).isNull();
        assertThat(f.info.check()).isTrue();
    }

    @Test
    void snapshot_thenFree_saysFreed() {
        final Inpcb inp = f.pcb(0);
        final List<Inpcb> all = f.info.snapshot();
        free(inp);
        assertThat(all).containsExactly(inp);
        assertThat(inp.has(Inpcb.INP_FREED)).isTrue();
        assertThat(inp.so).isNull();
    }

    /** Blocks that stay are found at every moment while others come and go in their chains and the table grows. */
    @Test
    void lookup_whileOthersComeAndGo_neverMissesNorMistakes() throws Exception {
        final Map<Integer, Inpcb> stay = new HashMap<>();
        for (int i = 0; i < 500; i++) {
            final Inpcb inp = f.pcb(0);
            assertThat(bind(inp, A1, 2000 + i)).isEqualTo(Errno.OK);
            assertThat(connect(inp, PEER, 7)).isEqualTo(Errno.OK);
            stay.put(2000 + i, inp);
        }
        final Inpcb flip = f.pcb(0);
        assertThat(bind(flip, A1, 1999)).isEqualTo(Errno.OK);
        final AtomicBoolean done = new AtomicBoolean();
        try (ExecutorService pool = Executors.newFixedThreadPool(3)) {
            final List<Future<Integer>> readers = new ArrayList<>();
            for (int r = 0; r < 2; r++) {
                readers.add(pool.submit(reader(stay, flip, done, r)));
            }
            final Future<?> flipper = pool.submit(() -> {
                while (!done.get()) {
                    connect(flip, PEER, 7);
                    disconnect(flip);
                }
            });
            final long seed = System.nanoTime();
            System.out.println("seed " + seed);
            churn(new Random(seed));
            done.set(true);
            flipper.get();
            for (final Future<Integer> r : readers) {
                assertThat(r.get()).isPositive();
            }
        }
        assertThat(f.info.check()).isTrue();
    }

    private Callable<Integer> reader(
        final Map<Integer, Inpcb> stay, final Inpcb flip, final AtomicBoolean done, final int salt) {
        return () -> {
            final Random random = new Random(salt);
            int n = 0;
            while (!done.get() || n == 0) {
                final int port = 2000 + random.nextInt(500);
                if (f.info.lookup4(PEER, 7, A1, port, 0) != stay.get(port)) {
                    throw new AssertionError("missed port " + port);
                }
                if (f.find(PEER, 7, A1, 1999) != flip) {
                    throw new AssertionError("missed a block between two places");
                }
                n++;
            }
            return n;
        };
    }

    private void churn(final Random random) {
        final List<Inpcb> live = new ArrayList<>();
        for (int i = 0; i < 60_000; i++) {
            if (live.size() < 20_000 && random.nextInt(5) > 1) {
                final Inpcb inp = f.pcb(0);
                assertThat(connect(inp, PEER + random.nextInt(100), 7)).isEqualTo(Errno.OK);
                live.add(inp);
            } else if (!live.isEmpty()) {
                final Inpcb gone = live.remove(random.nextInt(live.size()));
                free(gone);
            }
        }
        live.forEach(PcbFixture::free);
    }
}
