package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_FIN;
import static io.gatun.netinet.tcp.TcpHeader.TH_PUSH;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.tcp.cc.CcAlgo;
import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.sys.Errno;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class SendTest {
    private static final int MSS = 1000;

    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void whole() {
        fx.close();
    }

    private FakeSocket open() {
        return fx.established(fx.seg(TH_SYN).mss(MSS).seq(TcpFixture.PEER_ISS));
    }

    /** Without super-segments: one segment is one packet. */
    private FakeSocket openPlain() {
        fx.sysctl("tso", "0");
        return open();
    }

    private void ack(FakeSocket so, int upTo) {
        fx.seg(TH_ACK).on(so).ack(upTo).arrive();
    }

    /** The peer's window goes to zero, with an octet so that it counts as news. */
    private void shut(FakeSocket so) {
        fx.seg(TH_ACK).on(so).data(1).arrive();
        fx.seg(TH_ACK).on(so).win(0).arrive();
        fx.pass(50);
        fx.only();
    }

    private List<Out> take() {
        final List<Out> all = new ArrayList<>(fx.sent);
        fx.sent.clear();
        return all;
    }

    @Nested
    class Windows {
        @Test
        @Tag("RFC9293-SHLD-28")
        @Tag("RFC9293-MUST-16")
        void established_send_fillsTheInitialWindow() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 30_000));
            final List<Out> out = take();
            assertThat(out).hasSize(10).allMatch(o -> o.len == MSS && o.flags == TH_ACK);
            assertThat(out.get(9).data).isEqualTo(pattern(9000, 1000));
        }

        @Test
        @Tag("RFC9293-MUST-61")
        void established_send_lastHasPush() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 2500));
            final List<Out> out = take();
            assertThat(out).extracting(o -> o.len).containsExactly(1000, 1000, 500);
            assertThat(out.get(2).flags).isEqualTo(TH_ACK | TH_PUSH);
        }

        @Test
        @Tag("RFC9293-MUST-19")
        @Tag("RFC5681-3.1")
        void established_acks_slowStartDoubles() {
            final FakeSocket so = openPlain();
            so.snd.limit(200_000);
            fx.send(so, pattern(0, 100_000));
            final List<Out> first = take();
            for (final Out o : first) {
                ack(so, o.seq + o.len);
            }
            assertThat(take()).hasSize(20);
        }

        @Test
        void established_superSegment_isOnePacket() {
            final FakeSocket so = open();
            fx.send(so, pattern(0, 30_000));
            final Out out = fx.only();
            assertThat(out.len).isEqualTo(10_000);
            assertThat(out.tso).isTrue();
            assertThat(out.segsz).isEqualTo(MSS);
            assertThat(out.data).isEqualTo(pattern(0, 10_000));
        }

        @Test
        void established_superSegments_areAtMostSixtyFourKib() {
            final FakeSocket so = open();
            so.snd.limit(400_000);
            tcpcb(so).sndCwnd = 300_000;
            tcpcb(so).sndWnd = 300_000;
            fx.send(so, pattern(0, 200_000));
            final List<Out> out = take();
            final ByteArrayOutputStream all = new ByteArrayOutputStream();
            out.forEach(o -> all.writeBytes(o.data));
            assertThat(out).allMatch(o -> o.len <= 65_535 - 40);
            assertThat(out.getFirst().len % MSS).isZero();
            assertThat(all.toByteArray()).isEqualTo(pattern(0, 200_000));
        }

        @Test
        void established_peersWindow_isKept() {
            final FakeSocket so = openPlain();
            tcpcb(so).sndWnd = 2500;
            fx.send(so, pattern(0, 10_000));
            assertThat(take()).extracting(o -> o.len).containsExactly(1000, 1000);
            fx.pass(1);
            fx.none(); // the odd 500 would be a silly window
        }

        @Test
        void established_autotuning_growsTheSendBuffer() {
            final FakeSocket so = open();
            final Tcpcb tp = tcpcb(so);
            final int before = so.snd.hiwat();
            tp.sndWnd = 1_000_000;
            tp.sndCwnd = 1_000_000;
            fx.send(so, pattern(0, 64_000));
            assertThat(so.snd.hiwat()).isGreaterThan(before);
            take();
        }
    }

    @Nested
    class Nagle {
        @Test
        @Tag("RFC9293-MAY-16")
        @Tag("RFC9293-MUST-60")
        @Tag("RFC9293-SHLD-27")
        @Tag("RFC9293-MUST-38")
        @Tag("RFC9293-SHLD-7")
        void established_smallWritesInFlight_waitForTheAck() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 10));
            final Out first = fx.only();
            fx.send(so, pattern(10, 10));
            fx.send(so, pattern(20, 10));
            fx.none();
            ack(so, first.seq + 10);
            assertThat(fx.only().data).isEqualTo(pattern(10, 20));
        }

        @Test
        @Tag("RFC9293-MUST-17")
        void established_noDelay_goesAtOnce() {
            final FakeSocket so = openPlain();
            tcpcb(so).flags |= Tcpcb.TF_NODELAY;
            fx.send(so, pattern(0, 10));
            fx.send(so, pattern(10, 10));
            assertThat(take()).hasSize(2);
        }

        @Test
        void established_noPush_holdsPartSegments() {
            final FakeSocket so = openPlain();
            tcpcb(so).flags |= Tcpcb.TF_NOPUSH;
            fx.send(so, pattern(0, 10));
            fx.none();
            fx.send(so, pattern(10, 1000));
            assertThat(fx.only().len).isEqualTo(1000);
            tcpcb(so).flags &= ~Tcpcb.TF_NOPUSH;
            tcpcb(so).flags |= Tcpcb.TF_NODELAY;
            fx.output(so);
            assertThat(fx.only().len).isEqualTo(10);
        }
    }

    @Nested
    class Persist {
        @Test
        @Tag("RFC9293-MUST-36")
        @Tag("RFC9293-SHLD-29")
        @Tag("RFC9293-SHLD-30")
        void established_zeroWindow_isProbedWithBackoff() {
            final FakeSocket so = openPlain();
            shut(so);
            fx.send(so, pattern(0, 100));
            fx.none();
            fx.pass(4900);
            fx.none();
            fx.pass(200);
            final Out probe = fx.only();
            assertThat(probe.len).isEqualTo(1);
            assertThat(fx.stat("sndprobe")).isEqualTo(1);
            fx.pass(4000);
            fx.none();
            fx.pass(60_000);
            assertThat(fx.sent).hasSizeBetween(3, 12).allMatch(o -> o.len == 1 && o.seq == probe.seq);
            take();
            fx.seg(TH_ACK).on(so).ack(probe.seq).win(1000).arrive();
            assertThat(fx.only().data).isEqualTo(pattern(0, 100));
        }

        @Test
        void zeroWindow_probeAccepted_goesOn() {
            final FakeSocket so = openPlain();
            shut(so);
            fx.send(so, pattern(0, 100));
            fx.pass(5300);
            final Out probe = fx.only();
            fx.seg(TH_ACK).on(so).ack(probe.seq + 1).win(1000).arrive();
            final Out rest = fx.only();
            assertThat(rest.seq).isEqualTo(probe.seq + 1);
            assertThat(rest.data).isEqualTo(pattern(1, 99));
        }

        @Test
        @Tag("RFC9293-SHLD-17")
        @Tag("RFC9293-MAY-8")
        @Tag("RFC9293-MUST-37")
        void zeroWindow_answeredForAMinute_lives() {
            final FakeSocket so = openPlain();
            shut(so);
            fx.send(so, pattern(0, 100));
            for (int i = 0; i < 3000; i++) {
                fx.pass(1000);
                if (!fx.sent.isEmpty()) {
                    final Out o = fx.sent.removeLast();
                    fx.sent.clear();
                    fx.seg(TH_ACK).on(so).ack(o.seq).win(0).arrive();
                }
            }
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
            fx.seg(TH_ACK).on(so).ack(tcpcb(so).sndUna).win(5000).arrive();
            assertThat(fx.sent.getLast().data).isEqualTo(pattern(0, 100));
            fx.sent.clear();
        }

        @Test
        @Tag("RFC9293-SHLD-15")
        @Tag("RFC9293-MUST-34")
        void inFlight_windowShuts_isProbed() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 3000));
            final List<Out> out = take();
            fx.seg(TH_ACK).on(so).ack(out.get(0).seq + 1000).win(0).arrive();
            fx.pass(70_000);
            assertThat(take()).isNotEmpty();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
            fx.seg(TH_ACK).on(so).ack(out.get(2).seq + 1000).win(3000).arrive();
            assertThat(so.snd.avail()).isZero();
            fx.sent.clear();
        }
    }

    @Nested
    class Recovery {
        @Test
        @Tag("RFC9293-MUST-19")
        @Tag("RFC6298-5.5")
        void inFlight_silence_isSentAgainWithBackoff() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 100));
            final Out first = fx.only();
            final List<Long> at = new ArrayList<>();
            for (int i = 0; i < 3000; i++) { // the handshake gave no round trip: it begins with a second
                fx.pass(10);
                take().forEach(o -> at.add(fx.clock.nanoTime()));
            }
            assertThat(at.size()).isBetween(4, 8);
            for (int i = 2; i < at.size(); i++) {
                assertThat(at.get(i) - at.get(i - 1)).isGreaterThan(at.get(i - 1) - at.get(i - 2));
            }
            assertThat(tcpcb(so).sndCwnd).isEqualTo(MSS);
            ack(so, first.seq + 100);
            assertThat(so.snd.avail()).isZero();
        }

        @Test
        @Tag("RFC9293-MUST-20")
        @Tag("RFC9293-SHLD-11")
        void inFlight_silenceForEver_timesOut() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 100));
            fx.pass(1_200_000);
            assertThat(so.error).isEqualTo(Errno.ETIMEDOUT);
            assertThat(fx.sent).hasSize(14); // the first, twelve more, and a reset
            assertThat(fx.sent.getLast().has(TH_RST)).isTrue();
            fx.sent.clear();
        }

        @Test
        @Tag("RFC5681-3.2")
        void inFlight_threeDuplicates_retransmitsAtOnce() {
            fx.sysctl("cc.algorithm", "newreno");
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 10_000));
            final List<Out> out = take();
            final int lost = out.getFirst().seq;
            for (int i = 0; i < 3; i++) {
                ack(so, lost);
            }
            assertThat(take()).extracting(o -> o.seq).containsExactly(lost);
            assertThat(tcpcb(so).inFastRecovery()).isTrue();
            assertThat(tcpcb(so).sndSsthresh).isEqualTo(5000);
            assertThat(fx.stat("fastrexmit")).isEqualTo(1);
            ack(so, lost + 10_000);
            assertThat(tcpcb(so).inFastRecovery()).isFalse();
            assertThat(tcpcb(so).sndCwnd).isLessThanOrEqualTo(5000);
        }

        @Test
        @Tag("RFC3042-2")
        void inFlight_duplicates_limitedTransmitSendsNew() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 30_000));
            final List<Out> out = take();
            ack(so, out.getFirst().seq);
            assertThat(take()).extracting(o -> o.seq).containsExactly(out.getFirst().seq + 10_000);
            ack(so, out.getFirst().seq);
            assertThat(take()).extracting(o -> o.seq).containsExactly(out.getFirst().seq + 11_000);
            assertThat(tcpcb(so).sndCwnd).isEqualTo(10_000);
        }

        @Test
        @Tag("RFC6582-3.2")
        void recovery_partialAck_sendsTheNextHole() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 10_000));
            final int base = take().getFirst().seq;
            for (int i = 0; i < 3; i++) {
                ack(so, base);
            }
            take();
            ack(so, base + 4000);
            assertThat(take()).extracting(o -> o.seq).contains(base + 4000);
            assertThat(tcpcb(so).inFastRecovery()).isTrue();
            ack(so, base + 10_000);
            assertThat(tcpcb(so).inFastRecovery()).isFalse();
            take();
        }

        @Test
        @Tag("RFC5681-3.2-out")
        void afterTimeout_duplicatesOfOldFlight_doNotTriggerAgain() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 10_000));
            final int base = take().getFirst().seq;
            fx.pass(1500);
            take();
            for (int i = 0; i < 5; i++) {
                ack(so, base);
            }
            assertThat(fx.stat("fastrexmit")).isZero();
            take();
        }

        @Test
        void oneLoss_allArrives_inOrder() {
            final FakeSocket so = openPlain();
            so.snd.limit(100_000);
            fx.send(so, pattern(0, 50_000));
            final byte[] got = new byte[50_000];
            final int base = fx.sent.getFirst().seq;
            fx.sent.remove(); // lost
            int next = base;
            final boolean[] have = new boolean[50];
            int turns = 0;
            while (next != base + 50_000 && turns++ < 1000) {
                if (fx.sent.isEmpty()) {
                    fx.pass(300);
                    continue;
                }
                final Out o = fx.sent.remove();
                System.arraycopy(o.data, 0, got, o.seq - base, o.len);
                have[(o.seq - base) / MSS] = true;
                while (next - base < 50_000 && have[(next - base) / MSS]) {
                    next += MSS;
                }
                ack(so, next);
            }
            assertThat(got).isEqualTo(pattern(0, 50_000));
            assertThat(fx.stat("rexmttimeo")).as("a single loss costs no timeout").isZero();
            fx.sent.clear();
        }

        @Test
        @Tag("RFC6298-2")
        void roundTrip_isMeasured() {
            final FakeSocket so = openPlain();
            final long initial = tcpcb(so).srttNs;
            fx.send(so, pattern(0, 10));
            fx.pass(100);
            ack(so, fx.only().seq + 10);
            assertThat(tcpcb(so).srttNs).isGreaterThan(initial).isLessThanOrEqualTo(100_000_000L);
            assertThat(tcpcb(so).rxtcurNs).isGreaterThan(230_000_000L);
        }

        @Test
        @Tag("RFC9293-MUST-18")
        @Tag("RFC6298-3")
        void retransmitted_withoutTimestamps_isNotMeasured() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 10));
            fx.pass(100);
            ack(so, fx.only().seq + 10);
            final int samples = tcpcb(so).rttupdated;
            fx.send(so, pattern(10, 10));
            fx.pass(2000);
            final int seq = fx.sent.getFirst().seq;
            fx.sent.clear();
            ack(so, seq + 10);
            assertThat(tcpcb(so).rttupdated).isEqualTo(samples);
        }

        @Test
        void timeout_provedSpurious_isUndone() {
            final FakeSocket so = fx.established(fx.seg(TH_SYN).mss(MSS + 12).seq(TcpFixture.PEER_ISS).ts(1, 0));
            fx.pass(50);
            fx.send(so, pattern(0, 5000));
            final Out first = fx.sent.getFirst();
            final int cwnd = tcpcb(so).sndCwnd;
            fx.pass(260);
            assertThat(tcpcb(so).sndCwnd).isEqualTo(MSS);
            fx.sent.clear();
            fx.seg(TH_ACK).on(so).ack(first.seq + 5000).ts(50, first.tsval).arrive();
            assertThat(tcpcb(so).sndCwnd).isGreaterThanOrEqualTo(cwnd);
            assertThat(fx.stat("sndrexmitbad")).isEqualTo(1);
        }
    }

    @Nested
    class Errors {
        @Test
        void send_deviceFull_isSentAgainByTimer() {
            final FakeSocket so = openPlain();
            fx.outputError = Errno.ENOBUFS;
            fx.send(so, pattern(0, 5000));
            fx.outputError = Errno.OK;
            assertThat(tcpcb(so).sndCwnd).isEqualTo(MSS);
            fx.pass(1500);
            assertThat(take()).isNotEmpty();
        }

        @Test
        void connect_noRoute_saysSo() {
            final FakeSocket so = fx.socket();
            fx.outputError = Errno.EHOSTUNREACH;
            final Tcpcb tp = tcpcb(so);
            tp.inp.lock.lock();
            try {
                tp.inp.connect(io.gatun.spi.socket.SockAddr.in(TcpFixture.PEER, 9), io.gatun.spi.sys.Ucred.ROOT);
                assertThat(TcpSubr.activeOpen(tp)).isEqualTo(Errno.EHOSTUNREACH);
            } finally {
                tp.inp.lock.unlock();
            }
        }

        @Test
        void send_noRouteForAWhile_connectionLives() {
            final FakeSocket so = openPlain();
            fx.outputError = Errno.EHOSTUNREACH;
            fx.send(so, pattern(0, 500));
            fx.pass(3000);
            fx.outputError = Errno.OK;
            fx.pass(10_000);
            assertThat(take()).isNotEmpty().allMatch(o -> o.len == 500);
        }

        @Test
        @Tag("RFC9293-SHLD-6")
        void needFrag_segmentsShrink() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 3000));
            final List<Out> out = take();
            IcmpMaker.unreachable(fx, out.getFirst(), 4, 540);
            final List<Out> again = take();
            assertThat(again.getFirst().seq).isEqualTo(out.getFirst().seq);
            assertThat(again).allMatch(o -> o.len <= 500);
            assertThat(fx.learntMtu).isEqualTo(540);
        }

        @Test
        void needFrag_numberNotInFlight_isIgnored() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 3000));
            final Out first = take().getFirst();
            ack(so, first.seq + 3000);
            IcmpMaker.unreachable(fx, first, 4, 540);
            assertThat(tcpcb(so).maxseg).isEqualTo(MSS);
            assertThat(fx.learntMtu).isZero();
        }

        @Test
        @Tag("RFC9293-MUST-54")
        @Tag("RFC9293-SHLD-26")
        void synSent_portUnreachable_isRefused() {
            final FakeSocket so = fx.connect();
            IcmpMaker.unreachable(fx, fx.only(), 3, 0);
            assertThat(so.error).isEqualTo(Errno.ECONNREFUSED);
        }

        @Test
        @Tag("RFC9293-MUST-56")
        void established_portUnreachable_isSoft() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 100));
            IcmpMaker.unreachable(fx, fx.only(), 3, 0);
            assertThat(so.error).isEqualTo(Errno.OK);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        }
    }

    @Nested
    class Keepalive {
        @Test
        @Tag("RFC9293-MAY-5")
        @Tag("RFC9293-MUST-24")
        @Tag("RFC9293-MUST-28")
        @Tag("RFC9293-MUST-29")
        @Tag("RFC9293-SHLD-12")
        void established_idle_isProbedThenDropped() {
            final FakeSocket so = openPlain();
            fx.pass(7_200_000 + 1000);
            final Out probe = fx.only();
            assertThat(probe.len).isZero();
            assertThat(probe.seq).isEqualTo(tcpcb(so).sndUna - 1);
            fx.pass(700_000);
            assertThat(so.error).isEqualTo(Errno.ETIMEDOUT);
            assertThat(take().getLast().has(TH_RST)).isTrue();
        }

        @Test
        @Tag("RFC9293-MUST-26")
        void established_idleAnswered_lives() {
            final FakeSocket so = openPlain();
            for (int i = 0; i < 20; i++) {
                fx.pass(7_300_000);
                take();
                fx.seg(TH_ACK).on(so).arrive();
            }
            assertThat(tcpcb(so).state).isEqualTo(TcpState.ESTABLISHED);
        }
    }

    @Nested
    class Closing {
        @Test
        @Tag("RFC9293-MUST-13")
        void established_close_waitsInTimeWait() {
            final FakeSocket so = openPlain();
            fx.shutdown(so, true);
            final Out fin = fx.only();
            assertThat(fin.flags).isEqualTo(TH_FIN | TH_ACK);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.FIN_WAIT_1);
            ack(so, fin.seq + 1);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.FIN_WAIT_2);
            fx.seg(TH_ACK | TH_FIN).on(so).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.TIME_WAIT);
            fx.pass(59_000);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.TIME_WAIT);
            assertThat(so.refs).isEqualTo(2);
            fx.pass(1100);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
            assertThat(so.refs).isEqualTo(1);
        }

        @Test
        void timeWait_finAgain_isAckedAndWaitsAnew() {
            final FakeSocket so = timeWait();
            fx.pass(50_000);
            fx.seg(TH_ACK | TH_FIN).on(so).seq(tcpcb(so).rcvNxt - 1).arrive();
            assertThat(fx.only().ack).isEqualTo(tcpcb(so).rcvNxt);
            fx.pass(50_000);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.TIME_WAIT);
        }

        @Test
        @Tag("RFC9293-MAY-2")
        void timeWait_newSyn_isRecycled() {
            final FakeSocket so = timeWait();
            final int next = tcpcb(so).rcvNxt;
            fx.seg(TH_SYN).seq(next + 100_000).mss(MSS).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_SYN | TH_ACK);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
            assertThat(fx.stat("tw_recycles")).isEqualTo(1);
        }

        @Test
        void timeWait_oldSynOrRst_isIgnored() {
            final FakeSocket so = timeWait();
            fx.seg(TH_SYN).seq(tcpcb(so).rcvNxt - 100).arrive();
            fx.seg(TH_RST).on(so).arrive();
            fx.none();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.TIME_WAIT);
        }

        @Test
        void timeWait_tooMany_oldestEnds() {
            final FakeSocket so = timeWait();
            fx.sysctl("maxtcptw", "0");
            fx.shutdown(so, false);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.TIME_WAIT);
            final FakeSocket l = fx.sockets.getFirst();
            final int port = TcpFixture.PPORT + 1;
            fx.seg(TH_SYN).from(TcpFixture.PEER, port).mss(MSS).seq(5).arrive();
            final Out synAck = fx.only();
            fx.seg(TH_ACK).from(TcpFixture.PEER, port).seq(6).ack(synAck.seq + 1).arrive();
            final FakeSocket next = l.comp.getLast();
            fx.shutdown(next, true);
            fx.only();
            fx.seg(TH_ACK | TH_FIN).from(TcpFixture.PEER, port).seq(6).ack(synAck.seq + 2).arrive();
            fx.only();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
            assertThat(tcpcb(next).state).isEqualTo(TcpState.CLOSED);
        }

        private FakeSocket timeWait() {
            final FakeSocket so = openPlain();
            fx.shutdown(so, true);
            ack(so, fx.only().seq + 1);
            fx.seg(TH_ACK | TH_FIN).on(so).arrive();
            fx.only();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.TIME_WAIT);
            return so;
        }

        /** The other end is in TIME-WAIT too. */
        @Test
        void timeWait_ackThatTellsOfCongestion_isNotAnswered() {
            final FakeSocket so = timeWait();
            fx.seg(TH_ACK | TcpHeader.TH_ECE | TcpHeader.TH_AE).on(so).arrive();
            assertThat(fx.sent).isEmpty();
        }

        @Test
        void timeWait_acksThatKeepComing_areAnsweredSomeTimes() {
            final FakeSocket so = timeWait();
            for (int i = 0; i < 100; i++) {
                fx.seg(TH_ACK).on(so).ack(tcpcb(so).sndNxt + 1).arrive();
            }
            assertThat(fx.sent).hasSize(5);
            fx.sent.clear();
        }

        /** Both ends have lost something before the other's FIN. */
        @Test
        void finWait1_finOutOfOrder_answerDoesNotRepeatOurs() {
            final FakeSocket so = openPlain();
            fx.shutdown(so, false);
            fx.only();
            fx.seg(TH_ACK | TH_FIN).on(so).seq(tcpcb(so).rcvNxt + 100).ack(tcpcb(so).sndUna).arrive();
            assertThat(fx.only().flags).isEqualTo(TH_ACK);
            fx.pass(1500);
            assertThat(fx.only().flags).as("by its timer").isEqualTo(TH_ACK | TH_FIN);
        }

        @Test
        void finWait1_fin_closesSimultaneously() {
            final FakeSocket so = openPlain();
            fx.shutdown(so, true);
            final Out fin = fx.only();
            fx.seg(TH_ACK | TH_FIN).on(so).ack(fin.seq).arrive();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSING);
            fx.only();
            ack(so, fin.seq + 1);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.TIME_WAIT);
        }

        @Test
        void finWait1_finAndAck_goesToTimeWait() {
            final FakeSocket so = openPlain();
            fx.shutdown(so, true);
            final Out fin = fx.only();
            fx.seg(TH_ACK | TH_FIN).on(so).ack(fin.seq + 1).arrive();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.TIME_WAIT);
            assertThat(fx.only().ack).isEqualTo(TcpFixture.PEER_ISS + 2);
        }

        @Test
        void closeWait_close_lastAckEndsIt() {
            final FakeSocket so = openPlain();
            fx.seg(TH_ACK | TH_FIN).on(so).arrive();
            fx.only();
            fx.shutdown(so, true);
            final Out fin = fx.only();
            assertThat(tcpcb(so).state).isEqualTo(TcpState.LAST_ACK);
            ack(so, fin.seq + 1);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
            assertThat(so.refs).isEqualTo(1);
        }

        @Test
        void halfClose_dataStillComes() {
            final FakeSocket so = openPlain();
            fx.shutdown(so, false);
            ack(so, fx.only().seq + 1);
            fx.seg(TH_ACK).on(so).data(pattern(0, 500)).arrive();
            assertThat(so.rcv.peek()).isEqualTo(pattern(0, 500));
            fx.pass(700_000);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.FIN_WAIT_2);
            fx.sent.clear();
        }

        @Test
        @Tag("RFC9293-MAY-1")
        void finWait2_closedSocket_doesNotLastForEver() {
            final FakeSocket so = openPlain();
            fx.shutdown(so, true);
            ack(so, fx.only().seq + 1);
            fx.pass(2_000_000);
            assertThat(tcpcb(so).state).isEqualTo(TcpState.CLOSED);
            fx.sent.clear();
        }

        @Test
        void dataThenClose_finFollowsTheData() {
            final FakeSocket so = openPlain();
            fx.send(so, pattern(0, 1500));
            take();
            fx.send(so, pattern(1500, 10));
            fx.none();
            fx.shutdown(so, true);
            final Out last = fx.only();
            assertThat(last.data).isEqualTo(pattern(1500, 10));
            assertThat(last.flags).isEqualTo(TH_ACK | TH_PUSH | TH_FIN);
        }

        @Test
        void lostFin_isSentAgain() {
            final FakeSocket so = openPlain();
            fx.shutdown(so, true);
            final Out fin = fx.only();
            fx.pass(1010);
            final Out again = fx.only();
            assertThat(again.flags).isEqualTo(fin.flags);
            assertThat(again.seq).isEqualTo(fin.seq);
        }

        @Test
        void drop_sendsReset() {
            final FakeSocket so = openPlain();
            final Tcpcb tp = tcpcb(so);
            tp.inp.lock.lock();
            try {
                TcpSubr.drop(tp, Errno.ECONNABORTED);
            } finally {
                tp.inp.lock.unlock();
            }
            assertThat(fx.only().flags).isEqualTo(TH_RST | TH_ACK);
            assertThat(so.error).isEqualTo(Errno.ECONNABORTED);
            assertThat(so.is(SocketDefs.SS_ISDISCONNECTED)).isTrue();
        }
    }

    @Test
    @Tag("RFC5681-3.1")
    void afterIdle_windowRestarts() {
        final FakeSocket so = openPlain();
        tcpcb(so).sndCwnd = 40_000;
        fx.send(so, pattern(0, 1000));
        ack(so, fx.only().seq + 1000);
        fx.pass(60_000);
        fx.send(so, pattern(1000, 30_000));
        assertThat(take()).hasSize(10);
    }

    @Test
    @Tag("RFC9293-MAY-18")
    void congestion_isFoundByName() {
        final FakeSocket so = openPlain();
        final Tcpcb tp = tcpcb(so);
        final CcAlgo newreno = fx.tcp.findCc("newreno");
        assertThat(newreno).isNotNull();
        tp.inp.lock.lock();
        try {
            assertThat(TcpSubr.congestion(tp)).isEqualTo("cubic");
            assertThat(TcpSubr.setCongestion(tp, "newreno")).isEqualTo(Errno.OK);
            assertThat(TcpSubr.setCongestion(tp, "nosuch")).isEqualTo(Errno.ENOENT);
            assertThat(TcpInfo.of(tp).congestion()).isEqualTo("newreno");
            assertThat(TcpInfo.of(tp).state()).isEqualTo(TcpState.ESTABLISHED);
        } finally {
            tp.inp.lock.unlock();
        }
    }
}
