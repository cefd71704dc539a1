package io.gatun.uipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.socket.SocketDefs;
import io.gatun.spi.vnet.LockStrategy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the sender sees of a way past its buffer. */
class SoFusionTest {
    /** Between the end and the moment the sender knows of it, a writer does not take the buffer for endless. */
    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void endedButKnown_spaceIsThatOfTheBuffer(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket[] p = s.pair(SocketDefs.SOCK_STREAM);
        final int own = p[0].snd.space();
        final SoFusion f = (SoFusion) p[0].fuse(p[1], null);
        assertThat(p[0].snd.space()).isEqualTo(own + p[1].rcv.hiwat());
        f.end();
        p[0].setOutgoing(f);
        assertThat(p[0].snd.space()).isEqualTo(own);
        p[0].setOutgoing(null);
        f.settled();
        p[0].close();
        p[1].close();
        s.checkWhole();
    }

    /** Limits whose sum is more than an int holds leave room all the same. */
    @ParameterizedTest
    @EnumSource(LockStrategy.class)
    void hugeLimits_leaveRoom(final LockStrategy strategy) {
        final Setting s = new Setting(strategy, false);
        final Socket[] p = s.pair(SocketDefs.SOCK_STREAM);
        final SoFusion f = (SoFusion) p[0].fuse(p[1], null);
        p[0].snd.setLimits(Integer.MAX_VALUE, Integer.MAX_VALUE);
        p[1].rcv.setLimits(Integer.MAX_VALUE, Integer.MAX_VALUE);
        assertThat(p[0].snd.space()).isEqualTo(Integer.MAX_VALUE);
        f.end();
        f.settled();
        p[0].close();
        p[1].close();
        s.checkWhole();
    }
}
