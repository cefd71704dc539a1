package io.gatun.netinet.ip6;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.InDefs;

/**
 * Walks the chain of extension headers without touching it (RFC 8200 section 4). A place in the chain is a {@code
 * long}: a header's number and its offset. Takes any bytes.
 *
 * @bsd ip6_nexthdr
 */
public final class Ip6Nexthdr {
    /** The chain ends outside the packet, or in a fragment other than the first, or is too long to follow. */
    public static final long NONE = -1;
    /** Octets of a fragment header, and the unit of all others. */
    public static final int UNIT = 8;

    private static final int NXT_SHIFT = 32;
    private static final int OFFSET_WORD = 2;
    private static final int OFFSET_BITS = 0xfff8;
    private static final int AH_UNIT = 4;
    /** Extension headers of one packet at most. @bsd V_ip6_hdrnestlimit */
    static final int HDRNESTLIMIT = 15;

    private Ip6Nexthdr() {
    }

    /** The number of the header at a place. */
    public static int nxt(final long place) {
        return (int) (place >>> NXT_SHIFT);
    }

    /** The offset of the header at a place, from the first octet of m. */
    public static int off(final long place) {
        return (int) place;
    }

    private static long place(final int nxt, final int off) {
        return (long) nxt << NXT_SHIFT | off;
    }

    /** Whether a header of that number is followed by another. */
    public static boolean extension(final int nxt) {
        return nxt == InDefs.IPPROTO_HOPOPTS || nxt == InDefs.IPPROTO_DSTOPTS || nxt == InDefs.IPPROTO_ROUTING
            || nxt == InDefs.IPPROTO_FRAGMENT || nxt == InDefs.IPPROTO_AH;
    }

    /** The header behind that of an IPv6 header at {@code ip6}, which is contiguous. */
    public static long first(final Mbuf m, final int ip6) {
        return place(Ip6Header.nxt(m, ip6), ip6 + Ip6Header.LEN);
    }

    /** The header behind an extension header, or {@link #NONE}. Borrows m. @bsd ip6_nexthdr */
    public static long next(final Mbuf m, final long at) {
        final int off = off(at);
        if (m.pktLen() < off + UNIT) {
            return NONE;
        }
        final int then = octet(m, off);
        return switch (nxt(at)) {
            case InDefs.IPPROTO_FRAGMENT -> {
                final int word = octet(m, off + OFFSET_WORD) << Byte.SIZE | octet(m, off + OFFSET_WORD + 1);
                yield (word & OFFSET_BITS) != 0 ? NONE : place(then, off + UNIT);
            }
            case InDefs.IPPROTO_AH -> place(then, off + (octet(m, off + 1) + 2) * AH_UNIT);
            default -> place(then, off + (octet(m, off + 1) + 1) * UNIT);
        };
    }

    /**
     * The last header of a chain: a transport's, or IPPROTO_NONE. It may lie behind the end of the packet. {@link
     * #NONE} when an extension header is cut short. Borrows m.
     *
     * @bsd ip6_lasthdr
     */
    public static long last(final Mbuf m, final int ip6) {
        return lastFrom(m, first(m, ip6));
    }

    /** {@link #last} from a place in the chain on. */
    public static long lastFrom(final Mbuf m, final long from) {
        long at = from;
        for (int i = 0; i <= HDRNESTLIMIT && at != NONE; i++) {
            if (!extension(nxt(at))) {
                return at;
            }
            at = next(m, at);
        }
        return NONE;
    }

    /** An octet anywhere in a packet. */
    public static int octet(final Mbuf m, final int off) {
        return off < m.len() ? m.getU8(off) : m.getPtr(off).getU8(m.getPtrOff(off));
    }
}
