package io.gatun.protosw;

import static io.gatun.protosw.TestVnets.packet;
import static io.gatun.protosw.TestVnets.unpack;
import static io.gatun.spi.vnet.Netisr.NETISR_ARP;
import static io.gatun.spi.vnet.Netisr.NETISR_IP;
import static io.gatun.spi.vnet.Netisr.NETISR_POLICY_FLOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.sys.LockClass;
import io.gatun.spi.sys.Mtx;
import io.gatun.spi.vnet.Netisr;
import io.gatun.spi.vnet.NetisrHandler;
import io.gatun.spi.vnet.SwiTask;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** netisr without threads: plain and repeatable. */
final class NetisrTest {
    private final Vnet vnet = TestVnets.polled(new VirtualClock()).name("a").build();
    private final Vnet other = TestVnets.polled(new VirtualClock()).name("b").build();
    private final Netisr netisr = vnet.netisr();
    private final List<Integer> got = new ArrayList<>();

    @AfterEach
    void close() {
        vnet.close();
        other.close();
    }

    private void register(int proto, String name, NetisrHandler handler) {
        assertThat(netisr.register(proto, name, NETISR_POLICY_FLOW, handler)).isEqualTo(Errno.OK);
    }

    private void collect() {
        register(NETISR_IP, "ip", m -> got.add(unpack(m)));
    }

    @Test
    void queued_swi_runsInOrder() {
        collect();
        for (int i = 0; i < 10; i++) {
            assertThat(netisr.queue(NETISR_IP, packet(vnet, i))).isEqualTo(Errno.OK);
        }
        assertThat(got).isEmpty();
        assertThat(netisr.pending()).isTrue();
        netisr.swi();
        assertThat(got).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        assertThat(netisr.pending()).isFalse();
        assertThat(vnet.counters().get("netisr.ip.queued")).isEqualTo(10);
        assertThat(vnet.netisrStats()).singleElement().satisfies(s -> assertThat(s.handled()).isEqualTo(10));
    }

    @Test
    void queue_full_dropsAndCounts() {
        collect();
        assertThat(netisr.setQlimit(NETISR_IP, 3)).isEqualTo(Errno.OK);
        assertThat(netisr.qlimit(NETISR_IP)).isEqualTo(3);
        for (int i = 0; i < 5; i++) {
            assertThat(netisr.queue(NETISR_IP, packet(vnet, i))).isEqualTo(i < 3 ? Errno.OK : Errno.ENOBUFS);
        }
        assertThat(vnet.drops(DropReason.NETISR_QLIMIT)).isEqualTo(2);
        assertThat(vnet.counters().get("netisr.ip.qdrops")).isEqualTo(2);
        netisr.swi();
        assertThat(netisr.queue(NETISR_IP, packet(vnet, 9))).isEqualTo(Errno.OK);
        netisr.swi();
        assertThat(got).containsExactly(0, 1, 2, 9);
    }

    @Test
    void qlimit_outOfRange_isRefused() {
        collect();
        assertThat(netisr.setQlimit(NETISR_IP, 0)).isEqualTo(Errno.EINVAL);
        assertThat(netisr.setQlimit(NETISR_IP, 10_241)).isEqualTo(Errno.EINVAL);
        assertThat(netisr.setQlimit(NETISR_ARP, 5)).isEqualTo(Errno.ENOENT);
        assertThat(netisr.register(NETISR_IP, "again", NETISR_POLICY_FLOW, Mbuf::freeChain)).isEqualTo(Errno.EEXIST);
        assertThat(netisr.register(0, "none", NETISR_POLICY_FLOW, Mbuf::freeChain)).isEqualTo(Errno.EINVAL);
    }

    @Test
    void protocol_unknown_dropsAndCounts() {
        assertThat(netisr.queue(NETISR_ARP, packet(vnet, 1))).isEqualTo(Errno.EPROTONOSUPPORT);
        assertThat(netisr.dispatch(NETISR_ARP, packet(vnet, 1))).isEqualTo(Errno.EPROTONOSUPPORT);
        assertThat(vnet.drops(DropReason.NETISR_NOPROTO)).isEqualTo(2);
    }

