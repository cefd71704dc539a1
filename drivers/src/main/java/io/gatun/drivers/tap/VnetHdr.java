package io.gatun.drivers.tap;

import io.gatun.drivers.linux.Linux;
import io.gatun.drivers.linux.virtio_net_hdr;
import io.gatun.spi.ifnet.EtherVlan;
import io.gatun.spi.mbuf.Csum;
import io.gatun.spi.mbuf.Mbuf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The header in front of a frame that says what was left undone in it.
 *
 * <pre>
 *  flags 1 | gso_type 1 | hdr_len 2 | gso_size 2 | csum_start 2 | csum_offset 2      in the machine's order
 * </pre>
 *
 * @bsd struct virtio_net_hdr
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.2/virtio-v1.2.html">VIRTIO 1.2, 5.1.6</a>
 */
final class VnetHdr {
    private static final int ETHER_HDR_LEN = 14;
    private static final int ETHER_TYPE_OFF = 12;
    private static final int ETHERTYPE_IP = 0x0800;
    private static final int IP_CSUM_OFF = 10;
    private static final int IP_MIN_HDR = 20;
    private static final int TCP_MIN_HDR = 20;
    private static final int TCP_CSUM_OFF = 16;
    private static final int TCP_OFF_OFF = 12;
    private static final int TCP_FLAGS_OFF = 13;
    private static final int TH_CWR = 0x80;
    private static final int UDP_CSUM_OFF = 6;
    private static final int UDP_HDR = 8;
    private static final int IHL_MASK = 0xf;
    private static final int WORD_SHIFT = 2;
    private static final int NIBBLE = 4;
    private static final int U16 = 0xffff;
    private static final int TRANSPORT = Csum.CSUM_DELAY_DATA | Csum.CSUM_DELAY_DATA_IPV6;
    private static final ValueLayout.OfLong ALL = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfShort REST = ValueLayout.JAVA_SHORT_UNALIGNED;

    private static final int IP6_HDR = 40;
    private static final int ETHERTYPE_IPV6 = 0x86dd;

    private VnetHdr() {
    }

    /** VIRTIO_NET_HDR_GSO_*, without the ECN bit. */
    static int gsoType(final MemorySegment hdr) {
        return virtio_net_hdr.gso_type(hdr) & 0xff & ~Linux.VIRTIO_NET_HDR_GSO_ECN();
    }

    /**
     * Asks for what the packet header of a frame leaves to the device. Borrows m, whose IP header checksum is filled
     * in where CSUM_IP asks for it.
     *
     * @bsd vtnet_txq_offload
     */
    static void encode(final MemorySegment hdr, final Mbuf m) {
        hdr.set(ALL, 0, 0);
        hdr.set(REST, Long.BYTES, (short) 0);
        final int wanted = m.csumFlags();
        if ((wanted & (Csum.CSUM_IP | TRANSPORT | Csum.CSUM_TSO)) == 0) {
            return;
        }
        final int ip = ipOff(m);
        final int th = transport(m, ip);
        if (th < 0) {
            return;
        }
        if ((wanted & Csum.CSUM_IP) != 0 && isV4(m, ip)) {
            ipSum(m, ip, th - ip);
        }
        if ((wanted & (TRANSPORT | Csum.CSUM_TSO)) == 0 || th + UDP_HDR > m.pktLen()) {
            return;
        }
        virtio_net_hdr.flags(hdr, (byte) Linux.VIRTIO_NET_HDR_F_NEEDS_CSUM());
        virtio_net_hdr.csum_start(hdr, (short) th);
        final boolean udp = (wanted & (Csum.CSUM_UDP | Csum.CSUM_IP6_UDP)) != 0;
        virtio_net_hdr.csum_offset(hdr, (short) (udp ? UDP_CSUM_OFF : TCP_CSUM_OFF));
        if ((wanted & Csum.CSUM_TSO) != 0 && m.tsoSegsz() > 0 && th + TCP_MIN_HDR <= m.pktLen()) {
            final int thlen = u8(m, th + TCP_OFF_OFF) >>> NIBBLE << WORD_SHIFT;
            final boolean cwr = (u8(m, th + TCP_FLAGS_OFF) & TH_CWR) != 0; // on the first segment alone
            final int type = (wanted & Csum.CSUM_IP_TSO) != 0 ? Linux.VIRTIO_NET_HDR_GSO_TCPV4()
                : Linux.VIRTIO_NET_HDR_GSO_TCPV6();
            virtio_net_hdr.gso_type(hdr, (byte) (type | (cwr ? Linux.VIRTIO_NET_HDR_GSO_ECN() : 0)));
            virtio_net_hdr.gso_size(hdr, (short) m.tsoSegsz());
            virtio_net_hdr.hdr_len(hdr, (short) (th + thlen));
        }
    }

    /** Where the transport header of a packet begins which asks for offloads; -1 for one that is none of theirs. */
    private static int transport(final Mbuf m, final int ip) {
        if (isV6(m, ip)) {
            return ip + IP6_HDR; // nothing is asked for behind extension headers
        }
        if (!isV4(m, ip)) {
            return -1;
        }
        final int hlen = (u8(m, ip) & IHL_MASK) << WORD_SHIFT;
        return hlen < IP_MIN_HDR || ip + hlen > m.pktLen() ? -1 : ip + hlen;
    }

