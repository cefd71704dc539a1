package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.sys.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The search for segments as large as the path takes. */
class TcpPlpmtudTest {
    private static final int BASE = 1200;
    private static final int WHOLE = 1460;
    private static final int HEADERS = 40;
    private static final int RTT_MS = 100;

    private final TcpFixture fx = new TcpFixture();
    /** What the peer holds out of order: start to end. */
    private final TreeMap<Integer, Integer> held = new TreeMap<>();
    private FakeSocket so;
    private Tcpcb tp;
    private int base;
    private int given;
    private int taken;

    @AfterEach
    void whole() {
        fx.close();
    }

    @SuppressWarnings("GuardedBy") // one thread
    private void open(final boolean sack) {
        fx.sysctl("tso", "0");
        final TcpFixture.In syn = fx.seg(TH_SYN).seq(PEER_ISS).mss(WHOLE).wscale(4);
        so = fx.established(sack ? syn.sackPerm() : syn);
        tp = tcpcb(so);
        tp.srttNs = RTT_MS * Tcp.NS_PER_MS;
        tp.rttvarNs = tp.srttNs / 10;
        tp.rttbestNs = tp.srttNs;
        tp.rxtcurNs = TcpRtt.clamp(tp, TcpRtt.rexmtVal(tp), 0);
        tp.sndWnd = TcpFixture.WIN << 4;
        tp.maxSndwnd = tp.sndWnd;
        tp.sndCwnd = 20 * BASE;
        so.snd.limit(4_000_000);
        base = tp.sndNxt;
        taken = base;
    }

    private void always() {
        fx.sysctl("plpmtud.enable", "2");
        open(true);
    }

    private void give(final int octets) {
        fx.send(so, pattern(given, octets));
        given += octets;
    }

    private List<Out> take() {
        final List<Out> all = new ArrayList<>(fx.sent);
        fx.sent.clear();
        return all;
    }

    private List<Integer> sizes(final List<Out> out) {
        return out.stream().map(o -> o.len).toList();
    }

    /** The peer gets a segment, and acknowledges, selectively where it must. */
    private void arrives(final Out o) {
        fx.clock.advanceTo(fx.clock.nanoTime() + 1000);
        if (o.seq == taken) {
            taken += o.len;
            while (!held.isEmpty() && held.firstKey() - taken <= 0) {
                taken = Math.max(taken, held.pollFirstEntry().getValue());
            }
        } else if (o.seq - taken > 0) {
            final Map.Entry<Integer, Integer> before = held.floorEntry(o.seq);
            final boolean joins = before != null && before.getValue() - o.seq >= 0;
            held.merge(joins ? before.getKey() : o.seq, o.seq + o.len, Math::max);
        }
        assertThat(o.data).isEqualTo(pattern(o.seq - base, o.len));
        final int[] blocks = new int[2 * Math.min(held.size(), 3)];
        int n = 0;
        for (final Map.Entry<Integer, Integer> e : held.entrySet()) {
            if (n < blocks.length) {
                blocks[n++] = e.getKey();
                blocks[n++] = e.getValue();
            }
        }
        fx.seg(TH_ACK).on(so).ack(taken).sack(blocks).arrive();
    }

    /** One round trip over a path with such an MTU; what was sent in it. */
    private List<Out> round(final int mtu) {
        fx.pass(RTT_MS);
        final List<Out> out = take();
        for (final Out o : out) {
            if (o.len + HEADERS <= mtu) {
                arrives(o);
            }
        }
        return out;
    }

    /** Over such a path, with enough to send, until the search is over; all that was sent. */
    private List<Out> search(final int mtu) {
        return drive(mtu, () -> tp.plpmtud != null && tp.plpmtud.done);
    }

    /** The same, until so many octets have arrived. */
    private List<Out> transfer(final int mtu, final int octets) {
        final int end = taken + octets;
        return drive(mtu, () -> taken - end >= 0);
    }

