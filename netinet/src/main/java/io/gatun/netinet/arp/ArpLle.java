package io.gatun.netinet.arp;

import io.gatun.netinet.lltable.LlEntry;

/**
 * An IPv4 neighbour, known or asked for.
 *
 * <p>Locking key: (l) the table's lock.
 *
 * @bsd struct llentry
 */
public final class ArpLle extends LlEntry<ArpLle> {
    ArpState state = ArpState.INCOMPLETE; // (l)
    long expireNs;                        // (l) when what is known is no longer believed
    boolean published;                    // (l) this host answers for it
    long askedNs;                         // (l) when the last request went out

    ArpLle(final long lo) {
        super(0, lo);
    }

    int addr() {
        return (int) lo;
    }
}