    @Test
    void unregister_packetsWait_dropsThem() {
        collect();
        netisr.queue(NETISR_IP, packet(vnet, 1));
        netisr.queue(NETISR_IP, packet(vnet, 2));
        netisr.unregister(NETISR_IP);
        assertThat(vnet.drops(DropReason.NETISR_NOPROTO)).isEqualTo(2);
        assertThat(vnet.pool().outstanding()).isZero();
        collect();
        netisr.queue(NETISR_IP, packet(vnet, 3));
        netisr.swi();
        assertThat(got).containsExactly(3);
    }

    @Test
    void handler_queuesAndCallsSwi_noRecursion() {
        int[] depth = new int[2];
        register(NETISR_IP, "ip", m -> {
            int n = unpack(m);
            depth[0]++;
            depth[1] = Math.max(depth[0], depth[1]);
            got.add(n);
            if (n < 50) {
                netisr.queue(NETISR_IP, packet(vnet, n + 1));
                netisr.swi();
            }
            depth[0]--;
        });
        netisr.queue(NETISR_IP, packet(vnet, 0));
        netisr.swi();
        assertThat(got).hasSize(51).isSorted();
        assertThat(depth[1]).isEqualTo(1);
    }

    @Test
    void budget_spent_leavesTheRestInOrder() {
        assertThat(vnet.sysctl().set("net.isr.budget", "4")).isEqualTo(Errno.OK);
        collect();
        for (int i = 0; i < 10; i++) {
            netisr.queue(NETISR_IP, packet(vnet, i));
        }
        netisr.swi();
        assertThat(got).containsExactly(0, 1, 2, 3);
        assertThat(netisr.pending()).isTrue();
        netisr.queue(NETISR_IP, packet(vnet, 10));
        assertThat(vnet.poll()).isTrue();
        assertThat(got).hasSize(8);
        vnet.runUntilIdle();
        assertThat(got).hasSize(11).isSorted();
    }

    @Test
    void dispatch_direct_runsOnTheCaller() {
        collect();
        netisr.dispatch(NETISR_IP, packet(vnet, 7));
        assertThat(got).containsExactly(7);
        assertThat(vnet.counters().get("netisr.ip.dispatched")).isEqualTo(1);
    }

    @Test
    void dispatch_hybrid_drainsFirstThenRuns() {
        assertThat(vnet.sysctl().set("net.isr.dispatch", "hybrid")).isEqualTo(Errno.OK);
        collect();
        netisr.queue(NETISR_IP, packet(vnet, 1));
        netisr.queue(NETISR_IP, packet(vnet, 2));
        netisr.dispatch(NETISR_IP, packet(vnet, 3));
        assertThat(got).containsExactly(1, 2, 3);
        assertThat(vnet.counters().get("netisr.ip.hybrid_dispatched")).isEqualTo(1);
        assertThat(netisr.pending()).isFalse();
    }

    @Test
    void dispatch_hybridInsideAHandler_queues() {
        assertThat(vnet.sysctl().set("net.isr.dispatch", "hybrid")).isEqualTo(Errno.OK);
        register(NETISR_IP, "ip", m -> {
            int n = unpack(m);
            if (n == 0) {
                netisr.dispatch(NETISR_IP, packet(vnet, 1));
            }
            got.add(n);
        });
        netisr.dispatch(NETISR_IP, packet(vnet, 0));
        assertThat(got).containsExactly(0, 1);
    }

    @Test
    void dispatch_deferred_waitsForSwi() {
        assertThat(vnet.sysctl().set("net.isr.dispatch", "deferred")).isEqualTo(Errno.OK);
        assertThat(vnet.sysctl().set("net.isr.dispatch", "sometimes")).isEqualTo(Errno.EINVAL);
        assertThat(vnet.sysctl().find("net.isr.dispatch").getString()).isEqualTo("deferred");
        collect();
        netisr.dispatch(NETISR_IP, packet(vnet, 1));
        assertThat(got).isEmpty();
        netisr.swi();
        assertThat(got).containsExactly(1);
    }

