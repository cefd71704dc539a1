package io.gatun.spi.ifnet;

import io.gatun.spi.mbuf.Mbuf;

/**
 * The 802.1Q tag in an Ethernet frame.
 *
 * <pre>
 *  dst 6 | src 6 | 81 00 | PCP 3 bits, DEI 1 bit, VID 12 bits | type 2 | ...
 * </pre>
 *
 * @bsd struct ether_vlan_header
 */
public final class EtherVlan {
    public static final int ETHERTYPE_VLAN = 0x8100;
    public static final int ETHER_VLAN_ENCAP_LEN = 4;
    /** Bits of the tag that are the vid. */
    public static final int EVL_VLID_MASK = 0x0fff;
    /** The highest vid that names a VLAN; 0 is none (a priority tag), 4095 is reserved. */
    public static final int VID_MAX = 4094;

    private static final int ETHER_HDR_LEN = 14;
    private static final int TYPE_OFF = 12;
    private static final int TAG_OFF = 14;
    private static final int PRI_SHIFT = 13;

    private EtherVlan() {
    }

    /** @bsd EVL_VLANOFTAG */
    public static int vlanOfTag(final int tag) {
        return tag & EVL_VLID_MASK;
    }

    /** @bsd EVL_PRIOFTAG */
    public static int priOfTag(final int tag) {
        return tag >>> PRI_SHIFT & 7;
    }

    /**
     * Puts a tag into a frame. Consumes m; returns the frame, whose first mbuf is writable and holds the whole
     * header, or null when out of mbufs.
     *
     * @bsd ether_vlanencap
     */
    public static Mbuf encap(final Mbuf m, final int tag) {
        final Mbuf frame = m.prepend(ETHER_VLAN_ENCAP_LEN);
        if (frame == null) {
            return null;
        }
        final Mbuf head = frame.pullup(ETHER_HDR_LEN + ETHER_VLAN_ENCAP_LEN);
        if (head == null) {
            return null;
        }
        head.putLong(0, head.getLong(ETHER_VLAN_ENCAP_LEN));
        head.putInt(Long.BYTES, head.getInt(Long.BYTES + ETHER_VLAN_ENCAP_LEN));
        head.put16(TYPE_OFF, ETHERTYPE_VLAN);
        head.put16(TAG_OFF, tag);
        return head;
    }

    /**
     * Moves the tag of a frame from its octets to its packet header. Consumes m; returns the frame with M_VLANTAG
     * set, or null when it was too short or mbufs ran out. The frame's type field must be ETHERTYPE_VLAN.
     */
    public static Mbuf decap(final Mbuf m) {
        Mbuf head = m.pullup(ETHER_HDR_LEN + ETHER_VLAN_ENCAP_LEN);
        if (head != null && !head.writable()) {
            head = head.unshare();
        }
        if (head == null) {
            return null;
        }
        head.etherVtag(head.getU16(TAG_OFF));
        head.setFlags(Mbuf.M_VLANTAG);
        head.putInt(Long.BYTES + ETHER_VLAN_ENCAP_LEN, head.getInt(Long.BYTES));
        head.putLong(ETHER_VLAN_ENCAP_LEN, head.getLong(0));
        head.adjHead(ETHER_VLAN_ENCAP_LEN);
        return head;
    }
}
