package io.gatun.netinet.nd6;

import io.gatun.netinet.arp.LlHeader;
import io.gatun.spi.mbuf.Mbuf;
import java.util.ArrayDeque;

/**
 * A neighbour, known or asked for.
 *
 * <p>Locking key: (c) constant; (l) the table's lock; (w) written under (l), read without it.
 *
 * @bsd struct llentry
 */
final class Nd6Entry {
    final long hi;               // (c) with the zone put in
    final long lo;               // (c)
    volatile LlHeader hdr;       // (w) null while not resolved
    volatile Nd6State state = Nd6State.INCOMPLETE; // (w)
    volatile Nd6Entry next;      // (w) in its hash chain
    /** Packets that wait, oldest first. */
    final ArrayDeque<Mbuf> held = new ArrayDeque<>(); // (l)
    long deadlineNs;             // (l) when the timer is to look at it
    int asked;                   // (l) solicitations since the last answer

    Nd6Entry(final long hi, final long lo) {
        this.hi = hi;
        this.lo = lo;
    }
}
