package io.gatun.netinet.route;

import java.util.function.Consumer;

/**
 * A path-compressed binary trie of prefixes up to 128 bits. Nodes are immutable: an update copies the path from the
 * root
 * and answers a new root, so a reader that holds an old one reads a consistent past.
 *
 * <p>An IPv4 address stands in the upper half of {@code hi}; IPv6 uses both words.
 *
 * @bsd struct radix_node
 */
final class PrefixTrie {
    /** A prefix with or without a route of its own. */
    static final class Node {
        final long hi;
        final long lo;
        final int bits;
        private final long maskHi;
        private final long maskLo;
        final Route route;
        final Node zero;
        final Node one;

        Node(long hi, long lo, int bits, Route route, Node zero, Node one) {
            this.hi = hi;
            this.lo = lo;
            this.bits = bits;
            this.maskHi = maskHi(bits);
            this.maskLo = maskLo(bits);
            this.route = route;
            this.zero = zero;
            this.one = one;
        }

        boolean covers(long h, long l) {
            return ((h ^ hi) & maskHi | (l ^ lo) & maskLo) == 0;
        }

        Node child(long h, long l) {
            return bit(h, l, bits) ? one : zero;
        }

        Node with(Route r) {
            return new Node(hi, lo, bits, r, zero, one);
        }

        Node withChild(boolean upper, Node n) {
            return new Node(hi, lo, bits, route, upper ? zero : n, upper ? n : one);
        }
    }

    private PrefixTrie() {
    }

    static long maskHi(int bits) {
        return bits == 0 ? 0 : -1L << Math.max(0, Long.SIZE - bits);
    }

    static long maskLo(int bits) {
        return bits <= Long.SIZE ? 0 : -1L << 2 * Long.SIZE - bits;
    }

    /** Bit {@code n} counted from the most significant; false behind the last. */
    private static boolean bit(long h, long l, int n) {
        return (n < Long.SIZE ? h << n : l << n - Long.SIZE) < 0 && n < 2 * Long.SIZE;
    }

    /** The route of the longest prefix that covers the address, or null. */
    static Route longest(Node root, long h, long l) {
        Route best = null;
        Node n = root;
        while (n != null && n.covers(h, l)) {
            if (n.route != null) {
                best = n.route;
            }
            n = n.child(h, l);
        }
        return best;
    }

    /** The route of exactly this prefix, or null. */
    static Route exact(Node root, long h, long l, int bits) {
        Node n = root;
        while (n != null && n.bits < bits && n.covers(h, l)) {
            n = n.child(h, l);
        }
        return n != null && n.bits == bits && n.covers(h, l) ? n.route : null;
    }

    /** A new root with the route at its prefix, replacing what was there. */
    static Node put(Node n, long h, long l, int bits, Route r) {
        if (n == null) {
            return new Node(h, l, bits, r, null, null);
        }
        int common = Math.min(commonBits(n, h, l), Math.min(bits, n.bits));
        if (common == n.bits) {
            if (common == bits) {
                return n.with(r);
            }
            boolean upper = bit(h, l, n.bits);
            return n.withChild(upper, put(upper ? n.one : n.zero, h, l, bits, r));
        }
        if (common == bits) {
            boolean upper = bit(n.hi, n.lo, bits);
            return new Node(h, l, bits, r, upper ? null : n, upper ? n : null);
        }
        Node leaf = new Node(h, l, bits, r, null, null);
        boolean upper = bit(h, l, common);
        return new Node(h & maskHi(common), l & maskLo(common), common, null, upper ? n : leaf, upper ? leaf : n);
    }

    /** A new root without a route at that prefix; nodes that only joined are dissolved. */
    static Node remove(Node n, long h, long l, int bits) {
        if (n == null || n.bits > bits || !n.covers(h, l)) {
            return n;
        }
        if (n.bits == bits) {
            return dissolve(n.with(null));
        }
        boolean upper = bit(h, l, n.bits);
        Node child = upper ? n.one : n.zero;
        Node now = remove(child, h, l, bits);
        return now == child ? n : dissolve(n.withChild(upper, now));
    }

    private static Node dissolve(Node n) {
        if (n.route != null || n.zero != null && n.one != null) {
            return n;
        }
        return n.zero != null ? n.zero : n.one;
    }

    static void forEach(Node n, Consumer<Route> visitor) {
        if (n == null) {
            return;
        }
        if (n.route != null) {
            visitor.accept(n.route);
        }
        forEach(n.zero, visitor);
        forEach(n.one, visitor);
    }

    private static int commonBits(Node n, long h, long l) {
        int inHi = Long.numberOfLeadingZeros(n.hi ^ h);
        return inHi < Long.SIZE ? inHi : Long.SIZE + Long.numberOfLeadingZeros(n.lo ^ l);
    }
}
