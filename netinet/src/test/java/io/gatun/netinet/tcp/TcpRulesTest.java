package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_PUSH;
import static io.gatun.netinet.tcp.TcpHeader.TH_RST;
import static io.gatun.netinet.tcp.TcpHeader.TH_URG;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.sys.Errno;
import io.gatun.spi.vnet.VirtualClock;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Rules of RFC 9293 that no other test states. */
class TcpRulesTest {
    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void whole() {
        fx.close();
    }

    private FakeSocket shut() {
        final FakeSocket so = fx.established();
        so.rcv.limit(3000);
        tcpcb(so).rcvAdv = tcpcb(so).rcvNxt + 3000;
        fx.seg(TH_ACK | TH_PUSH).on(so).seq(PEER_ISS + 1).data(pattern(0, 3000)).arrive();
        assertThat(fx.only().win).isZero();
        return so;
    }

    @Test
    @Tag("RFC9293-MUST-66")
    void zeroWindow_rst_resets() {
        final FakeSocket so = shut();
        fx.seg(TH_RST).on(so).seq(PEER_ISS + 3001).arrive();
        assertThat(so.error).isEqualTo(Errno.ECONNRESET);
    }

    @Test
    @Tag("RFC9293-MUST-66")
    void zeroWindow_urgent_isTold() {
        final FakeSocket so = shut();
        fx.seg(TH_ACK | TH_URG).on(so).seq(PEER_ISS + 3001).urp(10).arrive();
        assertThat(so.oobMark).isPositive();
    }

    private static TcpIsn isn(final VirtualClock clock, final long seed) {
        return new TcpIsn(Vnet.builder().name("isn").clock(clock).seed(seed).services(false).build());
    }

    @Test
    @Tag("RFC9293-MUST-8")
    void initialNumber_risesWithTheClock() {
        final VirtualClock clock = new VirtualClock();
        final TcpIsn isn = isn(clock, 1);
        final int first = isn.newIsn(1, 2, 3, 4);
        clock.advance(4_000_000L);
        assertThat(isn.newIsn(1, 2, 3, 4) - first).as("one every 4 us").isEqualTo(1000);
    }

    @Test
    @Tag("RFC9293-SHLD-1")
    @Tag("RFC9293-MUST-9")
    void initialNumber_dependsOnEndpointsAndSecret() {
        final VirtualClock clock = new VirtualClock();
        final Set<Integer> seen = new HashSet<>();
        for (int seed = 0; seed < 10; seed++) {
            final TcpIsn isn = isn(clock, seed);
            for (int i = 0; i < 10; i++) {
                seen.add(isn.newIsn(1 + i, 2, 3, 4));
                seen.add(isn.newIsn(1, 20 + i, 3, 4));
                seen.add(isn.newIsn(1, 2, 300 + i, 4));
                seen.add(isn.newIsn(1, 2, 3, 4000 + i));
            }
        }
        assertThat(seen).hasSize(400);
    }
}
