package io.gatun.netinet.route;

/**
 * A longest-prefix table for addresses up to 128 bits: a tree bitmap with a stride of 6 bits. Nodes are immutable; an
 * update copies the nodes on its way and answers a new root, so one read of a root is one consistent table.
 *
 * <p>An address is two longs, first octets first; an IPv4 address stands in the upper half of {@code hi}. A node says
 * in one word which prefixes of 0 to 5 further bits it holds, and in another which of the 64 values of its 6 bits lead
 * on. A prefix that ends where the next node would begin, with nothing longer below it, stands in the slot itself: so
 * a table made of IPv4 /24 costs four nodes a look-up.
 *
 * <pre>
 *   inner   bit h is prefix h: 1 for none of the 6 bits, 2..3 for the first, 4..7 for the first two ... 32..63
 *   outer   bit i is child i
 *   slots   children by i, then next hops by h
 * </pre>
 *
 * @bsd struct radix_node_head
 */
final class FibTrie {
    /** The table without a prefix. */
    static final Node EMPTY = new Node(0, 0, new Object[0]);

    static final int STRIDE = 6;
    private static final int VALUES = 1 << STRIDE;
    private static final int TOP = Long.SIZE - STRIDE;
    private static final int LAST_ROW = VALUES / 2;
    private static final long[] COVERING = covering();

    /** Is shown the prefixes of a table in order. */
    @FunctionalInterface
    interface Visitor {
        void visit(long hi, long lo, int bits, NextHop nh);
    }

    /** Six bits of an address. */
    static final class Node {
        private final long inner;
        private final long outer;
        private final Object[] slots;

        Node(long inner, long outer, Object[] slots) {
            this.inner = inner;
            this.outer = outer;
            this.slots = slots;
        }

        private int childAt(int i) {
            return Long.bitCount(outer & (1L << i) - 1);
        }

        private int hopAt(int h) {
            return Long.bitCount(outer) + Long.bitCount(inner & (1L << h) - 1);
        }

        Object child(int i) {
            return (outer >>> i & 1) == 0 ? null : slots[childAt(i)];
        }

        private NextHop hop(int h) {
            return (inner >>> h & 1) == 0 ? null : (NextHop) slots[hopAt(h)];
        }

        /** The next hop of the longest prefix of 0 to 5 further bits that covers a value of 6; else the one given. */
        NextHop cover(int i, NextHop otherwise) {
            long match = inner & COVERING[i];
            return match == 0 ? otherwise : hop(Long.SIZE - 1 - Long.numberOfLeadingZeros(match));
        }

        /** The values of 6 bits at which the answer may differ from the one before: 0, and around what is here. */
        long edges() {
            long out = 1 | outer | outer << 1;
            for (long rest = inner; rest != 0; rest &= rest - 1) {
                int h = Long.numberOfTrailingZeros(rest);
                int unused = STRIDE - (Integer.SIZE - 1 - Integer.numberOfLeadingZeros(h));
                int end = h + 1 << unused;
                out |= 1L << (h << unused) | (end == 2 * VALUES ? 0 : 1L << end);
            }
            return out;
        }

        private Node withChild(int i, Object child) {
            boolean had = (outer >>> i & 1) != 0;
            return new Node(inner, child == null ? outer & ~(1L << i) : outer | 1L << i,
                replaced(childAt(i), had, child));
        }

        private Node withHop(int h, NextHop nh) {
            boolean had = (inner >>> h & 1) != 0;
            return new Node(nh == null ? inner & ~(1L << h) : inner | 1L << h, outer, replaced(hopAt(h), had, nh));
        }

        private Object[] replaced(int at, boolean had, Object now) {
            int gone = had ? 1 : 0;
            int come = now == null ? 0 : 1;
            Object[] next = new Object[slots.length - gone + come];
            System.arraycopy(slots, 0, next, 0, at);
            System.arraycopy(slots, at + gone, next, at + come, slots.length - at - gone);
            if (now != null) {
                next[at] = now;
            }
            return next;
        }

        /** What stands for this node in its parent: nothing, a lone next hop, or itself. */
        private Object shrunk() {
            if (inner == 0 && outer == 0) {
                return null;
            }
            return outer == 0 && inner == 2 ? slots[0] : this;
        }
    }

    private FibTrie() {
    }

    /** For each value of 6 bits, the prefixes of 0 to 5 bits that cover it. */
    private static long[] covering() {
        long[] out = new long[VALUES];
        for (int i = 0; i < VALUES; i++) {
            for (int h = (VALUES | i) >>> 1; h != 0; h >>>= 1) {
                out[i] |= 1L << h;
            }
        }
        return out;
    }

