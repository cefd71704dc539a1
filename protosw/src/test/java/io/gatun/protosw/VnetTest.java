package io.gatun.protosw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.sys.DropReason;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.Callout;
import io.gatun.spi.vnet.VirtualClock;
import io.gatun.spi.vnet.VnetModule;
import io.gatun.spi.vnet.VnetSide;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class VnetTest {
    private static final int VNETS = 1000;

    private static VnetBuilder small() {
        return Vnet.builder().pool(MbufPool.builder().nmbufs(64).nmbclusters(16).nmbjumbop(0).nmbjumbo9(0)
            .nmbjumbo16(0)).services(false).strict(true);
    }

    @Test
    void seeded_builtTwice_drawsTheSame() {
        try (Vnet a = small().seed(42).build(); Vnet b = small().seed(42).build(); Vnet c = small().seed(43).build()) {
            assertThat(a.random().nextLong()).isEqualTo(b.random().nextLong());
            assertThat(a.secret()).isEqualTo(b.secret()).hasSize(32).isNotEqualTo(c.secret());
            assertThat(a.random().nextInt()).isEqualTo(b.random().nextInt());
        }
    }

    @Test
    void unseeded_builtTwice_differs() {
        try (Vnet a = small().build(); Vnet b = small().build()) {
            assertThat(a.secret()).isNotEqualTo(b.secret());
        }
    }

    /** Says what befalls it. */
    private record Module(String name, Errno answer, List<String> said) implements VnetModule {
        @Override
        public Errno init(VnetSide vnet) {
            said.add(name + " begins in " + vnet.name());
            return answer;
        }

        @Override
        public void destroy() {
            said.add(name + " ends");
        }
    }

    @Test
    void modules_beginInOrder_andEndInReverse() {
        final List<String> said = new ArrayList<>();
        try (Vnet v = small().name("v").module(new Module("one", Errno.OK, said))
                .module(new Module("two", Errno.OK, said)).build()) {
            assertThat(said).containsExactly("one begins in v", "two begins in v");
            assertThat(v.classLoader()).as("no services").isNull();
        }
        assertThat(said).endsWith("two ends", "one ends").hasSize(4);
    }

    @Test
    void module_thatCannotBegin_endsTheBuilding() {
        final List<String> said = new ArrayList<>();
        final VnetBuilder b = small().name("v").module(new Module("one", Errno.OK, said))
            .module(new Module("two", Errno.EEXIST, said)).module(new Module("three", Errno.OK, said));
        assertThatThrownBy(b::build).isInstanceOf(IllegalStateException.class)
            .hasMessage("module two of v: " + Errno.EEXIST.text());
        assertThat(said).containsExactly("one begins in v", "two begins in v", "one ends");
    }

    @Test
    void clock_system_hasThreads() {
        try (Vnet a = small().build(); Vnet b = small().clock(new VirtualClock()).build()) {
            assertThat(a.threaded()).isTrue();
            assertThat(b.threaded()).isFalse();
            assertThatThrownBy(a::poll).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void drop_packet_countsAndFrees() {
        try (Vnet v = small().build()) {
            Mbuf m = v.pool().gethdr(Mbuf.MT_DATA);
            v.drop(m, DropReason.IP_TTL);
            v.drop(null, DropReason.IP_TTL);
            assertThat(v.drops(DropReason.IP_TTL)).isEqualTo(2);
            assertThat(v.counters().get("drop.ip_ttl")).isEqualTo(2);
            assertThat(v.pool().outstanding()).isZero();
        }
    }

    @Test
    void service_providedTwice_fails() {
        try (Vnet v = small().build()) {
            assertThat(v.service(CharSequence.class)).isNull();
            v.provide(CharSequence.class, "one");
            assertThat(v.service(CharSequence.class)).isEqualTo("one");
            assertThatThrownBy(() -> v.provide(CharSequence.class, "two")).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void close_services_latestFirst() {
        List<String> order = new ArrayList<>();
        Vnet v = small().build();
        v.provide(Runnable.class, new CloseableTask(() -> order.add("first")));
        v.provide(AutoCloseable.class, () -> order.add("second"));
        v.close();
        v.close();
        assertThat(order).containsExactly("second", "first");
    }

    private record CloseableTask(Runnable onClose) implements Runnable, AutoCloseable {
        @Override
        public void run() {
            onClose.run();
        }

        @Override
        public void close() {
            run();
        }
    }

    @Test
    void close_mbufOutstanding_fails() {
        Vnet v = small().name("leaky").build();
        Mbuf m = v.pool().gethdr(Mbuf.MT_DATA);
        assertThatThrownBy(v::close).isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("leaky closed with 1 mbufs outstanding");
        m.freeChain();
    }

    @Test
    void close_calloutArmed_fails() {
        Vnet v = small().clock(new VirtualClock()).build();
        Callout c = v.callout("forgotten", null, () -> { });
        c.reset(1);
        assertThatThrownBy(v::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("forgotten=1");
    }

    @Test
    void close_notStrict_keepsQuiet() {
        Vnet v = small().clock(new VirtualClock()).strict(false).build();
        v.callout("forgotten", null, () -> { }).reset(1);
        v.close();
    }

    @Test
    void thousandVnets_builtAndClosed_leaveNoThread() {
        for (int i = 0; i < VNETS; i++) {
            try (Vnet v = small().name("many-" + i).build()) {
                Callout c = v.callout("t", null, () -> { });
                c.reset(1_000_000_000_000L);
                c.drain();
            }
        }
        for (Thread t : Thread.getAllStackTraces().keySet()) {
            assertThat(t.getName()).doesNotStartWith("many-");
        }
        assertThat(ManagementFactory.getThreadMXBean().getThreadCount()).isLessThan(VNETS / 2);
    }
}
