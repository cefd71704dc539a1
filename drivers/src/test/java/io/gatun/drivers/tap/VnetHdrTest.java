package io.gatun.drivers.tap;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.linux.Linux;
import io.gatun.drivers.linux.virtio_net_hdr;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VnetHdrTest {
    private static final int ETHER = 14;
    private static final int TCP = ETHER + 20;
    private static final int ACK = 0x10;

    @ParameterizedTest
    @CsvSource({"0, false", "128, true"})
    void superSegment_cwr_staysOnTheFirstSegment(int cwr, boolean ecn) {
        final MbufPool pool = MbufPool.builder().build();
        final Mbuf m = pool.getm2(null, TCP + 20 + 3000, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        m.len(TCP + 20);
        m.pktLen(TCP + 20 + 3000);
        m.put16(ETHER - 2, 0x0800);
        m.put8(ETHER, 0x45);
        m.put8(ETHER + 9, 6);
        m.put16(TCP + 12, 5 << 12 | ACK | cwr);
        m.csumFlags(Csum.CSUM_IP_TCP | Csum.CSUM_IP_TSO);
        m.tsoSegsz(1460);
        try (Arena arena = Arena.ofConfined()) {
            final MemorySegment hdr = arena.allocate(virtio_net_hdr.layout());
            VnetHdr.encode(hdr, m);
            final int type = virtio_net_hdr.gso_type(hdr) & 0xff;
            assertThat(type & Linux.VIRTIO_NET_HDR_GSO_ECN()).isEqualTo(ecn ? Linux.VIRTIO_NET_HDR_GSO_ECN() : 0);
            assertThat(VnetHdr.gsoType(hdr)).isEqualTo(Linux.VIRTIO_NET_HDR_GSO_TCPV4());
        }
        m.freeChain();
        assertThat(pool.outstanding()).isZero();
    }
}
