package io.gatun.protosw;

import static io.gatun.protosw.TestVnets.packet;
import static io.gatun.protosw.TestVnets.unpack;
import static io.gatun.spi.vnet.Netisr.NETISR_IP;
import static io.gatun.spi.vnet.Netisr.NETISR_POLICY_FLOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.SwiTask;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** netisr under several threads: nothing is lost, nothing is reordered, nothing waits for a swi that never comes. */
final class NetisrThreadTest {
    private static final int THREADS = 3;
    private static final int PACKETS = 20_000;

    /** Checks that the numbers of each sender come in order. */
    private static final class Sink {
        private final AtomicInteger[] last = new AtomicInteger[THREADS];
        private final AtomicInteger count = new AtomicInteger();
        private final AtomicInteger disorder = new AtomicInteger();

        Sink() {
            for (int i = 0; i < THREADS; i++) {
                last[i] = new AtomicInteger(-1);
            }
        }

        void take(Mbuf m) {
            int n = unpack(m);
            int before = last[n % THREADS].getAndSet(n / THREADS);
            if (before >= n / THREADS) {
                disorder.incrementAndGet();
            }
            count.incrementAndGet();
        }
    }

    private interface Sender {
        void send(int thread, int i);
    }

    private static void inThreads(Sender sender) throws InterruptedException {
        CyclicBarrier start = new CyclicBarrier(THREADS);
        Thread[] threads = new Thread[THREADS];
        for (int t = 0; t < THREADS; t++) {
            int k = t;
            threads[t] = Thread.ofPlatform().start(() -> {
                await(start);
                for (int i = 0; i < PACKETS; i++) {
                    sender.send(k, i);
                }
            });
        }
        for (Thread t : threads) {
            t.join();
        }
    }

    private static void await(CyclicBarrier b) {
        try {
            b.await();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits (spinning, to the test's own time limit) for what other threads still do. */
    private static void until(AtomicInteger counter, int value) {
        while (counter.get() < value) {
            Thread.onSpinWait();
        }
    }

    @ParameterizedTest
    @CsvSource({"queue,direct,1024", "queue,direct,1", "dispatch,hybrid,1024", "dispatch,hybrid,1",
        "dispatch,deferred,1024", "dispatch,deferred,3"})
    void manySenders_loseAndReorderNothing(String how, String policy, int budget) throws InterruptedException {
        try (Vnet v = TestVnets.threaded().sysctl("net.isr.budget", Integer.toString(budget))
                .sysctl("net.isr.dispatch", policy).build()) {
            Netisr isr = v.netisr();
            Sink sink = new Sink();
            assertThat(isr.register(NETISR_IP, "ip", NETISR_POLICY_FLOW, sink::take)).isEqualTo(Errno.OK);
            AtomicInteger sent = new AtomicInteger();
            inThreads((t, i) -> {
                Mbuf m = packet(v, i * THREADS + t);
                Errno e = "queue".equals(how) ? isr.queue(NETISR_IP, m) : isr.dispatch(NETISR_IP, m);
                if (e == Errno.OK) {
                    sent.incrementAndGet();
                }
                isr.swi();
            });
            until(sink.count, sent.get());
            assertThat(sink.disorder).hasValue(0);
            assertThat(sink.count.get() + v.counters().get("netisr.ip.qdrops")).isEqualTo(THREADS * PACKETS);
        }
    }

    @Test
    void linkedPingPong_fromBothEnds_neverStalls() throws InterruptedException {
        try (Vnet a = TestVnets.threaded().name("a").build(); Vnet b = TestVnets.threaded().name("b").build()) {
            AtomicInteger returned = new AtomicInteger();
            assertThat(a.netisr().register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> {
                m.freeChain();
                returned.incrementAndGet();
            })).isEqualTo(Errno.OK);
            assertThat(b.netisr().register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> {
                int n = unpack(m);
                a.netisr().queue(NETISR_IP, packet(a, n));
            })).isEqualTo(Errno.OK);
            a.netisr().link(b.netisr());
            inThreads((t, i) -> {
                b.netisr().queue(NETISR_IP, packet(b, i));
                a.netisr().swi();
            });
            long lost = a.counters().get("netisr.ip.qdrops") + b.counters().get("netisr.ip.qdrops");
            until(returned, (int) (THREADS * PACKETS - lost));
            a.netisr().unlink(b.netisr());
        }
    }

    @Test
    void tasks_scheduledByMany_runAfterEachSchedule() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            AtomicInteger work = new AtomicInteger();
            AtomicInteger done = new AtomicInteger();
            SwiTask task = new SwiTask() {
                @Override
                protected void run() {
                    done.addAndGet(work.getAndSet(0));
                }
            };
            inThreads((t, i) -> {
                work.incrementAndGet();
                v.netisr().schedule(task);
                v.netisr().swi();
            });
            until(done, THREADS * PACKETS);
            assertThat(done).hasValue(THREADS * PACKETS);
        }
    }

    @Test
    void unregister_whileOthersSend_leavesNothing() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            Netisr isr = v.netisr();
            AtomicInteger live = new AtomicInteger();
            AtomicInteger late = new AtomicInteger();
            inThreads((t, i) -> {
                if (t == 0 && i % 100 == 0) {
                    isr.unregister(NETISR_IP);
                    live.set(0);
                    live.set(1);
                    isr.register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> {
                        late.addAndGet(live.get() == 1 ? 0 : 1);
                        m.freeChain();
                    });
                } else {
                    isr.queue(NETISR_IP, packet(v, i));
                    isr.swi();
                }
            });
            isr.swi();
            assertThat(late).hasValue(0);
        }
    }

    @Test
    void queueAndSwi_steadyState_allocatesNothing() {
        try (Vnet v = TestVnets.threaded().build()) {
            AtomicInteger n = new AtomicInteger();
            assertThat(v.netisr().register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> n.addAndGet(unpack(m))))
                .isEqualTo(Errno.OK);
            long octets = TestVnets.allocated(20_000, () -> {
                v.netisr().queue(NETISR_IP, packet(v, 1));
                v.netisr().swi();
            });
            assertThat(octets).isZero();
        }
    }

    /** Whoever queues while a protocol goes is too late for its flush, and nobody will ever run the queue. */
    @Test
    void queue_whileTheProtocolGoes_leavesNothing() throws InterruptedException {
        try (Vnet vnet = TestVnets.threaded().name("gone").build()) {
            Netisr isr = vnet.netisr();
            for (int round = 0; round < 3000; round++) {
                assertThat(isr.register(NETISR_IP, "ip", NETISR_POLICY_FLOW, Mbuf::freeChain)).isEqualTo(Errno.OK);
                CyclicBarrier start = new CyclicBarrier(2);
                Thread sender = Thread.ofPlatform().start(() -> {
                    await(start);
                    boolean there = true;
                    for (int i = 0; there; i++) {
                        there = isr.queue(NETISR_IP, packet(vnet, i)) != Errno.EPROTONOSUPPORT;
                    }
                });
                await(start);
                isr.unregister(NETISR_IP);
                sender.join();
                assertThat(vnet.pool().outstanding()).as("mbufs after round %d", round).isZero();
            }
        }
    }
}