    private List<Out> drive(final int mtu, final BooleanSupplier end) {
        final List<Out> all = new ArrayList<>();
        for (int i = 0; !end.getAsBoolean(); i++) {
            assertThat(i).as("rounds").isLessThan(2000);
            if (given - (taken - base) < 1_000_000) {
                give(500_000);
            }
            tp.sndCwnd = Math.min(tp.sndCwnd, 20 * BASE); // so that it takes a while
            all.addAll(round(mtu));
        }
        return all;
    }

    @Nested
    class Found {
        @Test
        @Tag("RFC4821-7.2")
        @Tag("RFC4821-7.6.1")
        void always_beginsSmall_andIsAsLargeAsItMayOnceAProbeArrived() {
            always();
            assertThat(tp.maxseg).isEqualTo(BASE);
            give(100_000);
            final List<Out> first = take();
            assertThat(sizes(first)).as("all that peer and link take, at once").hasSize(19).startsWith(WHOLE, BASE);
            assertThat(sizes(first.subList(1, 19))).as("one at a time").containsOnly(BASE);
            assertThat(first).allMatch(o -> o.df);
            assertThat(tp.maxseg).isEqualTo(BASE);
            arrives(first.getFirst());
            assertThat(tp.maxseg).isEqualTo(WHOLE);
            assertThat(fx.stat("plpmtud_raised")).isEqualTo(1);
            assertThat(take().getFirst().len).isEqualTo(WHOLE);
        }

        @Test
        @Tag("RFC4821-7.4")
        void probe_waitsUntilTheWindowHasRoom() {
            always();
            tp.sndSsthresh = tp.sndCwnd; // so that it hardly grows
            tp.plpmtud.nextNs = fx.clock.nanoTime() + 1;
            give(100_000);
            final List<Out> first = take();
            assertThat(sizes(first)).containsOnly(BASE).hasSize(20);
            fx.pass(1);
            arrives(first.getFirst());
            fx.none();
            arrives(first.get(1));
            assertThat(sizes(take())).containsExactly(WHOLE);
        }

        /** All that is left would go as one super-segment, and the FIN with it. */
        @Test
        @SuppressWarnings("GuardedBy") // one thread
        void probe_ofTheLastText_takesNoFinAlong() {
            always();
            tp.flags |= Tcpcb.TF_TSO;
            final int window = tp.sndCwnd;
            tp.sndCwnd = 0;
            give(12_000);
            fx.shutdown(so, false);
            fx.none();
            tp.sndCwnd = window;
            tp.rxtshift = 0; // of the wait for a window
            TcpOutput.output(tp);
            final List<Out> out = take();
            assertThat(fx.stat("plpmtud_probes")).isEqualTo(1);
            for (final Out o : out) {
                assertThat(o.has(TcpHeader.TH_FIN)).isEqualTo(o.seq + o.len == base + 12_000);
            }
        }

        @Test
        @Tag("RFC4821-7.4")
        void tooLittleData_isNotProbed() {
            always();
            give(WHOLE + 4 * BASE - 1);
            assertThat(sizes(take())).hasSize(6).allMatch(n -> n <= BASE);
            assertThat(fx.stat("plpmtud_probes")).isZero();
            give(1 + WHOLE + 4 * BASE);
            assertThat(fx.stat("plpmtud_probes")).isEqualTo(1);
        }

        @Test
        void smallWindow_isNotProbed() {
            always();
            tp.sndCwnd = 10 * BASE;
            tp.sndSsthresh = 10 * BASE;
            give(100_000);
            final List<Out> first = take();
            arrives(first.getFirst());
            assertThat(sizes(take())).containsOnly(BASE);
            assertThat(fx.stat("plpmtud_probes")).isZero();
        }

        @Test
        void withoutSack_or_switchedOff_isNotProbed() {
            fx.sysctl("plpmtud.enable", "2");
            open(false);
            assertThat(tp.maxseg).isEqualTo(WHOLE);
            assertThat(tp.plpmtud).isNull();
        }

