package io.gatun.spi.mbuf;

import io.gatun.spi.sys.Padded;

/**
 * The free items of one kind (mbufs, or clusters of one size), by number. The depot is a stack behind a short lock;
 * each {@link Stripe} keeps a {@link Bin} of items in front of it and exchanges them in batches.
 *
 * <p>The limit is exact: before "none left" is answered, every stripe is searched, and the search is repeated when
 * items moved between depot and stripes meanwhile.
 *
 * <p>Locking key: (c) constant, (m) the monitor of this zone. Order: a claimed stripe, then the monitor.
 *
 * @bsd uma_zone
 */
final class Zone {
    private static final int MAX_BATCH = 64;

    final String name;                  // (c)
    final int kind;                     // (c) index of this zone's bin in every stripe
    final int first;                    // (c) number of the first item
    final int limit;                    // (c) items there are
    final int itemOctets;               // (c)
    final int batch;                    // (c) items moved at once between depot and bin
    private final int[] depot;          // (m)
    private int free;                   // (m) items in depot
    private long moves;                 // (m) transfers between depot and bins so far
    private long taken;                 // (m) items taken around the bins
    private long denied;                // (m)

    Zone(String name, int kind, int first, int limit, int itemOctets, int stripes) {
        this.name = name;
        this.kind = kind;
        this.first = first;
        this.limit = limit;
        this.itemOctets = itemOctets;
        batch = Math.clamp(limit / (4L * stripes), 1, MAX_BATCH);
        depot = new int[limit];
        for (int i = 0; i < limit; i++) {
            depot[i] = first + limit - 1 - i;
        }
        free = limit;
    }

    /** Moves a batch from the depot to the empty bin. False when the depot is empty. */
    synchronized boolean refill(Bin bin) {
        int n = Math.min(batch, free);
        if (n == 0) {
            return false;
        }
        free -= n;
        System.arraycopy(depot, free, bin.items, 0, n);
        bin.n = n;
        moves++;
        return true;
    }

    /** Moves the {@code n} items that lay longest in the bin to the depot. */
    synchronized void flush(Bin bin, int n) {
        assert n <= bin.n && free + n <= limit : "more free than there are: " + name;
        System.arraycopy(bin.items, 0, depot, free, n);
        free += n;
        bin.n -= n;
        System.arraycopy(bin.items, n, bin.items, 0, bin.n);
        moves++;
    }

    /**
     * Takes one item from wherever there is one; the caller has no stripe claimed. Returns -1 when there is none at
     * all.
     */
    int takeAnywhere(Stripe[] stripes) {
        long seen;
        do {
            synchronized (this) {
                if (free > 0) {
                    taken++;
                    free--;
                    return depot[free];
                }
                seen = moves;
            }
            int item = raid(stripes);
            if (item >= 0) {
                return item;
            }
        } while (!nothingMoved(seen));
        return -1;
    }

    private int raid(Stripe[] stripes) {
        for (int i = 0; i < stripes.length; i++) {
            Stripe s = stripes[i];
            s.claim();
            int item = s.bins[kind].rob();
            s.unclaim();
            if (item >= 0) {
                return item;
            }
        }
        return -1;
    }

    private synchronized boolean nothingMoved(long seen) {
        if (free > 0 || moves != seen) {
            return false;
        }
        denied++;
        return true;
    }

    /** A request was refused although there was one. */
    synchronized void deny() {
        denied++;
    }

    synchronized int free() {
        return free;
    }

    synchronized long taken() {
        return taken;
    }

    synchronized long denied() {
        return denied;
    }

    /** Marks in {@code seen} (by item number) what the depot holds; complains of an item found twice. */
    synchronized void mark(boolean[] seen) {
        markAll(name + " depot", depot, free, seen);
    }

    static void markAll(String where, int[] items, int n, boolean[] seen) {
        for (int i = 0; i < n; i++) {
            if (seen[items[i]]) {
                throw new IllegalStateException(where + ": item " + items[i] + " is free twice");
            }
            seen[items[i]] = true;
        }
    }

    /**
     * A stripe's stack of free items in front of a zone. Everything is guarded by the claim of the stripe.
     *
     * @bsd uma_bucket
     */
    static final class Bin extends Padded {
        private final Zone zone;
        final int[] items;
        int n;
        long taken;

        Bin(Zone zone) {
            this.zone = zone;
            items = new int[2 * zone.batch];
        }

        /** An item, or -1 when neither bin nor depot has one. */
        int take() {
            int i = n - 1;
            if (i < 0) {
                return takeFromDepot();
            }
            n = i;
            taken++;
            return items[i];
        }

        private int takeFromDepot() {
            if (!zone.refill(this)) {
                return -1;
            }
            taken++;
            n--;
            return items[n];
        }

        void put(int item) {
            if (n == items.length) {
                zone.flush(this, zone.batch);
            }
            items[n] = item;
            n++;
        }

        /** Undoes a {@link #take}. */
        void putBack(int item) {
            taken--;
            put(item);
        }

        /** An item for a thread of another stripe, or -1; half of what is left goes to the depot for its next needs. */
        int rob() {
            if (n == 0) {
                return -1;
            }
            n--;
            taken++;
            int item = items[n];
            int give = (n + 1) / 2;
            if (give > 0) {
                zone.flush(this, give);
            }
            return item;
        }
    }
}
