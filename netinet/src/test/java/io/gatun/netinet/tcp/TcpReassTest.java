package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_FIN;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Reassembly against a model: an array of octets and a bit for each that was accepted. */
class TcpReassTest {
    private static final int SIZE = 3000;

    /** Any pieces of a stream, in any order, overlapping, across the wrap: what is delivered is the stream. */
    @Property(tries = 150)
    void anyPieces_giveTheStream(@ForAll long seed) {
        final Random rnd = new Random(seed);
        try (TcpFixture fx = new TcpFixture(seed)) {
            fx.tcp.predict = rnd.nextBoolean();
            final int iss = rnd.nextBoolean() ? PEER_ISS : -1 - rnd.nextInt(SIZE);
            final FakeSocket so = fx.established(fx.seg(TH_SYN).seq(iss).mss(1460));
            final byte[] stream = pattern(0, SIZE);
            final boolean[] sent = new boolean[SIZE];
            boolean finSent = false;
            for (int i = 0; i < 120; i++) {
                final int off = rnd.nextInt(SIZE);
                final int n = Math.min(1 + rnd.nextInt(200), SIZE - off);
                final boolean fin = off + n == SIZE && rnd.nextInt(4) == 0;
                finSent |= fin;
                fx.seg(fin ? TH_ACK | TH_FIN : TH_ACK).on(so).seq(iss + 1 + off)
                    .data(Arrays.copyOfRange(stream, off, off + n)).arrive();
                Arrays.fill(sent, off, off + n, true);
                checkPrefix(fx, so, stream, sent, iss);
                fx.sent.clear();
            }
            final int done = tcpcb(so).rcvNxt - iss - 1;
            for (int off = 0; off < SIZE; off += 100) {
                fx.seg(TH_ACK).on(so).seq(iss + 1 + off).data(Arrays.copyOfRange(stream, off, off + 100)).arrive();
            }
            fx.seg(TH_ACK | TH_FIN).on(so).seq(iss + 1 + SIZE).arrive();
            assertThat(done).isLessThanOrEqualTo(SIZE + 1);
            assertThat(so.rcv.peek()).isEqualTo(stream);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSE_WAIT);
            assertThat(tcpcb(so).act().segq).isNull();
            assertThat(finSent || tcpcb(so).rcvNxt == iss + 2 + SIZE).isTrue();
            fx.sent.clear();
        }
    }

    private static void checkPrefix(TcpFixture fx, FakeSocket so, byte[] stream, boolean[] sent, int iss) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            assertThat(TcpReass.check(tp)).isTrue();
        } finally {
            tp.inp.lock.unlock();
        }
        int whole = 0;
        while (whole < SIZE && sent[whole]) {
            whole++;
        }
        final byte[] got = so.rcv.peek();
        assertThat(got.length).as("delivered").isLessThanOrEqualTo(whole);
        assertThat(got).isEqualTo(Arrays.copyOf(stream, got.length));
        if (fx.stat("rcvreassfull") == 0) {
            assertThat(got.length).as("nothing that is in order waits").isEqualTo(whole);
        }
        assertThat(tp.rcvNxt - iss - 1 - got.length).isBetween(0, 1);
    }

    /** A peer that sends single octets out of order holds no more memory than the buffer's limit. */
    @Property(tries = 20)
    void singleOctets_memoryIsBounded(@ForAll long seed) {
        final Random rnd = new Random(seed);
        try (TcpFixture fx = new TcpFixture(seed)) {
            final FakeSocket so = fx.established();
            so.rcv.limit(4000);
            for (int i = 0; i < 500; i++) {
                final int off = 1 + 2 * rnd.nextInt(1500);
                fx.seg(TH_ACK).on(so).seq(PEER_ISS + 1 + off).data(pattern(off, 1)).arrive();
                assertThat(tcpcb(so).act().segqCnt).isLessThanOrEqualTo(100);
                assertThat(tcpcb(so).act().segqStorage).isLessThanOrEqualTo(2 * so.rcv.mbmax());
            }
            fx.sent.clear();
        }
    }

    /** Many peers with a gap each may not take the pool: what they hold in all is bounded, and given back. */
    @Example
    void manyConnectionsWithGaps_boundedInAll() {
        try (TcpFixture fx = new TcpFixture()) {
            fx.sysctl("reass.maxsegments", "100");
            final FakeSocket listener = fx.listener();
            for (int port = 2000; port < 2004; port++) {
                fx.seg(TH_SYN).from(TcpFixture.PEER, port).seq(PEER_ISS).mss(1460).arrive();
                fx.seg(TH_ACK).from(TcpFixture.PEER, port).ack(fx.only().seq + 1).arrive();
            }
            for (int i = 0; i < 40; i++) {
                for (final FakeSocket so : listener.comp) {
                    fx.seg(TH_ACK).on(so).from(TcpFixture.PEER, tcpcb(so).inp.fport()).seq(PEER_ISS + 2 + 2 * i).data(1)
                        .arrive();
                    assertThat(fx.tcp.reassSegs.get()).isLessThanOrEqualTo(100);
                }
            }
            assertThat(fx.tcp.reassSegs.get()).isEqualTo(100);
            assertThat(fx.stat("rcvreassfull")).isEqualTo(60);
            final FakeSocket first = listener.comp.getFirst();
            final int port = tcpcb(first).inp.fport();
            fx.seg(TH_ACK).on(first).from(TcpFixture.PEER, port).seq(PEER_ISS + 1).data(40).arrive();
            assertThat(fx.tcp.reassSegs.get()).as("the gap is filled all the same").isLessThan(100);
            TcpSubr.drainAll(fx.tcp);
            assertThat(fx.tcp.reassSegs.get()).isZero();
            fx.sent.clear();
        }
    }
}