        @Test
        @Tag("RFC4821-7.3")
        void path_betweenTheTwo_isFoundByHalves() {
            always();
            final List<Out> out = search(1400);
            assertThat(tp.maxseg).isBetween(1400 - HEADERS - 8, 1400 - HEADERS);
            assertThat(fx.stat("rexmttimeo")).isZero();
            assertThat(fx.stat("fastrexmit")).as("a lost probe is no congestion").isZero();
            assertThat(fx.stat("sndrexmitbyte")).as("no more than the probes goes again")
                .isEqualTo(out.stream().filter(o -> o.len + HEADERS > 1400).mapToInt(o -> o.len).sum());
        }

        @Test
        @Tag("RFC8899-5.1.1")
        void found_isSearchedAnewAfterTenMinutes() {
            always();
            search(1400);
            final long probes = fx.stat("plpmtud_probes");
            transfer(1500, 1_000_000);
            assertThat(fx.stat("plpmtud_probes")).isEqualTo(probes);
            transfer(1500, 1_000_000);
            while (taken != tp.sndMax) {
                round(1500);
            }
            fx.pass(600_000);
            tp.sndCwnd = 20 * BASE;
            transfer(1500, 1_000_000);
            assertThat(tp.maxseg).isEqualTo(WHOLE);
        }
    }

    @Nested
    class Lost {
        @Test
        @Tag("RFC4821-7.6.2")
        void probeAlone_goesAgainInSegmentsOfTheOldSize_windowUntouched() {
            always();
            give(400_000);
            final List<Out> out = take();
            final Out probe = out.getFirst();
            final int cwnd = tp.sndCwnd;
            out.subList(1, 6).forEach(TcpPlpmtudTest.this::arrives);
            fx.pass(RTT_MS / 2);
            final List<Out> again = take().stream().filter(o -> o.seq - probe.seq >= 0
                && o.seq - probe.seq < probe.len).toList();
            assertThat(sizes(again)).containsExactly(BASE, probe.len - BASE);
            assertThat(tp.sndCwnd).isGreaterThanOrEqualTo(cwnd);
            assertThat(tp.inRecovery()).isFalse();
            assertThat(fx.stat("plpmtud_lost")).isEqualTo(1);
        }

        @Test
        @Tag("RFC8899-5.1.2")
        void threeTimes_thatSizeIsTooLarge() {
            always();
            final List<Integer> tried = search(BASE + HEADERS).stream().filter(o -> o.len > BASE)
                .map(o -> o.len).toList();
            assertThat(tried.subList(0, 6)).containsExactly(WHOLE, WHOLE, WHOLE, 1330, 1330, 1330);
        }

        @Test
        @Tag("RFC4821-7.6.2")
        void afterALoss_theNextProbeWaitsForManyRoundTrips() {
            always();
            long last = Long.MIN_VALUE / 2;
            for (int i = 0; i < 200; i++) {
                if (given - (taken - base) < 1_000_000) {
                    give(500_000);
                }
                tp.sndCwnd = Math.min(tp.sndCwnd, 20 * BASE);
                final long before = fx.stat("plpmtud_probes");
                round(BASE + HEADERS);
                if (fx.stat("plpmtud_probes") > before) {
                    final long now = fx.clock.nanoTime();
                    assertThat(now - last).isGreaterThanOrEqualTo(5 * tp.srttNs);
                    last = now;
                }
            }
            assertThat(fx.stat("plpmtud_probes")).isGreaterThan(4);
        }