    /** The next hop of the longest prefix that covers the address, or null. */
    static NextHop longest(Node root, long addrHi, long addrLo) {
        long hi = addrHi;
        long lo = addrLo;
        Node n = root;
        Node best = null;
        int at = 0;
        while (true) {
            int i = (int) (hi >>> TOP);
            long match = n.inner & COVERING[i];
            if (match != 0) {
                best = n;
                at = Long.SIZE - 1 - Long.numberOfLeadingZeros(match);
            }
            long outer = n.outer;
            if ((outer >>> i & 1) == 0) {
                return best == null ? null : (NextHop) best.slots[best.hopAt(at)];
            }
            Object child = n.slots[Long.bitCount(outer & (1L << i) - 1)];
            if (child instanceof NextHop nh) {
                return nh;
            }
            n = (Node) child;
            hi = hi << STRIDE | lo >>> TOP;
            lo <<= STRIDE;
        }
    }

    /** The next hop of exactly this prefix, or null. */
    static NextHop exact(Node root, long prefixHi, long prefixLo, int prefixLen) {
        Node n = root;
        long hi = prefixHi;
        long lo = prefixLo;
        int bits = prefixLen;
        while (bits >= STRIDE) {
            Object child = n.child((int) (hi >>> TOP));
            bits -= STRIDE;
            if (!(child instanceof Node down)) {
                return bits == 0 ? (NextHop) child : null;
            }
            n = down;
            hi = hi << STRIDE | lo >>> TOP;
            lo <<= STRIDE;
        }
        return n.hop(index(hi, bits));
    }

    private static int index(long hi, int bits) {
        return bits == 0 ? 1 : 1 << bits | (int) (hi >>> Long.SIZE - bits);
    }

    /** A new root with the next hop at its prefix, in place of what was there; null takes the prefix out. */
    static Node put(Node n, long hi, long lo, int bits, NextHop nh) {
        if (bits < STRIDE) {
            int h = index(hi, bits);
            return nh == null && n.hop(h) == null ? n : n.withHop(h, nh);
        }
        int i = (int) (hi >>> TOP);
        Object child = n.child(i);
        if (bits == STRIDE && !(child instanceof Node)) {
            return child == nh ? n : n.withChild(i, nh);
        }
        Node down = child instanceof Node c ? c : child == null ? EMPTY : EMPTY.withHop(1, (NextHop) child);
        Node now = put(down, hi << STRIDE | lo >>> TOP, lo << STRIDE, bits - STRIDE, nh);
        return now == down ? n : n.withChild(i, now.shrunk());
    }

    /** Shows all prefixes, in order of address, shorter ones first. */
    static void forEach(Node root, Visitor visitor) {
        walk(root, 1, new long[] {0, 0}, 0, visitor);
    }

    /** One prefix of a node and all that it covers. */
    private static void walk(Node n, int h, long[] base, int depth, Visitor visitor) {
        int length = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(h);
        NextHop nh = n.hop(h);
        if (nh != null) {
            long[] p = joined(base, depth, h ^ 1 << length, length);
            visitor.visit(p[0], p[1], depth + length, nh);
        }
        for (int next = h << 1; next <= (h << 1 | 1); next++) {
            if (h < LAST_ROW) {
                walk(n, next, base, depth, visitor);
            } else {
                below(n.child(next ^ VALUES), joined(base, depth, next ^ VALUES, STRIDE), depth + STRIDE, visitor);
            }
        }
    }

    private static void below(Object child, long[] base, int depth, Visitor visitor) {
        if (child instanceof NextHop nh) {
            visitor.visit(base[0], base[1], depth, nh);
        } else if (child instanceof Node n) {
            walk(n, 1, base, depth, visitor);
        }
    }

    /** An address with some bits set behind the first {@code depth}. */
    private static long[] joined(long[] base, int depth, int value, int length) {
        if (length == 0) {
            return base;
        }
        long v = (long) value << Long.SIZE - length;
        if (depth >= Long.SIZE) {
            return new long[] {base[0], base[1] | v >>> depth - Long.SIZE};
        }
        return new long[] {base[0] | v >>> depth, base[1] | (depth == 0 ? 0 : v << Long.SIZE - depth)};
    }

    /** Nodes and slots of a table: what its memory is made of. */
    static long[] size(Node n) {
        long[] sum = {1, n.slots.length};
        for (Object o : n.slots) {
            if (o instanceof Node c) {
                long[] s = size(c);
                sum[0] += s[0];
                sum[1] += s[1];
            }
        }
        return sum;
    }

    static long maskHi(int bits) {
        return bits == 0 ? 0 : -1L << Math.max(0, Long.SIZE - bits);
    }

    static long maskLo(int bits) {
        return bits <= Long.SIZE ? 0 : -1L << 2 * Long.SIZE - bits;
    }
}
