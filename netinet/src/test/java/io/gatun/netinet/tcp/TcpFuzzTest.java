package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.ip.IpHeader;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;

/** Whatever comes, nothing is thrown and nothing is lost: the fixture's end checks pool and callouts. */
class TcpFuzzTest {
    /** Tenths of a second: more than the longest timeout that a quarrel may leave behind, some times over. */
    private static final int PATIENCE = 6000;

    /** Random octets behind a good IP header, good checksum claimed. */
    @Property(tries = 40)
    void randomOctets_areDropped(@ForAll long seed) {
        final Random rnd = new Random(seed);
        try (TcpFixture fx = new TcpFixture(seed)) {
            final FakeSocket so = fx.established();
            for (int i = 0; i < 200; i++) {
                final byte[] p = new byte[20 + rnd.nextInt(100)];
                rnd.nextBytes(p);
                p[0] = 0x45;
                TcpFixture.put32(p, 12, TcpFixture.PEER);
                TcpFixture.put32(p, 16, TcpFixture.HERE);
                if (p.length >= 24 && rnd.nextBoolean()) {
                    TcpFixture.put32(p, 20, TcpFixture.PPORT << 16 | TcpFixture.LPORT);
                }
                if (p.length >= 32 && rnd.nextBoolean()) {
                    TcpFixture.put32(p, 24, tcpcb(so) == null ? 0 : tcpcb(so).rcvNxt + rnd.nextInt(100) - 50);
                }
                input(fx, p, rnd);
            }
            fx.sent.clear();
        }
    }

    private static void input(TcpFixture fx, byte[] p, Random rnd) {
        Mbuf m = fx.packet(p);
        if (rnd.nextInt(4) == 0 && p.length > 30) {
            // In two mbufs, so that headers have to be pulled up.
            final Mbuf rest = m.split(20 + rnd.nextInt(p.length - 20));
            if (rest != null) {
                m.catPkt(rest);
            }
        }
        m.csumFlags(Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR);
        fx.tcp.input.input(m, IpHeader.LEN, InDefs.IPPROTO_TCP);
        fx.vnet.poll();
    }

    /** Well-formed segments with random numbers near the windows, in every state, with time passing. */
    @Property(tries = 150)
    @Tag("RFC9293-MUST-6")
    @Tag("RFC9293-MUST-7")
    @Tag("RFC9293-MUST-64")
    void randomSegments_keepTheConnectionSane(@ForAll long seed) {
        final Random rnd = new Random(seed);
        try (TcpFixture fx = new TcpFixture(seed)) {
            congestion(fx, rnd);
            FakeSocket so = rnd.nextBoolean() ? fx.connect() : fx.established(syn(fx, rnd));
            for (int i = 0; i < 200; i++) {
                step(fx, so, rnd);
                if (rnd.nextInt(50) == 0) {
                    so = fx.sockets.get(rnd.nextInt(fx.sockets.size()));
                }
                check(so);
                fx.sent.clear();
            }
        }
    }

    /** Any kind of ECN and of congestion control. */
    private static void congestion(TcpFixture fx, Random rnd) {
        fx.sysctl("ecn.enable", "" + rnd.nextInt(5));
        fx.sysctl("cc.algorithm", List.of("cubic", "dctcp", "newreno").get(rnd.nextInt(3)));
        fx.sysctl("cc.abe", "" + rnd.nextInt(2));
    }

    /** Asks for any kind of ECN, sensibly or not. */
    private static TcpFixture.In syn(TcpFixture fx, Random rnd) {
        return fx.seg(TH_SYN | TcpEcn.flags(rnd.nextInt(8))).seq(PEER_ISS).mss(1000).tos(rnd.nextInt(4));
    }

