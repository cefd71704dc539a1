package io.gatun.protosw;

import static io.gatun.protosw.TestVnets.MS;
import static io.gatun.protosw.TestVnets.SEC;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.Clock;
import io.gatun.spi.vnet.SwiTask;
import io.gatun.spi.vnet.VirtualClock;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Callouts of a vnet with threads, on the machine's clock. */
final class CalloutThreadTest {
    private static final int ROUNDS = 2000;

    private final Vnet vnet = TestVnets.threaded().name("callouts").build();

    @AfterEach
    void close() {
        vnet.close();
    }

    @Test
    void armed_runsAtTheDeadlineNotBefore() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(1);
        long[] at = new long[1];
        Callout c = vnet.callout("c", null, () -> {
            at[0] = System.nanoTime();
            ran.countDown();
        });
        vnet.callout("far", null, () -> { }).drain();
        long start = System.nanoTime();
        c.reset(20 * MS);
        ran.await();
        assertThat(at[0] - start).isGreaterThanOrEqualTo(20 * MS);
    }

    @Test
    void armedEarlierThanTheSleep_wakesTheAgent() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(1);
        Callout far = vnet.callout("far", null, () -> { });
        far.reset(3600 * SEC);
        CountDownLatch first = new CountDownLatch(1);
        vnet.callout("first", null, first::countDown).reset(0);
        first.await();
        vnet.callout("near", null, ran::countDown).reset(5 * MS);
        ran.await();
        far.drain();
    }

    @Test
    void stopUnderTheLock_isExact() {
        Mtx lock = new Mtx(LockClass.INPCB, "inp");
        boolean[] armed = new boolean[1];
        AtomicInteger wrong = new AtomicInteger();
        Callout c = vnet.callout("c", lock, () -> {
            if (!armed[0]) {
                wrong.incrementAndGet();
            }
            armed[0] = false;
        });
        for (int i = 0; i < ROUNDS; i++) {
            lock.lock();
            try {
                armed[0] = true;
                c.reset(i % 50 * 1000L);
            } finally {
                lock.unlock();
            }
            spin(i % 70 * 1000L);
            lock.lock();
            try {
                c.stop();
                armed[0] = false;
            } finally {
                lock.unlock();
            }
        }
        c.drain();
        assertThat(wrong).hasValue(0);
    }

    @Test
    void drain_whileTheHandlerRuns_waits() {
        AtomicBoolean inside = new AtomicBoolean();
        AtomicInteger runs = new AtomicInteger();
        for (int i = 0; i < ROUNDS; i++) {
            Callout c = vnet.callout("c", null, () -> {
                inside.set(true);
                runs.incrementAndGet();
                spin(5000);
                inside.set(false);
            });
            c.reset(0);
            spin(i % 60 * 1000L);
            c.drain();
            assertThat(inside).isFalse();
            assertThat(c.active()).isFalse();
        }
        assertThat(runs.get()).isPositive();
    }

    @Test
    void rearmedByManyThreads_neverLost() throws InterruptedException {
        AtomicInteger runs = new AtomicInteger();
        Callout c = vnet.callout("c", null, runs::incrementAndGet);
        Thread[] threads = new Thread[4];
        for (int t = 0; t < threads.length; t++) {
            int k = t;
            threads[t] = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 20_000; i++) {
                    c.reset((i * 7L + k) % 300 * 1000);
                    if (i % 5 == k) {
                        c.stop();
                    }
                }
            });
        }
        for (Thread t : threads) {
            t.join();
        }
        for (int i = 0; i < 200; i++) {
            int before = runs.get();
            c.reset(i % 3 * 1000L);
            while (runs.get() == before) {
                Thread.onSpinWait();
            }
        }
        c.drain();
    }

    /** Time is counted in tasks here: those the thread of the timers ran between one that was due and the next. */
    @Test
    void tasksInALine_betweenTwoCalloutsThatAreDue_areFew() throws InterruptedException {
        int tasks = 5000;
        AtomicInteger byTimers = new AtomicInteger();
        CountDownLatch all = new CountDownLatch(tasks);
        CountDownLatch scheduled = new CountDownLatch(1);
        CountDownLatch second = new CountDownLatch(1);
        CountDownLatch first = new CountDownLatch(1);
        Thread[] timers = new Thread[1];
        int[] between = new int[1];
        vnet.callout("first", null, () -> {
            timers[0] = Thread.currentThread();
            first.countDown();
            await(scheduled);
        }).reset(0);
        first.await();
        vnet.callout("second", null, () -> {
            between[0] = byTimers.get();
            second.countDown();
        }).reset(0);
        for (int i = 0; i < tasks; i++) {
            vnet.netisr().schedule(new SwiTask() {
                @Override
                protected void run() {
                    if (Thread.currentThread() == timers[0]) {
                        byTimers.incrementAndGet();
                    }
                    all.countDown();
                }
            });
        }
        scheduled.countDown();
        second.await();
        assertThat(between[0]).isLessThanOrEqualTo(SoftNetisr.CALLOUT_BUDGET);
        all.await(); // by whomever
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Somebody who looks at all timers holds up nobody who arms one, whatever it takes to look. */
    @Test
    void watched_armingGoesOn() throws InterruptedException {
        CalloutWheel wheel = new CalloutWheel(Clock.SYSTEM, true, () -> { }, () -> { });
        VnetCallout[] c = new VnetCallout[100];
        for (int i = 0; i < c.length; i++) {
            c[i] = new VnetCallout(wheel, "c", null, () -> { });
            c[i].reset(i % 2 * SEC + 1);
        }
        int[] seen = new int[1];
        VnetCallout other = new VnetCallout(wheel, "other", null, () -> { });
        wheel.forEachArmed(v -> {
            Thread t = Thread.ofPlatform().start(() -> other.reset(5 * SEC));
            join(t);
            other.drain();
            seen[0]++;
        });
        assertThat(seen[0]).isEqualTo(c.length);
        assertThat(wheel.armed()).isEqualTo(c.length);
        for (VnetCallout v : c) {
            v.drain();
        }
        assertThat(wheel.armed()).isZero();
    }

    /**
     * One thread stops a callout while another arms it again: the first finds it armed and queues it, the second finds
     * it queued. Either has to wake the agent, which sleeps until something later.
     */
    @Test
    void armedBetweenStopAndItsQueueing_wakesTheAgent() {
        int[] wakes = new int[1];
        CalloutWheel wheel = new CalloutWheel(new VirtualClock(), true, () -> wakes[0]++, () -> { });
        VnetCallout c = new VnetCallout(wheel, "c", null, () -> { });
        c.reset(3600 * SEC);
        assertThat(wheel.sleepNs()).isPositive();
        int before = wakes[0];
        c.exchange(CalloutWheel.NONE);          // the one stops it
        c.exchange(5 * MS);                     // the other arms it
        wheel.requeue(c);                       // the one goes on
        assertThat(c.queuedNs()).as("so the other is done").isEqualTo(c.due());
        assertThat(wakes[0]).isEqualTo(before + 1);
        c.drain();
    }

    @Test
    void armedButNotQueued_seenByOneWhoAsksForTheNextDeadline_wakesTheAgent() {
        int[] wakes = new int[1];
        CalloutWheel wheel = new CalloutWheel(new VirtualClock(), true, () -> wakes[0]++, () -> { });
        VnetCallout c = new VnetCallout(wheel, "c", null, () -> { });
        c.reset(SEC);
        wheel.sleepNs();
        int before = wakes[0];
        c.exchange(MS);
        assertThat(wheel.nextDeadlineNs()).isEqualTo(MS);
        assertThat(wakes[0]).isEqualTo(before + 1);
        c.drain();
    }

    /** A wheel that has seen that many callouts come: from now on it lets them wait for their place. */
    private static CalloutWheel busyWheel(Runnable waker) {
        VirtualClock clock = new VirtualClock();
        CalloutWheel wheel = new CalloutWheel(clock, true, waker, () -> { });
        for (int i = 0; i < 1000; i++) {
            new VnetCallout(wheel, "many", null, () -> { }).reset(SEC);
        }
        clock.advance(10 * MS);
        wheel.runDue();
        wheel.sleepNs();
        return wheel;
    }

    /** Does something while other threads do something else in a loop, the first of them now and then stopped. */
    private static void meanwhile(Runnable other, int idlers, Runnable what) {
        AtomicBoolean done = new AtomicBoolean();
        Thread looker = Thread.ofPlatform().daemon().start(() -> {
            while (!done.get()) {
                other.run();
            }
        });
        for (int i = 0; i < idlers; i++) {
            Thread.ofPlatform().daemon().start(() -> {
                while (!done.get()) {
                    Thread.onSpinWait();
                }
            });
        }
        try {
            what.run();
        } finally {
            done.set(true);
        }
        join(looker);
    }

    private static void pause(int turns) {
        for (int i = 0; i < turns; i++) {
            Thread.onSpinWait();
        }
    }

    /**
     * A connection's first timer is far off, its next near. Who gives it its place has read the first and not yet
     * written where it is queued when the second comes: it must not be left where the first put it.
     */
    @Test
    void armedEarlierWhileItGetsItsPlace_isQueuedByThen() {
        CalloutWheel wheel = busyWheel(() -> { });
        meanwhile(wheel::nextDeadlineNs, 3, () -> {
            for (int i = 0; i < 200 * ROUNDS; i++) {
                VnetCallout c = new VnetCallout(wheel, "c", null, () -> { });
                c.reset(3600 * SEC);
                pause(i % 64);
                c.reset(MS);
                wheel.nextDeadlineNs();
                assertThat(c.queuedNs()).as("round %d", i).isLessThanOrEqualTo(c.due());
                c.drain();
            }
        });
    }

    /** As before, the place given by somebody who counts callouts: the agent must not sleep beyond the second. */
    @Test
    void armedEarlierWhileOthersCount_wakesTheAgent() {
        AtomicInteger wakes = new AtomicInteger();
        CalloutWheel wheel = busyWheel(wakes::incrementAndGet);
        meanwhile(wheel::armed, 0, () -> {
            for (int i = 0; i < 20 * ROUNDS; i++) {
                VnetCallout c = new VnetCallout(wheel, "c", null, () -> { });
                c.reset(75 * SEC);
                pause(i % 512);
                int before = wakes.get();
                c.reset(MS);
                wheel.armed(); // whoever is at its place is done
                if (wakes.get() == before) {
                    assertThat(wheel.wakeAtNs()).as("round %d", i).isLessThanOrEqualTo(c.due());
                }
                c.drain();
                wheel.sleepNs();
            }
        });
    }

    @Test
    void drainedWhileItGetsItsPlace_isQueuedNowhere() {
        CalloutWheel wheel = busyWheel(() -> { });
        meanwhile(wheel::armed, 0, () -> {
            for (int i = 0; i < 50 * ROUNDS; i++) {
                VnetCallout c = new VnetCallout(wheel, "c", null, () -> { });
                c.reset(75 * SEC);
                pause(i % 512);
                c.drain();
                wheel.armed(); // whoever is at its place is done
                assertThat(c.farId).as("round %d", i).isNegative();
                assertThat(c.heapIndex).as("round %d", i).isNegative();
                wheel.sleepNs();
            }
        });
    }

    private static void join(Thread t) {
        try {
            t.join(60_000);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        assertThat(t.isAlive()).as("still waits for the lock").isFalse();
    }

    @Test
    void idle_costsNoTime() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(1);
        long[] id = new long[1];
        vnet.callout("who", null, () -> {
            id[0] = Thread.currentThread().threadId();
            ran.countDown();
        }).reset(0);
        ran.await();
        Callout far = vnet.callout("far", null, () -> { });
        far.reset(7200 * SEC);
        long before = ManagementFactory.getThreadMXBean().getThreadCpuTime(id[0]);
        CountDownLatch later = new CountDownLatch(1);
        vnet.callout("later", null, later::countDown).reset(300 * MS);
        later.await();
        assertThat(ManagementFactory.getThreadMXBean().getThreadCpuTime(id[0]) - before).isLessThan(30 * MS);
        far.drain();
    }

    private static void spin(long ns) {
        long end = System.nanoTime() + ns;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }
}
