package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_FIN;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.sys.DropReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is acknowledged selectively, against a list of octets: RFC 2018 section 4, RFC 2883 section 4. */
class SackReceiveTest {
    private static final int SIZE = 1000;

    /** The receiver as the RFCs have it, octet by octet. */
    private static final class Model {
        private final boolean[] have = new boolean[SIZE + 2];
        private final List<int[]> recent = new ArrayList<>();
        int next = 1;

        /** Takes [from, to) and answers the blocks to report, at most four. */
        List<String> take(final int from, final int to) {
            int[] dup = null;
            for (int i = from; i < to; i++) {
                if (have[i] || i < next) {
                    int end = i;
                    while (end < to && (have[end] || end < next)) {
                        end++;
                    }
                    dup = new int[] {i, end};
                    break;
                }
            }
            Arrays.fill(have, from, to, true);
            while (have[next]) {
                next++;
            }
            final int[] block = around(from);
            recent.removeIf(b -> b[1] <= next || b[0] >= block[0] && b[1] <= block[1]);
            if (block[1] > next) {
                recent.add(0, block);
            }
            final List<String> out = new ArrayList<>();
            if (dup != null) {
                out.add(dup[0] + ":" + dup[1]);
            }
            recent.forEach(b -> out.add(b[0] + ":" + b[1]));
            return out.subList(0, Math.min(4, out.size()));
        }

        private int[] around(final int at) {
            int a = at;
            while (a > 1 && have[a - 1]) {
                a--;
            }
            int b = at;
            while (have[b]) {
                b++;
            }
            return new int[] {a, b};
        }
    }

    private static FakeSocket open(final TcpFixture fx, final int iss) {
        return fx.established(fx.seg(TH_SYN).seq(iss).mss(1460).sackPerm());
    }

    private static void arrive(final TcpFixture fx, final FakeSocket so, final int iss, final int from, final int to) {
        fx.seg(TH_ACK).on(so).seq(iss + from).data(pattern(from, to - from)).arrive();
    }

    private static List<String> blocks(final Out out, final int iss) {
        final List<String> l = new ArrayList<>();
        for (int i = 0; i < out.sacks.length; i += 2) {
            l.add(out.sacks[i] - iss + ":" + (out.sacks[i + 1] - iss));
        }
        return l;
    }

    /** Three islands, a segment laid over them from every edge and middle to every other, then all of it again. */
    @Test
    @Tag("RFC2018-4")
    @Tag("RFC2883-4-once")
    void islands_overlappedInEveryWay_areReportedOnceInOrder() {
        final int[] edges = {50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700};
        for (int i = 0; i < edges.length; i++) {
            for (int j = i + 1; j < edges.length; j++) {
                overlap(edges[i], edges[j]);
                overlap(edges[i], edges[j] - 25);
            }
        }
    }

    private static void overlap(final int from, final int to) {
        try (TcpFixture fx = new TcpFixture()) {
            final FakeSocket so = open(fx, PEER_ISS);
            final Model model = new Model();
            arrive(fx, so, PEER_ISS, 1, 100);
            model.take(1, 100);
            fx.none(); // delayed
            for (int at = 200; at < 700; at += 200) {
                arrive(fx, so, PEER_ISS, at, at + 100);
                assertThat(blocks(fx.only(), PEER_ISS)).isEqualTo(model.take(at, at + 100));
            }
            arrive(fx, so, PEER_ISS, from, to);
            final Out ack = fx.only();
            assertThat(blocks(ack, PEER_ISS)).as("%d:%d", from, to).isEqualTo(model.take(from, to));
            assertThat(ack.ack - PEER_ISS).isEqualTo(model.next);
            arrive(fx, so, PEER_ISS, 1, 800);
            final Out last = fx.only();
            assertThat(blocks(last, PEER_ISS)).isEqualTo(model.take(1, 800));
            assertThat(last.ack - PEER_ISS).isEqualTo(800);
            assertThat(so.rcv.peek()).isEqualTo(pattern(1, 799));
        }
    }

    @Test
    @Tag("RFC2883-4")
    void duplicate_inTheFirstBlock_isReportedTwice() {
        try (TcpFixture fx = new TcpFixture()) {
            final FakeSocket so = open(fx, PEER_ISS);
            arrive(fx, so, PEER_ISS, 200, 300);
            arrive(fx, so, PEER_ISS, 200, 300);
            fx.sent.remove();
            assertThat(blocks(fx.only(), PEER_ISS)).containsExactly("200:300", "200:300");
            arrive(fx, so, PEER_ISS, 400, 500);
            assertThat(blocks(fx.only(), PEER_ISS)).as("a duplicate is reported once")
                .containsExactly("400:500", "200:300");
        }
    }

    /** Five segments in every order: at once when out of order or filling a gap, else every second. */
    @Test
    @Tag("RFC2018-4-all")
    void fiveSegments_everyOrder_acknowledgedAsTheyMust() {
        final List<int[]> orders = new ArrayList<>();
        permute(new int[] {0, 1, 2, 3, 4}, 0, orders);
        assertThat(orders).hasSize(120);
        for (final int[] order : orders) {
            try (TcpFixture fx = new TcpFixture()) {
                order(fx, order);
            }
        }
    }

