package io.gatun.spi.sys;

import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock of the stack: a {@link ReentrantLock} (so a virtual thread that waits for it frees its carrier) that knows
 * its place in the lock order.
 * With assertions on, {@link Witness} records every acquisition and fails on a reversal.
 *
 * @bsd struct mtx
 */
public final class Mtx extends ReentrantLock {
    private static final long serialVersionUID = 1L;
    /** Turns of waiting for an owner who is about to let go; parking costs more, and allocates. */
    private static final int SPINS = Runtime.getRuntime().availableProcessors() > 1 ? 64 : 0;

    private final transient LockClass lockClass;
    private final String name;

    /**
     * @param lockClass its place in the order
     * @param name what Witness prints, as in {@code so_rcv}
     */
    public Mtx(final LockClass lockClass, final String name) {
        this.lockClass = lockClass;
        this.name = name;
    }

    public LockClass lockClass() {
        return lockClass;
    }

    public String name() {
        return name;
    }

    /** Spins for a moment, then parks. @bsd mtx_lock */
    @Override
    public void lock() {
        assert Witness.checkOrder(this);
        if (!super.tryLock() && !spin()) {
            super.lock();
        }
        assert Witness.acquired(this);
    }

    private boolean spin() {
        for (int i = 0; i < SPINS; i++) {
            Thread.onSpinWait();
            if (!isLocked() && super.tryLock()) {
                return true;
            }
        }
        return false;
    }

    /** @bsd mtx_trylock */
    @Override
    public boolean tryLock() {
        final boolean taken = super.tryLock();
        assert !taken || Witness.acquired(this);
        return taken;
    }

    /** @bsd mtx_unlock */
    @Override
    public void unlock() {
        assert Witness.released(this);
        super.unlock();
    }

    /** For the first line of a {@code ...Locked} method: {@code assert lock.owned();}. @bsd mtx_assert */
    public boolean owned() {
        return isHeldByCurrentThread();
    }

    @Override
    public String toString() {
        return name + "(" + lockClass + ")" + super.toString();
    }
}
