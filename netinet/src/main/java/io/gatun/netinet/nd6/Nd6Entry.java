package io.gatun.netinet.nd6;

import io.gatun.netinet.arp.LlHeader;
import io.gatun.spi.mbuf.Mbuf;
import java.util.ArrayDeque;
import java.util.Comparator;

/**
 * A neighbour, known or asked for.
 *
 * <p>Locking key: (c) constant; (l) the table's lock; (w) written under (l), read without it; (r) benign race: a hint
 * that the entry is in use.
 *
 * @bsd struct llentry
 */
final class Nd6Entry {
    /** The order in which entries are due; of two that are due together the older one is first. */
    static final Comparator<Nd6Entry> BY_DEADLINE =
        Comparator.<Nd6Entry>comparingLong(e -> e.deadlineNs).thenComparingLong(e -> e.number);

    final long hi;               // (c) with the zone put in
    final long lo;               // (c)
    private final long number;   // (c) in the order they were made
    volatile LlHeader hdr;       // (w) null while not resolved
    volatile Nd6State state = Nd6State.INCOMPLETE; // (w)
    volatile Nd6Entry next;      // (w) in its hash chain
    boolean used;                // (r)
    boolean proxied;             // (l) this host answers for it
    boolean dead;                // (l) no longer in the table
    /** Packets that wait, oldest first; null while none has. */
    private ArrayDeque<Mbuf> held; // (l)
    long deadlineNs = Nd6.NEVER; // (l) when the timer is to look at it
    int asked;                   // (l) solicitations since the last answer

    Nd6Entry(final long hi, final long lo, final long number) {
        this.hi = hi;
        this.lo = lo;
        this.number = number;
    }

    /** Puts a packet behind those that wait; answers the first, when there would be more than so many. */
    Mbuf hold(final Mbuf m, final int most) {
        if (held == null) {
            held = new ArrayDeque<>(2);
        }
        held.add(m);
        return held.size() > most ? held.poll() : null;
    }

    /** Takes the oldest packet that waits; null when there is none. */
    Mbuf unhold() {
        return held == null ? null : held.poll();
    }

    boolean holds() {
        return held != null && !held.isEmpty();
    }
}