    /**
     * Says in the packet header what the kernel says of a frame. A checksum that it has not computed counts as
     * verified, since the octets never left memory, and as still to be computed, should the packet be sent on.
     * Borrows m.
     *
     * @return false for a frame whose header contradicts it
     * @bsd vtnet_rxq_csum
     */
    static boolean decode(final MemorySegment hdr, final Mbuf m) {
        final int gso = gsoType(hdr);
        final int flags = virtio_net_hdr.flags(hdr);
        final boolean undone = (flags & Linux.VIRTIO_NET_HDR_F_NEEDS_CSUM()) != 0;
        if (gso != 0 && (!undone || gso != Linux.VIRTIO_NET_HDR_GSO_TCPV4()
                && gso != Linux.VIRTIO_NET_HDR_GSO_TCPV6())) {
            return false;
        }
        if (!undone && (flags & Linux.VIRTIO_NET_HDR_F_DATA_VALID()) == 0) {
            return true;
        }
        int csum = Csum.CSUM_DATA_VALID | Csum.CSUM_PSEUDO_HDR;
        if (!undone) {
            m.csumFlags(csum);
            m.csumData(U16);
            return true;
        }
        final int start = virtio_net_hdr.csum_start(hdr) & U16;
        final int offset = virtio_net_hdr.csum_offset(hdr) & U16;
        if (start < ETHER_HDR_LEN || start + offset + Short.BYTES > m.pktLen()) {
            return false;
        }
        final int ip = ipOff(m);
        final boolean v4 = isV4(m, ip);
        final boolean v6 = isV6(m, ip) && start == ip + IP6_HDR;
        if (v4) {
            csum |= offset == TCP_CSUM_OFF ? Csum.CSUM_TCP : offset == UDP_CSUM_OFF ? Csum.CSUM_UDP : 0;
        } else if (v6) {
            csum |= offset == TCP_CSUM_OFF ? Csum.CSUM_IP6_TCP : offset == UDP_CSUM_OFF ? Csum.CSUM_IP6_UDP : 0;
        }
        m.csumData(offset);
        if (gso != 0) {
            final int segsz = virtio_net_hdr.gso_size(hdr) & U16;
            final boolean fits = gso == Linux.VIRTIO_NET_HDR_GSO_TCPV4() ? v4 : v6;
            if (!fits || segsz == 0 || start + TCP_MIN_HDR > m.pktLen()) {
                return false;
            }
            csum |= v4 ? Csum.CSUM_IP_TSO : Csum.CSUM_IP6_TSO;
            m.tsoSegsz(segsz);
            final int payload = m.pktLen() - start - (u8(m, start + TCP_OFF_OFF) >>> NIBBLE << WORD_SHIFT);
            m.lroNsegs(Math.max(1, (payload + segsz - 1) / segsz));
        }
        m.csumFlags(csum);
        return true;
    }

    /** Where the network header begins: behind the link header and a tag, if there is one. */
    private static int ipOff(final Mbuf m) {
        return u16(m, ETHER_TYPE_OFF) == EtherVlan.ETHERTYPE_VLAN
            ? ETHER_HDR_LEN + EtherVlan.ETHER_VLAN_ENCAP_LEN : ETHER_HDR_LEN;
    }

    private static boolean isV4(final Mbuf m, final int ip) {
        return m.pktLen() >= ip + IP_MIN_HDR && u16(m, ip - Short.BYTES) == ETHERTYPE_IP;
    }

    private static boolean isV6(final Mbuf m, final int ip) {
        return m.pktLen() >= ip + IP6_HDR && u16(m, ip - Short.BYTES) == ETHERTYPE_IPV6;
    }

    private static void ipSum(final Mbuf m, final int ip, final int hlen) {
        put16(m, ip + IP_CSUM_OFF, 0);
        int sum = 0;
        for (int i = 0; i < hlen; i += Short.BYTES) {
            sum += u16(m, ip + i);
        }
        sum = (sum >>> Short.SIZE) + (sum & U16);
        put16(m, ip + IP_CSUM_OFF, ~((sum >>> Short.SIZE) + sum) & U16);
    }

    private static int u8(final Mbuf m, final int off) {
        return off < m.len() ? m.getU8(off) : m.getPtr(off).getU8(m.getPtrOff(off));
    }

    private static int u16(final Mbuf m, final int off) {
        return off + 1 < m.len() ? m.getU16(off) : u8(m, off) << Byte.SIZE | u8(m, off + 1);
    }

    private static void put16(final Mbuf m, final int off, final int v) {
        if (off + 1 < m.len()) {
            m.put16(off, v);
        } else {
            m.getPtr(off).put8(m.getPtrOff(off), v >>> Byte.SIZE);
            m.getPtr(off + 1).put8(m.getPtrOff(off + 1), v);
        }
    }
}
