package io.gatun.netinet.pcb;

import static io.gatun.netinet.pcb.PcbFixture.A1;
import static io.gatun.netinet.pcb.PcbFixture.A2;
import static io.gatun.netinet.pcb.PcbFixture.PEER;
import static io.gatun.netinet.pcb.PcbFixture.USER;
import static io.gatun.netinet.pcb.PcbFixture.bind;
import static io.gatun.netinet.pcb.PcbFixture.connect;
import static io.gatun.netinet.pcb.PcbFixture.free;
import static io.gatun.spi.socket.SocketDefs.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.InDefs;
import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PortAllocTest {
    private static final int RANGE = 65535 - 10000 + 1;
    private final PcbFixture f = new PcbFixture(InDefs.IPPROTO_TCP, 3);

    @Test
    void unbound_bindPortZero_takesEachPortOnceThenRunsOut() {
        f.set("first", 20000);
        f.set("last", 20999);
        final Set<Integer> seen = new HashSet<>();
        final List<Integer> order = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            final Inpcb inp = f.pcb(0);
            assertThat(bind(inp, 0, 0)).isEqualTo(Errno.OK);
            assertThat(inp.has(Inpcb.INP_ANONPORT)).isTrue();
            assertThat(inp.lport()).isBetween(20000, 20999);
            assertThat(seen.add(inp.lport())).isTrue();
            order.add(inp.lport());
        }
        assertThat(order).isNotEqualTo(order.stream().sorted().toList());
        assertThat(bind(f.pcb(0), 0, 0)).isEqualTo(Errno.EADDRNOTAVAIL);
        assertThat(bind(f.pcb(0), A1, 0)).isEqualTo(Errno.EADDRNOTAVAIL);
        assertThat(f.info.check()).isTrue();
    }

    @Test
    void spike_over_pagesOfPortsAreGivenUp() {
        final int before = f.info.ports().pageCount();
        final List<Inpcb> all = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            all.add(f.pcb(0));
            assertThat(bind(all.get(i), 0, 0)).isEqualTo(Errno.OK);
        }
        assertThat(f.info.ports().pageCount()).isGreaterThan(before + 100);
        final Inpcb stays = all.removeLast();
        all.forEach(PcbFixture::free);
        assertThat(f.info.ports().pageCount()).isEqualTo(before + 1);
        assertThat(f.info.ports().entry(stays.lport())).isNotNull();
        assertThat(f.info.check()).isTrue();
        free(stays);
        assertThat(f.info.ports().pageCount()).isEqualTo(before);
    }

    @Test
    void rangeFullOnOneAddress_bindOtherAddress_sharesPorts() {
        f.set("first", 20000);
        f.set("last", 20009);
        for (int i = 0; i < 10; i++) {
            assertThat(bind(f.pcb(0), A1, 0)).isEqualTo(Errno.OK);
        }
        for (int i = 0; i < 10; i++) {
            assertThat(bind(f.pcb(0), A2, 0)).isEqualTo(Errno.OK);
        }
        assertThat(bind(f.pcb(0), A2, 0)).isEqualTo(Errno.EADDRNOTAVAIL);
    }

    @Test
    void connect_beyondTheRange_sharesPortsBetweenPeersAndRunsOutPerPeer() {
        f.set("first", 20000);
        f.set("last", 20099);
        for (int peer = 0; peer < 5; peer++) {
            final Set<Integer> seen = new HashSet<>();
            for (int i = 0; i < 100; i++) {
                final Inpcb inp = f.pcb(0);
                assertThat(connect(inp, PEER + peer, 80)).isEqualTo(Errno.OK);
                assertThat(seen.add(inp.lport())).isTrue();
            }
            assertThat(connect(f.pcb(0), PEER + peer, 80)).isEqualTo(Errno.EADDRNOTAVAIL);
            assertThat(connect(f.pcb(0), PEER + peer, 81)).isEqualTo(Errno.OK);
        }
        assertThat(f.info.check()).isTrue();
    }

    @Test
    void connect_neverTakesTheListenersPort() {
        f.set("first", 20000);
        f.set("last", 20001);
        assertThat(bind(f.pcb(0, SOCK_STREAM, USER), 0, 20000)).isEqualTo(Errno.OK);
        final Inpcb one = f.pcb(0);
        assertThat(connect(one, PEER, 80)).isEqualTo(Errno.OK);
        assertThat(one.lport()).isEqualTo(20001);
        assertThat(connect(f.pcb(0), PEER, 80)).isEqualTo(Errno.EADDRNOTAVAIL);
    }

    @Test
    void bound_connectSameFourTuple_inUse() {
        final int reuse = io.gatun.spi.socket.SocketDefs.SO_REUSEPORT;
        final Inpcb a = f.pcb(reuse);
        final Inpcb b = f.pcb(reuse);
        assertThat(bind(a, A1, 5000)).isEqualTo(Errno.OK);
        assertThat(bind(b, A1, 5000)).isEqualTo(Errno.OK);
        assertThat(connect(a, PEER, 80)).isEqualTo(Errno.OK);
        assertThat(connect(b, PEER, 80)).isEqualTo(Errno.EADDRINUSE);
        assertThat(connect(b, PEER, 81)).isEqualTo(Errno.OK);
        assertThat(connect(b, PEER, 82)).isEqualTo(Errno.EISCONN);
        assertThat(f.info.check()).isTrue();
    }

    @Test
    void connect_toPortZeroOrNowhere_isRefused() {
        assertThat(connect(f.pcb(0), PEER, 0)).isEqualTo(Errno.EADDRNOTAVAIL);
        assertThat(connect(f.pcb(0), 99 << 24, 80)).isEqualTo(Errno.EHOSTUNREACH);
        final Inpcb self = f.pcb(0);
        assertThat(connect(self, 0, 80)).isEqualTo(Errno.OK);
        assertThat(self.faddr4()).isEqualTo(A1);
    }

    /** RFC 6056 section 3.3.4: successive connections to one peer step through the ports; peers start apart. */
    @Test
    void connect_repeatedly_doesNotReuseAPortUntilAllWereUsed() {
        final Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < RANGE; i++) {
            final Inpcb inp = f.pcb(0);
            assertThat(connect(inp, PEER, 80)).isEqualTo(Errno.OK);
            seen.add(inp.lport());
            free(inp);
        }
        assertThat(seen).hasSize(RANGE);
        final Set<Integer> starts = new HashSet<>();
        for (int peer = 1; peer < 100; peer++) {
            final Inpcb inp = f.pcb(0);
            assertThat(connect(inp, PEER + peer, 80)).isEqualTo(Errno.OK);
            starts.add(inp.lport());
        }
        assertThat(starts).hasSizeGreaterThan(90);
    }

    @Test
    void notRandomized_portsAscend() {
        f.set("randomized", 0);
        int last = 9999;
        for (int i = 0; i < 10; i++) {
            final Inpcb inp = f.pcb(0);
            assertThat(i % 2 == 0 ? bind(inp, 0, 0) : connect(inp, PEER, 80)).isEqualTo(Errno.OK);
            assertThat(inp.lport()).isEqualTo(++last);
        }
    }

    @Test
    void lowRange_needsPrivilege() {
        final Inpcb user = f.pcb(0, SOCK_STREAM, USER);
        final Inpcb root = f.pcb(0);
        for (final Inpcb inp : List.of(user, root)) {
            PcbFixture.flag(inp, Inpcb.INP_LOWPORT);
        }
        assertThat(bind(user, 0, 0)).isEqualTo(Errno.EACCES);
        assertThat(bind(root, 0, 0)).isEqualTo(Errno.OK);
        assertThat(root.lport()).isBetween(600, 1023);
    }

    /** The two-level bitmap against a plain search. */
    @Property(tries = 200)
    void nextFree_agreesWithAPlainSearch(
        @ForAll @IntRange(min = 1, max = 65535) final int a, @ForAll @IntRange(min = 1, max = 65535) final int b,
        @ForAll final long seed) {
        final int first = Math.min(a, b);
        final int last = Math.min(Math.max(a, b), first + 700);
        final PcbFixture fx = new PcbFixture(InDefs.IPPROTO_UDP, seed);
        final java.util.Random random = new java.util.Random(seed);
        for (int p = first; p <= last; p++) {
            if (random.nextInt(50) != 0) {
                assertThat(bind(fx.pcb(0), A1, p)).isEqualTo(Errno.OK);
            }
        }
        final int start = first + random.nextInt(last - first + 1);
        int expected = -1;
        for (int i = 0; i <= last - first && expected < 0; i++) {
            final int p = first + (start - first + i) % (last - first + 1);
            expected = fx.info.ports.inUse(p) ? -1 : p;
        }
        assertThat(fx.info.ports.nextFree(start, first, last)).isEqualTo(expected);
    }
}
