package io.gatun.uipc;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockAddr;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * A socket address as octets of an MT_SONAME mbuf, or in front of a packet's data, in network order. The common fields
 * stand first, so that the internet families take two or five loads:
 *
 * <pre>
 *    0         1         2           4        8               12        16        24
 *    | family  | length  |   port    | IPv4   |                                          AF_INET: 8 octets
 *    | family  | length  |   port    | flow   | scope         |   -     | hi      | lo   AF_INET6: 32 octets
 *    | family  | length  |   0       |   0    | interface     |   -     | address |      AF_LINK: 24 octets
 *    | family  | length  |   octets of the path                                          AF_UNIX
 * </pre>
 *
 * @bsd MT_SONAME
 */
final class SockAddrCodec {
    private static final int FAMILY = 0;
    private static final int LENGTH = 1;
    private static final int PORT = 2;
    private static final int FLOW = 4;
    private static final int SCOPE = 8;
    private static final int HI = 16;
    private static final int LO = 24;
    private static final int PORT_MASK = 0xffff;
    private static final int LEN_UNSPEC = 2;
    private static final int LEN_IN = 8;
    private static final int LEN_LINK = 24;
    private static final int LEN_IN6 = 32;
    private static final int PATH = 2;
    /** @bsd SOCK_MAXADDRLEN */
    private static final int MAXADDRLEN = 255;
    private static final int M_AHEAD_IN = Mbuf.M_PROTO1;
    private static final int M_AHEAD_IN6 = Mbuf.M_PROTO2;

    private SockAddrCodec() {
    }

    /** Octets {@link #encode} writes. */
    static int length(final SockAddr sa) {
        return switch (sa.family()) {
            case SockAddr.AF_INET -> LEN_IN;
            case SockAddr.AF_INET6 -> LEN_IN6;
            case SockAddr.AF_LINK -> LEN_LINK;
            case SockAddr.AF_UNIX -> PATH + path(sa).length;
            default -> LEN_UNSPEC;
        };
    }

    /** Writes the address into an empty mbuf. Borrows m. */
    static void encode(final SockAddr sa, final Mbuf m) {
        final int length = length(sa);
        m.len(length);
        put(sa, m, length);
    }

    /**
     * Writes an internet address into the space in front of a packet's data, where its headers have been, which spares
     * an mbuf. Borrows m, whose octets stay the same. False when there is no room, the space is shared or the family
     * another.
     */
    static boolean encodeAhead(final SockAddr sa, final Mbuf m) {
        if (!isInternet(sa)) {
            return false;
        }
        final int length = length(sa);
        if (m.leadingSpace() < length) {
            return false;
        }
        back(m, length);
        put(sa, m, length);
        forth(m, length);
        m.setFlags(length == LEN_IN ? M_AHEAD_IN : M_AHEAD_IN6);
        return true;
    }

    /** Whether the address is one that may stand in front of a packet's data. */
    static boolean isInternet(final SockAddr sa) {
        return sa.family() == SockAddr.AF_INET || sa.family() == SockAddr.AF_INET6;
    }

    /** Whether an address stands in front of the data. */
    static boolean isAhead(final Mbuf m) {
        return m.has(M_AHEAD_IN | M_AHEAD_IN6);
    }

    /** Reads what {@link #encodeAhead} wrote. Borrows m. */
    static void decodeAhead(final Mbuf m, final SockAddr sa) {
        if (m.has(M_AHEAD_IN)) {
            back(m, LEN_IN);
            decode4(m, sa);
            forth(m, LEN_IN);
        } else {
            back(m, LEN_IN6);
            decode(m, sa);
            forth(m, LEN_IN6);
        }
    }

    /** Writes an address at an offset from the beginning of m's octets. Borrows m. */
    static void put(final SockAddr sa, final Mbuf m, final int at, final int length) {
        forth(m, at);
        put(sa, m, length);
        back(m, at);
    }

    /** Reads the address at an offset from the beginning of m's octets, unless it is null; answers its length. */
    static int get(final Mbuf m, final int at, final SockAddr sa) {
        final int length = m.getU8(at + LENGTH);
        if (sa != null) {
            forth(m, at);
            decode(m, sa);
            back(m, at);
        }
        return length;
    }

    /** The length of the address at an offset. */
    static int length(final Mbuf m, final int at) {
        return m.getU8(at + LENGTH);
    }

    /** As {@link #encodeAhead} of the address at an offset of another mbuf. */
    static void copyAhead(final Mbuf from, final int at, final Mbuf m) {
        final int length = length(from, at);
        MemorySegment.copy(from.seg(), from.data() + at, m.seg(), m.data() - length, length);
        m.setFlags(length == LEN_IN ? M_AHEAD_IN : M_AHEAD_IN6);
    }

    private static void back(final Mbuf m, final int octets) {
        m.data(m.data() - octets);
        m.len(m.len() + octets);
    }

    private static void forth(final Mbuf m, final int octets) {
        m.data(m.data() + octets);
        m.len(m.len() - octets);
    }

    private static void put(final SockAddr sa, final Mbuf m, final int length) {
        if (sa.family() == SockAddr.AF_INET) {
            // As one word, which is what reads it back.
            m.putLong(0, (long) (sa.family() << 8 | length) << 48 | (long) sa.port() << 32
                | Integer.toUnsignedLong(sa.in4()));
            return;
        }
        m.put8(FAMILY, sa.family());
        m.put8(LENGTH, length);
        switch (sa.family()) {
            case SockAddr.AF_INET6 -> {
                m.put16(PORT, sa.port());
                m.putInt(FLOW, sa.flowinfo());
                m.putInt(SCOPE, sa.scopeId());
                m.putLong(HI, sa.hi());
                m.putLong(LO, sa.lo());
            }
            case SockAddr.AF_LINK -> {
                m.putInt(SCOPE, sa.scopeId());
                m.putLong(HI, sa.lo());
            }
            case SockAddr.AF_UNIX ->
                MemorySegment.copy(MemorySegment.ofArray(path(sa)), 0, m.seg(), m.data() + PATH, length - PATH);
            default -> {
                // the family says it all
            }
        }
    }

    /** Reads the address back. Borrows m. */
    static void decode(final Mbuf m, final SockAddr sa) {
        switch (m.getU8(FAMILY)) {
            case SockAddr.AF_INET -> decode4(m, sa);
            case SockAddr.AF_INET6 -> {
                sa.setIn6(m.getLong(HI), m.getLong(LO), m.getU16(PORT), m.getInt(SCOPE));
                sa.setFlowinfo(m.getInt(FLOW));
            }
            case SockAddr.AF_LINK -> sa.setLink(m.getLong(HI), m.getInt(SCOPE));
            case SockAddr.AF_UNIX -> {
                final byte[] octets = new byte[m.len() - PATH];
                m.copyData(PATH, octets.length, octets, 0);
                sa.set(SockAddr.un(new String(octets, StandardCharsets.UTF_8)));
            }
            default -> sa.clear();
        }
    }

    private static void decode4(final Mbuf m, final SockAddr sa) {
        final long word = m.getLong(0);
        sa.setIn((int) word, (int) (word >>> 32) & PORT_MASK);
    }

    private static byte[] path(final SockAddr sa) {
        final String path = sa.path() == null ? "" : sa.path();
        final byte[] octets = path.getBytes(StandardCharsets.UTF_8);
        return octets.length <= MAXADDRLEN - PATH ? octets : java.util.Arrays.copyOf(octets, MAXADDRLEN - PATH);
    }
}
