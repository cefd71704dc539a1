package io.gatun.netinet.gmp;

import java.util.Arrays;

/**
 * Senders by address, in order. Immutable, so the data path may search one without a lock. An IPv4 address stands in
 * the low 32 bits of the low word.
 *
 * @bsd struct ip_msource_tree
 */
public final class SourceSet {
    /** No sender. */
    public static final SourceSet EMPTY = new SourceSet(new long[0], 0);

    private final long[] words; // hi and lo of each, in unsigned order

    private SourceSet(final long[] words, final int n) {
        this.words = n == words.length ? words : Arrays.copyOf(words, n);
    }

    /** One sender. */
    public static SourceSet of(final long hi, final long lo) {
        return new SourceSet(new long[] {hi, lo}, 2);
    }

    /** Senders in any order, of which some may come twice: two words each. Takes the array. */
    public static SourceSet of(final long[] words) {
        final int n = words.length / 2;
        final Integer[] order = new Integer[n];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> compare(words[2 * a], words[2 * a + 1], words[2 * b], words[2 * b + 1]));
        final long[] out = new long[2 * n];
        int k = 0;
        for (final int i : order) {
            if (k == 0 || out[k - 2] != words[2 * i] || out[k - 1] != words[2 * i + 1]) {
                out[k] = words[2 * i];
                out[k + 1] = words[2 * i + 1];
                k += 2;
            }
        }
        return new SourceSet(out, k);
    }

    public int size() {
        return words.length / 2;
    }

    public boolean isEmpty() {
        return words.length == 0;
    }

    /** First word of the sender at a place, from 0. */
    public long hi(final int i) {
        return words[2 * i];
    }

    /** Second word of the sender at a place, from 0. */
    public long lo(final int i) {
        return words[2 * i + 1];
    }

    /** Whether a sender is in it. Allocates nothing. */
    public boolean contains(final long hi, final long lo) {
        int from = 0;
        int to = size() - 1;
        while (from <= to) {
            final int at = from + to >>> 1;
            final int c = compare(words[2 * at], words[2 * at + 1], hi, lo);
            if (c == 0) {
                return true;
            }
            if (c < 0) {
                from = at + 1;
            } else {
                to = at - 1;
            }
        }
        return false;
    }

    private static int compare(final long aHi, final long aLo, final long bHi, final long bLo) {
        final int c = Long.compareUnsigned(aHi, bHi);
        return c != 0 ? c : Long.compareUnsigned(aLo, bLo);
    }

    /** Those in either. */
    public SourceSet union(final SourceSet other) {
        return merge(other, true, true, true);
    }

    /** Those in both. */
    public SourceSet intersection(final SourceSet other) {
        return merge(other, false, true, false);
    }

    /** Those in this alone. */
    public SourceSet minus(final SourceSet other) {
        return merge(other, true, false, false);
    }

    private SourceSet merge(final SourceSet b, final boolean mine, final boolean both, final boolean theirs) {
        final long[] out = new long[words.length + b.words.length];
        int n = 0;
        int i = 0;
        int j = 0;
        while (i < words.length || j < b.words.length) {
            final int c = i == words.length ? 1 : j == b.words.length ? -1
                : compare(words[i], words[i + 1], b.words[j], b.words[j + 1]);
            if (c < 0 ? mine : c > 0 ? theirs : both) {
                out[n] = c <= 0 ? words[i] : b.words[j];
                out[n + 1] = c <= 0 ? words[i + 1] : b.words[j + 1];
                n += 2;
            }
            i += c <= 0 ? 2 : 0;
            j += c >= 0 ? 2 : 0;
        }
        return new SourceSet(out, n);
    }

    /** {@code count} senders from a place on. */
    SourceSet slice(final int from, final int count) {
        return new SourceSet(Arrays.copyOfRange(words, 2 * from, 2 * (from + count)), 2 * count);
    }

    @Override
    public boolean equals(final Object o) {
        return o instanceof SourceSet s && Arrays.equals(words, s.words);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(words);
    }

    @Override
    public String toString() {
        final StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < size(); i++) {
            out.append(i == 0 ? "" : ", ").append(hi(i) == 0 ? "" : Long.toHexString(hi(i)) + ":")
                .append(Long.toHexString(lo(i)));
        }
        return out.append('}').toString();
    }
}
