package io.gatun.spi.mbuf;

/**
 * Checksum and segmentation offload bits of {@link Mbuf#csumFlags()}. On output they ask the device to do the work;
 * on input they say what has been verified. The values are those of {@code sys/mbuf.h}.
 *
 * @bsd CSUM_IP
 */
public final class Csum {
    public static final int CSUM_IP = 0x00000001;
    public static final int CSUM_IP_UDP = 0x00000002;
    public static final int CSUM_IP_TCP = 0x00000004;
    public static final int CSUM_IP_SCTP = 0x00000008;
    public static final int CSUM_IP_TSO = 0x00000010;
    public static final int CSUM_IP6_UDP = 0x00000200;
    public static final int CSUM_IP6_TCP = 0x00000400;
    public static final int CSUM_IP6_SCTP = 0x00000800;
    public static final int CSUM_IP6_TSO = 0x00001000;

    /** Network-layer checksum was examined. */
    public static final int CSUM_L3_CALC = 0x01000000;
    /** Network-layer checksum is correct. */
    public static final int CSUM_L3_VALID = 0x02000000;
    /** Transport checksum was examined. */
    public static final int CSUM_L4_CALC = 0x04000000;
    /** Transport checksum is correct. */
    public static final int CSUM_L4_VALID = 0x08000000;
    /** The packet was merged from several segments. */
    public static final int CSUM_COALESCED = 0x40000000;

    /** All requests a sender can make. */
    public static final int CSUM_FLAGS_TX = CSUM_IP | CSUM_IP_UDP | CSUM_IP_TCP | CSUM_IP_SCTP | CSUM_IP_TSO
            | CSUM_IP6_UDP | CSUM_IP6_TCP | CSUM_IP6_SCTP | CSUM_IP6_TSO;
    /** All results a receiver can report. */
    public static final int CSUM_FLAGS_RX = CSUM_L3_CALC | CSUM_L3_VALID | CSUM_L4_CALC | CSUM_L4_VALID
            | CSUM_COALESCED;

    // The names drivers have used for longer.
    public static final int CSUM_IP_CHECKED = CSUM_L3_CALC;
    public static final int CSUM_IP_VALID = CSUM_L3_VALID;
    public static final int CSUM_PSEUDO_HDR = CSUM_L4_CALC;
    public static final int CSUM_DATA_VALID = CSUM_L4_VALID;
    public static final int CSUM_TCP = CSUM_IP_TCP;
    public static final int CSUM_UDP = CSUM_IP_UDP;
    public static final int CSUM_SCTP = CSUM_IP_SCTP;
    public static final int CSUM_TCP_IPV6 = CSUM_IP6_TCP;
    public static final int CSUM_UDP_IPV6 = CSUM_IP6_UDP;
    public static final int CSUM_TSO = CSUM_IP_TSO | CSUM_IP6_TSO;
    public static final int CSUM_DELAY_DATA = CSUM_TCP | CSUM_UDP;
    public static final int CSUM_DELAY_DATA_IPV6 = CSUM_TCP_IPV6 | CSUM_UDP_IPV6;
    public static final int CSUM_DELAY_IP = CSUM_IP;

    private Csum() {
    }
}