    private static void order(final TcpFixture fx, final int[] order) {
        final FakeSocket so = open(fx, PEER_ISS);
        final Model model = new Model();
        boolean delayed = false;
        for (final int k : order) {
            final int from = 1 << k;
            final boolean inOrder = from == model.next && !gap(model);
            arrive(fx, so, PEER_ISS, from, 2 * from);
            final List<String> blocks = model.take(from, 2 * from);
            if (inOrder && !delayed) {
                fx.none();
                delayed = true;
                continue;
            }
            final Out ack = fx.only();
            assertThat(ack.ack - PEER_ISS).as("%s", Arrays.toString(order)).isEqualTo(model.next);
            assertThat(blocks(ack, PEER_ISS)).as("%s", Arrays.toString(order)).isEqualTo(blocks);
            delayed = false;
        }
        if (delayed) {
            fx.pass(39);
            fx.none();
            fx.pass(2);
            assertThat(fx.only().ack - PEER_ISS).isEqualTo(32);
        }
        assertThat(so.rcv.peek()).isEqualTo(pattern(1, 31));
    }

    private static boolean gap(final Model model) {
        for (int i = model.next; i < SIZE; i++) {
            if (model.have[i]) {
                return true;
            }
        }
        return false;
    }

    private static void permute(final int[] a, final int at, final List<int[]> out) {
        if (at == a.length) {
            out.add(a.clone());
            return;
        }
        for (int i = at; i < a.length; i++) {
            swap(a, at, i);
            permute(a, at + 1, out);
            swap(a, at, i);
        }
    }

    private static void swap(final int[] a, final int i, final int j) {
        final int t = a[i];
        a[i] = a[j];
        a[j] = t;
    }

    /** Any pieces, across the wrap: each ACK says what the model says, and the stream arrives. */
    @Property(tries = 100)
    @net.jqwik.api.Tag("RFC2018-4")
    @net.jqwik.api.Tag("RFC2018-4-all")
    void anyPieces_reportWhatTheModelHolds(@ForAll long seed) {
        final Random rnd = new Random(seed);
        try (TcpFixture fx = new TcpFixture(seed)) {
            final int iss = rnd.nextBoolean() ? PEER_ISS : -1 - rnd.nextInt(SIZE);
            final FakeSocket so = open(fx, iss);
            final Model model = new Model();
            for (int i = 0; i < 60; i++) {
                final int from = 1 + rnd.nextInt(SIZE - 1);
                final int to = Math.min(SIZE, from + 1 + rnd.nextInt(120));
                final boolean odd = from != model.next || gap(model);
                arrive(fx, so, iss, from, to);
                final List<String> blocks = model.take(from, to);
                if (odd) {
                    final Out ack = fx.only();
                    assertThat(ack.ack - iss).isEqualTo(model.next);
                    assertThat(blocks(ack, iss)).isEqualTo(blocks);
                }
                fx.sent.clear();
                final Tcpcb tp = tcpcb(so);
                tp.inp.lock.lock();
                try {
                    assertThat(TcpReass.check(tp)).isTrue();
                } finally {
                    tp.inp.lock.unlock();
                }
            }
            assertThat(so.rcv.peek()).isEqualTo(pattern(1, model.next - 1));
        }
    }

    @Test
    void finOutOfOrder_isNoPartOfTheBlock() {
        try (TcpFixture fx = new TcpFixture()) {
            final FakeSocket so = open(fx, PEER_ISS);
            fx.seg(TH_ACK | TH_FIN).on(so).seq(PEER_ISS + 11).data(pattern(11, 10)).arrive();
            assertThat(blocks(fx.only(), PEER_ISS)).containsExactly("11:21");
            arrive(fx, so, PEER_ISS, 1, 11);
            final Out ack = fx.only();
            assertThat(ack.sacks).isEmpty();
            assertThat(ack.ack - PEER_ISS).isEqualTo(22);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSE_WAIT);
        }
    }

    @Test
    void mbufsRunOut_whatWaitsIsGivenUp_andComesAgain() {
        try (TcpFixture fx = new TcpFixture()) {
            final FakeSocket so = open(fx, PEER_ISS);
            arrive(fx, so, PEER_ISS, 200, 300);
            arrive(fx, so, PEER_ISS, 400, 500);
            fx.vnet.pool().refuse(1, 1);
            assertThat(fx.vnet.pool().get(Mbuf.MT_DATA)).isNull();
            fx.vnet.pool().refuse(0, 0);
            fx.vnet.poll();
            assertThat(fx.vnet.drops(DropReason.MBUF_LOWMEM)).isEqualTo(2);
            assertThat(fx.tcp.reassSegs.get()).isZero();
            fx.sent.clear();
            arrive(fx, so, PEER_ISS, 600, 700);
            assertThat(blocks(fx.only(), PEER_ISS)).as("not what was given up").containsExactly("600:700");
            arrive(fx, so, PEER_ISS, 1, 600);
            assertThat(so.rcv.peek()).isEqualTo(pattern(1, 699));
        }
    }

    @Test
    @Tag("RFC2018-3")
    void notPermitted_reportsNothing() {
        try (TcpFixture fx = new TcpFixture()) {
            final FakeSocket so = fx.established();
            arrive(fx, so, PEER_ISS, 200, 300);
            assertThat(fx.only().sacks).isEmpty();
        }
    }
}
