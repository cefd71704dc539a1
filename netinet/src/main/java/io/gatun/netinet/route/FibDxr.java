package io.gatun.netinet.route;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.IdentityHashMap;

/**
 * What is looked up instead of a large {@link FibTrie}: a direct table of the first 18 bits, and below a slot the
 * answers by the next 6 bits where those tell all, else the ranges of the next 30 bits, sorted, each with its answer.
 * So most look-ups touch two places of memory that can be out of cache, where the trie has six. It is made from the
 * trie, and after a change the slots below the prefix are made anew.
 *
 * <pre>
 *   slot    null, a NextHop, runs, ranges, Deep, or - where there would be too many ranges - 64 slots of the next 6
 *           bits
 *   runs    long[]: bit v of the first word set where the answer for 6 bits of value v is another than for v-1; then
 *           the indices of the next hops of these runs, four a word, the first lowest
 *   ranges  char[] or int[]: starts 1..n-1 (start 0 is 0), then the indices of n next hops; char[] where the first 16
 *           of the 30 bits tell all and indices are small
 *   Deep    ranges of which some have for answer ~index of what lies below
 *   hops    next hops by index; index 0 is none
 * </pre>
 *
 * <p>A reader takes a slot, what it leads to, and only then {@code hops}, which is written before what refers to it. A
 * change of a prefix shorter than 18 bits is seen slot by slot; each address has the old or the new answer. An index is
 * never used for another next hop: when too many are dead, all is built again as another object.
 *
 * <p>Locking key: (l) the table's lock; (w) written under it, read without one.
 *
 * @bsd struct dxr
 */
