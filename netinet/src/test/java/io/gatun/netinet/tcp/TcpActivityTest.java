package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a connection has only while something happens on it: when it goes back, and that nothing is lost with it. */
class TcpActivityTest {
    private static final int QUIET_MS = 5000;

    private final TcpFixture fx = new TcpFixture(1);

    @AfterEach
    void close() {
        fx.close();
    }

    private FakeSocket quiet() {
        final FakeSocket so = fx.established();
        fx.send(so, pattern(0, 1000));
        fx.seg(TH_ACK).on(so).ack(fx.only().seq + 1000).arrive();
        fx.sent.clear();
        fx.pass(QUIET_MS);
        assertThat(tcpcb(so).isQuiet()).isTrue();
        return so;
    }

    @Test
    void unacknowledged_quietTime_staysActive() {
        final FakeSocket so = fx.established();
        fx.send(so, pattern(0, 1000));
        fx.pass(QUIET_MS);
        assertThat(tcpcb(so).isQuiet()).isFalse();
        fx.sent.clear();
    }

    @Test
    void outOfOrder_quietTime_staysActive() {
        final FakeSocket so = fx.established();
        fx.seg(TH_ACK).on(so).seq(tcpcb(so).rcvNxt + 100).data(pattern(100, 100)).arrive();
        fx.pass(QUIET_MS);
        assertThat(tcpcb(so).isQuiet()).isFalse();
        fx.sent.clear();
    }

    @Test
    void quiet_data_isTakenAndAcknowledged() {
        final FakeSocket so = quiet();
        fx.seg(TH_ACK).on(so).data(pattern(0, 100)).arrive();
        fx.pass(QUIET_MS);
        assertThat(fx.only().ack).isEqualTo(tcpcb(so).rcvNxt);
        assertThat(so.rcv.peek()).isEqualTo(pattern(0, 100));
        assertThat(tcpcb(so).isQuiet()).as("again").isTrue();
    }

    @Test
    void quiet_sendLost_isSentAgain() {
        final FakeSocket so = quiet();
        fx.send(so, pattern(0, 10));
        final int seq = fx.only().seq;
        fx.sent.clear();
        fx.pass(QUIET_MS);
        assertThat(fx.sent).isNotEmpty().allMatch(o -> o.seq == seq);
        fx.sent.clear();
    }

    @Test
    void quiet_keepalive_keepsItsDeadline() {
        final FakeSocket so = quiet();
        final long at = tcpcb(so).calloutAtNs;
        assertThat(tcpcb(so).act().timers[TcpTimers.TT_KEEP]).isEqualTo(at);
        assertThat(at).isNotEqualTo(TcpTimers.OFF);
    }

    @Test
    void discarded_itsActivity_goesToTheNextConnection() {
        final FakeSocket so = fx.established();
        final Tcpcb tp = tcpcb(so);
        final TcpActivity a = tp.act();
        tp.inp.lock.lock();
        try {
            TcpSubr.close(tp);
            TcpSubr.discard(tp);
            tp.inp.free();
        } finally {
            tp.inp.lock.unlock();
        }
        TcpSubr.drain(tp);
        assertThat(tp.isQuiet()).isTrue();
        assertThat(tcpcb(fx.socket()).act()).isSameAs(a);
    }

    @Test
    void claim_afterRelease_isAsNew() {
        final TcpActivities pool = new TcpActivities(false);
        final TcpActivity a = pool.claim();
        a.timers[TcpTimers.TT_REXMT] = 1;
        a.dupacks = 3;
        a.force = Tcpcb.FORCE_LOST;
        a.rtttimeNs = 7;
        pool.release(a);
        assertThat(pool.claim()).isSameAs(a).usingRecursiveComparison().isEqualTo(new TcpActivity());
    }
}
