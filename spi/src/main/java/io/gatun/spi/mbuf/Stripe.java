package io.gatun.spi.mbuf;

import io.gatun.spi.sys.Padded;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A cache of free items of every zone. Threads are spread over the stripes by their id; a stripe is claimed by one
 * compare-and-set, used for a few instructions and left again. A claim is never held across a call out of the pool.
 *
 * <p>Locking key: (c) constant, (v) VarHandle. The bins are guarded by the claim.
 *
 * @bsd uma_cache
 */
final class Stripe extends Padded {
    private static final VarHandle CLAIMED;
    private static final int SPINS = 64;

    static {
        try {
            CLAIMED = MethodHandles.lookup().findVarHandle(Stripe.class, "claimed", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final Zone.Bin mbufs;               // (c)
    final Zone.Bin[] bins;              // (c) by zone
    @SuppressWarnings("unused")
    private int claimed;                // (v)
    private final boolean shared;       // (c) whether several threads use the pool at once

    Stripe(Zone[] zones, boolean shared) {
        this.shared = shared;
        bins = new Zone.Bin[zones.length];
        for (int i = 0; i < zones.length; i++) {
            bins[i] = new Zone.Bin(zones[i]);
        }
        mbufs = bins[MbufPool.Z_MBUF];
    }

    boolean tryClaim() {
        return !shared || (int) CLAIMED.getOpaque(this) == 0 && CLAIMED.compareAndSet(this, 0, 1);
    }

    /** Claims this stripe and no other, however long it takes. */
    void claim() {
        for (int spins = 0; !tryClaim(); spins++) {
            pause(spins);
        }
    }

    void unclaim() {
        if (shared) {
            CLAIMED.setRelease(this, 0);
        }
    }

    /** Claims any stripe, beginning after {@code start}. */
    static Stripe claimAny(Stripe[] stripes, int start) {
        int mask = stripes.length - 1;
        for (int i = 1;; i++) {
            Stripe s = stripes[start + i & mask];
            if (s.tryClaim()) {
                return s;
            }
            pause(i);
        }
    }

    private static void pause(int spins) {
        // The holder may have lost its processor: let it have ours.
        if (spins < SPINS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }
}
