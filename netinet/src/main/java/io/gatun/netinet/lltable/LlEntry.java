package io.gatun.netinet.lltable;

import io.gatun.spi.mbuf.Mbuf;

/**
 * A neighbour, known or asked for.
 *
 * <p>Locking key: (c) constant; (l) the table's lock; (w) written under (l), read without it; (r) benign race: a hint
 * that the entry is in use.
 *
 * @param <E> the entry of a protocol, which adds what it believes of a neighbour
 * @bsd struct llentry
 */
public abstract class LlEntry<E extends LlEntry<E>> {
    /** First eight octets of the address, its zone put in; 0 of IPv4. */
    public final long hi;         // (c)
    /** Last eight octets, or the IPv4 address in the low 32 bits. */
    public final long lo;         // (c)
    /** The header to it; null while it is not resolved. @bsd r_linkdata */
    public volatile LlHeader hdr; // (w)
    /** Whether somebody has sent to it since it was last looked at. */
    public boolean used;          // (r)
    /** When the timer is to look at it. */
    public long deadlineNs;       // (l)
    /** Requests since the last answer. @bsd la_asked */
    public int asked;             // (l)
    volatile E next;              // (w) in its hash chain
    E newer;                      // (l) in the list by age
    E older;                      // (l)
    private Mbuf holdHead;        // (l) packets that wait, by nextPkt
    private Mbuf holdTail;        // (l)
    private int held;             // (l)

    protected LlEntry(final long hi, final long lo) {
        this.hi = hi;
        this.lo = lo;
    }

    /** The next of all entries, not so long unused; null behind the last. Under the table's lock. */
    public final E newer() {
        return newer;
    }

    /** How many packets wait. Under the table's lock. @bsd la_numheld */
    public final int held() {
        return held;
    }

    /**
     * Puts a packet behind those that wait, and takes the first of them when there would be more than so many.
     *
     * @return the packet that has no room, which is the caller's; null for none
     * @bsd lltable_append_entry_queue
     */
    public final Mbuf hold(final Mbuf m, final int most) {
        if (holdTail == null) {
            holdHead = m;
        } else {
            holdTail.nextPkt(m);
        }
        holdTail = m;
        held++;
        return held > most ? unhold() : null;
    }

    /** Takes the oldest packet that waits; null when there is none. */
    public final Mbuf unhold() {
        final Mbuf m = holdHead;
        if (m != null) {
            holdHead = m.nextPkt();
            m.nextPkt(null);
            holdTail = holdHead == null ? null : holdTail;
            held--;
        }
        return m;
    }

    /** Takes all packets that wait, linked by nextPkt; null when there are none. @bsd lltable_drop_entry_queue */
    public final Mbuf unholdAll() {
        final Mbuf all = holdHead;
        holdHead = null;
        holdTail = null;
        held = 0;
        return all;
    }
}
