package io.gatun.drivers.tap;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatun.drivers.Wire;
import io.gatun.drivers.linux.Linux;
import io.gatun.drivers.linux.virtio_net_hdr;
import io.gatun.spi.ifnet.EtherVlan;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.mbuf.MbufPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class VnetHdrTest {
    private static final int TCP_START = 14 + 20;
    private static final int ROUNDS = 20_000;

    private final MemorySegment hdr = Arena.ofAuto().allocate(10, 8);
    private final MbufPool pool = MbufPool.builder().small().build();

    @AfterEach
    void nothingIsLeft() {
        assertThat(pool.outstanding()).isZero();
    }

    /** An IPv4 frame of one mbuf: header of 20 octets, a TCP header of 32 behind it. */
    private Mbuf frame(int octets) {
        ByteBuffer b = ByteBuffer.wrap(Wire.frame(1, octets));
        b.putShort(12, (short) 0x0800).put(14, (byte) 0x45).putShort(16, (short) (octets - 14));
        b.put(TCP_START + 12, (byte) 0x80);
        Mbuf m = pool.gethdr(Mbuf.MT_DATA);
        assertThat(m.append(b.array(), 0, octets)).isTrue();
        m.pktLen(octets);
        return m;
    }

    @Test
    void nothingAsked_headerIsZero() {
        hdr.fill((byte) -1);
        Mbuf m = frame(100);
        VnetHdr.encode(hdr, m);
        assertThat(hdr.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
        m.freeChain();
    }

    @Test
    void udpChecksum_isLeftToTheKernel() {
        Mbuf m = frame(100);
        m.csumFlags(Csum.CSUM_IP_UDP);
        VnetHdr.encode(hdr, m);
        assertThat((int) virtio_net_hdr.flags(hdr)).isEqualTo(Linux.VIRTIO_NET_HDR_F_NEEDS_CSUM());
        assertThat((int) virtio_net_hdr.csum_start(hdr)).isEqualTo(TCP_START);
        assertThat((int) virtio_net_hdr.csum_offset(hdr)).isEqualTo(6);
        assertThat((int) virtio_net_hdr.gso_type(hdr)).isZero();
        m.freeChain();
    }

    @Test
    void superSegment_behindATag_saysWhereToCut() {
        Mbuf m = EtherVlan.encap(frame(2000), 5);
        m.csumFlags(Csum.CSUM_IP_TCP | Csum.CSUM_IP_TSO);
        m.tsoSegsz(1400);
        VnetHdr.encode(hdr, m);
        assertThat((int) virtio_net_hdr.csum_start(hdr)).isEqualTo(TCP_START + 4);
        assertThat((int) virtio_net_hdr.csum_offset(hdr)).isEqualTo(16);
        assertThat((int) virtio_net_hdr.gso_type(hdr)).isEqualTo(Linux.VIRTIO_NET_HDR_GSO_TCPV4());
        assertThat((int) virtio_net_hdr.gso_size(hdr)).isEqualTo(1400);
        assertThat((int) virtio_net_hdr.hdr_len(hdr)).isEqualTo(TCP_START + 4 + 32);
        m.freeChain();
    }

    @Test
    void ipChecksum_isFilledIn() {
        Mbuf m = frame(100);
        m.csumFlags(Csum.CSUM_IP);
        VnetHdr.encode(hdr, m);
        int sum = 0;
        for (int i = 14; i < TCP_START; i += 2) {
            sum += m.getU16(i);
        }
        assertThat((sum >>> 16) + (sum & 0xffff)).isEqualTo(0xffff);
        assertThat((int) virtio_net_hdr.flags(hdr)).isZero();
        m.freeChain();
    }

    private void header(int flags, int gso, int gsoSize, int start, int offset) {
        hdr.fill((byte) 0);
        virtio_net_hdr.flags(hdr, (byte) flags);
        virtio_net_hdr.gso_type(hdr, (byte) gso);
        virtio_net_hdr.gso_size(hdr, (short) gsoSize);
        virtio_net_hdr.csum_start(hdr, (short) start);
        virtio_net_hdr.csum_offset(hdr, (short) offset);
    }

    @Test
    void unfinishedChecksum_countsAsGood_andIsOwedWhenSentOn() {
        Mbuf m = frame(100);
        header(Linux.VIRTIO_NET_HDR_F_NEEDS_CSUM(), 0, 0, TCP_START, 16);
        assertThat(VnetHdr.decode(hdr, m)).isTrue();
        assertThat(m.csumFlags()).isEqualTo(Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR | Csum.CSUM_TCP);
        assertThat(m.csumData()).isEqualTo(16);
        m.freeChain();
    }

    @Test
    void verifiedChecksum_isGood_andUnverifiedIsNot() {
        Mbuf m = frame(100);
        header(Linux.VIRTIO_NET_HDR_F_DATA_VALID(), 0, 0, 0, 0);
        assertThat(VnetHdr.decode(hdr, m)).isTrue();
        assertThat(m.csumFlags()).isEqualTo(Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR);
        m.csumFlags(0);
        header(0, 0, 0, 0, 0);
        assertThat(VnetHdr.decode(hdr, m)).isTrue();
        assertThat(m.csumFlags()).isZero();
        m.freeChain();
    }

    @Test
    void superSegment_received_saysHowManyItWas() {
        Mbuf m = frame(TCP_START + 32 + 3000);
        int ecn = Linux.VIRTIO_NET_HDR_GSO_ECN();
        header(Linux.VIRTIO_NET_HDR_F_NEEDS_CSUM(), Linux.VIRTIO_NET_HDR_GSO_TCPV4() | ecn, 1400, TCP_START, 16);
        assertThat(VnetHdr.decode(hdr, m)).isTrue();
        assertThat(m.tsoSegsz()).isEqualTo(1400);
        assertThat(m.lroNsegs()).isEqualTo(3);
        assertThat(m.csumFlags() & Csum.CSUM_IP_TSO).isNotZero();
        m.freeChain();
    }

    @Test
    void contradictions_areRefused() {
        int needs = Linux.VIRTIO_NET_HDR_F_NEEDS_CSUM();
        int tcp4 = Linux.VIRTIO_NET_HDR_GSO_TCPV4();
        int[][] wrong = {{0, tcp4, 1400, TCP_START, 16}, {needs, tcp4, 0, TCP_START, 16},
            {needs, Linux.VIRTIO_NET_HDR_GSO_UDP(), 1400, TCP_START, 6}, {needs, 0, 0, 99, 16}, {needs, 0, 0, 13, 16},
            {needs, 0, 0, 0xffff, 0xffff}};
        for (int[] w : wrong) {
            Mbuf m = frame(100);
            header(w[0], w[1], w[2], w[3], w[4]);
            assertThat(VnetHdr.decode(hdr, m)).isFalse();
            m.freeChain();
        }
    }

    @Test
    void anyHeader_anyFrame_nothingIsThrown() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < ROUNDS; i++) {
            byte[] octets = new byte[14 + random.nextInt(random.nextBoolean() ? 50 : 300)];
            random.nextBytes(octets);
            if (random.nextBoolean()) {
                ByteBuffer.wrap(octets).putShort(12, (short) 0x0800);
            }
            byte[] header = new byte[10];
            random.nextBytes(header);
            MemorySegment.copy(header, 0, hdr, ValueLayout.JAVA_BYTE, 0, header.length);
            hdr.set(ValueLayout.JAVA_BYTE, 0, (byte) random.nextInt(4));
            Mbuf m = scattered(octets, random.nextInt(octets.length + 1));
            try {
                if (!VnetHdr.decode(hdr, m)) {
                    m.csumFlags(random.nextInt());
                }
                VnetHdr.encode(hdr, m);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + ", round " + i, e);
            }
            m.freeChain();
        }
    }

    private Mbuf scattered(byte[] octets, int first) {
        Mbuf m = pool.gethdr(Mbuf.MT_DATA);
        Mbuf rest = pool.get(Mbuf.MT_DATA);
        boolean room = m.copyBack(0, first, octets, 0) && rest.copyBack(0, octets.length - first, octets, first);
        assertThat(room).isTrue();
        m.last().next(rest);
        m.pktLen(octets.length);
        return m;
    }
}