    @Test
    void linked_pingPong_runsToTheEndFromOneSwi() {
        register(NETISR_IP, "ip", m -> bounce(m, other));
        assertThat(other.netisr().register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> bounce(m, vnet)))
            .isEqualTo(Errno.OK);
        netisr.link(other.netisr());
        netisr.link(other.netisr());
        netisr.unlink(other.netisr());
        netisr.queue(NETISR_IP, packet(vnet, 100));
        netisr.swi();
        assertThat(got).hasSize(101);
        assertThat(got.getLast()).isZero();
        netisr.unlink(other.netisr());
        other.netisr().queue(NETISR_IP, packet(other, 0));
        netisr.swi();
        assertThat(got).hasSize(101);
        other.netisr().swi();
        assertThat(got).hasSize(102);
    }

    private void bounce(Mbuf m, Vnet to) {
        int n = unpack(m);
        got.add(n);
        if (n > 0) {
            to.netisr().queue(NETISR_IP, packet(to, n - 1));
        }
    }

    @Test
    void linkedLine_ofManyVnets_isFollowed() {
        int length = 20;
        Vnet[] line = new Vnet[length];
        for (int i = 0; i < length; i++) {
            int k = i;
            line[i] = TestVnets.polled(new VirtualClock()).build();
            assertThat(line[i].netisr().register(NETISR_IP, "ip", NETISR_POLICY_FLOW, m -> {
                got.add(unpack(m));
                if (k + 1 < length) {
                    line[k + 1].netisr().queue(NETISR_IP, packet(line[k + 1], k + 1));
                }
            })).isEqualTo(Errno.OK);
            if (i > 0) {
                line[i - 1].netisr().link(line[i].netisr());
            }
        }
        line[0].netisr().queue(NETISR_IP, packet(line[0], 0));
        line[0].netisr().swi();
        assertThat(got).hasSize(length).isSorted();
        for (Vnet v : line) {
            v.close();
        }
    }

    @Test
    void task_scheduledTwice_runsOnce() {
        SwiTask task = new SwiTask() {
            @Override
            protected void run() {
                got.add(1);
            }
        };
        netisr.schedule(task);
        netisr.schedule(task);
        vnet.runUntilIdle();
        assertThat(got).containsExactly(1);
        netisr.schedule(task);
        vnet.runUntilIdle();
        assertThat(got).containsExactly(1, 1);
    }

    @Test
    void handler_throws_restIsKept() {
        register(NETISR_IP, "ip", m -> {
            int n = unpack(m);
            if (n == 1) {
                throw new IllegalArgumentException("bug");
            }
            got.add(n);
        });
        for (int i = 0; i < 4; i++) {
            netisr.queue(NETISR_IP, packet(vnet, i));
        }
        assertThatThrownBy(netisr::swi).isInstanceOf(IllegalArgumentException.class);
        netisr.swi();
        assertThat(got).containsExactly(0, 2, 3);
    }

    @Test
    void swi_withAPcbLockHeld_fails() {
        Mtx inp = new Mtx(LockClass.INPCB, "inp");
        inp.lock();
        try {
            assertThatThrownBy(netisr::swi).isInstanceOf(AssertionError.class);
        } finally {
            inp.unlock();
        }
    }

    @Test
    void link_threadedWithPolled_isRefused() {
        try (Vnet t = TestVnets.threaded().build()) {
            assertThatThrownBy(() -> netisr.link(t.netisr())).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void queueAndSwi_steadyState_allocatesNothing() {
        int[] n = new int[1];
        register(NETISR_IP, "ip", m -> n[0] += unpack(m));
        long octets = TestVnets.allocated(20_000, () -> {
            netisr.queue(NETISR_IP, packet(vnet, 1));
            netisr.queue(NETISR_IP, packet(vnet, 1));
            netisr.swi();
        });
        assertThat(octets).isZero();
    }
}
