package io.gatun.conformance.netsim;

import java.time.Duration;
import java.util.Arrays;

/**
 * What one way of a link is like. Immutable: each method answers a changed copy.
 *
 * <pre>{@code
 * LinkSpec.rate(100_000_000).delay(Duration.ofMillis(20)).queue(100).loss(0.001)
 * }</pre>
 *
 * A packet is a network-layer packet; its octets and {@link #overhead} are what the rate carries. Probabilities are
 * 0 to 1 and independent of each other.
 */
public final class LinkSpec implements Cloneable {
    /** Octets around an IP packet on a real Ethernet: preamble, header, checksum, gap. */
    public static final int ETHERNET_OVERHEAD = 38;

    private static final int DEFAULT_MTU = 1500;

    long bitsPerSecond;
    long delayNs;
    long jitterNs;
    int queuePackets = Integer.MAX_VALUE;
    long queueOctets = Long.MAX_VALUE;
    int markPackets = Integer.MAX_VALUE;
    double loss;
    long[] lose = {};
    PacketRule rule;
    double reorder;
    long reorderNs;
    double duplicate;
    int mtu = DEFAULT_MTU;
    int overhead;

    private LinkSpec(final long bitsPerSecond) {
        this.bitsPerSecond = bitsPerSecond;
    }

    /** A link of so many bits per second, without delay, with a queue that never ends. */
    public static LinkSpec rate(final long bitsPerSecond) {
        if (bitsPerSecond <= 0) {
            throw new IllegalArgumentException("rate " + bitsPerSecond);
        }
        return new LinkSpec(bitsPerSecond);
    }

    private LinkSpec copy() {
        try {
            return (LinkSpec) super.clone();
        } catch (final CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    /** How long a bit is under way, after it has been sent. */
    public LinkSpec delay(final Duration d) {
        final LinkSpec s = copy();
        s.delayNs = d.toNanos();
        return s;
    }

    /** Up to so much more delay for each packet, at random; they stay in order. */
    public LinkSpec jitter(final Duration most) {
        final LinkSpec s = copy();
        s.jitterNs = most.toNanos();
        return s;
    }

    /** Packets that may wait, the one that is being sent included; the next is dropped. */
    public LinkSpec queue(final int packets) {
        final LinkSpec s = copy();
        s.queuePackets = positive(packets, "queue");
        return s;
    }

    /** Octets that may wait; a packet that does not fit is dropped. One packet always fits. */
    public LinkSpec queueOctets(final long octets) {
        final LinkSpec s = copy();
        s.queueOctets = octets;
        return s;
    }

    /** Packets that wait when an ECN-capable one that comes is marked CE, as by RED with both thresholds there. */
    public LinkSpec mark(final int packets) {
        final LinkSpec s = copy();
        s.markPackets = positive(packets, "mark");
        return s;
    }

    /** Loses packets at random, behind the queue. */
    public LinkSpec loss(final double probability) {
        final LinkSpec s = copy();
        s.loss = probability(probability);
        return s;
    }

    /** Loses these packets, counted from 1 by entry into the queue. */
    public LinkSpec lose(final long... numbers) {
        final LinkSpec s = copy();
        s.lose = numbers.clone();
        Arrays.sort(s.lose);
        return s;
    }

    /** Loses the packets a rule names. The rule may have state: then the copies of this share it. */
    public LinkSpec lose(final PacketRule which) {
        final LinkSpec s = copy();
        s.rule = which;
        return s;
    }

    /** Holds packets back at random for up to {@code by}, evenly distributed, so that later ones overtake them. */
    public LinkSpec reorder(final double probability, final Duration by) {
        final LinkSpec s = copy();
        s.reorder = probability(probability);
        s.reorderNs = by.toNanos();
        return s;
    }

    /** Delivers packets twice at random. */
    public LinkSpec duplicate(final double probability) {
        final LinkSpec s = copy();
        s.duplicate = probability(probability);
        return s;
    }

    /** Octets of the largest packet; 1500 by default. */
    public LinkSpec mtu(final int octets) {
        final LinkSpec s = copy();
        s.mtu = positive(octets, "mtu");
        return s;
    }

    /** Octets that each packet takes on the link besides its own; 0 by default. */
    public LinkSpec overhead(final int octets) {
        final LinkSpec s = copy();
        s.overhead = octets;
        return s;
    }

    /** Bits per second. */
    public long bitsPerSecond() {
        return bitsPerSecond;
    }

    private static int positive(final int n, final String what) {
        if (n <= 0) {
            throw new IllegalArgumentException(what + " " + n);
        }
        return n;
    }

    private static double probability(final double p) {
        if (!(p >= 0 && p <= 1)) {
            throw new IllegalArgumentException("probability " + p);
        }
        return p;
    }
}
