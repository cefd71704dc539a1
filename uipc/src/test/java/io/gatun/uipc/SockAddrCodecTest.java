package io.gatun.uipc;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import io.gatun.spi.socket.SockAddr;
import java.util.List;
import org.junit.jupiter.api.Test;

class SockAddrCodecTest {
    @Test
    void address_ofEachFamily_comesBackWhole() {
        final MbufPool pool = MbufPool.builder().small().build();
        final SockAddr v6 = SockAddr.of("fe80::1:2", 53);
        v6.setFlowinfo(0xabcde);
        final List<SockAddr> all = List.of(SockAddr.in(0xc0a80101, 65535), v6, SockAddr.un("/var/run/log"),
            SockAddr.link(new byte[] {2, 0, 0, (byte) 0xff, 1, 9}, 7), new SockAddr());
        for (final SockAddr sa : all) {
            final Mbuf m = pool.get(Mbuf.MT_SONAME);
            SockAddrCodec.encode(sa, m);
            final SockAddr back = SockAddr.in(1, 1);
            SockAddrCodec.decode(m, back);
            assertThat(m.len()).isEqualTo(SockAddrCodec.length(sa));
            assertThat(back).isEqualTo(sa);
            assertThat(back.flowinfo()).isEqualTo(sa.flowinfo());
            assertThat(back.family()).isEqualTo(sa.family());
            m.free();
        }
        assertThat(pool.outstanding()).isZero();
    }
}
