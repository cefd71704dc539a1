package io.gatun.protosw;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.random.RandomGenerator;

/**
 * The random source of a vnet: SplitMix64, whose state is one addition, so any thread may draw without a lock and one
 * thread draws the same numbers from the same seed.
 *
 * <p>Locking key: (v) atomic when shared, else owned by the one thread of the vnet.
 *
 * @bsd arc4random
 */
final class VnetRandom implements RandomGenerator {
    private static final VarHandle STATE;
    private static final long GAMMA = 0x9e3779b97f4a7c15L;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(VnetRandom.class, "state", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final boolean shared;
    private long state; // (v)

    VnetRandom(long seed, boolean shared) {
        this.state = seed;
        this.shared = shared;
    }

    @Override
    public long nextLong() {
        if (shared) {
            return mix((long) STATE.getAndAdd(this, GAMMA) + GAMMA);
        }
        state += GAMMA;
        return mix(state);
    }

    /** The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
    private static long mix(long z0) {
        long z = (z0 ^ z0 >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
