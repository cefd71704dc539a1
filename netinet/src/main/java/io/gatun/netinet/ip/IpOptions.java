package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;

/** IPv4 options. @bsd ip_dooptions */
public final class IpOptions {
    private final Inet inet;

    public IpOptions(Inet inet) {
        this.inet = inet;
    }
}
