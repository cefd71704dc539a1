package io.gatun.netinet.accf;

import static io.gatun.spi.socket.SocketDefs.SU_ISCONNECTED;
import static io.gatun.spi.socket.SocketDefs.SU_OK;

import io.gatun.spi.mbuf.Mbuf;
import io.gatun.spi.socket.AcceptFilter;
import io.gatun.spi.socket.SockBuf;
import io.gatun.spi.socket.SocketSide;
import io.gatun.spi.vnet.Sysctl;
import io.gatun.spi.vnet.SysctlTree;
import java.nio.charset.StandardCharsets;

/**
 * {@code httpready}: holds a connection until a whole GET or HEAD request of HTTP/1.0 or 1.1 has arrived, or what has
 * cannot be one. With {@code net.inet.accf.http.parsehttpversion} at 0 the version is not looked at, and its first line
 * is enough.
 *
 * @bsd accf_http
 * @see <a href="https://man.freebsd.org/accf_http/9">accf_http(9)</a>
 */
public final class AccfHttp implements AcceptFilter {
    private static final byte[][] METHODS = {ascii("GET "), ascii("HEAD ")};
    private static final byte[][] VERSIONS = {ascii("HTTP/1.0"), ascii("HTTP/1.1")};

    private Sysctl parseHttpVersion; // (c) once the vnet has begun

    /** For ServiceLoader. */
    public AccfHttp() {
        // no state but the vnet's tunable
    }

    private static byte[] ascii(final String s) {
        return s.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public String name() {
        return "httpready";
    }

    @Override
    public void modInit(final SysctlTree tree) {
        parseHttpVersion = tree.addBool("net.inet.accf.http.parsehttpversion", true,
            "hold until the whole header of an HTTP/1.0 or HTTP/1.1 request is there, not its first line alone");
    }

    /** @bsd sohashttpget */
    @Override
    public int callback(final SocketSide so, final Object state) {
        final SockBuf sb = so.rcv();
        if (AcceptFilter.full(sb) || sb.avail() > 0 && !mayBegin(sb)) {
            return SU_ISCONNECTED;
        }
        return complete(sb, parseHttpVersion.getBool()) ? SU_ISCONNECTED : SU_OK;
    }

    /** Whether what is there is a method, or its beginning. */
    private static boolean mayBegin(final SockBuf sb) {
        for (final byte[] method : METHODS) {
            int at = 0;
            while (at < method.length && at < sb.avail() && Request.octet(sb, at) == method[at]) {
                at++;
            }
            if (at == method.length || at == sb.avail()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Looks for the end of the first line, and behind it for an empty one.
     *
     * @bsd soparsehttpvers, soishttpconnected
     */
    private static boolean complete(final SockBuf sb, final boolean wholeHeader) {
        int line = 0;
        int length = 0; // octets of the present line, its carriage return not counted
        int at = 0;
        for (Mbuf m = sb.mb(); m != null; m = m.next()) {
            for (int i = 0; i < m.len(); i++, at++) {
                final int c = m.getU8(i);
                if (c == '\n') {
                    if (length == 0 && line > 0 || line == 0 && (!wholeHeader || !hasVersion(sb, at))) {
                        return true;
                    }
                    line++;
                    length = 0;
                } else if (c != '\r') {
                    length++;
                }
            }
        }
        return false;
    }

    /** Whether a known version stands before the line's end at {@code end}. */
    private static boolean hasVersion(final SockBuf sb, final int end) {
        final int behind = end > 0 && Request.octet(sb, end - 1) == '\r' ? end - 1 : end;
        for (final byte[] version : VERSIONS) {
            final int start = behind - version.length;
            int i = 0;
            while (start > 0 && i < version.length && Request.octet(sb, start + i) == version[i]) {
                i++;
            }
            if (i == version.length) {
                return true;
            }
        }
        return false;
    }
}
