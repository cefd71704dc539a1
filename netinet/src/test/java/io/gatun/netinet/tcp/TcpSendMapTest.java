package io.gatun.netinet.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VirtualClock;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** The send map against an array with an element for each octet. */
class TcpSendMapTest {
    private static final int MSS = 100;
    private static final long RTT = 1000;

    /** The maps of a vnet of their own. */
    private static final class Maps implements AutoCloseable {
        private final Vnet vnet = Vnet.builder().name("t").clock(new VirtualClock()).seed(1).threads(false)
            .services(false).build();
        private final TcpSendMaps all =
            new TcpSendMaps(new TcpSysctl(vnet.sysctl(),
                new CcTable(vnet.sysctl(), CcTable.class.getClassLoader()), 64), false);

        @Override
        public void close() {
            assertThat(all.globalholes()).as("holes left behind").isZero();
            vnet.close();
        }
    }

    /** What happens to a map, octet by octet, as slowly and plainly as can be. */
    private static final class Model {
        private final int isn;
        private int una;
        private int nxt;
        private final char[] octets = new char[1 << 16]; // . in flight, A received, L lost, R sent again

        Model(final int isn) {
            this.isn = isn;
        }

        void fill(final int from, final int to, final String what, final char with) {
            for (int i = from; i < to; i++) {
                octets[i] = what.indexOf(octets[i]) >= 0 ? with : octets[i];
            }
        }

        int count(final char c) {
            int n = 0;
            for (int i = una; i < nxt; i++) {
                n += octets[i] == c ? 1 : 0;
            }
            return n;
        }

        String describe() {
            return new String(octets, una, nxt - una);
        }

        int seq(final int at) {
            return isn + at;
        }

        boolean anyLost() {
            return count('L') > 0;
        }
    }

    /** Random sends, acknowledgments, blocks, losses and retransmissions, over the top of the sequence space too. */
    @Property(tries = 100)
    @net.jqwik.api.Tag("RFC6675-2")
    @net.jqwik.api.Tag("RFC6675-4-pipe")
    @net.jqwik.api.Tag("RFC8985-5.2")
    void anything_sameAsTheModel(@ForAll final long seed) {
        final SplittableRandom r = new SplittableRandom(seed);
        final Model m = new Model(r.nextBoolean() ? -r.nextInt(20_000) : r.nextInt());
        long now = 1;
        try (Maps maps = new Maps()) {
            final TcpSendMap map = maps.all.claim();
            for (int i = 0; i < 200; i++) {
                now += r.nextInt(50);
                if (m.una == m.nxt || r.nextInt(4) == 0) {
                    send(r, map, m, now);
                } else {
                    step(r, map, m, now);
                }
                same(map, m, "seed " + seed + " step " + i);
            }
            maps.all.release(map);
        }
    }

    private static void same(final TcpSendMap map, final Model m, final String where) {
        assertThat(map.check()).isTrue();
        assertThat(map.describe()).as(where).isEqualTo(m.describe());
        assertThat(map.sacked()).as(where).isEqualTo(m.count('A'));
        assertThat(map.lost()).as(where).isEqualTo(m.count('L'));
        assertThat(map.pipe()).as(where).isEqualTo(m.count('.') + m.count('R'));
        assertThat(map.start()).as(where).isEqualTo(m.seq(m.una));
        assertThat(map.end()).as(where).isEqualTo(m.seq(m.nxt));
        if (m.anyLost()) {
            assertThat(map.nextLost() - m.isn).as(where).isEqualTo(m.describe().indexOf('L') + m.una);
        }
    }

    private static void send(final SplittableRandom r, final TcpSendMap map, final Model m, final long now) {
        final int n = Math.min(1 + r.nextInt(5 * MSS), m.octets.length - m.nxt);
        if (n > 0) {
            map.sent(m.seq(m.nxt), m.seq(m.nxt + n), now);
            for (int i = 0; i < n; i++) {
                m.octets[m.nxt + i] = '.';
            }
            m.nxt += n;
        }
    }

