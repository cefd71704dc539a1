package io.gatun.protosw;

import static io.gatun.protosw.TestVnets.MS;
import static io.gatun.protosw.TestVnets.packet;
import static io.gatun.protosw.TestVnets.unpack;
import static io.gatun.spi.vnet.Netisr.NETISR_IP;
import static io.gatun.spi.vnet.Netisr.NETISR_POLICY_FLOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.SwiTask;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a handler throws on a thread of the vnet neither ends the thread nor goes unseen. */
@Timeout(60)
final class UncaughtTest {
    private final List<Throwable> told = new CopyOnWriteArrayList<>();

    private VnetBuilder telling() {
        return TestVnets.threaded().name("telling").uncaughtExceptionHandler((t, e) -> told.add(e));
    }

    @Test
    void callout_throwsAnError_isTold_andTheNextRunOnTheSameThread() throws InterruptedException {
        final CountDownLatch ran = new CountDownLatch(2);
        final Thread[] agents = new Thread[2];
        try (Vnet v = telling().build()) {
            v.callout("bad", null, () -> {
                agents[0] = Thread.currentThread();
                throw new AssertionError("a bug");
            }).reset(0);
            for (int i = 1; i <= 2; i++) {
                v.callout("good", null, () -> {
                    agents[1] = Thread.currentThread();
                    ran.countDown();
                }).reset(i * 20L * MS);
            }
            ran.await();
            assertThat(agents[1]).isSameAs(agents[0]);
            assertThat(told).singleElement().isInstanceOf(AssertionError.class);
            assertThat(v.counters().get("vnet.uncaught")).isEqualTo(1);
        } // and is closed in peace: it was told
    }

    @Test
    void callout_leavesAnInterrupt_theNextRun() throws InterruptedException {
        final CountDownLatch ran = new CountDownLatch(1);
        try (Vnet v = telling().build()) {
            v.callout("rude", null, () -> Thread.currentThread().interrupt()).reset(0);
            v.callout("good", null, ran::countDown).reset(50 * MS);
            ran.await();
        }
        assertThat(told).isEmpty();
    }

    @Test
    void netisr_throwsAnError_theRestIsDone() throws InterruptedException {
        final int packets = 5;
        final CountDownLatch seen = new CountDownLatch(packets);
        try (Vnet v = telling().sysctl("net.isr.dispatch", "deferred").build()) {
            assertThat(v.netisr().register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> {
                final int n = unpack(m);
                seen.countDown();
                if (n % 2 == 1) {
                    throw new AssertionError("bug " + n);
                }
            })).isEqualTo(Errno.OK);
            for (int i = 0; i < packets; i++) {
                assertThat(v.netisr().queue(NETISR_IP, packet(v, i))).isEqualTo(Errno.OK);
            }
            v.netisr().swi();
            seen.await();
            assertThat(told).hasSize(packets / 2);
        }
    }

    /** The caller is told; what waited behind goes to the agent, since the caller may never come again. */
    @Test
    void swi_throwsToItsCaller_theAgentDoesTheRest() throws InterruptedException {
        for (final int lanes : new int[] {1, 2}) {
            final CountDownLatch done = new CountDownLatch(1);
            try (Vnet v = telling().workstreams(lanes).build()) {
                v.netisr().schedule(task(() -> {
                    throw new AssertionError("bug");
                }));
                v.netisr().schedule(task(done::countDown));
                assertThatThrownBy(() -> v.netisr().swi()).isInstanceOf(AssertionError.class);
                done.await();
            }
        }
        assertThat(told).isEmpty();
    }

    @Test
    void hybridDispatch_throwsToItsCaller_theAgentDoesTheRest() throws InterruptedException {
        final CountDownLatch seen = new CountDownLatch(3);
        try (Vnet v = telling().sysctl("net.isr.dispatch", "hybrid").build()) {
            assertThat(v.netisr().register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> {
                final int n = unpack(m);
                seen.countDown();
                if (n == 0) {
                    throw new AssertionError("bug");
                }
            })).isEqualTo(Errno.OK);
            for (int i = 0; i < 2; i++) {
                assertThat(v.netisr().queue(NETISR_IP, packet(v, i))).isEqualTo(Errno.OK);
            }
            assertThatThrownBy(() -> v.netisr().dispatch(NETISR_IP, packet(v, 2))).isInstanceOf(AssertionError.class);
            seen.await(1, java.util.concurrent.TimeUnit.SECONDS);
            assertThat(seen.getCount()).as("the packet whose way it was is lost, the one before it is not")
                .isLessThanOrEqualTo(1);
        }
    }

    @Test
    void toldNobody_closingAStrictVnetFails() throws InterruptedException {
        final Vnet v = TestVnets.threaded().name("mute").strict(true).build();
        final CountDownLatch after = new CountDownLatch(1);
        v.callout("bad", null, () -> {
            Thread.currentThread().setUncaughtExceptionHandler((t, e) -> told.add(e));
            throw new AssertionError("a bug");
        }).reset(0);
        v.callout("good", null, after::countDown).reset(MS);
        after.await();
        assertThatThrownBy(v::close).isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("mute closed after a handler threw").hasRootCauseMessage("a bug");
        assertThat(told).hasSize(1);
    }

    private static SwiTask task(final Runnable r) {
        return new SwiTask() {
            @Override
            protected void run() {
                r.run();
            }
        };
    }
}
