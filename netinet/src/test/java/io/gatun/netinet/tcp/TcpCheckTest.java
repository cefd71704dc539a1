package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How often the buffers of a connection are recounted. */
class TcpCheckTest {
    private static final int EVENTS = 30;

    private final TcpFixture fx = new TcpFixture(1);

    @AfterEach
    void close() {
        fx.close();
    }

    /** Recounts in some events of a connection with so much to send. */
    private int recounts(final int octets) {
        final FakeSocket so = fx.established();
        fx.send(so, pattern(0, octets));
        final Tcpcb tp = tcpcb(so);
        tp.inp.lock.lock();
        try {
            TcpCheck.check(tp);
            final int before = so.snd.checks;
            for (int i = 0; i < EVENTS; i++) {
                assertThat(TcpCheck.check(tp)).isTrue();
            }
            fx.sent.clear();
            return so.snd.checks - before;
        } finally {
            tp.inp.lock.unlock();
        }
    }

    @Test
    void shortBuffer_recountedAfterEachEvent() {
        assertThat(recounts(TcpCheck.STEP - 1)).isEqualTo(EVENTS);
    }

    @Test
    void longBuffer_recountedAfterSomeEvents() {
        assertThat(recounts(4 * TcpCheck.STEP)).isEqualTo(EVENTS / 5);
    }
}