    private static void step(final SplittableRandom r, final TcpSendMap map, final Model m, final long now) {
        final int from = m.una + r.nextInt(m.nxt - m.una);
        final int to = from + 1 + r.nextInt(m.nxt - from);
        map.begin(now, RTT, false, 0);
        switch (r.nextInt(9)) {
            case 0, 1 -> {
                final int acked = r.nextInt(4) == 0 ? m.nxt : from;
                final int fresh = acked - m.una - m.describe().substring(0, acked - m.una).replace("A", "").length();
                map.ack(m.seq(acked));
                assertThat(map.delivered()).isEqualTo(acked - m.una - fresh);
                m.una = acked;
            }
            case 2, 3, 4 -> {
                final int before = m.count('A');
                assertThat(map.sack(m.seq(from), m.seq(to), true)).isTrue();
                m.fill(from, to, ".LR", 'A');
                assertThat(map.delivered()).isEqualTo(m.count('A') - before);
            }
            case 5 -> {
                map.loseAll();
                m.fill(m.una, m.nxt, ".R", 'L');
            }
            case 6 -> {
                if (m.anyLost()) {
                    final int at = map.nextLost() - m.isn;
                    final int n = Math.min(map.nextLostLen(), MSS);
                    map.sentAgain(m.seq(at), m.seq(at + n), now);
                    m.fill(at, at + n, "L", 'R');
                }
            }
            case 7 -> {
                final int before = map.lost();
                final boolean lose = m.octets[m.una] == '.' || m.octets[m.una] == 'R';
                map.loseFirst(MSS);
                assertThat(map.lost() - before).isBetween(lose ? 1 : 0, lose ? MSS : 0);
                m.fill(m.una, m.una + map.lost() - before, ".R", 'L');
            }
            default -> {
                if (r.nextInt(5) == 0) {
                    map.renege();
                    m.fill(m.una, m.nxt, ".RA", 'L');
                }
            }
        }
    }

    /** A bulk transfer with a loss now and then never runs out of records to cut. */
    @Test
    void losses_forEver_leaveRoomForTheNext() {
        try (Maps maps = new Maps()) {
            final TcpSendMap map = maps.all.claim();
            int una = 0;
            int nxt = 0;
            for (int round = 0; round < 10_000; round++) {
                while (nxt - una < 40 * MSS) {
                    map.sent(nxt, nxt + 4 * MSS, round);
                    nxt += 4 * MSS;
                }
                map.begin(round, RTT, false, 0);
                for (int to = una + 3 * MSS; to <= nxt; to += MSS) {
                    assertThat(maps.all.mayCut(map)).as("round %d", round).isTrue();
                    assertThat(map.sack(una + 2 * MSS, to, true)).isTrue();
                }
                assertThat(map.cuts()).as("one hole, whatever lies behind it").isLessThanOrEqualTo(2);
                una = nxt - 2 * MSS;
                map.ack(una);
            }
            maps.all.release(map);
        }
    }

    /** The limit is one of holes, and a block that would make one more is not noted. */
    @Test
    void holes_beyondTheLimit_areNotNoted() {
        try (Maps maps = new Maps()) {
            final TcpSendMap map = maps.all.claim();
            map.sent(0, 1000 * MSS, 1);
            map.begin(1, RTT, false, 0);
            int noted = 0;
            for (int i = 1; i < 1000; i += 2) {
                noted += map.sack(i * MSS, (i + 1) * MSS, maps.all.mayCut(map)) ? 1 : 0;
            }
            assertThat(noted).isEqualTo(128);
            assertThat(maps.all.globalholes()).isEqualTo(128);
            assertThat(map.describe()).startsWith((".".repeat(MSS) + "A".repeat(MSS)).repeat(128) + ".");
            map.ack(100 * MSS);
            assertThat(maps.all.mayCut(map)).as("there is room again").isTrue();
            maps.all.release(map);
        }
    }

    @Test
    void claim_beyondTheLimit_isNull() {
        try (Maps maps = new Maps()) {
            assertThat(maps.vnet.sysctl().set("net.inet.tcp.map_limit", "20")).isEqualTo(Errno.OK);
            final TcpSendMap map = maps.all.claim();
            assertThat(maps.all.claim()).isNull();
            maps.all.release(map);
            assertThat(maps.all.claim()).isSameAs(map);
        }
    }

    @Test
    void manyClaimed_thenFew_theRestIsLetGo() {
        try (Maps maps = new Maps()) {
            final List<TcpSendMap> spike = new ArrayList<>();
            for (int i = 0; i < 5000; i++) {
                spike.add(maps.all.claim());
            }
            assertThat(maps.all.records()).isEqualTo(5000 * TcpSendMap.FEWEST);
            spike.forEach(maps.all::release);
            for (int i = 0; i < TcpSendMaps.PERIOD; i++) {
                final List<TcpSendMap> few = List.of(maps.all.claim(), maps.all.claim(), maps.all.claim());
                few.forEach(maps.all::release);
            }
            assertThat(maps.all.records()).isLessThanOrEqualTo(8 * TcpSendMap.FEWEST);
            final TcpSendMap map = maps.all.claim();
            assertThat(map.isEmpty()).isTrue();
            maps.all.release(map);
        }
    }
}
