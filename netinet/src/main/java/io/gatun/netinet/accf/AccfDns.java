package io.gatun.netinet.accf;

import static io.gatun.spi.socket.SocketDefs.SU_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SU_OK;

import io.gatun.spi.socket.AcceptFilter;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketSide;

/**
 * {@code dnsready}: holds a connection until a whole DNS message with the length before it (RFC 1035 section 4.2.2) has
 * arrived, or what has cannot be one.
 *
 * @bsd accf_dns
 * @see <a href="https://man.freebsd.org/accf_dns/9">accf_dns(9)</a>
 */
public final class AccfDns implements AcceptFilter {
    private static final int LENGTH = 2;
    /** Octets of the header of a message, RFC 1035 section 4.1.1. */
    private static final int HEADER = 12;

    /** For ServiceLoader. */
    public AccfDns() {
        // no state
    }

    @Override
    public String name() {
        return "dnsready";
    }

    /** @bsd sohasdns */
    @Override
    public int callback(final SocketSide so, final Object state) {
        final SockBuf sb = so.rcv();
        if (AcceptFilter.full(sb)) {
            return SU_ISCONNECTED;
        }
        if (sb.avail() < LENGTH) {
            return SU_OK;
        }
        final int length = Request.get16(sb, 0);
        return length < HEADER || sb.avail() >= LENGTH + length ? SU_ISCONNECTED : SU_OK;
    }
}
