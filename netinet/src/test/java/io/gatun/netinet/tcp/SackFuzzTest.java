package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * A peer that acknowledges selectively whatever comes to its mind: blocks outside of what is in flight, empty ones,
 * inverted ones, ones that overlap, duplicates, and blocks taken back. The scoreboard stays consistent (which it
 * recounts at every acknowledgment), and once the peer behaves everything is sent, each octet as it was written.
 */
class SackFuzzTest {
    private static final int OCTETS = 60_000;
    /** Tenths of a second: some of the longest timeouts that may be left behind. */
    private static final int PATIENCE = 6000;

    @Property(tries = 200)
    @net.jqwik.api.Tag("RFC2018-8-keep")
    @net.jqwik.api.Tag("RFC6675-4-update")
    void anyBlocks_thenPeace_everythingIsSent(@ForAll long seed) {
        final Random rnd = new Random(seed);
        try (TcpFixture fx = new TcpFixture(seed)) {
            fx.sysctl("tso", rnd.nextBoolean() ? "1" : "0");
            fx.sysctl("rack.enable", rnd.nextInt(4) == 0 ? "0" : "1");
            fx.sysctl("sack.maxholes", rnd.nextInt(4) == 0 ? "2" : "128");
            final boolean ts = rnd.nextBoolean();
            final TcpFixture.In syn = fx.seg(TH_SYN).seq(PEER_ISS).mss(1000).wscale(5).sackPerm();
            final FakeSocket so = fx.established(ts ? syn.ts(100, 0) : syn);
            final Tcpcb tp = tcpcb(so);
            so.snd.limit(200_000);
            int written = 0;
            for (int i = 0; i < 150; i++) {
                if (rnd.nextInt(8) == 0 && written < OCTETS) {
                    final int n = 1 + rnd.nextInt(Math.min(OCTETS - written, 9000));
                    fx.send(so, pattern(written, n));
                    written += n;
                } else if (rnd.nextInt(6) == 0) {
                    fx.pass(rnd.nextInt(rnd.nextInt(4) == 0 ? 3000 : 50));
                } else {
                    ack(fx, so, rnd, ts ? 200 + i : 0);
                }
                fx.sent.clear();
            }
            peace(fx, so, written, ts);
            assertThat(so.snd.avail()).as("unsent, seed %d", seed).isZero();
            assertThat(tp.map).as("nothing is in flight").isNull();
            assertThat(fx.tcp.sendMaps.globalholes()).isZero();
        }
    }

    private static void ack(TcpFixture fx, FakeSocket so, Random rnd, int ts) {
        final Tcpcb tp = tcpcb(so);
        final int inFlight = tp.sndMax - tp.sndUna;
        final TcpFixture.In in = fx.seg(TH_ACK).on(so).win(1000);
        in.ack(tp.sndUna + (rnd.nextInt(3) == 0 ? rnd.nextInt(inFlight + 1) : 0));
        final int[] edges = new int[2 * (1 + rnd.nextInt(ts != 0 ? 3 : 4))];
        for (int i = 0; i < edges.length; i += 2) {
            edges[i] = tp.sndUna + edge(rnd, inFlight);
            edges[i + 1] = rnd.nextInt(3) == 0 ? tp.sndUna + edge(rnd, inFlight) : edges[i] + 1 + rnd.nextInt(3000);
        }
        if (rnd.nextInt(4) != 0) {
            in.sack(edges);
        }
        if (ts != 0) {
            in.ts(ts, tp.tsNow() - rnd.nextInt(rnd.nextInt(4) == 0 ? 2000 : 200));
        }
        in.arrive();
    }

    private static int edge(Random rnd, int inFlight) {
        return switch (rnd.nextInt(6)) {
            case 0 -> rnd.nextInt();
            case 1 -> -rnd.nextInt(5000);
            case 2 -> inFlight - rnd.nextInt(100);
            default -> rnd.nextInt(inFlight + 1);
        };
    }

    /** The peer takes what comes in order, with nothing to say of the rest, and compares it. */
    private static void peace(TcpFixture fx, FakeSocket so, int written, boolean ts) {
        final Tcpcb tp = tcpcb(so);
        final byte[] all = pattern(0, written);
        for (int i = 0; i < PATIENCE && so.snd.avail() > 0; i++) {
            fx.pass(100);
            int top = tp.sndUna;
            for (final Out o : fx.sent) {
                for (int k = 0; k < o.len; k++) {
                    assertThat(o.data[k]).as("octet %d", o.seq - tp.iss - 1 + k).isEqualTo(all[o.seq - tp.iss - 1 + k]);
                }
                top = o.seq - top <= 0 && o.seq + o.len - top > 0 ? o.seq + o.len : top;
            }
            if (!fx.sent.isEmpty()) {
                fx.sent.clear();
                final TcpFixture.In in = fx.seg(TH_ACK).on(so).win(30_000).ack(top);
                (ts ? in.ts(400 + i, tp.tsNow() - 50) : in).arrive();
            }
        }
        fx.sent.clear();
    }
}
