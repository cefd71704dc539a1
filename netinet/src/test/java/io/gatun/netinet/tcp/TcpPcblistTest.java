package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.PEER_ISS;
import static io.gatun.netinet.tcp.TcpFixture.tcpcb;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What those see who watch connections. */
class TcpPcblistTest {
    private final TcpFixture fx = new TcpFixture();

    @AfterEach
    void close() {
        fx.close();
    }

    @Test
    void describe_tellsWhatIsOutAndWhatIsToCome() {
        final FakeSocket so = fx.established(fx.seg(TH_SYN).seq(PEER_ISS).mss(1460));
        final TcpPcblist list = new TcpPcblist(fx.tcp);
        assertThat(list.describe()).contains("10.0.0.2:4321 ESTABLISHED ", " snd_una=1 snd_nxt=1 ", " tt_keep=")
            .doesNotContain("tt_rexmt");
        fx.shutdown(so, false);
        assertThat(list.describe()).contains("10.0.0.2:4321 FIN-WAIT-1 ", " snd_una=1 snd_nxt=2 ", " tt_rexmt=");
        fx.seg(TH_ACK).on(so).ack(tcpcb(so).sndMax).arrive();
        assertThat(list.describe()).contains("10.0.0.2:4321 FIN-WAIT-2 ", " snd_una=2 snd_nxt=2 ")
            .doesNotContain("tt_rexmt");
        assertThat(list.list()).hasSize(list.describe().split("\n").length);
        fx.sent.clear();
    }
}
