package io.gatun.conformance.netsim;

import java.util.Arrays;

/** The queue in front of a link: the packets whose last bit has not left yet, by when it will have. */
final class Backlog {
    private static final int INITIAL = 64;

    private long[] leaves = new long[INITIAL];
    private int[] sizes = new int[INITIAL];
    private int head;
    private int count;
    private long octets;

    /** Forgets those that have left by now. */
    void drain(final long nowNs) {
        while (count > 0 && leaves[head] <= nowNs) {
            octets -= sizes[head];
            head = head + 1 & leaves.length - 1;
            count--;
        }
    }

    void push(final long leavesNs, final int packetOctets) {
        if (count == leaves.length) {
            grow();
        }
        final int at = head + count & leaves.length - 1;
        leaves[at] = leavesNs;
        sizes[at] = packetOctets;
        count++;
        octets += packetOctets;
    }

    private void grow() {
        final int n = leaves.length;
        leaves = rotate(leaves, n);
        final int[] s = Arrays.copyOf(sizes, 2 * n);
        System.arraycopy(sizes, head, s, 0, n - head);
        System.arraycopy(sizes, 0, s, n - head, head);
        sizes = s;
        head = 0;
    }

    private long[] rotate(final long[] from, final int n) {
        final long[] to = new long[2 * n];
        System.arraycopy(from, head, to, 0, n - head);
        System.arraycopy(from, 0, to, n - head, head);
        return to;
    }

    /** Packets, the one on the wire included. */
    int packets() {
        return count;
    }

    long octets() {
        return octets;
    }
}