final class FibDxr {
    /** Bits of the direct table: a multiple of the trie's stride. */
    private static final int TOP_BITS = 3 * FibTrie.STRIDE;
    private static final int RANGE_BITS = 5 * FibTrie.STRIDE;
    private static final int RANGE_MASK = (1 << RANGE_BITS) - 1;
    private static final int SHORT_SHIFT = RANGE_BITS - Character.SIZE;
    private static final int CHAR_MASK = (1 << Character.SIZE) - 1;
    private static final int FEW = 4; // steps of a search
    private static final int MAX_RANGES = 64;
    private static final int MIN_HOPS = 1 << 12;
    private static final int HEAD = 16; // octets of an array's or a small object's head
    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Object[].class);

    /** Ranges of which some lead further down. */
    private static final class Deep {
        final int[] ranges;
        final Object[] below; // elements (w)

        Deep(final int[] ranges, final Object[] below) {
            this.ranges = ranges;
            this.below = below;
        }
    }

    private final Object[] top = new Object[1 << TOP_BITS];  // elements (w)
    private volatile Object[] hops = new Object[MIN_HOPS];   // (w)
    private final IdentityHashMap<NextHop, Integer> indices = new IdentityHashMap<>(); // elements (l)
    private final int limit; // (c)
    // What is being built.
    private final int[] starts = new int[MAX_RANGES + 1];    // elements (l)
    private final int[] answers = new int[MAX_RANGES + 1];   // elements (l)
    private final Object[] nodes = new Object[MAX_RANGES + 1]; // elements (l) what ranges lead to
    private final NextHop[] covers = new NextHop[MAX_RANGES + 1]; // elements (l) and what covers it
    private int ranges; // (l) more than MAX_RANGES: too many
    private int deep;   // (l) entries of nodes
    private NextHop last; // (l) answer of the last range

    /** Built from a trie. */
    FibDxr(final FibTrie.Node root) {
        update(root, 0, 0, 0);
        limit = 2 * indices.size() + MIN_HOPS;
    }

    // Readers.

    /** The next hop of the longest prefix that covers the address, or null. @bsd dxr_lookup */
    NextHop longest(final long addrHi, final long addrLo) {
        final Object e = SLOT.getAcquire(top, (int) (addrHi >>> Long.SIZE - TOP_BITS));
        if (e instanceof long[] r) {
            return (NextHop) hops[answer(r, (int) (addrHi >>> Long.SIZE - TOP_BITS - FibTrie.STRIDE))];
        }
        if (e instanceof char[] r) {
            return (NextHop) hops[answer(r, (int) (addrHi >>> Long.SIZE - TOP_BITS - Character.SIZE) & CHAR_MASK)];
        }
        if (e instanceof int[] r) {
            return (NextHop) hops[answer(r, (int) (addrHi >>> Long.SIZE - TOP_BITS - RANGE_BITS) & RANGE_MASK)];
        }
        return e == null || e instanceof NextHop ? (NextHop) e : further(e, addrHi, addrLo);
    }

    /**
     * Touches what {@link #longest} will read, without a branch that depends on it: so the misses of several addresses
     * overlap.
     *
     * @return of no meaning; to be used, lest the compiler leave the reads out
     */
    int touch(final long addrHi) {
        final Object e = SLOT.getAcquire(top, (int) (addrHi >>> Long.SIZE - TOP_BITS));
        if (e instanceof long[] r) {
            return (int) r[r.length - 1];
        }
        if (e instanceof char[] r) {
            return r[r.length - 1];
        }
        return e instanceof int[] r ? r[r.length >>> 1] + r[r.length - 1] : 0;
    }

    /** The answer of the last run that begins at or before the lowest 6 bits of a value. */
    private static int answer(final long[] r, final int v) {
        final int i = Long.bitCount(r[0] << ~v) - 1; // shifts count modulo 64
        return (int) (r[1 + (i >> 2)] >>> (i << 4)) & CHAR_MASK;
    }

    /** Binary search without a branch that depends on the key or, up to 16 ranges, on how many there are. */
    private static int answer(final char[] r, final int key) {
        final int n = r.length + 1 >>> 1;
        int len = n;
        int at = 0;
        if (n <= 1 << FEW) {
            for (int i = 0; i < FEW; i++) {
                final int half = len >>> 1;
                final int x = at + half - 1;
                at += half & r[x - (x >> Integer.SIZE - 1)] - key - 1 >> Integer.SIZE - 1;
                len -= half;
            }
            return r[n - 1 + at];
        }
        while (len > 1) {
            final int half = len >>> 1;
            at += half & r[at + half - 1] - key - 1 >> Integer.SIZE - 1;
            len -= half;
        }
        return r[n - 1 + at];
    }

    /** The same for long ranges. */
    private static int answer(final int[] r, final int key) {
        final int n = r.length + 1 >>> 1;
        int len = n;
        int at = 0;
        if (n <= 1 << FEW) {
            for (int i = 0; i < FEW; i++) {
                final int half = len >>> 1;
                final int x = at + half - 1;
                at += half & r[x - (x >> Integer.SIZE - 1)] - key - 1 >> Integer.SIZE - 1;
                len -= half;
            }
            return r[n - 1 + at];
        }
        while (len > 1) {
            final int half = len >>> 1;
            at += half & r[at + half - 1] - key - 1 >> Integer.SIZE - 1;
            len -= half;
        }
        return r[n - 1 + at];
    }

    private NextHop further(final Object first, final long addrHi, final long addrLo) {
        Object e = first;
        int depth = TOP_BITS;
        while (e != null && !(e instanceof NextHop)) {
            final long rest = rest(addrHi, addrLo, depth);
            if (e instanceof Object[] slots) {
                e = SLOT.getAcquire(slots, (int) (rest >>> Long.SIZE - FibTrie.STRIDE));
                depth += FibTrie.STRIDE;
            } else if (e instanceof long[] r) {
                e = hops[answer(r, (int) (rest >>> Long.SIZE - FibTrie.STRIDE))];
            } else if (e instanceof char[] r) {
                e = hops[answer(r, (int) (rest >>> Long.SIZE - Character.SIZE))];
            } else {
                final int[] r = e instanceof Deep d ? d.ranges : (int[]) e;
                final int answer = answer(r, (int) (rest >>> Long.SIZE - RANGE_BITS));
                e = answer < 0 ? SLOT.getAcquire(((Deep) e).below, ~answer) : hops[answer];
                depth += RANGE_BITS;
            }
        }
        return (NextHop) e;
    }

    /** An address without its first bits. */
    private static long rest(final long hi, final long lo, final int depth) {
        if (depth >= Long.SIZE) {
            return lo << depth - Long.SIZE;
        }
        return depth == 0 ? hi : hi << depth | lo >>> Long.SIZE - depth;
    }

    // The writer.

    /** Whether so many next hops are dead that another should be built. */
    boolean worn() {
        return indices.size() > limit;
    }

    /**
     * Takes over what a trie has at and below a prefix. The caller holds the table's lock.
     *
     * @bsd dxr_change_rib_batch
     */
    void update(final FibTrie.Node root, final long hi, final long lo, final int bits) {
        final int from = (int) (hi >>> Long.SIZE - TOP_BITS);
        if (bits < TOP_BITS) {
            for (int i = from; i < from + (1 << TOP_BITS - bits); i++) {
                renew(top, i, root, (long) i << Long.SIZE - TOP_BITS, 0, TOP_BITS);
            }
            return;
        }
        Object[] slots = top;
        int i = from;
        int depth = TOP_BITS;
        while (true) {
            final long rest = rest(hi, lo, depth);
            if (slots[i] instanceof Object[] inner && bits >= depth + FibTrie.STRIDE) {
                slots = inner;
                i = (int) (rest >>> Long.SIZE - FibTrie.STRIDE);
                depth += FibTrie.STRIDE;
            } else if (slots[i] instanceof Deep d && bits >= depth + RANGE_BITS
                    && answer(d.ranges, (int) (rest >>> Long.SIZE - RANGE_BITS)) < 0) {
                slots = d.below;
                i = ~answer(d.ranges, (int) (rest >>> Long.SIZE - RANGE_BITS));
                depth += RANGE_BITS;
            } else {
                renew(slots, i, root, hi, lo, depth);
                return;
            }
        }
    }

    private void renew(final Object[] slots, final int i, final FibTrie.Node root, final long hi, final long lo,
            final int depth) {
        FibTrie.Node node = root;
        Object child = root;
        NextHop cover = null;
        for (int at = 0; at < depth && child instanceof FibTrie.Node down; at += FibTrie.STRIDE) {
            node = down;
            final int v = (int) (rest(hi, lo, at) >>> Long.SIZE - FibTrie.STRIDE);
            cover = node.cover(v, cover);
            child = node.child(v);
        }
        SLOT.setRelease(slots, i, built(child, cover));
    }

    /** What a slot has: for a child of one of the trie's nodes, and what covers it. */
    private Object built(final Object child, final NextHop cover) {
        if (!(child instanceof FibTrie.Node node)) {
            return child == null ? cover : child;
        }
        ranges = 0;
        deep = 0;
        collect(node, cover, 0, RANGE_BITS - FibTrie.STRIDE);
        if (deep == 0 && ranges > 1 && ranges <= MAX_RANGES && fits(FibTrie.STRIDE)) {
            return runs();
        }
        if (ranges > MAX_RANGES) {
            return slots(node, cover);
        }
        if (ranges == 1 && deep == 0) {
            return hops[answers[0]];
        }
        if (deep == 0 && fits(Character.SIZE)) {
            return shortRanges();
        }
        final int[] r = new int[2 * ranges - 1];
        System.arraycopy(starts, 1, r, 0, ranges - 1);
        System.arraycopy(answers, 0, r, ranges - 1, ranges);
        if (deep == 0) {
            return r;
        }
        final Object[] below = Arrays.copyOf(nodes, deep);
        final NextHop[] over = Arrays.copyOf(covers, deep);
        for (int i = 0; i < below.length; i++) {
            below[i] = built(below[i], over[i]);
        }
        return new Deep(r, below);
    }

    /** Whether so many first bits tell all, and indices are small. */
    private boolean fits(final int first) {
        int bits = 0;
        for (int i = 0; i < ranges; i++) {
            bits |= starts[i];
        }
        return (bits & (1 << RANGE_BITS - first) - 1) == 0 && indices.size() <= CHAR_MASK;
    }

    private long[] runs() {
        final long[] r = new long[1 + (ranges + 3 >> 2)];
        for (int i = 0; i < ranges; i++) {
            r[0] |= 1L << (starts[i] >>> RANGE_BITS - FibTrie.STRIDE);
            r[1 + (i >> 2)] |= (long) answers[i] << (i << 4);
        }
        return r;
    }

    private char[] shortRanges() {
        final char[] r = new char[2 * ranges - 1];
        for (int i = 0; i < ranges; i++) {
            r[i + ranges - 1] = (char) answers[i];
            if (i > 0) {
                r[i - 1] = (char) (starts[i] >>> SHORT_SHIFT);
            }
        }
        return r;
    }

    private Object[] slots(final FibTrie.Node node, final NextHop cover) {
        final Object[] out = new Object[1 << FibTrie.STRIDE];
        for (int v = 0; v < out.length; v++) {
            out[v] = built(node.child(v), node.cover(v, cover));
        }
        return out;
    }

    private void collect(final FibTrie.Node node, final NextHop cover, final int base, final int shift) {
        for (long e = node.edges(); e != 0 && ranges <= MAX_RANGES; e &= e - 1) {
            final int v = Long.numberOfTrailingZeros(e);
            final NextHop inherited = node.cover(v, cover);
            final Object child = node.child(v);
            final int start = base | v << shift;
            if (!(child instanceof FibTrie.Node down)) {
                hop(start, child == null ? inherited : (NextHop) child);
            } else if (shift > 0) {
                collect(down, inherited, start, shift - FibTrie.STRIDE);
            } else {
                nodes[deep] = down;
                covers[deep] = inherited;
                last = null;
                range(start, ~deep++);
            }
        }
    }

    private void hop(final int start, final NextHop nh) {
        if (ranges > 0 && nh == last && answers[Math.min(ranges, answers.length) - 1] >= 0) {
            return;
        }
        last = nh;
        range(start, index(nh));
    }

    private void range(final int start, final int answer) {
        if (ranges <= MAX_RANGES) {
            starts[ranges] = start;
            answers[ranges] = answer;
        }
        ranges++;
    }

    private int index(final NextHop nh) {
        if (nh == null) {
            return 0;
        }
        final Integer known = indices.get(nh);
        if (known != null) {
            return known;
        }
        final int i = indices.size() + 1;
        if (i == hops.length) {
            hops = Arrays.copyOf(hops, 2 * i);
        }
        hops[i] = nh;
        indices.put(nh, i);
        return i;
    }

    // Figures.

    /** Estimated octets of heap, next hops not counted. */
    long memory() {
        return HEAD + (long) Integer.BYTES * hops.length + size(top);
    }

    private static long size(final Object[] slots) {
        long sum = HEAD + (long) Integer.BYTES * slots.length;
        for (final Object o : slots) {
            sum += switch (o) {
                case long[] r -> HEAD + (long) Long.BYTES * r.length;
                case char[] r -> HEAD + (long) Character.BYTES * r.length;
                case int[] r -> HEAD + (long) Integer.BYTES * r.length;
                case Deep d -> HEAD + HEAD + (long) Integer.BYTES * d.ranges.length + size(d.below);
                case Object[] inner -> size(inner);
                case null, default -> 0;
            };
        }
        return sum;
    }
}
