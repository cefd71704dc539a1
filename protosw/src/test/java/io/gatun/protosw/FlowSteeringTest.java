package io.gatun.protosw;

import static io.gatun.protosw.TestVnets.packet;
import static io.gatun.protosw.TestVnets.unpack;
import static io.gatun.spi.vnet.Netisr.NETISR_IP;
import static io.gatun.spi.vnet.Netisr.NETISR_IPV6;
import static io.gatun.spi.vnet.Netisr.NETISR_POLICY_FLOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Netisr;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Packets left to the thread that waits for them: all of them, in order, whatever that thread does next. */
final class FlowSteeringTest {
    private static final int TRIES = 1000;
    private static final int FLOWS = 3;
    private static final int ROUNDS = 60;
    private static final int PACKETS = 3_000;

    /** Of flow 1, 2, ..., numbered. */
    private static Mbuf packetOf(Vnet v, int flow, int n) {
        Mbuf m = packet(v, n * (FLOWS + 1) + flow);
        m.flowid(flow);
        return m;
    }

    /** Checks that each flow's numbers come in order. */
    private static final class Sink {
        private final AtomicInteger[] last = new AtomicInteger[FLOWS + 1];
        private final AtomicInteger count = new AtomicInteger();
        private final AtomicInteger disorder = new AtomicInteger();
        private final AtomicReference<Thread> by = new AtomicReference<>();

        Sink() {
            for (int i = 0; i <= FLOWS; i++) {
                last[i] = new AtomicInteger(-1);
            }
        }

        void take(Mbuf m) {
            int n = unpack(m);
            by.set(Thread.currentThread());
            if (last[n % (FLOWS + 1)].getAndSet(n / (FLOWS + 1)) >= n / (FLOWS + 1)) {
                disorder.incrementAndGet();
            }
            count.incrementAndGet();
        }
    }

    private static Sink register(Vnet v) {
        Sink sink = new Sink();
        assertThat(v.netisr().register(NETISR_IP, "ip", NETISR_POLICY_FLOW, sink::take)).isEqualTo(Errno.OK);
        assertThat(v.netisr().register(NETISR_IPV6, "ip6", NETISR_POLICY_FLOW, sink::take)).isEqualTo(Errno.OK);
        return sink;
    }

    private static void until(AtomicInteger counter, int value) {
        while (counter.get() < value) {
            Thread.onSpinWait();
        }
    }

    private static void join(Thread... threads) throws InterruptedException {
        for (Thread t : threads) {
            t.join();
        }
    }

