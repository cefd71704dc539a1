package io.gatun.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.tcp.TcpPcblist;
import io.gatun.netinet.tcp.Xtcpcb;
import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.Linger;
import io.gatun.spi.socket.SockAddr;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.ErrnoException;
import io.gatun.spi.vnet.LockStrategy;
import io.gatun.uipc.Sockets;
import io.gatun.uipc.api.SocketFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import javax.management.JMException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A hundred thousand connections are opened and killed in every way there is, under traffic, with timers as busy as
 * they can be and monitoring that looks at all of them all the time. Afterwards memory is where it was: mbufs, control
 * blocks, sockets, callouts, and the live heap; and no timer has met a connection that was gone.
 */
class TearDownTest {
    private static final int WARM = 10_000;
    private static final int BATCH = 50;
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long HEAP_SLACK = 1 << 20;
    private static final int LOOKS = 30;
    private static final int WORST = 8;
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final int SAME = 10;

    /** One family's listener, its stream of data beside, and who opens and kills. */
    private static final class Worker {
        private final Vnet v;
        private final SockAddr at;
        private final SocketFile head;
        private final Semaphore news;
        private final SocketFile[] steady;
        private final Flow flow;
        private final ByteBuffer octets = ByteBuffer.allocateDirect(3000);
        private volatile int done; // connections of this run; written by the thread of it

        Worker(final Bed bed, final Vnet v, final SockAddr at, final Semaphore news) throws ErrnoException {
            this.v = v;
            this.at = at;
            this.news = news;
            head = Bed.listener(v, at, 128);
            steady = bed.connection(v, v, SockAddr.of(at.family() == SockAddr.AF_INET ? "127.0.0.1" : "::1", 9));
            steady[0].setNonBlocking(true);
            steady[1].setNonBlocking(true);
            flow = new Flow(steady[0], steady[1], Long.MAX_VALUE, 20_000);
        }

        void run(final int connections) throws ErrnoException {
            for (int i = 0; i < connections; i++) {
                one(i);
                done = i + 1;
                if (i % BATCH == 0) {
                    flow.sendSome();
                    flow.receiveSome();
                    news.release();
                }
            }
        }

        private void one(final int i) throws ErrnoException {
            final SocketFile a = Bed.tcp(v, at.family());
            a.connect(at);
            final SocketFile b = head.accept();
            final int octetsSent = 1 + i % octets.capacity();
            a.send(octets.clear().limit(octetsSent));
            b.send(octets.clear().limit(octetsSent));
            kill(i % 7, a, b);
        }

        private void kill(final int how, final SocketFile a, final SocketFile b) throws ErrnoException {
            switch (how) {
                case 0 -> abort(a);
                case 1 -> abort(b);
                case 2 -> {
                    final Errno e = v.service(TcpPcblist.class).drop(a.localAddress(), at);
                    assertThat(e).isEqualTo(Errno.OK);
                }
                case 3 -> {
                    b.receive(octets.clear());
                    a.receive(octets.clear());
                    a.shutdown(SocketDefs.SHUT_WR);
                }
                case 4 -> a.shutdown(SocketDefs.SHUT_RDWR);
                case 5 -> end(a); // with text that was not read: a reset
                default -> b.shutdown(SocketDefs.SHUT_RD);
            }
            end(b);
            end(a);
        }

        private static void abort(final SocketFile so) throws ErrnoException {
            so.setOption(SocketDefs.SOL_SOCKET, SocketDefs.SO_LINGER, new Linger(true, 0));
            end(so);
        }

        /** Closes; as with close(2), whoever was reset meanwhile is told. */
        private static void end(final SocketFile so) throws ErrnoException {
            try {
                so.close();
            } catch (final ErrnoException e) {
                if (e.errno() != Errno.ECONNRESET) {
                    throw e;
                }
            }
        }

        void close() throws ErrnoException {
            abort(steady[0]);
            abort(steady[1]);
            head.close();
        }
    }

    /** What a vnet holds. */
    private record Held(int pcbs, int sockets, String callouts, int mbufs, int clusters) {
        static Held of(final Bed bed, final Vnet v) {
            return new Held(Integer.parseInt(v.sysctl().find("net.inet.tcp.pcbcount").getString()),
                Sockets.of(v).numOpen(), v.describeCallouts(), bed.pool.outstanding(), bed.pool.clustersOutstanding());
        }
    }

    /** Control blocks, and sockets, which go a moment later. */
    private static List<Integer> open(final Vnet v) {
        return List.of(Integer.parseInt(v.sysctl().find("net.inet.tcp.pcbcount").getString()),
            Sockets.of(v).numOpen());
    }

    private static Bed bed(final LockStrategy strategy, final boolean fusion) {
        return new Bed(strategy, true, 1).sysctl("net.inet.tcp.fusion", fusion ? "1" : "0")
            .sysctl("net.inet.tcp.msl", "20").sysctl("net.inet.tcp.msl_local", "20")
            .sysctl("net.inet.tcp.keepidle", "1").sysctl("net.inet.tcp.keepintvl", "1")
            .sysctl("net.inet.tcp.keepcnt", "3000").sysctl("net.inet.tcp.delacktime", "1")
            .sysctl("net.inet.tcp.rexmit_slop", "1").sysctl("net.inet.tcp.rexmit_min", "1");
    }

    private static void opened(final List<Worker> workers, final int connections) throws Exception {
        final List<FutureTask<Void>> tasks = new ArrayList<>();
        for (final Worker w : workers) {
            final FutureTask<Void> task = new FutureTask<>(() -> {
                w.run(connections / workers.size());
                return null;
            });
            Thread.ofPlatform().daemon().start(task);
            tasks.add(task);
        }
        await(workers, tasks);
    }

