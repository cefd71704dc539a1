package io.gatun.netinet.nd6;

import io.gatun.netinet.lltable.LlEntry;
import java.util.Comparator;

/**
 * An IPv6 neighbour, known or asked for.
 *
 * <p>Locking key: (c) constant; (l) the table's lock; (w) written under (l), read without it.
 *
 * @bsd struct llentry
 */
final class Nd6Entry extends LlEntry<Nd6Entry> {
    /** The order in which entries are due; of two that are due together the older one is first. */
    static final Comparator<Nd6Entry> BY_DEADLINE =
        Comparator.<Nd6Entry>comparingLong(e -> e.deadlineNs).thenComparingLong(e -> e.number);

    private final long number;   // (c) in the order they were made
    volatile Nd6State state = Nd6State.INCOMPLETE; // (w)
    boolean proxied;             // (l) this host answers for it
    boolean dead;                // (l) no longer in the table

    Nd6Entry(final long hi, final long lo, final long number) {
        super(hi, lo);
        this.number = number;
        deadlineNs = Nd6.NEVER;
    }
}
