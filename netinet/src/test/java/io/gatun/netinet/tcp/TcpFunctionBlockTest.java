package io.gatun.netinet.tcp;

import static io.gatun.netinet.tcp.TcpFixture.pattern;
import static io.gatun.netinet.tcp.TcpHeader.TH_ACK;
import static io.gatun.netinet.tcp.TcpHeader.TH_SYN;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.gatun.spi.sys.Errno;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a stack is asked and told, and when. */
class TcpFunctionBlockTest {
    private final TcpFixture fx = new TcpFixture();
    private final Hooks hooks = new Hooks();

    /** The base stack under another name, which counts. */
    private static final class Hooks extends TcpFunctionBlock {
        private int outputs;
        private int segments;
        private int rexmits;
        private int mtuChanges;
        private int purged;
        private int rxtshift;
        private int maxseg;

        @Override
        public String name() {
            return "hooks";
        }

        @Override
        @GuardedBy("tp.inp.lock")
        public Errno output(final Tcpcb tp) {
            outputs++;
            return super.output(tp);
        }

        @Override
        @GuardedBy("tp.inp.lock")
        public Verdict doSegment(final Tcpcb tp, final Seg seg) {
            assertThat(tp.state).isNotIn(TcpState.CLOSED, TcpState.LISTEN, TcpState.TIME_WAIT);
            segments++;
            return super.doSegment(tp, seg);
        }

        @Override
        @GuardedBy("tp.inp.lock")
        public void rexmitTimer(final Tcpcb tp) {
            rexmits++;
            rxtshift = tp.rxtshift;
        }

        @Override
        @GuardedBy("tp.inp.lock")
        public void mtuChg(final Tcpcb tp) {
            mtuChanges++;
            maxseg = tp.maxseg;
        }

        @Override
        @GuardedBy("tp.inp.lock")
        public void fbFini(final Tcpcb tp, final boolean ends) {
            purged += ends ? 1 : 0;
        }
    }

    @BeforeEach
    void register() {
        assertThat(fx.tcp.functions.register(hooks)).isEqualTo(Errno.OK);
        fx.sysctl("functions_default", "hooks");
    }

    @AfterEach
    void whole() {
        fx.close();
        assertThat(hooks.refcnt()).isZero();
    }

    private FakeSocket open() {
        fx.sysctl("tso", "0");
        return fx.established(fx.seg(TH_SYN).mss(1000).seq(TcpFixture.PEER_ISS));
    }

    @Test
    void established_everySegmentAndEveryOutput_isTheStacks() {
        final FakeSocket so = open();
        final int segments = hooks.segments;
        assertThat(segments).as("the third of the handshake").isEqualTo(1);
        final int outputs = hooks.outputs;
        fx.send(so, pattern(0, 100));
        assertThat(hooks.outputs).isGreaterThan(outputs);
        final Out out = fx.only();
        fx.seg(TH_ACK).on(so).ack(out.seq + 100).arrive();
        assertThat(hooks.segments).isEqualTo(segments + 1);
    }

    @Test
    void retransmitTimeout_isTold_counted() {
        final FakeSocket so = open();
        fx.send(so, pattern(0, 100));
        assertThat(hooks.rexmits).isZero();
        fx.pass(10_000);
        assertThat(hooks.rexmits).isPositive().isEqualTo(hooks.rxtshift);
    }

    @Test
    void needFrag_isTold_withTheNewSize() {
        final FakeSocket so = open();
        fx.send(so, pattern(0, 3000));
        final Out out = fx.sent.getFirst();
        fx.sent.clear();
        assertThat(hooks.mtuChanges).isZero();
        IcmpMaker.unreachable(fx, out, 4, 540);
        assertThat(hooks.mtuChanges).isEqualTo(1);
        assertThat(hooks.maxseg).isEqualTo(500);
    }

    @Test
    void newSocket_hasTheDefault_nameTooLongIsRefused() {
        final Tcpcb tp = TcpFixture.tcpcb(fx.socket());
        tp.inp.lock.lock();
        try {
            assertThat(TcpFunctions.name(tp)).isEqualTo("hooks");
            assertThat(fx.tcp.functions.set(tp, TcpFunctionBlock.FREEBSD)).isEqualTo(Errno.OK);
            assertThat(hooks.purged).isZero();
            assertThat(TcpFunctions.name(tp)).isEqualTo("freebsd");
        } finally {
            tp.inp.lock.unlock();
        }
        assertThat(fx.tcp.functions.register(new TcpFunctionBlock() {
            @Override
            public String name() {
                return "x".repeat(NAME_LEN_MAX);
            }
        })).isEqualTo(Errno.EINVAL);
    }
}
