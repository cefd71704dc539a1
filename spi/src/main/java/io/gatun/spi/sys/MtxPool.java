package io.gatun.spi.sys;

/**
 * Mutexes of one kind for the many objects of a vnet that have one each. With threads each object gets a mutex of its
 * own. Without threads, where a mutex is no more than a count, one count serves all, and costs an object neither memory
 * nor the time to make it; unless assertions are on, which are to tell whose mutex is held.
 *
 * <p>Locking key: (c) constant.
 *
 * @bsd mtx_pool_create
 * @see <a href="https://man.freebsd.org/mtx_pool/9">mtx_pool(9)</a>
 */
public final class MtxPool {
    private static final boolean ASSERTIONS = MtxPool.class.desiredAssertionStatus();

    private final LockClass lockClass; // (c)
    private final String name;         // (c)
    private final boolean shared;      // (c)
    private final Mtx one;             // (c) for all; null when each has its own

    /**
     * @param lockClass the place of its mutexes in the order
     * @param name what Witness prints
     * @param shared whether several threads may want one at once: {@code VnetSide.threaded()}
     */
    public MtxPool(final LockClass lockClass, final String name, final boolean shared) {
        this.lockClass = lockClass;
        this.name = name;
        this.shared = shared;
        one = shared || ASSERTIONS ? null : new Mtx(lockClass, name, false);
    }

    /** A mutex for an object, for as long as it lives. @bsd mtx_pool_alloc */
    public Mtx alloc() {
        return one == null ? new Mtx(lockClass, name, shared) : one;
    }
}
