package io.gatun.bench.fib;

import io.gatun.netinet.route.NextHop;

/**
 * A path-compressed binary trie, as BSD has had since 1990. It is also what {@link Dir24x8} and {@link Poptrie} are
 * made from, as those cannot tell what a prefix that goes away has covered.
 */
final class Radix implements Lpm {
    /** A prefix, or a place where prefixes part. */
    static final class Node {
        final long key;
        final int bits;
        NextHop nh;
        Node left;
        Node right;

        Node(final long key, final int bits, final NextHop nh) {
            this.key = key;
            this.bits = bits;
            this.nh = nh;
        }

        private Node towards(final long addr) {
            return addr << bits < 0 ? right : left;
        }

        private void join(final Node child) {
            if (child.key << bits < 0) {
                right = child;
            } else {
                left = child;
            }
        }

        /** What stands for this node in its parent. */
        private Node shrunk() {
            if (nh != null || left != null && right != null) {
                return this;
            }
            return left == null ? right : left;
        }
    }

    Node root;

    static long mask(final int bits) {
        return bits == 0 ? 0 : -1L << Long.SIZE - bits;
    }

    @Override
    public NextHop lookup(final long addr) {
        NextHop best = null;
        Node n = root;
        while (n != null && ((addr ^ n.key) & mask(n.bits)) == 0) {
            if (n.nh != null) {
                best = n.nh;
            }
            n = n.towards(addr);
        }
        return best;
    }

    @Override
    public void put(final long prefix, final int bits, final NextHop nh) {
        root = put(root, prefix & mask(bits), bits, nh);
    }

    private static Node put(final Node n, final long key, final int bits, final NextHop nh) {
        if (n == null) {
            return nh == null ? null : new Node(key, bits, nh);
        }
        final int common = Math.min(Math.min(n.bits, bits), Long.numberOfLeadingZeros(key ^ n.key));
        if (common == n.bits) {
            if (bits == n.bits) {
                n.nh = nh;
            } else if (key << n.bits < 0) {
                n.right = put(n.right, key, bits, nh);
            } else {
                n.left = put(n.left, key, bits, nh);
            }
            return n.shrunk();
        }
        if (nh == null) {
            return n;
        }
        final Node up = new Node(key & mask(common), common, common == bits ? nh : null);
        up.join(n);
        if (common < bits) {
            up.join(new Node(key, bits, nh));
        }
        return up;
    }

    /** The longest prefix shorter than {@code bits} that covers this one, or null. */
    Node cover(final long key, final int bits) {
        Node best = null;
        Node n = root;
        while (n != null && n.bits < bits && ((key ^ n.key) & mask(n.bits)) == 0) {
            if (n.nh != null) {
                best = n;
            }
            n = n.towards(key);
        }
        return best;
    }

    /** The node above all prefixes of {@code bits} or more that begin with this one, or null. */
    Node below(final long key, final int bits) {
        Node n = root;
        while (n != null && n.bits < bits && ((key ^ n.key) & mask(n.bits)) == 0) {
            n = n.towards(key);
        }
        return n == null || n.bits < bits || ((key ^ n.key) & mask(bits)) != 0 ? null : n;
    }
}
