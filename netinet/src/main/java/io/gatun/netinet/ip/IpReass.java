package io.gatun.netinet.ip;

import io.gatun.netinet.Inet;

/** Reassembly. @bsd ip_reass */
public final class IpReass {
    private final Inet inet;

    public IpReass(Inet inet) {
        this.inet = inet;
    }
}
