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

    @Test
    void internetAddress_inFrontOfData_leavesTheDataAlone() {
        final MbufPool pool = MbufPool.builder().small().build();
        final SockAddr v6 = SockAddr.of("fe80::1:2", 53);
        v6.setFlowinfo(0xabcde);
        for (final SockAddr sa : List.of(SockAddr.in(0xc0a80101, 65535), v6)) {
            final Mbuf m = pool.gethdr(Mbuf.MT_DATA);
            m.align(4);
            m.len(4);
            m.pktLen(4);
            m.putInt(0, 0x01020304);
            assertThat(SockAddrCodec.isAhead(m)).isFalse();
            assertThat(SockAddrCodec.encodeAhead(sa, m)).isTrue();
            assertThat(SockAddrCodec.isAhead(m)).isTrue();
            final SockAddr back = SockAddr.in(1, 1);
            SockAddrCodec.decodeAhead(m, back);
            assertThat(back).isEqualTo(sa);
            assertThat(back.flowinfo()).isEqualTo(sa.flowinfo());
            assertThat(m.len()).isEqualTo(4);
            assertThat(m.pktLen()).isEqualTo(4);
            assertThat(m.getInt(0)).isEqualTo(0x01020304);
            m.free();
        }
        assertThat(pool.outstanding()).isZero();
    }

    @Test
    void addressInFrontOfData_noRoomSharedOrOfAnotherFamily_isRefused() {
        final MbufPool pool = MbufPool.builder().small().build();
        final SockAddr v4 = SockAddr.in(0xc0a80101, 1);
        final Mbuf full = pool.gethdr(Mbuf.MT_DATA);
        assertThat(SockAddrCodec.encodeAhead(v4, full)).as("no room").isFalse();
        final Mbuf m = pool.getcl(Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        m.data(m.data() + 64);
        m.len(10);
        m.pktLen(10);
        assertThat(SockAddrCodec.encodeAhead(SockAddr.un("/x"), m)).as("a path").isFalse();
        final Mbuf other = m.copyM(0, Mbuf.M_COPYALL);
        assertThat(SockAddrCodec.encodeAhead(v4, m)).as("shared").isFalse();
        assertThat(SockAddrCodec.isAhead(m)).isFalse();
        other.freeChain();
        assertThat(SockAddrCodec.encodeAhead(v4, m)).isTrue();
        m.freeChain();
        full.freeChain();
        assertThat(pool.outstanding()).isZero();
    }
}
