package io.gatun.netinet.accf;

import static io.gatun.spi.socket.SocketDefs.SU_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SU_OK;

import io.gatun.spi.socket.AcceptFilter;
import io.gatun.spi.socket.SocketSide;

/**
 * {@code dataready}: holds a connection until an octet, or the end, has arrived.
 *
 * @bsd accf_data
 * @see <a href="https://man.freebsd.org/accf_data/9">accf_data(9)</a>
 */
public final class AccfData implements AcceptFilter {
    /** For ServiceLoader. */
    public AccfData() {
        // no state
    }

    @Override
    public String name() {
        return "dataready";
    }

    /** @bsd sohasdata */
    @Override
    public int callback(final SocketSide so, final Object state) {
        return so.rcv().avail() > 0 || AcceptFilter.full(so.rcv()) ? SU_ISCONNECTED : SU_OK;
    }
}
