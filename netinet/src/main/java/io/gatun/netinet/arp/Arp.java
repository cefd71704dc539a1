package io.gatun.netinet.arp;

import io.gatun.netinet.Inet;

/** ARP. */
public final class Arp {
    private final Inet inet;

    public Arp(Inet inet) {
        this.inet = inet;
    }
}
