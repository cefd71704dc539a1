package io.gatun.netinet.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.netinet.pcb.Inpcb;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** References of connections that end together are given back a few at a time, and all of them. */
class TcpReleTest {
    private static final int CONNECTIONS = 3 * TcpRele.BATCH + 1;

    private final TcpFixture fx = new TcpFixture(1);
    private final List<FakeSocket> sockets = new ArrayList<>();

    private void endAll() {
        for (int i = 0; i < CONNECTIONS; i++) {
            final FakeSocket so = fx.connect();
            final Tcpcb tp = TcpFixture.tcpcb(so);
            tp.inp.lock.lock();
            try {
                so.ref();
                tp.inp.setFlagBits(Inpcb.INP_SOCKREF, 0);
                TcpSubr.close(tp);
                TcpSubr.close(tp); // does nothing
            } finally {
                tp.inp.lock.unlock();
            }
            sockets.add(so);
        }
    }

    private int held() {
        return sockets.stream().mapToInt(so -> so.refs - 1).sum();
    }

    @Test
    void manyEnded_oneRun_givesFewBackAndStandsInLineAgain() {
        endAll();
        assertThat(held()).isEqualTo(CONNECTIONS);
        fx.tcp.rele.runClaimed();
        assertThat(held()).isEqualTo(CONNECTIONS - TcpRele.BATCH);
        assertThat(fx.vnet.netisr().pending()).isTrue();
        fx.vnet.runUntilIdle();
        assertThat(held()).isZero();
    }

    @Test
    void manyEnded_vnetGoes_givesAllBack() {
        endAll();
        fx.tcp.rele.runClaimed();
        fx.tcp.rele.destroy();
        assertThat(held()).isZero();
        fx.vnet.runUntilIdle();
        assertThat(held()).isZero();
    }
}