        @Test
        @Tag("RFC4821-7.6.4")
        void withOthers_isCongestion_andSaysNothingOfTheSize() {
            always();
            give(400_000);
            final List<Out> out = take();
            assertThat(out.getFirst().len).isEqualTo(WHOLE);
            out.subList(2, 8).forEach(TcpPlpmtudTest.this::arrives);
            fx.pass(RTT_MS / 2);
            assertThat(tp.inFastRecovery()).isTrue();
            assertThat(fx.stat("plpmtud_lost")).isZero();
            assertThat(tp.plpmtud.tries).isZero();
            assertThat(tp.has2(Tcpcb.TF2_PLPMTU_PROBE)).isFalse();
        }

        @Test
        @Tag("RFC4821-7.6.4")
        void timeout_saysNothing() {
            always();
            give(100_000);
            assertThat(sizes(take())).contains(WHOLE);
            fx.pass(3000);
            assertThat(fx.stat("rexmttimeo")).isPositive();
            assertThat(tp.has2(Tcpcb.TF2_PLPMTU_PROBE)).isFalse();
            assertThat(fx.stat("plpmtud_lost")).isZero();
        }
    }

    @Nested
    class Lowered {
        @Test
        @Tag("RFC4821-7.7")
        void blackHole_isLeftFromBelow() {
            fx.sysctl("pmtud_blackhole_detection", "1");
            open(true);
            search(1400);
            assertThat(fx.stat("pmtud_blackhole_activated")).isEqualTo(1);
            assertThat(tp.maxseg).isBetween(1400 - HEADERS - 8, 1400 - HEADERS);
            give(10_000);
            assertThat(tp.has2(Tcpcb.TF2_PLPMTU_BLACKHOLE)).isFalse();
            transfer(1400, 200_000).forEach(o -> assertThat(o.df).isTrue());
        }

        @Test
        void needFrag_isBelievedForTenMinutes() {
            open(true);
            give(100_000);
            final List<Out> out = take();
            IcmpMaker.unreachable(fx, out.getFirst(), 4, 1300);
            assertThat(tp.maxseg).isEqualTo(1300 - HEADERS);
            transfer(1300, 2_000_000);
            assertThat(fx.stat("plpmtud_probes")).isZero();
            while (taken != tp.sndMax) {
                round(1300);
            }
            fx.pass(600_000);
            tp.sndCwnd = 20 * BASE;
            transfer(1500, 2_000_000);
            assertThat(tp.maxseg).isEqualTo(WHOLE);
            assertThat(fx.learntMtu).as("for those that come after").isEqualTo(1500);
        }

        @Test
        void pathKnownBefore_isBelievedForTenMinutes() {
            fx.learntMtu = 1300;
            open(true);
            assertThat(tp.maxseg).isEqualTo(1300 - HEADERS);
            assertThat(tp.plpmtud.most).isEqualTo(WHOLE);
            assertThat(tp.plpmtud.nextNs - fx.clock.nanoTime()).isEqualTo(600 * Tcp.NS_PER_S);
        }

        @Test
        void needFrag_ofAProbe_endsTheSearchThere() {
            always();
            give(400_000);
            final List<Out> out = take();
            assertThat(out.getFirst().len).isEqualTo(WHOLE);
            IcmpMaker.unreachable(fx, out.getFirst(), 4, 1400);
            assertThat(tp.maxseg).as("as small as before").isEqualTo(BASE);
            out.stream().filter(o -> o.len == BASE).forEach(TcpPlpmtudTest.this::arrives);
            search(1400);
            assertThat(tp.maxseg).isEqualTo(1400 - HEADERS);
            assertThat(fx.stat("plpmtud_lost")).as("one was enough").isEqualTo(1);
        }

        @Test
        void linkShrinks_probeIsRefused_andDataGoesOn() {
            always();
            fx.largest = 1400; // and nobody has said so
            give(400_000);
            assertThat(sizes(take())).as("the probe is not sent, and then the next smaller").containsOnly(BASE, 1330);
            assertThat(so.error).isEqualTo(Errno.OK);
            search(1400);
            assertThat(tp.maxseg).isBetween(1400 - HEADERS - 8, 1400 - HEADERS);
        }
    }
}
