package io.gatun.netinet.accf;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.SockBuf;

/** The octets at the front of a receive buffer, read one after the other. Its lock is held. */
final class Request {
    /** No octet is there. */
    static final int NONE = -1;

    private Request() {
    }

    /** The octet at that place, 0..255, or {@link #NONE}. */
    static int octet(final SockBuf sb, final int at) {
        int left = at;
        for (Mbuf m = sb.mb(); m != null; m = m.next()) {
            if (left < m.len()) {
                return m.getU8(left);
            }
            left -= m.len();
        }
        return NONE;
    }

    /** Two octets in network order; both are there. */
    static int get16(final SockBuf sb, final int at) {
        return octet(sb, at) << Byte.SIZE | octet(sb, at + 1);
    }
}
