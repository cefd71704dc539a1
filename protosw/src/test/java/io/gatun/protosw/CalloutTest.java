package io.gatun.protosw;

import static io.gatun.protosw.TestVnets.MS;
import static io.gatun.protosw.TestVnets.SEC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class CalloutTest {
    private final VirtualClock clock = new VirtualClock();
    private final Vnet vnet = TestVnets.polled(clock).build();
    private final List<String> ran = new ArrayList<>();

    private Callout callout(String name) {
        return vnet.callout(name, null, () -> ran.add(name));
    }

    @AfterEach
    void close() {
        vnet.close();
    }

    @Test
    void armed_atDeadline_runsOnceAndNotEarlier() {
        Callout c = callout("c");
        long start = clock.nanoTime();
        assertThat(c.reset(50 * MS)).isFalse();
        assertThat(c.pending()).isTrue();
        assertThat(c.deadlineNs()).isEqualTo(start + 50 * MS);
        assertThat(vnet.nextDeadlineNs()).isEqualTo(start + 50 * MS);
        clock.advance(50 * MS - 1);
        assertThat(vnet.poll()).isFalse();
        assertThat(ran).isEmpty();
        clock.advance(1);
        assertThat(vnet.poll()).isTrue();
        assertThat(ran).containsExactly("c");
        assertThat(c.pending()).isFalse();
        assertThat(vnet.nextDeadlineNs()).isEqualTo(Long.MAX_VALUE);
        Vnets.advance(clock, 10 * SEC, vnet);
        assertThat(ran).containsExactly("c");
    }

    @Test
    void several_due_runByDeadlineThenByArming() {
        Callout a = callout("a");
        Callout b = callout("b");
        Callout c = callout("c");
        Callout d = callout("d");
        a.reset(3 * SEC);
        b.reset(5 * MS);
        c.reset(5 * MS);
        d.reset(5 * MS);
        c.reset(5 * MS);
        clock.advance(9 * SEC);
        vnet.runUntilIdle();
        assertThat(ran).containsExactly("b", "d", "c", "a");
    }

    @Test
    void armed_movedLater_runsAtTheLaterInstant() {
        Callout c = callout("c");
        c.reset(10 * MS);
        for (int i = 0; i < 100; i++) {
            clock.advance(5 * MS);
            vnet.runUntilIdle();
            assertThat(c.reset(10 * MS)).isTrue();
            assertThat(vnet.nextDeadlineNs()).isEqualTo(clock.nanoTime() + 10 * MS);
        }
        assertThat(ran).isEmpty();
        Vnets.advance(clock, 10 * MS - 1, vnet);
        assertThat(ran).isEmpty();
        Vnets.advance(clock, 1, vnet);
        assertThat(ran).containsExactly("c");
    }

    @Test
    void armed_movedEarlier_runsAtTheEarlierInstant() {
        Callout c = callout("c");
        c.reset(7200 * SEC);
        c.reset(3 * MS);
        assertThat(vnet.nextDeadlineNs()).isEqualTo(clock.nanoTime() + 3 * MS);
        Vnets.advance(clock, 3 * MS, vnet);
        assertThat(ran).containsExactly("c");
    }

    @Test
    void armed_stopped_doesNotRun() {
        Callout near = callout("near");
        Callout far = callout("far");
        near.reset(MS);
        far.reset(7200 * SEC);
        assertThat(near.stop()).isTrue();
        assertThat(near.stop()).isFalse();
        assertThat(far.drain()).isTrue();
        assertThat(far.active()).isFalse();
        assertThat(vnet.calloutsArmed()).isZero();
        assertThat(vnet.nextDeadlineNs()).isEqualTo(Long.MAX_VALUE);
        Vnets.advance(clock, 10_000 * SEC, vnet);
        assertThat(ran).isEmpty();
    }

    @Test
    void stopped_armedAgain_runs() {
        Callout c = callout("c");
        c.reset(5 * MS);
        c.stop();
        assertThat(c.reset(9 * MS)).isFalse();
        Vnets.advance(clock, 8 * MS, vnet);
        assertThat(ran).isEmpty();
        Vnets.advance(clock, MS, vnet);
        assertThat(ran).containsExactly("c");
    }

    @Test
    void handler_armsItselfForNow_runsAtTheNextPoll() {
        int[] runs = new int[1];
        Callout[] self = new Callout[1];
        self[0] = vnet.callout("self", null, () -> {
            runs[0]++;
            assertThat(self[0].active()).isTrue();
            self[0].reset(0);
        });
        self[0].reset(-1);
        assertThat(vnet.poll()).isTrue();
        assertThat(runs[0]).isEqualTo(1);
        assertThat(vnet.poll()).isTrue();
        assertThat(runs[0]).isEqualTo(2);
        self[0].stop();
        assertThat(vnet.poll()).isFalse();
    }

    @Test
    void handler_drainsItself_onlyDisarms() {
        Callout[] self = new Callout[1];
        self[0] = vnet.callout("self", null, () -> {
            self[0].reset(MS);
            assertThat(self[0].drain()).isTrue();
            ran.add("self");
        });
        self[0].reset(0);
        Vnets.advance(clock, SEC, vnet);
        assertThat(ran).containsExactly("self");
    }

    @Test
    void handler_withLock_holdsIt() {
        Mtx lock = new Mtx(LockClass.INPCB, "inp");
        Callout c = vnet.callout("locked", lock, () -> ran.add(Boolean.toString(lock.owned())));
        c.reset(0);
        vnet.runUntilIdle();
        assertThat(ran).containsExactly("true");
        assertThat(lock.isLocked()).isFalse();
    }

    @Test
    void handler_throws_lockIsFreeAndTheNextRuns() {
        Mtx lock = new Mtx(LockClass.INPCB, "inp");
        Callout bad = vnet.callout("bad", lock, () -> {
            throw new IllegalArgumentException("bug");
        });
        bad.reset(1);
        callout("good").reset(2);
        clock.advance(2);
        assertThatThrownBy(vnet::poll).isInstanceOf(IllegalArgumentException.class);
        assertThat(lock.isLocked()).isFalse();
        assertThat(bad.active()).isFalse();
        vnet.runUntilIdle();
        assertThat(ran).containsExactly("good");
    }

    @Test
    void resetAt_farthestInstant_isArmedAndNeverDue() {
        Callout c = callout("c");
        c.resetAt(Long.MAX_VALUE);
        assertThat(c.pending()).isTrue();
        c.reset(Long.MAX_VALUE);
        assertThat(vnet.calloutsArmed()).isEqualTo(1);
        Vnets.advance(clock, 1_000_000 * SEC, vnet);
        assertThat(ran).isEmpty();
        c.drain();
    }

    @Test
    void manyAtOneInstant_allRunInOrder() {
        List<Integer> order = new ArrayList<>();
        int many = 20_000;
        for (int i = 0; i < many; i++) {
            int n = i;
            vnet.callout("m", null, () -> order.add(n)).reset(60 * SEC);
        }
        assertThat(vnet.calloutsArmed()).isEqualTo(many);
        Vnets.advance(clock, 60 * SEC, vnet);
        assertThat(order).hasSize(many).isSorted();
    }

    /** Against the plainest model: a sorted map from deadline and sequence to name. */
    @Property(tries = 200)
    void anySequence_behavesAsTheModel(@ForAll long seed) {
        Random r = new Random(seed);
        VirtualClock time = new VirtualClock(r.nextLong() >> 2);
        Vnet v = TestVnets.polled(time).strict(false).build();
        int n = 1 + r.nextInt(40);
        List<Integer> got = new ArrayList<>();
        List<Integer> want = new ArrayList<>();
        NavigableMap<Long, Map<Long, Integer>> model = new TreeMap<>();
        Callout[] c = new Callout[n];
        for (int i = 0; i < n; i++) {
            int k = i;
            c[i] = v.callout("c" + i, null, () -> got.add(k));
        }
        for (long step = 0; step < 400; step++) {
            int i = r.nextInt(n);
            switch (r.nextInt(8)) {
                case 0 -> assertThat(c[i].stop()).isEqualTo(forget(model, i));
                case 1 -> assertThat(c[i].drain()).isEqualTo(forget(model, i));
                case 2, 3 -> passTime(r, time, v, model, want);
                default -> {
                    long delay = span(r);
                    boolean was = forget(model, i);
                    assertThat(c[i].reset(delay)).isEqualTo(was);
                    model.computeIfAbsent(time.nanoTime() + delay, d -> new TreeMap<>()).put(step, i);
                }
            }
            if (r.nextInt(3) == 0) {
                assertThat(v.nextDeadlineNs()).isEqualTo(model.isEmpty() ? Long.MAX_VALUE : model.firstKey());
            }
            assertThat(got).isEqualTo(want);
        }
        int armed = model.values().stream().mapToInt(Map::size).sum();
        assertThat(v.calloutsArmed()).isEqualTo(armed);
        v.close();
    }

    private static long span(Random r) {
        return r.nextLong(1L << 1 + r.nextInt(36)) / 1000 * 1000;
    }

    private static boolean forget(NavigableMap<Long, Map<Long, Integer>> model, int i) {
        boolean was = model.values().stream().anyMatch(s -> s.containsValue(i));
        model.values().forEach(s -> s.values().remove(i));
        model.values().removeIf(Map::isEmpty);
        return was;
    }

    private static void passTime(
        Random r, VirtualClock time, Vnet v, NavigableMap<Long, Map<Long, Integer>> model, List<Integer> want) {
        time.advance(span(r));
        v.runUntilIdle();
        while (!model.isEmpty() && model.firstKey() <= time.nanoTime()) {
            want.addAll(model.pollFirstEntry().getValue().values());
        }
    }

    @Test
    void reset_steadyState_allocatesNothing() {
        Callout c = callout("c");
        Callout d = callout("d");
        long octets = TestVnets.allocated(20_000, () -> {
            c.reset(200 * MS);
            d.reset(40 * MS);
            d.stop();
            clock.advance(MS);
            vnet.poll();
        });
        c.stop();
        assertThat(octets).isZero();
    }

    /** As many as one spoke and the heap can take, then few: the room for them is given up, and none loses its time. */
    @Test
    void spike_over_roomIsGivenUp() {
        CalloutWheel wheel = new CalloutWheel(clock, false, () -> { }, () -> { });
        int few = wheel.room();
        List<VnetCallout> all = new ArrayList<>();
        for (int i = 0; i < 50_000; i++) {
            VnetCallout c = new VnetCallout(wheel, "c", null, () -> ran.add("spike"));
            c.reset(SEC + i % 7 * 300L * MS);
            all.add(c);
        }
        assertThat(wheel.room()).isGreaterThan(1000);
        clock.advance(4 * SEC);
        wheel.runDue();
        assertThat(ran).hasSize(50_000);
        ran.clear();
        for (int i = 0; i < 3; i++) {
            all.get(i).reset(20 * SEC + i);
        }
        VnetCallout ticking = new VnetCallout(wheel, "tick", null, () -> { });
        for (int i = 0; i < 15; i++) {
            ticking.reset(SEC);
            clock.advance(SEC);
            wheel.runDue();
        }
        assertThat(wheel.room()).isLessThanOrEqualTo(few + 4);
        assertThat(ran).isEmpty();
        clock.advance(5 * SEC - 1);
        wheel.runDue();
        assertThat(ran).isEmpty();
        clock.advance(1);
        wheel.runDue();
        assertThat(ran).hasSize(1);
        clock.advance(2);
        wheel.runDue();
        assertThat(ran).hasSize(3);
        assertThat(wheel.armed()).isZero();
    }
}
