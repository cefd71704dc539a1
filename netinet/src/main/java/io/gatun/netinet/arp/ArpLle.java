package io.gatun.netinet.arp;

import io.gatun.spi.mbuf.Mbuf;

/**
 * A neighbour, known or asked for.
 *
 * <p>Locking key: (c) constant; (l) the table's lock; (w) written under (l), read without it; (r) benign race: a hint
 * that the entry is in use.
 *
 * @bsd struct llentry
 */
final class LlEntry {
    final int addr;           // (c)
    volatile LlHeader hdr;    // (w) null while not resolved
    volatile LlEntry next;    // (w) in its hash chain
    boolean used;             // (r)
    ArpState state;           // (l)
    long deadlineNs;          // (l) when the timer is to look at it
    long expireNs;            // (l) when what is known is no longer believed
    long askedNs;             // (l) when the last request went out
    int asked;                // (l) requests since the last answer
    Mbuf holdHead;            // (l) packets that wait, by nextPkt
    Mbuf holdTail;            // (l)
    int held;                 // (l) packets that wait
    LlEntry newer;            // (l) in the list by age
    LlEntry older;            // (l)

    LlEntry(int addr) {
        this.addr = addr;
    }

    /** Puts a packet behind those that wait. */
    void hold(Mbuf m) {
        if (holdTail == null) {
            holdHead = m;
        } else {
            holdTail.nextPkt(m);
        }
        holdTail = m;
        held++;
    }

    /** Takes the oldest packet that waits; null when there is none. */
    Mbuf unhold() {
        Mbuf m = holdHead;
        if (m != null) {
            holdHead = m.nextPkt();
            m.nextPkt(null);
            holdTail = holdHead == null ? null : holdTail;
            held--;
        }
        return m;
    }
}
