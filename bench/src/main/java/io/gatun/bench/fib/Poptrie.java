package io.gatun.bench.fib;

import io.gatun.netinet.route.NextHop;
import java.util.Arrays;

/**
 * Poptrie (Asai and Ohara, SIGCOMM 2015): a direct table of 18 bits, then nodes of 6 bits whose children and answers
 * stand side by side in flat arrays and are found by counting bits; runs of one answer are kept once. A change makes
 * the nodes below its slots of the direct table anew.
 *
 * <pre>
 *   direct  bit 31: number of a next hop; else a node
 *   nodes   three words each: which of 64 values lead on; which begin a run of answers; where its answers begin (upper
 *           half) and its children (lower half)
 * </pre>
 */
final class Poptrie implements Lpm {
    private static final int TOP_BITS = 18;
    private static final int STRIDE = 6;
    private static final int VALUES = 1 << STRIDE;
    private static final int WORDS = 3;
    private static final int LEVELS = 9;
    private static final int ANSWER = 1 << 31;

    private final Radix rib = new Radix();
    private final Hops hops = new Hops();
    private final int[] direct = new int[1 << TOP_BITS];
    private long[] nodes = new long[WORDS << 10];
    private char[] answers = new char[1 << 10];
    private final Room nodeRoom = new Room();
    private final Room answerRoom = new Room();
    /** By level, what a node in the making has below, and its answers. */
    private final Radix.Node[][] lower = new Radix.Node[LEVELS][VALUES];
    private final char[][] painted = new char[LEVELS][VALUES];

    /** Places of 1 to 64 in a flat array. */
    private static final class Room {
        private final int[][] unused = new int[VALUES + 1][4];
        private final int[] count = new int[VALUES + 1];
        private int end;

        int take(final int n) {
            if (count[n] > 0) {
                return unused[n][--count[n]];
            }
            end += n;
            return end - n;
        }

        void give(final int at, final int n) {
            if (count[n] == unused[n].length) {
                unused[n] = Arrays.copyOf(unused[n], 2 * count[n]);
            }
            unused[n][count[n]++] = at;
        }
    }

    Poptrie() {
        Arrays.fill(direct, ANSWER);
    }

    @Override
    public NextHop lookup(final long addr) {
        int e = direct[(int) (addr >>> Long.SIZE - TOP_BITS)];
        if (e < 0) {
            return hops.hops[e & ~ANSWER];
        }
        long rest = addr << TOP_BITS;
        while (true) {
            final int v = (int) (rest >>> Long.SIZE - STRIDE);
            final long upTo = (2L << v) - 1;
            final long down = nodes[WORDS * e];
            final long bases = nodes[WORDS * e + 2];
            if ((down >>> v & 1) == 0) {
                final long runs = nodes[WORDS * e + 1];
                return hops.hops[answers[(int) (bases >>> Integer.SIZE) + Long.bitCount(runs & upTo) - 1]];
            }
            e = (int) bases + Long.bitCount(down & upTo) - 1;
            rest <<= STRIDE;
        }
    }

    @Override
    public void put(final long prefix, final int bits, final NextHop nh) {
        rib.put(prefix, bits, nh);
        final int from = (int) ((prefix & Radix.mask(bits)) >>> Long.SIZE - TOP_BITS);
        final int n = bits >= TOP_BITS ? 1 : 1 << TOP_BITS - bits;
        for (int i = from; i < from + n; i++) {
            final int old = direct[i];
            direct[i] = slot((long) i << Long.SIZE - TOP_BITS);
            if (old >= 0) {
                free(old);
                nodeRoom.give(old, 1);
            }
        }
    }

    private int slot(final long key) {
        final Radix.Node cover = rib.cover(key, TOP_BITS + 1);
        final int covering = cover == null ? 0 : hops.number(cover.nh);
        final Radix.Node n = rib.below(key, TOP_BITS);
        if (n == null || n.bits == TOP_BITS && n.left == null && n.right == null) {
            return ANSWER | covering;
        }
        final int at = nodeRoom.take(1);
        build(at, n, TOP_BITS, (char) covering, 0);
        return at;
    }

    private void build(final int at, final Radix.Node top, final int depth, final char covering, final int level) {
        final Radix.Node[] down = lower[level];
        final char[] p = painted[level];
        Arrays.fill(down, null);
        Arrays.fill(p, covering);
        paint(top, depth, level);
        long children = 0;
        long runs = 0;
        int last = -1;
        for (int v = 0; v < VALUES; v++) {
            if (down[v] != null) {
                children |= 1L << v;
            } else if (p[v] != last) {
                runs |= 1L << v;
                last = p[v];
            }
        }
        final int leaves = answerRoom.take(Long.bitCount(runs));
        if (leaves + VALUES > answers.length) {
            answers = Arrays.copyOf(answers, 2 * answers.length);
        }
        int k = leaves;
        for (long rest = runs; rest != 0; rest &= rest - 1) {
            answers[k++] = p[Long.numberOfTrailingZeros(rest)];
        }
        final int base = children == 0 ? 0 : nodeRoom.take(Long.bitCount(children));
        while (WORDS * (Math.max(at, base) + VALUES) > nodes.length) {
            nodes = Arrays.copyOf(nodes, 2 * nodes.length);
        }
        nodes[WORDS * at] = children;
        nodes[WORDS * at + 1] = runs;
        nodes[WORDS * at + 2] = (long) leaves << Integer.SIZE | base;
        k = base;
        for (long rest = children; rest != 0; rest &= rest - 1) {
            final int v = Long.numberOfTrailingZeros(rest);
            build(k++, down[v], depth + STRIDE, p[v], level + 1);
        }
    }

    /** Answers of a node's 64 values, longer prefixes over shorter ones. */
    private void paint(final Radix.Node n, final int depth, final int level) {
        if (n == null) {
            return;
        }
        final int v = (int) (n.key << depth >>> Long.SIZE - STRIDE);
        final int end = depth + STRIDE;
        if (n.bits <= end && n.nh != null) {
            Arrays.fill(painted[level], v, v + (1 << end - n.bits), (char) hops.number(n.nh));
        }
        if (n.bits < end) {
            paint(n.left, depth, level);
            paint(n.right, depth, level);
        } else if (n.bits > end || n.left != null || n.right != null) {
            lower[level][v] = n;
        }
    }

    /** Gives back what a node has below. */
    private void free(final int at) {
        final int children = Long.bitCount(nodes[WORDS * at]);
        final int runs = Long.bitCount(nodes[WORDS * at + 1]);
        final long bases = nodes[WORDS * at + 2];
        answerRoom.give((int) (bases >>> Integer.SIZE), runs);
        for (int i = 0; i < children; i++) {
            free((int) bases + i);
        }
        if (children > 0) {
            nodeRoom.give((int) bases, children);
        }
    }
}
