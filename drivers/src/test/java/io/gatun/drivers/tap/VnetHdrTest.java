package io.gatun.drivers.tap;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.linux.Linux;
import io.gatun.drivers.linux.virtio_net_hdr;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VnetHdrTest {
    private static final int ETHER = 14;
    private static final int TAG = 4;
    private static final int ACK = 0x10;
    private static final int DATA = 3000;
    private static final int MSS = 1400;

    private final MbufPool pool = MbufPool.builder().build();
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment hdr = arena.allocate(virtio_net_hdr.layout());

    @AfterEach
    void end() {
        arena.close();
        assertThat(pool.outstanding()).isZero();
    }

    /** A TCP super-segment on an Ethernet, plain or tagged. */
    private Mbuf segment(final boolean six, final boolean tagged, final int flags) {
        final int ip = ETHER + (tagged ? TAG : 0);
        final int th = ip + (six ? 40 : 20);
        final Mbuf m = pool.getm2(null, th + 20 + DATA, Mbuf.MT_DATA, Mbuf.M_PKTHDR);
        m.len(th + 20);
        m.pktLen(th + 20 + DATA);
        if (tagged) {
            m.put16(ETHER - 2, 0x8100);
        }
        m.put16(ip - 2, six ? 0x86dd : 0x0800);
        m.put8(ip, six ? 0x60 : 0x45);
        m.put8(ip + (six ? 6 : 9), 6);
        m.put16(th + 12, 5 << 12 | ACK | flags);
        m.csumFlags(six ? Csum.CSUM_IP6_TCP | Csum.CSUM_IP6_TSO : Csum.CSUM_IP_TCP | Csum.CSUM_IP_TSO);
        m.tsoSegsz(MSS);
        return m;
    }

    private static int gso(final boolean six) {
        return six ? Linux.VIRTIO_NET_HDR_GSO_TCPV6() : Linux.VIRTIO_NET_HDR_GSO_TCPV4();
    }

    @ParameterizedTest
    @CsvSource({"false, 0, false", "false, 128, true", "true, 0, false", "true, 128, true"})
    void superSegment_cwr_staysOnTheFirstSegment(boolean six, int cwr, boolean ecn) {
        final Mbuf m = segment(six, false, cwr);
        VnetHdr.encode(hdr, m);
        final int type = virtio_net_hdr.gso_type(hdr) & 0xff;
        assertThat(type & Linux.VIRTIO_NET_HDR_GSO_ECN()).isEqualTo(ecn ? Linux.VIRTIO_NET_HDR_GSO_ECN() : 0);
        assertThat(VnetHdr.gsoType(hdr)).isEqualTo(gso(six));
        m.freeChain();
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void superSegment_saysWhereAndHow_andIsUnderstoodAgain(boolean six, boolean tagged) {
        final Mbuf m = segment(six, tagged, 0);
        final int th = ETHER + (tagged ? TAG : 0) + (six ? 40 : 20);
        VnetHdr.encode(hdr, m);
        assertThat(virtio_net_hdr.csum_start(hdr)).isEqualTo((short) th);
        assertThat(virtio_net_hdr.csum_offset(hdr)).isEqualTo((short) 16);
        assertThat(virtio_net_hdr.hdr_len(hdr)).isEqualTo((short) (th + 20));
        assertThat(virtio_net_hdr.gso_size(hdr)).isEqualTo((short) MSS);
        final int asked = m.csumFlags();
        m.csumFlags(0);
        m.tsoSegsz(0);
        assertThat(VnetHdr.decode(hdr, m)).isTrue();
        assertThat(m.csumFlags()).isEqualTo(asked | Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR);
        assertThat(m.tsoSegsz()).isEqualTo(MSS);
        assertThat(m.lroNsegs()).isEqualTo(3);
        m.freeChain();
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void checksumAlone_isAskedFor(boolean six, boolean udp) {
        final Mbuf m = segment(six, false, 0);
        final int tcp = six ? Csum.CSUM_IP6_TCP : Csum.CSUM_IP_TCP;
        m.csumFlags(udp ? six ? Csum.CSUM_IP6_UDP : Csum.CSUM_IP_UDP : tcp);
        VnetHdr.encode(hdr, m);
        assertThat(virtio_net_hdr.flags(hdr)).isEqualTo((byte) Linux.VIRTIO_NET_HDR_F_NEEDS_CSUM());
        assertThat(virtio_net_hdr.csum_offset(hdr)).isEqualTo((short) (udp ? 6 : 16));
        assertThat(VnetHdr.gsoType(hdr)).isZero();
        m.freeChain();
    }

    /** What the header says must be true of the frame. */
    @ParameterizedTest
    @CsvSource({"false", "true"})
    void headerOfTheOtherFamily_orThatPointsElsewhere_isRefused(boolean six) {
        final Mbuf m = segment(six, false, 0);
        VnetHdr.encode(hdr, m);
        virtio_net_hdr.gso_type(hdr, (byte) gso(!six));
        assertThat(VnetHdr.decode(hdr, m)).isFalse();
        virtio_net_hdr.gso_type(hdr, (byte) gso(six));
        virtio_net_hdr.gso_size(hdr, (short) 0);
        assertThat(VnetHdr.decode(hdr, m)).isFalse();
        virtio_net_hdr.gso_size(hdr, (short) MSS);
        virtio_net_hdr.flags(hdr, (byte) 0);
        assertThat(VnetHdr.decode(hdr, m)).isFalse();
        virtio_net_hdr.flags(hdr, (byte) Linux.VIRTIO_NET_HDR_F_NEEDS_CSUM());
        virtio_net_hdr.csum_start(hdr, (short) 65_000);
        assertThat(VnetHdr.decode(hdr, m)).isFalse();
        m.freeChain();
    }
}
