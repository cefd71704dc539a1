package io.gatun.protosw;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * The callouts that are near, in exact order: by the instant they are queued for, then by the order in which they were
 * armed. A heap of four children a node; each callout knows its place. Grows and shrinks with what it holds, by halves
 * and so rarely. Guarded by its owner's lock.
 *
 * <p>Locking key: (w) the wheel's lock.
 */
final class CalloutHeap {
    private static final int FANOUT_SHIFT = 2;
    private static final int INITIAL = 16;
    /** With less than this part of it in use the array is halved. */
    private static final int SPARSE = 8;

    private VnetCallout[] items = new VnetCallout[INITIAL]; // (w)
    private int size; // (w)

    /** Callouts there is room for. */
    int room() {
        return items.length;
    }

    /** Visits all, in no order. Without the lock it may miss what moves, or meet it twice. */
    void forEach(Consumer<VnetCallout> visitor) {
        for (VnetCallout c : items) {
            if (c != null) {
                visitor.accept(c);
            }
        }
    }

    /** The earliest, or null. */
    VnetCallout peek() {
        return size == 0 ? null : items[0];
    }

    void add(VnetCallout c) {
        if (size == items.length) {
            items = Arrays.copyOf(items, 2 * size);
        }
        up(size++, c);
    }

    void remove(VnetCallout c) {
        int i = c.heapIndex;
        assert items[i] == c : c + " is not at " + i;
        c.heapIndex = -1;
        VnetCallout last = items[--size];
        items[size] = null;
        if (size < items.length / SPARSE && items.length > INITIAL) {
            items = Arrays.copyOf(items, items.length / 2);
        }
        if (i == size) {
            return;
        }
        if (i > 0 && before(last, items[i - 1 >> FANOUT_SHIFT])) {
            up(i, last);
        } else {
            down(i, last);
        }
    }

    private static boolean before(VnetCallout a, VnetCallout b) {
        return a.queuedNs() < b.queuedNs() || a.queuedNs() == b.queuedNs() && a.queuedSeq < b.queuedSeq;
    }

    private void up(int from, VnetCallout c) {
        int i = from;
        while (i > 0) {
            int parent = i - 1 >> FANOUT_SHIFT;
            if (!before(c, items[parent])) {
                break;
            }
            put(i, items[parent]);
            i = parent;
        }
        put(i, c);
    }

    private void down(int from, VnetCallout c) {
        int i = from;
        while (true) {
            int first = (i << FANOUT_SHIFT) + 1;
            if (first >= size) {
                break;
            }
            int least = first;
            int end = Math.min(first + (1 << FANOUT_SHIFT), size);
            for (int k = first + 1; k < end; k++) {
                if (before(items[k], items[least])) {
                    least = k;
                }
            }
            if (!before(items[least], c)) {
                break;
            }
            put(i, items[least]);
            i = least;
        }
        put(i, c);
    }

    private void put(int i, VnetCallout c) {
        items[i] = c;
        c.heapIndex = i;
    }
}