    private static void step(TcpFixture fx, FakeSocket so, Random rnd) {
        final Tcpcb tp = tcpcb(so);
        switch (rnd.nextInt(12)) {
            case 0 -> {
                if (tp.state.canSend()) {
                    fx.send(so, pattern(0, 1 + rnd.nextInt(5000)));
                }
            }
            case 1 -> fx.pass(rnd.nextInt(3000));
            case 2 -> fx.read(so, rnd.nextInt(3000));
            case 3 -> {
                if (rnd.nextInt(10) == 0 && tp.state.haveEstablished()) {
                    fx.shutdown(so, rnd.nextBoolean() && !so.is(io.gatun.spi.socket.SocketDefs.SS_ISDISCONNECTING));
                }
            }
            default -> {
                final int usual = TH_ACK | TcpEcn.flags(rnd.nextInt(8));
                final TcpFixture.In in = fx.seg(rnd.nextInt(3) == 0 ? rnd.nextInt(512) : usual).on(so)
                    .tos(rnd.nextInt(256));
                in.seq(tp.rcvNxt + near(rnd, 3000)).ack(tp.sndMax + near(rnd, 3000)).win(rnd.nextInt(4) * 1000);
                in.urp(rnd.nextInt(200));
                if (rnd.nextBoolean()) {
                    in.data(rnd.nextInt(2000));
                }
                if (rnd.nextInt(3) == 0) {
                    in.ts(rnd.nextInt(), rnd.nextInt());
                }
                in.arrive();
            }
        }
    }

    /** After any quarrel the peer behaves: whatever was queued is sent, and nothing waits for ever. */
    @Property(tries = 150)
    void quarrelThenPeace_everythingIsSent(@ForAll long seed) {
        final Random rnd = new Random(seed);
        try (TcpFixture fx = new TcpFixture(seed)) {
            congestion(fx, rnd);
            final FakeSocket so = fx.established(syn(fx, rnd).wscale(rnd.nextInt(8)));
            final Tcpcb tp = tcpcb(so);
            so.snd.limit(200_000);
            for (int i = 0; i < 60; i++) {
                final int inFlight = tp.sndMax - tp.sndUna;
                switch (rnd.nextInt(6)) {
                    case 0 -> fx.send(so, pattern(0, 1 + rnd.nextInt(9000)));
                    case 1 -> fx.pass(rnd.nextInt(2000));
                    case 2 -> fx.seg(TH_ACK).on(so).data(rnd.nextInt(2)).win(0).ack(tp.sndUna).arrive();
                    default -> {
                        final int acked = rnd.nextBoolean() ? 0 : rnd.nextInt(inFlight + 1);
                        fx.seg(TH_ACK | TcpEcn.flags(rnd.nextInt(8))).on(so).win(rnd.nextInt(3) * 300)
                            .ack(tp.sndUna + acked).tos(rnd.nextInt(4)).arrive();
                    }
                }
            }
            fx.sent.clear();
            for (int i = 0; i < PATIENCE && so.snd.avail() > 0; i++) {
                fx.pass(100);
                if (!fx.sent.isEmpty()) {
                    int top = tp.sndUna;
                    for (final Out o : fx.sent) {
                        // Takes what comes in order, as any receiver does.
                        top = o.seq - top <= 0 && o.seq + o.len - top > 0 ? o.seq + o.len : top;
                    }
                    fx.sent.clear();
                    fx.seg(TH_ACK).on(so).data(1).win(30_000).ack(top).arrive();
                }
            }
            assertThat(so.snd.avail()).as("unsent, seed %d, %s", seed, tp.state).isZero();
            fx.sent.clear();
        }
    }

    private static int near(Random rnd, int spread) {
        return rnd.nextInt(3) == 0 ? rnd.nextInt(2 * spread) - spread : rnd.nextInt(3) - 1;
    }

