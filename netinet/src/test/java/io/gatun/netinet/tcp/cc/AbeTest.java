package io.gatun.netinet.tcp.cc;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.protosw.Vnet;
import io.gatun.spi.socket.InDefs;
import io.gatun.spi.socket.SockOpt;
import io.gatun.spi.sys.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The lesser reduction for marks, and the tunables of NewReno and CUBIC. */
class AbeTest {
    private static final int MSS = 1000;
    private static final int WINDOW = 100 * MSS;

    private final Vnet vnet = Vnet.builder().name("abe").threads(false).build();
    private FakeCcVar v;

    @AfterEach
    void close() {
        vnet.close();
    }

    private void sysctl(final String name, final String value) {
        assertThat(vnet.sysctl().set("net.inet.tcp.cc." + name, value)).isEqualTo(Errno.OK);
    }

    private int after(final CcAlgo algo, final CcAlgo.Signal... signals) {
        algo.modInit(vnet.sysctl());
        v = new FakeCcVar(algo, MSS);
        v.cwnd = WINDOW;
        v.pipe = WINDOW;
        for (final CcAlgo.Signal s : signals) {
            algo.congSignal(v, s);
        }
        return v.ssthresh;
    }

    @Test
    void off_markIsALoss() {
        assertThat(after(new NewReno(), CcAlgo.Signal.ECN)).isEqualTo(50 * MSS);
        assertThat(after(new Cubic(), CcAlgo.Signal.ECN)).isEqualTo(70 * MSS);
    }

    @Test
    @Tag("RFC8511-3.2")
    void on_markTakesLess() {
        sysctl("abe", "1");
        assertThat(after(new NewReno(), CcAlgo.Signal.ECN)).isEqualTo(80 * MSS);
        assertThat(v.cwnd).isEqualTo(80 * MSS);
        assertThat(after(new Cubic(), CcAlgo.Signal.ECN)).isEqualTo(85 * MSS);
        assertThat(after(new NewReno(), CcAlgo.Signal.NDUPACK)).isEqualTo(50 * MSS);
        assertThat(after(new Cubic(), CcAlgo.Signal.NDUPACK)).isEqualTo(70 * MSS);
    }

    @Test
    void on_lossAfterMark_takesTheRestWhereTold() {
        sysctl("abe", "1");
        assertThat(after(new NewReno(), CcAlgo.Signal.ECN, CcAlgo.Signal.NDUPACK)).isEqualTo(80 * MSS);
        sysctl("abe_frlossreduce", "1");
        assertThat(after(new NewReno(), CcAlgo.Signal.ECN, CcAlgo.Signal.NDUPACK)).isEqualTo(50 * MSS);
        assertThat(after(new Cubic(), CcAlgo.Signal.ECN, CcAlgo.Signal.NDUPACK)).isEqualTo(70 * MSS);
    }

    @Test
    void newrenoBetas_areHeeded() {
        sysctl("abe", "1");
        final NewReno reno = new NewReno();
        reno.modInit(vnet.sysctl());
        sysctl("newreno.beta", "60");
        sysctl("newreno.beta_ecn", "90");
        assertThat(after(reno, CcAlgo.Signal.NDUPACK)).isEqualTo(60 * MSS);
        assertThat(after(reno, CcAlgo.Signal.ECN)).isEqualTo(90 * MSS);
        assertThat(vnet.sysctl().set("net.inet.tcp.cc.newreno.beta", "101")).isEqualTo(Errno.EINVAL);
    }

    @Test
    void connectionsOwnBetas_goBeforeTheVnets() {
        final NewReno reno = new NewReno();
        assertThat(after(reno)).isPositive();
        assertThat(set(reno, new NewRenoOpts(70, 0))).isEqualTo(Errno.OK);
        assertThat(set(reno, new NewRenoOpts(0, 90))).isEqualTo(Errno.EACCES);
        sysctl("abe", "1");
        assertThat(set(reno, new NewRenoOpts(0, 90))).isEqualTo(Errno.OK);
        assertThat(set(reno, new NewRenoOpts(101, 0))).isEqualTo(Errno.EINVAL);
        assertThat(set(reno, "beta")).isEqualTo(Errno.EINVAL);
        final SockOpt get = SockOpt.get(InDefs.IPPROTO_TCP, InDefs.TCP_CCALGOOPT);
        assertThat(reno.ctlOutput(v, get)).isEqualTo(Errno.OK);
        assertThat(get.object()).isEqualTo(new NewRenoOpts(70, 90));
        reno.congSignal(v, CcAlgo.Signal.ECN);
        assertThat(v.ssthresh).isEqualTo(90 * MSS);
        v.leaveRecovery();
        reno.congSignal(v, CcAlgo.Signal.NDUPACK);
        assertThat(v.ssthresh).isEqualTo(70 * MSS);
        assertThat(new Cubic().ctlOutput(v, get)).isEqualTo(Errno.ENOPROTOOPT);
    }

    private Errno set(final CcAlgo algo, final Object opts) {
        return algo.ctlOutput(v, SockOpt.set(InDefs.IPPROTO_TCP, InDefs.TCP_CCALGOOPT, opts));
    }

    @Test
    void hystartTunables_areHeeded() {
        sysctl("hystartplusplus.n_rttsamples", "2");
        sysctl("hystartplusplus.css_growth_div", "8");
        final Cubic cubic = new Cubic();
        after(cubic);
        for (final long ms : new long[] {100, 100, 113, 113}) {
            cubic.rttsample(v, ms * 1_000_000);
            if (ms == 100) {
                cubic.newround(v, 0);
            }
        }
        v.bytesThisAck = 2 * MSS;
        final int before = v.cwnd;
        cubic.ackReceived(v, CcAlgo.Ack.ACK);
        assertThat(v.cwnd - before).isEqualTo(2 * MSS / 8);
    }

    @Test
    void algorithm_unknown_isRefused() {
        assertThat(vnet.sysctl().set("net.inet.tcp.cc.algorithm", "reno2000")).isEqualTo(Errno.EINVAL);
        sysctl("algorithm", "dctcp");
        assertThat(vnet.sysctl().find("net.inet.tcp.cc.available").getString()).contains("cubic", "dctcp", "newreno");
    }
}
