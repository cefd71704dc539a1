package io.gatun.conformance.netsim;

import java.util.Arrays;

/**
 * When each of a number of sources is due next: a binary heap with one entry for each source, which can be moved.
 * Sources that are due at the same instant come in the order of their numbers.
 */
final class EventHeap {
    /** Not due at all. */
    static final long NEVER = Long.MAX_VALUE;

    private static final int INITIAL = 16;

    private int size;
    private int[] heap = new int[INITIAL];
    private int[] place = new int[INITIAL];
    private long[] due = new long[INITIAL];

    /** A new source, not due; its number. */
    int add() {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
            place = Arrays.copyOf(place, 2 * size);
            due = Arrays.copyOf(due, 2 * size);
        }
        heap[size] = size;
        place[size] = size;
        due[size] = NEVER;
        return size++;
    }

    /** When the first is due, or {@link #NEVER}. */
    long firstNs() {
        return size == 0 ? NEVER : due[heap[0]];
    }

    /** Who is due first. */
    int first() {
        return heap[0];
    }

    /** Moves a source. */
    void set(final int source, final long atNs) {
        final long before = due[source];
        due[source] = atNs;
        if (atNs < before) {
            up(place[source]);
        } else if (atNs > before) {
            down(place[source]);
        }
    }

    private boolean before(final int a, final int b) {
        return due[a] < due[b] || due[a] == due[b] && a < b;
    }

    private void up(final int start) {
        int i = start;
        final int source = heap[i];
        while (i > 0 && before(source, heap[(i - 1) / 2])) {
            put(i, heap[(i - 1) / 2]);
            i = (i - 1) / 2;
        }
        put(i, source);
    }

    private void down(final int start) {
        int i = start;
        final int source = heap[i];
        int child = least(i);
        while (child < size && before(heap[child], source)) {
            put(i, heap[child]);
            i = child;
            child = least(i);
        }
        put(i, source);
    }

    /** The lesser child, or {@code size}. */
    private int least(final int i) {
        final int left = 2 * i + 1;
        if (left >= size) {
            return size;
        }
        return left + 1 < size && before(heap[left + 1], heap[left]) ? left + 1 : left;
    }

    private void put(final int i, final int source) {
        heap[i] = source;
        place[source] = i;
    }
}
