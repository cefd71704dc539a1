package io.gatun.netinet.tcp;

/**
 * What the user has set for a connection and few users do: one object for all that set nothing, and one for all that
 * have the same from their listener. 0 stands for the vnet's default.
 *
 * @param keepinitNs longest handshake
 * @param keepidleNs silence before the first keepalive probe
 * @param keepintvlNs between two of them
 * @param keepcnt probes without an answer that end it
 * @param maxunackS longest time without progress, s
 * @param maxseg TCP_MAXSEG
 */
record TcpUserOpts(long keepinitNs, long keepidleNs, long keepintvlNs, int keepcnt, int maxunackS, int maxseg) {
    /** Nothing was set. */
    static final TcpUserOpts DEFAULT = new TcpUserOpts(0, 0, 0, 0, 0, 0);

    TcpUserOpts withKeepinit(long ns) {
        return new TcpUserOpts(ns, keepidleNs, keepintvlNs, keepcnt, maxunackS, maxseg);
    }

    TcpUserOpts withKeepidle(long ns) {
        return new TcpUserOpts(keepinitNs, ns, keepintvlNs, keepcnt, maxunackS, maxseg);
    }

    TcpUserOpts withKeepintvl(long ns) {
        return new TcpUserOpts(keepinitNs, keepidleNs, ns, keepcnt, maxunackS, maxseg);
    }

    TcpUserOpts withKeepcnt(int n) {
        return new TcpUserOpts(keepinitNs, keepidleNs, keepintvlNs, n, maxunackS, maxseg);
    }

    TcpUserOpts withMaxunack(int seconds) {
        return new TcpUserOpts(keepinitNs, keepidleNs, keepintvlNs, keepcnt, seconds, maxseg);
    }

    TcpUserOpts withMaxseg(int octets) {
        return new TcpUserOpts(keepinitNs, keepidleNs, keepintvlNs, keepcnt, maxunackS, octets);
    }
}