    /** Opens more, where a busy machine has let timers run less than so often meanwhile. */
    private static void timed(final List<Worker> workers, final Vnet v, final int times) throws Exception {
        final long until = System.nanoTime() + PATIENCE_NS;
        while (v.counters().get("tcp.keepprobe") <= times && System.nanoTime() < until) {
            opened(workers, WARM / 10);
        }
    }

    /** Until all have ended, or one has failed, or none has got anywhere for a while. */
    private static void await(final List<Worker> workers, final List<FutureTask<Void>> tasks) throws Exception {
        long done = -1;
        long since = System.nanoTime();
        while (tasks.stream().anyMatch(t -> !t.isDone())) {
            for (final FutureTask<Void> t : tasks) {
                ended(t);
            }
            final long now = workers.stream().mapToLong(w -> w.done).sum();
            if (now != done) {
                done = now;
                since = System.nanoTime();
            } else if (System.nanoTime() - since > PATIENCE_NS) {
                final String what = "nothing moves after " + done + Stuck.describe(workers.getFirst().v);
                System.err.println(what); // at once: what is stuck may keep the bed from closing
                throw new AssertionError(what);
            }
        }
        for (final FutureTask<Void> t : tasks) {
            t.get();
        }
    }

    /** Waits for a task, but not long; throws what it threw. */
    private static void ended(final FutureTask<Void> task) throws Exception {
        try {
            task.get(1, TimeUnit.SECONDS);
        } catch (final TimeoutException _) {
            Thread.onSpinWait(); // its time is not over
        }
    }

    /**
     * Waits until something is as it was, TIME-WAIT being over, and stays so: a callout that runs is not armed, but may
     * be again. The processor is left to the timers meanwhile.
     */
    private static <T> void settled(final Vnet v, final Supplier<T> now, final T before) {
        final long until = System.nanoTime() + PATIENCE_NS;
        T is = now.get();
        for (int same = 0; same < SAME && System.nanoTime() < until; same++) {
            LockSupport.parkNanos(LOOK_NS);
            is = now.get();
            same = is.equals(before) ? same : -1;
        }
        if (!is.equals(before)) {
            System.err.println(Stuck.describe(v)); // all of it: a report may cut a message short
        }
        assertThat(is).isEqualTo(before);
    }

    /** Live memory; what timers made room for in a spike goes back after a turn or two of their wheel. */
    private static LiveHeap heapBack(final LiveHeap before) throws JMException {
        final long until = System.nanoTime() + PATIENCE_NS;
        LiveHeap now = LiveHeap.now();
        while (now.octets() - before.octets() >= HEAP_SLACK && System.nanoTime() < until) {
            now = LiveHeap.now();
        }
        return now;
    }

    @ParameterizedTest
    @CsvSource({"SPLIT, 100000, false", "COALESCED, 20000, false", "VERTICAL, 20000, false", "SPLIT, 20000, true"})
    void connections_openedAndKilledUnderTraffic_leaveNothing(
            final LockStrategy strategy, final int connections, final boolean fusion) throws Exception {
        final AtomicReference<Throwable> failed = new AtomicReference<>();
        final Thread.UncaughtExceptionHandler handler = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((t, e) -> {
            failed.compareAndSet(null, e);
            e.printStackTrace(); // it may be why what follows does not settle
        });
        try (Bed bed = bed(strategy, fusion)) {
            final Vnet v = bed.loopback();
            Bed.config(v).addAddress(v.ifnets().byName("lo0"), "::1/128");
            final Held before = Held.of(bed, v);
            final Semaphore news = new Semaphore(0);
            final int[] looks = new int[1];
            final Thread watcher = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        news.acquire();
                        look(v);
                        looks[0]++;
                        news.drainPermits();
                    }
                } catch (final InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            final List<Worker> workers = List.of(new Worker(bed, v, SockAddr.of("127.0.0.1", Bed.PORT), news),
                new Worker(bed, v, SockAddr.of("::1", Bed.PORT), news));
            final List<Integer> open = open(v);
            opened(workers, WARM);
            settled(v, () -> open(v), open);
            final LiveHeap heapBefore = LiveHeap.now();
            opened(workers, connections);
            timed(workers, v, connections / 10);
            settled(v, () -> open(v), open);
            watcher.interrupt();
            watcher.join(); // its last look may be a list of many
            final LiveHeap heap = heapBack(heapBefore);
            for (final Worker w : workers) {
                assertThat(w.flow.received()).as("traffic went on").isPositive();
                w.close();
            }
            settled(v, () -> {
                // What is remembered of hosts is meant to stay, and so is the timer that forgets it.
                v.sysctl().set("net.inet.tcp.hostcache.purgenow", "1");
                return Held.of(bed, v);
            }, before);
            assertThat(looks[0]).as("times that somebody looked").isGreaterThan(LOOKS);
            assertThat(heap.octets() - heapBefore.octets())
                .as("octets of heap that stayed: %s", heap.growth(heapBefore, WORST, Long::toString))
                .isLessThan(HEAP_SLACK);
            assertThat(failed.get()).as("nothing was thrown").isNull();
            assertThat(v.counters().get(fusion ? "tcp.fused" : "tcp.keepprobe"))
                .as("directions joined, or times that a timer ran").isGreaterThan(connections / 10);
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(handler);
        }
    }

    private static void look(final Vnet v) {
        for (final Xtcpcb x : v.service(TcpPcblist.class).list()) {
            assertThat(x.state()).isNotNull();
            assertThat(x.local().port()).isNotNegative();
        }
    }
}
