package io.gatun.netinet.icmp6;

import io.gatun.netinet.pcb.SipHash;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * To whom answers to echo requests go in fragments that every link takes, since a packet too big told so. Nothing here
 * knows of the answers it sent, so anybody may have told; therefore what is learnt here is believed of answers alone
 * and not of the path. Bounded: a destination goes when another takes its place. Takes no lock.
 */
final class EchoPaths {
    private static final int SLOTS = 64;
    private static final long PURPOSE = 0x6563_686f_7036L;

    private final SipHash hash;
    private final AtomicLongArray slots = new AtomicLongArray(SLOTS);

    EchoPaths(final byte[] secret) {
        hash = new SipHash(secret, PURPOSE);
    }

    void narrow(final long hi, final long lo) {
        final long h = tag(hi, lo);
        slots.setOpaque((int) h & SLOTS - 1, h);
    }

    boolean isNarrow(final long hi, final long lo) {
        final long h = tag(hi, lo);
        return slots.getOpaque((int) h & SLOTS - 1) == h;
    }

    /** Never 0, which stands for nobody. */
    private long tag(final long hi, final long lo) {
        return hash.hash(hi, lo, 0) | 1L << Long.SIZE - 1;
    }
}
