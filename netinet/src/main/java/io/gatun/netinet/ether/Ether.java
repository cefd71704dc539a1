package io.gatun.netinet.ether;

import io.gatun.netinet.Inet;

/** Ethernet. */
public final class Ether {
    private final Inet inet;

    public Ether(Inet inet) {
        this.inet = inet;
    }
}
