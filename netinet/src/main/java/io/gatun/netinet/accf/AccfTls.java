package io.gatun.netinet.accf;

import static io.gatun.spi.socket.SocketDefs.SU_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SU_OK;

import io.gatun.spi.socket.AcceptFilter;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketSide;

/**
 * {@code tlsready}: holds a connection until a whole TLS record of type handshake (RFC 8446 section 5.1) has arrived,
 * or what has cannot be one.
 *
 * @bsd accf_tls
 * @see <a href="https://man.freebsd.org/accf_tls/9">accf_tls(9)</a>
 */
public final class AccfTls implements AcceptFilter {
    private static final int HEADER = 5;
    private static final int HANDSHAKE = 22;
    private static final int MAJOR_VERSION = 3;
    private static final int VERSION_AT = 1;
    private static final int LENGTH_AT = 3;
    /** Longest record, RFC 8446 section 5.1. */
    private static final int MAX_LENGTH = 1 << 14;

    /** For ServiceLoader. */
    public AccfTls() {
        // no state
    }

    @Override
    public String name() {
        return "tlsready";
    }

    /** @bsd sohastls */
    @Override
    public int callback(final SocketSide so, final Object state) {
        final SockBuf sb = so.rcv();
        if (AcceptFilter.full(sb) || isNot(sb, 0, HANDSHAKE) || isNot(sb, VERSION_AT, MAJOR_VERSION)) {
            return SU_ISCONNECTED;
        }
        if (sb.avail() < HEADER) {
            return SU_OK;
        }
        final int length = Request.get16(sb, LENGTH_AT);
        return length > MAX_LENGTH || sb.avail() >= HEADER + length ? SU_ISCONNECTED : SU_OK;
    }

    private static boolean isNot(final SockBuf sb, final int at, final int wanted) {
        final int octet = Request.octet(sb, at);
        return octet != Request.NONE && octet != wanted;
    }
}