    private static void check(FakeSocket so) {
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            assertThat(TcpReass.check(tp)).isTrue();
            assertThat(so.rcv.check() && so.snd.check()).isTrue();
            if (tp.state.haveEstablished() && tp.state != TcpState.TIME_WAIT) {
                assertThat(tp.sndNxt - tp.sndUna).as("sndUna <= sndNxt").isGreaterThanOrEqualTo(0);
                assertThat(tp.sndMax - tp.sndNxt).as("sndNxt <= sndMax").isGreaterThanOrEqualTo(0);
                assertThat(tp.sndCwnd).isGreaterThan(0);
                final boolean inFlight = tp.sndMax != tp.sndUna;
                final boolean timed = TcpTimers.active(tp, TcpTimers.TT_REXMT)
                    || TcpTimers.active(tp, TcpTimers.TT_PERSIST);
                assertThat(!inFlight || timed).as("in flight without a timer: %s una %s nxt %s max %s avail %s", tp,
                    tp.sndUna, tp.sndNxt, tp.sndMax, so.snd.avail()).isTrue();
                assertThat(so.snd.avail() == 0 || timed || tp.sndNxt - tp.sndUna >= so.snd.avail())
                    .as("data without a timer").isTrue();
            }
        } finally {
            tp.inp.lock.unlock();
        }
    }

    /** The same segments with and without header prediction: the same answers, octets and state. */
    @Property(tries = 100)
    void headerPrediction_changesNothing(@ForAll long seed) {
        final List<String> with = run(seed, true);
        final List<String> without = run(seed, false);
        for (int i = 0; i < without.size(); i++) {
            assertThat(with.get(i)).as("step %d after %s, seed %d", i, without.get(Math.max(i - 1, 0)), seed)
                .isEqualTo(without.get(i));
        }
        assertThat(with).hasSameSizeAs(without);
    }

    private static List<String> run(long seed, boolean predict) {
        final List<String> log = new ArrayList<>();
        final Random rnd = new Random(seed);
        try (TcpFixture fx = new TcpFixture(7)) {
            fx.tcp.predict = predict;
            final boolean ts = rnd.nextBoolean();
            congestion(fx, rnd);
            final TcpFixture.In syn = syn(fx, rnd);
            final FakeSocket so = fx.established(ts ? syn.ts(100, 0) : syn);
            so.snd.limit(100_000);
            int off = 0;
            for (int i = 0; i < 150; i++) {
                final Tcpcb tp = tcpcb(so);
                final int what = rnd.nextInt(10);
                final int n = rnd.nextInt(3) == 0 ? 0 : 1 + rnd.nextInt(1400);
                if (what == 0 && tp.state.canSend()) {
                    fx.send(so, pattern(0, 1 + rnd.nextInt(20_000)));
                } else if (what == 1) {
                    fx.pass(rnd.nextInt(300));
                } else if (what == 2) {
                    fx.read(so, rnd.nextInt(50_000));
                } else {
                    final int gap = rnd.nextInt(12) == 0 ? rnd.nextInt(2000) : 0;
                    final int ecn = rnd.nextInt(4) == 0 ? TcpEcn.flags(rnd.nextInt(8)) : 0;
                    final TcpFixture.In in = fx.seg(TH_ACK | ecn).on(so).seq(PEER_ISS + 1 + off + gap)
                        .tos(rnd.nextInt(4) == 0 ? rnd.nextInt(4) : 2)
                        .data(pattern(off + gap, n)).ack(tp.sndUna + rnd.nextInt(tp.sndMax - tp.sndUna + 1));
                    if (ts) {
                        in.ts(200 + i, tp.tsOffset + 1);
                    }
                    in.arrive();
                    off = tp.rcvNxt - PEER_ISS - 1;
                }
                fx.sent.forEach(o -> log.add(o.toString()));
                fx.sent.clear();
                log.add(tp.state + " " + tp.rcvNxt + " " + tp.sndUna + " " + tp.sndMax + " " + tp.sndCwnd + " "
                    + tp.sndWnd + " " + tp.flags2 + " " + tp.scep + " " + tp.rcep
                    + " " + tp.tsRecent + " " + tp.rcvUp + " " + so.rcv.avail() + " " + tp.rxtcurNs);
            }
        }
        return log;
    }
}