    @Test
    void threadWaits_packetOfItsFlow_runsThereAlone() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            Netisr isr = v.netisr();
            Sink sink = register(v);
            // Who gets no processor for some ticks counts as away: then the agent runs it, or the sender itself.
            int n = 0;
            do {
                isr.attend(1, true, 1);
                int k = n;
                Thread sender = Thread.ofPlatform().start(() -> {
                    isr.queue(NETISR_IP, packetOf(v, 1, k));
                    isr.swi();
                });
                while (sink.count.get() == k) {
                    isr.attend(1, true, 1);
                }
                sender.join();
                n++;
            } while (n < TRIES && sink.by.get() != Thread.currentThread());
            assertThat(sink.by.get()).isSameAs(Thread.currentThread());
            int before = n;
            isr.leave();
            join(Thread.ofPlatform().name("sender").start(() -> {
                isr.queue(NETISR_IP, packetOf(v, 1, before));
                isr.swi();
            }));
            assertThat(sink.count).hasValue(before + 1);
            assertThat(sink.by.get().getName()).isEqualTo("sender");
        }
    }

    @Test
    void threadStaysAway_agentRunsWhatWasLeftToIt() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            Netisr isr = v.netisr();
            Sink sink = register(v);
            for (int n = 0; n < 20; n++) {
                int k = n;
                isr.attend(1, true, 1);
                join(Thread.ofPlatform().start(() -> {
                    isr.queue(NETISR_IP, packetOf(v, 1, k));
                    isr.swi();
                }));
                until(sink.count, n + 1); // and this thread does not look again
            }
            assertThat(sink.disorder).hasValue(0);
        }
    }

    @Test
    void threadDies_laneOpen_agentRunsWhatWasLeftToIt() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            Sink sink = register(v);
            for (int n = 0; n < 50; n++) { // more than there are lanes: those of the dead are used again
                join(Thread.ofPlatform().start(() -> v.netisr().attend(1, true, 1)));
                v.netisr().queue(NETISR_IP, packetOf(v, 1, n));
                v.netisr().swi();
                until(sink.count, n + 1);
            }
            assertThat(sink.disorder).hasValue(0);
        }
    }

    @Test
    void virtualThread_hasNoLane() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            Sink sink = register(v);
            join(Thread.ofVirtual().start(() -> v.netisr().attend(1, true, 1)));
            v.netisr().queue(NETISR_IP, packetOf(v, 1, 0));
            v.netisr().swi();
            assertThat(sink.by).hasValue(Thread.currentThread());
        }
    }

    @Test
    void fewLooks_areNoWait() {
        try (Vnet v = TestVnets.threaded().build()) {
            Sink sink = register(v);
            assertThat(v.netisr().attend(1, false, 1)).isZero();
            v.netisr().queue(NETISR_IP, packetOf(v, 1, 0));
            v.netisr().swi();
            assertThat(sink.count).hasValue(1);
        }
    }

    @Test
    void laneFull_dropsAndCounts() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            Netisr isr = v.netisr();
            AtomicBoolean go = new AtomicBoolean();
            AtomicInteger done = new AtomicInteger();
            assertThat(isr.register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> {
                m.freeChain();
                while (!go.get()) {
                    Thread.onSpinWait(); // whoever runs the first holds up the rest
                }
                done.incrementAndGet();
            })).isEqualTo(Errno.OK);
            assertThat(isr.setQlimit(NETISR_IP, 5)).isEqualTo(Errno.OK);
            CountDownLatch waits = new CountDownLatch(1);
            Thread reader = Thread.ofPlatform().start(() -> {
                isr.attend(1, true, 1);
                waits.countDown();
                while (!go.get() || done.get() < 5) {
                    isr.attend(1, true, 1);
                }
                isr.leave();
            });
            waits.await();
            int refused = 0;
            for (int n = 0; n < 9; n++) {
                refused += isr.queue(NETISR_IP, packetOf(v, 1, n)) == Errno.ENOBUFS ? 1 : 0;
            }
            assertThat(refused).isEqualTo(4); // what is being handled counts until it is done
            assertThat(v.counters().get("netisr.ip.qdrops")).isEqualTo(4);
            assertThat(v.netisrStats().getFirst().len()).isEqualTo(5);
            go.set(true);
            join(reader);
            until(done, 5);
        }
    }

    @Test
    void protocolGoes_packetsLeftToAThread_areDropped() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            Netisr isr = v.netisr();
            AtomicBoolean stop = new AtomicBoolean();
            Thread reader = Thread.ofPlatform().start(() -> {
                while (!stop.get()) {
                    isr.attend(1, true, 1);
                }
                isr.leave();
            });
            for (int round = 0; round < 2_000; round++) {
                AtomicBoolean there = new AtomicBoolean(true);
                AtomicInteger late = new AtomicInteger();
                assertThat(isr.register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> {
                    late.addAndGet(there.get() ? 0 : 1);
                    m.freeChain();
                })).isEqualTo(Errno.OK);
                Thread sender = Thread.ofPlatform().start(() -> {
                    Errno e = Errno.OK;
                    while (e != Errno.EPROTONOSUPPORT) {
                        e = isr.queue(NETISR_IP, packetOf(v, 1, 0));
                    }
                });
                isr.unregister(NETISR_IP);
                there.set(false);
                join(sender);
                assertThat(late).hasValue(0);
            }
            stop.set(true);
            join(reader);
            isr.swi();
            assertThat(v.pool().outstanding()).isZero();
        }
    }

    /** Threads that wait, look, leave, stay away and end, at random, while each flow is sent by one thread. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void anyBehaviour_losesAndReordersNothing(long seed) throws InterruptedException {
        System.out.println("seed = " + seed);
        Random random = new Random(seed);
        try (Vnet v = TestVnets.threaded().build()) {
            Sink sink = register(v);
            AtomicInteger sent = new AtomicInteger();
            int[] next = new int[FLOWS + 1];
            for (int round = 0; round < ROUNDS; round++) {
                AtomicBoolean stop = new AtomicBoolean();
                Thread[] readers = new Thread[2];
                for (int r = 0; r < readers.length; r++) {
                    long s = random.nextLong();
                    readers[r] = Thread.ofPlatform().start(() -> reader(v, new Random(s), stop));
                }
                Thread[] senders = new Thread[FLOWS];
                for (int f = 1; f <= FLOWS; f++) {
                    int flow = f;
                    long s = random.nextLong();
                    senders[f - 1] = Thread.ofPlatform().start(() -> sender(v, flow, next, new Random(s), sent));
                }
                join(senders);
                stop.set(true);
                join(readers);
            }
            until(sink.count, sent.get());
            assertThat(sink.disorder).hasValue(0);
            assertThat(sink.count).hasValue(sent.get());
        }
    }

    private static void sender(Vnet v, int flow, int[] next, Random random, AtomicInteger sent) {
        Netisr isr = v.netisr();
        for (int i = 0; i < PACKETS; i++) {
            int proto = flow == FLOWS ? NETISR_IPV6 : NETISR_IP;
            if (isr.queue(proto, packetOf(v, flow, next[flow]++)) == Errno.OK) {
                sent.incrementAndGet();
            }
            if (random.nextInt(4) != 0) {
                isr.swi();
            }
        }
        isr.swi();
    }

    private static void reader(Vnet v, Random random, AtomicBoolean stop) {
        Netisr isr = v.netisr();
        int flow = 1;
        while (!stop.get()) {
            switch (random.nextInt(40)) {
                case 0 -> isr.leave();
                case 1 -> flow = 1 + random.nextInt(FLOWS);
                case 2 -> isr.swi();
                case 3 -> idle(random.nextInt(2_000));
                default -> isr.attend(flow, random.nextBoolean(), 1 + random.nextInt(3));
            }
        }
    }

    private static void idle(int turns) {
        for (int i = 0; i < turns; i++) {
            Thread.onSpinWait();
        }
    }

    @Test
    void steeredPacket_steadyState_allocatesNothing() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            Sink sink = register(v);
            AtomicBoolean stop = new AtomicBoolean();
            Thread reader = Thread.ofPlatform().start(() -> {
                while (!stop.get()) {
                    v.netisr().attend(1, true, 1);
                }
                v.netisr().leave();
            });
            long octets = TestVnets.allocated(5_000, () -> {
                int n = sink.count.get();
                v.netisr().queue(NETISR_IP, packetOf(v, 1, n));
                v.netisr().swi();
                until(sink.count, n + 1);
            });
            stop.set(true);
            join(reader);
            assertThat(octets).isZero();
        }
    }

    @Test
    void threadSendsToItself_runsAtItsSafePoint() {
        try (Vnet v = TestVnets.threaded().build()) {
            Sink sink = register(v);
            v.netisr().attend(1, true, 1);
            for (int n = 0; n < 10; n++) {
                v.netisr().queue(NETISR_IP, packetOf(v, 1, n));
            }
            v.netisr().swi();
            assertThat(sink.count).hasValue(10);
        }
    }

    @Test
    void ownerSafePoint_runsWhatOthersLeft() throws InterruptedException {
        try (Vnet v = TestVnets.threaded().build()) {
            Sink sink = register(v);
            AtomicBoolean stop = new AtomicBoolean();
            Thread owner = Thread.ofPlatform().start(() -> {
                v.netisr().attend(1, true, 1);
                while (!stop.get()) {
                    v.netisr().swi();
                }
                v.netisr().leave();
            });
            for (int n = 0; n < 1_000; n++) {
                v.netisr().queue(NETISR_IP, packetOf(v, 1, n));
                v.netisr().swi();
                until(sink.count, n + 1);
            }
            stop.set(true);
            join(owner);
            assertThat(sink.disorder).hasValue(0);
        }
    }
}
